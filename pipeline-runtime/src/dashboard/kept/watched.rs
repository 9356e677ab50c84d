//! One viewed run: its current state, and snapshots from which other moments are computed.

use super::marks::Marks;
use crate::read::{JournalReader, ReadError, RunDetails, RunSummary};
use std::collections::VecDeque;

/// The number of last requested moments that are cached: a page makes several requests for one.
const MOMENTS: usize = 4;

#[derive(Debug, Default)]
pub(super) struct Watched {
    /// As far as it is read.
    now: Option<RunDetails>,
    marks: Marks,
    /// States as of the last requested records.
    moments: VecDeque<(i64, RunDetails)>,
}

impl Watched {
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
        let marks = &mut self.marks;
        let mut is_as_before = true;
        // Always reads on: new records may change the meaning of all earlier ones.
        now.update_while(reader, |details| {
            is_as_before &= marks.see(details);
            let told = details.followed().told();
            // Shows at least something.
            told < goal && (told == 0 || !is_late())
        })?;
        if !is_as_before {
            self.moments.clear();
        }
        let Some(record) = record.filter(|record| *record < now.followed().told()) else {
            return Ok(now.share(goal));
        };
        let known = self.moments.iter().position(|(of, _)| *of == record).and_then(|place| self.moments.remove(place));
        let mut moment = match (known, now.followed().is_renamed()) {
            (Some((_, moment)), _) => moment,
            (None, true) => reader.details_as_of(run, record)?,
            (None, false) => {
                let mut moment = match marks.before(record) {
                    Some(mark) => mark.share(record),
                    None => reader.begin(run)?.up_to(record),
                };
                moment.update(reader)?;
                moment
            }
        };
        moment.follow(now);
        let shown = moment.share(record);
        self.moments.push_back((record, moment));
        if self.moments.len() > MOMENTS {
            self.moments.pop_front();
        }
        Ok(shown)
    }

    pub(super) fn forget_past(&mut self) {
        (self.marks, self.moments) = (Marks::default(), VecDeque::new());
    }
}
