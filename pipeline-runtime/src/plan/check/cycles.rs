//! Cycles, which only `.after` can make.

use super::super::build::{Order, Sketch};
use super::super::graph::{NodeIx, What};
use super::super::problem::Problem;
use super::quoted;
use std::collections::HashMap;

/// A topological order. Only `.after` can make a cycle, because only it can name a node that was wired later.
pub(super) fn cycles(sketch: &Sketch, problems: &mut Vec<Problem>) -> Vec<NodeIx> {
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
        problems.push(cycle(sketch, &waits));
    }
    order
}

/// Reports one cycle among the nodes that are still waiting.
fn cycle(sketch: &Sketch, waits: &[u32]) -> Problem {
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
