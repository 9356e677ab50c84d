//! What a draft consists of: nodes, groups, orders, and the mistakes that were found while recording.

use super::{Handle, NodeOrGroup, SourceLocation};
use crate::author::definition::Task;
use crate::author::field::Projection;
use crate::author::input::{Rule, Upstream};
use crate::author::keys::ElementKeys;
use crate::author::lock::Lock;
use crate::author::options::TaskOptions;
use crate::author::value::Value;
use std::ops::Range;
use std::sync::Arc;

/// A node is wired `.after` another.
#[derive(Debug)]
pub(crate) struct DraftOrder {
    pub(crate) node: NodeOrGroup,
    pub(crate) upstream: NodeOrGroup,
    pub(crate) rule: Rule,
    pub(crate) at: SourceLocation,
}

/// A node that undoes what another has set up, once the nodes wired in a closure have ended.
#[derive(Debug)]
pub(crate) struct DraftTeardown {
    pub(crate) setup: Handle,
    pub(crate) node: Handle,
    /// The nodes that the closure wired.
    pub(crate) inside: Range<u32>,
    /// The nodes that the teardown itself wired.
    pub(crate) made: Range<u32>,
    pub(crate) at: SourceLocation,
}

/// A group: the range of nodes that were wired in its closure.
#[derive(Debug)]
pub(crate) struct DraftGroup {
    pub(crate) name: Box<str>,
    pub(crate) at: SourceLocation,
    pub(crate) parent: Option<u32>,
    pub(crate) scope: u32,
    pub(crate) nodes: Range<u32>,
    pub(crate) overrides: Option<Box<Overrides>>,
    pub(crate) allow_failure: bool,
    /// The locks that it holds, and where each was declared.
    pub(crate) locks: Vec<(&'static Lock, SourceLocation)>,
}

#[derive(Debug)]
pub(crate) struct DraftNode {
    pub(crate) what: What,
    pub(crate) scope: u32,
    pub(crate) at: SourceLocation,
    pub(crate) args: Range<u32>,
    pub(crate) name: Option<Box<str>>,
    pub(crate) overrides: Option<Box<Overrides>>,
    pub(crate) allow_failure: bool,
}

/// What a node is. All but the first are gates: they have no body, and the engine decides them itself.
#[derive(Debug)]
pub(crate) enum What {
    Body(Arc<Task>),
    Arm {
        branch: u32,
        index: u32,
    },
    Failure {
        of: Handle,
    },
    FirstOf {
        from: Box<[Handle]>,
    },
    Each(Box<Each>),
    /// A further list of results of the same mapping.
    Gather(Box<Gather>),
    Element {
        list: Handle,
    },
}

#[derive(Debug)]
pub(crate) struct Each {
    pub(crate) list: Handle,
    /// The scope of the repeated nodes.
    pub(crate) scope: u32,
    pub(crate) result: Repeated,
    pub(crate) max_active: Option<(usize, SourceLocation)>,
    pub(crate) in_order: Option<SourceLocation>,
    pub(crate) keys: Option<ElementKeys>,
    pub(crate) mapping: Mapping,
}

#[derive(Debug)]
pub(crate) struct Gather {
    pub(crate) each: Handle,
    pub(crate) result: Repeated,
}

/// A node whose results in all elements make a list.
#[derive(Debug, Clone, Copy)]
pub struct Repeated {
    pub(crate) node: Handle,
    pub(crate) join: Join,
}

/// The elements' results as one list; `None` unless all succeeded.
pub(crate) type Join = fn(&[Upstream]) -> Option<Value>;

/// What the author layer knows about a mapping's types.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Mapping {
    /// How many elements the list has.
    pub(crate) len: fn(&Value) -> usize,
    /// The element at an index.
    pub(crate) item: fn(&Value, usize) -> Value,
}

#[derive(Debug, Default)]
pub(crate) struct Overrides {
    pub(crate) options: TaskOptions,
    /// The name of each option, and where it was set.
    pub(crate) locations: Vec<(&'static str, SourceLocation)>,
}

impl Overrides {
    /// Why the value that was set there cannot be used. If an option is set again later, only the last value is checked.
    pub(crate) fn fault(&self, position: usize) -> Option<String> {
        let (option, _) = self.locations[position];
        let is_last = self.locations[position + 1..].iter().all(|(later, _)| *later != option);
        self.options.check(option).err().filter(|_| is_last)
    }
}

/// A part of an output.
#[derive(Debug, Clone)]
pub(crate) struct Part {
    /// The part that it is taken from; `None` if it is taken from the output itself.
    pub(crate) of: Option<u32>,
    pub(crate) projection: Projection,
}

/// A mistake found while recording.
#[derive(Debug)]
pub(crate) enum Misuse {
    /// A handle of another pipeline, or of another run of this pipeline's function.
    Foreign { at: SourceLocation },
    /// `.max_active`, or another method of mappings, on a node that is not a mapping.
    NotAMapping { node: u32, method: &'static str, at: SourceLocation },
    /// An option, a name or an order on a part of a node's output, which is not a node.
    OfAPart { node: u32, method: &'static str, at: SourceLocation },
    /// A method of `run_of` on a node that does not wait for a run.
    WaitsForNoRun { node: u32, method: &'static str, at: SourceLocation },
    /// `depends_on_past` on a node that is repeated by `.each`.
    PastOfAnElement { node: u32, at: SourceLocation },
    /// `.each` whose closure wired no node.
    NothingWired { at: SourceLocation },
}
