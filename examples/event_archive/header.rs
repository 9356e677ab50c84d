//! The row of column names at the beginning of a CSV file.

use std::fmt;
use std::io;

/// The maximum length of a header row. Without it, a file whose first quotation mark is never closed would be held in memory as a
/// whole.
const LONGEST: usize = 1 << 20;

/// A header row with its line break.
///
/// Two rows are equal if they name the same columns in the same order, byte for byte; a byte order mark and the kind of line
/// break are ignored.
///
/// ```
/// use pipeline_examples::event_archive::header::{HeaderRow, Start};
///
/// let row = |file: &str| {
///     let mut start = Start::default();
///     start.push(file.as_bytes()).unwrap();
///     start.end().unwrap()
/// };
/// assert_eq!(row("id,\"two\nlines\"\n1,2\n"), row("\u{feff}id,\"two\nlines\"\r\n"));
/// assert_ne!(row("id,total\n"), row("total,id\n"));
/// ```
#[derive(Debug, Clone)]
pub struct HeaderRow(Vec<u8>);

impl HeaderRow {
    /// The row as it was written.
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// A hash that is the same for equal rows, and almost certainly differs for others.
    pub fn tag(&self) -> u32 {
        let mut crc = flate2::Crc::new();
        crc.update(self.names());
        crc.sum()
    }

    /// The compared part of the row.
    fn names(&self) -> &[u8] {
        let row = self.0.strip_prefix("\u{feff}".as_bytes()).unwrap_or(&self.0);
        let row = row.strip_suffix(b"\n").unwrap_or(row);
        row.strip_suffix(b"\r").unwrap_or(row)
    }
}

impl PartialEq for HeaderRow {
    fn eq(&self, other: &Self) -> bool {
        self.names() == other.names()
    }
}

impl Eq for HeaderRow {}

/// The names, shortened if they are many.
impl fmt::Display for HeaderRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = String::from_utf8_lossy(self.names());
        match names.char_indices().nth(200) {
            Some((end, _)) => write!(f, "{}…", &names[..end]),
            None => f.write_str(&names),
        }
    }
}

/// The start of a text, of which only the header row is stored.
#[derive(Debug, Default)]
pub struct Start {
    row: Vec<u8>,
    is_quoted: bool,
    is_ended: bool,
}

impl Start {
    /// Takes the next bytes of the text, and returns how many of them belong to the row: all of them until the row has ended.
    ///
    /// Fails if there is no line break in the first 1 MiB, not counting those between quotation marks.
    pub fn push(&mut self, text: &[u8]) -> io::Result<usize> {
        if self.is_ended {
            return Ok(0);
        }
        for (at, byte) in text.iter().enumerate() {
            match byte {
                b'"' => self.is_quoted = !self.is_quoted,
                b'\n' if !self.is_quoted => {
                    self.is_ended = true;
                    self.row.extend_from_slice(&text[..=at]);
                    return Ok(at + 1);
                }
                _ => {}
            }
        }
        self.row.extend_from_slice(text);
        if self.row.len() > LONGEST {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "there is no header row in its first 1 MiB"));
        }
        Ok(text.len())
    }

    /// Returns whether the row is complete.
    pub fn is_ended(&self) -> bool {
        self.is_ended
    }

    /// The row; a line break is added if the text ended without one. `None` if the text is empty.
    pub fn end(mut self) -> Option<HeaderRow> {
        if self.row.is_empty() {
            return None;
        }
        if !self.is_ended {
            self.row.push(b'\n');
        }
        Some(HeaderRow(self.row))
    }
}
