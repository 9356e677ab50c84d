//! Nodes that need two arms of one branch.

use super::super::build::Sketch;
use super::super::graph::{EdgeRule, NodeIx, Plan, What};
use super::super::problem::Problem;
use super::quoted;
use crate::author::input::Rule;
use std::collections::HashSet;
use std::rc::Rc;

/// What must have happened for a node to succeed: the arm that each branch took, and the upstream that requires it.
type Required = Rc<Vec<(NodeIx, u32, NodeIx)>>;

pub(super) fn exclusive_arms(sketch: &Sketch, order: impl Iterator<Item = NodeIx>, problems: &mut Vec<Problem>) {
    let plan = &sketch.plan;
    if !sketch.features.gates || !plan.nodes.iter().any(|node| matches!(node.what, What::Arm { .. })) {
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
