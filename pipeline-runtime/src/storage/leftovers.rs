//! Unfinished files of killed processes are removed by a later write to their folder, and in all folders by
//! [`Bucket::gc`](super::Bucket::gc).
//!
//! No listing shows such a file and no key reaches it, so nothing else would remove it.
//!
//! # Why both a lock and an age
//!
//! A free lock shows that a file's writer is gone, but only where locks work: a writer on another machine, or one of an earlier
//! version, may hold none. So a file also has to be [`OLD`]. A process reads a folder for leftovers once an [`INTERVAL`], so that
//! writes to a folder with very many files stay cheap.

use std::collections::HashMap;
use std::fs::{self, File, Metadata};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use super::staged::is_staged;

/// A file is a leftover only if it has not been written to for this long.
const OLD: Duration = Duration::from_hours(1);
/// How long a process waits before it checks a folder again.
const INTERVAL: Duration = Duration::from_hours(1);
/// The most folders that are remembered. Beyond it all are forgotten, and checked again.
const MOST_FOLDERS: usize = 1024;

/// Removes the leftovers of killed processes from a folder, unless this process has checked it lately. A file that cannot be
/// removed stays: it is in nobody's way.
pub(super) fn collect(folder: &Path) {
    if is_due(folder) {
        let _ = collect_now(folder, SystemTime::now());
    }
}

fn is_due(folder: &Path) -> bool {
    static CHECKED: Mutex<Option<HashMap<PathBuf, Instant>>> = Mutex::new(None);
    let mut checked = CHECKED.lock().unwrap_or_else(PoisonError::into_inner);
    let checked = checked.get_or_insert_default();
    if checked.get(folder).is_some_and(|last| last.elapsed() < INTERVAL) {
        return false;
    }
    if checked.len() >= MOST_FOLDERS {
        checked.clear();
    }
    checked.insert(folder.to_owned(), Instant::now());
    true
}

/// Removes the leftovers of a folder and all folders below it at once, without following links; returns their number.
pub(super) fn collect_below(folder: &Path) -> io::Result<usize> {
    let (mut folders, mut removed) = (vec![folder.to_owned()], 0);
    while let Some(folder) = folders.pop() {
        let now = SystemTime::now();
        removed += match collect_now(&folder, now) {
            // The folder was removed meanwhile.
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            collected => collected?,
        };
        for entry in fs::read_dir(&folder)?.flatten() {
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                folders.push(entry.path());
            }
        }
    }
    Ok(removed)
}

fn collect_now(folder: &Path, now: SystemTime) -> io::Result<usize> {
    let mut removed = 0;
    for entry in fs::read_dir(folder)?.flatten() {
        // The lock of a folder stays; its number 0 is never used for an unfinished file.
        if entry.file_name().to_str().is_some_and(|name| is_staged(name) && !name.ends_with("#0")) {
            // A file that cannot be removed does not keep others from being removed.
            removed += usize::from(remove(&entry.path(), now).unwrap_or_default());
        }
    }
    Ok(removed)
}

fn remove(path: &Path, now: SystemTime) -> io::Result<bool> {
    let found = fs::symlink_metadata(path)?;
    let age = now.duration_since(found.modified()?).unwrap_or_default();
    if age < OLD || found.is_dir() {
        return Ok(false);
    }
    if !found.is_file() {
        // A link on its way to another folder exists only for an instant.
        return if found.is_symlink() { fs::remove_file(path).map(|()| true) } else { Ok(false) };
    }
    let file = File::open(path)?;
    // Fails if its writer still holds the lock, or another process removes the file.
    file.try_lock()?;
    // With the lock held, only a process that opened the file earlier can have removed it, and created another of that name.
    if is_same(&file.metadata()?, &fs::symlink_metadata(path)?) { fs::remove_file(path).map(|()| true) } else { Ok(false) }
}

#[cfg(unix)]
fn is_same(a: &Metadata, b: &Metadata) -> bool {
    use std::os::unix::fs::MetadataExt;
    (a.dev(), a.ino()) == (b.dev(), b.ino())
}

#[cfg(not(unix))]
fn is_same(_: &Metadata, _: &Metadata) -> bool {
    false
}

#[cfg(test)]
mod tests {
    use super::super::staged::Staged;
    use super::*;

    fn file(folder: &Path, name: &str, age: Duration) {
        let file = File::create(folder.join(name)).unwrap();
        file.set_modified(SystemTime::now() - age).unwrap();
    }

    #[test]
    fn a_write_removes_what_is_old_and_locked_by_nobody_from_its_folder() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path();
        for (name, age) in
            [("a#1", OLD), ("a#12", 2 * OLD), ("b#1", OLD / 2), (".lock#0", 2 * OLD), ("c#x", 2 * OLD), ("d", 2 * OLD)]
        {
            file(path, name, age);
        }
        // Its writer is still there and holds the lock, however long it has written nothing.
        file(path, "e#1", 2 * OLD);
        let slow = File::open(path.join("e#1")).unwrap();
        slow.try_lock().unwrap();
        let names = || -> Vec<String> {
            let mut names: Vec<_> =
                fs::read_dir(path).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
            names.sort();
            names
        };
        drop(Staged::new(path.join("new")).unwrap());
        assert_eq!(names(), [".lock#0", "b#1", "c#x", "d", "e#1"]);
        // The next write of this process does not check again.
        file(path, "f#1", 2 * OLD);
        drop(Staged::new(path.join("new")).unwrap());
        assert!(names().contains(&"f#1".to_owned()));
        drop(slow);
        collect_now(path, SystemTime::now()).unwrap();
        assert_eq!(names(), [".lock#0", "b#1", "c#x", "d"]);
    }

    #[test]
    fn a_file_is_locked_while_it_is_written() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path();
        let staged = Staged::new(path.join("slow")).unwrap();
        let later = SystemTime::now() + 2 * OLD;
        collect_now(path, later).unwrap();
        assert!(path.join("slow#1").exists());
        // As a killed process leaves it: nothing removes it when it is dropped.
        drop(File::create(path.join("killed#1")).unwrap());
        collect_now(path, later).unwrap();
        assert!(!path.join("killed#1").exists() && path.join("slow#1").exists());
        drop(staged);
    }
}
