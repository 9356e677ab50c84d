//! An archive: a gzip file with one member for each source file.
//!
//! gzip allows several members in a row, and every tool reads them as one. Each member's header says which file it holds, and
//! which version of it: so the archive itself tells what is in it, in the same object, and no second one can disagree with it. What is
//! there already is copied as it is, compressed, never decompressed and compressed again.
//!
//! The archive is worked on in a file without a name in the system's folder for temporary files, which the system takes back
//! however the process ends. Memory is bounded by buffers and the names of the files.

use chrono::{DateTime, Utc};
use flate2::bufread::GzDecoder;
use flate2::write::GzEncoder;
use flate2::{Compression, GzBuilder, GzHeader};
use std::collections::HashMap;
use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom, Write};

/// A version of a source file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// Its key.
    pub key: String,
    /// What tells it from other contents that were, or will be, at that key.
    pub version: String,
    /// When it was written.
    pub modified: DateTime<Utc>,
}

/// An archive, complete and closed.
#[derive(Debug)]
pub struct Archive {
    file: File,
    /// Of the files whose members say what they hold.
    members: HashMap<String, Member>,
}

/// An archive while a file is written into it.
#[derive(Debug)]
pub struct Appending {
    encoder: GzEncoder<File>,
    members: HashMap<String, Member>,
    source: Source,
    start: u64,
}

#[derive(Debug, Clone)]
struct Member {
    version: String,
    start: u64,
    end: u64,
}

impl Archive {
    /// An empty one.
    pub fn new() -> io::Result<Self> {
        Ok(Self { file: tempfile::tempfile()?, members: HashMap::new() })
    }

    /// Reads which files an archive holds. It is decompressed for that, so that a damaged one is found before it is added to.
    pub fn read(mut file: File) -> io::Result<Self> {
        file.seek(SeekFrom::Start(0))?;
        let mut rest = BufReader::with_capacity(BUFFER, file);
        let mut members = HashMap::new();
        loop {
            let start = rest.stream_position()?;
            if io::BufRead::fill_buf(&mut rest)?.is_empty() {
                return Ok(Self { file: rest.into_inner(), members });
            }
            let mut member = GzDecoder::new(rest);
            io::copy(&mut member, &mut io::sink()).map_err(|error| {
                io::Error::new(error.kind(), format!("the member at byte {start} cannot be decompressed: {error}"))
            })?;
            let held = member.header().and_then(held);
            rest = member.into_inner();
            if let Some((key, version)) = held {
                members.insert(key, Member { version, start, end: rest.stream_position()? });
            }
        }
    }

    /// Whether it holds that version of that file.
    pub fn holds(&self, key: &str, version: &str) -> bool {
        self.members.get(key).is_some_and(|member| member.version == version)
    }

    /// How many files it holds, those of members that do not say so not counted.
    pub fn files(&self) -> usize {
        self.members.len()
    }

    /// Begins to write a file. An earlier version of it is taken out first.
    pub fn append(mut self, source: Source) -> io::Result<Appending> {
        if let Some(earlier) = self.members.remove(&source.key) {
            self.cut(&earlier)?;
        }
        let start = self.file.seek(SeekFrom::End(0))?;
        let name = source.key.rsplit('/').next().unwrap_or_default();
        let seconds = u32::try_from(source.modified.timestamp()).unwrap_or_default();
        let mut header = GzBuilder::new().mtime(seconds).extra(extra(&source));
        if name.is_ascii() {
            header = header.filename(name);
        }
        let encoder = header.write(self.file, Compression::default());
        Ok(Appending { encoder, members: self.members, source, start })
    }

    /// The file, at its start, and its size.
    pub fn into_file(mut self) -> io::Result<(File, u64)> {
        let size = self.file.seek(SeekFrom::End(0))?;
        self.file.seek(SeekFrom::Start(0))?;
        Ok((self.file, size))
    }

    fn cut(&mut self, member: &Member) -> io::Result<()> {
        let mut shorter = tempfile::tempfile()?;
        self.file.seek(SeekFrom::Start(0))?;
        io::copy(&mut (&self.file).take(member.start), &mut shorter)?;
        self.file.seek(SeekFrom::Start(member.end))?;
        io::copy(&mut self.file, &mut shorter)?;
        self.file = shorter;
        let length = member.end - member.start;
        for later in self.members.values_mut().filter(|other| other.start >= member.end) {
            later.start -= length;
            later.end -= length;
        }
        Ok(())
    }
}

impl Appending {
    /// Writes what comes next in the file.
    pub fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.encoder.write_all(bytes)
    }

    /// Ends the file.
    pub fn finish(self) -> io::Result<Archive> {
        let mut file = self.encoder.finish()?;
        let end = file.stream_position()?;
        let mut members = self.members;
        members.insert(self.source.key, Member { version: self.source.version, start: self.start, end });
        Ok(Archive { file, members })
    }
}

const BUFFER: usize = 64 * 1024;

/// The name of our field among those that a member's header may have.
const FIELD: [u8; 2] = *b"EA";

/// The header's extra fields, each being two bytes of name, two of length (the low one first), and that many bytes: here the key
/// and the version, with a line break between them, which no key contains.
fn extra(source: &Source) -> Vec<u8> {
    let held = format!("{}\n{}", source.key, source.version);
    let length = u16::try_from(held.len()).expect("a key has at most 1024 bytes, and an etag a few dozen");
    [&FIELD[..], &length.to_le_bytes(), held.as_bytes()].concat()
}

/// The file that a member holds, by its header, if it says so.
fn held(header: &GzHeader) -> Option<(String, String)> {
    let mut rest = header.extra()?;
    while let [a, b, low, high, after @ ..] = rest {
        let (value, next) = after.split_at_checked(u16::from_le_bytes([*low, *high]).into())?;
        if [*a, *b] == FIELD {
            let (key, version) = std::str::from_utf8(value).ok()?.split_once('\n')?;
            return Some((key.to_owned(), version.to_owned()));
        }
        rest = next;
    }
    None
}
