//! Pools: each name has one number of slots, and at least one.

use super::super::build::Sketch;
use super::super::policy::DEFAULT_POOL;
use super::super::problem::Problem;

pub(super) fn pools(sketch: &Sketch, problems: &mut Vec<Problem>) {
    let plan = &sketch.plan;
    for (ix, pool) in plan.pools.iter().enumerate() {
        if pool.slots == 0 {
            let message = format!("pool `{}` has no slots, so that nothing in it could ever run", pool.name);
            let mut problem = Problem::new(message, format!("give it at least one: `Pool::new({:?}, 1)`", pool.name));
            if let Some(at) = plan.first_in_pool(ix) {
                problem = problem.at(at, "the node wired here needs one");
            }
            problems.push(problem);
        }
        let Some(twin) = plan.pools[..ix].iter().position(|other| other.name == pool.name && other.slots != pool.slots) else {
            continue;
        };
        if pool.name == DEFAULT_POOL {
            let message =
                format!("`{DEFAULT_POOL}` is the pool of all nodes that name none; it has as many slots as `--parallelism` says");
            let help = "give this pool another name; `defaults(pool = ..)` of the pipeline puts all its tasks into it";
            let problem = Problem::new(message, help);
            problems.extend(plan.first_in_pool(ix).map(|at| problem.at(at, "this node uses another pool of that name")));
            continue;
        }
        let slots = plan.pools[twin].slots;
        let message = format!("two pools are named `{}`, one of {slots} slots and one of {}", pool.name, pool.slots);
        let mut problem = Problem::new(message, "share one `static` pool, or give one of them another name");
        for (of, which) in [(twin, "the first is used here"), (ix, "the second is used here")] {
            if let Some(at) = plan.first_in_pool(of) {
                problem = problem.at(at, which);
            }
        }
        problems.push(problem);
    }
}
