//! Keys and prefixes as users write them, checked before any I/O.
//!
//! The rules are the same for every store, so that what passes in a test on `memory://` passes on the others.

use object_store::path::Path;

/// S3's limit, in bytes of UTF-8.
const MAX_BYTES: usize = 1024;

/// Checks one whole key. The error ends the sentence "it …".
pub(super) fn parse(key: &str) -> Result<Path, &'static str> {
    if key.is_empty() {
        return Err("is empty");
    }
    if key.ends_with('/') {
        return Err("ends with `/`: a key names an object, not a folder");
    }
    check(key)?;
    // `parse`, because `Path::from` would percent-encode whatever is not ASCII.
    Path::parse(key).map_err(|_| "holds what no store accepts")
}

/// The beginning of keys, byte for byte: `raw/dai` is a prefix of `raw/daily.csv`.
#[derive(Debug, Clone)]
pub(super) struct Prefix(String);

impl Prefix {
    /// Checks a prefix; the empty one is the whole bucket. The error ends the sentence "it …".
    pub(super) fn parse(prefix: &str) -> Result<Self, &'static str> {
        check(prefix)?;
        Ok(Self(prefix.to_owned()))
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }

    /// The deepest folder that all keys of this prefix share: stores list by folder, not by bytes.
    pub(super) fn folder(&self) -> &str {
        self.0.rsplit_once('/').map_or("", |(folder, _)| folder)
    }
}

fn check(text: &str) -> Result<(), &'static str> {
    if text.len() > MAX_BYTES {
        return Err("is longer than 1024 bytes");
    }
    if text.chars().any(char::is_control) {
        return Err("holds a control character");
    }
    if text.starts_with('/') {
        return Err("starts with `/`: keys are relative to their bucket");
    }
    if text.contains("//") {
        return Err("holds `//`, a folder without a name");
    }
    if text.split('/').any(|segment| segment == "." || segment == "..") {
        return Err("holds a `.` or `..` segment: keys do not leave their bucket");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ordinary_keys_stay_as_written() {
        for key in ["a", "raw/a.json", "ü/ß é.csv", "a b/100%/x?y*[z]", "..a/b..", "a\\b", "x#y", "raw/.hidden", "%2E%2E/x"] {
            assert_eq!(parse(key).map(String::from).as_deref(), Ok(key));
        }
    }

    #[test]
    fn what_is_no_key_is_refused() {
        for key in ["", "/", "/a", "a/", "a//b", "..", "../a", "a/..", "a/../b", ".", "./a", "a/./b", "a\0b", "a\nb", "a\u{85}b"]
        {
            assert!(parse(key).is_err(), "{key:?}");
        }
        assert!(parse(&"x".repeat(1024)).is_ok());
        assert!(parse(&"x".repeat(1025)).is_err());
        assert!(parse(&"é".repeat(513)).is_err(), "the limit is in bytes");
    }

    #[test]
    fn a_prefix_may_end_anywhere() {
        for (prefix, folder) in [("", ""), ("raw", ""), ("raw/", "raw"), ("raw/dai", "raw"), ("a/b/c", "a/b")] {
            assert_eq!(Prefix::parse(prefix).as_ref().map(Prefix::folder), Ok(folder));
        }
        for prefix in ["/", "..", "raw/../", "a//", "a\0"] {
            assert!(Prefix::parse(prefix).is_err(), "{prefix:?}");
        }
    }
}
