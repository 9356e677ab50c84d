//! What is late or soon will be: SLAs that are missed or close, and sensors whose budgets are nearly used up.
//!
//! It is recomputed for every change of the journal, so the terms of a run are cached until it has new records.

use super::super::Site;
use super::{Problem, When, at};
use crate::RunState;
use crate::engine::RunKey;
use crate::observe::{RunHistory, brief};
use crate::read::{JournalReader, RunFilter};
use crate::time::Timestamp;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// The maximum number of running runs that are checked; the newest.
const RUNS: u32 = 200;
/// The used share of its time from which a term is reported.
const SHARE: f64 = 0.8;
/// How often a reported share is updated.
const AGAIN: Duration = Duration::from_secs(30);
/// The maximum number of terms per run; those that end first.
const KEPT: usize = 1_000;
/// A run with more records is not checked: it would be read again and again.
const RECORDS: i64 = 50_000;

/// A time by which a part of a run should have finished.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Term {
    kind: Kind,
    /// `None` for the run itself.
    node: Option<String>,
    from: Timestamp,
    until: Timestamp,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Sla,
    Budget,
}

/// The terms of a run, and the number of the last record that they are based on.
type Told = (i64, Arc<[Term]>);

/// The terms of the active runs.
#[derive(Debug, Default)]
pub(crate) struct Late(Mutex<HashMap<RunKey, Told>>);

/// What is late now, as entries of the overview, and when to check again.
pub(super) struct Now {
    pub(super) needs: Vec<Value>,
    pub(super) again: Option<Timestamp>,
}

impl Late {
    /// Returns what is late now.
    pub(super) fn now(&self, site: &Site, reader: &JournalReader, now: Timestamp) -> Result<Now, Problem> {
        let runs = reader.runs(&RunFilter::new().state(RunState::Running).limit(RUNS))?;
        let mut known = HashMap::new();
        let (mut needs, mut again) = (Vec::new(), Vec::new());
        for run in &runs {
            let (key, last) = (run.stored().key, reader.journal().last_record(run.stored().key)?);
            if last > RECORDS {
                continue;
            }
            let terms = match self.known(key).filter(|(of, _)| *of == last) {
                Some((_, terms)) => terms,
                // A run that cannot be read, or was deleted meanwhile, is left out.
                None => match site
                    .kept
                    .look(reader, run, When::NOW, |details| Ok(terms(details.history(), details.summary().stored().sla_from)))
                {
                    Ok(terms) => terms,
                    Err(_) => continue,
                },
            };
            known.insert(key, (last, Arc::clone(&terms)));
            let said = [Kind::Sla, Kind::Budget].map(|kind| said(&terms, kind, now));
            needs.extend(said.into_iter().flatten().map(|(kind, text, term)| {
                json!({
                    "kind": kind,
                    "text": text,
                    "pipeline": run.pipeline(),
                    "run": super::name(run),
                    "node": term.node,
                    "since": (kind == "sla_missed").then(|| at(term.until)),
                    "until": (kind != "sla_missed").then(|| at(term.until)),
                })
            }));
            again.extend(terms.iter().filter_map(|term| term.next_look(now)));
        }
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = known;
        Ok(Now { needs, again: again.into_iter().min() })
    }

    fn known(&self, run: RunKey) -> Option<Told> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&run).cloned()
    }
}

/// Returns the terms of a run, earliest first.
fn terms(history: &RunHistory, sla_from: Timestamp) -> Arc<[Term]> {
    let plan = history.plan();
    let of_run = history.reopened().map_or(sla_from, |offset| history.started + offset);
    let mut terms = Vec::new();
    terms.extend(plan.run.sla.map(|sla| Term { kind: Kind::Sla, node: None, from: of_run, until: of_run + sla }));
    for slot in history.listed() {
        let node = history.node(slot);
        if node.state().is_end() {
            continue;
        }
        let policy = plan.policy(history.node_ix(slot));
        if let Some(sla) = policy.sla {
            // A manually retried node counts from the retry.
            let from = node.cleared_at().map_or(of_run, |offset| history.started + offset);
            terms.push(Term { kind: Kind::Sla, node: Some(history.id(slot)), from, until: from + sla });
        }
        if let (Some(sensor), Some(deadline)) = (&policy.sensor, history.deadline(slot)) {
            let until = history.started + deadline;
            let from = history.started + deadline.saturating_sub(sensor.timeout);
            terms.push(Term { kind: Kind::Budget, node: Some(history.id(slot)), from, until });
        }
    }
    terms.sort_by_key(|term| term.until);
    terms.truncate(KEPT);
    terms.into()
}

