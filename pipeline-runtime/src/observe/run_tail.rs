//! The history of a run, read from its journal as the journal grows: for readers beside the process that runs it.
//!
//! It does not need the code with which the run began. If the current code has a different plan for the run, or none, the run is
//! shown with the plan that is stored with it.

use super::history::RunHistory;
use crate::author::pipeline::Pipeline;
use crate::engine::{Layout, Record, Slot};
use crate::journal::{DecodeError, JournalError, Reader, StoredEntry, StoredRun};
use crate::plan::{Accepts, NodeIx, Plan, PlanChanged, PlanError, Remap};
use std::collections::HashSet;
use std::sync::Arc;

/// The maximum number of records read at once: all records of a long run would take more memory than the history.
const BATCH: u32 = if cfg!(test) { 8 } else { 2_048 };

/// A run that is read record by record. Outputs are stored as JSON, and only on request, since types may have changed since.
#[derive(Debug)]
pub(crate) struct RunTail {
    run: Arc<StoredRun>,
    plan: RunPlan,
    history: RunHistory,
    /// The number of the last record in the history.
    last_applied: i64,
    /// The number of the run's last record, whether it was applied or not.
    last_record: i64,
    /// What must be known of all records before the first is applied; `None` before they were scanned.
    scanned: Option<Scan>,
    /// The ids of nodes that the run lost when it was resumed with another plan.
    removed: Vec<String>,
    keeps_outputs: bool,
    /// No later record is applied.
    until: i64,
}

/// What is known of all of a run's records.
#[derive(Debug, Clone, Copy)]
struct Scan {
    /// The number of the last of them.
    last_record: i64,
    /// True if the slots in the records have been renumbered since they were written.
    is_renumbered: bool,
}

/// The plan with which a run is shown.
#[derive(Debug, Clone)]
enum RunPlan {
    /// The pipeline's current plan, and the mapping of the run's nodes to it.
    Current(Arc<Plan>, Option<Remap>),
    /// The plan stored in the journal. The current plan, if there is one, adds details of nodes that both have.
    Stored { current: Option<Arc<Plan>>, why: Option<Arc<PlanMismatch>> },
}

/// The plans for runs that are read one after the other. A pipeline builds one plan for the same params, however many runs have
/// them, and it is compared only once with the plan stored with those runs.
#[cfg(feature = "dashboard")]
#[derive(Debug, Default)]
pub(crate) struct PlanCache(std::collections::HashMap<PlanKey, RunPlan>);

/// What runs shown with one plan have in common: their pipeline, their params as JSON, the stored plan, and whether they have
/// ended.
#[cfg(feature = "dashboard")]
type PlanKey = (String, String, Arc<str>, bool);

