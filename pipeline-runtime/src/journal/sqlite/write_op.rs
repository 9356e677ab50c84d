//! What can be submitted to the writer: one [`WriteOp`] for each change of the journal.
//!
//! It is apart from the writer because the queue needs it as well, which counts the bytes of what waits.

use super::acts::Act;
use super::inbox::Ticket;
use super::prune::Pass;
use super::updates::{NewUpdate, NodePassed};
use crate::author::context::RunUpdate;
use crate::author::previous::Previous;
use crate::author::setting::SettingValues;
use crate::engine::{Entry, Record, RunState, Todo};
use crate::journal::{RunKey, StoredRun};
use crate::plan::Remap;
use crate::schedule::RunKind;
use crate::time::Timestamp;
use std::sync::{Arc, mpsc};
use tokio::sync::oneshot;

/// One change of the journal, or work of the writer that follows it.
#[derive(Debug)]
pub(super) enum WriteOp {
    EnterRun {
        run: Box<StoredRun>,
        /// The command that made the run.
        ticket: Option<Ticket>,
        /// The updates of assets that started the run, or that it reads.
        updates: Box<[RunUpdate]>,
    },
    /// The effect of a command. A commit has both it and the note that the command was carried out, or neither.
    ForCommand {
        ticket: Ticket,
        op: Box<Self>,
    },
    /// A run is resumed with another plan: the slots in its earlier records are translated at this point.
    Remap {
        run: RunKey,
        skeleton: Box<str>,
        remap: Remap,
    },
    /// A run is resumed with code that takes settings or reads assets that it began without. It has these from here on.
    AddInputs {
        run: RunKey,
        settings: SettingValues,
        updates: Box<[RunUpdate]>,
    },
    Commit(Batch),
    /// Log lines are in the backlog.
    Logs,
    /// A waiting run begins.
    BeginRun(Box<RunStart>),
    /// This process cannot resume a run, with the reason; or it can again.
    BlockRun {
        run: RunKey,
        reason: Option<Box<str>>,
    },
    /// Somebody asked something of this process itself.
    Act(Box<Act>),
    /// A pipeline's schedule is paused or resumed.
    Pause {
        pipeline: Box<str>,
        paused: bool,
    },
    /// An asset is updated from outside.
    Update(Box<NewUpdate>),
    /// A setting is set.
    Set(Box<SettingChange>),
    /// A command's answer.
    Answer {
        ticket: Ticket,
        answer: Box<str>,
        /// What is stored of it as an act.
        done: bool,
        act_text: Box<str>,
    },
    /// The next step of a pass over old runs. It is done separately, once the other operations of the commit are durable and their
    /// actions have been carried out.
    Prune {
        pass: Box<Pass>,
        done: oneshot::Sender<Box<Pass>>,
    },
    /// Reports when everything before it is committed.
    Sync(mpsc::SyncSender<()>),
    Close,
}

/// A setting's new value, or its default if there is none.
#[derive(Debug)]
pub(super) struct SettingChange {
    pub(super) name: String,
    pub(super) value: Option<serde_json::Value>,
    pub(super) at: Timestamp,
}

/// What a run gets when it begins.
#[derive(Debug, Clone)]
pub(crate) struct RunStart {
    pub(crate) run: RunKey,
    pub(crate) at: Timestamp,
    pub(crate) previous: Option<Previous>,
    pub(crate) skeleton: Arc<str>,
    /// The updates of assets that it reads.
    pub(crate) updates: Box<[RunUpdate]>,
    /// The settings that it begins with.
    pub(crate) settings: SettingValues,
}

