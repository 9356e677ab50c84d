//! One viewed run: its current state, and snapshots from which other moments are computed.

use super::snapshots::Snapshots;
use crate::read::{JournalReader, ReadError, RunDetails, RunSummary};
use std::collections::VecDeque;

/// The number of last requested moments that are cached: a page makes several requests for one.
const MOMENTS: usize = 4;

#[derive(Debug, Default)]
pub(super) struct CachedRun {
    /// As far as it is read.
    now: Option<RunDetails>,
    snapshots: Snapshots,
    /// States as of the last requested records.
    moments: VecDeque<(i64, RunDetails)>,
}

impl CachedRun {
    /// Returns the current state of the run, or the state after that record. If time is up, the state as far as it was read.
    pub(super) fn at(
        &mut self,
        reader: &JournalReader,
        run: &RunSummary,
        record: Option<i64>,
        is_late: impl Fn() -> bool,
    ) -> Result<RunDetails, ReadError> {
        let goal = record.unwrap_or(i64::MAX);
        let now = match &mut self.now {
            Some(now) => now,
            None => self.now.insert(reader.begin(run)?),
        };
        let snapshots = &mut self.snapshots;
        let mut are_snapshots_valid = true;
        // Always reads on: new records may change the meaning of all earlier ones.
        now.update_while(reader, |details| {
            are_snapshots_valid &= snapshots.take_if_due(details);
            let applied = details.tail().last_applied();
            // Shows at least something.
            applied < goal && (applied == 0 || !is_late())
        })?;
        if !are_snapshots_valid {
            self.moments.clear();
        }
        let Some(record) = record.filter(|record| *record < now.tail().last_applied()) else {
            return Ok(now.share(goal));
        };
        let found = self.moments.iter().position(|(of, _)| *of == record).and_then(|index| self.moments.remove(index));
        let mut moment = match (found, now.tail().is_renumbered()) {
            (Some((_, moment)), _) => moment,
            (None, true) => reader.details_as_of(run, record)?,
            (None, false) => {
                let mut moment = match snapshots.before(record) {
                    Some(snapshot) => snapshot.share(record),
                    None => reader.begin(run)?.up_to(record),
                };
                moment.update(reader)?;
                moment
            }
        };
        moment.follow(now);
        let copy = moment.share(record);
        self.moments.push_back((record, moment));
        if self.moments.len() > MOMENTS {
            self.moments.pop_front();
        }
        Ok(copy)
    }

    pub(super) fn drop_snapshots(&mut self) {
        (self.snapshots, self.moments) = (Snapshots::default(), VecDeque::new());
    }
}
