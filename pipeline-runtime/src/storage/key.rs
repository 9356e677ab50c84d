//! Keys and prefixes as users write them, checked before any I/O.
//!
//! The rules are the same for every store, so a key that passes in a test on `memory://` passes on the others.

use std::borrow::Borrow;
use std::fmt;

/// S3's limit, in bytes of UTF-8.
const MAX_BYTES: usize = 1024;

/// Checks one whole key. The error completes the sentence "it …".
pub(super) fn parse(key: &str) -> Result<Key, &'static str> {
    if key.is_empty() {
        return Err("is empty");
    }
    if key.ends_with('/') {
        return Err("ends with `/`: a key names an object, not a folder");
    }
    check(key)?;
    Ok(Key(key.to_owned()))
}

/// One checked key; also a folder, which is named like one. It is stored as it was written, without any encoding, and sorted by
/// bytes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Key(String);

impl Key {
    /// A key from a store's listing, from which invalid names have been removed.
    #[cfg(feature = "cloud")]
    pub(super) fn listed(name: String) -> Self {
        Self(name)
    }

    /// The part behind the last `/`.
    pub(super) fn filename(&self) -> &str {
        self.0.rsplit('/').next().unwrap_or_default()
    }

    /// The folder whose name is the segment that begins at `start`; `None` if that segment is the key's last.
    pub(super) fn folder_from(&self, start: usize) -> Option<Self> {
        let end = start + self.0.get(start..)?.find('/')?;
        Some(Self(self.0[..end].to_owned()))
    }
}

impl AsRef<str> for Key {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl Borrow<str> for Key {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<Key> for String {
    fn from(key: Key) -> Self {
        key.0
    }
}

/// A prefix of keys, byte for byte: `raw/dai` is a prefix of `raw/daily.csv`.
#[derive(Debug, Clone)]
pub(super) struct Prefix(String);

impl Prefix {
    /// Checks a prefix; the empty one is the whole bucket. The error completes the sentence "it …".
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
        return Err("contains a control character");
    }
    if text.starts_with('/') {
        return Err("starts with `/`: keys are relative to their bucket");
    }
    if text.contains("//") {
        return Err("contains `//`, a folder without a name");
    }
    if text.split('/').any(|segment| segment == "." || segment == "..") {
        return Err("contains a `.` or `..` segment: a key cannot lead out of its bucket");
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
    fn a_key_has_a_name_and_folders() -> Result<(), &'static str> {
        let key = parse("raw/eu/a.csv")?;
        assert_eq!(key.filename(), "a.csv");
        let folder = |start| key.folder_from(start).map(String::from);
        assert_eq!((folder(0).as_deref(), folder(4).as_deref(), folder(7)), (Some("raw"), Some("raw/eu"), None));
        assert_eq!(parse("a")?.folder_from(0), None);
        Ok(())
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
