//! The inbox: other processes leave commands there for the holder of the journal.
//!
//! A client that leaves a command gets a ticket and waits for the answer. A command is carried out exactly once, whichever
//! process ends in between:
//!
//! - The holder *takes* it before it acts on it ([`Inbox::take`]). From then on the client cannot withdraw it.
//! - It is *carried* in the transaction of its effect (`current_command.rs`). A command that was taken and not carried has had no
//!   effect, so the next holder takes it again.
//! - The client withdraws it only if it is not taken; or, if no process holds the journal any more, only if it is not carried and
//!   no holder has taken it again since ([`Inbox::withdraw`]). Each taking has a number of its own, so that this can be
//!   checked.
//!
//! Commands and answers are plain texts here; their readers interpret them.

use super::{JournalError, connect, lock};
use crate::time::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, params};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// A command's number. Numbers are never reused.
pub(crate) type Ticket = i64;

/// An untaken command older than this is not carried out any more: nobody waits for its answer.
pub(crate) const STALE: Duration = Duration::from_mins(1);

/// Access to a journal's inbox, for the holder and for its clients.
#[derive(Debug)]
pub(crate) struct Inbox {
    connection: Connection,
    path: PathBuf,
}

/// A command that has no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PostedCommand {
    pub(crate) ticket: Ticket,
    /// When it was posted.
    pub(crate) at: Timestamp,
    pub(crate) text: String,
    pub(crate) status: CommandStatus,
}

/// The progress of a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct CommandStatus {
    /// The number of its last taking.
    pub(crate) taken: Option<i64>,
    /// True if its effect is durable.
    pub(crate) is_carried: bool,
}

impl Inbox {
    pub(crate) fn open(path: &Path) -> Result<Self, JournalError> {
        Ok(Self { connection: connect::open_reader(path)?, path: path.to_owned() })
    }

    fn failed(&self) -> impl Fn(rusqlite::Error) -> JournalError + '_ {
        |error| JournalError::write(&self.path, &error)
    }

    fn change(&self, change: &str, values: impl rusqlite::Params) -> Result<bool, JournalError> {
        self.connection.execute(change, values).map(|rows| rows > 0).map_err(self.failed())
    }

    /// Posts a command by that user, at the wall clock's time.
    pub(crate) fn post(&self, command: &str, who: Option<&str>, at: Timestamp) -> Result<Ticket, JournalError> {
        let insert = "INSERT INTO inbox (at, command, who) VALUES (?1, ?2, ?3)";
        self.connection.execute(insert, params![at.as_nanos(), command, who]).map_err(self.failed())?;
        Ok(self.connection.last_insert_rowid())
    }

    /// Returns the answer, once there is one.
    pub(crate) fn answer(&self, ticket: Ticket) -> Result<Option<String>, JournalError> {
        let select = "SELECT answer FROM inbox WHERE id = ?1";
        let answer = self.connection.query_row(select, [ticket], |row| row.get(0)).optional().map_err(self.failed())?;
        Ok(answer.flatten())
    }

    /// Returns the command's progress.
    pub(crate) fn status(&self, ticket: Ticket) -> Result<CommandStatus, JournalError> {
        let select = "SELECT taken, carried FROM inbox WHERE id = ?1";
        let status = self.connection.query_row(select, [ticket], status).optional().map_err(self.failed())?;
        Ok(status.unwrap_or_default())
    }

    /// Withdraws the command, unless it was taken after the taking `taken`, or was carried out. Returns whether it was withdrawn.
    pub(crate) fn withdraw(&self, ticket: Ticket, taken: Option<i64>) -> Result<bool, JournalError> {
        let delete = "DELETE FROM inbox WHERE id = ?1 AND taken IS ?2 AND carried = 0 AND answer IS NULL";
        self.change(delete, params![ticket, taken])
    }

    /// Deletes an answered command, after its answer was read.
    pub(crate) fn forget(&self, ticket: Ticket) -> Result<(), JournalError> {
        self.change("DELETE FROM inbox WHERE id = ?1 AND answer IS NOT NULL", [ticket]).map(drop)
    }

    /// True if a process holds the journal.
    pub(crate) fn is_held(&self) -> bool {
        lock::is_held(&self.path)
    }

    /// Returns the commands after `last` without an answer: for the holder.
    pub(crate) fn commands(&self, last: Ticket) -> Result<Vec<PostedCommand>, JournalError> {
        let query = || -> rusqlite::Result<Vec<_>> {
            let select = "SELECT taken, carried, id, at, command FROM inbox WHERE answer IS NULL AND id > ?1 ORDER BY id";
            let mut statement = self.connection.prepare_cached(select)?;
            let read = |row: &Row<'_>| {
                let (ticket, at) = (row.get(2)?, Timestamp::from_nanos(row.get(3)?));
                // Any process can write here. An entry that is not text is not a command, and is answered as such: it must not
                // delay the others.
                let text = row.get_ref(4)?.as_str().unwrap_or_default().to_owned();
                Ok(PostedCommand { ticket, at, text, status: status(row)? })
            };
            statement.query_map([last], read)?.collect()
        };
        query().map_err(self.failed())
    }

    /// Takes a command to carry it out now: for the holder. Fails if the client has withdrawn it. Returns whether it was taken.
    pub(crate) fn take(&self, posted: &PostedCommand) -> Result<bool, JournalError> {
        let before = posted.status.taken;
        let update = "UPDATE inbox SET taken = ?3 WHERE id = ?1 AND taken IS ?2 AND carried = 0";
        self.change(update, params![posted.ticket, before, before.unwrap_or(0) + 1])
    }
}

