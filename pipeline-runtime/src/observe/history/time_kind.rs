//! How a node spent its time, in six kinds, for charts.

use super::{Activity, RunHistory};
use crate::engine::{ExpansionIx, NodeState, Position, Slot};
use crate::plan::{NodeIx, ScopeIx, What};
use std::rc::Rc;
use std::time::Duration;

/// The number of kinds.
pub(crate) const KINDS: usize = 6;

/// How a node spent its time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TimeKind {
    /// A body ran.
    Worked = 0,
    /// A sensor was poked.
    Poked = 1,
    /// A sensor waited for its next poke.
    Data = 2,
    /// A retry was due.
    Retry = 3,
    /// Everything that it waited for was there, but it had not started.
    Queued = 4,
    /// No process ran the run.
    Nobody = 5,
}

/// A period of a node's time, as offsets from the run's start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Period {
    pub(crate) kind: TimeKind,
    pub(crate) from: Duration,
    /// `None` while it lasts.
    pub(crate) until: Option<Duration>,
}

/// The upstreams of a node in a list's elements. Those inside its element are stored by offset; those outside are the same for
/// all elements.
pub(super) struct Inputs {
    /// Its inputs, and for a node in an element the element's start.
    inside_sources: Vec<u32>,
    /// When the last of its inputs outside the element was available.
    outside_available: Option<Duration>,
    /// Its inputs and the nodes that it is ordered after.
    inside_upstreams: Vec<u32>,
    /// True if all of those outside the element have ended.
    outside_ended: bool,
}

/// The upstreams of the nodes of one list's elements, or of the plan's own nodes: computed once for all elements.
pub(super) struct InputsCache<'a> {
    history: &'a RunHistory,
    scope: ScopeIx,
    at: Position,
    /// By offset.
    of: Vec<Option<Rc<Inputs>>>,
}

#[cfg(feature = "dashboard")]
impl Inputs {
    /// Returns when the last input outside the element was available, and whether all upstreams outside it have ended.
    pub(super) fn outside_inputs(&self) -> (Option<Duration>, bool) {
        (self.outside_available, self.outside_ended)
    }
}

impl<'a> InputsCache<'a> {
    /// Creates the cache for the list that contains the slot.
    pub(super) fn list(history: &'a RunHistory, slot: Slot) -> Self {
        let at = history.layout.position(slot);
        let scope = history.layout.expansion(at.expansion).scope;
        Self { history, scope, at, of: vec![None; history.plan.scope(scope).nodes.len()] }
    }

    /// Returns the scope of the list's elements.
    #[cfg(feature = "dashboard")]
    pub(super) fn scope(&self) -> ScopeIx {
        self.scope
    }

    pub(super) fn of(&mut self, ix: NodeIx) -> Rc<Inputs> {
        let offset = self.history.plan.node(ix).offset as usize;
        if let Some(known) = &self.of[offset] {
            return Rc::clone(known);
        }
        let inputs = Rc::new(self.compute(ix));
        self.of[offset] = Some(Rc::clone(&inputs));
        inputs
    }

    fn compute(&self, ix: NodeIx) -> Inputs {
        let (history, plan) = (self.history, &self.history.plan);
        let scope = plan.scope(self.scope);
        let is_within = |from: &NodeIx| plan.node(*from).scope == self.scope;
        let offsets = |of: &[NodeIx]| of.iter().filter(|from| is_within(from)).map(|from| plan.node(*from).offset).collect();
        let outside = |of: &[NodeIx]| -> Vec<Slot> {
            let outside = of.iter().filter(|from| !is_within(from));
            outside.map(|from| history.layout.resolve(plan, *from, self.at)).collect()
        };
        let element = scope.nodes.first().copied().filter(|_| scope.each.is_some());
        let inputs: Vec<NodeIx> = plan.upstreams(ix).chain(element).collect();
        let upstreams: Vec<NodeIx> = plan.upstreams(ix).chain(plan.inbound(ix).iter().map(|(from, _)| *from)).collect();
        Inputs {
            inside_sources: offsets(&inputs),
            outside_available: outside(&inputs).into_iter().filter_map(|from| history.node(from).finished_at()).max(),
            inside_upstreams: offsets(&upstreams),
            outside_ended: outside(&upstreams).into_iter().all(|from| history.node(from).state().is_end()),
        }
    }
}

