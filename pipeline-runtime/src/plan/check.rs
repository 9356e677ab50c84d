//! The rules that types cannot express. There is one function for each rule; each problem names all the places involved.

use super::assets;
use super::build::{Order, Sketch};
use super::given;
use super::graph::{EdgeRule, NodeIx, Plan, ScopeIx, What};
use super::groups::Group;
use super::id::Name;
use super::policy::{DEFAULT_POOL, Delay};
use super::problem::Problem;
use super::{holdings, notifiers, settings, teardowns, templates};
use crate::author::across::Role;
use crate::author::definition::Kind;
use crate::author::draft::{self, Draft, Handle, Misuse, Place};
use crate::author::error::shortened;
use crate::author::input::{Rule, Source};
use crate::author::pipeline::Pipeline;
use crate::author::template::Template;
use crate::schedule::{ScheduleError, Zone, parse_date, parse_zone};
use crate::time::zones_sought;
use chrono::{DateTime, Utc};
use pipeline_syntax::template::unrendered;
use pipeline_syntax::{date, duration, id, limits};
use std::collections::{HashMap, HashSet};
use std::rc::Rc;
use std::time::Duration;

/// The maximum number of nodes in a plan; nodes of mappings count once.
const MAX_NODES: usize = 1_000_000;

/// The time from which a custom calendar is probed, if the pipeline has no `start`.
const ASKED_FROM: DateTime<Utc> = DateTime::UNIX_EPOCH;

/// The maximum number of characters of a name that a message quotes.
const MAX_QUOTED: usize = 40;

