//! The history of one node, with a method for each event.

use super::activities::{Activities, Activity, ActivityCode, Span};
use super::offset::Offset;
use crate::engine::{NodeState, Skip, Slot};
use std::sync::Arc;
use std::time::Duration;

/// The events of one node so far. Times are offsets from its run's start.
///
/// It is small, since a million sensors may wait at once: data that only some nodes have is stored separately, and data from the
/// plan, such as the node's id, is not repeated here.
#[derive(Debug, Clone, Default)]
pub(crate) struct NodeHistory {
    state: NodeState,
    attempts: u32,
    pokes: u32,
    activities: Activities,
    next: Offset,
    budget_from: Offset,
    more: Option<Box<RareFields>>,
}

/// Data that only some nodes have.
#[derive(Debug, Clone, Default)]
struct RareFields {
    error: Option<Arc<str>>,
    skipped: Option<Skip>,
    /// The node whose failure made it `upstream_failed`.
    cause: Option<Slot>,
    /// When it was last cleared, and first started since.
    cleared: Offset,
    restarted: Offset,
    /// The failed and interrupted attempts, in order.
    failed_attempts: Vec<FailedAttempt>,
    /// Its output as JSON, if outputs are read.
    output: Option<Arc<[u8]>>,
}

/// A failed or interrupted attempt.
#[derive(Debug, Clone)]
pub(crate) struct FailedAttempt {
    pub(crate) attempt: u32,
    /// When it, or its last poke, began.
    pub(crate) from: Option<Duration>,
    pub(crate) at: Duration,
    /// Its error; `None` if its process ended first.
    pub(crate) error: Option<Arc<str>>,
}

/// How much of a node's past is stored individually; counts are always complete.
#[derive(Debug, Clone, Copy)]
pub(crate) struct HistoryLimits {
    pub(crate) activities: usize,
    pub(crate) failed_attempts: usize,
}

/// The events.
impl NodeHistory {
    /// An attempt or a poke was started.
    pub(super) fn started(&mut self, attempt: u32, is_sensor: bool, at: Duration, limits: HistoryLimits) {
        self.state = NodeState::Running;
        self.attempts = attempt;
        self.next = Offset::NONE;
        if is_sensor {
            self.pokes = self.pokes.saturating_add(1);
            self.budget_from.get_or_insert(at);
        }
        if let Some(more) = self.more.as_mut().filter(|more| more.cleared != Offset::NONE) {
            more.restarted.get_or_insert(at);
        }
        self.activities.begin(ActivityCode::Working, at, limits.activities);
    }

    /// A sensor was not ready. `state` depends on its mode.
    pub(super) fn not_yet(&mut self, state: NodeState, next: Duration, at: Duration, limits: HistoryLimits) {
        self.state = state;
        self.next = next.into();
        self.activities.begin(ActivityCode::Waiting, at, limits.activities);
    }

    /// An attempt failed, and the next is due; `renew` restarts a sensor's budget.
    pub(super) fn retrying(&mut self, error: &Arc<str>, renew: bool, next: Duration, at: Duration, limits: HistoryLimits) {
        self.state = NodeState::UpForRetry;
        self.next = next.into();
        self.failed_attempt(Some(error), at, limits);
        if renew {
            self.budget_from = Offset::NONE;
        }
        self.activities.begin(ActivityCode::Retrying, at, limits.activities);
    }

    /// An attempt was cut off by the end of its process.
    pub(super) fn interrupted(&mut self, at: Duration, limits: HistoryLimits) {
        self.state = NodeState::Scheduled;
        self.failed_attempt(None, at, limits);
        self.activities.begin(ActivityCode::Nothing, at, limits.activities);
    }

    /// A mapping's list is there.
    pub(super) fn unfolded(&mut self, at: Duration, limits: HistoryLimits) {
        self.state = NodeState::Running;
        self.activities.begin(ActivityCode::Working, at, limits.activities);
    }

    /// The last attempt failed.
    pub(super) fn failed(&mut self, error: &Arc<str>, at: Duration, limits: HistoryLimits) {
        self.failed_attempt(Some(error), at, limits);
        self.ended(NodeState::Failed, at, limits);
    }

    /// The node will not run.
    pub(super) fn skipped(&mut self, why: &Skip, at: Duration, limits: HistoryLimits) {
        self.more().skipped = Some(why.clone());
        self.ended(NodeState::Skipped, at, limits);
    }

    /// The node cannot run.
    pub(super) fn upstream_failed(&mut self, cause: Slot, at: Duration, limits: HistoryLimits) {
        self.more().cause = Some(cause);
        self.ended(NodeState::UpstreamFailed, at, limits);
    }

    /// The node ended in that state.
    pub(super) fn ended(&mut self, state: NodeState, at: Duration, limits: HistoryLimits) {
        self.state = state;
        self.next = Offset::NONE;
        if let Some(more) = self.more.as_mut().filter(|_| state == NodeState::Success) {
            more.error = None;
        }
        self.activities.begin(ActivityCode::Nothing, at, limits.activities);
    }

    /// The node is to be retried. Its end is undone; its attempts are not.
    pub(super) fn cleared(&mut self, at: Duration, limits: HistoryLimits) {
        self.state = NodeState::None;
        self.next = Offset::NONE;
        self.budget_from = Offset::NONE;
        let more = self.more();
        (more.cause, more.skipped, more.output) = (None, None, None);
        (more.cleared, more.restarted) = (at.into(), Offset::NONE);
        self.activities.begin(ActivityCode::Nothing, at, limits.activities);
    }

