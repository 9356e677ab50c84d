//! The same `SQLite` on the same disk without an engine: commits of one row, and commits of many.

use rusqlite::Connection;
use std::path::Path;
use std::time::{Duration, Instant};

/// Opens a database with the journal's settings.
fn open(path: &Path) -> Connection {
    let connection = Connection::open(path).expect("it opens");
    connection.pragma_update(None, "journal_mode", "WAL").expect("it has one");
    connection.pragma_update(None, "synchronous", "FULL").expect("it has one");
    connection.execute_batch("CREATE TABLE rows (id INTEGER PRIMARY KEY, n INTEGER NOT NULL)").expect("it is new");
    connection
}

fn insert(connection: &Connection, rows: usize) {
    let mut insert = connection.prepare_cached("INSERT INTO rows (n) VALUES (?1)").expect("it is SQL");
    for n in 0..rows {
        insert.execute([i64::try_from(n).expect("few")]).expect("it fits");
    }
}

/// That many commits of one row each.
pub(super) fn alone(path: &Path, commits: usize) -> impl FnMut() -> Duration + use<> {
    let connection = open(path);
    move || {
        let begun = Instant::now();
        insert(&connection, commits);
        begun.elapsed()
    }
}

/// That many rows, in commits of `each` rows.
pub(super) fn together(path: &Path, rows: usize, each: usize) -> impl FnMut() -> Duration + use<> {
    let connection = open(path);
    move || {
        let begun = Instant::now();
        for _ in 0..rows / each {
            let transaction = connection.unchecked_transaction().expect("it is its only one");
            insert(&transaction, each);
            transaction.commit().expect("it fits");
        }
        begun.elapsed()
    }
}
