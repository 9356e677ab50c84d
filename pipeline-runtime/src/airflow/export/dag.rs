//! A pipeline in terms of Airflow.

use super::super::names::{END, is_one_task, mapping_around, members, pool, retries, task_of};
use super::super::rule::{outside_edges, racing_tasks, trigger_rule};
use super::schedule::{self, DagSchedule};
use crate::Pipeline;
use crate::author::options::Mode;
use crate::author::params::form::Field;
use crate::plan::{DEFAULT_POOL, NodeIx, Plan, What};
use chrono::{DateTime, TimeDelta, Utc};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// A pipeline as a DAG.
#[derive(Debug)]
pub(super) struct Dag {
    pub(super) id: &'static str,
    pub(super) description: &'static str,
    pub(super) tags: Vec<&'static str>,
    pub(super) when: DagSchedule,
    pub(super) start: Option<DateTime<Utc>>,
    pub(super) end: Option<DateTime<Utc>>,
    pub(super) catchup: bool,
    pub(super) max_active_runs: u32,
    pub(super) timeout: Option<Duration>,
    pub(super) params: Vec<Field>,
    /// Each task comes after all tasks upstream of it.
    pub(super) tasks: Vec<DagTask>,
    /// Pairs of an upstream and a downstream task.
    pub(super) edges: Vec<(String, String)>,
    /// The pools that have to exist in Airflow, with their slots in the code.
    pub(super) pools: BTreeMap<&'static str, u32>,
}

/// A node as a task.
#[derive(Debug)]
pub(super) struct DagTask {
    pub(super) id: String,
    pub(super) doc: String,
    /// The task that expands the mapping around this task, if it is in one.
    pub(super) within: Option<String>,
    pub(super) trigger_rule: &'static str,
    pub(super) retries: u32,
    pub(super) retry_delay: Option<Duration>,
    pub(super) pool: Option<&'static str>,
    pub(super) priority: i32,
    pub(super) sensor: Option<DagSensor>,
    pub(super) max_active: Option<u32>,
    pub(super) depends_on_past: bool,
    /// The setup, if this task is its teardown.
    pub(super) teardown_of: Option<String>,
    pub(super) outlets: Vec<&'static str>,
}

#[derive(Debug)]
pub(super) struct DagSensor {
    pub(super) timeout: Duration,
    pub(super) poke: Duration,
    pub(super) is_rescheduled: bool,
}

impl Dag {
    pub(super) fn of(pipeline: &Pipeline, plan: &Plan) -> Self {
        let mut nodes: Vec<NodeIx> = (0..).zip(&plan.nodes).map(|(node, _)| node).collect();
        nodes.sort_by_key(|node| plan.node(*node).rank);
        let mut tasks: Vec<DagTask> = nodes.iter().filter_map(|node| task(plan, *node)).collect();
        let mut edges = BTreeSet::new();
        for &node in &nodes {
            let Some(to) = task_of(plan, node) else { continue };
            for from in upstream_tasks(plan, node) {
                edges.insert((from, to.clone()));
            }
        }
        let mut leaves: BTreeSet<String> = tasks.iter().map(|task| task.id.clone()).collect();
        let racing_tasks = racing_tasks(plan);
        let torn_down: BTreeSet<&str> =
            tasks.iter().filter(|task| task.teardown_of.is_some()).map(|task| task.id.as_str()).collect();
        for (from, to) in &edges {
            // A loser of a race may still be running. And Airflow judges a run by the tasks that only teardowns follow.
            if !racing_tasks.contains(from) && !torn_down.contains(to.as_str()) {
                leaves.remove(from);
            }
        }
        edges.extend(leaves.into_iter().map(|from| (from, END.to_owned())));
        tasks.push(end_of_run());
        demote_unsupported_teardowns(&mut tasks, &edges);
        let order: BTreeMap<&str, usize> = tasks.iter().map(|task| &*task.id).zip(0..).collect();
        let mut edges: Vec<(String, String)> = edges.iter().cloned().collect();
        edges.sort_by_key(|(from, to)| (order.get(&**from).copied(), order.get(&**to).copied()));
        let zone = pipeline.zone();
        let date = |text: Option<&'static str>| text.and_then(|text| crate::schedule::parse_date(text, zone).ok());
        let when = schedule::of(plan);
        let mut start = date(plan.calendar.start);
        if let (DagSchedule::Every { from, .. }, Some(schedule)) = (&when, &plan.schedule) {
            // Airflow counts from the start date, so that has to be a tick.
            let earliest = start.unwrap_or(*from).max(*from) - TimeDelta::nanoseconds(1);
            start = schedule.next_after(earliest);
        }
        let pool = |pool: &crate::plan::PoolSpec| (pool.name, pool.slots);
        Self {
            id: plan.pipeline,
            description: plan.description,
            tags: plan.tags.to_vec(),
            when,
            start,
            end: date(plan.calendar.end),
            catchup: plan.calendar.catchup,
            max_active_runs: plan.calendar.max_active_runs,
            timeout: plan.run.timeout,
            params: pipeline.form(),
            tasks,
            edges,
            pools: plan.pools.iter().filter(|pool| pool.name != DEFAULT_POOL).map(pool).collect(),
        }
    }
}

