//! Log lines of attempts: stored beside the records, without delaying anything.
//!
//! Logging code puts the line into a backlog and continues. The writer takes the backlog with the next records that it commits.
//! Lines without records to share a commit with are committed alone after [`LINGER`], without waiting for the disk. Lines that
//! arrive faster than they can be stored are lost, and counted where they are missing.

use crate::journal::RunKey;
use crate::time::Timestamp;
use rusqlite::{Connection, params};
use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tracing::Level;

/// The most bytes of log that an attempt may leave, over all pokes of a sensor. The line that exceeds the limit is its last.
const OF_ATTEMPT: u64 = 1 << 20;
/// The most bytes of log that a run may leave.
const OF_RUN: u64 = 64 << 20;
/// The most bytes that may wait for the writer.
const MOST_PENDING: usize = 4 << 20;
/// How long lines wait for records to share a commit with.
pub(super) const LINGER: Duration = Duration::from_millis(100);

/// A line that an attempt logged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LogLine {
    pub(crate) run: RunKey,
    /// The node's id, with the indices of its element.
    pub(crate) node: String,
    pub(crate) attempt: u32,
    pub(crate) at: Timestamp,
    pub(crate) level: Level,
    pub(crate) text: String,
}

/// The lines that wait for the writer.
#[derive(Debug, Default)]
pub(super) struct Backlog(Mutex<PendingLines>);

#[derive(Debug, Default)]
struct PendingLines {
    lines: Vec<LogLine>,
    bytes: usize,
    /// The lines that found no room, by run, node and attempt: the time of the last one, and their number.
    lost: BTreeMap<(RunKey, String, u32), (Timestamp, u64)>,
    /// The writer has been notified that there are lines.
    is_writer_notified: bool,
}

impl Backlog {
    /// Adds a line. `wake` notifies the writer, and returns whether it could.
    pub(super) fn push(&self, line: LogLine, wake: impl FnOnce() -> bool) {
        let mut pending = self.lock();
        if pending.bytes + line.text.len() > MOST_PENDING {
            let lost = pending.lost.entry((line.run, line.node, line.attempt)).or_insert((line.at, 0));
            *lost = (line.at, lost.1 + 1);
            return;
        }
        pending.bytes += line.text.len();
        pending.lines.push(line);
        if !pending.is_writer_notified {
            pending.is_writer_notified = wake();
        }
    }

    /// Takes all lines, with a line for each attempt that lost some.
    pub(super) fn take(&self) -> Vec<LogLine> {
        let PendingLines { mut lines, lost, .. } = std::mem::take(&mut *self.lock());
        lines.extend(lost.into_iter().map(|((run, node, attempt), (at, lost))| {
            let plural = if lost == 1 { "" } else { "s" };
            let text = format!("… {lost} line{plural} lost here: they came faster than they could be kept");
            LogLine { run, node, attempt, at, level: Level::WARN, text }
        }));
        lines
    }

    fn lock(&self) -> MutexGuard<'_, PendingLines> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How much log the runs of this process have left.
#[derive(Debug, Default)]
pub(super) struct LogSizes(HashMap<RunKey, RunLogSize>);

#[derive(Debug)]
struct RunLogSize {
    bytes: u64,
    /// The number of its last line.
    last: i64,
    /// By node, for its last attempt that logged.
    attempts: HashMap<String, (u32, u64)>,
}

impl LogSizes {
    /// Writes lines, as far as the limits allow.
    pub(super) fn write(&mut self, connection: &Connection, lines: Vec<LogLine>) -> rusqlite::Result<()> {
        for line in lines {
            let run = match self.0.entry(line.run) {
                std::collections::hash_map::Entry::Occupied(known) => known.into_mut(),
                std::collections::hash_map::Entry::Vacant(new) => new.insert(RunLogSize::read(connection, line.run)?),
            };
            run.write(connection, line)?;
        }
        Ok(())
    }

    /// The run has ended. The counts of later lines are read from the file again.
    pub(super) fn forget(&mut self, run: RunKey) {
        self.0.remove(&run);
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }
}

impl RunLogSize {
    fn read(connection: &Connection, run: RunKey) -> rusqlite::Result<Self> {
        let query = "SELECT coalesce(max(id), 0), coalesce(sum(octet_length(line)), 0) FROM logs WHERE run = ?1";
        connection.prepare_cached(query)?.query_row([run], |row| {
            Ok(Self { last: row.get(0)?, bytes: row.get::<_, i64>(1)?.unsigned_abs(), attempts: HashMap::new() })
        })
    }

