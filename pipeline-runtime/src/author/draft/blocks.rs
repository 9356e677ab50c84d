//! The recording of closures that wire nodes: mappings, groups and teardowns.

use super::nodes::gate;
use super::{DraftGroup, DraftTeardown, Each, Gather, GroupHandle, Handle, Mapping, Misuse, Repeated, What, with};
use crate::author::keys::ElementKeys;
use crate::author::lock::Lock;
use std::panic::Location;

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
