//! The draft: what a pipeline function records while it runs.
//!
//! A task's constructor finds the draft through a thread-local, since handles are `Copy` and carry no borrow. Every node
//! remembers where it was wired. Mistakes that types cannot prevent are recorded for the plan's check, which reports them all.

use super::across::Across;
use super::asset::AssetSpec;
use super::body::{Arg, Labelled};
use super::definition::{Definition, Task};
use super::field::Projection;
use super::input::{Rule, Source, Upstream};
use super::keys::ElementKeys;
use super::lock::Lock;
use super::options::TaskOptions;
use super::order::Order;
use super::past;
use super::setting::AnySetting;
use super::value::Value;
use std::any::{Any, TypeId};
use std::cell::RefCell;
use std::collections::HashMap;
use std::ops::Range;
use std::panic::Location;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

/// A location in the user's source.
pub(crate) type Place = &'static Location<'static>;

/// Names a node of a draft, or a part of its output. It includes the draft's id, because a handle of another pipeline may be left
/// in a thread-local.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Handle {
    index: u32,
    draft: u32,
    part: u32,
}

/// No part: the whole output.
const WHOLE: u32 = u32::MAX;

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

    fn whole(self) -> Self {
        Self { part: WHOLE, ..self }
    }

    pub(crate) fn is_of(self, draft: &Draft) -> bool {
        self.draft == draft.id
    }
}

/// Names a group of a draft.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct GroupHandle {
    index: u32,
    draft: u32,
}

impl GroupHandle {
    pub(crate) fn index(self) -> u32 {
        self.index
    }
}

/// What can be ordered and have options: a node or a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Party {
    Node(Handle),
    Group(GroupHandle),
}

