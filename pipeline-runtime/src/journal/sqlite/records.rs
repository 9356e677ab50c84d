//! The records of a run.

use super::rows::{self, RecordRow, StoredEntry};
use super::{JournalError, Reader};
use crate::journal::RunKey;
#[cfg(any(feature = "cli", feature = "dashboard"))]
use crate::time::Timestamp;
use rusqlite::params;
#[cfg(any(feature = "cli", feature = "dashboard"))]
use std::time::Duration;

/// Records of a run, as they were read.
#[derive(Debug, Default)]
pub(crate) struct RecordPage {
    pub(crate) entries: Vec<StoredEntry>,
    /// The number of the last record.
    pub(crate) last: i64,
    /// The run changed its plan within these records, so that earlier records name other slots.
    pub(crate) renamed: bool,
    /// The ids of the nodes that it lost by that.
    pub(crate) removed: Vec<String>,
}

impl Reader {
    /// Returns a run's records, in order.
    pub(crate) fn entries(&self, run: RunKey) -> Result<Vec<StoredEntry>, JournalError> {
        Ok(self.entries_after(run, 0)?.entries)
    }

    /// Returns a run's records after the one of that number, in order.
    pub(crate) fn entries_after(&self, run: RunKey, after: i64) -> Result<RecordPage, JournalError> {
        self.entries_between(run, after, i64::MAX, u32::MAX)
    }

    /// Returns at most `most` of a run's records, after number `after` and up to number `until`, in order.
    pub(crate) fn entries_between(&self, run: RunKey, after: i64, until: i64, most: u32) -> Result<RecordPage, JournalError> {
        let query = || -> rusqlite::Result<RecordPage> {
            let select = "SELECT at, kind, slot, number, time, text, body, seq FROM records \
                          WHERE run = ?1 AND seq > ?2 AND seq <= ?3 ORDER BY seq LIMIT ?4";
            let mut statement = self.connection.prepare_cached(select)?;
            let mut read = RecordPage { last: after, ..RecordPage::default() };
            let mut rows = statement.query(params![run, after, until, most])?;
            while let Some(row) = rows.next()? {
                let (seq, row) = (row.get(7)?, RecordRow::read(row)?);
                read.last = seq;
                match row.as_remap() {
                    Some(remap) => {
                        read.renamed = true;
                        StoredEntry::remap(&mut read.entries, &remap);
                        read.removed.extend(remap.removed);
                    }
                    None => read.entries.push(row.into_entry(seq)?),
                }
            }
            Ok(read)
        };
        query().map_err(self.failed())
    }

    /// True if a run was resumed with another plan, so that its earlier records name other slots. Checks the kinds of all its
    /// records without decoding any.
    pub(crate) fn is_renamed(&self, run: RunKey) -> Result<bool, JournalError> {
        let query = || -> rusqlite::Result<bool> {
            let select = "SELECT EXISTS (SELECT 1 FROM records WHERE run = ?1 AND kind = ?2)";
            self.connection.prepare_cached(select)?.query_row([run, rows::REMAP], |row| row.get(0))
        };
        query().map_err(self.failed())
    }

    /// Returns a run's records of the two kinds that show which nodes are sensors, in order: `NotYet` and `Unfolded`.
    pub(crate) fn entries_of_sensors(&self, run: RunKey) -> Result<Vec<StoredEntry>, JournalError> {
        let query = || -> rusqlite::Result<Vec<StoredEntry>> {
            let select = "SELECT at, kind, slot, number, time, text, body, seq FROM records \
                          WHERE run = ?1 AND kind IN (?2, ?3) ORDER BY seq";
            let mut statement = self.connection.prepare_cached(select)?;
            let mut rows = statement.query([run, rows::NOT_YET, rows::UNFOLDED])?;
            let mut entries = Vec::new();
            while let Some(row) = rows.next()? {
                entries.push(RecordRow::read(row)?.into_entry(row.get(7)?)?);
            }
            Ok(entries)
        };
        query().map_err(self.failed())
    }

    /// Returns the time between a run's ends and the retries that followed them. It reads all records of the run.
    #[cfg(any(feature = "cli", feature = "dashboard"))]
    pub(crate) fn idle(&self, run: RunKey) -> Result<Duration, JournalError> {
        let query = || -> rusqlite::Result<Duration> {
            let select = "SELECT kind, at FROM records WHERE run = ?1 AND kind IN (?2, ?3) ORDER BY seq";
            let mut statement = self.connection.prepare_cached(select)?;
            let mut rows = statement.query(params![run, rows::RUN_ENDED, rows::CLEARED])?;
            let (mut ended, mut idle) = (None::<Timestamp>, Duration::ZERO);
            while let Some(row) = rows.next()? {
                let (kind, at): (i64, i64) = (row.get(0)?, row.get(1)?);
                let at = Timestamp::from_nanos(at);
                if kind == rows::RUN_ENDED {
                    ended = Some(at);
                } else if let Some(ended) = ended.take() {
                    idle += at.since(ended);
                }
            }
            Ok(idle)
        };
        query().map_err(self.failed())
    }
}
