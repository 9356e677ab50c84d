//! What the methods of nodes and groups record: options, names, orders, and references to other pipelines.

use super::{DraftOrder, Each, Handle, Misuse, NodeOrGroup, SourceLocation, What, with};
use crate::author::across::CrossReference;
use crate::author::asset::AssetSpec;
use crate::author::options::TaskOptions;
use crate::author::order::Order;
use crate::author::setting::AnySetting;
use std::panic::Location;

/// Sets a property of a mapping, through any of the lists that it yields.
fn of_mapping(handle: Handle, method: &'static str, at: SourceLocation, say: impl FnOnce(&mut Each)) {
    with(|draft| {
        let mapping = draft.mapping_of(handle);
        match draft.node(mapping, method, at).map(|node| &mut node.what) {
            Some(What::Each(each)) => say(each),
            Some(_) => draft.misuses.push(Misuse::NotAMapping { node: handle.index, method, at }),
            None => {}
        }
    });
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
pub(crate) fn rename(of: impl Into<NodeOrGroup>, name: String) {
    let (of, at) = (of.into(), Location::caller());
    with(|draft| match of {
        NodeOrGroup::Node(node) => draft.node(node, "named", at).map(|node| node.name = Some(name.into())),
        NodeOrGroup::Group(group) => draft.group(group, at).map(|group| group.name = name.into()),
    });
}

pub(crate) fn order(node: NodeOrGroup, order: Order, at: SourceLocation) {
    with(|draft| {
        let (is_there, node) = match node {
            // An order on one list of a mapping applies to the whole mapping.
            NodeOrGroup::Node(node) => {
                let node = draft.mapping_of(node);
                (draft.node(node, "after", at).is_some(), NodeOrGroup::Node(node))
            }
            NodeOrGroup::Group(group) => (draft.group(group, at).is_some(), node),
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
pub(crate) fn allow_failure(of: impl Into<NodeOrGroup>) {
    let (of, at) = (of.into(), Location::caller());
    with(|draft| match of {
        NodeOrGroup::Node(handle) => {
            // On one of several lists of a mapping, it covers the elements, too.
            let mapping = draft.mapping_of(handle);
            for of in std::iter::once(handle).chain((mapping != handle).then_some(mapping)) {
                if let Some(node) = draft.node(of, "allow_failure", at) {
                    node.allow_failure = true;
                }
            }
        }
        NodeOrGroup::Group(group) => drop(draft.group(group, at).map(|group| group.allow_failure = true)),
    });
}

#[track_caller]
pub(crate) fn set(of: impl Into<NodeOrGroup>, name: &'static str, set: impl FnOnce(&mut TaskOptions)) {
    let (of, at) = (of.into(), Location::caller());
    with(|draft| {
        let overrides = match of {
            NodeOrGroup::Node(node) => draft.node(node, name, at).map(|node| &mut node.overrides),
            NodeOrGroup::Group(group) => draft.group(group, at).map(|group| &mut group.overrides),
        };
        if let Some(overrides) = overrides {
            let overrides = overrides.get_or_insert_default();
            overrides.locations.push((name, at));
            set(&mut overrides.options);
            let sets_depends_on_past = overrides.options.depends_on_past.is_some();
            draft.sets_depends_on_past |= sets_depends_on_past;
        }
    });
}

/// Records that a node refers to another pipeline.
pub(crate) fn refer_to_pipeline(handle: Handle, across: CrossReference) {
    // Only ready-made tasks call this, right after creating the handle.
    with(|draft| draft.across.push((handle.index, across)));
}

/// Calls `look` with the node's reference to another pipeline. If there is none or `look` returns `None`, the call of `method` is
/// a misuse.
#[track_caller]
pub(crate) fn with_cross_reference<R>(
    handle: Handle,
    method: &'static str,
    look: impl FnOnce(&mut CrossReference) -> Option<R>,
) -> Option<R> {
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
