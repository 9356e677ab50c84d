use super::graph::{NodeIx, PlanNode, What};
use super::groups::{self, Group};

/// A node's name. Most nodes take it from their task, which costs no memory.
#[derive(Debug)]
pub(crate) enum Name {
    /// The task's name, with `__2`, `__3`, … from the second on.
    Default(u32),
    Given(Box<str>),
}

/// The node's id. The id of a gate is derived from the node that it belongs to.
pub(super) fn render(nodes: &[PlanNode], groups: &[Group], node: NodeIx) -> String {
    match (&nodes[node as usize].name, &nodes[node as usize].what) {
        (Name::Default(_), What::Element { each }) => format!("{}.element", render(nodes, groups, *each)),
        (Name::Default(_), What::Failure { of }) => format!("{}.failure", render(nodes, groups, *of)),
        _ => stem(nodes, groups, node),
    }
}

/// The id as it appears in the id of a mapping with that result. The element's id contains its mapping's id, so it is shortened
/// here to avoid endless recursion. All other parts of an id were wired earlier, so the recursion ends.
fn stem(nodes: &[PlanNode], groups: &[Group], node: NodeIx) -> String {
    let this = &nodes[node as usize];
    match (&this.name, &this.what) {
        (Name::Given(name), _) => grouped(groups, node, name.to_string()),
        (_, What::Arm { branch, index }) => match nodes[*branch as usize].arm(*index) {
            Some(arm) => format!("{}.{arm}", stem(nodes, groups, *branch)),
            None => format!("{}.{index}", stem(nodes, groups, *branch)),
        },
        (_, What::Failure { of }) => format!("{}.failure", stem(nodes, groups, *of)),
        (_, What::Each(each)) => format!("each({})", stem(nodes, groups, each.result)),
        (_, What::Gather(gather)) => format!("each({})", stem(nodes, groups, gather.result)),
        (_, What::Element { .. }) => "element".to_owned(),
        (Name::Default(ordinal), What::FirstOf { .. }) => grouped(groups, node, numbered("first_of", *ordinal)),
        // Always has a given name.
        (_, What::Journaled(_)) => String::new(),
        (Name::Default(ordinal), What::Body(task)) => grouped(groups, node, numbered(task.definition.name, *ordinal)),
    }
}

/// The name with the names of the enclosing groups.
fn grouped(groups: &[Group], node: NodeIx, name: String) -> String {
    match groups::around(groups, node).next() {
        Some(group) => format!("{}.{name}", groups[group as usize].id),
        None => name,
    }
}

fn numbered(name: &str, ordinal: u32) -> String {
    if ordinal < 2 { name.to_owned() } else { format!("{name}__{ordinal}") }
}
