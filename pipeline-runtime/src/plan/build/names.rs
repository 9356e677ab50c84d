//! The names of nodes, from which their ids follow.

use super::super::id::Name;
use crate::author::draft::{self, DraftNode};
use std::collections::HashMap;

/// The number of nodes of a name so far, for each group separately. Most nodes are in no group.
#[derive(Default)]
pub(super) struct Names {
    counts: Vec<u32>,
    /// The indices into `counts`.
    of_none: HashMap<&'static str, usize>,
    of_group: HashMap<(u32, &'static str), u32>,
    /// The last name that was requested outside of groups, because successive nodes often share a task.
    last: Option<(&'static str, usize)>,
}

impl Names {
    fn next(&mut self, name: &'static str, group: Option<u32>) -> u32 {
        let count = if let Some(group) = group {
            self.of_group.entry((group, name)).or_default()
        } else {
            let at = match self.last {
                Some((last, at)) if std::ptr::eq(last, name) => at,
                _ => *self.of_none.entry(name).or_insert_with(|| {
                    self.counts.push(0);
                    self.counts.len() - 1
                }),
            };
            self.last = Some((name, at));
            &mut self.counts[at]
        };
        *count += 1;
        *count
    }
}

/// The name of a node: the given one, or the next number of its task.
pub(super) fn name(node: &DraftNode, group: Option<u32>, names: &mut Names) -> Name {
    if let Some(name) = &node.name {
        return Name::Given(name.clone());
    }
    let default = match &node.what {
        draft::What::Body(task) => task.definition.name,
        draft::What::FirstOf { .. } => "first_of",
        // The ids of other gates are derived from the node that they belong to.
        _ => return Name::Default(1),
    };
    Name::Default(names.next(default, group))
}
