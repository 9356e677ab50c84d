//! A plan of which this process runs only one node: the others run elsewhere.

use super::super::names::{members, pool};
use super::Target;
use crate::plan::{NodeIx, Plan, PoolSpec};
use std::collections::BTreeSet;

/// A pool without slots: its nodes never start in this process.
const ELSEWHERE: PoolSpec = PoolSpec { name: "(elsewhere)", slots: 0 };

/// The slot that Airflow has given to a mapping that is one task.
const ITS_SLOT: PoolSpec = PoolSpec { name: "(its slot)", slots: 1 };

/// Removes from a plan what this process must not apply. Airflow enforces pools, priorities and the run's timeout.
pub(super) fn confine(plan: &mut Plan, target: Target) {
    let elsewhere = u32::try_from(plan.pools.len()).unwrap_or(u32::MAX);
    plan.pools.push(ELSEWHERE);
    let here: BTreeSet<NodeIx> = match target {
        Target::Node(node, _) => BTreeSet::from([node]),
        Target::WholeMapping(each, _) => members(plan, each).filter(|node| plan.node(*node).is_body()).collect(),
        Target::Expand(_) | Target::End => BTreeSet::new(),
    };
    // The task as a whole holds one slot of the pool that these nodes are in.
    let mut one_slot = None;
    if matches!(target, Target::WholeMapping(..)) && here.iter().any(|node| pool(plan, *node).is_some()) {
        one_slot = u32::try_from(plan.pools.len()).ok();
        plan.pools.push(ITS_SLOT);
    }
    let bodies: Vec<NodeIx> = plan.bodies().map(|(node, _)| node).collect();
    for node in bodies {
        let is_here = here.contains(&node);
        let pool = match one_slot.filter(|_| pool(plan, node).is_some()) {
            _ if !is_here => elsewhere,
            Some(one_slot) => one_slot,
            None => 0,
        };
        plan.alter(node, |policy| {
            policy.sla = None;
            policy.pool = pool;
            if one_slot.is_none() {
                policy.priority = 0;
            }
            // For a node that no process has run, the last task of the run calls the callbacks.
            if !is_here && target != Target::End {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::DEFAULT_POOL;
    use crate::prelude::*;
    use serde_json::Value;

    #[task]
    async fn list(n: u64) -> Result<Vec<u64>> {
        Ok(vec![n])
    }

    #[task(pool = DB, priority = 3)]
    async fn kept(n: u64) -> Result<u64> {
        Ok(n)
    }

    #[task]
    async fn sum(all: Vec<u64>) -> Result<u64> {
        Ok(all.iter().sum())
    }

    const DB: Pool = Pool::new("db", 5);

    #[pipeline]
    fn nested() {
        list(1).named("outer").each(|n| {
            sum(list(n)
                .named("inner")
                .each(|m| kept(sum(list(m).named("items").each(|n| kept(n).named("item"))).named("of_items"))))
        });
    }

    fn pool_of<'a>(plan: &'a Plan, id: &str) -> (&'a str, u32) {
        let (node, _) = plan.bodies().find(|(node, _)| plan.id(*node) == id).unwrap();
        let pool = &plan.pools[plan.policy(node).pool as usize];
        (pool.name, pool.slots)
    }

    #[test]
    fn a_mapping_that_is_one_task_runs_all_that_lies_within_it_in_the_one_slot_that_it_has() {
        let mut plan = nested().plan(&Value::Null).unwrap();
        let whole = super::super::super::names::node_of(&plan, "kept.each").unwrap();
        let parallel = plan.pools[0].slots;
        confine(&mut plan, Target::WholeMapping(whole, Some(0)));
        assert_eq!((pool_of(&plan, "kept"), pool_of(&plan, "item")), (("(its slot)", 1), ("(its slot)", 1)));
        assert_eq!((pool_of(&plan, "of_items"), pool_of(&plan, "items")), ((DEFAULT_POOL, parallel), (DEFAULT_POOL, parallel)));
        for elsewhere in ["outer", "inner", "sum"] {
            assert_eq!(pool_of(&plan, elsewhere), ("(elsewhere)", 0));
        }
    }
}
