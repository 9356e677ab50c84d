//! Files whose close is not reported: they count as arrived once their size is stable.

use super::super::trace::STABLE_AFTER;
use crate::time::Timestamp;
use std::collections::HashMap;
use std::fs;
use std::path::PathBuf;

/// The most files that are checked; further ones are left to the next tick.
const MAX_FILES: usize = 65_536;

/// Files that may still be being written.
#[derive(Debug, Default)]
pub(super) struct UnstableFiles(HashMap<PathBuf, PendingFile>);

#[derive(Debug)]
struct PendingFile {
    size: u64,
    due: Timestamp,
}

impl UnstableFiles {
    /// Checks a file until its size is stable. Returns whether there was room for it.
    pub(super) fn add(&mut self, file: PathBuf, now: Timestamp) -> bool {
        let Some(size) = size(&file) else { return true };
        if self.0.len() >= MAX_FILES && !self.0.contains_key(&file) {
            return false;
        }
        self.0.insert(file, PendingFile { size, due: now + STABLE_AFTER });
        true
    }

    /// Stops checking a file, because it is complete or gone.
    pub(super) fn remove(&mut self, file: &std::path::Path) {
        self.0.remove(file);
    }

    /// The time of the next check.
    pub(super) fn next(&self) -> Option<Timestamp> {
        self.0.values().map(|pending| pending.due).min()
    }

    /// The files whose size was stable.
    pub(super) fn take_stable(&mut self, now: Timestamp) -> Vec<PathBuf> {
        let mut stable = Vec::new();
        self.0.retain(|file, pending| {
            if pending.due > now {
                return true;
            }
            match size(file) {
                None => false,
                Some(size) if size == pending.size => {
                    stable.push(file.clone());
                    false
                }
                Some(size) => {
                    *pending = PendingFile { size, due: now + STABLE_AFTER };
                    true
                }
            }
        });
        stable
    }
}

fn size(file: &std::path::Path) -> Option<u64> {
    fs::metadata(file).ok().filter(fs::Metadata::is_file).map(|metadata| metadata.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_whole_once_its_size_stood_still() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a");
        let start = Timestamp::from_nanos(1_000_000_000);
        let mut unstable = UnstableFiles::default();
        fs::write(&file, "1").unwrap();
        assert!(unstable.add(file.clone(), start));
        assert_eq!(unstable.next(), Some(start + STABLE_AFTER));
        assert!(unstable.take_stable(start + STABLE_AFTER / 2).is_empty(), "too early");
        fs::write(&file, "12").unwrap();
        assert!(unstable.take_stable(start + STABLE_AFTER).is_empty(), "it grew");
        assert_eq!(unstable.take_stable(start + STABLE_AFTER * 2), [file]);
        assert_eq!(unstable.next(), None);
    }

    #[test]
    fn a_file_that_goes_away_never_arrives() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a");
        let mut unstable = UnstableFiles::default();
        fs::write(&file, "1").unwrap();
        unstable.add(file.clone(), Timestamp::default());
        fs::remove_file(file).unwrap();
        assert!(unstable.take_stable(Timestamp::default() + STABLE_AFTER).is_empty());
        assert_eq!(unstable.next(), None);
    }
}
