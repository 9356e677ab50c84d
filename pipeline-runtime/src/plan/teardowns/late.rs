//! Inputs of a teardown other than its setup's output.
//!
//! Once a run is ending, only teardowns start. A teardown with an input that is not decided by then could not run, and the setup
//! would never be undone. So the setup waits for that input first, and if it cannot, the plan is refused.

use super::super::build::{Order, Sketch};
use super::super::check::quoted;
use super::super::graph::{EdgeRule, NodeIx, Plan, What};
use super::super::problem::Problem;
use super::Teardown;
use crate::author::draft;
use crate::author::input::{Rule, Source};
use std::collections::{HashMap, HashSet};

/// An input of a teardown that waits for the setup, so that it may not be decided when the teardown has to run.
#[derive(Debug)]
pub(in super::super) struct LateInput {
    teardown: NodeIx,
    taken: NodeIx,
}

/// For each node, the nodes that it is wired `.after`, with how they must have ended.
type OrdersByNode = HashMap<NodeIx, Vec<(NodeIx, EdgeRule)>>;

/// Makes setups wait for the other inputs of their teardowns. Returns the inputs for which that is impossible.
pub(in super::super) fn order_setups(plan: &Plan, orders: &mut Vec<Order>) -> Vec<LateInput> {
    let mut late = Vec::new();
    if plan.teardowns.is_empty() {
        return late;
    }
    let mut ordered = OrdersByNode::new();
    for order in orders.iter() {
        ordered.entry(order.node).or_default().push((order.upstream, order.rule));
    }
    let mut takers: Option<Vec<Vec<NodeIx>>> = None;
    for teardown in &plan.teardowns {
        let Teardown { node, setup, at, .. } = *teardown;
        let mut taken = needs(plan, node, &ordered);
        taken.retain(|&need| is_doubtful(plan, need, setup));
        if taken.is_empty() {
            continue;
        }
        let succeeded = succeeded_before(plan, setup, &ordered);
        let takers = takers.get_or_insert_with(|| takers_of(plan, orders));
        let begins = begins(plan, setup);
        for (from, rule) in taken.into_iter().filter(|(from, _)| !succeeded.contains(from)) {
            if begins.iter().any(|begin| after(plan, *begin, takers).contains(&from)) {
                late.push(LateInput { teardown: node, taken: from });
                continue;
            }
            for &node in &begins {
                let of_node = ordered.entry(node).or_default();
                if !of_node.contains(&(from, rule)) {
                    of_node.push((from, rule));
                    takers[from as usize].push(node);
                    orders.push(Order { node, upstream: from, rule, at });
                }
            }
        }
    }
    late
}

/// True if something that a teardown waits for may prevent it from running although its setup has succeeded.
fn is_doubtful(plan: &Plan, (from, rule): (NodeIx, EdgeRule), setup: NodeIx) -> bool {
    let is_element = matches!(plan.node(from).what, What::Element { .. });
    from != setup && rule != EdgeRule::Upstream(Rule::AllDone) && !is_element
}

/// What a node waits for by its inputs and by `.after`; for an arm its branch, for a mapping its list.
fn needs(plan: &Plan, node: NodeIx, ordered: &OrdersByNode) -> Vec<(NodeIx, EdgeRule)> {
    const ALL_SUCCESS: EdgeRule = EdgeRule::Upstream(Rule::AllSuccess);
    let mut needs: Vec<(NodeIx, EdgeRule)> = match &plan.node(node).what {
        What::Arm { branch, .. } => vec![(*branch, ALL_SUCCESS)],
        What::Each(each) => vec![(each.list, ALL_SUCCESS)],
        _ => Vec::new(),
    };
    for arg in plan.args(node) {
        let rule = match &arg.source {
            Source::Node(_, rule) | Source::Nodes(_, rule) => EdgeRule::Upstream(*rule),
            Source::Elements(_, rule) => EdgeRule::Elements(*rule),
            _ => continue,
        };
        needs.extend(draft::handles(&arg.source).iter().map(|from| (from.index(), rule)));
    }
    needs.extend(ordered.get(&node).into_iter().flatten());
    needs
}

