//! Following the schedules by the wall clock, which may be set, and which continues while the machine sleeps.
//!
//! The date is read each time the loop wakes, at least once a minute. If it has leapt, the scheduler acts as after a stop:
//! intervals that became due meanwhile follow the catchup rule, and the journal tells which intervals already have a run. So if
//! the clock was ahead and is set back, intervals that ran by the wrong date do not run again, and all before them do.

use super::super::StartError;
use super::super::scheduler::JournaledState;
use super::Dispatch;
use crate::journal::{JournalError, Reader};
use crate::time::Timestamp;
use std::time::Duration;

impl Dispatch<'_> {
    /// Checks whether the date has leapt since the last call.
    pub(super) fn check_calendar(&mut self) {
        let now = self.now();
        let Some(by) = self.leaps.by(now) else { return self.leaps.reset(now) };
        match self.follow_on(now.date) {
            Ok(()) => {
                self.leaps.reset(now);
                let (seconds, way) = (by.unsigned_abs() / 1_000_000_000, if by > 0 { "ahead" } else { "back" });
                let length = humantime::format_duration(Duration::from_secs(seconds));
                tracing::warn!("the clock was set {way} by {length}, or the machine slept: schedules follow the new time");
            }
            Err(error) => tracing::error!("the clock was set, but the intervals that are due now cannot be read: {error}"),
        }
    }

    fn follow_on(&mut self, date: Timestamp) -> Result<(), StartError> {
        self.scheduler.calendar_jumped(date);
        if self.service.follows_schedules {
            let reader = self.journal()?.reader_after_sync()?;
            for pipeline in self.pipelines {
                let (id, depends_on_past) = (pipeline.id(), pipeline.options().depends_on_past);
                self.scheduler.scheduled(id, scheduled(&reader, id, depends_on_past, date)?);
            }
        }
        Ok(())
    }
}

/// Returns which intervals of a pipeline have a scheduled run.
pub(in crate::host) fn scheduled(
    reader: &Reader,
    id: &str,
    depends_on_past: bool,
    date: Timestamp,
) -> Result<JournaledState, JournalError> {
    let last = reader.last_scheduled(id, date)?;
    // Other pipelines need no outcome.
    let outcome = |start: Timestamp| if depends_on_past { reader.outcome(id, start) } else { Ok(None) };
    let ahead = reader.scheduled_after(id, last)?.into_iter();
    let ahead = ahead.map(|start| Ok((start.to_utc(), outcome(start)?))).collect::<Result<_, JournalError>>()?;
    let outcome = last.map(|last| outcome(last.start.into())).transpose()?.flatten();
    let deleted = reader.deleted_after(id, last)?;
    Ok(JournaledState { last, outcome, ahead, deleted, ..JournaledState::default() })
}

