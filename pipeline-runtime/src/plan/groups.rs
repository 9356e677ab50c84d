//! Groups: their nodes, which of these come first and last, and what `.after` of and on a group means for them.

use super::build::Order;
use super::graph::{EdgeRule, NodeIx, Plan, ScopeIx, What};
use crate::author::draft::{DraftGroup, DraftOrder, NodeOrGroup, SourceLocation};
use std::collections::{HashMap, HashSet};
use std::ops::Range;

/// A group. Its nodes were wired consecutively, so groups are nested or disjoint.
#[derive(Debug)]
pub(crate) struct Group {
    /// The name, prefixed with those of the enclosing groups.
    pub(crate) id: Box<str>,
    pub(crate) at: SourceLocation,
    nodes: Range<NodeIx>,
    /// The nodes in this range that read assets: they are outside of all groups, wherever they were first requested.
    beside: Box<[NodeIx]>,
    pub(crate) scope: ScopeIx,
    pub(crate) parent: Option<u32>,
}

impl Group {
    /// True if the node is in the group.
    pub(crate) fn has(&self, node: NodeIx) -> bool {
        self.nodes.contains(&node) && !self.beside.contains(&node)
    }

    /// The nodes in the group.
    pub(crate) fn nodes(&self) -> impl Iterator<Item = NodeIx> + '_ {
        self.nodes.clone().filter(|node| !self.beside.contains(node))
    }

    /// True if the group contains all of another one.
    pub(super) fn surrounds(&self, other: &Self) -> bool {
        self.nodes.contains(&other.nodes.start) && self.nodes.end >= other.nodes.end
    }

    /// The first index of its nodes, which are in order and separate from those of other groups.
    pub(super) fn begin(&self) -> NodeIx {
        self.nodes.start
    }
}

/// The groups of a draft, each after those that enclose it. `reads` are the nodes that read assets.
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

/// The groups that contain a node, the innermost first.
pub(super) fn around(groups: &[Group], node: NodeIx) -> impl Iterator<Item = u32> + '_ {
    // The last group that starts before the node is within all groups that contain the node.
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
    /// The innermost group of a node that is in the node's scope: a drawing puts the node there.
    pub(super) fn group_of(&self, node: NodeIx) -> Option<u32> {
        let scope = self.node(node).scope;
        around(&self.groups, node).find(|group| self.groups[*group as usize].scope == scope)
    }

    /// The group that encloses a group, in the same scope.
    pub(super) fn group_around(&self, group: u32) -> Option<u32> {
        let Group { parent, scope, .. } = &self.groups[group as usize];
        parent.filter(|parent| self.groups[*parent as usize].scope == *scope)
    }
}

/// The orders between single nodes by `.after`: for each node, the nodes that it waits for.
pub(super) fn between(plan: &Plan, drafted: &[DraftOrder]) -> HashMap<NodeIx, Vec<NodeIx>> {
    let mut between: HashMap<NodeIx, Vec<NodeIx>> = HashMap::new();
    if plan.groups.is_empty() {
        return between;
    }
    for order in drafted {
        if let (NodeOrGroup::Node(node), NodeOrGroup::Node(upstream)) = (order.node, order.upstream) {
            between.entry(node.index()).or_default().push(upstream.index());
        }
    }
    between
}

/// The orders by `.after`, expanded to single nodes.
pub(super) fn orders(plan: &Plan, drafted: Vec<DraftOrder>, teardowns: &HashSet<NodeIx>) -> Vec<Order> {
    let between = between(plan, &drafted);
    let mut orders = Vec::with_capacity(drafted.len());
    for DraftOrder { node, upstream, rule, at } in drafted {
        if let (NodeOrGroup::Node(node), NodeOrGroup::Node(upstream)) = (node, upstream) {
            let (node, upstream) = (node.index(), upstream.index());
            orders.push(Order { node, upstream, rule: EdgeRule::Upstream(rule), at });
            continue;
        }
        let nodes = match node {
            NodeOrGroup::Node(node) => vec![node.index()],
            NodeOrGroup::Group(group) => first(plan, group.index(), &between),
        };
        let upstreams = match upstream {
            NodeOrGroup::Node(node) => vec![node.index()],
            NodeOrGroup::Group(group) => last(plan, group.index(), &between, teardowns),
        };
        let rule = EdgeRule::Upstream(rule);
        for node in nodes {
            orders.extend(upstreams.iter().map(|&upstream| Order { node, upstream, rule, at }));
        }
    }
    orders
}

/// What a node waits for: a task's inputs, and the nodes that any node is wired after.
fn awaited<'a>(plan: &'a Plan, node: NodeIx, between: &'a HashMap<NodeIx, Vec<NodeIx>>) -> impl Iterator<Item = NodeIx> + 'a {
    plan.upstreams(node).chain(between.get(&node).into_iter().flatten().copied())
}

/// The start of a group: its tasks and mappings that wait for no other node of it.
pub(super) fn first(plan: &Plan, group: u32, between: &HashMap<NodeIx, Vec<NodeIx>>) -> Vec<NodeIx> {
    /// True if a node is in the group, or is a gate of one that is.
    fn rests_on(plan: &Plan, group: &Group, node: NodeIx) -> bool {
        match &plan.node(node).what {
            What::Body(_) | What::Each(_) => group.has(node),
            What::Arm { branch, .. } => rests_on(plan, group, *branch),
            What::Failure { of } => rests_on(plan, group, *of),
            What::Gather(gather) => rests_on(plan, group, gather.each),
            // A node from outside may win before any node of the group has started.
            What::FirstOf { from } => from.iter().all(|from| rests_on(plan, group, *from)),
            What::Element { .. } | What::Journaled(_) => false,
        }
    }
    let group = &plan.groups[group as usize];
    let starts = |node: &NodeIx| {
        let is_own = plan.node(*node).scope == group.scope;
        is_own && plan.node(*node).is_step() && !awaited(plan, *node, between).any(|from| rests_on(plan, group, from))
    };
    group.nodes().filter(starts).collect()
}

/// The end of a group: its tasks, mappings and races that no other node of it waits for.
fn last(plan: &Plan, group: u32, between: &HashMap<NodeIx, Vec<NodeIx>>, teardowns: &HashSet<NodeIx>) -> Vec<NodeIx> {
    let group = &plan.groups[group as usize];
    let is_of_it = |node: &NodeIx| matches!(plan.node(*node).what, What::Body(_) | What::Each(_) | What::FirstOf { .. });
    let mut taken = HashSet::new();
    for node in group.nodes().filter(|node| is_of_it(node) && !teardowns.contains(node)) {
        for mut from in awaited(plan, node, between) {
            // An arm, a failure or another list counts as the node that it belongs to.
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
