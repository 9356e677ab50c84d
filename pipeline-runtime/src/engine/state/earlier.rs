//! What earlier processes did about a node, where they stored that instead of records: for a task of Airflow's.

use super::super::ids::Slot;
use super::super::states::NodeState;
use super::run::Run;
use crate::time::{Moment, Timestamp};
use serde::{Deserialize, Serialize};

/// What a node's next attempt or poke must know of the earlier ones. Times are nanoseconds since 1970.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Earlier {
    /// The attempt that is due, from 1.
    pub(crate) attempt: u32,
    pub(crate) starts: u32,
    pub(crate) first_start: Option<i64>,
    pub(crate) last_start: Option<i64>,
    /// When it is due; `None` if it was cut off.
    pub(crate) next: Option<i64>,
    /// The start of a sensor's budget.
    pub(crate) budget_from: Option<i64>,
    pub(crate) pokes: u32,
    pub(crate) pokes_in_budget: u32,
    /// Interruptions since the last attempt that reached its end.
    pub(crate) interruptions: u32,
    /// The node's memory.
    pub(crate) memory: Option<String>,
}

impl Run {
    /// Returns what the node's next process must know.
    pub(crate) fn earlier(&self, slot: Slot) -> Earlier {
        let node = self.node(slot);
        let nanos = |time: Option<Timestamp>| time.map(Timestamp::as_nanos);
        Earlier {
            attempt: node.attempt(),
            starts: node.starts(),
            first_start: nanos(node.first_start()),
            last_start: nanos(node.first_start().map(|_| node.last_start())),
            next: nanos(node.next()),
            budget_from: nanos(node.budget_from()),
            pokes: node.pokes(),
            pokes_in_budget: node.pokes_in_budget(),
            interruptions: node.interruptions(),
            memory: node.memory().map(ToString::to_string),
        }
    }

    /// Makes the run fail however its nodes end, because something about it cannot be right.
    pub(crate) fn must_fail(&mut self) {
        self.failures += 1;
    }

    /// Restores a node as an earlier process left it, before anything happens to it here.
    pub(crate) fn take_up(&mut self, slot: Slot, earlier: &Earlier) {
        let moment = |nanos: Option<i64>| nanos.map_or(Moment::NONE, |nanos| Timestamp::from_nanos(nanos).into());
        let is_sensor = self.plan().policy(self.ix(slot)).sensor.is_some();
        let node = self.node_mut(slot);
        node.starts = earlier.starts;
        node.first_start = moment(earlier.first_start);
        let more = node.more();
        more.attempt = earlier.attempt;
        more.interruptions = earlier.interruptions;
        more.last_start = moment(earlier.last_start);
        more.next = moment(earlier.next);
        more.budget_from = moment(earlier.budget_from);
        (more.pokes, more.pokes_in_budget) = (earlier.pokes, earlier.pokes_in_budget);
        if let Some(memory) = &earlier.memory {
            more.rare().memory = Some(memory.as_str().into());
        }
        // A node that was cut off starts like a new one: its upstreams determine its state.
        if earlier.next.is_some() {
            node.waits = 0;
            node.state = if is_sensor { NodeState::UpForReschedule } else { NodeState::UpForRetry };
        }
    }
}
