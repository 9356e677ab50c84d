//! What bodies want started: runs of other pipelines, each once, whatever attempt asks for it.
//!
//! A run has its id from the node that starts it. So an attempt after a crash, which does not know whether the one before it came so far,
//! finds the run that is there.

use super::super::StartError;
use super::super::others::Start;
use super::super::prepare;
use super::{Dispatch, new_spec};
use crate::engine::{RunState, StartRun};
use crate::journal::{Reader, RunKind, StoredRun};
use crate::schedule::Interval;
use std::collections::HashMap;
use std::sync::Arc;

/// So many are entered before those who wait are answered.
const AT_ONCE: usize = 100;

impl Dispatch<'_> {
    /// Enters a run, and those that others want by now. They begin as their pipelines' limits allow.
    pub(super) fn start_wanted(&mut self, first: Start) {
        self.enter_wanted(first);
        self.begin_due();
    }

    /// Enters all runs that bodies want, as the process ends: none of them begins here.
    pub(super) fn enter_all_wanted(&mut self) {
        while let Some(Ok(first)) = self.others.as_mut().map(|(_, starts)| starts.try_recv()) {
            self.enter_wanted(first);
        }
    }

    fn enter_wanted(&mut self, first: Start) {
        let mut reader = None;
        // What is entered here the reader does not see.
        let mut entered: HashMap<(&str, String), Interval> = HashMap::new();
        let mut answers = Vec::new();
        let mut next = Some(first);
        while let Some(Start { run, answer }) = next {
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
        // Nobody hears of a run before it is kept. Where nothing can be kept any more the process ends, and attempts are cut off.
        let is_kept = self.journal().is_ok_and(|journal| journal.reader_after_all().is_ok() && journal.failure().is_none());
        for (answer, interval) in answers.into_iter().filter(|_| is_kept) {
            // Whoever asked may have been cut off.
            let _ = answer.send(interval);
        }
    }

    fn enter_started(&mut self, run: &StartRun, reader: &mut Option<Reader>) -> Result<Interval, StartError> {
        let reader = self.read(reader)?;
        let pipeline = self.pipeline(run.pipeline.id())?;
        if let Some(there) = reader.meant_by(pipeline.id(), &run.run_id)? {
            return Ok(there.interval);
        }
        let plan = Arc::new(pipeline.plan(&run.params)?);
        let interval = match &plan.schedule {
            None => run.interval,
            Some(schedule) => {
                schedule.interval_starting_at_or_before(run.interval.start).ok_or_else(|| StartError::NoInterval {
                    pipeline: plan.pipeline,
                    date: run.interval.start.to_rfc3339_opts(chrono::SecondsFormat::AutoSi, true),
                })?
            }
        };
        let now = self.now().clock;
        let skeleton = plan.skeleton().into();
        let mut spec = new_spec(plan, interval, now);
        let stored = prepare::enter(reader, &mut spec, RunKind::Manual, now, &skeleton, None)?;
        let stored = StoredRun { run_id: run.run_id.clone(), state: RunState::Queued, ..stored };
        let key = self.journal()?.enter(&stored, &[]);
        self.queue(&stored, key, reader)?;
        tracing::info!(
            pipeline = stored.pipeline,
            run = stored.run_id,
            "run {} of {} was started by another",
            stored.run_id,
            stored.pipeline
        );
        Ok(interval)
    }
}