#[cfg(test)]
mod tests {
    use super::super::super::Command;
    use super::super::ServiceOptions;
    use super::super::tests::Process;
    use super::*;
    use crate::journal::{Filter, RunKind, StoredRun};
    use crate::prelude::*;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicI64, Ordering};

    #[task]
    async fn tick() -> Result<u64> {
        Ok(1)
    }

    #[pipeline(schedule = "@hourly", catchup = true)]
    fn made_up_for() {
        tick();
    }

    #[pipeline(schedule = "@hourly")]
    fn latest_alone() {
        tick();
    }

    /// A process that serves both pipelines by a wall clock that the test sets. Bodies are not run, and all runs stay as they
    /// began.
    struct Serving {
        process: Process,
        wall: Arc<AtomicI64>,
        pipelines: [Pipeline; 2],
    }

    fn nanos(date: &str) -> i64 {
        date.parse::<chrono::DateTime<chrono::Utc>>().unwrap().timestamp_nanos_opt().unwrap()
    }

    impl Serving {
        fn at(date: &str) -> Self {
            let wall = Arc::new(AtomicI64::new(nanos(date)));
            let process = Process::by(crate::time::Calendar::set_by(&wall));
            process.host().engine().open();
            Self { process, wall, pipelines: [made_up_for(), latest_alone()] }
        }

        fn dispatch(&self) -> Dispatch<'_> {
            self.process.dispatch_for(&self.pipelines, ServiceOptions { follows_schedules: true, ..ServiceOptions::default() })
        }

        /// Sets the wall clock, and returns the starts of the intervals that begin, for each pipeline.
        fn begins(&self, dispatch: &mut Dispatch<'_>, date: &str) -> [Vec<String>; 2] {
            let before = self.runs().len();
            self.wall.store(nanos(date), Ordering::SeqCst);
            dispatch.begin_due();
            let begun = self.runs().split_off(before);
            self.pipelines.each_ref().map(|pipeline| {
                let of_it = begun.iter().filter(|run| run.pipeline == pipeline.id());
                of_it.map(|run| run.interval.start.format("%FT%H").to_string()).collect()
            })
        }

        /// All runs, oldest first.
        fn runs(&self) -> Vec<StoredRun> {
            let filter = Filter { kind: Some(RunKind::Scheduled), limit: 1_000, ..Filter::default() };
            let mut runs = self.process.reader().runs(&filter).unwrap();
            runs.reverse();
            runs
        }
    }

    fn both(starts: &[&str]) -> [Vec<String>; 2] {
        let starts: Vec<String> = starts.iter().map(|start| format!("2024-03-{start}")).collect();
        [starts.clone(), starts]
    }

    #[test]
    fn after_three_hours_of_sleep_it_is_as_after_a_stop() {
        let serving = Serving::at("2024-03-25T10:59:30Z");
        let mut dispatch = serving.dispatch();
        assert_eq!(serving.begins(&mut dispatch, "2024-03-25T10:59:30Z"), both(&["25T09"]));
        assert_eq!(serving.begins(&mut dispatch, "2024-03-25T11:00:05Z"), both(&["25T10"]));
        // The monotonic clock stood still meanwhile.
        let [all, latest] = serving.begins(&mut dispatch, "2024-03-25T14:00:10Z");
        assert_eq!(all, ["2024-03-25T11", "2024-03-25T12", "2024-03-25T13"]);
        assert_eq!(latest, ["2024-03-25T13"]);
        assert_eq!(serving.begins(&mut dispatch, "2024-03-25T14:00:20Z"), both(&[]));
        assert_eq!(serving.begins(&mut dispatch, "2024-03-25T15:00:00Z"), both(&["25T14"]));
        // The SLA of a run on time counts from the end of its interval, five seconds before it began; otherwise from its begin.
        for run in serving.runs() {
            let late = run.created.since(run.sla_from).as_secs();
            let expected = u64::from(run.interval.start.format("%H").to_string() == "10") * 5;
            assert_eq!(late, expected, "{}", run.interval);
        }
    }

    #[test]
    fn set_back_by_an_hour_nothing_runs_twice_or_before_it_is_over() {
        let serving = Serving::at("2024-03-25T10:59:30Z");
        let mut dispatch = serving.dispatch();
        assert_eq!(serving.begins(&mut dispatch, "2024-03-25T10:59:30Z"), both(&["25T09"]));
        assert_eq!(serving.begins(&mut dispatch, "2024-03-25T11:00:00Z"), both(&["25T10"]));
        for date in ["2024-03-25T10:00:00Z", "2024-03-25T10:30:00Z", "2024-03-25T11:00:00Z", "2024-03-25T11:59:59Z"] {
            assert_eq!(serving.begins(&mut dispatch, date), both(&[]), "{date}");
        }
        assert_eq!(serving.begins(&mut dispatch, "2024-03-25T12:00:00Z"), both(&["25T11"]));
        // A start that failed is tried again a minute later, and not when the date reaches that time again.
        dispatch.scheduler.hold("made_up_for", Timestamp::from_nanos(nanos("2024-03-25T12:01:00Z")));
        assert!(dispatch.scheduler.is_held(dispatch.now().date));
        assert_eq!(serving.begins(&mut dispatch, "2024-03-25T11:30:00Z"), both(&[]));
        assert!(!dispatch.scheduler.is_held(dispatch.now().date));
    }

    #[test]
    fn set_ahead_by_400_days_and_back_it_goes_on_where_it_was() {
        let serving = Serving::at("2024-03-25T10:00:00Z");
        let mut dispatch = serving.dispatch();
        assert_eq!(serving.begins(&mut dispatch, "2024-03-25T10:00:00Z"), both(&["25T09"]));
        let pause = Command::Pause { pipeline: "made_up_for".into(), paused: true };
        dispatch.execute(pause).unwrap();
        let [_, latest] = serving.begins(&mut dispatch, "2025-04-29T10:30:00Z");
        assert_eq!(latest, ["2025-04-29T09"]);
        let of_latest = |[_, latest]: [Vec<String>; 2]| latest;
        assert_eq!(of_latest(serving.begins(&mut dispatch, "2024-03-25T11:00:00Z")), ["2024-03-25T10"]);
        // The next process does the same.
        let mut next = serving.dispatch();
        assert_eq!(of_latest(serving.begins(&mut next, "2024-03-25T12:00:00Z")), ["2024-03-25T11"]);
        // That interval has run, however early.
        assert_eq!(of_latest(serving.begins(&mut next, "2025-04-29T10:00:00Z")), [""; 0]);
        assert_eq!(of_latest(serving.begins(&mut next, "2025-04-29T11:00:00Z")), ["2025-04-29T10"]);
    }
}