    fn write(&mut self, connection: &Connection, line: LogLine) -> rusqlite::Result<()> {
        let of_attempt = match self.attempts.get(&line.node) {
            Some((attempt, bytes)) if *attempt == line.attempt => *bytes,
            _ => {
                let query = "SELECT coalesce(sum(octet_length(line)), 0) FROM logs WHERE run = ?1 AND node = ?2 AND attempt = ?3";
                let values = params![line.run, line.node, line.attempt];
                connection.prepare_cached(query)?.query_row(values, |row| row.get::<_, i64>(0))?.unsigned_abs()
            }
        };
        let after = of_attempt + line.text.len() as u64;
        if of_attempt < OF_ATTEMPT && self.bytes < OF_RUN {
            self.bytes += line.text.len() as u64;
            self.insert(connection, &line, &line.text)?;
            let limit = if self.bytes >= OF_RUN {
                Some(format!("the limit is {} MiB a run", OF_RUN >> 20))
            } else {
                (after >= OF_ATTEMPT).then(|| format!("the limit is {} MiB an attempt", OF_ATTEMPT >> 20))
            };
            if let Some(limit) = limit {
                self.insert(
                    connection,
                    &LogLine { level: Level::WARN, ..line.clone() },
                    &format!("… the log is cut off here: {limit}"),
                )?;
            }
        }
        self.attempts.insert(line.node, (line.attempt, after));
        Ok(())
    }

    fn insert(&mut self, connection: &Connection, line: &LogLine, text: &str) -> rusqlite::Result<()> {
        self.last += 1;
        let insert = "INSERT INTO logs (run, node, id, attempt, at, level, line) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
        let values = params![line.run, line.node, self.last, line.attempt, line.at.as_nanos(), number(line.level), text];
        connection.prepare_cached(insert)?.execute(values).map(drop)
    }
}

const LEVELS: [Level; 5] = [Level::ERROR, Level::WARN, Level::INFO, Level::DEBUG, Level::TRACE];

fn number(level: Level) -> i64 {
    (1..).zip(LEVELS).find(|(_, of)| *of == level).map_or(0, |(number, _)| number)
}

/// Returns the level that a row's number stands for.
pub(super) fn level(number: i64) -> Option<Level> {
    (1..).zip(LEVELS).find(|(of, _)| *of == number).map(|(_, level)| level)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(attempt: u32, bytes: usize) -> LogLine {
        let text = "x".repeat(bytes);
        LogLine { run: 1, node: "upload[3]".into(), attempt, at: Timestamp::default(), level: Level::INFO, text }
    }

    fn stored(connection: &Connection) -> Vec<(u32, String)> {
        let mut all = connection.prepare("SELECT attempt, line FROM logs ORDER BY id").unwrap();
        all.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap().collect::<Result<_, _>>().unwrap()
    }

    fn journal() -> (tempfile::TempDir, Connection) {
        let folder = tempfile::tempdir().unwrap();
        let connection = super::super::connect::open(&folder.path().join("journal.db")).unwrap();
        (folder, connection)
    }

    #[test]
    fn an_attempt_keeps_so_much_and_says_where_it_was_cut_off() {
        let (_folder, connection) = journal();
        let half = usize::try_from(OF_ATTEMPT / 2).unwrap();
        let mut sizes = LogSizes::default();
        sizes.write(&connection, vec![line(1, half), line(1, half)]).unwrap();
        // Another process of the same run: it reads the existing sizes.
        let mut sizes = LogSizes::default();
        sizes.write(&connection, vec![line(1, 5), line(2, 7)]).unwrap();
        let kept = stored(&connection);
        assert_eq!(kept.iter().map(|(attempt, _)| *attempt).collect::<Vec<_>>(), [1, 1, 1, 2]);
        assert_eq!(kept[2].1, "… the log is cut off here: the limit is 1 MiB an attempt");
    }

    #[test]
    fn a_run_keeps_so_much_and_says_where_it_was_cut_off() {
        let (_folder, connection) = journal();
        let of_attempt = usize::try_from(OF_ATTEMPT - 1).unwrap();
        let mut sizes = LogSizes::default();
        for attempt in 1..=66 {
            sizes.write(&connection, vec![line(attempt, of_attempt)]).unwrap();
        }
        let kept = stored(&connection);
        assert_eq!(kept.len(), 66, "65 lines go beyond the limit");
        assert_eq!(kept[65], (65, "… the log is cut off here: the limit is 64 MiB a run".into()));
    }

    #[test]
    fn lines_that_come_too_fast_are_counted_where_they_are_missing() {
        let backlog = Backlog::default();
        let mut notified = 0;
        for _ in 0..MOST_PENDING / 1000 + 3 {
            backlog.push(line(1, 1000), || {
                notified += 1;
                true
            });
        }
        assert_eq!(notified, 1);
        let taken = backlog.take();
        assert_eq!(taken.len(), MOST_PENDING / 1000 + 1);
        assert_eq!(taken[taken.len() - 1].text, "… 3 lines lost here: they came faster than they could be kept");
        assert!(backlog.take().is_empty());
    }
}
