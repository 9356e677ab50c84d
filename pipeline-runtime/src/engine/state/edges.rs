//! Edges: what an ended node means for the nodes after it.

use super::super::ids::Slot;
use super::super::states::NodeState;
use super::changes::{Changes, Conclusion};
use super::layout::Position;
use super::node::Cut;
use super::run::Run;
use super::trigger_rule::{Verdict, judge};
use crate::author::input::Rule;
use crate::plan::{Edge, EdgeRule, NodeIx, What};

impl Run {
    /// Passes a node's end on to the nodes after it.
    #[inline]
    pub(super) fn follow_edges(&mut self, slot: Slot, position: Position, changes: &mut impl Changes) {
        // The slot of its scope's first node.
        let base = self.layout.base(position);
        let has_succeeded = self.node(slot).state == NodeState::Success;
        for edge in self.plan().node(self.ix(slot)).out.clone() {
            let edge = self.plan().edges[edge as usize];
            // The most frequent case.
            if has_succeeded && matches!(edge.rule, EdgeRule::Upstream(_)) && edge.offset != Edge::INWARDS {
                self.holds_if_waiting(base + edge.offset, changes);
                continue;
            }
            if edge.offset == Edge::INWARDS {
                for target in self.inward_targets(position, edge.to) {
                    self.follow(slot, target, edge.rule, changes);
                }
            } else {
                self.follow(slot, base + edge.offset, edge.rule, changes);
            }
        }
    }

    /// Returns the targets of a node's edges, each with its rule.
    pub(crate) fn targets(&self, slot: Slot) -> Vec<(Slot, EdgeRule)> {
        let position = self.layout.position(slot);
        let base = self.layout.base(position);
        let mut targets = Vec::new();
        for edge in self.plan().out(self.ix(slot)) {
            if edge.offset == Edge::INWARDS {
                targets.extend(self.inward_targets(position, edge.to).into_iter().map(|target| (target, edge.rule)));
            } else {
                targets.push((base + edge.offset, edge.rule));
            }
        }
        targets
    }

    /// Returns the slots of a node of an inner scope within `outer`: one in each existing element.
    pub(super) fn inward_targets(&self, outer: Position, to: NodeIx) -> Vec<Slot> {
        let plan = self.plan();
        let outermost = self.layout.expansion(outer.expansion).scope;
        // The mappings between the two, innermost first.
        let (mut mappings, mut scope) = (Vec::new(), plan.node(to).scope);
        while scope != outermost {
            let Some(each) = plan.scope(scope).each else { return Vec::new() };
            mappings.push(each);
            scope = plan.node(each).scope;
        }
        let mut positions = vec![outer];
        for each in mappings.into_iter().rev() {
            // The expansion of an older list no longer counts.
            let expanded =
                positions.iter().filter_map(|&position| self.layout.of_each(self.layout.own_slot(plan, each, position)));
            let elements = expanded.flat_map(|expansion| {
                (0..self.layout.expansion(expansion).width).map(move |element| Position { expansion, element })
            });
            positions = elements.collect();
        }
        positions.into_iter().map(|position| self.layout.own_slot(plan, to, position)).collect()
    }

    /// Returns what an ended node means over one edge.
    #[inline]
    pub(crate) fn verdict(&self, from: Slot, rule: EdgeRule) -> Verdict {
        // The most frequent case.
        if matches!(rule, EdgeRule::Upstream(_)) && self.node(from).state == NodeState::Success {
            return Verdict::Holds;
        }
        self.judged(from, rule)
    }

    fn judged(&self, from: Slot, rule: EdgeRule) -> Verdict {
        let expanded = match rule {
            EdgeRule::Elements(_) => self.expansion_of_list(from).is_some(),
            EdgeRule::Gather => self.layout.of_each(from).is_some_and(|expansion| !self.is_stale(expansion)),
            _ => false,
        };
        let node = self.node(from);
        let arm = if let EdgeRule::Arm(_) = rule { node.arm() } else { None };
        judge(rule, node.state, arm, expanded)
    }

    /// True if the nodes before a node may still decide about it. An order that a deployment added before a node which had
    /// already begun does not count: that node keeps its progress and continues.
    #[inline]
    pub(crate) fn is_waiting(&self, slot: Slot) -> bool {
        let node = self.node(slot);
        !node.state.is_end() && node.waits > 0
    }