impl RunHistory {
    /// Returns how the node spent its time, in order. Periods do not overlap; there is none between an end and a manual retry.
    pub(crate) fn periods(&self, slot: Slot) -> Vec<Period> {
        let (mut periods, ix) = (Vec::new(), self.node_ix(slot));
        let inputs = InputsCache::list(self, slot).of(ix);
        let last = self.each_period(slot, ix, &inputs, |period| periods.push(period));
        let ready = self.ready_period(slot, ix, &inputs, last);
        periods.extend(ready.filter(|_| !self.state.is_end()));
        periods
    }

    /// Visits the nodes with a body that could run but do not.
    pub(crate) fn each_ready(&self, mut see: impl FnMut(Slot, NodeIx)) {
        for range in self.ranges() {
            let mut inputs = InputsCache::list(self, range.start);
            self.each_body_of(range, |slot, ix| {
                let is_open = matches!(self.node(slot).state(), NodeState::None | NodeState::Scheduled | NodeState::Queued);
                if is_open && self.is_ready(slot - self.plan.node(ix).offset, &inputs.of(ix)) {
                    see(slot, ix);
                }
            });
        }
    }

    /// Visits the node's activities and the gaps between them; returns the last activity.
    pub(super) fn each_period(&self, slot: Slot, ix: NodeIx, inputs: &Inputs, mut see: impl FnMut(Period)) -> Option<Period> {
        let is_sensor = self.plan.policy(ix).sensor.is_some();
        let element = slot - self.plan.node(ix).offset;
        let mut last: Option<Period> = None;
        self.node(slot).each_span(|span| {
            let kind = match span.activity {
                Activity::Working | Activity::Merged(_) if is_sensor => TimeKind::Poked,
                Activity::Working | Activity::Merged(_) => TimeKind::Worked,
                Activity::Waiting => TimeKind::Data,
                Activity::Retrying => TimeKind::Retry,
            };
            if let Some((from, gap)) = self.gap_before(slot, (element, inputs), last, span.from) {
                see(Period { kind: gap, from, until: Some(span.from) });
            }
            let period = Period { kind, from: span.from, until: span.until };
            see(period);
            last = Some(period);
        });
        last
    }

    /// Returns the period since when the node could run but does not, after its last activity. It ends with its run at the
    /// latest.
    pub(super) fn ready_period(&self, slot: Slot, ix: NodeIx, inputs: &Inputs, last: Option<Period>) -> Option<Period> {
        let node = self.node(slot);
        let element = slot - self.plan.node(ix).offset;
        let is_open = matches!(node.state(), NodeState::None | NodeState::Scheduled | NodeState::Queued);
        if !is_open || !self.is_ready(element, inputs) {
            return None;
        }
        let (from, kind) = match last.and_then(|last| last.until) {
            Some(until) if self.was_cut_off(slot, until) => (until, TimeKind::Nobody),
            Some(until) => (until.max(node.cleared_at().unwrap_or_default()), TimeKind::Queued),
            None => (self.inputs_available(element, inputs), TimeKind::Queued),
        };
        Some(Period { kind, from, until: None })
    }

    /// True if all upstreams of the node have ended. `element` is the first slot of its element.
    fn is_ready(&self, element: Slot, inputs: &Inputs) -> bool {
        inputs.outside_ended && inputs.inside_upstreams.iter().all(|offset| self.node(element + offset).state().is_end())
    }

    /// Returns when the last of the node's inputs was available, like [`ready_at`](Self::ready_at).
    fn inputs_available(&self, element: Slot, inputs: &Inputs) -> Duration {
        let within = inputs.inside_sources.iter().filter_map(|offset| self.node(element + offset).finished_at());
        within.chain(inputs.outside_available).max().unwrap_or_default()
    }