/// Why a run is not shown with its pipeline's current plan.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PlanMismatch {
    #[error("this program has no pipeline `{0}`")]
    NoPipeline(String),
    #[error(transparent)]
    Plan(#[from] PlanError),
    #[error(transparent)]
    Changed(#[from] PlanChanged),
}

/// Why a run's history cannot be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum HistoryError {
    #[error(transparent)]
    Journal(#[from] JournalError),
    #[error("the plan stored with run `{0}` cannot be read")]
    Skeleton(String),
    #[error(transparent)]
    Record(#[from] DecodeError),
}

impl RunPlan {
    fn of_run(pipeline: Option<&Pipeline>, run: &StoredRun) -> Self {
        let plan = match pipeline {
            None => Err(PlanMismatch::NoPipeline(run.pipeline.clone())),
            Some(pipeline) => pipeline.plan_of_run(&run.params).map_err(PlanMismatch::from),
        };
        match plan {
            Err(why) => Self::Stored { current: None, why: Some(Arc::new(why)) },
            Ok(plan) => Self::of(Arc::new(plan), run),
        }
    }

    fn of(current: Arc<Plan>, run: &StoredRun) -> Self {
        match current.match_skeleton(&run.skeleton, Accepts::Additions) {
            // A run that has ended never had nodes that were added since.
            Ok(Some(_)) if run.state.is_end() => Self::Stored { current: Some(current), why: None },
            Ok(remap) => Self::Current(current, remap),
            Err(changed) => Self::Stored { current: Some(current), why: Some(Arc::new(changed.into())) },
        }
    }
}

impl RunTail {
    /// Follows a run, with nothing read yet. `pipeline` is the run's pipeline, if this program has it.
    pub(crate) fn new(pipeline: Option<&Pipeline>, run: &StoredRun) -> Result<Self, HistoryError> {
        Self::with_plan(RunPlan::of_run(pipeline, run), Arc::new(run.clone()))
    }

    /// Follows one of several runs that share plans.
    #[cfg(feature = "dashboard")]
    pub(crate) fn one_of(plans: &mut PlanCache, pipeline: Option<&Pipeline>, run: &StoredRun) -> Result<Self, HistoryError> {
        let key = (run.pipeline.clone(), run.params.to_string(), Arc::clone(&run.skeleton), run.state.is_end());
        let plan = plans.0.entry(key).or_insert_with(|| RunPlan::of_run(pipeline, run));
        Self::with_plan(plan.clone(), Arc::new(run.clone()))
    }

    fn with_plan(plan: RunPlan, run: Arc<StoredRun>) -> Result<Self, HistoryError> {
        let shown = match &plan {
            RunPlan::Current(plan, _) => Arc::clone(plan),
            RunPlan::Stored { current, .. } => stored_plan(&run, current.as_deref(), &[])?,
        };
        let history = RunHistory::new(shown, run.started());
        let (scanned, removed) = (None, Vec::new());
        Ok(Self { run, plan, history, last_applied: 0, last_record: 0, scanned, removed, keeps_outputs: false, until: i64::MAX })
    }

    /// Stores the outputs of nodes as JSON. Must be called before anything is read.
    pub(crate) fn with_outputs(self) -> Self {
        Self { keeps_outputs: true, ..self }
    }

    /// Shows the run as it was after the record with that number. Must be called before a later record is read.
    pub(crate) fn up_to(self, number: i64) -> Self {
        Self { until: number, ..self }
    }

    /// Returns a copy that continues independently. The two share what neither changes.
    #[cfg(feature = "dashboard")]
    pub(crate) fn share(&mut self) -> Self {
        Self {
            run: Arc::clone(&self.run),
            plan: self.plan.clone(),
            history: self.history.share(),
            last_applied: self.last_applied,
            last_record: self.last_record,
            scanned: self.scanned,
            removed: self.removed.clone(),
            keeps_outputs: self.keeps_outputs,
            until: self.until,
        }
    }

    /// Reads what was recorded since the last call. It is consistent if the reader has a snapshot.
    pub(crate) fn catch_up(&mut self, reader: &Reader) -> Result<(), HistoryError> {
        while self.step(reader)? {}
        self.read_last_record(reader)
    }

    /// Reads the number of the run's last record, for callers that do not read that far.
    pub(crate) fn read_last_record(&mut self, reader: &Reader) -> Result<(), HistoryError> {
        self.last_record = reader.last_record(self.run.key)?;
        Ok(())
    }

    /// Reads some of what follows, but first only scans all records. Returns whether there was anything to do.
    pub(crate) fn step(&mut self, reader: &Reader) -> Result<bool, HistoryError> {
        if self.scanned.is_none() {
            self.scan(reader)?;
            if self.scanned.is_some_and(|scanned| scanned.is_renumbered) {
                self.apply_all(reader)?;
            }
            return Ok(true);
        }
        let mut read = reader.entries_between(self.run.key, self.last_applied, self.until, BATCH)?;
        if read.last == self.last_applied {
            return Ok(false);
        }
        if read.renamed || self.reveals_sensor(&read.entries) {
            // The run was resumed with another plan, or a supposed task is a sensor: the records read so far mean something else
            // now.
            self.restart(reader)?;
            return Ok(true);
        }
        if let RunPlan::Current(_, Some(remap)) = &self.plan {
            StoredEntry::remap(&mut read.entries, remap);
        }
        self.apply(read.entries)?;
        self.last_applied = read.last;
        Ok(true)
    }

    /// Scans the records before the first is applied: finds the sensors, if only records reveal them, and whether slots were
    /// renumbered since the records were written.
    fn scan(&mut self, reader: &Reader) -> Result<(), HistoryError> {
        let key = self.run.key;
        let scanned = loop {
            let scanned = Scan { last_record: reader.last_record(key)?, is_renumbered: reader.is_renamed(key)? };
            let RunPlan::Stored { current, .. } = &self.plan else { break scanned };
            let entries =
                if scanned.is_renumbered { reader.entries_after(key, 0)?.entries } else { reader.entries_of_sensors(key)? };
            // Resuming with another plan changes the skeleton and the records in one commit; a reader must not mix the two
            // states.
            match reader.run_of_key(key)? {
                Some(run) if run.skeleton != self.run.skeleton => self.run = Arc::new(run),
                _ => {
                    let plan = stored_plan(&self.run, current.as_deref(), &entries)?;
                    self.history = RunHistory::new(plan, self.run.started());
                    break scanned;
                }
            }
        };
        self.last_record = scanned.last_record;
        self.scanned = Some(scanned);
        Ok(())
    }

    /// Applies all records of a renumbered run at once, since the meaning of each depends on all that follow.
    fn apply_all(&mut self, reader: &Reader) -> Result<(), HistoryError> {
        let mut read = reader.entries_after(self.run.key, 0)?;
        if let RunPlan::Current(_, Some(remap)) = &self.plan {
            StoredEntry::remap(&mut read.entries, remap);
        }
        self.removed = read.removed;
        self.apply(read.entries)?;
        self.last_applied = read.last;
        Ok(())
    }

    fn restart(&mut self, reader: &Reader) -> Result<(), HistoryError> {
        let run = reader.run_of_key(self.run.key)?.map_or_else(|| Arc::clone(&self.run), Arc::new);
        let tail = match &self.plan {
            RunPlan::Current(plan, _) => Self::with_plan(RunPlan::of(Arc::clone(plan), &run), run),
            stored @ RunPlan::Stored { .. } => Self::with_plan(stored.clone(), run),
        };
        *self = Self { keeps_outputs: self.keeps_outputs, until: self.until, ..tail? };
        Ok(())
    }

    /// True if only records reveal the sensors and a new record reveals another one.
    fn reveals_sensor(&self, entries: &[StoredEntry]) -> bool {
        let known = self.scanned.map_or(0, |scanned| scanned.last_record);
        let is_new = |stored: &StoredEntry| {
            stored.number > known
                && match stored.entry.record {
                    Record::NotYet { slot, .. } => (slot as usize) >= self.history.len() || !self.history.is_sensor(slot),
                    _ => false,
                }
        };
        matches!(self.plan, RunPlan::Stored { .. }) && entries.iter().any(is_new)
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

    /// Returns the number of the run's last record, whether it was applied or not.
    pub(crate) fn last_record(&self) -> i64 {
        self.last_record
    }

    /// Returns the number of the last applied record.
    #[cfg(feature = "dashboard")]
    pub(crate) fn last_applied(&self) -> i64 {
        self.last_applied
    }

    /// True if the records were renumbered because the run was resumed with another plan. Then none can be applied before all are
    /// read.
    #[cfg(feature = "dashboard")]
    pub(crate) fn is_renumbered(&self) -> bool {
        self.scanned.is_some_and(|scanned| scanned.is_renumbered)
    }

    /// Takes over how far the run has progressed.
    #[cfg(feature = "dashboard")]
    pub(crate) fn take_last_record(&mut self, now: &Self) {
        self.last_record = now.last_record;
    }

    /// Returns the number of nodes that were copied since this was created, because copies of it have them unchanged.
    #[cfg(feature = "dashboard")]
    pub(crate) fn copied(&self) -> usize {
        self.history.copied()
    }

    /// Returns why it is shown with the stored plan, if the current one does not fit.
    pub(crate) fn plan_mismatch(&self) -> Option<&PlanMismatch> {
        match &self.plan {
            RunPlan::Current(..) => None,
            RunPlan::Stored { why, .. } => why.as_deref(),
        }
    }

    /// Returns the ids of the nodes that the run lost when a plan without them was accepted.
    pub(crate) fn removed(&self) -> &[String] {
        &self.removed
    }

    /// True if the node has ended, or its run has. Without a node: true if the run has.
    pub(crate) fn has_ended(&self, node: Option<&str>) -> bool {
        let ended = |slot: Slot| self.history.node(slot).state().is_end();
        self.history.state.is_end() || node.and_then(|node| self.history.find(node)).is_some_and(ended)
    }
}

/// Returns the plan stored with a run of these records.
fn stored_plan(run: &StoredRun, current: Option<&Plan>, entries: &[StoredEntry]) -> Result<Arc<Plan>, HistoryError> {
    let plan = Plan::from_journal(&run.skeleton, current).ok_or_else(|| HistoryError::Skeleton(run.run_id.clone()))?;
    let sensors = sensors(&plan, entries)?;
    Ok(Arc::new(plan.with_sensors(&sensors)))
}

/// Finds the nodes that were not ready at least once; only sensors can be.
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
