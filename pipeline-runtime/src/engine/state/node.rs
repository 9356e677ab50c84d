use super::super::states::NodeState;
use crate::author::outcome::Failure;
use crate::author::value::{OptionalValue, Value};
use crate::plan::{NodeIx, Plan, SensorPolicy};
use crate::time::{Moment, Timestamp};
use std::sync::Arc;
use std::time::Duration;

/// One node of a run, as its records have left it.
#[derive(Debug, Clone)]
pub(crate) struct Node {
    /// Which of the plan's it is.
    pub(super) ix: NodeIx,
    pub(super) state: NodeState,
    pub(super) cut: Cut,
    /// It is a task without a time limit: it is neither poked nor does it take an arm.
    pub(super) is_plain: bool,
    /// Edges that do not hold yet, and within a mapping the element's own start.
    pub(super) waits: u32,
    /// How often it was started, so that the answer of one start is not taken for that of another.
    pub(super) starts: u32,
    pub(super) first_start: Moment,
    pub(super) value: OptionalValue,
    pub(super) more: Option<Box<More>>,
}

/// Why a skipped node was skipped, where something follows from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Cut {
    #[default]
    No,
    /// No node waits for it any more, or it is a gate that was skipped by hand: what fed only it is not wanted either.
    Unwanted,
    /// The run ended before it did.
    RunEnded,
}

/// What only some nodes have.
#[derive(Debug, Clone, Default)]
pub(super) struct More {
    /// The attempt under way or due, from 1.
    pub(super) attempt: u32,
    /// Interruptions since the last attempt that came to an end.
    pub(super) interruptions: u32,
    pub(super) last_start: Moment,
    /// When the next attempt or poke is due.
    pub(super) next: Moment,
    /// When a poke was due as its last was made before that, for a change: it still is.
    pub(super) tick: Moment,
    /// The start of a sensor's budget.
    pub(super) budget_from: Moment,
    pub(super) pokes: u32,
    /// Pokes since the budget began but those for changes, for the growing waits between them.
    pub(super) pokes_in_budget: u32,
    pub(super) kept: Option<Box<Kept>>,
}

/// What a node leaves behind that is no output. Apart, as a sensor that waits has nothing of it, and there may be a million.
#[derive(Debug, Clone, Default)]
pub(super) struct Kept {
    pub(super) failure: Option<Failure>,
    /// What its next attempt or poke is to know.
    pub(super) memory: Option<Arc<str>>,
    /// Of a branch: the arm it took.
    pub(super) arm: Option<u32>,
    /// What its SLA counts from since it was retried by hand.
    pub(super) sla_from: Moment,
}

impl Node {
    /// A node that nothing has happened to.
    pub(super) fn new(plan: &Plan, ix: NodeIx, waits: u32) -> Self {
        Self {
            ix,
            state: NodeState::None,
            cut: Cut::No,
            is_plain: plan.node(ix).is_plain,
            waits,
            starts: 0,
            first_start: Moment::NONE,
            value: OptionalValue::NONE,
            more: None,
        }
    }

    pub(super) fn more(&mut self) -> &mut More {
        self.more.get_or_insert_default()
    }

    fn kept(&self) -> Option<&Kept> {
        self.more.as_ref()?.kept.as_deref()
    }

    /// Which of the plan's it is.
    #[inline]
    pub(crate) fn ix(&self) -> NodeIx {
        self.ix
    }

    #[inline]
    pub(crate) fn state(&self) -> NodeState {
        self.state
    }

    /// Whether it is a task without a time limit.
    #[inline]
    pub(crate) fn is_plain(&self) -> bool {
        self.is_plain
    }

    /// Its output, if it has one.
    #[inline]
    pub(crate) fn value(&self) -> Option<&Value> {
        self.value.get()
    }

    /// How often it was started.
    #[inline]
    pub(crate) fn starts(&self) -> u32 {
        self.starts
    }

    /// When it was first started.
    pub(crate) fn first_start(&self) -> Option<Timestamp> {
        self.first_start.get()
    }

    /// Why it failed, or what it waited for did.
    pub(crate) fn failure(&self) -> Option<&Failure> {
        self.kept()?.failure.as_ref()
    }

    /// What its last attempt or poke left for the next.
    pub(crate) fn memory(&self) -> Option<&Arc<str>> {
        self.kept()?.memory.as_ref()
    }

    /// Of a branch: the arm it took.
    pub(crate) fn arm(&self) -> Option<u32> {
        self.kept()?.arm
    }

    /// The run ended before it did.
    pub(crate) fn was_cut_off_by_end(&self) -> bool {
        self.cut == Cut::RunEnded
    }

    /// The attempt under way or due, from 1.
    #[inline]
    pub(crate) fn attempt(&self) -> u32 {
        self.more.as_ref().map_or(1, |more| more.attempt.max(1))
    }

    /// Interruptions since the last attempt that came to an end.
    pub(crate) fn interruptions(&self) -> u32 {
        self.more.as_ref().map_or(0, |more| more.interruptions)
    }

    /// When its last attempt, or poke, was started.
    #[inline]
    pub(crate) fn last_start(&self) -> Timestamp {
        let last = self.more.as_ref().and_then(|more| more.last_start.get());
        last.or(self.first_start.get()).unwrap_or_default()
    }

    /// When the next attempt or poke is due; none while it is under way.
    #[inline]
    pub(crate) fn next(&self) -> Option<Timestamp> {
        self.more.as_ref()?.next.get()
    }

    /// When a poke was due that a poke for a change came before: it still is.
    pub(crate) fn tick(&self) -> Option<Timestamp> {
        self.more.as_ref()?.tick.get()
    }

    /// How often a sensor was poked.
    pub(crate) fn pokes(&self) -> u32 {
        self.more.as_ref().map_or(0, |more| more.pokes)
    }

    /// Pokes since the budget began but those for changes.
    pub(crate) fn pokes_in_budget(&self) -> u32 {
        self.more.as_ref().map_or(0, |more| more.pokes_in_budget)
    }

    /// Since when a sensor's timeout has been counting.
    pub(crate) fn budget_from(&self) -> Option<Timestamp> {
        self.more.as_ref()?.budget_from.get()
    }

    /// When a sensor's wait is over, once it has begun.
    pub(crate) fn deadline(&self, sensor: &SensorPolicy) -> Option<Timestamp> {
        Some(sensor.deadline(self.budget_from()?))
    }

    /// What is left of a sensor's budget at `now`.
    pub(crate) fn budget_left(&self, sensor: &SensorPolicy, now: Timestamp) -> Option<Duration> {
        Some(self.deadline(sensor)?.since(now))
    }

    /// What its SLA counts from if it was retried by hand; else it is the run's.
    pub(super) fn sla_from(&self) -> Option<Timestamp> {
        self.kept()?.sla_from.get()
    }

    /// Whether it is between two pokes or attempts, or between the two of them and its start: nothing of it is under way.
    pub(crate) fn awaits_next(&self) -> bool {
        match self.state {
            NodeState::UpForRetry | NodeState::UpForReschedule => true,
            NodeState::Running => self.next().is_some(),
            _ => false,
        }
    }
}

impl More {
    pub(super) fn kept(&mut self) -> &mut Kept {
        self.kept.get_or_insert_default()
    }

    pub(super) fn remember(&mut self, memory: Option<&Arc<str>>) {
        match (memory, &mut self.kept) {
            (None, None) => {}
            _ => self.kept().memory = memory.cloned(),
        }
    }
}

/// A failure as the nodes after it see it.
pub(super) fn unknown_failure(id: String) -> Failure {
    Failure::new(id, "unknown", 0)
}
