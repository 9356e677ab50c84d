use super::super::ids::Slot;
use super::layout::ExpansionIx;
use crate::author::value::Value;

/// What is to become of a node without its body, the gravest first: of all that one event brings to a node, that counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Conclusion {
    /// An input never holds, since this node failed.
    UpstreamFailed(Slot),
    /// An input never holds, since this node was skipped.
    Skipped(Slot),
    /// A mapping's elements have all ended.
    Complete,
    /// A gate's inputs hold, or its race is won.
    Holds,
}

/// Hears what a record changed, beside the node that it names.
///
/// The worklist hears what may follow; whoever keeps something of its own by node hears where nodes went.
pub(crate) trait Changes {
    /// A body's inputs all hold.
    #[inline]
    fn ready(&mut self, _node: Slot) {}
    /// Something follows for a node; `rank` is its place in topological order.
    #[inline]
    fn concluded(&mut self, _rank: u32, _node: Slot, _conclusion: Conclusion) {}
    /// A mapping may activate another element.
    #[inline]
    fn freed(&mut self, _mapping: ExpansionIx) {}
    /// A node that takes this one's output no longer wants it.
    #[inline]
    fn released(&mut self, _node: Slot) {}
    /// A mapping has expanded: there are nodes from `first` on that were not there before.
    #[inline]
    fn expanded(&mut self, _first: Slot) {}
    /// An element's node is elsewhere, since its mapping has expanded again. Where it was there is nothing any more.
    #[inline]
    fn moved(&mut self, _from: Slot, _to: Slot) {}
    /// An element's node is no longer in its list.
    #[inline]
    fn removed(&mut self, _node: Slot) {}
    /// A value is no longer of the state. Its drop is the user's code.
    #[inline]
    fn dropped(&mut self, value: Value) {
        drop(value);
    }
}

/// Nobody hears it: for a replay, after which what is to be done is derived.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Unheard;

impl Changes for Unheard {}
