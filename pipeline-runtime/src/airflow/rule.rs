//! What a task waits for in Airflow, and by which trigger rule.

use super::names::{is_one_task, is_outside, members, task_of};
use crate::author::input::Rule;
use crate::plan::{EdgeRule, NodeIx, Plan, What};
use std::collections::BTreeSet;

/// The task starts once everything upstream has ended, and its process decides.
const DECIDED_BY_US: &str = "all_done";
/// The task only starts if everything upstream has succeeded.
const ALL_SUCCESS: &str = "all_success";

/// Returns whether Airflow starts a task only after everything upstream has succeeded, so that its process need not ask.
pub(super) fn wants_success(plan: &Plan, node: NodeIx) -> bool {
    // Airflow applies a rule of its own to a teardown.
    plan.teardown(node).is_none() && trigger_rule(plan, node) == ALL_SUCCESS
}

/// The edges into a task from outside. For a mapping that is one task, these include the edges to nodes within it.
pub(super) fn outside_edges(plan: &Plan, node: NodeIx) -> Vec<(NodeIx, EdgeRule)> {
    let mut edges = plan.inbound(node).to_vec();
    if is_one_task(plan, node) {
        let inner = members(plan, node).flat_map(|inner| plan.inbound(inner));
        edges.extend(inner.filter(|(from, _)| is_outside(plan, node, *from)));
    }
    edges
}

/// Airflow's trigger rule for a task. Where no rule of Airflow's matches, the task starts once everything upstream has ended, and
/// its process decides.
pub(super) fn trigger_rule(plan: &Plan, node: NodeIx) -> &'static str {
    let mut rules = BTreeSet::new();
    let edges = plan.inbound(node);
    if outside_edges(plan, node).len() > edges.len() {
        // A node within the mapping waits for more than the mapping does.
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

/// The tasks that take part in a race: once one has won, the others may still run.
pub(super) fn racing_tasks(plan: &Plan) -> BTreeSet<String> {
    let from = plan.nodes.iter().filter_map(|node| match &node.what {
        What::FirstOf { from } => Some(from.iter().copied()),
        _ => None,
    });
    from.flatten().filter_map(|node| task_of(plan, node)).collect()
}
