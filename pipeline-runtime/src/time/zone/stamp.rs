//! How a file is seen to have changed.

use std::path::Path;
use std::time::SystemTime;

/// What changes with a file's contents. Packages may set any time of change (NixOS the same for all), so it alone would not do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Stamp {
    pub(super) modified: Option<SystemTime>,
    length: u64,
    /// The device and the file's number in it, where there are such.
    identity: (u64, u64),
}

impl Stamp {
    /// `None` where there is no such file.
    pub(super) fn of(file: &Path) -> Option<Self> {
        let found = std::fs::metadata(file).ok()?;
        Some(Self { modified: found.modified().ok(), length: found.len(), identity: identity(&found) })
    }
}

#[cfg(unix)]
fn identity(found: &std::fs::Metadata) -> (u64, u64) {
    use std::os::unix::fs::MetadataExt;
    (found.dev(), found.ino())
}

#[cfg(not(unix))]
fn identity(_: &std::fs::Metadata) -> (u64, u64) {
    (0, 0)
}