/// Handles of other pipelines. Checked first, because nothing else can be checked in such a graph.
pub(super) fn handles(draft: &Draft) -> Vec<Problem> {
    let foreign = |place: Place| {
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
    schedule(sketch, pipeline, &mut problems);
    window(pipeline, &mut problems);
    given::check(pipeline, &mut problems);
    misuses(sketch, &mut problems);
    orders(sketch, &mut problems);
    let twice = groups(sketch, &mut problems);
    ids(sketch, pipeline, &twice, &mut problems);
    scopes(sketch, &mut problems);
    teardowns::check(sketch, &mut problems);
    holdings::check(&sketch.plan, &mut problems);
    elements_of_no_mapping(sketch, &mut problems);
    overrides(sketch, &mut problems);
    sensors(sketch, pipeline, &mut problems);
    pools(sketch, &mut problems);
    texts(sketch, &mut problems);
    assets::check(sketch, pipeline, &mut problems);
    settings::check(&sketch.plan, &mut problems);
    templates::check(sketch, &mut problems);
    notifiers::check(&sketch.plan, &mut problems);
    // If all edges lead forwards, there is no cycle. A mapping waits for its repeated nodes, which were wired before it, and they
    // wait for its list.
    let order = sketch.occurs.backward_edges.then(|| cycles(sketch, &mut problems));
    match &order {
        Some(order) => exclusive_arms(sketch, order.iter().copied(), &mut problems),
        None => exclusive_arms(sketch, (0..).take(sketch.plan.nodes.len()), &mut problems),
    }
    (order, problems)
}

pub(super) fn quoted(plan: &Plan, node: NodeIx) -> String {
    format!("`{}`", plan.id(node))
}

/// The kind of a node, in words.
pub(super) fn sort(plan: &Plan, node: NodeIx) -> &'static str {
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
        What::Recalled(_) => "a node",
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

fn schedule(sketch: &Sketch, pipeline: &Pipeline, problems: &mut Vec<Problem>) {
    if let Some(error) = &sketch.schedule_error {
        let (what, help) = match error {
            // The macro accepted the zone, so the machine that built this binary knew it.
            ScheduleError::Zone { .. } => {
                let sought = zones_sought();
                let help = "if the machine that built this binary knows it, update the time zone data (tzdata) of this one";
                ("time zone", format!("{help} ({sought})"))
            }
            ScheduleError::Every { .. } => (
                "schedule",
                "write `from` as a day, or as a time that the zone's clock shows once, or with its offset".to_owned(),
            ),
            _ => ("schedule", "write five fields (minute hour day month weekday) and an IANA time zone".to_owned()),
        };
        let message = format!("the {what} of pipeline `{}` cannot be used: {error}", pipeline.id());
        problems.push(given::at_pipeline(Problem::new(message, help), pipeline, &["schedule", "timezone"]));
    }
    if let Some(schedule) = &sketch.plan.schedule {
        let options = pipeline.options();
        let from = options.start.and_then(|start| parse_date(start, schedule.zone()).ok()).unwrap_or(ASKED_FROM);
        if let Some(why) = schedule.fault(from) {
            let message = format!("the schedule of pipeline `{}` cannot be used: {why}", pipeline.id());
            let help = "a `Timetable` gives the same intervals in both directions, in order, and each longer than nothing";
            problems.push(given::at_pipeline(Problem::new(message, help), pipeline, &["schedule"]));
        }
    }
}

/// The macro accepted both bounds, with the time zones of the machine that built this binary.
fn window(pipeline: &Pipeline, problems: &mut Vec<Problem>) {
    let options = pipeline.options();
    let Ok(zone) = options.timezone.map_or(Ok(Zone::UTC), parse_zone) else { return };
    if let Err(refused) = date::window(options.start, options.end, &zone) {
        let message = format!("the `{}` of pipeline `{}` cannot be used: {}", refused.option, pipeline.id(), refused.error);
        let help = "a bound is a day, `2024-01-31`, or a time, `2024-01-31T06:00:00Z`, and `end` is not before `start`";
        problems.push(given::at_pipeline(Problem::new(message, help), pipeline, &[refused.option, "timezone"]));
    }
}

fn misuses(sketch: &Sketch, problems: &mut Vec<Problem>) {
    let plan = &sketch.plan;
    for misuse in &sketch.misuses {
        problems.push(match misuse {
            Misuse::Foreign { .. } => continue,
            Misuse::NotAMapping { node, method, at } => {
                let (what, instead) = match *method {
                    "max_active" => ("bounds", "a pool bounds single tasks: `.pool(&POOL)`"),
                    _ => ("orders the elements of", "`.after(..)` orders single tasks"),
                };
                let message = format!("`.{method}` {what} a mapping, and {} is {}", quoted(plan, *node), sort(plan, *node));
                Problem::new(message, format!("call it on the result of `.each(..)`; {instead}"))
                    .at(at, format!("`.{method}` is called here"))
                    .at(plan.node(*node).at, "on the node wired here")
            }
            Misuse::OfAPart { node, method, at } => {
                let message =
                    format!("`.{method}` is called on a part of the output of {}, which is not a node", quoted(plan, *node));
                Problem::new(message, format!("call it on the node, before `.field(..)` or `.split()`: `node.{method}(..)`"))
                    .at(at, format!("`.{method}` is called here"))
                    .at(plan.node(*node).at, "the node is wired here")
            }
            Misuse::WaitsForNoRun { node, method, at } => {
                let (which, help) = match plan.across.get(node).map(|across| &across.role) {
                    Some(Role::Awaits(_)) => ("another", "the node that has started the run determines which one it is"),
                    _ => ("none", "call it on what `run_of(..)` or `start(..).finished()` returns"),
                };
                let message =
                    format!("`.{method}` is about the run that a node waits for, and {} waits for {which}", quoted(plan, *node));
                Problem::new(message, help)
                    .at(at, format!("`.{method}` is called here"))
                    .at(plan.node(*node).at, "on the node wired here")
            }
            Misuse::PastOfAnElement { node, at } => Problem::new(
                format!(
                    "{} depends on its past, and is repeated by `.each`: which of the elements before is meant?",
                    quoted(plan, *node)
                ),
                "set it on a task around the mapping, which waits for all elements",
            )
            .at(at, "wired here"),
            Misuse::NothingWired { at } => Problem::new(
                "`.each` has nothing to repeat: no task is called in its closure",
                "call a task on the element, as in `.each(|item| task(item))`",
            )
            .at(at, "this mapping"),
        });
    }
    for (node, elements, at) in &sketch.max_active {
        if *elements == 0 {
            let message = format!("{} could never start an element: `.max_active(0)`", quoted(plan, *node));
            problems.push(Problem::new(message, "allow at least one element at a time").at(at, "set here"));
        }
        if let Some((_, ordered)) = sketch.in_order.iter().find(|(ordered, _)| ordered == node && *elements > 1) {
            let message = format!(
                "{} runs one element at a time, `.in_order()`, and {elements} at once, `.max_active({elements})`",
                quoted(plan, *node)
            );
            let problem = Problem::new(message, "leave one of them out").at(ordered, "in order here");
            problems.push(problem.at(at, "and several at once here"));
        }
    }
    if !sketch.occurs.gates {
        return;
    }
    for node in &plan.nodes {
        if let What::FirstOf { from } = &node.what
            && from.is_empty()
        {
            let problem = Problem::new("`first_of` is given no nodes", "give it the nodes that race, as in `first_of([a, b])`");
            problems.push(problem.at(node.at, "here"));
        }
    }
}

/// `.after` delays something that starts: a task, or a mapping as a whole.
fn orders(sketch: &Sketch, problems: &mut Vec<Problem>) {
    let plan = &sketch.plan;
    for Order { node, at, .. } in &sketch.orders {
        let (message, help) = match &plan.node(*node).what {
            What::FirstOf { .. } => (
                format!(
                    "`.after` cannot hold back {}: its runners start by themselves, and a race has no single start",
                    quoted(plan, *node)
                ),
                "call `.after` on each runner, or on the task that takes the winner",
            ),
            What::Element { .. } => (
                format!("`.after` cannot hold back {}: an element exists once its list does", quoted(plan, *node)),
                "call `.after` on the result of `.each`, which holds back the whole mapping, or on a task inside",
            ),
            What::Body(_) | What::Arm { .. } | What::Failure { .. } | What::Each(_) | What::Gather(_) | What::Recalled(_) => {
                continue;
            }
        };
        problems.push(
            Problem::new(message, help).at(at, "`.after` is called here").at(plan.node(*node).at, "on the node wired here"),
        );
    }
}

/// Returns why a text cannot be an id, if it cannot.
pub(super) fn wrong_id(text: &str) -> Option<Problem> {
    let why = id::check(text).err()?;
    let message = format!("{:?} cannot be an id: {why}", shortened(text, MAX_QUOTED));
    Some(Problem::new(message, "give it a name such as `load_eu`"))
}

/// The names of groups, and their overrides. Returns the groups with duplicate names.
fn groups(sketch: &Sketch, problems: &mut Vec<Problem>) -> HashSet<u32> {
    let groups = &sketch.plan.groups;
    let mut twice = HashSet::new();
    let mut seen: HashMap<&str, &Group> = HashMap::new();
    for (ix, group) in (0..).zip(groups) {
        let name = group.parent.map_or(&*group.id, |parent| &group.id[groups[parent as usize].id.len() + 1..]);
        problems.extend(wrong_id(name).map(|problem| problem.at(group.at, "this group")));
        if let Some(first) = seen.insert(&group.id, group) {
            twice.insert(ix);
            let help = "give one of them another name: the ids of its nodes begin with it";
            problems.push(
                Problem::new(format!("two groups are named `{}`", group.id), help)
                    .at(first.at, "the first is wired here")
                    .at(group.at, "the second is wired here"),
            );
        }
    }
    for overrides in &sketch.of_groups {
        for (position, (option, at)) in overrides.given.iter().enumerate() {
            if let Some(why) = overrides.fault(position) {
                let message = format!("`.{option}` of a group cannot be used: {why}");
                problems.push(Problem::new(message, within(option)).at(at, "set here"));
            }
        }
    }
    twice
}

/// Nodes of groups with duplicate names are not reported again.
fn ids(sketch: &Sketch, pipeline: &Pipeline, twice: &HashSet<u32>, problems: &mut Vec<Problem>) {
    let plan = &sketch.plan;
    problems.extend(wrong_id(pipeline.id()).map(|problem| given::at_pipeline(problem, pipeline, &["id"])));
    let mut seen: HashMap<String, NodeIx> = HashMap::new();
    for (ix, node) in (0..).zip(&plan.nodes) {
        let wrong = match (&node.name, &node.what) {
            (Name::Given(given), _) => wrong_id(given),
            (Name::Default(..2), What::Body(task)) => wrong_id(task.definition.name),
            _ => None,
        };
        let is_wrong = wrong.is_some();
        problems.extend(wrong.map(|problem| problem.at(node.at, "the node wired here")));
        // Default names cannot collide with each other, only with given names, and no given name ends like `load__2`. So for a
        // million nodes of one task, one is checked.
        if matches!((&node.name, &node.what), (Name::Default(2..), What::Body(_) | What::FirstOf { .. })) {
            continue;
        }
        if !twice.is_empty() && super::groups::around(&plan.groups, ix).any(|group| twice.contains(&group)) {
            continue;
        }
        let id = plan.id(ix);
        // The node's own name may be short enough while the names of its groups make the id too long.
        if !is_wrong && !plan.groups.is_empty() && id.len() > limits::LONGEST_ID {
            problems.extend(wrong_id(&id).map(|problem| problem.at(node.at, "the node wired here")));
        }
        if let Some(first) = seen.get(&id) {
            let first = *first;
            let of_past =
                [(first, ix), (ix, first)].into_iter().find_map(|(past, other)| Some((plan.past_of(past)?, past, other)));
            let problem = match of_past {
                Some((of, past, other)) => {
                    let message =
                        format!("`{id}` is the id of the sensor that waits for the past of `{of}`, and of another node");
                    Problem::new(message, "give the other node another name with `.named(\"..\")`")
                        .at(plan.node(other).at, "the other node is wired here")
                        .at(plan.node(past).at, format!("`{of}`, which depends on its past, is wired here"))
                }
                None => {
                    Problem::new(format!("two nodes have the id `{id}`"), "give one of them another name with `.named(\"..\")`")
                        .at(plan.node(first).at, "the first is wired here")
                        .at(node.at, "the second is wired here")
                }
            };
            problems.push(problem);
        } else {
            seen.insert(id, ix);
        }
    }
}

fn scopes(sketch: &Sketch, problems: &mut Vec<Problem>) {
    let plan = &sketch.plan;
    if plan.scopes.len() == 1 {
        return;
    }
    let mut check = |from: NodeIx, to: NodeIx, scope: ScopeIx| {
        let (source, target) = (plan.node(from), plan.node(to));
        if plan.lies_within(scope, source.scope) {
            return;
        }
        let inside = plan.scope(source.scope).each.unwrap_or(from);
        let help = "what is made inside leaves it only as the closure's result: return it, and use the list that `.each` returns";
        let problem = match source.what {
            What::Element { each } => {
                Problem::new(format!("the element of {} is used outside of its `.each`", quoted(plan, each)), help)
                    .at(source.at, "it is an element of this mapping")
            }
            _ => Problem::new(format!("{} is used outside of its `.each`", quoted(plan, from)), help)
                .at(source.at, "it is made here, once for each element")
                .at(plan.node(inside).at, "of this mapping"),
        };
        problems.push(problem.at(target.at, "and used here"));
    };
    for (from, node) in (0..).zip(&plan.nodes) {
        for edge in plan.out(from) {
            check(from, edge.to, plan.node(edge.to).scope);
        }
        if let What::Each(each) = &node.what {
            check(each.result, from, each.scope);
            each.gathered.iter().for_each(|result| check(*result, from, each.scope));
        }
    }
    for node in &plan.nodes {
        // A mapping waits for the nodes that it repeats, and a node from outside may not have ended by then.
        let What::Each(each) = &node.what else { continue };
        for result in std::iter::once(each.result).chain(each.gathered.iter().copied()) {
            if plan.node(result).scope == each.scope || !plan.lies_within(each.scope, plan.node(result).scope) {
                continue;
            }
            let message = format!("the closure of `.each` returns {}, which is made outside of it", quoted(plan, result));
            let help = "return a node that the closure wires; what is made once can be taken directly, without `.each`";
            problems.push(
                Problem::new(message, help)
                    .at(plan.node(result).at, "it is made here, once")
                    .at(node.at, "and returned for every element of this mapping"),
            );
        }
    }
}

fn elements_of_no_mapping(sketch: &Sketch, problems: &mut Vec<Problem>) {
    let plan = &sketch.plan;
    if !sketch.occurs.elements {
        return;
    }
    for (ix, node) in (0..).zip(&plan.nodes) {
        for arg in plan.args(ix) {
            if let Source::Elements(from, rule) = &arg.source
                && (from.part().is_some() || !plan.node(from.index()).is_each())
            {
                let each = match rule {
                    Rule::AllDone => "Outcome",
                    Rule::NoneFailed | Rule::AllSuccess => "Option",
                };
                let (taker, list) = (quoted(plan, ix), quoted(plan, from.index()));
                let message =
                    format!("{taker} takes `Vec<{each}<_>>`, one for each node, but {list} is a single node that returns a list");
                let help = format!("take `{each}<Vec<_>>` here, or wire the result of `.each(..)` or several nodes");
                problems.push(
                    Problem::new(message, help)
                        .at(plan.node(from.index()).at, "the list is made here")
                        .at(node.at, "and taken here"),
                );
            }
        }
    }
}

const OF_SENSORS: [&str; 5] = ["poke", "poke_jitter", "poke_timeout", "on_timeout", "mode"];

fn overrides(sketch: &Sketch, problems: &mut Vec<Problem>) {
    let plan = &sketch.plan;
    for (ix, overrides) in &sketch.overrides {
        let node = plan.node(*ix);
        for (position, (option, at)) in overrides.given.iter().enumerate() {
            let (message, help) = match &node.what {
                What::Body(task) if task.definition.kind != Kind::Sensor && OF_SENSORS.contains(option) => {
                    let message = format!("`.{option}` is for sensors, and {} is {}", quoted(plan, *ix), sort(plan, *ix));
                    (message, "leave it out, or make the task a `#[sensor]`".to_owned())
                }
                What::Recalled(_) => continue,
                What::Body(_) => {
                    let Some(why) = overrides.fault(position) else { continue };
                    let message = format!("`.{option}` of {} cannot be used: {why}", quoted(plan, *ix));
                    (message, within(option))
                }
                What::Each(_) | What::Gather(_) => {
                    let message = format!("`.{option}` cannot be set on the mapping {}", quoted(plan, *ix));
                    let help = match *option {
                        // The element has no past either.
                        "depends_on_past" => {
                            "set it on the task that returns the list, or on one that takes the results".to_owned()
                        }
                        _ => format!("set it inside, on the task that it is meant for: `.each(|item| task(item).{option}(..))`"),
                    };
                    (message, help)
                }
                What::Arm { .. } => {
                    let message = format!("`.{option}` cannot be set on the arm {}", quoted(plan, *ix));
                    let help = format!(
                        "an arm runs nothing; set it on the branch: `route(..).{option}(..)`, or on the task that takes the arm"
                    );
                    (message, help)
                }
                What::Failure { .. } | What::FirstOf { .. } | What::Element { .. } => {
                    let message = format!("`.{option}` cannot be set on {}", quoted(plan, *ix));
                    (message, "nothing runs there; set it on the task that it is meant for".to_owned())
                }
            };
            problems.push(Problem::new(message, help).at(at, "set here").at(node.at, "on the node wired here"));
        }
    }
}

/// The help for an option whose value was refused.
fn within(option: &str) -> String {
    match option {
        "retries" => "write a smaller number".to_owned(),
        "backoff" => "`start` is longer than zero and at most `max`, and the factor lies between 1 and 1000000".to_owned(),
        _ => "a duration is in whole milliseconds, and at most a hundred years; without the call the default holds".to_owned(),
    }
}

fn sensors(sketch: &Sketch, pipeline: &Pipeline, problems: &mut Vec<Problem>) {
    let plan = &sketch.plan;
    let text = duration::show;
    if plan.policies.iter().all(|policy| policy.sensor.is_none()) {
        return;
    }
    for (ix, definition) in plan.bodies() {
        let node = plan.node(ix);
        let Some(sensor) = &plan.policy(ix).sensor else { continue };
        let (first, jitter) = match sensor.poke {
            Delay::Fixed(poke, jitter) => (poke, jitter),
            Delay::Growing(backoff) => (backoff.start(), Duration::ZERO),
        };
        let limit = plan.policy(ix).limit.unwrap_or_default();
        let mistake = if !plan.is_woken(ix) && !limits::is_poked_again(first, sensor.timeout) {
            let (poke, timeout) = (text(first), text(sensor.timeout));
            let message =
                format!("{} would be poked only once: its `poke` is {poke} and its `timeout` {timeout}", quoted(plan, ix));
            Some((message, "let `poke` be shorter than `timeout`"))
        } else if let Some((name, part)) = [("poke_timeout", limit), ("poke_jitter", jitter)]
            .into_iter()
            .find(|(_, part)| !limits::fits_the_wait(*part, sensor.timeout))
        {
            let (part, timeout) = (text(part), text(sensor.timeout));
            let message =
                format!("the `{name}` of {} is {part}, longer than its whole wait: its `timeout` is {timeout}", quoted(plan, ix));
            Some((message, "let it be at most as long as `timeout`"))
        } else {
            None
        };
        if let Some((message, help)) = mistake {
            let problem = Problem::new(message, help).at(definition.at, "the sensor is defined here");
            problems.push(problem.at(node.at, "and wired here"));
        }
        if let Some(limit) = plan.run.timeout
            && sensor.timeout > limit
            && !plan.is_past(ix)
        {
            let message = format!(
                "the sensor {} may wait {}, but pipeline `{}` ends after {}",
                quoted(plan, ix),
                text(sensor.timeout),
                plan.pipeline,
                text(limit)
            );
            let help = "give the sensor a shorter `timeout` (the default is 7d), or the pipeline a longer one";
            problems.push(
                Problem::new(message, help)
                    .at(node.at, "the sensor is wired here")
                    .at(pipeline.definition().at, "the pipeline is defined here"),
            );
        }
    }
}

fn pools(sketch: &Sketch, problems: &mut Vec<Problem>) {
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

/// A user who writes `"{{ ds }}"` means a template.
fn texts(sketch: &Sketch, problems: &mut Vec<Problem>) {
    let plan = &sketch.plan;
    if !sketch.occurs.values {
        return;
    }
    for (ix, node) in (0..).zip(&plan.nodes) {
        let What::Body(task) = &node.what else { continue };
        for (arg, input) in plan.args(ix).iter().zip(&task.inputs) {
            let found = match &arg.source {
                Source::Text(text) => unrendered(text),
                Source::Plain(list) => list.texts().iter().find_map(|text| unrendered(text)),
                Source::Template(template) => template.plain().and_then(unrendered),
                Source::Templates(list) => list.iter().filter_map(Template::plain).find_map(unrendered),
                _ => None,
            };
            if let Some(expression) = found {
                let message =
                    format!("{} is given a plain text as `{input}`, in which `{expression}` is not rendered", quoted(plan, ix));
                let help = format!(
                    "write `template!(\"..\")`, which is rendered when the task starts; if `{expression}` is what it is to get, \
                     `template!(\"{{% raw %}}..{{% endraw %}}\")`"
                );
                problems.push(
                    Problem::new(message, help)
                        .at(node.at, "the text is given here")
                        .at(task.definition.at, "to the input of this task"),
                );
            }
        }
    }
}

/// A topological order. Only `.after` can make a cycle, because only it can name a node that was wired later.
fn cycles(sketch: &Sketch, problems: &mut Vec<Problem>) -> Vec<NodeIx> {
    let plan = &sketch.plan;
    let count = plan.nodes.len();
    let mut waits: Vec<u32> = plan.nodes.iter().map(|node| node.needs).collect();
    // A mapping also waits for its repeated nodes, and they wait for the mapping's list.
    for scope in plan.scopes.iter().filter(|scope| scope.each.is_some()) {
        for &node in &scope.nodes {
            if matches!(plan.node(node).what, What::Element { .. }) {
                waits[node as usize] += 1;
            }
        }
        if let Some(each) = scope.each {
            waits[each as usize] += u32::try_from(scope.nodes.len()).unwrap_or(u32::MAX);
        }
    }
    let mut elements: HashMap<NodeIx, Vec<NodeIx>> = HashMap::new();
    for node in &plan.nodes {
        if let What::Each(each) = &node.what
            && let Some(&element) = plan.scope(each.scope).nodes.first()
        {
            elements.entry(each.list).or_default().push(element);
        }
    }
    let mut ready: Vec<NodeIx> = (0..).zip(&waits).filter(|(_, waits)| **waits == 0).map(|(ix, _)| ix).collect();
    ready.reverse();
    let mut order = Vec::with_capacity(count);
    while let Some(ix) = ready.pop() {
        order.push(ix);
        let mut holds = |to: NodeIx| {
            waits[to as usize] -= 1;
            if waits[to as usize] == 0 {
                ready.push(to);
            }
        };
        plan.out(ix).iter().for_each(|edge| holds(edge.to));
        elements.get(&ix).into_iter().flatten().for_each(|element| holds(*element));
        if let Some(each) = plan.scope(plan.node(ix).scope).each {
            holds(each);
        }
    }
    if order.len() < count {
        problems.push(circle(sketch, &waits));
    }
    order
}

/// Reports one cycle among the nodes that are still waiting.
fn circle(sketch: &Sketch, waits: &[u32]) -> Problem {
    let plan = &sketch.plan;
    let blocked = |node: &NodeIx| waits[*node as usize] > 0;
    // For each blocked node, one node that it waits for; there is one, or it would not be blocked.
    let mut upstream: HashMap<NodeIx, NodeIx> = HashMap::new();
    for from in (0..).take(waits.len()).filter(blocked) {
        upstream.extend(plan.out(from).iter().map(|edge| (edge.to, from)));
        upstream.extend(plan.scope(plan.node(from).scope).each.map(|each| (each, from)));
    }
    for scope in &plan.scopes {
        if let (Some(each), Some(&element)) = (scope.each, scope.nodes.first()) {
            upstream.extend(plan.upstreams(each).filter(blocked).map(|list| (element, list)));
        }
    }
    // Following the upstreams from any node, the first node that is met twice is on a cycle.
    let (mut path, mut met) = (Vec::new(), HashMap::new());
    let mut next = (0..).take(waits.len()).find(blocked);
    while let Some(node) = next.filter(|node| !met.contains_key(node)) {
        met.insert(node, path.len());
        path.push(node);
        next = upstream.get(&node).copied();
    }
    let start = next.and_then(|node| met.get(&node).copied()).unwrap_or(0);
    let circle = &path[start..];
    let names: Vec<String> = circle.iter().skip(1).chain(circle.first()).map(|node| quoted(plan, *node)).collect();
    let message = if let [itself] = names.as_slice() {
        format!("{itself} waits for itself")
    } else {
        let first = names.last().map_or("?", String::as_str);
        format!("nodes wait for each other in a circle: {first} waits for {}", names.join(", which waits for "))
    };
    let mut problem = Problem::new(message, "leave out the `.after` that closes the circle");
    for Order { node, upstream, at, .. } in &sketch.orders {
        if circle.contains(node) && circle.contains(upstream) {
            problem = problem.at(at, format!("{} is told to wait for {} here", quoted(plan, *node), quoted(plan, *upstream)));
        }
    }
    problem
}

/// What must have happened for a node to succeed: the arm that each branch took, and the upstream that requires it.
type Required = Rc<Vec<(NodeIx, u32, NodeIx)>>;

fn exclusive_arms(sketch: &Sketch, order: impl Iterator<Item = NodeIx>, problems: &mut Vec<Problem>) {
    let plan = &sketch.plan;
    if !sketch.occurs.gates || !plan.nodes.iter().any(|node| matches!(node.what, What::Arm { .. })) {
        return;
    }
    let mut required: Vec<Required> = vec![Required::default(); plan.nodes.len()];
    let mut told = HashSet::new();
    for ix in order {
        match plan.node(ix).what {
            What::Arm { branch, index } => Rc::make_mut(&mut required[ix as usize]).push((branch, index, ix)),
            // There is no edge from the list to an element, but the element exists only if the list does.
            What::Element { each } => {
                for list in plan.upstreams(each) {
                    required[ix as usize] = Rc::clone(&required[list as usize]);
                }
            }
            _ => {}
        }
        let own = Rc::clone(&required[ix as usize]);
        for edge in plan.out(ix) {
            if !matches!(edge.rule, EdgeRule::Upstream(Rule::AllSuccess) | EdgeRule::Arm(_)) || own.is_empty() {
                continue;
            }
            let of_target = Rc::make_mut(&mut required[edge.to as usize]);
            for &(branch, arm, _) in own.iter() {
                match of_target.iter().find(|(other, ..)| *other == branch) {
                    Some(&(_, other, via)) if other != arm => {
                        if told.insert((edge.to, branch)) {
                            problems.push(exclusive(plan, edge.to, branch, [(other, via), (arm, ix)]));
                        }
                    }
                    Some(_) => {}
                    None => of_target.push((branch, arm, ix)),
                }
            }
        }
    }
}

fn exclusive(plan: &Plan, node: NodeIx, branch: NodeIx, mut arms: [(u32, NodeIx); 2]) -> Problem {
    let name = |arm: u32| match plan.node(branch).arm(arm) {
        Some(arm) => format!("`{}.{arm}`", plan.id(branch)),
        None => quoted(plan, branch),
    };
    arms.sort_unstable();
    let [first, second] = arms.map(|(arm, _)| name(arm));
    let message = format!(
        "{} can never run: it needs both {first} and {second}, but a branch takes only one of its arms",
        quoted(plan, node)
    );
    let help = "give the task `Option<_>` inputs, `None` for the arm not taken; or join arms of one type with `first_of([a, b])`";
    let mut problem = Problem::new(message, help).at(plan.node(branch).at, "the branch is wired here");
    for (arm, via) in arms {
        if !matches!(plan.node(via).what, What::Arm { .. }) {
            problem = problem.at(plan.node(via).at, format!("{} needs {}", quoted(plan, via), name(arm)));
        }
    }
    problem.at(plan.node(node).at, "and both are needed here")
}
