use super::graph::{NodeIx, PlanNode, What};

/// A node's name. Most have none of their own and take it from their task, which costs no memory.
#[derive(Debug)]
pub(crate) enum Name {
    /// The task's name, with `__2`, `__3`, … from the second on.
    Default(u32),
    Given(Box<str>),
}

/// The node's id. A gate's follows from the node it stands on.
pub(super) fn render(nodes: &[PlanNode], node: NodeIx) -> String {
    match (&nodes[node as usize].name, &nodes[node as usize].what) {
        (Name::Default(_), What::Element { each }) => format!("{}.element", render(nodes, *each)),
        (Name::Default(_), What::Failure { of }) => format!("{}.failure", render(nodes, *of)),
        _ => stem(nodes, node),
    }
}

/// The id as a mapping with that result takes it. An element's id holds that of its mapping, so a mapping that returns its
/// element says no more than that; what else an id holds was wired before, so that this ends.
fn stem(nodes: &[PlanNode], node: NodeIx) -> String {
    let this = &nodes[node as usize];
    match (&this.name, &this.what) {
        (Name::Given(name), _) => name.to_string(),
        (_, What::Arm { branch, index }) => match nodes[*branch as usize].arm(*index) {
            Some(arm) => format!("{}.{arm}", stem(nodes, *branch)),
            None => format!("{}.{index}", stem(nodes, *branch)),
        },
        (_, What::Failure { of }) => format!("{}.failure", stem(nodes, *of)),
        (_, What::Each(each)) => format!("each({})", stem(nodes, each.result)),
        (_, What::Element { .. }) => "element".to_owned(),
        (Name::Default(ordinal), What::FirstOf { .. }) => numbered("first_of", *ordinal),
        // Each has its name.
        (_, What::Recalled(_)) => String::new(),
        (Name::Default(ordinal), What::Body(task)) => numbered(task.definition.name, *ordinal),
    }
}

fn numbered(name: &str, ordinal: u32) -> String {
    if ordinal < 2 { name.to_owned() } else { format!("{name}__{ordinal}") }
}

/// Why a text is no id, if it is none.
pub(super) fn invalid(id: &str) -> Option<&'static str> {
    let fits = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.');
    let numbered = id.rsplit_once("__").is_some_and(|(_, n)| !n.is_empty() && n.chars().all(|c| c.is_ascii_digit()));
    if id.is_empty() {
        Some("it is empty")
    } else if id.len() > 200 {
        Some("it is longer than 200 bytes")
    } else if !id.chars().all(fits) {
        Some("only letters, digits, `_`, `-` and `.` may stand in one")
    } else if numbered {
        Some("names that end in `__` and a number are kept for nodes without a name of their own")
    } else {
        None
    }
}
