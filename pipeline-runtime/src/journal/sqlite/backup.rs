//! A copy of the journal, made while another process may write it.
//!
//! # Why `VACUUM INTO`
//!
//! The copy is what one transaction reads, so it has what was committed at one moment, however long it takes, and the writer
//! continues meanwhile. `SQLite`'s online backup would copy pages as they are, including free ones. `VACUUM INTO` writes rows
//! again: the copy has no free pages, damage is found while reading and not copied, and it takes less time. An online backup in
//! steps restarts with each commit of another process, so beside a busy one it would never end.

use super::file;
use super::prune::Size;
use super::{JournalError, SqliteJournal, connect, lock};
use rusqlite::Connection;
use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// A finished copy.
#[derive(Debug)]
pub(crate) struct BackupReport {
    file: PathBuf,
    runs: u64,
    bytes: u64,
}

impl SqliteJournal {
    /// Copies the journal into a file that does not exist yet, or that `force` replaces. The file appears complete and synced.
    pub(crate) fn back_up(path: &Path, file: &Path, force: bool) -> Result<BackupReport, JournalError> {
        let connection = connect::open_to_copy(path)?;
        refuse(path, file, force)?;
        let target = file::resolve(file);
        remove_leftovers(&target);
        let new = file::beside(&target, &format!("-{}.tmp", std::process::id()));
        let copied = copy(&connection, path, &new).and_then(|runs| {
            // Another process may have created it meanwhile.
            refuse(path, file, force)?;
            Ok((runs, put(&new, &target).map_err(|error| failed(file, &error))?))
        });
        if copied.is_err() {
            // The file is useless, and the original error matters more than a failed removal.
            let _ = fs::remove_file(&new);
        }
        let (runs, bytes) = copied.map_err(|error| match error {
            // The error names the final file.
            JournalError::Backup { reason, .. } => JournalError::backup(file, reason),
            error => error,
        })?;
        Ok(BackupReport { file: file.to_owned(), runs, bytes })
    }
}

fn failed(file: &Path, error: &io::Error) -> JournalError {
    JournalError::backup(file, error.to_string())
}

/// Refuses a file that must not be replaced.
fn refuse(journal: &Path, file: &Path, force: bool) -> Result<(), JournalError> {
    let refused = |reason: String| Err(JournalError::backup(file, reason));
    let target = file::resolve(file);
    if file::is_of_journal(journal, &target) {
        return refused("it is a file of the journal itself; name another one".to_owned());
    }
    if target.is_dir() {
        return refused("it is a folder; name a file in it".to_owned());
    }
    // A device or a pipe has other users, who would find a file in its place.
    if fs::metadata(&target).is_ok_and(|found| !found.is_file()) {
        return refused("it is no regular file, and is not replaced; name another one".to_owned());
    }
    // The rollback journal of another program: SQLite would play it back into the copy.
    for suffix in ["-wal", "-shm", "-journal"] {
        let beside = file::beside(&target, suffix);
        if beside.exists() {
            return refused(format!(
                "{} is there, which belongs to a database of that name: name another file, or remove that first",
                beside.display()
            ));
        }
    }
    if lock::is_held(&target) {
        return refused("a process holds the journal of that name; name another file".to_owned());
    }
    if !force && target.symlink_metadata().is_ok() {
        return refused("it exists already; name another file, or replace it with `--force`".to_owned());
    }
    Ok(())
}

/// How long a copy must be unchanged before it is removed, if its process is gone. A copy by a process in another container,
/// which is not visible here, is written all the time.
const OLD: Duration = Duration::from_mins(10);

/// Removes the copies that killed processes left under that name: `FILE-PID.tmp`. A leftover that cannot be removed does no harm.
fn remove_leftovers(target: &Path) {
    let Some(name) = target.file_name().and_then(|name| name.to_str()) else { return };
    for entry in fs::read_dir(file::folder_of(target)).into_iter().flatten().flatten() {
        let found = entry.file_name();
        let process = found.to_str().and_then(|found| found.strip_prefix(name)?.strip_prefix('-')?.strip_suffix(".tmp"));
        let age = entry.metadata().and_then(|file| file.modified()).map(|at| at.elapsed().unwrap_or_default());
        if process.and_then(|process| process.parse().ok()).is_some_and(is_gone) && age.is_ok_and(|age| age >= OLD) {
            let _ = fs::remove_file(entry.path());
        }
    }
}

/// True if no process has that number, as far as the system knows.
fn is_gone(process: u32) -> bool {
    let of = |process: u32| Path::new("/proc").join(process.to_string());
    of(std::process::id()).exists() && !of(process).exists()
}

/// Writes the copy under a name of its own, and returns its number of runs.
fn copy(connection: &Connection, path: &Path, new: &Path) -> Result<u64, JournalError> {
    let refused = |error: io::Error| failed(new, &error);
    let Some(name) = new.to_str() else {
        return Err(JournalError::backup(new, "its path is not UTF-8, which SQLite requires"));
    };
    let file = file::remove(new).and_then(|()| file::new_of_owner(new)).map_err(refused)?;
    connection.execute("VACUUM INTO ?1", [name]).map_err(|error| match JournalError::write(path, &error) {
        JournalError::Write { reason, .. } => JournalError::backup(new, reason),
        // The source is damaged.
        error => error,
    })?;
    // A copy is as secret as its journal.
    let permissions = fs::metadata(path).map_err(refused)?.permissions();
    file.set_permissions(permissions).and_then(|()| file.sync_all()).map_err(refused)?;
    let runs = Connection::open(new).and_then(|copy| copy.query_row("SELECT count(*) FROM runs", [], |row| row.get::<_, i64>(0)));
    runs.map(i64::unsigned_abs).map_err(|error| JournalError::backup(new, JournalError::reason(&error)))
}

/// Gives the copy its final name, and returns its size.
fn put(new: &Path, file: &Path) -> io::Result<u64> {
    let bytes = fs::metadata(new)?.len();
    fs::rename(new, file)?;
    // The name exists now, even if its folder may be written but not read, so that nobody can sync it.
    file::sync_folder_of(file);
    Ok(bytes)
}

impl fmt::Display for BackupReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { file, runs, bytes } = self;
        write!(f, "backup {}: {runs} run{}, {}", file.display(), if *runs == 1 { "" } else { "s" }, Size(*bytes))
    }
}
