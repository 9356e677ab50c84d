//! Handles: the names of a draft's nodes and groups. They are `Copy`, so that a pipeline function can pass a node on as a value.

use super::Draft;

/// Names a node of a draft, or a part of its output. It includes the draft's id, because a handle of another pipeline may be left
/// in a thread-local.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Handle {
    pub(super) index: u32,
    pub(super) draft: u32,
    pub(super) part: u32,
}

/// No part: the whole output.
pub(super) const WHOLE: u32 = u32::MAX;

impl Handle {
    #[inline]
    pub(crate) fn index(self) -> u32 {
        self.index
    }

    /// The part of the output that this handle names, unless it names the whole output.
    #[inline]
    pub(crate) fn part(self) -> Option<u32> {
        (self.part != WHOLE).then_some(self.part)
    }

    pub(super) fn whole(self) -> Self {
        Self { part: WHOLE, ..self }
    }

    pub(crate) fn is_of(self, draft: &Draft) -> bool {
        self.draft == draft.id
    }
}

/// Names a group of a draft.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct GroupHandle {
    pub(super) index: u32,
    pub(super) draft: u32,
}

impl GroupHandle {
    pub(crate) fn index(self) -> u32 {
        self.index
    }
}

/// What can be ordered and have options: a node or a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NodeOrGroup {
    Node(Handle),
    Group(GroupHandle),
}

impl NodeOrGroup {
    /// This party; for a part of a node's output, the node itself.
    pub(super) fn whole(self) -> Self {
        match self {
            Self::Node(node) => Self::Node(node.whole()),
            Self::Group(_) => self,
        }
    }

    pub(crate) fn is_of(self, draft: &Draft) -> bool {
        match self {
            Self::Node(node) => node.draft == draft.id,
            Self::Group(group) => group.draft == draft.id,
        }
    }
}

impl From<Handle> for NodeOrGroup {
    fn from(node: Handle) -> Self {
        Self::Node(node)
    }
}
