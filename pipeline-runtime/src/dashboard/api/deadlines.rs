//! What is late or soon will be: SLAs that are missed or close, and sensors whose budgets are nearly used up.
//!
//! It is recomputed for every change of the journal, so the terms of a run are cached until it has new records.

use super::super::Site;
use super::{AsOf, Problem, at};
use crate::RunState;
use crate::engine::RunKey;
use crate::observe::{RunHistory, brief, time_of_day};
use crate::read::{JournalReader, RunFilter};
use crate::time::Timestamp;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// The maximum number of running runs that are checked; the newest.
const MAX_RUNS: u32 = 200;
/// The used share of its time from which a term is reported.
const REPORTED_SHARE: f64 = 0.8;
/// How often a reported share is updated.
const UPDATE_EVERY: Duration = Duration::from_secs(30);
/// The maximum number of terms per run; those that end first.
const MAX_DEADLINES: usize = 1_000;
/// A run with more records is not checked: it would be read again and again.
const MAX_RECORDS: i64 = 50_000;

/// A time by which a part of a run should have finished.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Deadline {
    kind: DeadlineKind,
    /// `None` for the run itself.
    node: Option<String>,
    from: Timestamp,
    until: Timestamp,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum DeadlineKind {
    Sla,
    Budget,
}

/// The terms of a run, and the number of the last record that they are based on.
type CachedDeadlines = (i64, Arc<[Deadline]>);

/// The terms of the active runs.
#[derive(Debug, Default)]
pub(crate) struct DeadlineCache(Mutex<HashMap<RunKey, CachedDeadlines>>);

/// What is late now, as entries of the overview, and when to check again.
pub(super) struct LateEntries {
    pub(super) needs: Vec<Value>,
    pub(super) next_check: Option<Timestamp>,
}

impl DeadlineCache {
    /// Returns what is late now.
    pub(super) fn late_now(&self, site: &Site, reader: &JournalReader, now: Timestamp) -> Result<LateEntries, Problem> {
        let runs = reader.runs(&RunFilter::new().state(RunState::Running).limit(MAX_RUNS))?;
        let mut cached = HashMap::new();
        let (mut needs, mut next_check) = (Vec::new(), Vec::new());
        for run in &runs {
            let (key, last) = (run.stored().key, reader.journal().last_record(run.stored().key)?);
            if last > MAX_RECORDS {
                continue;
            }
            let deadlines = match self.cached(key).filter(|(of, _)| *of == last) {
                Some((_, deadlines)) => deadlines,
                // A run that cannot be read, or was deleted meanwhile, is left out.
                None => match site
                    .run_cache
                    .view(reader, run, AsOf::NOW, |details| Ok(deadlines(details.history(), details.summary().stored().sla_from)))
                {
                    Ok(deadlines) => deadlines,
                    Err(_) => continue,
                },
            };
            cached.insert(key, (last, Arc::clone(&deadlines)));
            let described = [DeadlineKind::Sla, DeadlineKind::Budget].map(|kind| describe(&deadlines, kind, now));
            needs.extend(described.into_iter().flatten().map(|(kind, text, deadline)| {
                json!({
                    "kind": kind,
                    "text": text,
                    "pipeline": run.pipeline(),
                    "run": super::run_name(run),
                    "node": deadline.node,
                    "since": (kind == "sla_missed").then(|| at(deadline.until)),
                    "until": (kind != "sla_missed").then(|| at(deadline.until)),
                })
            }));
            next_check.extend(deadlines.iter().filter_map(|deadline| deadline.next_change(now)));
        }
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = cached;
        Ok(LateEntries { needs, next_check: next_check.into_iter().min() })
    }

    fn cached(&self, run: RunKey) -> Option<CachedDeadlines> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&run).cloned()
    }
}

/// Returns the terms of a run, earliest first.
fn deadlines(history: &RunHistory, sla_from: Timestamp) -> Arc<[Deadline]> {
    let plan = history.plan();
    let of_run = history.reopened().map_or(sla_from, |offset| history.started + offset);
    let mut deadlines = Vec::new();
    deadlines.extend(plan.run.sla.map(|sla| Deadline { kind: DeadlineKind::Sla, node: None, from: of_run, until: of_run + sla }));
    for slot in history.listed() {
        let node = history.node(slot);
        if node.state().is_end() {
            continue;
        }
        let policy = plan.policy(history.node_ix(slot));
        if let Some(sla) = policy.sla {
            // A manually retried node counts from the retry.
            let from = node.cleared_at().map_or(of_run, |offset| history.started + offset);
            deadlines.push(Deadline { kind: DeadlineKind::Sla, node: Some(history.id(slot)), from, until: from + sla });
        }
        if let (Some(sensor), Some(deadline)) = (&policy.sensor, history.deadline(slot)) {
            let until = history.started + deadline;
            let from = history.started + deadline.saturating_sub(sensor.timeout);
            deadlines.push(Deadline { kind: DeadlineKind::Budget, node: Some(history.id(slot)), from, until });
        }
    }
    deadlines.sort_by_key(|deadline| deadline.until);
    deadlines.truncate(MAX_DEADLINES);
    deadlines.into()
}

