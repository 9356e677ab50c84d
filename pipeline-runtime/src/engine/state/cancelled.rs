//! How the record of a cancel is read, for the run's state and for its history.

use super::super::states::NodeState;

/// A node as a cancel's record finds it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Found {
    pub(crate) is_body: bool,
    pub(crate) state: NodeState,
    /// The end of the run has cut it off.
    pub(crate) is_cut_off: bool,
}

/// Whether the record of a cancel is the end of all nodes that are open.
///
/// A program that cannot go on with a run cancels it by that record alone. Otherwise each node's end was recorded before, of one at
/// least as cut off, and what is open is of a plan that has gained it since.
pub(crate) fn ends_open_nodes(nodes: impl Iterator<Item = Found>) -> bool {
    let mut is_any_cut_off = false;
    for node in nodes {
        if node.is_body && node.state.is_under_way() {
            return true;
        }
        is_any_cut_off |= node.is_cut_off;
    }
    !is_any_cut_off
}
