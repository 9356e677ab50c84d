//! Groups: which nodes are in one, which of them are its first and its last, and what `.after` of and on a group means for them.

use super::build::Order;
use super::graph::{EdgeRule, NodeIx, Plan, ScopeIx, What};
use crate::author::draft::{DraftGroup, DraftOrder, Party, Place};
use std::collections::{HashMap, HashSet};
use std::ops::Range;

/// A group. Its nodes were wired one after the other, so that groups lie one in the other or apart.
#[derive(Debug)]
pub(crate) struct Group {
    /// With the names of the groups around it.
    pub(crate) id: Box<str>,
    pub(crate) at: Place,
    nodes: Range<NodeIx>,
    /// Those among them that read assets: such a node stands beside all groups, wherever it was first asked for.
    beside: Box<[NodeIx]>,
    pub(crate) scope: ScopeIx,
    pub(crate) parent: Option<u32>,
}

impl Group {
    /// Whether a node lies in it.
    pub(crate) fn has(&self, node: NodeIx) -> bool {
        self.nodes.contains(&node) && !self.beside.contains(&node)
    }

    /// The nodes that lie in it.
    pub(crate) fn nodes(&self) -> impl Iterator<Item = NodeIx> + '_ {
        self.nodes.clone().filter(|node| !self.beside.contains(node))
    }

    /// Whether all of another one lies in it.
    pub(super) fn surrounds(&self, other: &Self) -> bool {
        self.nodes.contains(&other.nodes.start) && self.nodes.end >= other.nodes.end
    }

    /// Where its nodes begin, which are in their order and apart from those of others.
    pub(super) fn begin(&self) -> NodeIx {
        self.nodes.start
    }
}

/// The groups of a draft, each after those around it. `reads` are the nodes that read assets.
pub(super) fn of_draft<T>(drafted: &[DraftGroup], reads: &[(NodeIx, T)]) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::with_capacity(drafted.len());
    for group in drafted {
        let id = match group.parent {
            Some(parent) => format!("{}.{}", groups[parent as usize].id, group.name).into(),
            None => group.name.clone(),
        };
        let DraftGroup { at, scope, parent, nodes, .. } = group;
        let beside = reads.iter().map(|(node, _)| *node).filter(|node| nodes.contains(node)).collect();
        groups.push(Group { id, at, nodes: nodes.clone(), beside, scope: *scope, parent: *parent });
    }
    groups
}

/// The groups that a node lies in, the innermost first.
pub(super) fn around(groups: &[Group], node: NodeIx) -> impl Iterator<Item = u32> + '_ {
    // The last that begins before the node lies within all that hold it.
    let last = groups.partition_point(|group| group.nodes.start <= node).checked_sub(1);
    let mut next = last.and_then(|last| u32::try_from(last).ok());
    std::iter::from_fn(move || {
        let this = next?;
        next = groups[this as usize].parent;
        Some(this)
    })
    .filter(move |group| groups[*group as usize].has(node))
}

impl Plan {
    /// The innermost group of a node, in the scope of the node: a drawing puts it there.
    pub(super) fn group_of(&self, node: NodeIx) -> Option<u32> {
        let scope = self.node(node).scope;
        around(&self.groups, node).find(|group| self.groups[*group as usize].scope == scope)
    }

    /// The group around a group, in its scope.
    pub(super) fn group_around(&self, group: u32) -> Option<u32> {
        let Group { parent, scope, .. } = &self.groups[group as usize];
        parent.filter(|parent| self.groups[*parent as usize].scope == *scope)
    }
}

/// What `.after` says of single nodes: after which others each was wired.
pub(super) fn between(plan: &Plan, drafted: &[DraftOrder]) -> HashMap<NodeIx, Vec<NodeIx>> {
    let mut between: HashMap<NodeIx, Vec<NodeIx>> = HashMap::new();
    if plan.groups.is_empty() {
        return between;
    }
    for order in drafted {
        if let (Party::Node(node), Party::Node(upstream)) = (order.node, order.upstream) {
            between.entry(node.index()).or_default().push(upstream.index());
        }
    }
    between
}

