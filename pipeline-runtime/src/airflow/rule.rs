//! What a task waits for in Airflow, and by which of its rules.

use super::names::{is_one_task, is_outside, members, task_of};
use crate::author::input::Rule;
use crate::plan::{EdgeRule, NodeIx, Plan, What};
use std::collections::BTreeSet;

/// The task starts once everything before it has ended, and its process decides.
const DECIDED_BY_US: &str = "all_done";
/// Everything before it has succeeded, where it starts at all.
const ALL_SUCCESS: &str = "all_success";

/// Whether Airflow starts a task only after the success of all that it waits for, so that its process need not ask.
pub(super) fn wants_success(plan: &Plan, node: NodeIx) -> bool {
    // A teardown goes by a rule of Airflow's own.
    plan.teardown(node).is_none() && trigger_rule(plan, node) == ALL_SUCCESS
}

/// What leads to a task from outside: also to what lies within a mapping that is one task.
pub(super) fn from_outside(plan: &Plan, node: NodeIx) -> Vec<(NodeIx, EdgeRule)> {
    let mut edges = plan.inbound(node).to_vec();
    if is_one_task(plan, node) {
        let inner = members(plan, node).flat_map(|inner| plan.inbound(inner));
        edges.extend(inner.filter(|(from, _)| is_outside(plan, node, *from)));
    }
    edges
}

/// Airflow's rule for a task. One that does not say what ours says has the task start once everything before it has ended, and its
/// process decides.
pub(super) fn trigger_rule(plan: &Plan, node: NodeIx) -> &'static str {
    let mut rules = BTreeSet::new();
    let edges = plan.inbound(node);
    if from_outside(plan, node).len() > edges.len() {
        // Something within the mapping waits for more than the mapping does.
        return DECIDED_BY_US;
    }
    for (from, rule) in edges {
        match (&plan.node(*from).what, rule) {
            (What::Body(_), _) if plan.is_past(*from) => {}
            (What::Body(_), EdgeRule::Upstream(rule)) => {
                rules.insert(rule.name());
            }
            (What::Element { .. }, EdgeRule::Upstream(Rule::AllSuccess)) => {
                rules.insert(Rule::AllSuccess.name());
            }
            (What::FirstOf { from }, EdgeRule::Upstream(Rule::AllSuccess))
                if from.iter().all(|from| plan.node(*from).is_body()) =>
            {
                rules.insert("one_success");
            }
            _ => return DECIDED_BY_US,
        }
    }
    let mut rules = rules.into_iter();
    match (rules.next(), rules.next()) {
        (None, _) => ALL_SUCCESS,
        (Some(rule), None) => rule,
        _ => DECIDED_BY_US,
    }
}

/// The tasks that races are between: once one has won, the others may run on.
pub(super) fn raced(plan: &Plan) -> BTreeSet<String> {
    let from = plan.nodes.iter().filter_map(|node| match &node.what {
        What::FirstOf { from } => Some(from.iter().copied()),
        _ => None,
    });
    from.flatten().filter_map(|node| task_of(plan, node)).collect()
}
