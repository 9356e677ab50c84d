//! How a cancel's record is interpreted, for the run's state and for its history.

use super::super::states::NodeState;

/// A node at the time of a cancel's record.
#[derive(Debug, Clone, Copy)]
pub(crate) struct NodeAtCancel {
    pub(crate) is_body: bool,
    pub(crate) state: NodeState,
    /// The run's end has cut the node off.
    pub(crate) is_cut_off: bool,
}

/// True if a cancel's record is the end of all open nodes.
///
/// A program that cannot resume a run cancels it by that record alone. Otherwise each node's end was recorded before it, at least
/// one of them as cut off, and an open node was added to the plan since.
pub(crate) fn ends_open_nodes(nodes: impl Iterator<Item = NodeAtCancel>) -> bool {
    let mut is_any_cut_off = false;
    for node in nodes {
        if node.is_body && node.state.is_under_way() {
            return true;
        }
        is_any_cut_off |= node.is_cut_off;
    }
    !is_any_cut_off
}
