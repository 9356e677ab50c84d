//! The names of nodes in Airflow.
//!
//! A node with a body is a task with the node's id. A mapping has a task of its own, which expands the list. A node without a
//! body, such as an arm of a branch, has no task: every task downstream of it decides it again.
//!
//! # Why some mappings are one task
//!
//! Airflow maps over one list at a time, and starts its elements in any order. So a mapping within another, and one whose
//! elements run in order, is a single task, whose process runs all of its elements with the engine.

use crate::author::options::Mode;
use crate::plan::{DEFAULT_POOL, NodeIx, Plan, What};

/// The last task of each DAG: it decides the run's state by the engine's rules, and notifies the pipeline's notifiers.
pub(super) const END: &str = "end_of_run";

/// The task of a node, if it has one.
pub(super) fn task_of(plan: &Plan, node: NodeIx) -> Option<String> {
    if task_around(plan, node).is_some() {
        return None;
    }
    match &plan.node(node).what {
        // Airflow itself checks past runs.
        What::Body(_) if plan.is_past(node) => None,
        What::Body(_) => Some(plan.id(node)),
        What::Each(each) => {
            let id = plan.id(node);
            Some(if id.contains('(') { format!("{}.each", plan.id(each.result).replace(['(', ')'], "_")) } else { id })
        }
        _ => None,
    }
}

/// The node of a task.
pub(super) fn node_of(plan: &Plan, task: &str) -> Option<NodeIx> {
    (0..).zip(&plan.nodes).map(|(node, _)| node).find(|node| task_of(plan, *node).as_deref() == Some(task))
}

/// Returns whether a node is a mapping that is one task, with everything within it.
pub(super) fn is_one_task(plan: &Plan, node: NodeIx) -> bool {
    matches!(&plan.node(node).what, What::Each(each) if each.in_order || plan.node(node).scope != 0)
}

/// The mapping that is one task and contains this node.
pub(super) fn task_around(plan: &Plan, node: NodeIx) -> Option<NodeIx> {
    let around = std::iter::successors(mapping_around(plan, node), |each| mapping_around(plan, *each));
    around.filter(|each| is_one_task(plan, *each)).last()
}

/// Returns whether a node is neither this mapping, which is one task, nor within it.
pub(super) fn is_outside(plan: &Plan, each: NodeIx, node: NodeIx) -> bool {
    node != each && task_around(plan, node) != Some(each)
}

/// The nodes within a mapping that is one task, including those in inner mappings.
pub(super) fn members(plan: &Plan, each: NodeIx) -> impl Iterator<Item = NodeIx> {
    (0..).zip(&plan.nodes).map(|(node, _)| node).filter(move |node| task_around(plan, *node) == Some(each))
}

/// The mapping around a node.
pub(super) fn mapping_around(plan: &Plan, node: NodeIx) -> Option<NodeIx> {
    plan.scope(plan.node(node).scope).each
}

/// The pool of a body, unless it is the default one.
pub(super) fn pool(plan: &Plan, node: NodeIx) -> Option<&'static str> {
    let policy = plan.node(node).is_body().then(|| plan.policy(node))?;
    plan.pools.get(policy.pool as usize).map(|pool| pool.name).filter(|pool| *pool != DEFAULT_POOL)
}

/// The number of retries that Airflow is given. A rescheduled sensor has at least two: Airflow counts a poke as failed if it
/// starts before Airflow has noticed the end of the previous one (apache/airflow#71172). Whether attempts are left is decided by
/// the engine.
pub(super) fn retries(plan: &Plan, node: NodeIx) -> u32 {
    let policy = plan.policy(node);
    match &policy.sensor {
        Some(sensor) if sensor.mode == Mode::Reschedule => policy.retries.max(2),
        _ => policy.retries,
    }
}