impl Party {
    /// This party; for a part of a node's output, the node itself.
    fn whole(self) -> Self {
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

impl From<Handle> for Party {
    fn from(node: Handle) -> Self {
        Self::Node(node)
    }
}

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
    pub(crate) fails_run: Vec<(Handle, Place)>,
    /// `.updates(..)`: node, asset, where.
    pub(crate) updates: Vec<(u32, &'static AssetSpec, Place)>,
    /// The nodes that read assets.
    pub(crate) reads: Vec<(u32, &'static AssetSpec)>,
    /// Sensors that wait for a node's past, each with that node.
    pub(crate) pasts: Vec<(u32, u32)>,
    /// True if `depends_on_past` was set on a node or a group.
    tells_past: bool,
    /// The settings that its nodes take.
    pub(crate) settings: Vec<&'static dyn AnySetting>,
    /// The parent of each scope; a scope is the inside of one `.each`, and scope 0 is the pipeline itself.
    pub(crate) scopes: Vec<u32>,
    pub(crate) misuses: Vec<Misuse>,
    /// The parts of outputs that are used, in the order in which they were created.
    pub(crate) parts: Vec<Part>,
    /// The nodes that refer to another pipeline.
    pub(crate) across: Vec<(u32, Across)>,
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

/// A node is wired `.after` another.
#[derive(Debug)]
pub(crate) struct DraftOrder {
    pub(crate) node: Party,
    pub(crate) upstream: Party,
    pub(crate) rule: Rule,
    pub(crate) at: Place,
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
    pub(crate) at: Place,
}

/// A group: the range of nodes that were wired in its closure.
#[derive(Debug)]
pub(crate) struct DraftGroup {
    pub(crate) name: Box<str>,
    pub(crate) at: Place,
    pub(crate) parent: Option<u32>,
    pub(crate) scope: u32,
    pub(crate) nodes: Range<u32>,
    pub(crate) overrides: Option<Box<Overrides>>,
    pub(crate) allow_failure: bool,
    /// The locks that it holds, and where each was declared.
    pub(crate) locks: Vec<(&'static Lock, Place)>,
}

#[derive(Debug)]
pub(crate) struct DraftNode {
    pub(crate) what: What,
    pub(crate) scope: u32,
    pub(crate) at: Place,
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
    pub(crate) max_active: Option<(usize, Place)>,
    pub(crate) in_order: Option<Place>,
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
    pub(crate) given: Vec<(&'static str, Place)>,
}

impl Overrides {
    /// Why the value that was set there cannot be used. If an option is set again later, only the last value is checked.
    pub(crate) fn fault(&self, position: usize) -> Option<String> {
        let (option, _) = self.given[position];
        let is_last = self.given[position + 1..].iter().all(|(later, _)| *later != option);
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
    Foreign { at: Place },
    /// `.max_active`, or another method of mappings, on a node that is not a mapping.
    NotAMapping { node: u32, method: &'static str, at: Place },
    /// An option, a name or an order on a part of a node's output, which is not a node.
    OfAPart { node: u32, method: &'static str, at: Place },
    /// A method of `run_of` on a node that does not wait for a run.
    WaitsForNoRun { node: u32, method: &'static str, at: Place },
    /// `depends_on_past` on a node that is repeated by `.each`.
    PastOfAnElement { node: u32, at: Place },
    /// `.each` whose closure wired no node.
    NothingWired { at: Place },
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
        self.tells_past || self.tasks.values().any(|task| task.options.depends_on_past == Some(true))
    }

    pub(super) fn push(&mut self, what: What, args: Range<u32>, at: Place) -> Handle {
        let index = u32::try_from(self.nodes.len()).unwrap_or(u32::MAX);
        let scope = self.current_scope;
        self.nodes.push(DraftNode { what, scope, at, args, name: None, overrides: None, allow_failure: false });
        Handle { index, draft: self.id, part: WHOLE }
    }

    /// The node that a method is called on; a handle of a part or of another draft is recorded as a misuse.
    fn node(&mut self, handle: Handle, method: &'static str, at: Place) -> Option<&mut DraftNode> {
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

    fn group(&mut self, handle: GroupHandle, at: Place) -> Option<&mut DraftGroup> {
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

/// Records a node. `make` creates its task from the names of its inputs, unless a node of the same task is already known.
#[track_caller]
pub(crate) fn task<const N: usize>(
    definition: &'static Definition,
    inputs: [Labelled; N],
    make: impl FnOnce(Box<[&'static str]>) -> Task,
) -> Handle {
    let at = Location::caller();
    let handle = with(|draft| {
        let task = match &draft.last_task {
            // Many in a row are often of one task.
            Some((of, task)) if *of == definition.task => Arc::clone(task),
            _ => {
                let labels = || Box::new(inputs.each_ref().map(|input| input.label));
                let task = Arc::clone(draft.tasks.entry(definition.task).or_insert_with(|| Arc::new(make(labels()))));
                draft.last_task = Some((definition.task, Arc::clone(&task)));
                task
            }
        };
        let first = u32::try_from(draft.args.len()).unwrap_or(u32::MAX);
        draft.args.extend(inputs.into_iter().map(|input| input.arg));
        let last = u32::try_from(draft.args.len()).unwrap_or(u32::MAX);
        draft.push(What::Body(task), first..last, at)
    });
    match handle {
        Some(handle) => handle,
        // There is no plan in which to report this mistake, and no handle to return: it is the only one that must stop the
        // caller.
        None => panic!(
            "`{name}` was called outside of a pipeline: in a `#[pipeline]` function it wires a node; to run its body, as in a \
             unit test, call `{name}::call(..)`",
            name = definition.name
        ),
    }
}

/// The node that reads an asset: one for each pipeline, outside of all mappings and groups, wherever it was first requested.
#[track_caller]
pub(crate) fn latest(asset: &'static AssetSpec) -> Handle {
    let at = Location::caller();
    let handle = with(|draft| {
        let known = draft.reads.iter().find(|(_, known)| known.name == asset.name && known.is_of_type_of(asset));
        if let Some((index, _)) = known {
            return Handle { index: *index, draft: draft.id, part: WHOLE };
        }
        let none = u32::try_from(draft.args.len()).unwrap_or(u32::MAX);
        let made = draft.push(What::Body(Arc::new(asset.task())), none..none, at);
        draft.nodes[made.index as usize].scope = 0;
        draft.reads.push((made.index, asset));
        made
    });
    match handle {
        Some(handle) => handle,
        None => panic!("`latest` of the asset `{}` was called outside of a pipeline: it wires a node", asset.name),
    }
}

/// Records a gate on an existing node. Outside of a recording the handle is dangling, as the node's was.
fn gate(what: What, at: Place) -> Handle {
    with(|draft| draft.push(what, 0..0, at)).unwrap_or(Handle { index: u32::MAX, draft: 0, part: WHOLE })
}

#[track_caller]
pub(crate) fn arm(branch: Handle, index: usize) -> Handle {
    let index = u32::try_from(index).unwrap_or(u32::MAX);
    gate(What::Arm { branch: branch.index, index }, Location::caller())
}

pub(crate) fn branch_of(arm: Handle) -> Handle {
    let branch = with(|draft| match draft.nodes.get(arm.index as usize) {
        Some(DraftNode { what: What::Arm { branch, .. }, .. }) => Some(Handle { index: *branch, draft: arm.draft, part: WHOLE }),
        _ => None,
    });
    branch.flatten().unwrap_or(arm)
}

#[track_caller]
pub(crate) fn failure(of: Handle) -> Handle {
    let at = Location::caller();
    let of = of.whole();
    let known = with(|draft| draft.failures.get(&of.index).copied().filter(|_| of.is_of(draft))).flatten();
    known.unwrap_or_else(|| {
        let made = gate(What::Failure { of }, at);
        with(|draft| {
            if of.is_of(draft) {
                // The gate is in its node's scope, wherever it was first requested: a mapping may use a failure from outside.
                draft.nodes[made.index as usize].scope = draft.nodes[of.index as usize].scope;
                draft.failures.insert(of.index, made);
            }
        });
        made
    })
}

/// A part of a node's output, or of a part of it.
pub(crate) fn part(of: Handle, projection: Projection) -> Handle {
    let part = with(|draft| {
        draft.parts.push(Part { of: of.part(), projection });
        u32::try_from(draft.parts.len() - 1).unwrap_or(WHOLE)
    });
    Handle { part: part.unwrap_or(WHOLE), ..of }
}

#[track_caller]
pub(crate) fn first_of(from: Box<[Handle]>) -> Handle {
    gate(What::FirstOf { from }, Location::caller())
}

/// Records what makes the keys of a list's elements, for the mappings over it.
pub(crate) fn keys(keys: ElementKeys) -> u32 {
    let kept = with(|draft| {
        draft.keys.push(keys);
        u32::try_from(draft.keys.len() - 1).unwrap_or(u32::MAX)
    });
    kept.unwrap_or(u32::MAX)
}

/// Records a mapping; returns the handles of the lists of its results, in their order.
#[track_caller]
pub(crate) fn each(list: Handle, keys: Option<u32>, mapping: Mapping, body: impl FnOnce(Handle) -> Vec<Repeated>) -> Vec<Handle> {
    let at = Location::caller();
    let entered = with(|draft| {
        let outer = draft.current_scope;
        let scope = u32::try_from(draft.scopes.len()).unwrap_or(u32::MAX);
        draft.scopes.push(outer);
        draft.current_scope = scope;
        (outer, scope)
    });
    let (outer, scope) = entered.unwrap_or_default();
    let element = gate(What::Element { list }, at);
    let mut results = body(element).into_iter();
    let keys = with(|draft| {
        draft.current_scope = outer;
        if draft.nodes.len() == element.index as usize + 1 {
            draft.misuses.push(Misuse::NothingWired { at });
        }
        // A list of another pipeline has its keys there; the check refuses it.
        draft.keys.get(keys? as usize).cloned()
    });
    let keys = keys.flatten();
    let Some(result) = results.next() else { unreachable!("the closure of `.each` gives back at least one node") };
    let each = gate(What::Each(Box::new(Each { list, scope, result, max_active: None, in_order: None, keys, mapping })), at);
    let gathers = results.map(|result| gate(What::Gather(Box::new(Gather { each, result })), at));
    std::iter::once(each).chain(gathers).collect()
}

/// Sets a property of a mapping, through any of the lists that it yields.
fn of_mapping(handle: Handle, method: &'static str, at: Place, say: impl FnOnce(&mut Each)) {
    with(|draft| {
        let mapping = draft.mapping_of(handle);
        match draft.node(mapping, method, at).map(|node| &mut node.what) {
            Some(What::Each(each)) => say(each),
            Some(_) => draft.misuses.push(Misuse::NotAMapping { node: handle.index, method, at }),
            None => {}
        }
    });
}

/// Records the nodes that `body` wires as a group.
#[track_caller]
pub(crate) fn group<T>(name: String, body: impl FnOnce() -> T) -> (T, GroupHandle) {
    let at = Location::caller();
    let entered = with(|draft| {
        let index = u32::try_from(draft.groups.len()).unwrap_or(u32::MAX);
        let first = u32::try_from(draft.nodes.len()).unwrap_or(u32::MAX);
        let parent = draft.current_group.replace(index);
        let (name, scope) = (name.into(), draft.current_scope);
        draft.groups.push(DraftGroup {
            name,
            at,
            parent,
            scope,
            nodes: first..first,
            overrides: None,
            allow_failure: false,
            locks: Vec::new(),
        });
        GroupHandle { index, draft: draft.id }
    });
    let result = body();
    with(|draft| {
        let last = u32::try_from(draft.nodes.len()).unwrap_or(u32::MAX);
        if let Some(group) = entered.and_then(|group| draft.groups.get_mut(group.index as usize)) {
            group.nodes.end = last;
            draft.current_group = group.parent;
        }
    });
    // Outside of a recording the handle is dangling, and any task within has already panicked.
    (result, entered.unwrap_or(GroupHandle { index: u32::MAX, draft: 0 }))
}

#[track_caller]
pub(crate) fn hold(group: GroupHandle, lock: &'static Lock) {
    let at = Location::caller();
    with(|draft| {
        if let Some(group) = draft.group(group, at) {
            group.locks.push((lock, at));
        }
    });
}

/// Records the nodes that `body` wires, and then the teardown of what `setup` has set up.
#[track_caller]
pub(crate) fn teardown<R>(setup: Handle, body: impl FnOnce() -> R, teardown: impl FnOnce() -> Handle) -> R {
    let at = Location::caller();
    let count = || with(|draft| u32::try_from(draft.nodes.len()).unwrap_or(u32::MAX)).unwrap_or_default();
    let first = count();
    let result = body();
    let middle = count();
    let node = teardown();
    let last = count();
    with(|draft| {
        // A task that is passed by its name alone is called from within the standard library.
        for node in draft.nodes.iter_mut().take(last as usize).skip(middle as usize) {
            if node.at.file().ends_with("core/src/ops/function.rs") {
                node.at = at;
            }
        }
        draft.teardowns.push(DraftTeardown { setup, node, inside: first..middle, made: middle..last, at });
    });
    result
}

#[track_caller]
pub(crate) fn fails_run(node: Handle) {
    let at = Location::caller();
    with(|draft| {
        if draft.node(node, "fails_run", at).is_some() {
            draft.fails_run.push((node, at));
        }
    });
}

#[track_caller]
pub(crate) fn max_active(handle: Handle, elements: usize) {
    let at = Location::caller();
    of_mapping(handle, "max_active", at, |each| each.max_active = Some((elements, at)));
}

#[track_caller]
pub(crate) fn in_order(handle: Handle) {
    let at = Location::caller();
    of_mapping(handle, "in_order", at, |each| each.in_order = Some(at));
}

#[track_caller]
pub(crate) fn rename(of: impl Into<Party>, name: String) {
    let (of, at) = (of.into(), Location::caller());
    with(|draft| match of {
        Party::Node(node) => draft.node(node, "named", at).map(|node| node.name = Some(name.into())),
        Party::Group(group) => draft.group(group, at).map(|group| group.name = name.into()),
    });
}

pub(crate) fn order(node: Party, order: Order, at: Place) {
    with(|draft| {
        let (is_there, node) = match node {
            // An order on one list of a mapping applies to the whole mapping.
            Party::Node(node) => {
                let node = draft.mapping_of(node);
                (draft.node(node, "after", at).is_some(), Party::Node(node))
            }
            Party::Group(group) => (draft.group(group, at).is_some(), node),
        };
        if is_there {
            draft.orders.push(DraftOrder { node, upstream: order.upstream().whole(), rule: order.rule(), at });
        }
    });
}

#[track_caller]
pub(crate) fn updates(handle: Handle, asset: &'static AssetSpec) {
    let at = Location::caller();
    with(|draft| {
        if draft.node(handle, "updates", at).is_some() {
            draft.updates.push((handle.index, asset, at));
        }
    });
}

/// Records that a node takes a setting.
pub(crate) fn reads_setting(setting: &'static dyn AnySetting) {
    with(|draft| {
        // Most nodes take the same few settings.
        if !draft.settings.iter().any(|known| std::ptr::addr_eq(*known, setting)) {
            draft.settings.push(setting);
        }
    });
}

#[track_caller]
pub(crate) fn allow_failure(of: impl Into<Party>) {
    let (of, at) = (of.into(), Location::caller());
    with(|draft| match of {
        Party::Node(handle) => {
            // On one of several lists of a mapping, it covers the elements, too.
            let mapping = draft.mapping_of(handle);
            for of in std::iter::once(handle).chain((mapping != handle).then_some(mapping)) {
                if let Some(node) = draft.node(of, "allow_failure", at) {
                    node.allow_failure = true;
                }
            }
        }
        Party::Group(group) => drop(draft.group(group, at).map(|group| group.allow_failure = true)),
    });
}

#[track_caller]
pub(crate) fn set(of: impl Into<Party>, name: &'static str, set: impl FnOnce(&mut TaskOptions)) {
    let (of, at) = (of.into(), Location::caller());
    with(|draft| {
        let overrides = match of {
            Party::Node(node) => draft.node(node, name, at).map(|node| &mut node.overrides),
            Party::Group(group) => draft.group(group, at).map(|group| &mut group.overrides),
        };
        if let Some(overrides) = overrides {
            let overrides = overrides.get_or_insert_default();
            overrides.given.push((name, at));
            set(&mut overrides.options);
            let tells_past = overrides.options.depends_on_past.is_some();
            draft.tells_past |= tells_past;
        }
    });
}

/// Records that a node refers to another pipeline.
pub(crate) fn cross(handle: Handle, across: Across) {
    // Only ready-made tasks call this, right after creating the handle.
    with(|draft| draft.across.push((handle.index, across)));
}

/// Calls `look` with the node's reference to another pipeline. If there is none or `look` returns `None`, the call of `method` is
/// a misuse.
#[track_caller]
pub(crate) fn crossing<R>(handle: Handle, method: &'static str, look: impl FnOnce(&mut Across) -> Option<R>) -> Option<R> {
    let at = Location::caller();
    let looked = with(|draft| {
        draft.node(handle, method, at)?;
        let across = draft.across.iter_mut().rev().find(|(node, _)| *node == handle.index);
        let looked = across.and_then(|(_, across)| look(across));
        if looked.is_none() {
            draft.misuses.push(Misuse::WaitsForNoRun { node: handle.index, method, at });
        }
        looked
    });
    looked.flatten()
}

/// The handles that an input reads.
pub(crate) fn handles<P>(source: &Source<P>) -> &[Handle] {
    match source {
        Source::Plain(_)
        | Source::Text(_)
        | Source::Secrets(_)
        | Source::Template(_)
        | Source::Templates(_)
        | Source::Setting(_) => &[],
        Source::Node(handle, _) | Source::Elements(handle, _) => std::slice::from_ref(handle),
        Source::Nodes(handles, _) => handles,
    }
}
