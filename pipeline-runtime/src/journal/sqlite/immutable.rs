//! A journal that nobody writes, read without a file beside it: on a full disk, or in a read-only folder, none can be created.
//!
//! The file is opened as `immutable`, so `SQLite` takes no lock and uses no shared memory. This is correct only while no process
//! holds the journal, and complete only if no newest commits are in a `-wal` beside it, which would not be read, and no
//! `-journal` exists to undo half a commit of another program. If a process begins to write meanwhile, the reader may see an
//! inconsistent file, and nothing new. So a journal is read this way only if the file beside it could not be created; not if it
//! is locked, because then another program writes it.

use super::connect::{self, ReadFailure};
use super::{file, holder};
use rusqlite::{Connection, ErrorCode, OpenFlags};
use std::ffi::OsString;
use std::path::Path;

/// True if the error may mean that a file beside the journal could not be created: by a full disk, a quota, or a read-only
/// folder.
pub(super) fn is_for(error: &rusqlite::Error) -> bool {
    matches!(error.sqlite_error_code(), Some(ErrorCode::CannotOpen | ErrorCode::DiskFull | ErrorCode::SystemIoFailure))
}

/// Opens the journal with its version. Returns `None` if another process may write it, or if the one file is not complete.
pub(super) fn open(path: &Path) -> Option<Result<(Connection, i64), ReadFailure>> {
    let journal = file::resolve(path);
    let is_empty = |suffix| std::fs::metadata(file::beside(&journal, suffix)).map_or(true, |beside| beside.len() == 0);
    if !is_empty("-wal") || !is_empty("-journal") || !holder::is_free(&journal) {
        return None;
    }
    let how = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI;
    Some(connect::open_to_read(path, &uri(&journal)?, how))
}

/// Returns `None` for a path that is not UTF-8, which `SQLite` requires.
fn uri(journal: &Path) -> Option<OsString> {
    let path = journal.to_str()?.replace('%', "%25").replace('?', "%3f").replace('#', "%23");
    Some(format!("file:{path}?immutable=1").into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::File;

    #[test]
    fn a_journal_is_read_as_immutable_only_where_it_is_whole_and_nobody_may_write_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal.db");
        drop(connect::open(&path).unwrap());
        let is_read = || open(&path).is_some_and(|opened| opened.is_ok());
        assert!(is_read());
        for suffix in ["-wal", "-journal"] {
            let beside = file::beside(&path, suffix);
            std::fs::write(&beside, "a commit").unwrap();
            assert!(!is_read(), "{suffix}");
            std::fs::write(&beside, "").unwrap();
            assert!(is_read(), "{suffix}");
            std::fs::remove_file(&beside).unwrap();
        }
        let lock = file::beside(&path, ".lock");
        let held = File::create(&lock).unwrap();
        assert!(is_read());
        held.try_lock().unwrap();
        assert!(!is_read());
        drop(held);
        // A file that cannot be opened proves nothing about its holder.
        std::fs::remove_file(&lock).unwrap();
        #[cfg(unix)]
        {
            std::os::unix::fs::symlink(&lock, &lock).unwrap();
            assert!(!is_read());
        }
    }

    #[test]
    fn a_journal_that_another_program_has_locked_is_not_read_as_immutable() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal.db");
        drop(connect::open(&path).unwrap());
        let other = Connection::open(&path).unwrap();
        other.execute_batch("PRAGMA journal_mode = DELETE; BEGIN EXCLUSIVE; CREATE TABLE half (a)").unwrap();
        let locked = Connection::open(&path).unwrap();
        locked.busy_timeout(std::time::Duration::ZERO).unwrap();
        let refused = locked.query_row("SELECT count(*) FROM runs", [], |row| row.get::<_, i64>(0)).unwrap_err();
        assert!(!is_for(&refused), "{refused}");
    }
}
