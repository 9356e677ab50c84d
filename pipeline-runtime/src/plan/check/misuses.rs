//! Methods that are called where they mean nothing.

use super::super::build::{Order, Sketch};
use super::super::graph::What;
use super::super::problem::Problem;
use super::quoted;
use super::sort;
use crate::author::across::Role;
use crate::author::draft::Misuse;

pub(super) fn misuses(sketch: &Sketch, problems: &mut Vec<Problem>) {
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
    element_limits(sketch, problems);
    empty_races(sketch, problems);
}

/// `.max_active(0)`, and `.max_active(2)` of a mapping that is `.in_order()`.
fn element_limits(sketch: &Sketch, problems: &mut Vec<Problem>) {
    let plan = &sketch.plan;
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
}

fn empty_races(sketch: &Sketch, problems: &mut Vec<Problem>) {
    let plan = &sketch.plan;
    if !sketch.features.gates {
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
pub(super) fn orders(sketch: &Sketch, problems: &mut Vec<Problem>) {
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
            What::Body(_) | What::Arm { .. } | What::Failure { .. } | What::Each(_) | What::Gather(_) | What::Journaled(_) => {
                continue;
            }
        };
        problems.push(
            Problem::new(message, help).at(at, "`.after` is called here").at(plan.node(*node).at, "on the node wired here"),
        );
    }
}
