//! What a view of the runs is sent, one by one, and how much memory each takes in the queue.

use super::WatchedRun;
use super::queue::{Loss, Weigh};
use crate::engine::{Entry, NodeState, Record, RunIx, Slot};
use crate::observe::RunHistory;
use std::sync::Arc;
use std::time::Duration;

/// An event for a view to show.
#[derive(Debug)]
pub(crate) enum FeedEvent {
    /// A run that was not announced before.
    RunOpened(RunIx, Arc<WatchedRun>),
    /// A record of a run.
    RunEvent(RunIx, RunEvent),
    /// A finished run with no further events.
    RunForgotten(RunIx, Arc<WatchedRun>),
    /// A log line, without its line end.
    Log(String),
}

/// A record, with the state of its node right after it: a view may be late, and the run's history is then ahead of the event.
#[derive(Debug)]
pub(crate) struct RunEvent {
    /// Without the output that it may carry, which must not outlive its use in the run.
    pub(crate) entry: Entry,
    pub(crate) node: Option<NodeProgress>,
}

/// The state of a node right after an event about it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct NodeProgress {
    pub(crate) state: NodeState,
    pub(crate) attempts: u32,
    pub(crate) pokes: u32,
    pub(crate) started: Option<Duration>,
    /// The node whose failure made it `upstream_failed`.
    pub(crate) root_cause: Slot,
}

impl RunEvent {
    /// Creates the event for the last record that was applied to the run's history.
    pub(super) fn of(run: &RunHistory, entry: &Entry) -> Self {
        let node = entry.record.slot().map(|slot| {
            let node = run.node(slot);
            NodeProgress {
                state: node.state(),
                attempts: node.attempts(),
                pokes: node.pokes(),
                started: node.began(),
                root_cause: run.root_cause(slot),
            }
        });
        Self { entry: Entry { at: entry.at, record: for_display(&entry.record) }, node }
    }
}

/// Drops outputs and the memory of sensors. Both may be large, and neither is shown.
fn for_display(record: &Record) -> Record {
    match record {
        Record::Succeeded { slot, output: _ } => Record::Succeeded { slot: *slot, output: None },
        Record::NotYet { slot, next, memory: _ } => Record::NotYet { slot: *slot, next: *next, memory: None },
        Record::Retrying { slot, next, error, renew, memory: _ } => {
            Record::Retrying { slot: *slot, next: *next, error: Arc::clone(error), renew: *renew, memory: None }
        }
        record => record.clone(),
    }
}

/// The approximate size of a notification: an error text and a few names.
const NOTIFICATION: usize = 1 << 10;

impl Weigh for FeedEvent {
    fn weight(&self) -> usize {
        let more = match self {
            Self::RunOpened(_, run) | Self::RunForgotten(_, run) => run.weight(),
            Self::Log(line) => line.capacity(),
            Self::RunEvent(_, event) => match &event.entry.record {
                Record::CallbackDue { .. } => NOTIFICATION,
                record => record.payload(),
            },
        };
        size_of::<Self>() + more
    }

    fn count(&self, lost: &mut Loss) {
        match self {
            Self::Log(_) => lost.lines += 1,
            _ => lost.events += 1,
        }
    }
}
