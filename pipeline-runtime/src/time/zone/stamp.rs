//! Detects that a file has changed.

use std::path::Path;
use std::time::SystemTime;

/// Metadata that changes with a file's contents. The modification time alone is not enough, as packages may set any (NixOS sets
/// the same for all files).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Stamp {
    pub(super) modified: Option<SystemTime>,
    length: u64,
    /// The device and the inode, where they exist.
    identity: (u64, u64),
}

impl Stamp {
    /// `None` if there is no such file.
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
