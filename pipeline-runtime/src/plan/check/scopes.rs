//! What is made inside a mapping, and used outside of it.

use super::super::build::Sketch;
use super::super::graph::{NodeIx, ScopeIx, What};
use super::super::problem::Problem;
use super::quoted;
use crate::author::input::{Rule, Source};

pub(super) fn scopes(sketch: &Sketch, problems: &mut Vec<Problem>) {
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

pub(super) fn elements_of_no_mapping(sketch: &Sketch, problems: &mut Vec<Problem>) {
    let plan = &sketch.plan;
    if !sketch.features.elements {
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
