//! A run's history as its journal tells it, growing as the journal does: for whoever reads beside the process that runs it.
//!
//! It takes no code of the day on which the run began. Where the present code has another plan for the run, or none, the run is told by the plan
//! that the journal has kept with it.

use super::history::RunHistory;
use crate::author::pipeline::Pipeline;
use crate::engine::{Layout, Record, Slot};
use crate::journal::{DecodeError, JournalError, Reader, StoredEntry, StoredRun};
use crate::plan::{Accepts, NodeIx, Plan, PlanChanged, PlanError, Remap};
use std::collections::HashSet;
use std::sync::Arc;

/// A run that is read record by record. Outputs are kept as JSON, and only for whoever asks for them: types may have changed since.
#[derive(Debug)]
pub(crate) struct Followed {
    run: StoredRun,
    plan: PlanOfRun,
    history: RunHistory,
    /// The number of the last record that the history has.
    last: i64,
    /// The ids of nodes that a run lost as it went on with another plan.
    removed: Vec<String>,
    keeps_outputs: bool,
    /// No record after that one is told.
    until: i64,
}

/// By which plan a run is told.
#[derive(Debug)]
enum PlanOfRun {
    /// The pipeline's present plan, and what the run's nodes are called there.
    Present(Arc<Plan>, Option<Remap>),
    /// That which the journal has kept. The present plan, if there is one, says more of the nodes that both have.
    Kept { present: Option<Arc<Plan>>, why: Option<NotPresent> },
}

