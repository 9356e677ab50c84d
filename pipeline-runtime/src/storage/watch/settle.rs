//! Files whose close is not reported: they count as arrived once their size is stable.

use super::super::trace::STILL;
use crate::time::Timestamp;
use std::collections::HashMap;
use std::fs;
use std::path::PathBuf;

/// The most files that are checked; further ones are left to the next tick.
const MAX_FILES: usize = 65_536;

/// Files that may still be being written.
#[derive(Debug, Default)]
pub(super) struct Settling(HashMap<PathBuf, Watched>);

#[derive(Debug)]
struct Watched {
    size: u64,
    due: Timestamp,
}

impl Settling {
    /// Checks a file until its size is stable. Returns whether there was room for it.
    pub(super) fn add(&mut self, file: PathBuf, now: Timestamp) -> bool {
        let Some(size) = size(&file) else { return true };
        if self.0.len() >= MAX_FILES && !self.0.contains_key(&file) {
            return false;
        }
        self.0.insert(file, Watched { size, due: now + STILL });
        true
    }

    /// Stops checking a file, because it is complete or gone.
    pub(super) fn remove(&mut self, file: &std::path::Path) {
        self.0.remove(file);
    }

    /// The time of the next check.
    pub(super) fn next(&self) -> Option<Timestamp> {
        self.0.values().map(|watched| watched.due).min()
    }

    /// The files whose size was stable.
    pub(super) fn still(&mut self, now: Timestamp) -> Vec<PathBuf> {
        let mut still = Vec::new();
        self.0.retain(|file, watched| {
            if watched.due > now {
                return true;
            }
            match size(file) {
                None => false,
                Some(size) if size == watched.size => {
                    still.push(file.clone());
                    false
                }
                Some(size) => {
                    *watched = Watched { size, due: now + STILL };
                    true
                }
            }
        });
        still
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
        let mut settling = Settling::default();
        fs::write(&file, "1").unwrap();
        assert!(settling.add(file.clone(), start));
        assert_eq!(settling.next(), Some(start + STILL));
        assert!(settling.still(start + STILL / 2).is_empty(), "too early");
        fs::write(&file, "12").unwrap();
        assert!(settling.still(start + STILL).is_empty(), "it grew");
        assert_eq!(settling.still(start + STILL * 2), [file]);
        assert_eq!(settling.next(), None);
    }

    #[test]
    fn a_file_that_goes_away_never_arrives() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a");
        let mut settling = Settling::default();
        fs::write(&file, "1").unwrap();
        settling.add(file.clone(), Timestamp::default());
        fs::remove_file(file).unwrap();
        assert!(settling.still(Timestamp::default() + STILL).is_empty());
        assert_eq!(settling.next(), None);
    }
}
