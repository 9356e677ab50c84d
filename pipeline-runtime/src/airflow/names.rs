//! What a node is called in Airflow.
//!
//! A node with a body is a task of the node's own id. A mapping has a task of its own, which expands the list. What is decided without a body,
//! such as an arm of a branch, is no task: whatever stands behind it decides it again.

use crate::author::options::Mode;
use crate::plan::{NodeIx, Plan, What};

/// The last task of each DAG: it decides the run's state as we do, and tells the pipeline's notifiers.
pub(super) const END: &str = "end_of_run";

/// The task that a node is; none of what is no task.
pub(super) fn task_of(plan: &Plan, node: NodeIx) -> Option<String> {
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

/// The mapping that a node lies in.
pub(super) fn mapping_around(plan: &Plan, node: NodeIx) -> Option<NodeIx> {
    plan.scope(plan.node(node).scope).each
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
