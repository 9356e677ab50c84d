//! Applies events to a run's history.

use super::super::metrics::{Counts, newest_object};
use super::node::HistoryLimits;
use super::{MAX_CALLBACKS, NodeHistory, RunHistory};
use crate::author::notify::Notification;
use crate::author::options::Mode;
use crate::author::value::Datum;
use crate::engine::{Entry, ExpansionIx, Keys, NodeAtCancel, NodeState, Record, RunState, Skip, Slot, ends_open_nodes};
use crate::plan::Recipient;
use crate::time::Timestamp;
use std::sync::Arc;
use std::time::Duration;

impl RunHistory {
    pub(crate) fn apply(&mut self, entry: &Entry) {
        let at = entry.at.since(self.started);
        self.now = self.now.max(at);
        match &entry.record {
            Record::Started { slot, attempt } => self.node_started(*slot, *attempt, at),
            Record::NotYet { slot, next, memory: _ } => self.node_not_yet(*slot, *next, at),
            Record::Retrying { slot, next, error, renew, memory: _ } => self.node_retrying(*slot, *next, error, *renew, at),
            Record::Interrupted { slot, .. } => self.node_interrupted(*slot, at),
            Record::Unfolded { slot, width, keys } => self.mapping_unfolded(*slot, *width, keys.clone(), at),
            Record::Succeeded { slot, output } => {
                self.node_succeeded(*slot, output.as_ref().map(|output| output.value.as_ref()), at);
            }
            Record::Failed { slot, error, timed_out } => self.node_failed(*slot, error, *timed_out, at),
            Record::Skipped { slot, why } => self.node_skipped(*slot, why, at),
            Record::UpstreamFailed { slot, cause } => self.node_upstream_failed(*slot, *cause, at),
            Record::Cleared { slots } => self.nodes_cleared(slots, at),
            // The nodes that it cuts off have their own records.
            Record::Ending { .. } => {}
            Record::RunEnded { state } => self.run_ended(*state, at),
            Record::CallbackDue { id, recipient, notification } => self.callback_due(*id, recipient, notification, at),
            Record::CallbackTold { id } => Arc::make_mut(&mut self.callbacks).delivered(*id, at),
            Record::CallbackFailed { id, next, error: _ } => Arc::make_mut(&mut self.callbacks).failed(*id, next.is_none()),
        }
    }

    /// An attempt of a body, or a poke, was started.
    pub(crate) fn node_started(&mut self, slot: Slot, attempt: u32, at: Duration) {
        let node = self.node(slot);
        let began = node.began();
        let due = match (node.due(), began) {
            (Some(due), Some(_)) => due,
            // After it was cleared, unless its upstreams were cleared as well and ended later.
            _ => self.ready_at(slot).max(node.cleared_at().unwrap_or_default()),
        };
        let is_new = began.is_none() || node.attempts() != attempt;
        let (ix, is_sensor) = (self.node_ix(slot), self.is_sensor(slot));
        self.counts.get_mut(ix as usize).started(at.saturating_sub(due), is_new);
        let limits = self.limits();
        self.change(slot, |node| node.started(attempt, is_sensor, at, limits));
    }

    /// A sensor was not ready.
    pub(crate) fn node_not_yet(&mut self, slot: Slot, next: Timestamp, at: Duration) {
        self.stopped(slot, at);
        // In mode `poke` it keeps its slot while it waits.
        let state = match &self.plan.policy(self.node_ix(slot)).sensor {
            Some(sensor) if sensor.mode == Mode::Poke => NodeState::Running,
            _ => NodeState::UpForReschedule,
        };
        let (next, limits) = (next.since(self.started), self.limits());
        self.change(slot, |node| node.not_yet(state, next, at, limits));
    }

    /// An attempt failed, and the next is due. With `renew` the failure was a wait that exceeded its timeout.
    pub(crate) fn node_retrying(&mut self, slot: Slot, next: Timestamp, error: &Arc<str>, renew: bool, at: Duration) {
        self.stopped(slot, at);
        self.count_failure(slot, renew);
        let (next, limits) = (next.since(self.started), self.limits());
        self.change(slot, |node| node.retrying(error, renew, next, at, limits));
    }

    /// An attempt was cut off by the end of its process.
    pub(crate) fn node_interrupted(&mut self, slot: Slot, at: Duration) {
        self.stopped(slot, at);
        let limits = self.limits();
        self.change(slot, |node| node.interrupted(at, limits));
    }

    /// A node succeeded. Metrics use the object that a sensor found.
    pub(crate) fn node_succeeded(&mut self, slot: Slot, output: Option<&dyn Datum>, at: Duration) {
        self.detected(slot, output, at);
        self.end(slot, at, |node, at, limits| node.ended(NodeState::Success, at, limits));
    }

    /// Stores the output of a node that succeeded. The output moves with the element, and is dropped when the node is cleared.
    pub(crate) fn node_has_output(&mut self, slot: Slot, json: Arc<[u8]>) {
        self.nodes.get_mut(slot as usize).has_output(json);
    }

    /// The last attempt failed.
    pub(crate) fn node_failed(&mut self, slot: Slot, error: &Arc<str>, timed_out: bool, at: Duration) {
        self.count_failure(slot, timed_out);
        self.end(slot, at, |node, at, limits| node.failed(error, at, limits));
    }

    /// The node will not run.
    pub(crate) fn node_skipped(&mut self, slot: Slot, why: &Skip, at: Duration) {
        if matches!(why, Skip::Timeout(_)) {
            self.count_failure(slot, true);
        }
        self.end(slot, at, |node, at, limits| node.skipped(why, at, limits));
    }

    /// The node cannot run because `cause` failed.
    pub(crate) fn node_upstream_failed(&mut self, slot: Slot, cause: Slot, at: Duration) {
        self.end(slot, at, |node, at, limits| node.upstream_failed(cause, at, limits));
    }

