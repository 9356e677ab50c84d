//! Why params cannot be read. Serde's errors about fields are stored as variants, not as text.

use serde::de;
use std::fmt;

/// An error of the [`Reader`](super::reader::Reader).
#[derive(Debug)]
pub(super) enum Failure {
    /// Any other error, in the words of serde or of the type.
    Message(String),
    /// A key was given that the struct does not have.
    Unknown { key: String, known: Vec<String> },
    /// The field has two values, one of them under an alias.
    Duplicate(&'static str),
    /// The field has no value.
    Missing(&'static str),
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Message(message) => f.write_str(message),
            Self::Unknown { key, .. } => write!(f, "unknown field `{key}`"),
            Self::Duplicate(field) => write!(f, "`{field}` is given twice, once by another of its names"),
            Self::Missing(field) => write!(
                f,
                "the field `{field}` has no value: where its default is not written as JSON, as with `skip_serializing`, it needs \
                 `#[serde(default)]`"
            ),
        }
    }
}

impl std::error::Error for Failure {}

impl de::Error for Failure {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::Message(message.to_string())
    }

    fn unknown_field(field: &str, expected: &'static [&'static str]) -> Self {
        Self::Unknown { key: field.to_owned(), known: expected.iter().map(|&name| name.to_owned()).collect() }
    }

    fn duplicate_field(field: &'static str) -> Self {
        Self::Duplicate(field)
    }

    fn missing_field(field: &'static str) -> Self {
        Self::Missing(field)
    }
}
