//! The lock that makes a conditional put on `file://` atomic, because the file system has no compare-and-swap.
//!
//! [`FolderLock::take`] excludes all other writers, in other processes too. Unconditional writers [`join`](FolderLock::join) the
//! lock, so they exclude only the holders of an exclusive lock. They join only if the lock file exists, so that a folder without
//! conditional puts has no lock file. A plain write that overlaps with a folder's very first conditional put is therefore the one
//! case that is not excluded.
//!
//! The lock is on the open file and ends with the process, however that ends; the file itself stays. Its name makes it
//! [staged](super::staged::is_staged), so no listing shows it and no key reaches it.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

const NAME: &str = ".lock#0";

/// Held until dropped.
#[derive(Debug)]
pub(super) struct FolderLock(#[expect(dead_code, reason = "open for as long as the lock is held, never read")] File);

impl FolderLock {
    /// Waits until no other writer holds the lock in the folder of `file`, then holds it exclusively.
    pub(super) fn take(file: &Path) -> io::Result<Self> {
        let lock = File::options().create(true).truncate(false).write(true).open(path(file))?;
        lock.lock()?;
        Ok(Self(lock))
    }

    /// Waits until no conditional put is running in the folder of `file`, and holds off new ones. `None` if the folder has no
    /// lock file.
    pub(super) fn join(file: &Path) -> io::Result<Option<Self>> {
        match File::open(path(file)) {
            Ok(lock) => {
                lock.lock_shared()?;
                Ok(Some(Self(lock)))
            }
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// [Joins](Self::join) the folders of two files: one folder once, and two folders always in the same order, because a shared
    /// lock may have to wait behind a waiting exclusive one and could otherwise deadlock.
    pub(super) fn join_both(a: &Path, b: &Path) -> io::Result<[Option<Self>; 2]> {
        let (first, second) = if a.parent() <= b.parent() { (a, b) } else { (b, a) };
        let lock = Self::join(first)?;
        if first.parent() == second.parent() {
            return Ok([lock, None]);
        }
        Ok([lock, Self::join(second)?])
    }
}

fn path(file: &Path) -> PathBuf {
    file.with_file_name(NAME)
}
