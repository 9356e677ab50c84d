//! The replacement of bodies: each answers as it did, after the time that it took, unless a change was requested.

use super::ArrivalTime;
use super::assumptions::Assumptions;
use super::recorded::{AttemptEnd, PokeCause, RecordedNode, Recording, SensorFinding};
use crate::author::body::{AttemptResult, Produced};
use crate::author::error::TaskError;
use crate::author::notify::BoxFuture;
use crate::author::secret::Secret;
use crate::engine::{Attempt, Instead, Interceptor, Waiter};
use crate::time::{Clock, Timestamp};
use std::any::Any;
use std::collections::{BTreeMap, HashMap};
use std::future::{pending, ready};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// The recorded bodies of a run.
#[derive(Debug)]
pub(super) struct Bodies {
    recording: Recording,
    assumptions: Assumptions,
    /// When what a sensor looks for is there, by the sensor's id.
    arrivals: HashMap<String, Duration>,
    clock: Clock,
    start: Timestamp,
    progress: Mutex<Progress>,
}

#[derive(Debug, Default)]
struct Progress {
    /// The nodes that run without an answer, and since when.
    unknown: HashMap<String, Duration>,
    /// The number of the current attempt of a sensor, and of its pokes so far.
    pokes: HashMap<String, (u32, u32)>,
}

/// The result of a body, and the time it takes.
struct RecordedAnswer {
    took: Duration,
    result: AttemptResult,
}

impl Bodies {
    pub(super) fn new(
        recording: Recording,
        assumptions: Assumptions,
        arrivals: &BTreeMap<String, ArrivalTime>,
        clock: Clock,
    ) -> Self {
        let arrivals = arrivals.iter().filter_map(|(id, arrived)| Some((id.clone(), arrived.assumed?))).collect();
        let start = clock.now();
        Self { recording, assumptions, arrivals, clock, start, progress: Mutex::default() }
    }

    /// The nodes that ran without an answer, and since when.
    pub(super) fn unknown(&self) -> HashMap<String, Duration> {
        self.progress().unknown.clone()
    }

    fn progress(&self) -> MutexGuard<'_, Progress> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// `None` if the result is unknown.
    fn answer(&self, attempt: &Attempt, id: &str) -> Option<RecordedAnswer> {
        let recorded = self.recording.nodes.get(id);
        let is_sensor = attempt.spec.plan.policy(attempt.node).sensor.is_some();
        let of_number = recorded.and_then(|recorded| recorded.attempt(attempt.number));
        let took = of_number.map_or(Duration::ZERO, |attempt| attempt.took);
        let after = |result| Some(RecordedAnswer { took, result });
        if let Some(error) = self.assumptions.failure(id, attempt.number) {
            return after(Err(TaskError::from(error)));
        }
        if is_sensor {
            return after(self.poke(attempt, id, recorded)?);
        }
        let (recorded, end) = (recorded?, &of_number?.end);
        // After a requested failure, the next attempt repeats the last recorded one. If that one had failed itself, the result of
        // a further attempt is unknown.
        let is_further = attempt.number as usize > recorded.attempts.len();
        if is_further && matches!(end, AttemptEnd::Error(_)) {
            return None;
        }
        after(ended(end, recorded)?)
    }

    /// The result of a sensor's poke.
    fn poke(&self, attempt: &Attempt, id: &str, recorded: Option<&RecordedNode>) -> Option<AttemptResult> {
        let now = self.clock.now().since(self.start);
        let number = attempt.number;
        let poke_number = {
            let mut progress = self.progress();
            let (of, pokes) = progress.pokes.entry(id.to_owned()).or_default();
            (*of, *pokes) = if *of == number { (*of, *pokes + 1) } else { (number, 1) };
            *pokes
        };
        let arrival = self.arrivals.get(id).copied();
        let finding = recorded.and_then(|recorded| recorded.finding.as_ref());
        if arrival.is_some_and(|arrival| arrival <= now) {
            let output = recorded.and_then(|recorded| recorded.output.clone());
            return output.map(|output| Ok(Produced::Value(output)));
        }
        if let Some(recorded) = recorded
            && let Some(of_number) = recorded.attempts.get(number as usize - 1)
            && matches!(of_number.end, AttemptEnd::Error(_) | AttemptEnd::Fatal(_) | AttemptEnd::Skip(_))
            && of_number.pokes == poke_number
        {
            return ended(&of_number.end, recorded);
        }
        let poke = attempt.spec.plan.policy(attempt.node).sensor.as_ref().and_then(|sensor| sensor.poke.fixed());
        // A poke after the last recorded one has no answer. Delays of the run make its pokes later than those here, never earlier.
        let wait = poke.map_or(Duration::ZERO, |(poke, jitter)| poke + jitter);
        let is_last = |recorded: &RecordedNode| recorded.open.is_some_and(|last| now + wait > last);
        if recorded.is_none_or(is_last) && !self.assumptions.arrives(id) {
            return None;
        }
        let is_next = |arrival: &Duration| match finding {
            Some(SensorFinding { cause: PokeCause::Later, .. }) => true,
            Some(SensorFinding { cause: PokeCause::Woken, .. }) => {
                poke.is_none_or(|(poke, _)| arrival.saturating_sub(now) < poke)
            }
            _ => false,
        };
        Some(Ok(match arrival.filter(is_next) {
            Some(arrival) => Produced::NotBefore((self.start + arrival).to_utc()),
            None => Produced::NotYet,
        }))
    }
}

/// `None` if the output was not recorded, or if a sensor's wait timed out.
fn ended(end: &AttemptEnd, recorded: &RecordedNode) -> Option<AttemptResult> {
    match end {
        AttemptEnd::Success => recorded.output.clone().map(|output| Ok(Produced::Value(output))),
        AttemptEnd::Error(error) => Some(Err(TaskError::from(error.to_string()))),
        AttemptEnd::Fatal(error) => Some(Err(TaskError::fatal(error.to_string()))),
        AttemptEnd::Skip(why) => Some(Err(TaskError::skip(&**why))),
        AttemptEnd::TimedOut => None,
    }
}

impl Interceptor for Bodies {
    fn secret(&self, _: &Secret) -> Option<Secret> {
        None
    }

    fn instead(&self, attempt: &Attempt) -> Option<Instead> {
        let id = attempt.id();
        let answer = self.answer(attempt, &id);
        let clock = self.clock;
        Some(Instead::Body(match answer {
            None => {
                self.progress().unknown.entry(id).or_insert(clock.now().since(self.start));
                Box::pin(pending())
            }
            Some(RecordedAnswer { took: Duration::ZERO, result }) => Box::pin(ready(result)),
            Some(RecordedAnswer { took, result }) => {
                let until = clock.now() + took;
                Box::pin(async move {
                    clock.sleep_until(until).await;
                    result
                })
            }
        }))
    }

    fn enter(&self) -> Box<dyn Any> {
        Box::new(())
    }

    fn blocking(&self, _: bool) {}

    fn in_flight(&self) -> usize {
        0
    }

    fn idle(&self) -> BoxFuture<()> {
        Box::pin(ready(()))
    }

    fn waits(&self, _: Waiter) {}

    fn forget(&self, _: Waiter) {}

    fn grace(&self) -> Option<Duration> {
        // Bodies here wait only for the clock.
        None
    }
}
