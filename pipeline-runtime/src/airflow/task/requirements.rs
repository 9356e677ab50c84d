//! The states and outputs of upstream nodes that a task needs.

use super::super::names::{is_one_task, is_outside, mapping_around, members, task_around};
use super::super::rule::outside_edges;
use super::Target;
use crate::plan::{NodeIx, Plan, ScopeIx, What};
use std::collections::BTreeSet;

/// The nodes that a task asks Airflow about.
#[derive(Debug, Default)]
pub(super) struct Requirements {
    /// The nodes whose states are needed.
    pub(super) states: BTreeSet<NodeIx>,
    /// The nodes whose outputs are needed, if they succeeded.
    pub(super) values: BTreeSet<NodeIx>,
    /// The mappings whose elements have to exist.
    pub(super) expanded: BTreeSet<NodeIx>,
    /// The mappings that are one task and whose elements' ends are needed.
    pub(super) whole_mappings: BTreeSet<NodeIx>,
    visited: BTreeSet<NodeIx>,
}

impl Requirements {
    /// Returns the requirements of a task with that target.
    pub(super) fn of(plan: &Plan, target: Target) -> Self {
        let mut needed = Self::default();
        match target {
            Target::Node(node, _) | Target::Expand(node) => {
                needed.add_upstreams(plan, node);
                plan.upstreams(node).for_each(|from| needed.add_value(plan, from));
                if let Some(each) = mapping_around(plan, node) {
                    needed.add_expansion(plan, each);
                }
            }
            Target::WholeMapping(each, _) => {
                for (from, _) in outside_edges(plan, each) {
                    needed.add_state(plan, from);
                }
                let inputs = members(plan, each).flat_map(|node| plan.upstreams(node));
                inputs.filter(|from| is_outside(plan, each, *from)).for_each(|from| needed.add_value(plan, from));
                if let What::Each(of) = &plan.node(each).what {
                    needed.add_value(plan, of.list);
                }
                if let Some(around) = mapping_around(plan, each) {
                    needed.add_expansion(plan, around);
                }
            }
            Target::End => needed.add_all(plan),
        }
        needed
    }

    /// The nodes of a scope to record, each after those upstream of it.
    pub(super) fn in_order(&self, plan: &Plan, scope: ScopeIx) -> Vec<NodeIx> {
        let all: BTreeSet<NodeIx> = self.states.iter().chain(&self.whole_mappings).chain(&self.expanded).copied().collect();
        let mut of_scope: Vec<NodeIx> = all.into_iter().filter(|node| plan.node(*node).scope == scope).collect();
        of_scope.sort_by_key(|node| plan.node(*node).rank);
        of_scope
    }

    /// Adds everything that decides the end of the run: how all nodes ended, which arms were taken, and the lists.
    fn add_all(&mut self, plan: &Plan) {
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
                    self.whole_mappings.extend(Some(node).filter(|node| is_one_task(plan, *node)));
                    self.add_value(plan, each.list);
                }
                // A part is taken from the value of the winner.
                What::FirstOf { .. } => self.add_value(plan, node),
                _ => {}
            }
        }
        if !plan.parts_of_gates.is_empty() {
            self.values.extend(self.states.iter().copied());
        }
    }

    /// Adds what a node waits for.
    pub(super) fn add_upstreams(&mut self, plan: &Plan, node: NodeIx) {
        for (from, _) in plan.inbound(node) {
            self.add_state(plan, *from);
        }
    }

    fn add_state(&mut self, plan: &Plan, node: NodeIx) {
        let node = task_around(plan, node).unwrap_or(node);
        if !self.visited.insert(node) {
            return;
        }
        match &plan.node(node).what {
            What::Body(_) => {
                self.states.insert(node);
                return;
            }
            // The branch's output names the arm that it took.
            What::Arm { branch, .. } => self.add_value(plan, *branch),
            What::Each(_) if is_one_task(plan, node) => {
                self.whole_mappings.insert(node);
                self.add_expansion(plan, node);
            }
            What::Each(each) => {
                self.add_expansion(plan, node);
                for &inner in &plan.scope(each.scope).nodes {
                    self.add_state(plan, inner);
                }
            }
            What::Element { each } => self.add_expansion(plan, *each),
            What::Gather(gather) => self.add_state(plan, gather.each),
            What::Failure { .. } | What::FirstOf { .. } | What::Journaled(_) => {}
        }
        self.add_upstreams(plan, node);
    }

    /// Adds a mapping's list, so that its elements exist.
    fn add_expansion(&mut self, plan: &Plan, each: NodeIx) {
        if let What::Each(of) = &plan.node(each).what
            && self.expanded.insert(each)
        {
            self.add_state(plan, of.list);
            self.add_value(plan, of.list);
            self.add_upstreams(plan, each);
        }
    }

    fn add_value(&mut self, plan: &Plan, node: NodeIx) {
        if let Some(whole_mappings) = task_around(plan, node) {
            return self.add_state(plan, whole_mappings);
        }
        match &plan.node(node).what {
            What::Body(_) => {
                self.states.insert(node);
                self.values.insert(node);
            }
            What::Arm { branch: of, .. } => self.add_value(plan, *of),
            What::FirstOf { from } => from.iter().for_each(|from| self.add_value(plan, *from)),
            What::Each(each) => {
                self.add_state(plan, node);
                self.add_value(plan, each.result);
            }
            What::Gather(gather) => {
                self.add_state(plan, gather.each);
                self.add_value(plan, gather.result);
            }
            What::Element { each } => self.add_expansion(plan, *each),
            What::Failure { .. } | What::Journaled(_) => {}
        }
    }
}
