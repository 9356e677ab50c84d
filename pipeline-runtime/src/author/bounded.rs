//! Writing up to a limit: JSON, and the text of a template. Output that exceeds the limit is abandoned while it is written, so
//! that the limit also bounds memory.

use serde::Serialize;
use std::io::{self, Write};

/// Why a value could not be written as JSON.
#[derive(Debug, thiserror::Error)]
pub enum Unwritten {
    /// It is larger than the limit.
    #[error("it has more bytes than it may")]
    TooLarge,
    /// It cannot be written at all.
    #[error(transparent)]
    Json(serde_json::Error),
}

/// A value as JSON of at most `limit` bytes.
pub(crate) fn to_vec<T: Serialize + ?Sized>(value: &T, limit: usize) -> Result<Vec<u8>, Unwritten> {
    let mut bytes = Bytes::new(limit);
    match serde_json::to_writer(&mut bytes, value) {
        Ok(()) => Ok(bytes.written),
        Err(_) if bytes.is_over => Err(Unwritten::TooLarge),
        Err(error) => Err(Unwritten::Json(error)),
    }
}

/// Like [`to_vec`], as a text.
pub(crate) fn to_string<T: Serialize + ?Sized>(value: &T, limit: usize) -> Result<String, Unwritten> {
    String::from_utf8(to_vec(value, limit)?).map_err(|error| Unwritten::Json(serde::ser::Error::custom(error)))
}

/// A writer that accepts bytes up to a limit.
#[derive(Debug)]
pub(crate) struct Bytes {
    written: Vec<u8>,
    limit: usize,
    is_over: bool,
}

impl Bytes {
    pub(crate) fn new(limit: usize) -> Self {
        Self { written: Vec::with_capacity(128), limit, is_over: false }
    }

    /// True if a write exceeded the limit.
    pub(crate) fn is_over(&self) -> bool {
        self.is_over
    }

    pub(crate) fn into_string(self) -> Result<String, std::string::FromUtf8Error> {
        String::from_utf8(self.written)
    }
}

impl Write for Bytes {
    #[inline]
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.write_all(bytes)?;
        Ok(bytes.len())
    }

    #[inline]
    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        if bytes.len() > self.limit - self.written.len() {
            self.is_over = true;
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        self.written.extend_from_slice(bytes);
        Ok(())
    }

    #[inline]
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Serializer;
    use std::cell::Cell;

    #[test]
    fn the_limit_is_that_of_the_json_and_exact() {
        assert_eq!(to_vec("1234", 6).unwrap(), b"\"1234\"");
        assert!(matches!(to_vec("12345", 6), Err(Unwritten::TooLarge)));
        assert_eq!(to_string(&[1, 2], usize::MAX).unwrap(), "[1,2]");
    }

    #[test]
    fn what_cannot_be_written_is_another_error() {
        let map = std::collections::BTreeMap::from([((1, 2), 3)]);
        assert!(matches!(to_vec(&map, 100), Err(Unwritten::Json(_))));
    }

    /// Counts how often it was written.
    struct Counted<'a>(&'a Cell<u32>);

    impl Serialize for Counted<'_> {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            self.0.set(self.0.get() + 1);
            serializer.serialize_str("0123456789")
        }
    }

    #[test]
    fn nothing_beyond_the_limit_is_written() {
        let written = Cell::new(0);
        let many: Vec<_> = (0..1000).map(|_| Counted(&written)).collect();
        assert!(matches!(to_vec(&many, 130), Err(Unwritten::TooLarge)));
        assert_eq!(written.get(), 10, "each of them is 13 bytes with its comma");
    }
}
