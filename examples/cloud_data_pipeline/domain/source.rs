//! A file's text, and errors about it.

use std::fmt;

/// The text of a file and its name, so that every error about it names the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    name: String,
    text: String,
    format: &'static str,
}

/// A problem with a file: in which file, at which place, what is wrong, and what is expected.
///
/// It is not worth a retry: the file will have the same problem the next time it is read.
#[derive(Debug, thiserror::Error)]
#[error("{place}: {problem}; expected {expected}")]
pub struct BadInput {
    place: String,
    problem: String,
    expected: String,
}

impl Source {
    /// The contents of the file `name` (bucket and key). Fails unless they are UTF-8 text and not empty. `format` describes what
    /// is expected, for error messages.
    pub fn new(name: impl Into<String>, contents: &[u8], format: &'static str) -> Result<Self, BadInput> {
        let empty = Self { name: name.into(), text: String::new(), format };
        let text = std::str::from_utf8(contents).map_err(|error| {
            let (line, column) = position(&contents[..error.valid_up_to()]);
            let place = format!("line {line}, column {column}");
            empty.bad(place, "the text is not UTF-8", format)
        })?;
        // A byte order mark, which some spreadsheets write, is not part of the text.
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        if text.trim().is_empty() {
            return Err(empty.bad_as_a_whole("the file is empty"));
        }
        Ok(Self { text: text.to_owned(), ..empty })
    }

    /// The file, as `bucket/key`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The contents.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The expected format, for error messages.
    pub fn format(&self) -> &'static str {
        self.format
    }

    /// An error about a `problem` at a `place` in the file, with what is `expected` instead.
    pub fn bad(&self, place: impl fmt::Display, problem: impl fmt::Display, expected: impl fmt::Display) -> BadInput {
        BadInput { place: format!("{}, {place}", self.name), problem: problem.to_string(), expected: expected.to_string() }
    }

    /// An error about a `problem` with the file as a whole.
    pub fn bad_as_a_whole(&self, problem: impl fmt::Display) -> BadInput {
        BadInput { place: self.name.clone(), problem: problem.to_string(), expected: self.format.to_owned() }
    }
}

/// The line and column after the text `read`, both from 1.
fn position(read: &[u8]) -> (usize, usize) {
    let text = String::from_utf8_lossy(read);
    let last = text.rsplit('\n').next().unwrap_or_default();
    (text.matches('\n').count() + 1, last.chars().count() + 1)
}