    /// Its element is no longer in its list.
    pub(super) fn removed(&mut self, at: Duration, limits: HistoryLimits) {
        self.ended(NodeState::Removed, at, limits);
    }

    /// Moves its history to another slot; nothing is left here.
    pub(super) fn moved(&mut self) -> Self {
        std::mem::replace(self, Self { state: NodeState::Removed, ..Self::default() })
    }

    /// Stores its output.
    pub(super) fn has_output(&mut self, json: Arc<[u8]>) {
        self.more().output = Some(json);
    }

    fn more(&mut self) -> &mut RareFields {
        self.more.get_or_insert_default()
    }

    fn failed_attempt(&mut self, error: Option<&Arc<str>>, at: Duration, limits: HistoryLimits) {
        let failed_attempt =
            FailedAttempt { attempt: self.attempts, from: self.activities.last_start(), at, error: error.cloned() };
        let more = self.more();
        if let Some(error) = error {
            more.error = Some(Arc::clone(error));
        }
        let over = (more.failed_attempts.len() + 1).saturating_sub(limits.failed_attempts.max(1));
        more.failed_attempts.drain(..over);
        more.failed_attempts.push(failed_attempt);
    }
}

/// Queries.
impl NodeHistory {
    pub(crate) fn state(&self) -> NodeState {
        self.state
    }

    /// Returns the number of its last attempt.
    pub(crate) fn attempts(&self) -> u32 {
        self.attempts
    }

    /// Returns how often it was poked, over all attempts.
    pub(crate) fn pokes(&self) -> u32 {
        self.pokes
    }

    pub(crate) fn finished_at(&self) -> Option<Duration> {
        self.activities.since().filter(|_| self.state.is_end())
    }

    /// Returns when its next attempt or poke is due.
    pub(crate) fn next(&self) -> Option<Duration> {
        self.next.get()
    }

    /// Returns when a sensor's timeout began to run.
    pub(crate) fn budget_from(&self) -> Option<Duration> {
        self.budget_from.get()
    }

    /// Returns the start of its current activity.
    pub(crate) fn since(&self) -> Option<Duration> {
        self.activities.since()
    }

    /// Returns when its last attempt or poke was started.
    pub(crate) fn last_start(&self) -> Option<Duration> {
        self.activities.last_start()
    }

    /// Returns since when its body runs, if it does.
    pub(super) fn working_since(&self) -> Option<Duration> {
        self.activities.since().filter(|_| self.activities.now() == Some(ActivityCode::Working))
    }

    /// Returns when it was last cleared.
    pub(crate) fn cleared_at(&self) -> Option<Duration> {
        self.more.as_ref()?.cleared.get()
    }

    /// Returns when it was first started. A manual retry begins another life, and its first start counts.
    pub(crate) fn began(&self) -> Option<Duration> {
        match self.more.as_deref() {
            Some(RareFields { cleared, restarted, .. }) if *cleared != Offset::NONE => restarted.get(),
            _ => self.activities.first(),
        }
    }

    /// Returns since when it could be started again, if that is decided.
    pub(super) fn due(&self) -> Option<Duration> {
        self.next.get().or(self.activities.since().filter(|_| self.state == NodeState::Scheduled))
    }

    /// Returns its last error; `None` once it has succeeded.
    pub(crate) fn error(&self) -> Option<&Arc<str>> {
        self.more.as_ref()?.error.as_ref()
    }

    /// Returns why it was skipped.
    pub(crate) fn why_skipped(&self) -> Option<&Skip> {
        self.more.as_ref()?.skipped.as_ref()
    }

    /// Returns the node whose failure made it `upstream_failed`.
    pub(crate) fn cause(&self) -> Option<Slot> {
        self.more.as_ref()?.cause
    }

    /// Returns the failed and interrupted attempts, in order; only the last ones that are stored.
    pub(crate) fn failed_attempts(&self) -> &[FailedAttempt] {
        self.more.as_ref().map_or(&[], |more| &more.failed_attempts)
    }

    /// Returns its output as JSON, if outputs were read.
    pub(crate) fn output(&self) -> Option<&Arc<[u8]>> {
        self.more.as_ref()?.output.as_ref()
    }

    /// Returns its activities over time, in order.
    pub(crate) fn spans(&self) -> Vec<Span> {
        self.activities.spans()
    }

    /// Visits the same spans one by one.
    #[cfg(feature = "sqlite")]
    pub(super) fn each_span(&self, see: impl FnMut(Span)) {
        self.activities.each_span(see);
    }

    /// Returns when a sensor was poked, as far as pokes are stored individually.
    pub(crate) fn poke_times(&self) -> Vec<Duration> {
        self.spans().iter().filter(|span| span.activity == Activity::Working).map(|span| span.from).collect()
    }

    #[cfg(test)]
    pub(super) fn stored_activities(&self) -> usize {
        self.activities.capacity()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_is_small() {
        // A million sensors may wait at once, and each pays for a larger struct.
        assert!(size_of::<NodeHistory>() <= 64, "{}", size_of::<NodeHistory>());
    }

    #[test]
    fn the_last_failed_attempts_are_stored() {
        let (mut node, limits) = (NodeHistory::default(), HistoryLimits { activities: 4, failed_attempts: 3 });
        for attempt in 1..=10 {
            let at = Duration::from_secs(attempt.into());
            node.started(attempt, false, at, limits);
            node.retrying(&"503".into(), false, at, at, limits);
        }
        let attempts: Vec<u32> = node.failed_attempts().iter().map(|failed_attempt| failed_attempt.attempt).collect();
        assert_eq!((attempts, node.attempts()), (vec![8, 9, 10], 10));
    }
}
