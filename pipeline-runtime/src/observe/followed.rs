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

/// So many records are read at once, and not more: of a long run all of them together would take more memory than what they tell.
const AT_ONCE: u32 = if cfg!(test) { 8 } else { 2_048 };

/// A run that is read record by record. Outputs are kept as JSON, and only for whoever asks for them: types may have changed since.
#[derive(Debug)]
pub(crate) struct Followed {
    run: Arc<StoredRun>,
    plan: PlanOfRun,
    history: RunHistory,
    /// The number of the last record that the history has.
    told: i64,
    /// The number of the run's last record, whether it is told or not.
    last: i64,
    /// What has to be known of all records before the first of them is told; none before it is.
    looked: Option<Looked>,
    /// The ids of nodes that a run lost as it went on with another plan.
    removed: Vec<String>,
    keeps_outputs: bool,
    /// No record after that one is told.
    until: i64,
}

/// What is known of all of a run's records.
#[derive(Debug, Clone, Copy)]
struct Looked {
    /// The number of the last of them.
    last: i64,
    /// Its records name other slots than they did as they were written.
    is_renamed: bool,
}

/// By which plan a run is told.
#[derive(Debug, Clone)]
enum PlanOfRun {
    /// The pipeline's present plan, and what the run's nodes are called there.
    Present(Arc<Plan>, Option<Remap>),
    /// That which the journal has kept. The present plan, if there is one, says more of the nodes that both have.
    Kept { present: Option<Arc<Plan>>, why: Option<Arc<NotPresent>> },
}

/// The plans by which runs are told that are read one after the other. A pipeline makes one plan of the same params, however many runs have them, and it is
/// compared once with the plan that the journal has kept with them.
#[cfg(feature = "dashboard")]
#[derive(Debug, Default)]
pub(crate) struct Plans(std::collections::HashMap<Like, PlanOfRun>);

/// What runs have in common that are told by one plan: their pipeline, their params as JSON, the plan that the journal has kept, and whether they have ended.
#[cfg(feature = "dashboard")]
type Like = (String, String, Arc<str>, bool);

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

impl PlanOfRun {
    fn find(pipeline: Option<&Pipeline>, run: &StoredRun) -> Self {
        let plan = match pipeline {
            None => Err(NotPresent::NoPipeline(run.pipeline.clone())),
            Some(pipeline) => pipeline.plan_of_run(&run.params).map_err(NotPresent::from),
        };
        match plan {
            Err(why) => Self::Kept { present: None, why: Some(Arc::new(why)) },
            Ok(plan) => Self::of(Arc::new(plan), run),
        }
    }

    fn of(present: Arc<Plan>, run: &StoredRun) -> Self {
        match present.match_skeleton(&run.skeleton, Accepts::Additions) {
            // A run that has ended never had what was added since.
            Ok(Some(_)) if run.state.is_end() => Self::Kept { present: Some(present), why: None },
            Ok(remap) => Self::Present(present, remap),
            Err(changed) => Self::Kept { present: Some(present), why: Some(Arc::new(changed.into())) },
        }
    }
}

impl Followed {
    /// Of a run, with nothing read yet. `pipeline` is the run's pipeline, where this program has it.
    pub(crate) fn new(pipeline: Option<&Pipeline>, run: &StoredRun) -> Result<Self, HistoryError> {
        Self::by(PlanOfRun::find(pipeline, run), Arc::new(run.clone()))
    }

    /// The same of one of several runs.
    #[cfg(feature = "dashboard")]
    pub(crate) fn one_of(plans: &mut Plans, pipeline: Option<&Pipeline>, run: &StoredRun) -> Result<Self, HistoryError> {
        let like = (run.pipeline.clone(), run.params.to_string(), Arc::clone(&run.skeleton), run.state.is_end());
        let plan = plans.0.entry(like).or_insert_with(|| PlanOfRun::find(pipeline, run));
        Self::by(plan.clone(), Arc::new(run.clone()))
    }

    fn by(plan: PlanOfRun, run: Arc<StoredRun>) -> Result<Self, HistoryError> {
        let shown = match &plan {
            PlanOfRun::Present(plan, _) => Arc::clone(plan),
            PlanOfRun::Kept { present, .. } => kept(&run, present.as_deref(), &[])?,
        };
        let history = RunHistory::new(shown, run.started());
        let (looked, removed) = (None, Vec::new());
        Ok(Self { run, plan, history, told: 0, last: 0, looked, removed, keeps_outputs: false, until: i64::MAX })
    }

    /// Keeps what nodes returned, as JSON. To be called before anything is read.
    pub(crate) fn with_outputs(self) -> Self {
        Self { keeps_outputs: true, ..self }
    }

    /// Tells the run as it was after the record of that number, which has not been told yet.
    pub(crate) fn up_to(self, number: i64) -> Self {
        Self { until: number, ..self }
    }

    /// A copy, which goes on by itself. It shares with this one what neither changes.
    #[cfg(feature = "dashboard")]
    pub(crate) fn share(&mut self) -> Self {
        Self {
            run: Arc::clone(&self.run),
            plan: self.plan.clone(),
            history: self.history.share(),
            told: self.told,
            last: self.last,
            looked: self.looked,
            removed: self.removed.clone(),
            keeps_outputs: self.keeps_outputs,
            until: self.until,
        }
    }

