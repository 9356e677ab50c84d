//! The sensors that wait for a node's past: what they are called, and what they wait for.

use super::graph::{NodeIx, Plan};
use super::id::Name;
use crate::author::across::{Across, Role};
use crate::author::pipeline::Pipeline;
use std::collections::{BTreeMap, HashSet};

/// The sensors without ticks, which the host wakes.
pub(super) fn woken(across: &BTreeMap<NodeIx, Across>, pasts: &BTreeMap<NodeIx, NodeIx>) -> HashSet<NodeIx> {
    let waiting = across.iter().filter(|(_, across)| matches!(across.role, Role::Awaits(_)));
    waiting.map(|(node, _)| *node).chain(pasts.keys().copied()).collect()
}

/// A sensor is called after its node, `load.past`.
pub(super) fn name(plan: &mut Plan, pasts: &BTreeMap<NodeIx, NodeIx>, pipeline: &Pipeline) {
    for (&sensor, &node) in pasts {
        let id = plan.id(node);
        plan.nodes[sensor as usize].name = Name::Given(format!("{id}.past").into());
        let across = Across { pipeline: pipeline.clone(), role: Role::Past(id.into()) };
        plan.across.insert(sensor, across);
    }
}

impl Plan {
    /// The nodes that depend on their past.
    pub(crate) fn depending_on_past(&self) -> impl Iterator<Item = &str> {
        self.across.values().filter_map(|across| if let Role::Past(node) = &across.role { Some(&**node) } else { None })
    }
}
