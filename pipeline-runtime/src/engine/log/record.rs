//! Records: what happened to a run, in order. The journal stores them, and a run's state is their fold.

use super::super::ids::{Keys, Slot};
use super::super::states::RunState;
use crate::author::notify::Notification;
use crate::author::value::Value;
use crate::plan::Recipient;
use crate::time::Timestamp;
use std::sync::Arc;

/// An event and its time.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub(crate) at: Timestamp,
    pub(crate) record: Record,
}

/// An event.
#[derive(Debug, Clone)]
pub(crate) enum Record {
    /// An attempt of a body, or a poke, has started. `attempt` counts from 1 and stays the same over a sensor's pokes.
    Started { slot: Slot, attempt: u32 },
    /// A sensor answered `NotYet`.
    NotYet { slot: Slot, next: Timestamp, memory: Option<Arc<str>> },
    /// An attempt failed, and the next is scheduled.
    Retrying { slot: Slot, next: Timestamp, error: Arc<str>, renew: bool, memory: Option<Arc<str>> },
    /// An attempt was cut off by the end of its process: by a crash or, with `asked`, on request.
    Interrupted { slot: Slot, asked: bool },
    /// A mapping's list is known and the mapping has expanded: its elements now have slots. The elements are named by these keys,
    /// or without keys by their indices.
    Unfolded { slot: Slot, width: u32, keys: Option<Keys> },
    /// The node has its output. A gate's output follows from its upstream's and is not stored.
    Succeeded { slot: Slot, output: Option<Output> },
    /// The last attempt failed, or with `timed_out` a sensor's wait exceeded its timeout.
    Failed { slot: Slot, error: Arc<str>, timed_out: bool },
    /// The node will not run.
    Skipped { slot: Slot, why: Skip },
    /// The node cannot run because `cause` failed.
    UpstreamFailed { slot: Slot, cause: Slot },
    /// A manual retry: what happened to these nodes is undone.
    Cleared { slots: Box<[Slot]> },
    /// The run will end in that state once the pending teardowns have run. Nothing else starts any more.
    Ending { state: RunState },
    /// All nodes have ended.
    RunEnded { state: RunState },
    /// A notifier is to be called.
    CallbackDue { id: u32, recipient: Recipient, notification: Arc<Notification> },
    /// The notification was delivered.
    CallbackTold { id: u32 },
    /// The delivery failed. The next try is due at `next`, if there is one.
    CallbackFailed { id: u32, next: Option<Timestamp>, error: Arc<str> },
}

/// A node's output.
#[derive(Debug, Clone)]
pub(crate) struct Output {
    pub(crate) value: Value,
    /// The value as it is stored in a durable journal; `None` where the journal is in memory.
    pub(crate) json: Option<Arc<[u8]>>,
}

/// Why a node was skipped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Skip {
    /// The body asked for it.
    Body(Arc<str>),
    /// An upstream was skipped.
    Upstream(Slot),
    /// Its branch took another arm, or the node whose failure it handles did not fail.
    NotTaken,
    /// A sensor's timeout, with `on_timeout = "skip"`.
    Timeout(Arc<str>),
    /// Another node finished first.
    CutOff,
    /// The command `skip` was applied.
    ByHand,
    /// The run was cancelled or exceeded its timeout.
    RunEnded,
}

impl Skip {
    /// Returns the reason in words. `id` names a node.
    pub(crate) fn reason(&self, id: impl Fn(Slot) -> String) -> String {
        match self {
            Self::Body(why) | Self::Timeout(why) => why.to_string(),
            Self::Upstream(upstream) => format!("`{}` was skipped", id(*upstream)),
            Self::NotTaken => "its branch took another arm".into(),
            Self::CutOff => "its output is no longer needed".into(),
            Self::ByHand => "it was skipped manually".into(),
            Self::RunEnded => "the run ended before it did".into(),
        }
    }
}

impl Record {
    /// Returns the node that the record is about, if it is about one.
    pub(crate) fn slot(&self) -> Option<Slot> {
        match self {
            Self::Started { slot, .. }
            | Self::NotYet { slot, .. }
            | Self::Retrying { slot, .. }
            | Self::Interrupted { slot, .. }
            | Self::Unfolded { slot, .. }
            | Self::Succeeded { slot, .. }
            | Self::Failed { slot, .. }
            | Self::Skipped { slot, .. }
            | Self::UpstreamFailed { slot, .. } => Some(*slot),
            Self::Cleared { .. }
            | Self::Ending { .. }
            | Self::RunEnded { .. }
            | Self::CallbackDue { .. }
            | Self::CallbackTold { .. }
            | Self::CallbackFailed { .. } => None,
        }
    }

    /// Returns roughly how many bytes the record holds besides numbers: its texts, and an output as JSON.
    pub(crate) fn payload(&self) -> usize {
        match self {
            Self::Succeeded { output: Some(Output { json: Some(json), .. }), .. } => json.len(),
            Self::NotYet { memory, .. } => memory.as_ref().map_or(0, |memory| memory.len()),
            Self::Retrying { error, memory, .. } => error.len() + memory.as_ref().map_or(0, |memory| memory.len()),
            Self::Failed { error, .. } | Self::CallbackFailed { error, .. } => error.len(),
            Self::Skipped { why: Skip::Body(why) | Skip::Timeout(why), .. } => why.len(),
            Self::Unfolded { keys: Some(keys), .. } => keys.iter().map(|key| size_of::<Box<str>>() + key.len()).sum(),
            Self::Cleared { slots } => size_of_val(&**slots),
            Self::CallbackDue { notification, .. } => {
                size_of::<Notification>() + notification.error().map_or(0, str::len) + notification.run_id().len()
            }
            _ => 0,
        }
    }

    /// Returns all nodes that the record names.
    pub(crate) fn slots(&self) -> impl Iterator<Item = Slot> {
        let (other, many): (Option<Slot>, &[Slot]) = match self {
            Self::UpstreamFailed { cause: other, .. } | Self::Skipped { why: Skip::Upstream(other), .. } => (Some(*other), &[]),
            Self::Cleared { slots } => (None, slots),
            _ => (None, &[]),
        };
        self.slot().into_iter().chain(other).chain(many.iter().copied())
    }

    /// Calls `see` with each node that the record names.
    pub(crate) fn each_slot(&mut self, mut see: impl FnMut(&mut Slot)) {
        match self {
            Self::UpstreamFailed { slot, cause: other } | Self::Skipped { slot, why: Skip::Upstream(other) } => {
                see(slot);
                see(other);
            }
            Self::Started { slot, .. }
            | Self::NotYet { slot, .. }
            | Self::Retrying { slot, .. }
            | Self::Interrupted { slot, .. }
            | Self::Unfolded { slot, .. }
            | Self::Succeeded { slot, .. }
            | Self::Failed { slot, .. }
            | Self::Skipped { slot, .. } => see(slot),
            Self::Cleared { slots } => slots.iter_mut().for_each(see),
            Self::Ending { .. }
            | Self::RunEnded { .. }
            | Self::CallbackDue { .. }
            | Self::CallbackTold { .. }
            | Self::CallbackFailed { .. } => {}
        }
    }
}
