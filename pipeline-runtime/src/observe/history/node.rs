//! What happened to one node, with a method for each event.

use super::offset::Offset;
use super::turns::{Begins, Span, Turns, Work};
use crate::engine::{NodeState, Skip, Slot};
use std::sync::Arc;
use std::time::Duration;

/// What happened to one node so far. Times are offsets from its run's start.
///
/// It is small, as a million sensors may wait at once: what only some nodes have is apart, and what the plan says of a node, its id
/// among it, is not repeated here.
#[derive(Debug, Clone, Default)]
pub(crate) struct NodeHistory {
    state: NodeState,
    attempts: u32,
    pokes: u32,
    turns: Turns,
    next: Offset,
    budget_from: Offset,
    more: Option<Box<More>>,
}

/// What only some nodes have.
#[derive(Debug, Clone, Default)]
struct More {
    error: Option<Arc<str>>,
    skipped: Option<Skip>,
    /// Whose failure made it `upstream_failed`.
    cause: Option<Slot>,
    /// When it was last cleared, and first started since.
    cleared: Offset,
    restarted: Offset,
    /// The attempts that came to nothing, in order.
    troubles: Vec<Trouble>,
    /// Its output as JSON, where whoever reads the run wants outputs.
    output: Option<Arc<[u8]>>,
}

/// An attempt that came to nothing.
#[derive(Debug, Clone)]
pub(crate) struct Trouble {
    pub(crate) attempt: u32,
    /// When it, or its last poke, began.
    pub(crate) from: Option<Duration>,
    pub(crate) at: Duration,
    /// Its error; none where its process ended first.
    pub(crate) error: Option<Arc<str>>,
}

/// How much of a node's past is kept one by one; counts are always whole.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Keep {
    pub(crate) turns: usize,
    pub(crate) troubles: usize,
}

/// The events.
impl NodeHistory {
    /// An attempt was started, or a poke.
    pub(super) fn started(&mut self, attempt: u32, is_sensor: bool, at: Duration, keep: Keep) {
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
        self.turns.begin(Begins::Working, at, keep.turns);
    }

    /// A sensor was not ready. `state` is that of its mode.
    pub(super) fn not_yet(&mut self, state: NodeState, next: Duration, at: Duration, keep: Keep) {
        self.state = state;
        self.next = next.into();
        self.turns.begin(Begins::Waiting, at, keep.turns);
    }

    /// An attempt failed, and the next is due; `renew` starts a sensor's budget anew.
    pub(super) fn retrying(&mut self, error: &Arc<str>, renew: bool, next: Duration, at: Duration, keep: Keep) {
        self.state = NodeState::UpForRetry;
        self.next = next.into();
        self.trouble(Some(error), at, keep);
        if renew {
            self.budget_from = Offset::NONE;
        }
        self.turns.begin(Begins::Retrying, at, keep.turns);
    }

    /// An attempt was cut off by the end of its process.
    pub(super) fn interrupted(&mut self, at: Duration, keep: Keep) {
        self.state = NodeState::Scheduled;
        self.trouble(None, at, keep);
        self.turns.begin(Begins::Nothing, at, keep.turns);
    }

    /// A mapping's list is there.
    pub(super) fn unfolded(&mut self, at: Duration, keep: Keep) {
        self.state = NodeState::Running;
        self.turns.begin(Begins::Working, at, keep.turns);
    }

    /// The last attempt failed.
    pub(super) fn failed(&mut self, error: &Arc<str>, at: Duration, keep: Keep) {
        self.trouble(Some(error), at, keep);
        self.ended(NodeState::Failed, at, keep);
    }

    /// It will not run.
    pub(super) fn skipped(&mut self, why: &Skip, at: Duration, keep: Keep) {
        self.more().skipped = Some(why.clone());
        self.ended(NodeState::Skipped, at, keep);
    }

    /// It cannot run.
    pub(super) fn upstream_failed(&mut self, cause: Slot, at: Duration, keep: Keep) {
        self.more().cause = Some(cause);
        self.ended(NodeState::UpstreamFailed, at, keep);
    }

    /// It came to its end in that state.
    pub(super) fn ended(&mut self, state: NodeState, at: Duration, keep: Keep) {
        self.state = state;
        self.next = Offset::NONE;
        if let Some(more) = self.more.as_mut().filter(|_| state == NodeState::Success) {
            more.error = None;
        }
        self.turns.begin(Begins::Nothing, at, keep.turns);
    }

    /// It is to be tried again: how it ended is undone, what it did is not.
    pub(super) fn cleared(&mut self, at: Duration, keep: Keep) {
        self.state = NodeState::None;
        self.next = Offset::NONE;
        self.budget_from = Offset::NONE;
        let more = self.more();
        (more.cause, more.skipped, more.output) = (None, None, None);
        (more.cleared, more.restarted) = (at.into(), Offset::NONE);
        self.turns.begin(Begins::Nothing, at, keep.turns);
    }

    /// Its list no longer has its element.
    pub(super) fn removed(&mut self, at: Duration, keep: Keep) {
        self.ended(NodeState::Removed, at, keep);
    }

