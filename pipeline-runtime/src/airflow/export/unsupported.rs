//! What Airflow cannot do. The export refuses it and names the place in the code; it never drops anything silently.

use super::super::names::{END, is_one_task, members, pool, task_of};
use super::Omission;
use super::python::group_of;
use super::schedule::{self, DagSchedule};
use crate::Pipeline;
use crate::plan::{NodeIx, Plan, Problem, What};
use std::collections::{BTreeMap, HashMap};

/// Everything that prevents an export.
pub(super) fn problems(pipeline: &Pipeline, plan: &Plan, without: &[Omission]) -> Vec<Problem> {
    let mut problems = Vec::new();
    if schedule::of(plan) == DagSchedule::Unsupported {
        let message = format!("Airflow has no schedule like that of pipeline `{}`", plan.pipeline);
        let help = "give it one cron line, or an `every` of hours or less; or export it with `by_hand` and trigger it";
        let at = pipeline.definition().option_location("schedule").unwrap_or(pipeline.definition().at);
        problems.push(Problem::new(message, help).at(at, "of this pipeline"));
    }
    if !without.contains(&Omission::Locks) {
        problems.extend(plan.holdings.iter().map(locks(plan)));
    }
    if !without.contains(&Omission::Sla) {
        problems.extend(slas(pipeline, plan));
    }
    problems.extend(other_pipelines(plan));
    problems.extend(mappings(plan));
    problems.extend(names(plan));
    problems
}

fn locks(plan: &Plan) -> impl Fn(&crate::plan::Holding) -> Problem {
    move |holding| {
        let (group, locks) = (plan.holder(holding), holding.locks.join("`, `"));
        let message = format!("Airflow has no locks, and group `{}` holds `{locks}`", group.id);
        let help = "give the tasks a pool of one slot, which separates single tasks but not groups; or leave the locks out with `--without locks`";
        Problem::new(message, help).at(group.at, "this group")
    }
}

fn slas(pipeline: &Pipeline, plan: &Plan) -> Vec<Problem> {
    let help = "Airflow 3 has no SLA of a task, and a DAG's deadlines call Python: leave them out with `--without sla`, and use the \
                pipeline's `timeout` or Airflow's own alerts";
    let of_nodes = plan.bodies().map(|(node, _)| node).filter(|node| plan.policy(*node).sla.is_some()).map(|node| {
        let message = format!("a miss of the `sla` of `{}` would go unnoticed: no process runs while it waits", plan.id(node));
        Problem::new(message, help).at(plan.node(node).at, "wired here")
    });
    let of_run = (plan.run.sla.is_some() || !plan.run.slas.is_empty()).then(|| {
        let message = format!("a run of `{}` that misses its `sla` or a step of its ladder would go unnoticed", plan.pipeline);
        Problem::new(message, help).at(pipeline.definition().at, "of this pipeline")
    });
    of_nodes.chain(of_run).collect()
}

/// Nodes that involve runs of other pipelines.
fn other_pipelines(plan: &Plan) -> Vec<Problem> {
    let is_other = |node: &NodeIx| plan.across.contains_key(node) && !plan.is_past(*node);
    let nodes = plan.bodies().map(|(node, _)| node).filter(is_other);
    let problem = |node: NodeIx| {
        let message = format!("`{}` involves a run of another pipeline, which cannot be exported yet", plan.id(node));
        let help = "let the other pipeline update an asset, and wait for that with `when = all(..)`: assets are exported";
        Problem::new(message, help).at(plan.node(node).at, "wired here")
    };
    nodes.map(problem).collect()
}

/// What a mapping that is one task cannot do.
fn mappings(plan: &Plan) -> Vec<Problem> {
    let mut problems = Vec::new();
    for each in (0..).zip(&plan.nodes).map(|(node, _)| node).filter(|node| is_one_task(plan, *node)) {
        let Some(task) = task_of(plan, each) else { continue };
        let pools: BTreeMap<&str, NodeIx> = members(plan, each).filter_map(|node| Some((pool(plan, node)?, node))).collect();
        if pools.len() > 1 {
            let names: Vec<String> = pools.keys().map(|pool| format!("`{pool}`")).collect();
            let message =
                format!("`{task}` is one Airflow task with one pool, but tasks within it are in {}", names.join(" and in "));
            let help = "give its tasks one pool, or flatten the list in a task before it, so that each element is a task";
            let problem = Problem::new(message, help).at(plan.node(each).at, "this `.each`");
            problems.push(pools.values().fold(problem, |problem, node| problem.at(plan.node(*node).at, "wired here")));
        }
    }
    problems
}

/// Names that Airflow could not accept or tell apart.
fn names(plan: &Plan) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut tasks: HashMap<String, NodeIx> = HashMap::new();
    for (node, of) in (0..).zip(&plan.nodes) {
        let Some(task) = task_of(plan, node) else { continue };
        if task == END {
            let help = "give it another name with `.named`";
            let message = format!("`{END}` is the name of the last task of every exported DAG");
            problems.push(Problem::new(message, help).at(of.at, "wired here"));
        }
        if task.len() > MAX_ID {
            let message = format!("the id `{task}` has {} bytes; Airflow allows {MAX_ID}", task.len());
            problems.push(Problem::new(message, "give it a shorter name with `.named`").at(of.at, "wired here"));
        }
        if let What::Each(_) = of.what
            && !is_one_task(plan, node)
            && group_of(&task).len() > MAX_GROUP
        {
            let message =
                format!("the group of `{task}` would have an id of {} bytes; Airflow allows {MAX_GROUP}", group_of(&task).len());
            problems.push(Problem::new(message, "give it a shorter name with `.named`").at(of.at, "this `.each`"));
        }
        tasks.insert(task, node);
    }
    // Airflow reports the state of an element of `load` under the name `load_3`.
    for (task, node) in &tasks {
        let mapped =
            task.rsplit_once('_').filter(|(_, index)| !index.is_empty() && index.bytes().all(|byte| byte.is_ascii_digit()));
        let Some(twin) = mapped.and_then(|(mapped, _)| tasks.get(mapped)).filter(|twin| plan.node(**twin).scope != 0) else {
            continue;
        };
        let message = format!("Airflow cannot distinguish `{task}` from an element of `{}`", plan.id(*twin));
        let help = "give one of them another name with `.named`";
        let problem = Problem::new(message, help).at(plan.node(*node).at, "wired here");
        problems.push(problem.at(plan.node(*twin).at, "the mapping's task is wired here"));
    }
    problems
}

/// The longest id that Airflow stores.
const MAX_ID: usize = 250;
/// The longest id of a group.
const MAX_GROUP: usize = 200;