/// Describes a run's late terms of one kind: the first, and how many more there are.
fn describe(deadlines: &[Deadline], kind: DeadlineKind, now: Timestamp) -> Option<(&'static str, String, &Deadline)> {
    let mut late = deadlines.iter().filter(|deadline| deadline.kind == kind && deadline.share(now) >= REPORTED_SHARE);
    let first = late.next()?;
    let more = match late.count() {
        0 => String::new(),
        more => format!(", and {more} more"),
    };
    let whole = brief(first.until.since(first.from));
    let who = first.node.as_ref().map_or("the run".to_owned(), |node| format!("`{node}`"));
    let left = || format!("{} (in {})", time_of_day(first.until, now), brief(first.until.since(now)));
    Some(match (kind, first.until <= now) {
        (DeadlineKind::Sla, true) => ("sla_missed", format!("{who} has missed its SLA of {whole}{more}"), first),
        (DeadlineKind::Sla, false) => ("sla_close", format!("{who} misses its SLA of {whole} at {}{more}", left()), first),
        (DeadlineKind::Budget, is_over) => {
            let percent = first.percent(now);
            let until = if is_over { "is over".to_owned() } else { format!("ends at {}", left()) };
            ("late_sensor", format!("{who} has used {percent} % of its budget of {whole}, which {until}{more}"), first)
        }
    })
}

impl Deadline {
    fn share(&self, now: Timestamp) -> f64 {
        let whole = self.until.since(self.from);
        if whole.is_zero() { 1.0 } else { now.since(self.from).as_secs_f64() / whole.as_secs_f64() }
    }

    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "of 0 to 100")]
    fn percent(&self, now: Timestamp) -> u8 {
        (self.share(now) * 100.0).clamp(0.0, 100.0) as u8
    }

    /// Returns when the description of the term changes.
    fn next_change(&self, now: Timestamp) -> Option<Timestamp> {
        if self.until <= now {
            return None;
        }
        let soon = self.from + self.until.since(self.from).mul_f64(REPORTED_SHARE);
        Some(if soon > now { soon } else { self.until.min(now + UPDATE_EVERY) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::{Entry, Record};
    use crate::prelude::*;

    #[sensor(timeout = "10m", poke = "1m", sla = "30m")]
    async fn export() -> Result<Poke<u64>> {
        Ok(Poke::NotYet)
    }

    #[pipeline(sla = "1h")]
    fn nightly() {
        export();
    }

    #[test]
    fn a_retry_by_hand_counts_anew() {
        let plan = Arc::new(nightly().plan(&Value::Null).unwrap());
        let mut history = RunHistory::new(plan, after(0));
        let described = |history: &RunHistory| {
            let minutes = |time: Timestamp| time.since(after(0)).as_secs() / 60;
            let described =
                |deadline: &Deadline| (deadline.kind, deadline.node.is_some(), minutes(deadline.from), minutes(deadline.until));
            deadlines(history, after(0)).iter().map(described).collect::<Vec<_>>()
        };
        let at = |history: &mut RunHistory, minutes, record| history.apply(&Entry { at: after(minutes), record });
        assert_eq!(described(&history), [(DeadlineKind::Sla, true, 0, 30), (DeadlineKind::Sla, false, 0, 60)]);
        at(&mut history, 2, Record::Started { slot: 0, attempt: 1 });
        assert_eq!(described(&history)[0], (DeadlineKind::Budget, true, 2, 12));
        at(&mut history, 12, Record::Failed { slot: 0, error: "it did not come".into(), timed_out: true });
        at(&mut history, 12, Record::RunEnded { state: RunState::Failed });
        at(&mut history, 100, Record::Cleared { slots: [0].into() });
        assert_eq!(described(&history), [(DeadlineKind::Sla, true, 100, 130), (DeadlineKind::Sla, false, 100, 160)]);
    }

    fn after(minutes: u64) -> Timestamp {
        Timestamp::from_nanos(0) + Duration::from_mins(60 + minutes)
    }

    fn deadline(kind: DeadlineKind, node: Option<&str>, minutes: u64) -> Deadline {
        Deadline { kind, node: node.map(str::to_owned), from: after(0), until: after(minutes) }
    }

    #[test]
    fn a_deadline_is_reported_from_four_fifths_on_and_checked_again_in_time() {
        let deadlines = [
            deadline(DeadlineKind::Budget, Some("export"), 10),
            deadline(DeadlineKind::Budget, Some("logs"), 11),
            deadline(DeadlineKind::Sla, None, 20),
        ];
        let described = |kind, minutes| describe(&deadlines, kind, after(minutes)).map(|(kind, text, _)| (kind, text));
        assert_eq!(described(DeadlineKind::Budget, 7), None);
        let text = "`export` has used 80 % of its budget of 10m, which ends at 01:10:00Z (in 2m)".to_owned();
        assert_eq!(described(DeadlineKind::Budget, 8), Some(("late_sensor", text)));
        let text = "`export` has used 90 % of its budget of 10m, which ends at 01:10:00Z (in 1m), and 1 more".to_owned();
        assert_eq!(described(DeadlineKind::Budget, 9), Some(("late_sensor", text)));
        assert_eq!(described(DeadlineKind::Sla, 15), None);
        let text = "the run misses its SLA of 20m at 01:20:00Z (in 4m)".to_owned();
        assert_eq!(described(DeadlineKind::Sla, 16), Some(("sla_close", text)));
        assert_eq!(described(DeadlineKind::Sla, 21), Some(("sla_missed", "the run has missed its SLA of 20m".to_owned())));
        let changes = |minutes| deadlines.each_ref().map(|deadline| deadline.next_change(after(minutes)));
        assert_eq!(changes(0)[0], Some(after(8)));
        assert_eq!(changes(9)[0], Some(after(9) + UPDATE_EVERY));
        assert_eq!((changes(10)[0], changes(17)[2]), (None, Some(after(17) + UPDATE_EVERY)));
    }
}