    /// Nodes are to be retried.
    pub(crate) fn nodes_cleared(&mut self, slots: &[Slot], at: Duration) {
        let limits = self.limits();
        for &slot in slots {
            self.change(slot, |node| node.cleared(at, limits));
        }
        if self.state.is_end() {
            self.reopened = Some(at);
            self.idle += at.saturating_sub(self.finished.unwrap_or(at));
        }
        (self.state, self.finished) = (RunState::Running, None);
    }

    /// A mapping's list is there, possibly again.
    pub(crate) fn mapping_unfolded(&mut self, slot: Slot, width: u32, keys: Option<Keys>, at: Duration) {
        let plan = Arc::clone(&self.plan);
        if let Some(each) = self.layout.each(&plan, slot) {
            let before = self.layout.of_each(slot);
            let expansion = Arc::make_mut(&mut self.layout).unfold(&plan, slot, each.scope, width, keys);
            self.grow();
            if let Some(before) = before {
                self.unfolded_again(before, expansion, at);
            }
        }
        let limits = self.limits();
        self.change(slot, |node| node.unfolded(at, limits));
    }

    /// Moves the history of elements in both lists to their new slots, and marks the surplus ones as removed.
    fn unfolded_again(&mut self, old: ExpansionIx, new: ExpansionIx, at: Duration) {
        let kept = self.layout.matches(old, new);
        for (from, to) in self.layout.moves(old, new, &kept) {
            self.node_moved(from, to);
        }
        Arc::make_mut(&mut self.layout).rename(old, new, &kept);
        for slot in self.layout.surplus(old, &kept) {
            self.node_removed(slot, at);
        }
    }

    /// Moves the history of a node at `from` to `to`.
    pub(crate) fn node_moved(&mut self, from: Slot, to: Slot) {
        let node = self.change(from, NodeHistory::moved);
        self.change(to, |here| *here = node);
    }

    /// A node's element is no longer in its list.
    pub(crate) fn node_removed(&mut self, slot: Slot, at: Duration) {
        if self.node(slot).state() == NodeState::Removed {
            return;
        }
        let limits = self.limits();
        if self.node(slot).state().is_end() {
            // Its waiting time has been counted.
            self.change(slot, |node| node.removed(at, limits));
        } else {
            self.end(slot, at, NodeHistory::removed);
        }
    }

    /// All nodes have ended.
    pub(crate) fn run_ended(&mut self, state: RunState, at: Duration) {
        let slots = 0..u32::try_from(self.nodes.len()).unwrap_or(u32::MAX);
        let found = |slot| {
            let node = self.node(slot);
            let is_cut_off = matches!(node.why_skipped(), Some(Skip::RunEnded));
            NodeAtCancel { is_body: self.is_body(slot), state: node.state(), is_cut_off }
        };
        if state == RunState::Cancelled && ends_open_nodes(slots.clone().map(found)) {
            for slot in slots {
                if !self.node(slot).state().is_end() {
                    self.node_skipped(slot, &Skip::RunEnded, at);
                }
            }
        }
        (self.state, self.finished) = (state, Some(at));
    }

    /// A callback became due.
    pub(crate) fn callback_due(&mut self, id: u32, recipient: &Recipient, notification: &Notification, at: Duration) {
        let notifier = recipient.label.as_deref().unwrap_or("the notifier of an earlier version").to_owned();
        Arc::make_mut(&mut self.callbacks).due(id, notifier, notification, at);
        if !self.keeps_all {
            Arc::make_mut(&mut self.callbacks).limit_to(MAX_CALLBACKS);
        }
    }

    fn end(&mut self, slot: Slot, at: Duration, end: impl FnOnce(&mut NodeHistory, Duration, HistoryLimits)) {
        self.stopped(slot, at);
        if let Some(began) = self.node(slot).began().filter(|_| self.is_sensor(slot)) {
            self.counts_of(slot).waited(at.saturating_sub(began));
        }
        let limits = self.limits();
        self.change(slot, |node| end(node, at, limits));
    }

    /// A body ended, if one ran.
    fn stopped(&mut self, slot: Slot, at: Duration) {
        if let Some(since) = self.node(slot).working_since() {
            let is_sensor = self.is_sensor(slot);
            self.counts_of(slot).stopped(at.saturating_sub(since), is_sensor);
        }
    }

    fn count_failure(&mut self, slot: Slot, timed_out: bool) {
        let counts = self.counts_of(slot);
        if timed_out { counts.timed_out() } else { counts.failed() }
    }

    /// Records how long an object had existed when a sensor found it, if it arrived while the sensor waited.
    fn detected(&mut self, slot: Slot, output: Option<&dyn Datum>, at: Duration) {
        let found = output.filter(|_| self.is_sensor(slot)).and_then(newest_object);
        let Some((object, began)) = found.zip(self.node(slot).began()) else { return };
        let arrived = Timestamp::from(object.last_modified);
        if arrived >= self.started + began {
            let after = (self.started + at).since(arrived);
            self.counts_of(slot).detected(after);
        }
    }

    fn counts_of(&mut self, slot: Slot) -> &mut Counts {
        let ix = self.node_ix(slot);
        self.counts.get_mut(ix as usize)
    }

    /// Changes a node, and the count of its state.
    fn change<R>(&mut self, slot: Slot, change: impl FnOnce(&mut NodeHistory) -> R) -> R {
        let node = self.nodes.get_mut(slot as usize);
        let before = node.state();
        let result = change(node);
        let after = node.state();
        if before != after && self.is_body(slot) {
            self.state_counts[before as usize] -= 1;
            self.state_counts[after as usize] += 1;
        }
        result
    }
}