/// The nodes that must have succeeded if a node has.
fn succeeded_before(plan: &Plan, node: NodeIx, ordered: &OrdersByNode) -> HashSet<NodeIx> {
    let mut succeeded = HashSet::new();
    let mut doubtful = vec![node];
    while let Some(node) = doubtful.pop() {
        // Repeated nodes start only after everything that their mapping waits for.
        let with_mappings = std::iter::successors(Some(node), |node| plan.scope(plan.node(*node).scope).each);
        let is_success = |rule| matches!(rule, EdgeRule::Upstream(Rule::AllSuccess) | EdgeRule::Elements(Rule::AllSuccess));
        let needed = with_mappings.flat_map(|node| needs(plan, node, ordered)).filter(|(_, rule)| is_success(*rule));
        doubtful.extend(needed.map(|(from, _)| from).filter(|from| succeeded.insert(*from)));
    }
    succeeded
}

/// The nodes that start first for a setup, which may be a gate.
fn begins(plan: &Plan, setup: NodeIx) -> Vec<NodeIx> {
    match &plan.node(setup).what {
        What::Body(_) | What::Each(_) | What::Journaled(_) => vec![setup],
        What::Arm { branch: of, .. } | What::Failure { of } | What::Element { each: of } => begins(plan, *of),
        What::Gather(gather) => begins(plan, gather.each),
        What::FirstOf { from } => from.iter().flat_map(|from| begins(plan, *from)).collect(),
    }
}

/// The nodes that wait for each node's end.
fn takers_of(plan: &Plan, orders: &[Order]) -> Vec<Vec<NodeIx>> {
    let mut takers = vec![Vec::new(); plan.nodes.len()];
    for (to, node) in (0..).zip(&plan.nodes) {
        // An element is available before its mapping has ended.
        if !matches!(node.what, What::Element { .. }) {
            plan.upstreams(to).for_each(|from| takers[from as usize].push(to));
        }
    }
    for order in orders {
        takers[order.upstream as usize].push(order.node);
    }
    for teardown in &plan.teardowns {
        plan.inside(teardown).for_each(|from| takers[from as usize].push(teardown.node));
    }
    takers
}

/// The nodes that cannot end before a node has ended.
fn after(plan: &Plan, node: NodeIx, takers: &[Vec<NodeIx>]) -> HashSet<NodeIx> {
    // For a mapping it matters whether its start waits, and with it the repeated nodes, or only its end.
    let mut seen = HashSet::from([(node, true)]);
    let mut doubtful = vec![(node, true)];
    while let Some((node, starts)) = doubtful.pop() {
        let inside = match &plan.node(node).what {
            What::Each(each) if starts => &*plan.scope(each.scope).nodes,
            _ => &[],
        };
        let behind = takers[node as usize].iter().chain(inside).map(|to| (*to, true));
        let around = plan.scope(plan.node(node).scope).each.map(|each| (each, false));
        doubtful.extend(behind.chain(around).filter(|to| seen.insert(*to)));
    }
    seen.into_iter().map(|(node, _)| node).collect()
}

/// Reports late inputs.
pub(super) fn check(sketch: &Sketch, problems: &mut Vec<Problem>) {
    let plan = &sketch.plan;
    for LateInput { teardown, taken } in &sketch.late {
        let Some(Teardown { setup, made, .. }) = plan.teardown(*teardown) else { continue };
        if made.contains(taken) && plan.node(*taken).is_body() {
            // The teardown wires more than one task, which is reported elsewhere.
            continue;
        }
        let (undo, setup, late) = (quoted(plan, *teardown), quoted(plan, *setup), quoted(plan, *taken));
        let message = format!(
            "{undo} would not run if the run were cancelled before {late} has ended, although {setup} has succeeded: {late} waits \
             for {setup}"
        );
        let help = format!(
            "let the setup return what its teardown needs; or take {late} as an `Outcome<_>`, or `.after` its `.ended()`, which is \
             there however the run ends"
        );
        problems.push(
            Problem::new(message, help)
                .at(plan.node(*teardown).at, "the teardown that takes it is wired here")
                .at(plan.node(*taken).at, "and what it takes here"),
        );
    }
}
