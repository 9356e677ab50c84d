//! A new journal's file, completed beside its final place and then renamed.
//!
//! If it were made in place, each step would wait for the disk, since each could be the last. This way only one step waits. A
//! process that dies meanwhile leaves a file that belongs to no journal, and the next process makes it again.

use super::JournalError;
use super::file;
use super::schema;
use rusqlite::Connection;
use std::fs::{self, File};
use std::io;
use std::path::Path;

/// Creates the missing folders of a new journal's file.
///
/// A new folder is durable once its parent folder is synced. Nobody does that later: `SQLite` syncs the folder of its files, but
/// not those above. Without it a power failure could remove the folder, and all acknowledged commits with it.
pub(super) fn folders(journal: &Path) -> Result<(), JournalError> {
    let Some(folder) = journal.parent().filter(|_| !journal.exists()) else { return Ok(()) };
    let of_path = || folder.ancestors().filter(|folder| !folder.as_os_str().is_empty());
    let missing: Vec<&Path> = of_path().take_while(|folder| !folder.is_dir()).collect();
    // A process that died here has left at most the last one unsynced.
    if let Some(there) = of_path().nth(missing.len()) {
        file::sync_folder_of(there);
    }
    for made in missing.into_iter().rev() {
        make_folder(made).map_err(|error| JournalError::folder(folder, error))?;
        file::sync_folder_of(made);
    }
    Ok(())
}

/// Creates a folder, unless another process has just created it.
fn make_folder(folder: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.recursive(true).create(folder)
}

/// Creates the file. The caller holds the journal's lock.
pub(super) fn create(path: &Path) -> Result<(), JournalError> {
    let new = file::beside(path, "-new");
    let made = make(&new, path);
    if made.is_err() {
        // The file is useless, and the original error matters more than a failed removal.
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
    // Left by an earlier journal that was moved away without them.
    file::remove(&file::beside(path, "-wal")).and_then(|()| file::remove(&file::beside(path, "-shm"))).map_err(failed)?;
    // The new name is durable with the first commit at the latest: SQLite syncs the folder when it creates the file for that
    // commit.
    fs::rename(new, path).map_err(failed)
}

fn fill(new: &Path) -> rusqlite::Result<()> {
    let connection = Connection::open(new)?;
    connection.pragma_update(None, "journal_mode", "OFF")?;
    connection.pragma_update(None, "synchronous", "OFF")?;
    // Before any table exists: later it could only be changed by rewriting the file (`prune`).
    connection.pragma_update(None, "auto_vacuum", "INCREMENTAL")?;
    schema::migrate(&connection, 0)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.close().map_err(|(_, error)| error)
}

#[cfg(test)]
mod tests {
    use super::super::connect;
    use super::*;

    #[test]
    fn a_new_journal_has_nothing_of_one_that_was_there_before() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal.db");
        let first = connect::open(&path).unwrap();
        first.execute("INSERT INTO paused VALUES ('nightly')", []).unwrap();
        // The state that a killed process leaves: its last commits are in the second file.
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
        let second = connect::open(&path).unwrap();
        let paused: i64 = second.query_row("SELECT count(*) FROM paused", [], |row| row.get(0)).unwrap();
        assert_eq!(paused, 0);
        let checked: String = second.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
        assert_eq!(checked, "ok");
        assert!(!file::beside(&path, "-new").exists());
    }
}
