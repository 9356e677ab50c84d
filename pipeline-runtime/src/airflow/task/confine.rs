//! A plan of which one process runs one node: the others run elsewhere.

use super::Target;
use crate::plan::{NodeIx, Plan, PoolSpec};

/// A pool without slots: nothing in it starts here.
const ELSEWHERE: PoolSpec = PoolSpec { name: "(elsewhere)", slots: 0 };

/// Leaves of a plan what this process does about it. Airflow minds pools, priorities and the run's time limit.
pub(super) fn confine(plan: &mut Plan, target: Target) {
    let elsewhere = u32::try_from(plan.pools.len()).unwrap_or(u32::MAX);
    plan.pools.push(ELSEWHERE);
    let here = match target {
        Target::Node(node, _) => Some(node),
        Target::Expand(_) | Target::End => None,
    };
    let bodies: Vec<NodeIx> = plan.bodies().map(|(node, _)| node).collect();
    for node in bodies {
        plan.alter(node, |policy| {
            policy.sla = None;
            policy.priority = 0;
            policy.pool = if Some(node) == here { 0 } else { elsewhere };
            // Of a node that no process had, the last task of the run tells.
            if Some(node) != here && target != Target::End {
                policy.callbacks = Box::default();
            }
        });
    }
    plan.run.timeout = None;
    plan.run.sla = None;
    plan.run.slas.clear();
    if target != Target::End {
        plan.run.callbacks.clear();
    }
}
