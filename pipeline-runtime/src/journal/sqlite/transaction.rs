//! Transactions of connections that write: how they begin, and whether they wait for the disk.

use rusqlite::{Connection, ErrorCode, Transaction, TransactionBehavior};
use std::path::Path;

/// Begins a transaction that may write at once (`BEGIN IMMEDIATE`), because other processes write to the inbox: a transaction
/// that has read before one of them wrote could not be upgraded. If another connection holds the right to write, the journal
/// waits for it, however long it takes: nothing is wrong with the file, and nothing is lost meanwhile. `on_busy` is called each
/// time that `SQLite` gives up.
pub(super) fn transaction<'c>(connection: &'c Connection, on_busy: &mut dyn FnMut()) -> rusqlite::Result<Transaction<'c>> {
    loop {
        match Transaction::new_unchecked(connection, TransactionBehavior::Immediate) {
            Err(error) if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy) => on_busy(),
            result => return result,
        }
    }
}

/// Does work whose commits do not wait for the disk. The outer error means that the connection could not return to waiting for
/// it, and must not write any more.
pub(super) fn without_sync<T>(
    connection: &Connection,
    work: impl FnOnce() -> rusqlite::Result<T>,
) -> rusqlite::Result<rusqlite::Result<T>> {
    connection.pragma_update(None, "synchronous", "NORMAL")?;
    let done = work();
    connection.pragma_update(None, "synchronous", "FULL")?;
    Ok(done)
}

/// Warns once that another program prevents the journal from being written.
pub(super) fn warn_of_wait(path: &Path) -> impl FnMut() {
    let (path, mut is_said) = (path.to_owned(), false);
    move || {
        if !std::mem::replace(&mut is_said, true) {
            tracing::warn!("the journal {path:?} is locked by another program; runs continue once it can be written again");
        }
    }
}