fn status(row: &Row<'_>) -> rusqlite::Result<CommandStatus> {
    Ok(CommandStatus { taken: row.get(0)?, is_carried: row.get(1)? })
}

#[cfg(test)]
mod tests {
    use super::super::Act;
    use super::*;
    use crate::journal::SqliteJournal;

    fn open_inbox() -> (tempfile::TempDir, SqliteJournal, Inbox) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal.db");
        let journal = SqliteJournal::open(&path).unwrap();
        let inbox = Inbox::open(&path).unwrap();
        (folder, journal, inbox)
    }

    fn only(inbox: &Inbox) -> PostedCommand {
        let mut commands = inbox.commands(0).unwrap();
        assert_eq!(commands.len(), 1);
        commands.remove(0)
    }

    #[test]
    fn what_is_taken_back_is_not_taken_and_the_other_way_round() {
        let (_folder, _journal, inbox) = open_inbox();
        let first = inbox.post("a", None, Timestamp::default()).unwrap();
        let posted = only(&inbox);
        assert!(inbox.withdraw(first, None).unwrap());
        assert!(!inbox.take(&posted).unwrap());
        let second = inbox.post("b", None, Timestamp::default()).unwrap();
        assert!(second > first, "no number is used twice");
        let posted = only(&inbox);
        assert!(inbox.take(&posted).unwrap());
        assert!(!inbox.withdraw(second, None).unwrap());
        assert!(!inbox.take(&posted).unwrap(), "it is taken once");
    }

    #[test]
    fn what_a_dead_holder_took_and_did_not_carry_is_taken_back_or_taken_again_and_not_both() {
        let (_folder, _journal, inbox) = open_inbox();
        let ticket = inbox.post("a", None, Timestamp::default()).unwrap();
        assert!(inbox.take(&only(&inbox)).unwrap());
        // Its client has read the status, and the next holder takes it first.
        let seen = inbox.status(ticket).unwrap();
        assert!(inbox.take(&only(&inbox)).unwrap());
        assert!(!inbox.withdraw(ticket, seen.taken).unwrap());
        // The client withdraws it first.
        let posted = only(&inbox);
        assert!(inbox.withdraw(ticket, inbox.status(ticket).unwrap().taken).unwrap());
        assert!(!inbox.take(&posted).unwrap());
    }

    #[test]
    fn what_is_carried_is_taken_neither_back_nor_again() {
        let (_folder, journal, inbox) = open_inbox();
        let ticket = inbox.post("a", Some("ada"), Timestamp::default()).unwrap();
        assert!(inbox.take(&only(&inbox)).unwrap());
        journal.carry_out(ticket);
        journal.next_is_effect();
        journal.pause("nightly", true);
        journal.sync();
        let posted = only(&inbox);
        assert!(posted.status.is_carried);
        assert!(!inbox.take(&posted).unwrap());
        assert!(!inbox.withdraw(ticket, posted.status.taken).unwrap());
        journal.answer(ticket, "done", true, "it is paused");
        journal.sync();
        assert_eq!(inbox.answer(ticket).unwrap().as_deref(), Some("done"));
        inbox.forget(ticket).unwrap();
        assert_eq!(inbox.answer(ticket).unwrap(), None);
        // The user who asked for it is recorded all the same.
        let act = Act { at: posted.at, who: Some("ada".into()), command: posted.text, done: true, answer: "it is paused".into() };
        assert_eq!(journal.reader().unwrap().acts(None, 10).unwrap(), [(1, act)]);
    }

    #[test]
    fn a_command_that_is_no_text_does_not_hide_those_after_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal.db");
        let _written = connect::open(&path).unwrap();
        let inbox = Inbox::open(&path).unwrap();
        let at = Timestamp::from_nanos(7);
        let insert = "INSERT INTO inbox (at, command) VALUES (7, CAST(x'ff00fe' AS TEXT))";
        inbox.connection.execute(insert, []).unwrap();
        let second = inbox.post("{}", None, at).unwrap();
        let commands: Vec<_> = inbox.commands(0).unwrap().into_iter().map(|posted| (posted.ticket, posted.text)).collect();
        assert_eq!(commands, [(second - 1, String::new()), (second, "{}".to_owned())]);
    }
}
