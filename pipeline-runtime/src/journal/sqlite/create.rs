//! A new journal's file, made whole beside its place and then put there.
//!
//! Made in place, each step of it would wait for the disk, as each could be its last. Here the disk is waited for once. A
//! process that dies on the way leaves a file that is no journal's and that the next one makes anew.

use super::JournalError;
use super::file;
use super::schema;
use rusqlite::Connection;
use std::fs::{self, File};
use std::io;
use std::path::Path;

/// Makes the folders that a new journal's file is to be in, where there are none.
///
/// A folder that is made is on the disk once the one that it is in is synced. Nobody does that later: `SQLite` syncs the folder of its
/// files, and not the ones above. Without it a power failure could take the folder away, and all acknowledged commits with it.
pub(super) fn folders(journal: &Path) -> Result<(), JournalError> {
    let Some(folder) = journal.parent().filter(|_| !journal.exists()) else { return Ok(()) };
    let of_path = || folder.ancestors().filter(|folder| !folder.as_os_str().is_empty());
    let missing: Vec<&Path> = of_path().take_while(|folder| !folder.is_dir()).collect();
    // One that died as it made them has left but the last one without a sync.
    if let Some(there) = of_path().nth(missing.len()) {
        file::sync_folder_of(there);
    }
    for made in missing.into_iter().rev() {
        make_folder(made).map_err(|error| JournalError::folder(folder, error))?;
        file::sync_folder_of(made);
    }
    Ok(())
}

/// Makes a folder, unless another process has just done so.
fn make_folder(folder: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.recursive(true).create(folder)
}

/// Makes the file. Whoever calls holds the journal's lock.
pub(super) fn create(path: &Path) -> Result<(), JournalError> {
    let new = file::beside(path, "-new");
    let made = make(&new, path);
    if made.is_err() {
        // Nothing of it is of use, and why it failed matters more than that it stays.
        let _ = fs::remove_file(&new);
    }
    made
}

fn make(new: &Path, path: &Path) -> Result<(), JournalError> {
    let failed = |error: io::Error| JournalError::create(path, &error);
    file::remove(new).map_err(failed)?;
    // SQLite gives `-wal` and `-shm` the permissions of the file.
    file::new_of_owner(new).map_err(failed)?;
    fill(new).map_err(|error| JournalError::open(path, &error))?;
    File::open(new).and_then(|file| file.sync_all()).map_err(failed)?;
    // Of a journal that was there before and was moved away without them.
    file::remove(&file::beside(path, "-wal")).and_then(|()| file::remove(&file::beside(path, "-shm"))).map_err(failed)?;
    // The new name is kept at the latest with the first commit: SQLite syncs the folder for the file that it writes that to.
    fs::rename(new, path).map_err(failed)
}

fn fill(new: &Path) -> rusqlite::Result<()> {
    let connection = Connection::open(new)?;
    connection.pragma_update(None, "journal_mode", "OFF")?;
    connection.pragma_update(None, "synchronous", "OFF")?;
    // Before there is a table, as it cannot be changed later without writing the file anew (`prune`).
    connection.pragma_update(None, "auto_vacuum", "INCREMENTAL")?;
    schema::migrate(&connection, 0)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.close().map_err(|(_, error)| error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_journal_has_nothing_of_one_that_was_there_before() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal.db");
        let first = schema::open(&path).unwrap();
        first.execute("INSERT INTO paused VALUES ('nightly')", []).unwrap();
        // What a process leaves that is killed: its last commits are in the second file.
        let copies = [("-wal", "left-wal"), ("-shm", "left-shm")];
        for (suffix, name) in copies {
            fs::copy(file::beside(&path, suffix), folder.path().join(name)).unwrap();
        }
        drop(first);
        fs::remove_file(&path).unwrap();
        for (suffix, name) in copies {
            fs::rename(folder.path().join(name), file::beside(&path, suffix)).unwrap();
        }
        fs::write(file::beside(&path, "-new"), "left by one that died as it made it").unwrap();
        let second = schema::open(&path).unwrap();
        let paused: i64 = second.query_row("SELECT count(*) FROM paused", [], |row| row.get(0)).unwrap();
        assert_eq!(paused, 0);
        let checked: String = second.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
        assert_eq!(checked, "ok");
        assert!(!file::beside(&path, "-new").exists());
    }
}
