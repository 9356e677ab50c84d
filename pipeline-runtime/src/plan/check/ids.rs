//! Ids of nodes, groups and pipelines: well-formed, and each once.

use super::super::build::Sketch;
use super::super::graph::{NodeIx, What};
use super::super::groups::Group;
use super::super::id::Name;
use super::super::pipeline_options;
use super::super::problem::Problem;
use super::options::within;
use crate::author::error::shortened;
use crate::author::pipeline::Pipeline;
use pipeline_syntax::{id, limits};
use std::collections::{HashMap, HashSet};

/// The maximum number of characters of a name that a message quotes.
const MAX_QUOTED: usize = 40;

/// Returns why a text cannot be an id, if it cannot.
pub(in crate::plan) fn wrong_id(text: &str) -> Option<Problem> {
    let why = id::check(text).err()?;
    let message = format!("{:?} cannot be an id: {why}", shortened(text, MAX_QUOTED));
    Some(Problem::new(message, "give it a name such as `load_eu`"))
}

/// The names of groups, and their overrides. Returns the groups with duplicate names.
pub(super) fn groups(sketch: &Sketch, problems: &mut Vec<Problem>) -> HashSet<u32> {
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
        for (position, (option, at)) in overrides.locations.iter().enumerate() {
            if let Some(why) = overrides.fault(position) {
                let message = format!("`.{option}` of a group cannot be used: {why}");
                problems.push(Problem::new(message, within(option)).at(at, "set here"));
            }
        }
    }
    twice
}

/// Nodes of groups with duplicate names are not reported again.
pub(super) fn ids(sketch: &Sketch, pipeline: &Pipeline, twice: &HashSet<u32>, problems: &mut Vec<Problem>) {
    let plan = &sketch.plan;
    problems.extend(wrong_id(pipeline.id()).map(|problem| pipeline_options::at_pipeline(problem, pipeline, &["id"])));
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
        if !twice.is_empty() && super::super::groups::around(&plan.groups, ix).any(|group| twice.contains(&group)) {
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