/// What `.after` says, node by node.
pub(super) fn orders(plan: &Plan, drafted: Vec<DraftOrder>, teardowns: &HashSet<NodeIx>) -> Vec<Order> {
    let between = between(plan, &drafted);
    let mut orders = Vec::with_capacity(drafted.len());
    for DraftOrder { node, upstream, rule, at } in drafted {
        if let (Party::Node(node), Party::Node(upstream)) = (node, upstream) {
            let (node, upstream) = (node.index(), upstream.index());
            orders.push(Order { node, upstream, rule: EdgeRule::Upstream(rule), at });
            continue;
        }
        let nodes = match node {
            Party::Node(node) => vec![node.index()],
            Party::Group(group) => first(plan, group.index(), &between),
        };
        let upstreams = match upstream {
            Party::Node(node) => vec![node.index()],
            Party::Group(group) => last(plan, group.index(), &between, teardowns),
        };
        let rule = EdgeRule::Upstream(rule);
        for node in nodes {
            orders.extend(upstreams.iter().map(|&upstream| Order { node, upstream, rule, at }));
        }
    }
    orders
}

/// What a node waits for: of a task its inputs, of any the nodes that it is wired after.
fn awaited<'a>(plan: &'a Plan, node: NodeIx, between: &'a HashMap<NodeIx, Vec<NodeIx>>) -> impl Iterator<Item = NodeIx> + 'a {
    plan.upstreams(node).chain(between.get(&node).into_iter().flatten().copied())
}

/// The tasks and mappings of a group that wait for no other of it: its start.
pub(super) fn first(plan: &Plan, group: u32, between: &HashMap<NodeIx, Vec<NodeIx>>) -> Vec<NodeIx> {
    /// Whether a node is of the group, or a gate that stands on one.
    fn rests_on(plan: &Plan, group: &Group, node: NodeIx) -> bool {
        match &plan.node(node).what {
            What::Body(_) | What::Each(_) => group.has(node),
            What::Arm { branch, .. } => rests_on(plan, group, *branch),
            What::Failure { of } => rests_on(plan, group, *of),
            What::Gather(gather) => rests_on(plan, group, gather.each),
            // One from outside may win it before anything of the group has begun.
            What::FirstOf { from } => from.iter().all(|from| rests_on(plan, group, *from)),
            What::Element { .. } | What::Recalled(_) => false,
        }
    }
    let group = &plan.groups[group as usize];
    let starts = |node: &NodeIx| {
        let is_own = plan.node(*node).scope == group.scope;
        is_own && plan.node(*node).is_step() && !awaited(plan, *node, between).any(|from| rests_on(plan, group, from))
    };
    group.nodes().filter(starts).collect()
}

/// The tasks, mappings and races of a group that no other of it waits for: its end.
fn last(plan: &Plan, group: u32, between: &HashMap<NodeIx, Vec<NodeIx>>, teardowns: &HashSet<NodeIx>) -> Vec<NodeIx> {
    let group = &plan.groups[group as usize];
    let is_of_it = |node: &NodeIx| matches!(plan.node(*node).what, What::Body(_) | What::Each(_) | What::FirstOf { .. });
    let mut taken = HashSet::new();
    for node in group.nodes().filter(|node| is_of_it(node) && !teardowns.contains(node)) {
        for mut from in awaited(plan, node, between) {
            // An arm, a failure or another list is taken for the node that it stands on.
            taken.insert(loop {
                from = match &plan.node(from).what {
                    What::Arm { branch: of, .. } | What::Failure { of } => *of,
                    What::Gather(gather) => gather.each,
                    _ => break from,
                };
            });
        }
    }
    let is_last = |node: &NodeIx| {
        let is_own = plan.node(*node).scope == group.scope;
        is_own && is_of_it(node) && !taken.contains(node) && !teardowns.contains(node)
    };
    group.nodes().filter(is_last).collect()
}
