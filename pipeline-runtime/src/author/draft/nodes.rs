//! The recording of nodes: what calling a task does, and what the gates do that stand on other nodes.

use super::{DraftNode, Handle, Part, SourceLocation, WHOLE, What, with};
use crate::author::asset::AssetSpec;
use crate::author::body::Labelled;
use crate::author::definition::{Definition, Task};
use crate::author::field::Projection;
use crate::author::input::Source;
use std::panic::Location;
use std::sync::Arc;

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
pub(super) fn gate(what: What, at: SourceLocation) -> Handle {
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
