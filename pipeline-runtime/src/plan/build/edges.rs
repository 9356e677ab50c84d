//! The edges of a plan, from the inputs of its nodes and from their orders.

use super::super::graph::{Edge, EdgeRule, NodeIx, Plan, What};
use super::{Features, Order};
use crate::author::draft::Handle;
use crate::author::input::{self, Rule};

/// Fills in the edges. Returns what occurs among them and among the inputs.
pub(super) fn connect(plan: &mut Plan, orders: &[Order]) -> Features {
    let mut features = Features::default();
    let mut edges: Vec<(NodeIx, Edge)> = Vec::with_capacity(plan.args.len() + orders.len());
    for (to, node) in (0..).zip(&plan.nodes) {
        features.gates |= !matches!(node.what, What::Body(_));
        let mut edge = |from: NodeIx, rule: EdgeRule| edges.push((from, Edge { to, offset: Edge::INWARDS, rule }));
        match &node.what {
            What::Body(_) => {
                for arg in &plan.args[node.args.start as usize..node.args.end as usize] {
                    let (from, rule): (&[Handle], EdgeRule) = match &arg.source {
                        input::Source::Plain(_)
                        | input::Source::Text(_)
                        | input::Source::Template(_)
                        | input::Source::Templates(_) => {
                            features.values = true;
                            continue;
                        }
                        input::Source::Secrets(_) | input::Source::Setting(_) => continue,
                        input::Source::Node(from, rule) => (std::slice::from_ref(from), EdgeRule::Upstream(*rule)),
                        input::Source::Nodes(from, rule) => (from, EdgeRule::Upstream(*rule)),
                        input::Source::Elements(from, rule) => {
                            features.elements = true;
                            (std::slice::from_ref(from), EdgeRule::Elements(*rule))
                        }
                    };
                    for from in from {
                        edge(from.index(), rule);
                    }
                }
            }
            // No real enum has more variants than a `u16` holds.
            What::Arm { branch, index } => edge(*branch, EdgeRule::Arm(u16::try_from(*index).unwrap_or(u16::MAX))),
            What::Failure { of } => edge(*of, EdgeRule::Failure),
            What::FirstOf { from } => from.iter().for_each(|from| edge(*from, EdgeRule::Race)),
            What::Each(each) => edge(each.list, EdgeRule::Upstream(Rule::AllSuccess)),
            What::Gather(gather) => edge(gather.each, EdgeRule::Gather),
            // `Journaled` does not occur in a plan that is built.
            What::Element { .. } | What::Journaled(_) => {}
        }
    }
    edges.extend(orders.iter().map(|order| (order.upstream, Edge { to: order.node, offset: Edge::INWARDS, rule: order.rule })));
    for teardown in &plan.teardowns {
        let edge = Edge { to: teardown.node, offset: Edge::INWARDS, rule: EdgeRule::Teardown };
        edges.extend(plan.inside(teardown).map(|from| (from, edge)));
    }
    sort_into(plan, edges, &mut features);
    features
}

/// Puts the edges into the plan, sorted by their source; edges of one source keep their order. It is a counting sort, as there
/// may be millions.
fn sort_into(plan: &mut Plan, edges: Vec<(NodeIx, Edge)>, features: &mut Features) {
    for (from, edge) in &edges {
        plan.nodes[*from as usize].out.end += 1;
        plan.nodes[edge.to as usize].needs += 1;
        features.backward_edges |= *from >= edge.to;
    }
    let mut begin = 0;
    for node in &mut plan.nodes {
        let count = node.out.end;
        node.out = begin..begin;
        begin += count;
    }
    let none = Edge { to: 0, offset: Edge::INWARDS, rule: EdgeRule::Failure };
    plan.edges = vec![none; edges.len()];
    for (from, mut edge) in edges {
        let (scope, offset) = (plan.node(edge.to).scope, plan.node(edge.to).offset);
        let from = &mut plan.nodes[from as usize];
        if scope == from.scope {
            edge.offset = offset;
        }
        plan.edges[from.out.end as usize] = edge;
        from.out.end += 1;
    }
    if plan.scopes.len() > 1 {
        gather_imports(plan);
    }
}

/// Collects the edges from one scope into another.
fn gather_imports(plan: &mut Plan) {
    for (ix, node) in (0..).zip(&plan.nodes) {
        for edge in &plan.edges[node.out.start as usize..node.out.end as usize] {
            let target = plan.nodes[edge.to as usize].scope;
            if node.scope != target {
                plan.scopes[target as usize].imports.push((ix, *edge));
            }
        }
    }
}
