//! The draft: what a pipeline function records while it runs.
//!
//! A task's constructor finds the draft through a thread-local, since handles are `Copy` and carry no borrow. Every node
//! remembers where it was wired. Mistakes that types cannot prevent are recorded for the plan's check, which reports them all.

mod blocks;
mod contents;
mod handle;
mod methods;
mod nodes;

pub(crate) use blocks::{each, group, hold, keys, teardown};
pub(crate) use contents::Repeated;
pub(crate) use contents::{
    DraftGroup, DraftNode, DraftOrder, DraftTeardown, Each, Gather, Join, Mapping, Misuse, Overrides, Part, What,
};
pub(crate) use handle::Handle;
use handle::WHOLE;
pub(crate) use handle::{GroupHandle, NodeOrGroup};
pub(crate) use methods::{
    allow_failure, fails_run, in_order, max_active, order, reads_setting, refer_to_pipeline, rename, set, updates,
    with_cross_reference,
};
pub(crate) use nodes::{arm, branch_of, failure, first_of, handles, latest, part, task};

use super::across::CrossReference;
use super::asset::AssetSpec;
use super::body::Arg;
use super::definition::Task;
use super::keys::ElementKeys;
use super::past;
use super::setting::AnySetting;
use std::any::{Any, TypeId};
use std::cell::RefCell;
use std::collections::HashMap;
use std::ops::Range;
use std::panic::Location;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

/// A location in the user's source.
pub(crate) type SourceLocation = &'static Location<'static>;

/// A pipeline as its function recorded it, before it is checked.
#[derive(Debug, Default)]
pub(crate) struct Draft {
    id: u32,
    pub(crate) nodes: Vec<DraftNode>,
    pub(crate) args: Vec<Arg>,
    pub(crate) orders: Vec<DraftOrder>,
    /// A group comes after the groups that enclose it.
    pub(crate) groups: Vec<DraftGroup>,
    pub(crate) teardowns: Vec<DraftTeardown>,
    /// Teardowns whose failure fails the run.
    pub(crate) fails_run: Vec<(Handle, SourceLocation)>,
    /// `.updates(..)`: node, asset, where.
    pub(crate) updates: Vec<(u32, &'static AssetSpec, SourceLocation)>,
    /// The nodes that read assets.
    pub(crate) reads: Vec<(u32, &'static AssetSpec)>,
    /// Sensors that wait for a node's past, each with that node.
    pub(crate) pasts: Vec<(u32, u32)>,
    /// True if `depends_on_past` was set on a node or a group.
    sets_depends_on_past: bool,
    /// The settings that its nodes take.
    pub(crate) settings: Vec<&'static dyn AnySetting>,
    /// The parent of each scope; a scope is the inside of one `.each`, and scope 0 is the pipeline itself.
    pub(crate) scopes: Vec<u32>,
    pub(crate) misuses: Vec<Misuse>,
    /// The parts of outputs that are used, in the order in which they were created.
    pub(crate) parts: Vec<Part>,
    /// The nodes that refer to another pipeline.
    pub(crate) across: Vec<(u32, CrossReference)>,
    current_scope: u32,
    current_group: Option<u32>,
    failures: HashMap<u32, Handle>,
    /// The functions that make the keys of lists.
    keys: Vec<ElementKeys>,
    /// The tasks met so far.
    tasks: HashMap<TypeId, Arc<Task>>,
    last_task: Option<(TypeId, Arc<Task>)>,
    /// State shared by everything that the pipeline function does, one value of each type.
    shared: HashMap<TypeId, Box<dyn Any>>,
}

thread_local! {
    /// The drafts being recorded, innermost last: a pipeline function may build another pipeline.
    static RECORDING: RefCell<Vec<Draft>> = const { RefCell::new(Vec::new()) };
}

/// Runs `wire` and returns what it recorded.
pub(crate) fn record<R>(wire: impl FnOnce() -> R) -> (R, Draft) {
    /// Pops the draft off the stack, also if `wire` panics.
    struct Recording;
    impl Drop for Recording {
        fn drop(&mut self) {
            RECORDING.with_borrow_mut(Vec::pop);
        }
    }
    static NEXT: AtomicU32 = AtomicU32::new(1);
    let id = NEXT.fetch_add(1, Ordering::Relaxed);
    RECORDING.with_borrow_mut(|drafts| drafts.push(Draft { id, scopes: vec![0], ..Draft::default() }));
    let recording = Recording;
    let result = wire();
    RECORDING.with_borrow_mut(|drafts| drafts.last_mut().map(past::wire));
    let draft = RECORDING.with_borrow_mut(|drafts| drafts.last_mut().map(std::mem::take)).unwrap_or_default();
    drop(recording);
    (result, draft)
}

#[track_caller]
fn with<R>(what: impl FnOnce(&mut Draft) -> R) -> Option<R> {
    RECORDING.with_borrow_mut(|drafts| drafts.last_mut().map(what))
}

/// Calls `what` with the one `T` of the pipeline function that is running; returns `None` outside of one.
pub(crate) fn with_shared<T: Default + 'static, R>(what: impl FnOnce(&mut T) -> R) -> Option<R> {
    let shared = |draft: &mut Draft| {
        let shared = draft.shared.entry(TypeId::of::<T>()).or_insert_with(|| Box::new(T::default()));
        shared.downcast_mut::<T>().map(what)
    };
    with(shared).flatten()
}

impl Draft {
    /// The node of that index.
    pub(super) fn handle(&self, index: usize) -> Handle {
        Handle { index: u32::try_from(index).unwrap_or(u32::MAX), draft: self.id, part: WHOLE }
    }

    /// Whether any node may depend on its past.
    pub(super) fn may_depend_on_past(&self) -> bool {
        self.sets_depends_on_past || self.tasks.values().any(|task| task.options.depends_on_past == Some(true))
    }

    pub(super) fn push(&mut self, what: What, args: Range<u32>, at: SourceLocation) -> Handle {
        let index = u32::try_from(self.nodes.len()).unwrap_or(u32::MAX);
        let scope = self.current_scope;
        self.nodes.push(DraftNode { what, scope, at, args, name: None, overrides: None, allow_failure: false });
        Handle { index, draft: self.id, part: WHOLE }
    }

    /// The node that a method is called on; a handle of a part or of another draft is recorded as a misuse.
    fn node(&mut self, handle: Handle, method: &'static str, at: SourceLocation) -> Option<&mut DraftNode> {
        if handle.is_of(self) {
            if handle.part().is_some() {
                self.misuses.push(Misuse::OfAPart { node: handle.index, method, at });
                return None;
            }
            return self.nodes.get_mut(handle.index as usize);
        }
        self.misuses.push(Misuse::Foreign { at });
        None
    }

    fn group(&mut self, handle: GroupHandle, at: SourceLocation) -> Option<&mut DraftGroup> {
        if handle.draft == self.id {
            return self.groups.get_mut(handle.index as usize);
        }
        self.misuses.push(Misuse::Foreign { at });
        None
    }

    /// The mapping that yielded this list, if the list is one of several; otherwise the node itself.
    fn mapping_of(&self, handle: Handle) -> Handle {
        match self.nodes.get(handle.index as usize).map(|node| &node.what) {
            Some(What::Gather(gather)) if handle.is_of(self) && handle.part().is_none() => gather.each,
            _ => handle,
        }
    }
}
