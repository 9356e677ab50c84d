//! What a node is called in Airflow.
//!
//! A node with a body is a task of the node's own id. A mapping has a task of its own, which expands the list. What is decided without a body,
//! such as an arm of a branch, is no task: whatever stands behind it decides it again.
//!
//! # Why some mappings are one task
//!
//! Airflow maps over one list at a time, and starts its elements in any order. So a mapping within another, and one whose elements go in order, is a
//! single task, whose process runs all of its elements by the engine.

use crate::author::options::Mode;
use crate::plan::{DEFAULT_POOL, NodeIx, Plan, What};

/// The last task of each DAG: it decides the run's state as we do, and tells the pipeline's notifiers.
pub(super) const END: &str = "end_of_run";

/// The task that a node is; none of what is no task.
pub(super) fn task_of(plan: &Plan, node: NodeIx) -> Option<String> {
    if task_around(plan, node).is_some() {
        return None;
    }
    match &plan.node(node).what {
        // Airflow itself looks at the past.
        What::Body(_) if plan.is_past(node) => None,
        What::Body(_) => Some(plan.id(node)),
        What::Each(each) => {
            let id = plan.id(node);
            Some(if id.contains('(') { format!("{}.each", plan.id(each.result).replace(['(', ')'], "_")) } else { id })
        }
        _ => None,
    }
}

/// The node that a task is.
pub(super) fn node_of(plan: &Plan, task: &str) -> Option<NodeIx> {
    (0..).zip(&plan.nodes).map(|(node, _)| node).find(|node| task_of(plan, *node).as_deref() == Some(task))
}

/// Whether a mapping is one task, with all that lies within it.
pub(super) fn is_one_task(plan: &Plan, node: NodeIx) -> bool {
    matches!(&plan.node(node).what, What::Each(each) if each.in_order || plan.node(node).scope != 0)
}

/// The mapping that is one task and has this node within it.
pub(super) fn task_around(plan: &Plan, node: NodeIx) -> Option<NodeIx> {
    let around = std::iter::successors(mapping_around(plan, node), |each| mapping_around(plan, *each));
    around.filter(|each| is_one_task(plan, *each)).last()
}

/// Whether a node neither is that mapping, which is one task, nor lies within it.
pub(super) fn is_outside(plan: &Plan, each: NodeIx, node: NodeIx) -> bool {
    node != each && task_around(plan, node) != Some(each)
}

/// What lies within a mapping that is one task, also within the mappings in it.
pub(super) fn members(plan: &Plan, each: NodeIx) -> impl Iterator<Item = NodeIx> {
    (0..).zip(&plan.nodes).map(|(node, _)| node).filter(move |node| task_around(plan, *node) == Some(each))
}

/// The mapping that a node lies in.
pub(super) fn mapping_around(plan: &Plan, node: NodeIx) -> Option<NodeIx> {
    plan.scope(plan.node(node).scope).each
}

/// The pool that a body is in, if it is not the default one.
pub(super) fn pool(plan: &Plan, node: NodeIx) -> Option<&'static str> {
    let policy = plan.node(node).is_body().then(|| plan.policy(node))?;
    plan.pools.get(policy.pool as usize).map(|pool| pool.name).filter(|pool| *pool != DEFAULT_POOL)
}

/// How many retries Airflow is told of. A sensor that is rescheduled has at least two: Airflow takes a poke for failed that begins before the end of
/// the last one has been noticed (apache/airflow#71172), and whether an attempt is left is ours to say.
pub(super) fn retries(plan: &Plan, node: NodeIx) -> u32 {
    let policy = plan.policy(node);
    match &policy.sensor {
        Some(sensor) if sensor.mode == Mode::Reschedule => policy.retries.max(2),
        _ => policy.retries,
    }
}
