//! What a task has to know of the nodes upstream of it.

use super::super::names::{is_one_task, is_outside, mapping_around, members, task_around};
use super::super::rule::from_outside;
use super::Target;
use crate::plan::{NodeIx, Plan, ScopeIx, What};
use std::collections::BTreeSet;

/// The nodes that a task asks Airflow about.
#[derive(Debug, Default)]
pub(super) struct Needed {
    /// The nodes whose states are needed.
    pub(super) states: BTreeSet<NodeIx>,
    /// The nodes whose outputs are needed, if they succeeded.
    pub(super) values: BTreeSet<NodeIx>,
    /// The mappings whose elements have to exist.
    pub(super) expanded: BTreeSet<NodeIx>,
    /// The mappings that are one task and whose elements' ends are needed.
    pub(super) whole: BTreeSet<NodeIx>,
    seen: BTreeSet<NodeIx>,
}

impl Needed {
    pub(super) fn of(plan: &Plan, target: Target) -> Self {
        let mut needed = Self::default();
        match target {
            Target::Node(node, _) | Target::Expand(node) => {
                needed.wait_of(plan, node);
                plan.upstreams(node).for_each(|from| needed.value_of(plan, from));
                if let Some(each) = mapping_around(plan, node) {
                    needed.expand(plan, each);
                }
            }
            Target::Whole(each, _) => {
                for (from, _) in from_outside(plan, each) {
                    needed.state_of(plan, from);
                }
                let inputs = members(plan, each).flat_map(|node| plan.upstreams(node));
                inputs.filter(|from| is_outside(plan, each, *from)).for_each(|from| needed.value_of(plan, from));
                if let What::Each(of) = &plan.node(each).what {
                    needed.value_of(plan, of.list);
                }
                if let Some(around) = mapping_around(plan, each) {
                    needed.expand(plan, around);
                }
            }
            Target::End => needed.all(plan),
        }
        needed
    }

    /// The nodes of a scope to record, each after those upstream of it.
    pub(super) fn in_order(&self, plan: &Plan, scope: ScopeIx) -> Vec<NodeIx> {
        let all: BTreeSet<NodeIx> = self.states.iter().chain(&self.whole).chain(&self.expanded).copied().collect();
        let mut of_scope: Vec<NodeIx> = all.into_iter().filter(|node| plan.node(*node).scope == scope).collect();
        of_scope.sort_by_key(|node| plan.node(*node).rank);
        of_scope
    }

    /// Adds everything that decides the end of the run: how all nodes ended, which arms were taken, and the lists.
    fn all(&mut self, plan: &Plan) {
        for (node, of) in (0..).zip(&plan.nodes).filter(|(node, _)| task_around(plan, *node).is_none()) {
            match &of.what {
                What::Body(task) => {
                    self.states.insert(node);
                    if task.branch.is_some() {
                        self.values.insert(node);
                    }
                }
                What::Each(each) => {
                    self.expanded.insert(node);
                    self.whole.extend(Some(node).filter(|node| is_one_task(plan, *node)));
                    self.value_of(plan, each.list);
                }
                // A part is taken from the value of the winner.
                What::FirstOf { .. } => self.value_of(plan, node),
                _ => {}
            }
        }
        if !plan.parts_of_gates.is_empty() {
            self.values.extend(self.states.iter().copied());
        }
    }

    /// Adds what a node waits for.
    pub(super) fn wait_of(&mut self, plan: &Plan, node: NodeIx) {
        for (from, _) in plan.inbound(node) {
            self.state_of(plan, *from);
        }
    }

    fn state_of(&mut self, plan: &Plan, node: NodeIx) {
        let node = task_around(plan, node).unwrap_or(node);
        if !self.seen.insert(node) {
            return;
        }
        match &plan.node(node).what {
            What::Body(_) => {
                self.states.insert(node);
                return;
            }
            // The branch's output names the arm that it took.
            What::Arm { branch, .. } => self.value_of(plan, *branch),
            What::Each(_) if is_one_task(plan, node) => {
                self.whole.insert(node);
                self.expand(plan, node);
            }
            What::Each(each) => {
                self.expand(plan, node);
                for &inner in &plan.scope(each.scope).nodes {
                    self.state_of(plan, inner);
                }
            }
            What::Element { each } => self.expand(plan, *each),
            What::Gather(gather) => self.state_of(plan, gather.each),
            What::Failure { .. } | What::FirstOf { .. } | What::Journaled(_) => {}
        }
        self.wait_of(plan, node);
    }

    /// Adds a mapping's list, so that its elements exist.
    fn expand(&mut self, plan: &Plan, each: NodeIx) {
        if let What::Each(of) = &plan.node(each).what
            && self.expanded.insert(each)
        {
            self.state_of(plan, of.list);
            self.value_of(plan, of.list);
            self.wait_of(plan, each);
        }
    }

    fn value_of(&mut self, plan: &Plan, node: NodeIx) {
        if let Some(whole) = task_around(plan, node) {
            return self.state_of(plan, whole);
        }
        match &plan.node(node).what {
            What::Body(_) => {
                self.states.insert(node);
                self.values.insert(node);
            }
            What::Arm { branch: of, .. } => self.value_of(plan, *of),
            What::FirstOf { from } => from.iter().for_each(|from| self.value_of(plan, *from)),
            What::Each(each) => {
                self.state_of(plan, node);
                self.value_of(plan, each.result);
            }
            What::Gather(gather) => {
                self.state_of(plan, gather.each);
                self.value_of(plan, gather.result);
            }
            What::Element { each } => self.expand(plan, *each),
            What::Failure { .. } | What::Journaled(_) => {}
        }
    }
}
