//! Groups that hold locks, and the ways in which they could deadlock.

use super::graph::{NodeIx, Plan};
use super::groups::Group;
use super::problem::Problem;
use crate::author::draft::{DraftGroup, SourceLocation};
use pipeline_syntax::id;
use std::collections::{HashMap, HashSet};

/// A holding's index in its plan.
pub(crate) type HoldingIx = u32;

/// A group that holds locks.
#[derive(Debug)]
pub(crate) struct Holding {
    pub(super) group: u32,
    /// The names of the locks, each once.
    pub(crate) locks: Box<[&'static str]>,
    pub(super) at: SourceLocation,
}

/// The holdings of a draft, in wiring order.
pub(super) fn of_draft(drafted: &[DraftGroup]) -> Vec<Holding> {
    let mut holdings = Vec::new();
    for (ix, drafted) in (0..).zip(drafted) {
        let Some((_, at)) = drafted.locks.first() else { continue };
        let mut locks: Vec<&'static str> = drafted.locks.iter().map(|(lock, _)| lock.name()).collect();
        locks.sort_unstable();
        locks.dedup();
        holdings.push(Holding { group: ix, locks: locks.into(), at });
    }
    holdings
}

impl Plan {
    /// The group of a holding.
    pub(crate) fn holder(&self, holding: &Holding) -> &Group {
        &self.groups[holding.group as usize]
    }

    /// The enclosing group that holds locks, if there is one.
    #[inline]
    pub(crate) fn holding_of(&self, node: NodeIx) -> Option<HoldingIx> {
        // Holdings do not overlap, because nested ones are refused.
        let last = self.holdings.partition_point(|holding| self.holder(holding).begin() <= node).checked_sub(1)?;
        self.holder(&self.holdings[last]).has(node).then(|| u32::try_from(last).ok()).flatten()
    }

    /// True if a group that holds locks waits for this node's end: repeated nodes end with their mapping.
    pub(crate) fn is_held_for(&self, node: NodeIx) -> bool {
        let node = self.node(node);
        node.scope == 0 && node.is_step()
    }
}

pub(super) fn check(plan: &Plan, problems: &mut Vec<Problem>) {
    for (ix, holding) in plan.holdings.iter().enumerate() {
        let group = plan.holder(holding);
        let quoted = format!("`{}`", group.id);
        for (lock, why) in holding.locks.iter().filter_map(|lock| Some((lock, id::check(lock).err()?))) {
            let problem =
                Problem::new(format!("{lock:?} cannot be the name of a lock: {why}"), "give it a name such as `refresh`");
            problems.push(problem.at(holding.at, "it is held here"));
        }
        if group.scope != 0 {
            let message = format!(
                "the group {quoted} cannot hold a lock: it is repeated by an `.each`, and its elements would wait for each other"
            );
            let help = "let a group around the `.each` hold it; `.max_active(1)` runs one element at a time";
            problems.push(Problem::new(message, help).at(holding.at, "`.holding` is called here"));
            continue;
        }
        if let Some(outer) = plan.holdings[..ix].iter().find(|outer| plan.holder(outer).surrounds(group)) {
            let outer_id = &plan.holder(outer).id;
            let message = format!("the group {quoted} would wait for a lock while the enclosing group `{outer_id}` holds one");
            let help =
                "two runs that do so in another order would wait for each other for ever: let the outer group hold both locks";
            problems.push(
                Problem::new(message, help)
                    .at(outer.at, "the outer group holds one from here")
                    .at(holding.at, "and the inner one waits here"),
            );
            continue;
        }
        if let Some((from, through, other)) = leaves_and_reenters(plan, holding) {
            let message = format!(
                "{quoted} would wait for a lock while it holds one: `{}` waits for `{}`, which is in `{}`",
                plan.id(from),
                plan.id(through),
                plan.holder(other).id
            );
            let help = "two runs that do so would wait for each other for ever: let one group hold the locks of both, or order them one after \
                        the other";
            problems.push(
                Problem::new(message, help)
                    .at(holding.at, "the group holds one from here")
                    .at(other.at, "and that one from here"),
            );
            continue;
        }
        if let Some((begins, from, through, other)) = starts_before_waiting(plan, ix) {
            let message = format!(
                "{quoted} would wait for a lock while it holds one: `{}` waits for `{}`, which is in `{}`, and `{}` may begin before that",
                plan.id(from),
                plan.id(through),
                plan.holder(other).id,
                plan.id(begins),
            );
            let help = "a run would wait for itself, or two runs for each other, for ever: let one group hold the locks of both, or wire the \
                        whole group `.after` the other";
            problems.push(
                Problem::new(message, help)
                    .at(holding.at, "the group holds one from here")
                    .at(other.at, "and that one from here"),
            );
        }
    }
}

/// Finds a group that may start before another group that holds locks, and later waits for it. Returns the node that starts it,
/// the node that waits, the node that it waits for, and the other holding.
fn starts_before_waiting(plan: &Plan, ix: usize) -> Option<(NodeIx, NodeIx, NodeIx, &Holding)> {
    let nodes: Vec<NodeIx> = plan.holder(&plan.holdings[ix]).nodes().filter(|node| plan.is_held_for(*node)).collect();
    for (_, other) in plan.holdings.iter().enumerate().filter(|(of, _)| *of != ix) {
        // For each node, the node of the other group from which it was reached.
        let mut reached: HashMap<NodeIx, NodeIx> = HashMap::new();
        let mut to_visit: Vec<(NodeIx, NodeIx)> = plan.holder(other).nodes().map(|node| (node, node)).collect();
        while let Some((node, through)) = to_visit.pop() {
            if reached.contains_key(&node) {
                continue;
            }
            reached.insert(node, through);
            let each = plan.scope(plan.node(node).scope).each;
            to_visit.extend(plan.out(node).iter().map(|edge| edge.to).chain(each).map(|to| (to, through)));
        }
        let begins = nodes.iter().find(|node| !reached.contains_key(node));
        let waits = nodes.iter().find_map(|node| Some((*node, *reached.get(node)?)));
        if let (Some(&begins), Some((from, through))) = (begins, waits) {
            return Some((begins, from, through, other));
        }
    }
    None
}

/// Finds a node of the group that waits for a node of another group with locks, which in turn waits for a node of the first.
fn leaves_and_reenters<'a>(plan: &'a Plan, holding: &Holding) -> Option<(NodeIx, NodeIx, &'a Holding)> {
    // Nodes outside of the group, each with the other group through which it was reached, if any.
    let mut seen: HashSet<(NodeIx, Option<HoldingIx>)> = HashSet::new();
    let mut to_visit: Vec<(NodeIx, Option<(NodeIx, HoldingIx)>)> =
        plan.holder(holding).nodes().map(|node| (node, None)).collect();
    while let Some((node, through)) = to_visit.pop() {
        let each = plan.scope(plan.node(node).scope).each;
        for to in plan.out(node).iter().map(|edge| edge.to).chain(each) {
            if plan.holder(holding).has(to) {
                if let Some((through, other)) = through {
                    return Some((to, through, &plan.holdings[other as usize]));
                }
                continue;
            }
            let of = through.or_else(|| plan.holding_of(to).map(|other| (to, other)));
            // One path through another group is enough.
            if seen.insert((to, of.map(|(_, other)| other))) {
                to_visit.push((to, of));
            }
        }
    }
    None
}