    /// Reads what has been recorded since. All is of one moment where the reader keeps to one.
    pub(crate) fn go_on(&mut self, reader: &Reader) -> Result<(), HistoryError> {
        while self.step(reader)? {}
        self.see_last(reader)
    }

    /// Finds out the number of the run's last record, for whoever does not read that far.
    pub(crate) fn see_last(&mut self, reader: &Reader) -> Result<(), HistoryError> {
        self.last = reader.last_record(self.run.key)?;
        Ok(())
    }

    /// Reads some of what follows; first of all only what has to be known before anything is told. Returns whether there was any.
    pub(crate) fn step(&mut self, reader: &Reader) -> Result<bool, HistoryError> {
        if self.looked.is_none() {
            self.look(reader)?;
            if self.looked.is_some_and(|looked| looked.is_renamed) {
                self.tell_all(reader)?;
            }
            return Ok(true);
        }
        let mut read = reader.entries_between(self.run.key, self.told, self.until, AT_ONCE)?;
        if read.last == self.told {
            return Ok(false);
        }
        if read.renamed || self.shows_another_plan(&read.entries) {
            // Somebody goes on with the run with another plan, or what was taken for a task is a sensor: what was read means something else now.
            self.begin_anew(reader)?;
            return Ok(true);
        }
        if let PlanOfRun::Present(_, Some(remap)) = &self.plan {
            StoredEntry::remap(&mut read.entries, remap);
        }
        self.apply(read.entries)?;
        self.told = read.last;
        Ok(true)
    }

    /// Finds out what has to be known before the first record is told: which nodes are sensors where only records say so, and whether they name what they
    /// named as they were written.
    fn look(&mut self, reader: &Reader) -> Result<(), HistoryError> {
        let key = self.run.key;
        let looked = loop {
            let looked = Looked { last: reader.last_record(key)?, is_renamed: reader.is_renamed(key)? };
            let PlanOfRun::Kept { present, .. } = &self.plan else { break looked };
            let entries =
                if looked.is_renamed { reader.entries_after(key, 0)?.entries } else { reader.entries_of_sensors(key)? };
            // Whoever goes on with the run by another plan changes that and the records at once, and no reader may see halves.
            match reader.run_of_key(key)? {
                Some(run) if run.skeleton != self.run.skeleton => self.run = Arc::new(run),
                _ => {
                    let plan = kept(&self.run, present.as_deref(), &entries)?;
                    self.history = RunHistory::new(plan, self.run.started());
                    break looked;
                }
            }
        };
        self.last = looked.last;
        self.looked = Some(looked);
        Ok(())
    }

    /// Tells a run whose records mean what they do by all that follow: they are read at once.
    fn tell_all(&mut self, reader: &Reader) -> Result<(), HistoryError> {
        let mut read = reader.entries_after(self.run.key, 0)?;
        if let PlanOfRun::Present(_, Some(remap)) = &self.plan {
            StoredEntry::remap(&mut read.entries, remap);
        }
        self.removed = read.removed;
        self.apply(read.entries)?;
        self.told = read.last;
        Ok(())
    }

    fn begin_anew(&mut self, reader: &Reader) -> Result<(), HistoryError> {
        let run = reader.run_of_key(self.run.key)?.map_or_else(|| Arc::clone(&self.run), Arc::new);
        let anew = match &self.plan {
            PlanOfRun::Present(plan, _) => Self::by(PlanOfRun::of(Arc::clone(plan), &run), run),
            kept @ PlanOfRun::Kept { .. } => Self::by(kept.clone(), run),
        };
        *self = Self { keeps_outputs: self.keeps_outputs, until: self.until, ..anew? };
        Ok(())
    }

    /// Whether, where only records say which nodes are sensors, a record that nobody knew of says it of another one.
    fn shows_another_plan(&self, entries: &[StoredEntry]) -> bool {
        let known = self.looked.map_or(0, |looked| looked.last);
        let is_new = |stored: &StoredEntry| {
            stored.number > known
                && match stored.entry.record {
                    Record::NotYet { slot, .. } => (slot as usize) >= self.history.len() || !self.history.is_sensor(slot),
                    _ => false,
                }
        };
        matches!(self.plan, PlanOfRun::Kept { .. }) && entries.iter().any(is_new)
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

    /// The number of the last record that is told.
    #[cfg(feature = "dashboard")]
    pub(crate) fn told(&self) -> i64 {
        self.told
    }

    /// Whether its records mean what they do by all that follow, as the run went on with another plan once: then none can be told before all are read.
    #[cfg(feature = "dashboard")]
    pub(crate) fn is_renamed(&self) -> bool {
        self.looked.is_some_and(|looked| looked.is_renamed)
    }

    /// Takes over how far the run has come.
    #[cfg(feature = "dashboard")]
    pub(crate) fn follow(&mut self, now: &Self) {
        self.last = now.last;
    }

    /// How many nodes were copied since this was made, as copies have them as they were.
    #[cfg(feature = "dashboard")]
    pub(crate) fn copied(&self) -> usize {
        self.history.copied()
    }

    /// Why it is told by the plan that the journal has kept, where the present one does not fit.
    pub(crate) fn not_present(&self) -> Option<&NotPresent> {
        match &self.plan {
            PlanOfRun::Present(..) => None,
            PlanOfRun::Kept { why, .. } => why.as_deref(),
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
