use super::super::states::NodeState;
use crate::author::outcome::Failure;
use crate::author::value::{OptionalValue, Value};
use crate::plan::{NodeIx, Plan, SensorPolicy};
use crate::time::{Moment, Timestamp};
use std::sync::Arc;
use std::time::Duration;

/// One node of a run, as its records left it.
#[derive(Debug, Clone)]
pub(crate) struct Node {
    /// The node's index in the plan.
    pub(super) ix: NodeIx,
    pub(super) state: NodeState,
    pub(super) cut: Cut,
    /// The node is a task without a time limit, and neither a sensor nor a branch.
    pub(super) is_plain: bool,
    /// The number of edges that do not hold yet, plus one inside a mapping until the element is activated.
    pub(super) waits: u32,
    /// The number of starts. It distinguishes the answers to different starts.
    pub(super) starts: u32,
    pub(super) first_start: Moment,
    pub(super) value: OptionalValue,
    pub(super) more: Option<Box<More>>,
}

/// Why a skipped node was skipped, if something follows from that.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Cut {
    #[default]
    No,
    /// No consumer wants it any more, or it is a gate that was skipped manually: nodes that fed only it are unwanted too.
    Unwanted,
    /// The run ended before the node did.
    RunEnded,
}

/// State that only some nodes have.
#[derive(Debug, Clone, Default)]
pub(super) struct More {
    /// The attempt that is under way or due, counted from 1.
    pub(super) attempt: u32,
    /// Interruptions since the last attempt that reached its end.
    pub(super) interruptions: u32,
    pub(super) last_start: Moment,
    /// When the next attempt or poke is due.
    pub(super) next: Moment,
    /// The time of a regular poke that a poke for a change preceded: the regular one is still due.
    pub(super) tick: Moment,
    /// The start of a sensor's budget.
    pub(super) budget_from: Moment,
    pub(super) pokes: u32,
    /// Pokes since the budget began, without those for changes. The growing waits between pokes depend on it.
    pub(super) pokes_in_budget: u32,
    pub(super) rare: Option<Box<RareState>>,
}

/// What a node leaves besides an output. It is stored apart because most waiting sensors have none of it, and there may be a
/// million.
#[derive(Debug, Clone, Default)]
pub(super) struct RareState {
    pub(super) failure: Option<Failure>,
    /// Memory for the node's next attempt or poke.
    pub(super) memory: Option<Arc<str>>,
    /// The arm that a branch took.
    pub(super) arm: Option<u32>,
    /// The start of the node's SLA after a manual retry.
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

    fn rare(&self) -> Option<&RareState> {
        self.more.as_ref()?.rare.as_deref()
    }

    /// The node's index in the plan.
    #[inline]
    pub(crate) fn ix(&self) -> NodeIx {
        self.ix
    }

    #[inline]
    pub(crate) fn state(&self) -> NodeState {
        self.state
    }

    /// True if it is a task without a time limit, and neither a sensor nor a branch.
    #[inline]
    pub(crate) fn is_plain(&self) -> bool {
        self.is_plain
    }

    /// Its output, if it has one.
    #[inline]
    pub(crate) fn value(&self) -> Option<&Value> {
        self.value.get()
    }

    /// The number of starts.
    #[inline]
    pub(crate) fn starts(&self) -> u32 {
        self.starts
    }

    /// When it was first started.
    pub(crate) fn first_start(&self) -> Option<Timestamp> {
        self.first_start.get()
    }

    /// Why the node failed, or why the node that it waited for failed.
    pub(crate) fn failure(&self) -> Option<&Failure> {
        self.rare()?.failure.as_ref()
    }

    /// The memory that its last attempt or poke left for the next.
    pub(crate) fn memory(&self) -> Option<&Arc<str>> {
        self.rare()?.memory.as_ref()
    }

    /// The arm that a branch took.
    pub(crate) fn arm(&self) -> Option<u32> {
        self.rare()?.arm
    }

    /// True if the run ended before the node did.
    pub(crate) fn was_cut_off_by_end(&self) -> bool {
        self.cut == Cut::RunEnded
    }

    /// The attempt that is under way or due, counted from 1.
    #[inline]
    pub(crate) fn attempt(&self) -> u32 {
        self.more.as_ref().map_or(1, |more| more.attempt.max(1))
    }

    /// Interruptions since the last attempt that reached its end.
    pub(crate) fn interruptions(&self) -> u32 {
        self.more.as_ref().map_or(0, |more| more.interruptions)
    }

    /// When its last attempt, or poke, was started.
    #[inline]
    pub(crate) fn last_start(&self) -> Timestamp {
        let last = self.more.as_ref().and_then(|more| more.last_start.get());
        last.or(self.first_start.get()).unwrap_or_default()
    }

    /// When the next attempt or poke is due; `None` while one is under way.
    #[inline]
    pub(crate) fn next(&self) -> Option<Timestamp> {
        self.more.as_ref()?.next.get()
    }

    /// The time of a regular poke that a poke for a change preceded: the regular one is still due.
    pub(crate) fn tick(&self) -> Option<Timestamp> {
        self.more.as_ref()?.tick.get()
    }

    /// How often a sensor was poked.
    pub(crate) fn pokes(&self) -> u32 {
        self.more.as_ref().map_or(0, |more| more.pokes)
    }

    /// Pokes since the budget began, without those for changes.
    pub(crate) fn pokes_in_budget(&self) -> u32 {
        self.more.as_ref().map_or(0, |more| more.pokes_in_budget)
    }

    /// When a sensor's timeout started to count.
    pub(crate) fn budget_from(&self) -> Option<Timestamp> {
        self.more.as_ref()?.budget_from.get()
    }

    /// When a sensor's wait ends, once it has begun.
    pub(crate) fn deadline(&self, sensor: &SensorPolicy) -> Option<Timestamp> {
        Some(sensor.deadline(self.budget_from()?))
    }

    /// What is left of a sensor's budget at `now`.
    pub(crate) fn budget_left(&self, sensor: &SensorPolicy, now: Timestamp) -> Option<Duration> {
        Some(self.deadline(sensor)?.since(now))
    }

    /// The start of the node's SLA if it was retried manually; otherwise the run's start counts.
    pub(super) fn sla_from(&self) -> Option<Timestamp> {
        self.rare()?.sla_from.get()
    }

    /// True if the node is between two attempts or pokes, and nothing of it is under way.
    pub(crate) fn awaits_next(&self) -> bool {
        match self.state {
            NodeState::UpForRetry | NodeState::UpForReschedule => true,
            NodeState::Running => self.next().is_some(),
            _ => false,
        }
    }
}

impl More {
    pub(super) fn rare(&mut self) -> &mut RareState {
        self.rare.get_or_insert_default()
    }

    pub(super) fn remember(&mut self, memory: Option<&Arc<str>>) {
        match (memory, &mut self.rare) {
            (None, None) => {}
            _ => self.rare().memory = memory.cloned(),
        }
    }
}

/// The failure that downstream nodes see if the real one is unknown.
pub(super) fn unknown_failure(id: String) -> Failure {
    Failure::new(id, "unknown", 0)
}