    /// Returns the first node that is under way without an input that it takes by this plan.
    pub(crate) fn without_input(&self) -> Option<Slot> {
        let plan = self.plan();
        let lacks = |slot: Slot| {
            let (ix, state) = (self.ix(slot), self.node(slot).state);
            let has_begun = self.is_body(slot) && state != NodeState::None && !state.is_end();
            let is_input = |from: NodeIx| plan.upstreams(ix).any(|input| input == from);
            let holds = |from: NodeIx, rule: EdgeRule| {
                let from = self.seen_from(slot, from);
                self.node(from).state.is_end() && self.verdict(from, rule) == Verdict::Holds
            };
            has_begun && plan.inbound(ix).iter().any(|&(from, rule)| is_input(from) && !holds(from, rule))
        };
        self.slots().find(|slot| lacks(*slot))
    }

    /// One upstream of `to` has ended.
    #[inline]
    pub(super) fn follow(&mut self, from: Slot, to: Slot, rule: EdgeRule, changes: &mut impl Changes) {
        if !self.is_waiting(to) {
            return;
        }
        match self.verdict(from, rule) {
            Verdict::Holds | Verdict::Loses => self.holds(to, changes),
            Verdict::Wins => self.conclude(to, Conclusion::Holds, changes),
            Verdict::Skips => self.conclude(to, Conclusion::Skipped(from), changes),
            Verdict::Fails => self.conclude(to, Conclusion::UpstreamFailed(from), changes),
        }
    }

    #[inline]
    pub(super) fn conclude(&self, slot: Slot, conclusion: Conclusion, changes: &mut impl Changes) {
        changes.concluded(self.plan().node(self.ix(slot)).rank, slot, conclusion);
    }

    #[inline]
    fn holds_if_waiting(&mut self, slot: Slot, changes: &mut impl Changes) {
        let node = self.node_mut(slot);
        if node.waits > 1 && !node.state.is_end() {
            node.waits -= 1;
        } else if node.waits == 1 && node.is_plain && node.state == NodeState::None {
            node.waits = 0;
            node.state = NodeState::Scheduled;
            changes.ready(slot);
        } else if self.is_waiting(slot) {
            self.holds(slot, changes);
        }
    }

    /// One of the node's inputs holds, so it waits for one less.
    #[inline]
    pub(super) fn holds(&mut self, slot: Slot, changes: &mut impl Changes) {
        let node = self.node_mut(slot);
        node.waits = node.waits.saturating_sub(1);
        match (node.waits, node.state) {
            (0, NodeState::None) => self.scheduled(slot, changes),
            // A mapping whose elements were retried joins them once its own inputs hold again.
            (0, NodeState::Running) if self.is_complete(slot) => self.conclude(slot, Conclusion::Complete, changes),
            _ => {}
        }
    }

    /// The node waits for nothing more.
    #[inline]
    pub(super) fn scheduled(&mut self, slot: Slot, changes: &mut impl Changes) {
        self.node_mut(slot).state = NodeState::Scheduled;
        if self.is_body(slot) {
            changes.ready(slot);
        } else {
            self.conclude(slot, Conclusion::Holds, changes);
        }
    }

    // ---- nodes whose output is no longer wanted

    /// True if a node no longer wants its inputs: its race is won without them, it was cut off, or it is a gate that was skipped.
    pub(super) fn is_unwanting(&self, slot: Slot) -> bool {
        let node = self.node(slot);
        match node.state {
            NodeState::Success => matches!(self.what(slot), What::FirstOf { .. }),
            NodeState::Skipped => node.cut == Cut::Unwanted,
            _ => false,
        }
    }

    /// Returns the nodes that a node waits for; for a mapping also those around it that its elements wait for.
    fn awaited_by(&self, slot: Slot) -> Vec<Slot> {
        let plan = self.plan();
        let (ix, position) = (self.ix(slot), self.layout.position(slot));
        let mut awaited: Vec<NodeIx> = plan.inbound(ix).iter().map(|(from, _)| *from).collect();
        if let What::Each(each) = &plan.node(ix).what {
            let inner = (0..).zip(&plan.scopes).filter(|(scope, _)| plan.lies_within(*scope, each.scope));
            let imported = inner.flat_map(|(_, scope)| &scope.imports).map(|(from, _)| *from);
            awaited.extend(imported.filter(|&from| plan.lies_within(plan.node(ix).scope, plan.node(from).scope)));
        }
        awaited.into_iter().map(|node| self.layout.resolve(plan, node, position)).collect()
    }

