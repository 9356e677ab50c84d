//! The inbox: what other processes want of the one that holds the journal.
//!
//! Who does not hold it leaves a command in a table and waits for the answer, which the holder writes in the commit that carries
//! the command out. Commands and answers are texts here; what they mean is their readers' affair.

use super::{JournalError, lock, schema};
use crate::time::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, params};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// A command's number. None is used twice.
pub(crate) type Ticket = i64;

/// A command older than that is not carried out any more: nobody waits for its answer.
pub(crate) const STALE: Duration = Duration::from_mins(1);

/// The way to the holder's inbox.
#[derive(Debug)]
pub(crate) struct Mailbox {
    connection: Connection,
    path: PathBuf,
}

impl Mailbox {
    pub(crate) fn open(path: &Path) -> Result<Self, JournalError> {
        Ok(Self { connection: schema::open_reader(path)?, path: path.to_owned() })
    }

    fn failed(&self) -> impl Fn(rusqlite::Error) -> JournalError + '_ {
        |error| JournalError::write(&self.path, &error)
    }

    /// Leaves a command, at the real time.
    pub(crate) fn post(&self, command: &str, at: Timestamp) -> Result<Ticket, JournalError> {
        let insert = "INSERT INTO inbox (at, command) VALUES (?1, ?2)";
        self.connection.execute(insert, params![at.as_nanos(), command]).map_err(self.failed())?;
        Ok(self.connection.last_insert_rowid())
    }

    /// The answer, once it is there.
    pub(crate) fn answer(&self, ticket: Ticket) -> Result<Option<String>, JournalError> {
        let select = "SELECT answer FROM inbox WHERE id = ?1";
        let answer = self.connection.query_row(select, [ticket], |row| row.get(0)).optional().map_err(self.failed())?;
        Ok(answer.flatten())
    }

    /// Takes the command back, and its answer.
    pub(crate) fn withdraw(&self, ticket: Ticket) -> Result<(), JournalError> {
        self.connection.execute("DELETE FROM inbox WHERE id = ?1", [ticket]).map(drop).map_err(self.failed())
    }

    /// Whether somebody holds the journal.
    pub(crate) fn is_held(&self) -> bool {
        lock::is_held(&self.path)
    }

    /// The commands after `last` that have no answer yet, with the time they were left at: for the holder.
    pub(crate) fn commands(&self, last: Ticket) -> Result<Vec<(Ticket, Timestamp, String)>, JournalError> {
        let query = || -> rusqlite::Result<Vec<_>> {
            let select = "SELECT id, at, command FROM inbox WHERE answer IS NULL AND id > ?1 ORDER BY id";
            let mut statement = self.connection.prepare_cached(select)?;
            // Anybody can write here. What is no text is no command, and is answered as such: it must not keep the others waiting.
            let text =
                |row: &Row<'_>| -> rusqlite::Result<String> { Ok(row.get_ref(2)?.as_str().unwrap_or_default().to_owned()) };
            statement.query_map([last], |row| Ok((row.get(0)?, Timestamp::from_nanos(row.get(1)?), text(row)?)))?.collect()
        };
        query().map_err(self.failed())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_that_is_no_text_does_not_hide_those_after_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal.db");
        let _written = schema::open(&path).unwrap();
        let mailbox = Mailbox::open(&path).unwrap();
        let at = Timestamp::from_nanos(7);
        let insert = "INSERT INTO inbox (at, command) VALUES (7, CAST(x'ff00fe' AS TEXT))";
        mailbox.connection.execute(insert, []).unwrap();
        let second = mailbox.post("{}", at).unwrap();
        assert_eq!(mailbox.commands(0).unwrap(), [(second - 1, at, String::new()), (second, at, "{}".to_owned())]);
    }
}