/// Why a run is not told by the present plan of its pipeline.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NotPresent {
    #[error("this program has no pipeline `{0}`")]
    NoPipeline(String),
    #[error(transparent)]
    Plan(#[from] PlanError),
    #[error(transparent)]
    Changed(#[from] PlanChanged),
}

/// Why a run's history cannot be told.
#[derive(Debug, thiserror::Error)]
pub(crate) enum HistoryError {
    #[error(transparent)]
    Journal(#[from] JournalError),
    #[error("the plan that the journal has kept with run `{0}` cannot be read")]
    Skeleton(String),
    #[error(transparent)]
    Record(#[from] DecodeError),
}

impl Followed {
    /// Of a run, with nothing read yet. `pipeline` is the run's pipeline, where this program has it.
    pub(crate) fn new(pipeline: Option<&Pipeline>, run: &StoredRun) -> Result<Self, HistoryError> {
        let plan = match pipeline {
            None => Err(NotPresent::NoPipeline(run.pipeline.clone())),
            Some(pipeline) => pipeline.plan_of_run(&run.params).map_err(NotPresent::from),
        };
        Self::of(plan.map(Arc::new), run.clone())
    }

    fn of(present: Result<Arc<Plan>, NotPresent>, run: StoredRun) -> Result<Self, HistoryError> {
        let plan = match present {
            Err(why) => PlanOfRun::Kept { present: None, why: Some(why) },
            Ok(plan) => match plan.match_skeleton(&run.skeleton, Accepts::Additions) {
                // A run that has ended never had what was added since.
                Ok(Some(_)) if run.state.is_end() => PlanOfRun::Kept { present: Some(plan), why: None },
                Ok(remap) => PlanOfRun::Present(plan, remap),
                Err(changed) => PlanOfRun::Kept { present: Some(plan), why: Some(changed.into()) },
            },
        };
        let shown = match &plan {
            PlanOfRun::Present(plan, _) => Arc::clone(plan),
            PlanOfRun::Kept { present, .. } => kept(&run, present.as_deref(), &[])?,
        };
        let history = RunHistory::new(shown, run.started());
        Ok(Self { run, plan, history, last: 0, removed: Vec::new(), keeps_outputs: false, until: i64::MAX })
    }

    /// Keeps what nodes returned, as JSON. To be called before anything is read.
    pub(crate) fn with_outputs(self) -> Self {
        Self { keeps_outputs: true, ..self }
    }

    /// Tells the run as it was after the record of that number. To be called before anything is read.
    pub(crate) fn up_to(self, number: i64) -> Self {
        Self { until: number, ..self }
    }

    /// Reads what has been recorded since.
    pub(crate) fn go_on(&mut self, reader: &Reader) -> Result<(), HistoryError> {
        match &self.plan {
            PlanOfRun::Present(plan, _) => {
                let plan = Arc::clone(plan);
                self.go_on_by(plan, reader)
            }
            PlanOfRun::Kept { .. } => self.read_all(reader),
        }
    }

    fn go_on_by(&mut self, plan: Arc<Plan>, reader: &Reader) -> Result<(), HistoryError> {
        let mut read = reader.entries_after(self.run.key, self.last)?;
        if read.renamed && self.last > 0 {
            // Somebody goes on with the run with another plan: what was read means something else now.
            if let Some(run) = reader.run_of_key(self.run.key)? {
                *self = Self { keeps_outputs: self.keeps_outputs, until: self.until, ..Self::of(Ok(plan), run)? };
                return self.go_on(reader);
            }
        }
        if let PlanOfRun::Present(_, Some(remap)) = &self.plan {
            StoredEntry::remap(&mut read.entries, remap);
        }
        self.removed.append(&mut read.removed);
        self.apply(read.entries)?;
        self.last = read.last;
        Ok(())
    }

    /// Reads all of it: which nodes are sensors, only their records say.
    fn read_all(&mut self, reader: &Reader) -> Result<(), HistoryError> {
        let read = loop {
            let read = reader.entries_after(self.run.key, 0)?;
            // Whoever goes on with the run by another plan changes that and the records at once, and no reader may see halves.
            match reader.run_of_key(self.run.key)? {
                Some(run) if run.skeleton != self.run.skeleton => self.run = run,
                _ => break read,
            }
        };
        let PlanOfRun::Kept { present, .. } = &self.plan else { return Ok(()) };
        let plan = kept(&self.run, present.as_deref(), &read.entries)?;
        self.history = RunHistory::new(plan, self.run.started());
        self.removed = read.removed;
        self.apply(read.entries)?;
        self.last = read.last;
        Ok(())
    }

    fn apply(&mut self, entries: Vec<StoredEntry>) -> Result<(), HistoryError> {
        for stored in entries.into_iter().take_while(|stored| stored.number <= self.until) {
            stored.fits(self.history.len())?;
            self.history.apply(&stored.entry);
            if let (Record::Succeeded { slot, .. }, Some(json), true) = (&stored.entry.record, stored.json, self.keeps_outputs) {
                self.history.node_has_output(*slot, json);
            }
        }
        Ok(())
    }

    pub(crate) fn history(&self) -> &RunHistory {
        &self.history
    }

    /// The number of the run's last record, whether it is told or not.
    pub(crate) fn last(&self) -> i64 {
        self.last
    }

    /// Why it is told by the plan that the journal has kept, where the present one does not fit.
    pub(crate) fn not_present(&self) -> Option<&NotPresent> {
        match &self.plan {
            PlanOfRun::Present(..) => None,
            PlanOfRun::Kept { why, .. } => why.as_ref(),
        }
    }

    /// The ids of the nodes that the run lost when somebody accepted a plan without them.
    pub(crate) fn removed(&self) -> &[String] {
        &self.removed
    }

    /// Whether nothing more happens to the node: it has ended, or its run has. Without a node: whether the run has.
    pub(crate) fn has_ended(&self, node: Option<&str>) -> bool {
        let ended = |slot: Slot| self.history.node(slot).state().is_end();
        self.history.state.is_end() || node.and_then(|node| self.history.find(node)).is_some_and(ended)
    }
}

/// The plan that the journal has kept with a run of these records.
fn kept(run: &StoredRun, present: Option<&Plan>, entries: &[StoredEntry]) -> Result<Arc<Plan>, HistoryError> {
    let plan = Plan::recalled(&run.skeleton, present).ok_or_else(|| HistoryError::Skeleton(run.run_id.clone()))?;
    let sensors = sensors(&plan, entries)?;
    Ok(Arc::new(plan.with_sensors(&sensors)))
}

/// The nodes that have not been ready once.
fn sensors(plan: &Plan, entries: &[StoredEntry]) -> Result<HashSet<NodeIx>, HistoryError> {
    let mut layout = Layout::new(plan);
    let mut sensors = HashSet::new();
    for stored in entries {
        stored.fits(layout.len())?;
        match &stored.entry.record {
            Record::NotYet { slot, .. } => {
                sensors.insert(layout.node(plan, *slot));
            }
            Record::Unfolded { slot, width, keys } => {
                if let Some(each) = layout.each(plan, *slot) {
                    layout.unfold(plan, *slot, each.scope, *width, keys.clone());
                }
            }
            _ => {}
        }
    }
    Ok(sensors)
}