impl WriteOp {
    /// Returns roughly how much memory the operation takes while it is queued: the texts and outputs that make it large.
    pub(super) fn bytes(&self) -> u64 {
        let bytes = match self {
            Self::ForCommand { op, .. } => return op.bytes(),
            Self::EnterRun { run, updates, .. } => {
                let of_run = size_of::<StoredRun>() + run.run_id.len() + run.pipeline.len() + json_bytes(&run.params);
                of_run + inputs_bytes(&run.settings, updates)
            }
            Self::Remap { skeleton, .. } => 2 * skeleton.len(),
            Self::AddInputs { settings, updates, .. } => inputs_bytes(settings, updates),
            Self::Commit(batch) => batch.bytes(),
            Self::BeginRun(start) => size_of::<RunStart>() + inputs_bytes(&start.settings, &start.updates),
            Self::BlockRun { reason, .. } => reason.as_ref().map_or(0, |reason| reason.len()),
            Self::Act(act) => act.bytes(),
            Self::Pause { pipeline, .. } => pipeline.len(),
            Self::Update(update) => update.bytes(),
            Self::Set(set) => set.name.len() + set.value.as_ref().map_or(0, json_bytes),
            Self::Answer { answer, act_text, .. } => answer.len() + act_text.len(),
            Self::Prune { .. } => size_of::<Pass>(),
            Self::Logs | Self::Sync(_) | Self::Close => 0,
        };
        (size_of::<Self>() + bytes) as u64
    }

    /// True if nobody waits for the operation by itself.
    pub(super) fn is_not_awaited(&self) -> bool {
        matches!(self, Self::Logs | Self::EnterRun { .. } | Self::BeginRun(_) | Self::Remap { .. } | Self::AddInputs { .. })
    }

    /// Returns the runs that end with it, about which the writer no longer has to remember anything.
    pub(super) fn ended(&self) -> impl Iterator<Item = RunKey> {
        let records = match self {
            Self::Commit(batch) => batch.records.as_slice(),
            Self::ForCommand { op, .. } => match &**op {
                Self::Commit(batch) => batch.records.as_slice(),
                _ => &[],
            },
            _ => &[],
        };
        records.iter().filter(|(_, entry)| matches!(entry.record, Record::RunEnded { .. })).map(|(run, _)| *run)
    }
}

/// Records, and the actions that follow once they are durable.
#[derive(Debug)]
pub(super) struct Batch {
    pub(super) records: Vec<(RunKey, Entry)>,
    /// The updates of assets that follow from the records.
    pub(super) updates: Vec<NewUpdate>,
    /// What the records mean for later runs.
    pub(super) passed: Vec<NodePassed>,
    /// The runs that end by them, if the engine hosts these: their pipelines, kinds and states.
    pub(super) ended: Vec<(&'static str, RunKind, RunState)>,
    pub(super) todo: Todo,
}

impl Batch {
    /// Records without a node's success.
    pub(super) fn of(records: Vec<(RunKey, Entry)>) -> Self {
        Self { records, updates: Vec::new(), passed: Vec::new(), ended: Vec::new(), todo: Todo::default() }
    }

    fn bytes(&self) -> usize {
        let of_entry = |(_, entry): &(RunKey, Entry)| size_of::<(RunKey, Entry)>() + entry.record.payload();
        self.records.iter().map(of_entry).sum::<usize>()
            + self.updates.iter().map(NewUpdate::bytes).sum::<usize>()
            + self.todo.bytes()
    }
}

/// Returns the size of what a run reads.
fn inputs_bytes(settings: &SettingValues, updates: &[RunUpdate]) -> usize {
    settings.values().map(json_bytes).sum::<usize>() + size_of_val(updates)
}

/// Returns the size of a value's texts, at all depths.
fn json_bytes(value: &serde_json::Value) -> usize {
    use serde_json::Value;
    size_of::<Value>()
        + match value {
            Value::String(text) => text.len(),
            Value::Array(items) => items.iter().map(json_bytes).sum(),
            Value::Object(fields) => fields.iter().map(|(name, value)| name.len() + json_bytes(value)).sum(),
            _ => 0,
        }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_settings_of_a_run_count_wherever_they_are_written() {
        let settings = SettingValues::from_iter([("rates".to_owned(), "x".repeat(10_000).into())]);
        let previous = None;
        let (skeleton, updates) = ("{}".into(), Box::default());
        let at = Timestamp::default();
        let start = RunStart { run: 1, at, previous, skeleton, updates, settings: settings.clone() };
        assert!(WriteOp::BeginRun(Box::new(start)).bytes() > 10_000);
        assert!(WriteOp::AddInputs { run: 1, settings, updates: Box::default() }.bytes() > 10_000);
    }
}