/// Describes a run's late terms of one kind: the first, and how many more there are.
fn said(terms: &[Term], kind: Kind, now: Timestamp) -> Option<(&'static str, String, &Term)> {
    let mut late = terms.iter().filter(|term| term.kind == kind && term.share(now) >= SHARE);
    let first = late.next()?;
    let more = match late.count() {
        0 => String::new(),
        more => format!(", and {more} more"),
    };
    let whole = brief(first.until.since(first.from));
    let who = first.node.as_ref().map_or("the run".to_owned(), |node| format!("`{node}`"));
    let left = || format!("{} (in {})", clock(first.until, now), brief(first.until.since(now)));
    Some(match (kind, first.until <= now) {
        (Kind::Sla, true) => ("sla_missed", format!("{who} has missed its SLA of {whole}{more}"), first),
        (Kind::Sla, false) => ("sla_close", format!("{who} misses its SLA of {whole} at {}{more}", left()), first),
        (Kind::Budget, is_over) => {
            let percent = first.percent(now);
            let until = if is_over { "is over".to_owned() } else { format!("ends at {}", left()) };
            ("late_sensor", format!("{who} has used {percent} % of its budget of {whole}, which {until}{more}"), first)
        }
    })
}

/// Formats a time of day, with its date unless it is today.
fn clock(at: Timestamp, now: Timestamp) -> String {
    let (at, now) = (at.to_utc(), now.to_utc());
    let form = if at.date_naive() == now.date_naive() { "%H:%M:%SZ" } else { "%Y-%m-%dT%H:%M:%SZ" };
    at.format(form).to_string()
}

impl Term {
    fn share(&self, now: Timestamp) -> f64 {
        let whole = self.until.since(self.from);
        if whole.is_zero() { 1.0 } else { now.since(self.from).as_secs_f64() / whole.as_secs_f64() }
    }

    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "of 0 to 100")]
    fn percent(&self, now: Timestamp) -> u8 {
        (self.share(now) * 100.0).clamp(0.0, 100.0) as u8
    }

    /// Returns when the description of the term changes.
    fn next_look(&self, now: Timestamp) -> Option<Timestamp> {
        if self.until <= now {
            return None;
        }
        let soon = self.from + self.until.since(self.from).mul_f64(SHARE);
        Some(if soon > now { soon } else { self.until.min(now + AGAIN) })
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
        let told = |history: &RunHistory| {
            let minutes = |time: Timestamp| time.since(after(0)).as_secs() / 60;
            let told = |term: &Term| (term.kind, term.node.is_some(), minutes(term.from), minutes(term.until));
            terms(history, after(0)).iter().map(told).collect::<Vec<_>>()
        };
        let at = |history: &mut RunHistory, minutes, record| history.apply(&Entry { at: after(minutes), record });
        assert_eq!(told(&history), [(Kind::Sla, true, 0, 30), (Kind::Sla, false, 0, 60)]);
        at(&mut history, 2, Record::Started { slot: 0, attempt: 1 });
        assert_eq!(told(&history)[0], (Kind::Budget, true, 2, 12));
        at(&mut history, 12, Record::Failed { slot: 0, error: "it did not come".into(), timed_out: true });
        at(&mut history, 12, Record::RunEnded { state: RunState::Failed });
        at(&mut history, 100, Record::Cleared { slots: [0].into() });
        assert_eq!(told(&history), [(Kind::Sla, true, 100, 130), (Kind::Sla, false, 100, 160)]);
    }

    fn after(minutes: u64) -> Timestamp {
        Timestamp::from_nanos(0) + Duration::from_mins(60 + minutes)
    }

    fn term(kind: Kind, node: Option<&str>, minutes: u64) -> Term {
        Term { kind, node: node.map(str::to_owned), from: after(0), until: after(minutes) }
    }

    #[test]
    fn it_is_said_from_four_fifths_on_and_asked_for_again_in_time() {
        let terms = [term(Kind::Budget, Some("export"), 10), term(Kind::Budget, Some("logs"), 11), term(Kind::Sla, None, 20)];
        let told = |kind, minutes| said(&terms, kind, after(minutes)).map(|(kind, text, _)| (kind, text));
        assert_eq!(told(Kind::Budget, 7), None);
        let text = "`export` has used 80 % of its budget of 10m, which ends at 01:10:00Z (in 2m)".to_owned();
        assert_eq!(told(Kind::Budget, 8), Some(("late_sensor", text)));
        let text = "`export` has used 90 % of its budget of 10m, which ends at 01:10:00Z (in 1m), and 1 more".to_owned();
        assert_eq!(told(Kind::Budget, 9), Some(("late_sensor", text)));
        assert_eq!(told(Kind::Sla, 15), None);
        let text = "the run misses its SLA of 20m at 01:20:00Z (in 4m)".to_owned();
        assert_eq!(told(Kind::Sla, 16), Some(("sla_close", text)));
        assert_eq!(told(Kind::Sla, 21), Some(("sla_missed", "the run has missed its SLA of 20m".to_owned())));
        let looks = |minutes| terms.each_ref().map(|term| term.next_look(after(minutes)));
        assert_eq!(looks(0)[0], Some(after(8)));
        assert_eq!(looks(9)[0], Some(after(9) + AGAIN));
        assert_eq!((looks(10)[0], looks(17)[2]), (None, Some(after(17) + AGAIN)));
    }
}
