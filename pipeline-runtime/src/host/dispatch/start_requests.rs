//! Starts requested by bodies: runs of other pipelines, each started once, whichever attempt asks for it.
//!
//! The run's id derives from the node that starts it. So an attempt after a crash, which does not know how far the previous one
//! came, finds the existing run.

use super::super::StartError;
use super::super::other_runs::StartRequest;
use super::super::prepare;
use super::{Dispatch, new_spec};
use crate::engine::{RunState, StartRun};
use crate::journal::{Reader, RunKind, SqliteJournal, StoredRun};
use crate::schedule::Interval;
use std::collections::HashMap;
use std::sync::Arc;

/// The maximum number of runs entered before the callers are answered.
const AT_ONCE: usize = 100;

impl Dispatch<'_> {
    /// Enters a run, and all others requested by now. They start as their pipelines' limits allow.
    pub(super) fn start_requested(&mut self, first: StartRequest) {
        self.enter_requested(first);
        self.begin_due();
    }

    /// Enters all runs that bodies requested, while the process ends: none of them starts here.
    pub(super) fn enter_all_requested(&mut self) {
        while let Some(Ok(first)) = self.others.as_mut().map(|(_, starts)| starts.try_recv()) {
            self.enter_requested(first);
        }
    }

    fn enter_requested(&mut self, first: StartRequest) {
        let mut reader = None;
        // The reader does not see the runs entered here.
        let mut entered: HashMap<(&str, String), Interval> = HashMap::new();
        let mut answers = Vec::new();
        let mut next = Some(first);
        while let Some(StartRequest { run, answer }) = next {
            let name = (run.pipeline.id(), run.run_id.clone());
            let interval = match entered.get(&name) {
                Some(interval) => Ok(*interval),
                None => self.enter_started(&run, &mut reader),
            };
            if let Ok(interval) = interval {
                entered.insert(name, interval);
            }
            answers.push((answer, interval));
            let others = self.others.as_mut().filter(|_| answers.len() < AT_ONCE);
            next = others.and_then(|(_, starts)| starts.try_recv().ok());
        }
        // Nobody learns of a run before it is durable. If nothing can be recorded any more, the process ends and attempts are cut
        // off.
        let is_kept = self.journal().is_ok_and(SqliteJournal::sync);
        for (answer, interval) in answers.into_iter().filter(|_| is_kept) {
            // The caller may have been cut off.
            let _ = answer.send(interval);
        }
    }

    fn enter_started(&mut self, run: &StartRun, reader: &mut Option<Reader>) -> Result<Interval, StartError> {
        let reader = self.read(reader)?;
        let pipeline = self.pipeline(run.pipeline.id())?;
        if let Some(there) = reader.awaited_run_by_id(pipeline.id(), &run.run_id)? {
            return Ok(there.interval);
        }
        let plan = Arc::new(pipeline.plan(&run.params)?);
        let interval = run.interval_in(&plan).ok_or_else(|| StartError::NoInterval {
            pipeline: plan.pipeline,
            date: run.interval.start.to_rfc3339_opts(chrono::SecondsFormat::AutoSi, true),
        })?;
        let now = self.now().clock;
        let skeleton = plan.skeleton().into();
        let mut spec = new_spec(plan, interval, now);
        Arc::make_mut(&mut spec.info).run_id.clone_from(&run.run_id);
        // The run reads its history when it starts, and it already has its id: nothing is read here about neighboring runs, which
        // may be thousands.
        let stored = StoredRun { state: RunState::Queued, ..prepare::row(&spec, RunKind::Manual, now, &skeleton) };
        let key = self.journal()?.enter(&stored, &[]);
        self.queue(&stored, key, reader)?;
        tracing::info!(
            pipeline = stored.pipeline,
            run = stored.run_id,
            "run {} of {} was started by another run",
            stored.run_id,
            stored.pipeline
        );
        Ok(interval)
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::Command;
    use super::super::tests::Process;
    use super::*;
    use crate::Pipeline;
    use crate::journal::Filter;
    use crate::prelude::*;
    use tokio::sync::oneshot;

    #[task]
    async fn one() -> Result<u64> {
        Ok(1)
    }

    #[pipeline(schedule = "@daily")]
    fn wanted() {
        one();
    }

    fn of_element(n: usize) -> StartRun {
        let pipeline: Pipeline = wanted();
        let interval = Interval::at("2024-03-25T00:00:00Z".parse().unwrap());
        let run_id = format!("by__starter__manual__2024-03-25T00:00:00Z__start__{n}");
        StartRun { pipeline, run_id, node: "start".into(), params: serde_json::Value::Null, interval }
    }

    fn start(dispatch: &mut Dispatch<'_>, run: StartRun) -> Option<Result<Interval, StartError>> {
        let (answer, mut answered) = oneshot::channel();
        dispatch.start_requested(StartRequest { run, answer });
        answered.try_recv().ok()
    }

    #[test]
    fn who_asks_for_a_date_gets_no_run_that_another_has_started_of_it() {
        let process = Process::new();
        let pipelines = [wanted()];
        let mut dispatch = process.dispatch(&pipelines);
        assert!(matches!(start(&mut dispatch, of_element(7)), Some(Ok(_))));
        let day = || Some("2024-03-25".to_owned());
        let trigger = || Command::Trigger { pipeline: "wanted".into(), logical_date: day(), params: serde_json::Value::Null };
        dispatch.execute(trigger()).unwrap();
        // Of its own identity there is one unfinished run.
        let refused = dispatch.execute(trigger()).unwrap_err().to_string();
        assert!(refused.starts_with("run `manual__2024-03-25T00:00:00Z` of that date is"), "{refused}");
        let reader = process.reader();
        let ids = reader.runs(&Filter { limit: 10, ..Filter::default() }).unwrap();
        let ids: Vec<_> = ids.iter().map(|run| run.run_id.as_str()).collect();
        assert_eq!(ids, ["manual__2024-03-25T00:00:00Z", of_element(7).run_id.as_str()]);
        let of_day = |run: Option<StoredRun>| run.map(|run| run.run_id);
        let unfinished = reader.unfinished_of("wanted", RunKind::Manual, None).unwrap();
        assert_eq!(of_day(unfinished).as_deref(), Some("manual__2024-03-25T00:00:00Z"));
    }

    #[test]
    fn where_the_journal_cannot_be_read_who_wants_a_run_hears_of_it() {
        let process = Process::new();
        let pipelines = [wanted()];
        let mut dispatch = process.dispatch(&pipelines);
        // Existing connections still write it, but no further connection can be opened.
        let (file, away) = process.moved_away();
        std::fs::rename(&file, &away).unwrap();
        let refused = start(&mut dispatch, of_element(1)).expect("nothing is wrong with what is written").unwrap_err();
        assert!(refused.may_pass(), "{refused}");
        std::fs::rename(&away, &file).unwrap();
        assert!(matches!(start(&mut dispatch, of_element(1)), Some(Ok(_))));
    }
}
