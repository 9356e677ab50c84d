use super::super::ids::Slot;
use super::layout::ExpansionIx;
use crate::author::value::Value;

/// A decision about a node that its body does not make, the gravest first. Of all that one event causes for a node, the gravest
/// counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Conclusion {
    /// An input will never hold, because this node failed.
    UpstreamFailed(Slot),
    /// An input will never hold, because this node was skipped.
    Skipped(Slot),
    /// All elements of a mapping have ended.
    Complete,
    /// A gate's inputs hold, or its race is won.
    Holds,
}

/// Receives what a record changed besides the node that it names.
///
/// The worklist receives possible consequences; code that stores data by slot receives the nodes' moves.
pub(crate) trait Changes {
    /// All inputs of a body hold.
    #[inline]
    fn ready(&mut self, _node: Slot) {}
    /// There is a conclusion about a node. `rank` is the node's place in topological order.
    #[inline]
    fn concluded(&mut self, _rank: u32, _node: Slot, _conclusion: Conclusion) {}
    /// A mapping may activate another element.
    #[inline]
    fn freed(&mut self, _mapping: ExpansionIx) {}
    /// A consumer of this node's output no longer wants it.
    #[inline]
    fn released(&mut self, _node: Slot) {}
    /// A mapping has expanded: the nodes from `first` on are new.
    #[inline]
    fn expanded(&mut self, _first: Slot) {}
    /// An element's node has moved, because its mapping expanded again. Its old slot is now empty.
    #[inline]
    fn moved(&mut self, _from: Slot, _to: Slot) {}
    /// An element's node is no longer in its list.
    #[inline]
    fn removed(&mut self, _node: Slot) {}
    /// A value has left the state. Its drop is user code.
    #[inline]
    fn dropped(&mut self, value: Value) {
        drop(value);
    }
}

/// Ignores all changes: for a replay, after which the worklist is derived.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct IgnoreChanges;

impl Changes for IgnoreChanges {}