    /// What happened to it is now told at another place; nothing is left here.
    pub(super) fn moved(&mut self) -> Self {
        std::mem::replace(self, Self { state: NodeState::Removed, ..Self::default() })
    }

    /// It has that output.
    pub(super) fn has_output(&mut self, json: Arc<[u8]>) {
        self.more().output = Some(json);
    }

    fn more(&mut self) -> &mut More {
        self.more.get_or_insert_default()
    }

    fn trouble(&mut self, error: Option<&Arc<str>>, at: Duration, keep: Keep) {
        let trouble = Trouble { attempt: self.attempts, from: self.turns.last_start(), at, error: error.cloned() };
        let more = self.more();
        if let Some(error) = error {
            more.error = Some(Arc::clone(error));
        }
        let over = (more.troubles.len() + 1).saturating_sub(keep.troubles.max(1));
        more.troubles.drain(..over);
        more.troubles.push(trouble);
    }
}

/// What came of them.
impl NodeHistory {
    pub(crate) fn state(&self) -> NodeState {
        self.state
    }

    /// The number of its last attempt.
    pub(crate) fn attempts(&self) -> u32 {
        self.attempts
    }

    /// How often it was poked, all attempts together.
    pub(crate) fn pokes(&self) -> u32 {
        self.pokes
    }

    pub(crate) fn finished_at(&self) -> Option<Duration> {
        self.turns.since().filter(|_| self.state.is_end())
    }

    /// When its next attempt or poke is due.
    pub(crate) fn next(&self) -> Option<Duration> {
        self.next.get()
    }

    /// Since when a sensor's timeout has been running.
    pub(crate) fn budget_from(&self) -> Option<Duration> {
        self.budget_from.get()
    }

    /// Since when it does what it does.
    pub(crate) fn since(&self) -> Option<Duration> {
        self.turns.since()
    }

    /// When its last attempt, or poke, was started.
    pub(crate) fn last_start(&self) -> Option<Duration> {
        self.turns.last_start()
    }

    /// Since when its body runs, if it does.
    pub(super) fn working_since(&self) -> Option<Duration> {
        self.turns.since().filter(|_| self.turns.now() == Some(Begins::Working))
    }

    /// When it was last cleared.
    pub(crate) fn cleared_at(&self) -> Option<Duration> {
        self.more.as_ref()?.cleared.get()
    }

    /// When it was first started; once it was retried by hand, that is another life, and its first start there counts.
    pub(crate) fn began(&self) -> Option<Duration> {
        match self.more.as_deref() {
            Some(More { cleared, restarted, .. }) if *cleared != Offset::NONE => restarted.get(),
            _ => self.turns.first(),
        }
    }

    /// From when on it could be started again, where that has been decided.
    pub(super) fn due(&self) -> Option<Duration> {
        self.next.get().or(self.turns.since().filter(|_| self.state == NodeState::Scheduled))
    }

    /// Its last error; none once it has succeeded.
    pub(crate) fn error(&self) -> Option<&Arc<str>> {
        self.more.as_ref()?.error.as_ref()
    }

    /// Why it was skipped.
    pub(crate) fn why_skipped(&self) -> Option<&Skip> {
        self.more.as_ref()?.skipped.as_ref()
    }

    /// Whose failure made it `upstream_failed`.
    pub(crate) fn cause(&self) -> Option<Slot> {
        self.more.as_ref()?.cause
    }

    /// The attempts that came to nothing, in order: as many of the last as are kept.
    pub(crate) fn troubles(&self) -> &[Trouble] {
        self.more.as_ref().map_or(&[], |more| &more.troubles)
    }

    /// Its output as JSON, where outputs were read.
    pub(crate) fn output(&self) -> Option<&Arc<[u8]>> {
        self.more.as_ref()?.output.as_ref()
    }

    /// What it did when, in order.
    pub(crate) fn spans(&self) -> Vec<Span> {
        self.turns.spans()
    }

    /// Shows the same one by one.
    #[cfg(feature = "sqlite")]
    pub(super) fn each_span(&self, see: impl FnMut(Span)) {
        self.turns.each_span(see);
    }

    /// When a sensor was poked, as far as each is kept.
    pub(crate) fn poke_times(&self) -> Vec<Duration> {
        self.spans().iter().filter(|span| span.what == Work::Working).map(|span| span.from).collect()
    }

    #[cfg(test)]
    pub(super) fn turns_kept(&self) -> usize {
        self.turns.kept()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_is_small() {
        // A million sensors may wait at once. What this grows by, each of them does.
        assert!(size_of::<NodeHistory>() <= 64, "{}", size_of::<NodeHistory>());
    }

    #[test]
    fn the_last_troubles_are_kept() {
        let (mut node, keep) = (NodeHistory::default(), Keep { turns: 4, troubles: 3 });
        for attempt in 1..=10 {
            let at = Duration::from_secs(attempt.into());
            node.started(attempt, false, at, keep);
            node.retrying(&"503".into(), false, at, at, keep);
        }
        let attempts: Vec<u32> = node.troubles().iter().map(|trouble| trouble.attempt).collect();
        assert_eq!((attempts, node.attempts()), (vec![8, 9, 10], 10));
    }
}
