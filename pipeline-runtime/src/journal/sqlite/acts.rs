//! Acts: who asked for what, and the result.
//!
//! A command from the inbox is stored with its answer, in one commit; the inbox itself is emptied. A request made by starting a
//! process is stored by that process.

use super::{JournalError, Reader, Ticket};
use crate::author::error::{MAX_TEXT, cut};
use crate::time::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, params};
use std::borrow::Cow;

/// The number of acts that are stored: the last ones.
pub(crate) const MOST_ACTS: i64 = 10_000;

/// A request by a user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Act {
    /// When, by the wall clock.
    pub(crate) at: Timestamp,
    /// The user, as named by the requesting process's environment.
    pub(crate) who: Option<String>,
    /// The request, as JSON.
    pub(crate) command: String,
    /// True if it was carried out, false if it was refused.
    pub(crate) done: bool,
    /// What was done, or why not.
    pub(crate) answer: String,
}

impl Act {
    /// Returns the size of its texts in bytes.
    pub(super) fn bytes(&self) -> usize {
        self.who.as_ref().map_or(0, String::len) + self.command.len() + self.answer.len()
    }
}

/// Returns the act of a command in the inbox, with its answer.
pub(super) fn of_command(connection: &Connection, ticket: Ticket, done: bool, answer: &str) -> rusqlite::Result<Option<Act>> {
    let mut select = connection.prepare_cached("SELECT at, who, command FROM inbox WHERE id = ?1")?;
    let read = |row: &Row<'_>| {
        // Any process can write to the inbox.
        let text = |column| row.get_ref(column).ok()?.as_str().ok().map(str::to_owned);
        let (who, command) = (text(1), text(2).unwrap_or_default());
        Ok(Act { at: Timestamp::from_nanos(row.get(0)?), who, command, done, answer: answer.to_owned() })
    };
    select.query_row([ticket], read).optional()
}

pub(super) fn write(connection: &Connection, act: &Act) -> rusqlite::Result<()> {
    let insert = "INSERT INTO acts (at, who, command, done, answer) VALUES (?1, ?2, ?3, ?4, ?5)";
    let (who, command, answer) = (act.who.clone().map(cut), shortened(&act.command), cut(act.answer.clone()));
    let values = params![act.at.as_nanos(), who, command, act.done, answer];
    connection.prepare_cached(insert)?.execute(values)?;
    let too_many = connection.last_insert_rowid() - MOST_ACTS;
    connection.prepare_cached("DELETE FROM acts WHERE id <= ?1")?.execute([too_many])?;
    Ok(())
}

/// Shortens a command that is too long. Params make it so, and without them it remains JSON.
fn shortened(command: &str) -> Cow<'_, str> {
    if command.len() <= MAX_TEXT {
        return command.into();
    }
    let mut json = serde_json::from_str::<serde_json::Value>(command).unwrap_or_default();
    if let Some(params) = json.get_mut("params") {
        *params = "…".into();
    }
    let without = json.to_string();
    if json.is_object() && without.len() <= MAX_TEXT { without.into() } else { cut(command.to_owned()).into() }
}

impl Reader {
    /// Returns the acts before the one of that number, the newest first, each with its number.
    pub(crate) fn acts(&self, before: Option<i64>, limit: u32) -> Result<Vec<(i64, Act)>, JournalError> {
        let query = || -> rusqlite::Result<Vec<_>> {
            let select = "SELECT id, at, who, command, done, answer FROM acts WHERE id < ?1 ORDER BY id DESC LIMIT ?2";
            let mut statement = self.connection.prepare_cached(select)?;
            statement.query_map(params![before.unwrap_or(i64::MAX), limit], read)?.collect()
        };
        query().map_err(self.failed())
    }
}

fn read(row: &Row<'_>) -> rusqlite::Result<(i64, Act)> {
    let act = Act {
        at: Timestamp::from_nanos(row.get(1)?),
        who: row.get(2)?,
        command: row.get(3)?,
        done: row.get(4)?,
        answer: row.get(5)?,
    };
    Ok((row.get(0)?, act))
}

#[cfg(test)]
mod tests {
    use super::super::connect;
    use super::*;

    #[test]
    fn a_long_command_is_kept_without_its_params_and_stays_json() {
        let long = |params: usize, pipeline: usize| {
            serde_json::json!({ "command": "trigger", "pipeline": "p".repeat(pipeline), "params": "x".repeat(params) })
                .to_string()
        };
        assert_eq!(shortened(&long(10, 1)), long(10, 1));
        assert_eq!(shortened(&long(MAX_TEXT, 1)), r#"{"command":"trigger","params":"…","pipeline":"p"}"#);
        assert!(shortened(&long(1, 2 * MAX_TEXT)).contains("more bytes"));
        assert!(shortened(&"x".repeat(2 * MAX_TEXT)).contains("more bytes"));
    }

    #[test]
    fn the_last_acts_are_kept_and_listed_page_by_page() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal.db");
        let connection = connect::open(&path).unwrap();
        let act = |n: i64| Act {
            at: Timestamp::from_nanos(n),
            who: Some("ada".into()),
            command: "{}".into(),
            done: n % 2 == 0,
            answer: format!("number {n}"),
        };
        connection.execute_batch("BEGIN").unwrap();
        for n in 1..=MOST_ACTS + 5 {
            write(&connection, &act(n)).unwrap();
        }
        connection.execute_batch("COMMIT").unwrap();
        drop(connection);
        let reader = Reader::open(&path).unwrap();
        let page = reader.acts(None, 2).unwrap();
        assert_eq!(page, [(MOST_ACTS + 5, act(MOST_ACTS + 5)), (MOST_ACTS + 4, act(MOST_ACTS + 4))]);
        assert_eq!(reader.acts(Some(MOST_ACTS + 4), 1).unwrap(), [(MOST_ACTS + 3, act(MOST_ACTS + 3))]);
        assert_eq!(reader.acts(Some(9), 100).unwrap().iter().map(|(id, _)| *id).collect::<Vec<_>>(), [8, 7, 6]);
    }
}