    /// An ended node waits for nothing more, so its upstreams may no longer be wanted.
    pub(super) fn release_upstreams(&self, slot: Slot, changes: &mut impl Changes) {
        for upstream in self.awaited_by(slot) {
            if !self.node(upstream).state.is_end() {
                changes.released(upstream);
                // The nodes after a branch's arms wait for the branch, too.
                if let What::Arm { branch, .. } = self.what(upstream) {
                    changes.released(self.seen_from(upstream, *branch));
                }
            }
        }
    }

    /// True if the node feeds one that no longer wants it, and none that is still open. Also true if it waits for the past of a
    /// node that has ended without it, because that one was skipped manually or is `upstream_failed`: such a wait has no other
    /// end.
    pub(crate) fn is_unwanted(&self, slot: Slot) -> bool {
        if self.waits_for_nobody(slot) {
            return true;
        }
        // An element belongs to its list, which feeds the other elements too.
        let is_element = matches!(self.what(slot), What::Element { .. });
        self.unwanting > 0
            && !is_element
            && !self.is_teardown(slot)
            && !self.node(slot).state.is_end()
            && self.is_rejected(slot)
            && !self.is_awaited(slot)
    }

    fn waits_for_nobody(&self, slot: Slot) -> bool {
        self.plan().is_past(self.ix(slot))
            && !self.node(slot).state.is_end()
            && self.past_of(slot).all(|of| self.node(of).state.is_end())
    }

    /// Returns the nodes whose past a sensor waits for. Other nodes that it holds back are held by a weaker rule.
    fn past_of(&self, slot: Slot) -> impl Iterator<Item = Slot> {
        let own = |(target, rule)| matches!(rule, EdgeRule::Upstream(Rule::AllSuccess)).then_some(target);
        self.targets(slot).into_iter().filter_map(own)
    }

    /// Returns the sensor that waits for a node's past, if it has ended without success.
    pub(crate) fn failed_past(&self, slot: Slot) -> Option<Slot> {
        if self.plan().across.is_empty() {
            return None;
        }
        let is_past = |(from, _): &&(NodeIx, EdgeRule)| self.plan().is_past(*from);
        let own = |(_, rule): &&(NodeIx, EdgeRule)| matches!(rule, EdgeRule::Upstream(Rule::AllSuccess));
        let (from, _) = self.plan().inbound(self.ix(slot)).iter().filter(is_past).find(own)?;
        let sensor = self.seen_from(slot, *from);
        let state = self.node(sensor).state;
        (state.is_end() && state != NodeState::Success).then_some(sensor)
    }

    /// Returns the node in the scope of `position` that represents `to`: `to` itself, or the mapping it lies in.
    fn standing_for(&self, to: NodeIx, position: Position) -> Option<Slot> {
        let plan = self.plan();
        let scope = self.layout.expansion(position.expansion).scope;
        let mut to = to;
        while plan.node(to).scope != scope {
            to = plan.scope(plan.node(to).scope).each?;
        }
        Some(self.layout.own_slot(plan, to, position))
    }

    fn is_rejected(&self, slot: Slot) -> bool {
        let position = self.layout.position(slot);
        let ix = self.ix(slot);
        self.plan().out(ix).iter().any(|edge| {
            let takes = self.plan().upstreams(edge.to).any(|from| from == ix);
            let to = self.standing_for(edge.to, position).filter(|_| takes);
            to.is_some_and(|to| self.is_unwanting(to))
        })
    }

    /// True if a node that has not ended takes this one's output.
    fn is_awaited(&self, slot: Slot) -> bool {
        let plan = self.plan();
        let position = self.layout.position(slot);
        let scope = self.layout.expansion(position.expansion).scope;
        let awaits = |to: NodeIx| {
            let Some(target) = self.standing_for(to, position) else { return true };
            // A branch has all its arms, including those that nothing is wired to.
            let is_arm = matches!(self.what(target), What::Arm { .. });
            !self.node(target).state.is_end() && (!is_arm || self.is_awaited(target))
        };
        let ix = self.ix(slot);
        // An element's results go to its mapping.
        let joined = plan.scope(scope).each.is_some_and(|each| match &plan.node(each).what {
            What::Each(of) => of.result == ix || of.gathered.contains(&ix),
            _ => false,
        });
        // A teardown takes whatever exists.
        let is_awaited = |edge: &Edge| edge.rule != EdgeRule::Teardown && awaits(edge.to);
        joined || plan.out(ix).iter().any(is_awaited)
    }
}
