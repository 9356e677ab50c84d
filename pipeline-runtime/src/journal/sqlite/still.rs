//! A journal that nobody writes, read without a file beside it: where a disk is full, or a folder may only be read, none can be made.
//!
//! `SQLite` is told that the file does not change (`immutable`), so that it asks for no lock and no shared memory. That is true as long as no
//! process holds the journal, and all of it where the newest commits are not in a `-wal` beside it, which would not be read. Should a process begin
//! to write meanwhile, a reader that has been there before may see a file that is not whole, and nothing new.

use super::{JournalError, file, lock, schema};
use rusqlite::{Connection, OpenFlags};
use std::ffi::OsString;
use std::path::Path;

/// Opens it with its version; none where somebody may write it, or it is not all in the one file.
pub(super) fn open(path: &Path) -> Option<Result<(Connection, i64), JournalError>> {
    let journal = file::resolve(path);
    let is_whole = std::fs::metadata(file::beside(&journal, "-wal")).map_or(true, |wal| wal.len() == 0);
    if !is_whole || lock::is_held(&journal) {
        return None;
    }
    let how = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI;
    Some(schema::open_to_read(path, &uri(&journal)?, how))
}

/// None of a path that is no UTF-8, which `SQLite` asks for.
fn uri(journal: &Path) -> Option<OsString> {
    let path = journal.to_str()?.replace('%', "%25").replace('?', "%3f").replace('#', "%23");
    Some(format!("file:{path}?immutable=1").into())
}
