//! The skeleton: what of a plan a run in the journal depends on.
//!
//! It is kept with the run. A run that is resumed with a plan of another skeleton is matched by ids, and refused where that
//! cannot be: its records would mean something else.

use super::graph::{NodeIx, Plan, What};
use crate::author::draft;
use crate::author::input::Source;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;

#[derive(Debug, Serialize, Deserialize)]
struct Skeleton {
    nodes: Vec<Bone>,
}

#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Bone {
    id: String,
    /// The output's type; none of a gate.
    #[serde(rename = "type")]
    type_name: Option<String>,
    /// The ids of the nodes it takes, each with its rule.
    inputs: Vec<(String, String)>,
    /// The mapping it lies in.
    within: Option<String>,
    /// Its name is one that wiring order gave it.
    numbered: bool,
}

/// How slots of an older plan's run are called in the present plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Remap {
    root: Vec<u32>,
    /// What is added to the slots of elements.
    shift: u32,
}

/// A plan that a run cannot be resumed with.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the plan of pipeline `{pipeline}` has changed since this run began:\n{}\n  = help: finish the run with the code that began it, or begin a new one with `--new`", changes.join("\n"))]
pub struct PlanChanged {
    pipeline: &'static str,
    changes: Vec<String>,
}

impl Plan {
    /// What of the plan a run depends on, as text: equal texts are equal plans.
    pub(crate) fn skeleton(&self) -> String {
        let nodes = (0..).zip(&self.nodes).map(|(ix, _)| self.bone(ix)).collect();
        // Texts and lists, which JSON can hold.
        serde_json::to_string(&Skeleton { nodes }).unwrap_or_default()
    }

    fn bone(&self, ix: NodeIx) -> Bone {
        let node = self.node(ix);
        let id = self.id(ix);
        let (type_name, mut inputs) = match &node.what {
            What::Body(task) => (Some((task.codec.type_name)().to_owned()), Vec::new()),
            _ => (None, self.upstreams(ix).map(|from| (self.id(from), "gate".to_owned())).collect()),
        };
        if node.is_body() {
            for arg in self.args(ix) {
                let rule = match &arg.source {
                    Source::Plain(_) | Source::Text(_) | Source::Template(_) | Source::Templates(_) => continue,
                    Source::Node(_, rule) | Source::Nodes(_, rule) => rule.name().to_owned(),
                    Source::Elements(_, rule) => format!("elements {}", rule.name()),
                };
                inputs.extend(draft::handles(&arg.source).iter().map(|from| (self.id(from.index()), rule.clone())));
            }
        }
        let within = self.scope(node.scope).each.map(|each| self.id(each));
        let numbered = id.rsplit_once("__").is_some_and(|(_, n)| !n.is_empty() && n.bytes().all(|c| c.is_ascii_digit()));
        Bone { id, type_name, inputs, within, numbered }
    }

    /// Matches a run of an older plan with this one. Nodes may have been added at the end of things or in between; those that
    /// the run knows must still be there, with the same types and edges.
    pub(crate) fn match_skeleton(&self, old: &str) -> Result<Option<Remap>, PlanChanged> {
        let refused = |changes| PlanChanged { pipeline: self.pipeline, changes };
        if old == self.skeleton() {
            return Ok(None);
        }
        let Ok(old) = serde_json::from_str::<Skeleton>(old) else {
            return Err(refused(vec!["  - its record cannot be read".to_owned()]));
        };
        let mut changes: Vec<String> = old.nodes.iter().filter_map(|bone| self.change(bone)).collect();
        // A mapping's elements stand in blocks, so that what is repeated must be the same.
        let inside = |bones: &[Bone]| -> Vec<String> {
            bones.iter().filter(|bone| bone.within.is_some()).map(|bone| bone.id.clone()).collect()
        };
        let now: Vec<Bone> = (0..).zip(&self.nodes).map(|(ix, _)| self.bone(ix)).collect();
        if changes.is_empty() && inside(&old.nodes) != inside(&now) {
            changes.push("  - what its mappings repeat is not the same".to_owned());
        }
        if !changes.is_empty() {
            return Err(refused(changes));
        }
        let slots: HashMap<&str, u32> =
            now.iter().filter(|bone| bone.within.is_none()).map(|bone| bone.id.as_str()).zip(0..).collect();
        let root: Vec<u32> = old
            .nodes
            .iter()
            .filter(|bone| bone.within.is_none())
            .filter_map(|bone| slots.get(bone.id.as_str()).copied())
            .collect();
        let shift = u32::try_from(slots.len().saturating_sub(root.len())).unwrap_or(0);
        Ok(Some(Remap { root, shift }))
    }

    fn change(&self, old: &Bone) -> Option<String> {
        if old.numbered {
            // Which of its task's nodes it was, only the old code could say.
            return Some(format!("  - `{}` is called so by wiring order alone: name it, as in `.named(\"east\")`", old.id));
        }
        let Some(ix) = self.find(&old.id) else {
            return Some(format!("  - `{}` is not in it any more", old.id));
        };
        let now = self.bone(ix);
        let none = || "a gate".to_owned();
        if now.type_name != old.type_name {
            let (was, is) = (old.type_name.clone().unwrap_or_else(none), now.type_name.unwrap_or_else(none));
            return Some(format!("  - `{}` returned `{was}` and now returns `{is}`\n    at {}", old.id, self.node(ix).at));
        }
        if now.inputs != old.inputs || now.within != old.within {
            let list = |bone: &Bone| {
                let inputs: Vec<String> = bone.inputs.iter().map(|(from, rule)| format!("`{from}` ({rule})")).collect();
                if inputs.is_empty() { "nothing".to_owned() } else { inputs.join(", ") }
            };
            return Some(format!(
                "  - `{}` took {} and now takes {}\n    at {}",
                old.id,
                list(old),
                list(&now),
                self.node(ix).at
            ));
        }
        None
    }
}

/// How many elements a node of that plan lies in; none if it has no such node.
pub(crate) fn depth(skeleton: &str, id: &str) -> Option<usize> {
    let skeleton: Skeleton = serde_json::from_str(skeleton).ok()?;
    let find = |id: &str| skeleton.nodes.iter().find(|bone| bone.id == id);
    let mut bone = find(id)?;
    let mut depth = 0;
    while let Some(each) = bone.within.as_deref().and_then(find) {
        depth += 1;
        bone = each;
    }
    Some(depth)
}

impl Remap {
    /// What the slot is called now.
    pub(crate) fn slot(&self, old: u32) -> u32 {
        self.root.get(old as usize).copied().unwrap_or(old.saturating_add(self.shift))
    }
}
