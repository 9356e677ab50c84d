//! What kept intervals from starting, and when.

use super::super::local_time::local_time;
use super::super::scheduler::HoldReason;
use crate::time::{Timestamp, Zone};
use chrono::{DateTime, Utc};

/// What keeps the first due interval from starting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Hold {
    /// No process serves.
    Stopped,
    Paused,
    Scheduler(HoldReason),
}

/// Each hold with its start, without gaps and overlaps; `None` is a period without a hold.
#[derive(Debug, Default)]
pub(super) struct Holds(Vec<(Timestamp, Option<Hold>)>);

impl Holds {
    /// Records that `hold` applies from `now` on.
    pub(super) fn note(&mut self, now: Timestamp, hold: Option<Hold>) {
        if self.0.last().is_none_or(|(_, last)| *last != hold) {
            self.0.push((now, hold));
        }
    }

    /// Explains why something did not start when it was due, by the holds that concern it. Without `begins` it has not started at
    /// all.
    pub(super) fn between(
        &self,
        due: Timestamp,
        begins: Option<Timestamp>,
        hold_text: &HoldText,
        concerns: impl Fn(Hold) -> bool,
    ) -> Option<String> {
        let ends = self.0.iter().skip(1).map(|(at, _)| Some(*at)).chain([None]);
        let texts = self.0.iter().zip(ends).filter_map(|((from, hold), until)| {
            let overlaps = begins.is_none_or(|begins| *from < begins) && until.is_none_or(|until| until > due && until > *from);
            let until = until.filter(|until| *until <= begins.unwrap_or(hold_text.end));
            Some(hold_text.of(hold.filter(|hold| concerns(*hold))?, until)).filter(|_| overlaps)
        });
        let mut texts: Vec<String> = texts.collect();
        texts.dedup();
        (!texts.is_empty()).then(|| texts.join("; "))
    }
}

/// How holds are described.
pub(super) struct HoldText {
    pub(super) zone: Zone,
    pub(super) max_active_runs: u32,
    /// The end of the forecast.
    pub(super) end: Timestamp,
}

impl HoldText {
    fn of(&self, hold: Hold, until: Option<Timestamp>) -> String {
        let what = match hold {
            Hold::Stopped => "no process serves".to_owned(),
            Hold::Paused => "paused".to_owned(),
            Hold::Scheduler(HoldReason::Places) => format!("`max_active_runs = {}`", self.max_active_runs),
            Hold::Scheduler(HoldReason::Past(start)) => {
                format!("`depends_on_past`: the interval of {} has not succeeded", self.date(start))
            }
        };
        match until {
            Some(until) => format!("{what}, until {}", self.date(until.to_utc())),
            None => what,
        }
    }

    pub(super) fn date(&self, at: DateTime<Utc>) -> String {
        local_time(at, self.zone)
    }
}
