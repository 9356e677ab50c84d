//! Teardowns: the task that undoes what another has set up, and the nodes that work with it in between.

use super::build::{Order, Sketch};
use super::check::quoted;
use super::graph::{EdgeRule, NodeIx, Plan, What};
use super::problem::Problem;
use crate::author::definition::Kind;
use crate::author::draft::{DraftTeardown, SourceLocation};
use crate::author::input::{Rule, Source};
use std::ops::Range;

mod late;

pub(super) use late::{LateInput, order_setups};

/// A task that undoes what another has set up.
#[derive(Debug)]
pub(crate) struct Teardown {
    pub(crate) node: NodeIx,
    pub(crate) setup: NodeIx,
    /// The nodes that were wired in the closure: the teardown runs once all of them have ended.
    pub(crate) inside: Range<NodeIx>,
    /// The nodes that were wired by the teardown itself.
    pub(super) made: Range<NodeIx>,
    pub(super) at: SourceLocation,
}

/// The teardowns of a draft, sorted by node.
pub(super) fn of_draft(drafted: Vec<DraftTeardown>) -> Vec<Teardown> {
    let of = |DraftTeardown { setup, node, inside, made, at }: DraftTeardown| {
        let (node, setup) = (node.index(), setup.index());
        Teardown { node, setup, inside, made, at }
    };
    let mut teardowns: Vec<Teardown> = drafted.into_iter().map(of).collect();
    teardowns.sort_by_key(|teardown| teardown.node);
    teardowns
}

impl Plan {
    /// The teardown whose node this is, if it is one.
    pub(crate) fn teardown(&self, node: NodeIx) -> Option<&Teardown> {
        let at = self.teardowns.binary_search_by_key(&node, |teardown| teardown.node).ok()?;
        self.teardowns.get(at)
    }

    /// The nodes that a teardown waits for. For nodes that are repeated in its closure, it is the mapping.
    pub(super) fn inside<'a>(&'a self, teardown: &'a Teardown) -> impl Iterator<Item = NodeIx> + 'a {
        let scope = self.node(teardown.node).scope;
        let waits = move |node: &NodeIx| {
            let node = self.node(*node);
            node.scope == scope && node.is_step()
        };
        teardown.inside.clone().filter(waits)
    }

    /// Those of them that no other node in the closure waits for: a drawing has a line from each.
    pub(super) fn ends_inside(&self, teardown: &Teardown) -> Vec<NodeIx> {
        let is_taken = |node: NodeIx| {
            let mut doubtful = vec![node];
            while let Some(node) = doubtful.pop() {
                for to in self.out(node).iter().map(|edge| edge.to).filter(|to| teardown.inside.contains(to)) {
                    match self.node(to).what {
                        What::Arm { .. } | What::Failure { .. } | What::Gather(_) => doubtful.push(to),
                        _ if self.teardown(to).is_some_and(|inner| inner.setup != node && inner.inside.contains(&node)) => {}
                        _ => return true,
                    }
                }
            }
            false
        };
        self.inside(teardown).filter(|node| !is_taken(*node)).collect()
    }
}

/// A teardown runs only if its setup has succeeded, even if it does not take its value.
pub(super) fn orders(plan: &Plan) -> impl Iterator<Item = Order> {
    plan.teardowns.iter().filter_map(|teardown| {
        let Teardown { node, setup, at, .. } = *teardown;
        let takes = |source: &Source<_>| matches!(source, Source::Node(from, Rule::AllSuccess) if from.index() == setup);
        let is_wired = plan.args(node).iter().any(|arg| takes(&arg.source));
        (!is_wired).then_some(Order { node, upstream: setup, rule: EdgeRule::Upstream(Rule::AllSuccess), at })
    })
}

/// A teardown must be one task, wired in the scope of its setup.
pub(super) fn check(sketch: &Sketch, problems: &mut Vec<Problem>) {
    let plan = &sketch.plan;
    for teardown in &plan.teardowns {
        let Teardown { node, setup, ref made, at, .. } = *teardown;
        let bodies = made.clone().filter(|node| plan.node(*node).is_body()).count();
        let is_task = matches!(&plan.node(node).what, What::Body(task) if task.definition.kind == Kind::Task);
        if !made.contains(&node) || bodies != 1 || !is_task {
            let what = match bodies {
                1 if made.contains(&node) => format!("{}, which is not a task", quoted(plan, node)),
                0 => "nothing".to_owned(),
                1 => "a task, and returns another node".to_owned(),
                several => format!("{several} nodes"),
            };
            let message = format!("the teardown of {} is one task, and here it wires {what}", quoted(plan, setup));
            let help = "give it the task that undoes what the setup did, as in `machine().teardown(delete_machine, |machine| ..)`; what \
                        it needs beside the setup's output is wired before";
            problems.push(Problem::new(message, help).at(at, "`.teardown` is called here"));
        } else if plan.node(setup).scope != plan.node(node).scope {
            let message =
                format!("{} would be torn down once for each element: it is made outside of this `.each`", quoted(plan, setup));
            let help = "set it up inside as well, or call `.teardown` outside and `.each` in its closure";
            problems.push(
                Problem::new(message, help).at(plan.node(setup).at, "it is made here, once").at(at, "`.teardown` is called here"),
            );
        }
    }
    late::check(sketch, problems);
    for (node, at) in &sketch.fails_run {
        if plan.teardown(*node).is_none() {
            let message = format!("`.fails_run()` is for teardowns, and {} is not one", quoted(plan, *node));
            let help = "leave it out: the failure of any other node fails its run, unless it has `.allow_failure()`";
            let problem = Problem::new(message, help).at(at, "`.fails_run` is called here");
            problems.push(problem.at(plan.node(*node).at, "on the node wired here"));
        }
    }
}