    /// Returns the gap between the last activity and a start, if any.
    fn gap_before(
        &self,
        slot: Slot,
        (element, inputs): (Slot, &Inputs),
        last: Option<Period>,
        start: Duration,
    ) -> Option<(Duration, TimeKind)> {
        let (from, kind) = match last.map(|last| last.until) {
            None => (self.inputs_available(element, inputs), TimeKind::Queued),
            Some(until) => {
                let until = until.filter(|until| self.was_cut_off(slot, *until))?;
                (until, TimeKind::Nobody)
            }
        };
        (from < start).then_some((from, kind))
    }

    /// True if an attempt was cut off at that time by the end of its process.
    fn was_cut_off(&self, slot: Slot, at: Duration) -> bool {
        self.node(slot).failed_attempts().iter().any(|failed_attempt| failed_attempt.at == at && failed_attempt.error.is_none())
    }

    /// Returns the nodes whose ends this one waited for, by its inputs, its order and its mapping.
    pub(crate) fn upstream_slots(&self, slot: Slot) -> Vec<Slot> {
        let mut all = Vec::new();
        self.each_upstream(slot, |from| all.push(from));
        all.sort_unstable();
        all.dedup();
        all
    }

    /// Visits the same nodes, in any order and some more than once.
    pub(super) fn each_upstream(&self, slot: Slot, mut see: impl FnMut(Slot)) {
        let mut see = |other: Slot| {
            if other != slot {
                see(other);
            }
        };
        let position = self.layout.position(slot);
        let ix = self.node_ix(slot);
        // The outputs of a mapping's elements belong to the elements themselves.
        if let What::Each(each) = &self.plan.node(ix).what {
            see(self.layout.resolve(&self.plan, each.list, position));
            if let Some(expansion) = self.layout.of_each(slot) {
                self.inside(expansion).for_each(see);
            }
            return;
        }
        let ordered = self.plan.inbound(ix).iter().map(|(from, _)| *from);
        let inputs = self.plan.upstreams(ix).chain(ordered).map(|from| self.layout.resolve(&self.plan, from, position));
        if !matches!(self.plan.node(ix).what, What::Element { .. }) {
            inputs.for_each(see);
            return;
        }
        // An element starts when its mapping's list is there, and the mapping ends with its elements.
        let each = self.layout.expansion(position.expansion).each;
        inputs.filter(|other| Some(*other) != each).for_each(&mut see);
        if let Some((each, of)) = each.and_then(|each| Some((each, self.layout.each(&self.plan, each)?))) {
            see(self.layout.resolve(&self.plan, of.list, self.layout.position(each)));
        }
    }

    /// Returns the slots of all elements of a list, with those nested in them.
    fn inside(&self, expansion: ExpansionIx) -> Box<dyn Iterator<Item = Slot> + '_> {
        let of = self.layout.expansion(expansion);
        if self.has_mappings(expansion) {
            Box::new(self.layout.inside(expansion).into_iter())
        } else {
            Box::new(of.base..of.base + of.width * of.stride)
        }
    }

    /// True if the elements of a list contain mappings.
    pub(super) fn has_mappings(&self, expansion: ExpansionIx) -> bool {
        let scope = self.layout.expansion(expansion).scope;
        self.plan.scope(scope).nodes.iter().any(|ix| self.plan.node(*ix).is_each())
    }

    /// Returns the unfinished nodes with a body inside a mapping, at most `most`.
    pub(crate) fn open_inside(&self, mapping: Slot, most: usize) -> Vec<Slot> {
        let inside = self.layout.of_each(mapping).into_iter().flat_map(|expansion| self.inside(expansion));
        inside.filter(|slot| self.is_body(*slot) && !self.node(*slot).state().is_end()).take(most).collect()
    }

    /// Returns the mapping whose element contains the node.
    pub(crate) fn mapping_of(&self, slot: Slot) -> Option<Slot> {
        self.layout.expansion(self.layout.position(slot).expansion).each
    }

    /// Returns the number of a mapping's elements; `None` before its list is there, and for other nodes.
    pub(crate) fn width(&self, slot: Slot) -> Option<u32> {
        self.layout.of_each(slot).map(|expansion| self.layout.expansion(expansion).width)
    }
}
