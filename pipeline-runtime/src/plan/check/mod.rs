//! The rules that types cannot express. There is one function for each rule, in files by
//! subject; each problem names all the places involved.

mod arms;
mod cycles;
mod ids;
mod misuses;
mod options;
mod pools;
mod schedule;
mod scopes;
mod sensors;
mod texts;

pub(super) use ids::wrong_id;

use super::build::Sketch;
use super::graph::{NodeIx, Plan, What};
use super::pipeline_options;
use super::problem::Problem;
use super::{assets, holdings, notifiers, settings, teardowns, templates};
use crate::author::definition::Kind;
use crate::author::draft::{self, Draft, Handle, Misuse, SourceLocation};
use crate::author::pipeline::Pipeline;

/// The maximum number of nodes in a plan; nodes of mappings count once.
const MAX_NODES: usize = 1_000_000;

/// Handles of other pipelines. Checked first, because nothing else can be checked in such a graph.
pub(super) fn handles(draft: &Draft) -> Vec<Problem> {
    let foreign = |place: SourceLocation| {
        let help = "a node belongs to the one call of the pipeline function that made it: call its task here, too (what pipelines \
                    share is a plain function that wires it)";
        Problem::new("a node of another pipeline, or of an earlier call of this one's function, is used", help)
            .at(place, "used here")
    };
    let mut problems = Vec::new();
    for node in &draft.nodes {
        let of_gate: &[Handle] = match &node.what {
            draft::What::Failure { of } => std::slice::from_ref(of),
            draft::What::FirstOf { from } => from,
            draft::What::Each(each) => &[each.list, each.result.node],
            draft::What::Gather(gather) => &[gather.each, gather.result.node],
            draft::What::Body(_) | draft::What::Arm { .. } | draft::What::Element { .. } => &[],
        };
        let of_args = draft.args[node.args.start as usize..node.args.end as usize].iter();
        let mut used = of_gate.iter().chain(of_args.flat_map(|arg| draft::handles(&arg.source)));
        if used.any(|handle| !handle.is_of(draft)) {
            problems.push(foreign(node.at));
        }
    }
    for teardown in &draft.teardowns {
        if !teardown.setup.is_of(draft) || !teardown.node.is_of(draft) {
            problems.push(foreign(teardown.at));
        }
    }
    for order in &draft.orders {
        if !order.upstream.is_of(draft) {
            problems.push(foreign(order.at));
        }
    }
    for misuse in &draft.misuses {
        if let Misuse::Foreign { at } = misuse {
            problems.push(foreign(at));
        }
    }
    problems
}

/// All other rules. Also returns a topological order of the nodes, if it differs from the wiring order.
pub(super) fn all(sketch: &Sketch, pipeline: &Pipeline) -> (Option<Vec<NodeIx>>, Vec<Problem>) {
    let mut problems = Vec::new();
    size(sketch, pipeline, &mut problems);
    schedule::schedule(sketch, pipeline, &mut problems);
    schedule::window(pipeline, &mut problems);
    pipeline_options::check(pipeline, &mut problems);
    misuses::misuses(sketch, &mut problems);
    misuses::orders(sketch, &mut problems);
    let twice = ids::groups(sketch, &mut problems);
    ids::ids(sketch, pipeline, &twice, &mut problems);
    scopes::scopes(sketch, &mut problems);
    teardowns::check(sketch, &mut problems);
    holdings::check(&sketch.plan, &mut problems);
    scopes::elements_of_no_mapping(sketch, &mut problems);
    options::overrides(sketch, &mut problems);
    sensors::sensors(sketch, pipeline, &mut problems);
    pools::pools(sketch, &mut problems);
    texts::texts(sketch, &mut problems);
    assets::check(sketch, pipeline, &mut problems);
    settings::check(&sketch.plan, &mut problems);
    templates::check(sketch, &mut problems);
    notifiers::check(&sketch.plan, &mut problems);
    // If all edges lead forwards, there is no cycle. A mapping waits for its repeated nodes, which were wired before it, and they
    // wait for its list.
    let order = sketch.features.backward_edges.then(|| cycles::cycles(sketch, &mut problems));
    match &order {
        Some(order) => arms::exclusive_arms(sketch, order.iter().copied(), &mut problems),
        None => arms::exclusive_arms(sketch, (0..).take(sketch.plan.nodes.len()), &mut problems),
    }
    (order, problems)
}

pub(in crate::plan) fn quoted(plan: &Plan, node: NodeIx) -> String {
    format!("`{}`", plan.id(node))
}

/// The kind of a node, in words.
pub(in crate::plan) fn sort(plan: &Plan, node: NodeIx) -> &'static str {
    match &plan.node(node).what {
        What::Body(task) => match task.definition.kind {
            Kind::Task => "a task",
            Kind::Sensor => "a sensor",
            Kind::Branch => "a branch",
        },
        What::Arm { .. } => "an arm",
        What::Failure { .. } => "a failure",
        What::FirstOf { .. } => "a race",
        What::Each(_) | What::Gather(_) => "a mapping",
        What::Element { .. } => "an element",
        What::Journaled(_) => "a node",
    }
}

fn size(sketch: &Sketch, pipeline: &Pipeline, problems: &mut Vec<Problem>) {
    let plan = &sketch.plan;
    let at = pipeline.definition().at;
    if plan.bodies().next().is_none() {
        let problem =
            Problem::new(format!("pipeline `{}` is empty", plan.pipeline), "call a task in its function: that wires a node");
        problems.push(problem.at(at, "this pipeline wires no task"));
    }
    if plan.nodes.len() > MAX_NODES {
        let message = format!("pipeline `{}` has {} nodes; at most {MAX_NODES} are allowed", plan.pipeline, plan.nodes.len());
        let help = "map over a list with `.each`, or divide the pipeline";
        problems.push(Problem::new(message, help).at(at, "this pipeline"));
    }
}