fn task(plan: &Plan, node: NodeIx) -> Option<DagTask> {
    let id = task_of(plan, node)?;
    // A mapping that is one task has several bodies. A mapping that Airflow expands has none.
    let is_whole = is_one_task(plan, node);
    let bodies: Vec<NodeIx> = match &plan.node(node).what {
        What::Body(_) => vec![node],
        _ if is_whole => members(plan, node).filter(|node| plan.node(*node).is_body()).collect(),
        _ => Vec::new(),
    };
    let policies = || bodies.iter().map(|body| plan.policy(*body));
    let wait = |delay: &crate::plan::Delay| delay.wait(0, || 0.0);
    let max_active = mapping_around(plan, node).and_then(|each| match &plan.node(each).what {
        What::Each(each) => each.max_active,
        _ => None,
    });
    // A sensor in a mapping that is one task keeps its process between pokes.
    let of_sensor = |sensor: &crate::plan::SensorPolicy| DagSensor {
        timeout: sensor.timeout,
        poke: wait(&sensor.poke),
        is_rescheduled: sensor.mode == Mode::Reschedule,
    };
    let sensor = plan.node(node).is_body().then(|| plan.policy(node).sensor.as_deref().map(of_sensor)).flatten();
    let doc = match &plan.node(node).what {
        What::Body(task) => task.definition.description.to_owned(),
        _ if is_whole => "Runs a mapping, with all of its elements.".to_owned(),
        _ => "Expands the list of a mapping.".to_owned(),
    };
    let depends = |body: &NodeIx| plan.depending_on_past().any(|depending| depending == plan.id(*body));
    Some(DagTask {
        doc,
        within: mapping_around(plan, node).and_then(|each| task_of(plan, each)),
        trigger_rule: trigger_rule(plan, node),
        retries: bodies.iter().map(|body| retries(plan, *body)).max().unwrap_or_default(),
        retry_delay: policies().filter(|policy| policy.retries > 0).map(|policy| wait(&policy.retry_delay)).max(),
        pool: bodies.iter().find_map(|body| pool(plan, *body)),
        priority: policies().map(|policy| policy.priority).max().unwrap_or_default(),
        sensor,
        max_active,
        depends_on_past: plan.calendar.depends_on_past || bodies.iter().any(depends),
        teardown_of: plan.teardown(node).and_then(|teardown| task_of(plan, teardown.setup)),
        outlets: plan.assets.updates.iter().filter(|(of, ..)| *of == node).map(|(_, asset, _)| asset.name).collect(),
        id,
    })
}

/// Airflow allows only teardowns and tasks with the rule `all_success` downstream of a setup. Where anything else follows the
/// setup, its teardown is exported as a plain task, whose process decides by the engine's rules.
fn demote_unsupported_teardowns(tasks: &mut [DagTask], edges: &BTreeSet<(String, String)>) {
    let wants_success: BTreeSet<String> =
        tasks.iter().filter(|task| task.trigger_rule == "all_success").map(|task| task.id.clone()).collect();
    let teardowns: BTreeSet<String> =
        tasks.iter().filter(|task| task.teardown_of.is_some()).map(|task| task.id.clone()).collect();
    for task in tasks {
        let is_supported = |setup: &String| {
            let mut behind = edges.iter().filter(|(from, _)| from == setup).map(|(_, to)| to);
            behind.all(|to| wants_success.contains(to) || teardowns.contains(to))
        };
        task.teardown_of = task.teardown_of.take().filter(is_supported);
    }
}

/// The last task: it ends in the state of the run.
fn end_of_run() -> DagTask {
    DagTask {
        id: END.to_owned(),
        doc: "Decides how the run has ended, and notifies the pipeline's notifiers.".to_owned(),
        within: None,
        trigger_rule: "all_done",
        retries: 0,
        retry_delay: None,
        pool: None,
        priority: 0,
        sensor: None,
        max_active: None,
        depends_on_past: false,
        teardown_of: None,
        outlets: Vec::new(),
    }
}

/// The tasks that a node waits for. Nodes without a body are replaced by what they wait for.
fn upstream_tasks(plan: &Plan, node: NodeIx) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut visited = BTreeSet::new();
    let mut to_visit: Vec<NodeIx> = outside_edges(plan, node).into_iter().map(|(from, _)| from).collect();
    while let Some(from) = to_visit.pop() {
        if !visited.insert(from) {
            continue;
        }
        match &plan.node(from).what {
            // Airflow itself draws the edge from the expanding task to the tasks within the mapping.
            What::Element { .. } => continue,
            What::Each(each) => {
                found.extend(task_of(plan, from));
                // This includes an inner mapping that is one task.
                found.extend(plan.scope(each.scope).nodes.iter().filter_map(|node| task_of(plan, *node)));
                continue;
            }
            What::Body(_) => {
                found.extend(task_of(plan, from));
                if !plan.is_past(from) {
                    continue;
                }
            }
            _ => {}
        }
        to_visit.extend(plan.inbound(from).iter().map(|(from, _)| *from));
    }
    found
}
