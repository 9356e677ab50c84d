//! Mistakes that only several plans together show: what a process has one of, they must agree on.

use super::graph::Plan;
use super::policy::DEFAULT_POOL;
use super::problem::Problem;
use super::upstream;
use crate::author::draft::Place;
use crate::author::pipeline::Pipeline;
use std::collections::HashMap;

/// What two pipelines of one id are told, if there are some.
pub(crate) fn same_id(pipelines: &[Pipeline]) -> Option<String> {
    pipelines.iter().enumerate().find_map(|(n, second)| {
        let first = pipelines[..n].iter().find(|first| first.id() == second.id())?;
        let (id, first, second) = (second.id(), first.definition().at, second.definition().at);
        Some(format!(
            "two pipelines have the id `{id}`\n  --> {first}: the first\n  --> {second}: the second\n  \
             = help: give one of them another, as in `#[pipeline(id = \"{id}_2\")]`, or list it once"
        ))
    })
}

/// All mistakes that the plans of a process show only together. `pipelines` are all that the process has.
pub(crate) fn disagreements(pipelines: &[Pipeline], plans: &[Plan]) -> Vec<Problem> {
    let mut problems = pools(plans);
    problems.extend(upstream::together(pipelines, plans));
    problems
}

/// Pools of one name that have other slots in another pipeline. All pipelines of a process share a pool by its name.
fn pools(plans: &[Plan]) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut known: HashMap<&str, (u32, &Plan, Option<Place>)> = HashMap::new();
    for plan in plans {
        for (ix, pool) in plan.pools.iter().enumerate().filter(|(_, pool)| pool.name != DEFAULT_POOL) {
            let at = plan.first_in_pool(ix);
            let (slots, first, of_first) = *known.entry(pool.name).or_insert((pool.slots, plan, at));
            if slots == pool.slots {
                continue;
            }
            let message = format!(
                "the pool `{}` has {slots} slots in pipeline `{}` and {} in pipeline `{}`, and pipelines share a pool by its name",
                pool.name, first.pipeline, pool.slots, plan.pipeline
            );
            let mut problem = Problem::new(message, "share one `static` pool, or give one of them another name");
            for (at, which) in [(of_first, "the first is used here"), (at, "the second is used here")] {
                problem = at.into_iter().fold(problem, |problem, at| problem.at(at, which));
            }
            problems.push(problem);
        }
    }
    problems
}
