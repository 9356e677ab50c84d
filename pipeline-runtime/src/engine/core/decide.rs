//! Decisions: what the records so far make of nodes that wait.
//!
//! Nodes are decided in topological order, `upstream_failed` before `skipped`, and all of them before anything starts, so that
//! of all that one event brings to a node the gravest counts.

use super::super::record::{Record, Skip, Slot};
use super::super::state::{NodeState, RunState};
use super::Action;
use super::desk::Desk;
use super::run::Decision;
use super::timers::Due;
use crate::author::notify::Event;
use crate::plan::{NodeIx, What};
use std::cmp::Reverse;
use std::sync::Arc;

impl Desk<'_> {
    /// Sets the timers of a run that starts.
    pub(super) fn begin(&mut self) {
        self.limit_run();
        let policy = self.run.plan().run.clone();
        for (rung, (after, _)) in (0..).zip(&policy.slas) {
            self.timer(self.run.spec.sla_from + *after, Due::RunSla(rung));
        }
        let slots = u32::try_from(self.run.nodes.len()).unwrap_or(u32::MAX);
        self.node_slas(0..slots);
    }

    /// Sets the timer of the run's timeout.
    pub(super) fn limit_run(&mut self) {
        if let Some(deadline) = self.run.deadline() {
            self.timer(deadline, Due::RunTimeout);
        }
    }

    /// A timer of the run's timeout. If the run has been tried again since, another one counts.
    pub(super) fn timed_out_run(&mut self) {
        if self.run.deadline().is_some_and(|deadline| deadline <= self.now) {
            self.end(RunState::Failed);
        }
    }

    pub(super) fn node_slas(&mut self, slots: std::ops::Range<Slot>) {
        if self.run.plan().policies.iter().all(|policy| policy.sla.is_none()) {
            return;
        }
        for slot in slots {
            if let Some(sla) = self.policy(slot).sla {
                self.timer(self.run.spec.sla_from + sla, Due::NodeSla(slot));
            }
        }
    }

    pub(super) fn decide(&mut self) {
        if self.run.state.is_end() {
            return;
        }
        loop {
            if !self.run.pending.is_settled() {
                self.decide_next();
                continue;
            }
            if self.run.pending.ready.is_empty() {
                break;
            }
            let mut ready = std::mem::take(&mut self.run.pending.ready);
            match ready.as_slice() {
                [only] if self.is_scheduled(*only) => self.start_or_queue(*only),
                // Of several the pool says who is first.
                several => {
                    for &slot in several {
                        if self.is_scheduled(slot) {
                            self.queue(slot);
                        }
                    }
                }
            }
            ready.clear();
            // Its memory is used again.
            self.run.pending.ready = ready;
        }
        if self.run.open == 0 {
            let state = if self.run.failures > 0 { RunState::Failed } else { RunState::Success };
            self.ended(state);
        }
    }

    /// After a recovery what was ready may have gone on already.
    #[inline]
    fn is_scheduled(&self, slot: Slot) -> bool {
        self.run.node(slot).state == NodeState::Scheduled
    }

    fn decide_next(&mut self) {
        let pending = &mut self.run.pending;
        if let Some(Reverse((_, slot, decision))) = pending.decisions.pop() {
            match decision {
                Decision::UpstreamFailed(from) => self.upstream_failed(slot, from),
                Decision::Skipped(from) => self.upstream_skipped(slot, from),
                Decision::Gathered => self.gather(slot),
                Decision::Holds => self.gate(slot),
            }
        } else if !pending.losers.is_empty() {
            self.cut_losers_off();
        } else if let Some(expansion) = pending.freed.pop() {
            self.activate(expansion);
        }
    }

    fn upstream_failed(&mut self, slot: Slot, from: Slot) {
        if self.run.node(slot).state.is_end() {
            return;
        }
        for element in self.elements_left(slot) {
            self.abort(element);
            self.record(Record::UpstreamFailed { slot: element, cause: from });
            self.callback(element, Event::OnFailure);
        }
        self.record(Record::UpstreamFailed { slot, cause: from });
        self.callback(slot, Event::OnFailure);
    }

    /// Where a list was to be made anew and was not, what its elements waited for does not come either.
    pub(super) fn elements_left(&self, each: Slot) -> Vec<Slot> {
        let elements = self.run.layout.of_each(each).map(|expansion| self.run.layout.surplus(expansion, 0));
        elements.into_iter().flatten().filter(|&slot| !self.run.node(slot).state.is_end()).collect()
    }

    fn upstream_skipped(&mut self, slot: Slot, from: Slot) {
        if self.run.node(slot).state.is_end() {
            return;
        }
        for element in self.elements_left(slot) {
            self.abort(element);
            self.skip(element, Skip::Upstream(from));
        }
        let why = match self.run.plan().node(self.run.ix(slot)).what {
            What::Arm { .. } | What::Failure { .. } => Skip::NotTaken,
            _ => Skip::Upstream(from),
        };
        self.skip(slot, why);
    }

    /// All inputs of a gate hold, or a race is won.
    fn gate(&mut self, slot: Slot) {
        // After a recovery a mapping may have unfolded already, and is then running.
        if !matches!(self.run.node(slot).state, NodeState::None | NodeState::Scheduled) {
            return;
        }
        let plan = Arc::clone(self.run.plan());
        match &plan.node(self.run.ix(slot)).what {
            // These come by `ready`, and by `activate`.
            What::Body(_) | What::Element { .. } => {}
            What::Arm { .. } | What::Failure { .. } => {
                self.record(Record::Succeeded { slot, output: None });
            }
            What::FirstOf { from } => {
                let see = |node| self.run.layout.resolve(&plan, node, self.run.layout.position(slot));
                let runners: Vec<Slot> = from.iter().map(|&node| see(node)).collect();
                self.race(slot, &runners);
            }
            What::Each(each) => {
                let list = self.run.layout.resolve(&plan, each.list, self.run.layout.position(slot));
                let value = self.run.node(list).value.as_ref();
                let width = value.map_or(0, |list| (each.mapping.explode)(list.as_ref().as_any()).len());
                self.unfold(slot, width);
            }
        }
    }

    fn unfold(&mut self, slot: Slot, width: usize) {
        match u32::try_from(width) {
            Ok(width) if width <= super::MAX_ELEMENTS => {
                let first = u32::try_from(self.run.nodes.len()).unwrap_or(u32::MAX);
                self.record(Record::Unfolded { slot, width });
                let end = u32::try_from(self.run.nodes.len()).unwrap_or(u32::MAX);
                self.node_slas(first..end);
            }
            _ => {
                let limit = super::MAX_ELEMENTS;
                let error = format!("the list has {width} elements; `.each` takes at most {limit}: divide the list");
                self.fail(slot, error.into());
            }
        }
    }

    fn activate(&mut self, expansion: u32) {
        let of = self.run.layout.expansion(expansion).clone();
        let bound = of.each.and_then(|each| self.run.layout.each(self.run.plan(), each)).and_then(|each| each.max_active);
        // While the list is made anew its elements wait.
        let unfolded =
            |each: Slot| self.run.node(each).state == NodeState::Running && self.run.layout.of_each(each) == Some(expansion);
        if !of.each.is_some_and(unfolded) {
            return;
        }
        loop {
            let mapping = &self.run.mappings[expansion as usize];
            if bound.is_some_and(|bound| mapping.active >= bound) {
                return;
            }
            let mut elements = (mapping.next..of.width).map(|element| of.base + element * of.stride);
            let Some(element) = elements.find(|&element| self.run.node(element).state == NodeState::None) else { return };
            self.record(Record::Succeeded { slot: element, output: None });
        }
    }

    /// All elements of a mapping have ended: so does it, by its results.
    fn gather(&mut self, slot: Slot) {
        let unfolded = self.run.layout.of_each(slot);
        let complete = |ix| self.run.mappings[ix as usize].done == self.run.layout.expansion(ix).width;
        let node = self.run.node(slot);
        if node.state.is_end() || node.waits > 0 || !unfolded.is_some_and(complete) {
            return;
        }
        let Some((failed, skipped)) = self.run.results(slot) else {
            return self.record(Record::Succeeded { slot, output: None });
        };
        match (failed, skipped) {
            (Some(cause), _) => self.record(Record::UpstreamFailed { slot, cause }),
            (None, Some(from)) => self.record(Record::Skipped { slot, why: Skip::Upstream(from) }),
            (None, None) => self.record(Record::Succeeded { slot, output: None }),
        }
    }

    fn race(&mut self, slot: Slot, runners: &[Slot]) {
        if self.run.winner(slot).is_some() {
            self.record(Record::Succeeded { slot, output: None });
            self.run.pending.losers.extend_from_slice(runners);
            return;
        }
        // Nobody is left to win.
        let lost = |state| runners.iter().copied().find(|&runner| self.run.node(runner).state == state);
        let cause = lost(NodeState::Failed).or_else(|| lost(NodeState::UpstreamFailed));
        match (cause, lost(NodeState::Skipped)) {
            (Some(cause), _) => self.upstream_failed(slot, cause),
            (None, Some(from)) => self.upstream_skipped(slot, from),
            (None, None) => {}
        }
    }

    /// Cuts off the losers that nobody awaits. Whoever is cut off may have been the last to await another.
    fn cut_losers_off(&mut self) {
        let mut losers = std::mem::take(&mut self.run.pending.losers);
        let before = losers.len();
        losers.retain(|&loser| !self.cut_off(loser));
        if losers.len() < before {
            self.run.pending.losers = losers;
        }
    }

    /// Ends a node whose output nobody waits for any more, and those before it that fed it alone. Says whether it did.
    fn cut_off(&mut self, loser: Slot) -> bool {
        let was_open = !self.run.node(loser).state.is_end();
        let (mut doubtful, mut awaited) = (vec![loser], Vec::new());
        while let Some(slot) = doubtful.pop() {
            // An element is its list's, which feeds the other elements, too.
            let is_element = matches!(self.run.plan().node(self.run.ix(slot)).what, What::Element { .. });
            if is_element || self.run.node(slot).state.is_end() {
                continue;
            }
            if self.is_awaited(slot) {
                awaited.push(slot);
                continue;
            }
            self.cut_elements(slot);
            self.abort(slot);
            self.skip(slot, Skip::CutOff);
            let plan = self.run.plan();
            let (ix, position) = (self.run.ix(slot), self.run.layout.position(slot));
            let mut feeding: Vec<NodeIx> = plan.upstreams(ix).collect();
            if let What::Each(each) = &plan.node(ix).what {
                // What the elements of a mapping take from around it.
                let inner = (0..).zip(&plan.scopes).filter(|(scope, _)| plan.lies_within(*scope, each.scope));
                let imported = inner.flat_map(|(_, scope)| &scope.imports).map(|(from, _)| *from);
                feeding.extend(imported.filter(|&from| plan.lies_within(plan.node(ix).scope, plan.node(from).scope)));
            }
            // By this one, perhaps.
            doubtful.append(&mut awaited);
            doubtful.extend(feeding.into_iter().map(|node| self.run.layout.resolve(plan, node, position)));
        }
        was_open && self.run.node(loser).state.is_end()
    }

    fn cut_elements(&mut self, each: Slot) {
        let Some(expansion) = self.run.layout.of_each(each) else { return };
        let of = self.run.layout.expansion(expansion);
        for slot in of.base..of.base + of.stride * of.width {
            if !self.run.node(slot).state.is_end() {
                self.cut_elements(slot);
                self.abort(slot);
                self.skip(slot, Skip::CutOff);
            }
        }
    }

    /// Whether a node that has not ended takes this one's output.
    fn is_awaited(&self, slot: Slot) -> bool {
        let plan = self.run.plan();
        let position = self.run.layout.position(slot);
        let scope = self.run.layout.expansion(position.expansion).scope;
        let awaits = |to: NodeIx| {
            // Into a mapping: the mapping itself stands for its elements.
            let mut to = to;
            while plan.node(to).scope != scope {
                match plan.scope(plan.node(to).scope).each {
                    Some(each) => to = each,
                    None => return true,
                }
            }
            let target = self.run.layout.own_slot(plan, to, position);
            // A branch has all its arms, also those that nothing was wired to.
            let is_arm = matches!(plan.node(to).what, What::Arm { .. });
            !self.run.node(target).state.is_end() && (!is_arm || self.is_awaited(target))
        };
        let ix = self.run.ix(slot);
        // What an element ends with goes to its mapping.
        let gathered = plan.scope(scope).each.is_some_and(|each| match &plan.node(each).what {
            What::Each(of) => of.result == ix,
            _ => false,
        });
        gathered || plan.out(ix).iter().any(|edge| awaits(edge.to))
    }

    /// Ends the run before its nodes have.
    pub(super) fn end(&mut self, state: RunState) {
        if self.run.state.is_end() {
            return;
        }
        let mut slot = 0;
        while (slot as usize) < self.run.nodes.len() {
            if !self.run.node(slot).state.is_end() {
                self.abort(slot);
                self.skip(slot, Skip::RunEnded);
            }
            slot += 1;
        }
        self.run.pending = super::run::Pending::default();
        self.ended(state);
    }

    fn ended(&mut self, state: RunState) {
        self.record(Record::RunEnded { state });
        self.run_callback(match state {
            RunState::Success => Event::OnSuccess,
            _ => Event::OnFailure,
        });
        self.act(Action::Ended { run: self.ix, state });
    }
}
