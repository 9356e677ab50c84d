//! The skeleton: the part of a plan that a run in the journal depends on.
//!
//! It is stored with the run. If a run is resumed with a plan that has another skeleton, nodes are matched by id. If they cannot
//! be matched, the run is refused, because its records would mean something else.
//!
//! A field that most nodes leave empty is not written. In a plan of ten thousand nodes, the skeleton is the larger half of what a
//! first run adds to the journal. Earlier versions wrote all fields.

use super::graph::{NodeIx, Plan, What};
use crate::author::draft;
use crate::author::input::Source;
use serde::{Deserialize, Serialize};
use std::collections::{HashMap, HashSet};

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Skeleton {
    pub(super) nodes: Vec<SkeletonNode>,
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct SkeletonNode {
    pub(super) id: String,
    /// The name of the output's type as its author wrote it; `None` for a gate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) output: Option<String>,
    /// The compiler's name of that type, which earlier versions stored instead. It is not compared, as a compiler may change it.
    #[serde(default, rename = "type", skip_serializing)]
    compilers_name: Option<String>,
    /// The ids of the nodes that it takes, each with the rule.
    #[serde(default, skip_serializing_if = "Vec::is_empty", with = "edges")]
    pub(super) inputs: Vec<(String, String)>,
    /// The mapping that repeats it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) within: Option<String>,
    /// True if it is the implicit sensor that waits for the past of another node.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    past: bool,
}

/// An input of the usual rule is written as its id alone.
mod edges {
    use crate::author::input::Rule;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};
    use std::borrow::Cow;

    #[derive(Serialize, Deserialize)]
    #[serde(untagged)]
    enum Edge<'a> {
        Usual(Cow<'a, str>),
        WithRule(Cow<'a, str>, Cow<'a, str>),
    }

    pub(super) fn serialize<S: Serializer>(edges: &[(String, String)], to: S) -> Result<S::Ok, S::Error> {
        to.collect_seq(edges.iter().map(|(from, rule)| {
            if rule == Rule::AllSuccess.name() { Edge::Usual(from.into()) } else { Edge::WithRule(from.into(), rule.into()) }
        }))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<(String, String)>, D::Error> {
        let edges = Vec::<Edge<'_>>::deserialize(from)?;
        Ok(edges
            .into_iter()
            .map(|edge| match edge {
                Edge::Usual(from) => (from.into_owned(), Rule::AllSuccess.name().to_owned()),
                Edge::WithRule(from, rule) => (from.into_owned(), rule.into_owned()),
            })
            .collect())
    }
}

impl SkeletonNode {
    /// True if it has the same output as a node of the given output; a gate has none. The type names that earlier versions stored
    /// are not compared.
    pub(super) fn returns(&self, output: Option<&str>) -> bool {
        self.is_body() == output.is_some() && (self.compilers_name.is_some() || self.output.as_deref() == output)
    }

    fn is_same_as(&self, now: &Self) -> bool {
        self.id == now.id && self.returns(now.output.as_deref()) && self.inputs == now.inputs && self.within == now.within
    }

    /// True if its name is numbered by wiring order. No name that an author gives ends like that.
    pub(super) fn is_numbered(&self) -> bool {
        self.id.rsplit_once("__").is_some_and(|(_, n)| !n.is_empty() && n.bytes().all(|c| c.is_ascii_digit()))
    }

    pub(super) fn is_body(&self) -> bool {
        self.output.is_some() || self.compilers_name.is_some()
    }
}

/// Maps the slots of a run with an older plan to those of the current plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Remap {
    /// The slots of the nodes in scope 0; [`REMOVED`] for one that the current plan does not have.
    root: Vec<u32>,
    /// The offset that is added to the slots of elements.
    shift: i64,
    /// The ids of the nodes with a body that the current plan does not have.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) removed: Vec<String>,
    /// The nodes whose inputs have changed, by their current slots, sorted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    changed: Vec<u32>,
    /// The nodes that are decided again, by their current slots, sorted: their decision depended on nodes that are removed or
    /// changed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    reopened: Vec<u32>,
}

const REMOVED: u32 = u32::MAX;

/// The changes of a plan with which a run may be resumed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Accepts {
    /// Nodes may have been added.
    #[default]
    Additions,
    /// Nodes may also have been removed, and the inputs of others may have changed.
    Removals,
}

/// The plan has changed so that a run cannot be resumed with it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the plan of pipeline `{pipeline}` has changed since this run began:\n{}\n  = help: {help}", changes.join("\n"))]
pub struct PlanChanged {
    pipeline: &'static str,
    changes: Vec<String>,
    help: &'static str,
}

const HELP: &str = "finish the run with the code that began it, or cancel it and begin a new one";
const HELP_REMOVED: &str = "finish the run with the code that began it, resume it with the current plan by `resume --accept-removed`, or \
                            cancel it and begin a new one";

impl PlanChanged {
    /// True if the help suggests resuming the run without the removed nodes.
    pub(crate) fn may_be_accepted(&self) -> bool {
        self.help == HELP_REMOVED
    }

    /// The same error for a run that has progressed too far for that.
    pub(crate) fn not_to_be_accepted(self) -> Self {
        Self { help: HELP, ..self }
    }

    /// The same error for a run that has ended, which `resume` does not apply to.
    pub(crate) fn of_ended(self) -> Self {
        Self { help: "retry the run with the code that began it, or begin a new one", ..self }
    }
}

impl Plan {
    /// The part of the plan that a run depends on, as text: equal texts are equal plans.
    pub(crate) fn skeleton(&self) -> String {
        let nodes = (0..).zip(&self.nodes).map(|(ix, _)| self.skeleton_node(ix)).collect();
        // It consists of texts and lists, which JSON can always hold.
        serde_json::to_string(&Skeleton { nodes }).unwrap_or_default()
    }

    /// The name of the output's type of a node as its author wrote it; `None` for a gate.
    pub(super) fn output(&self, ix: NodeIx) -> Option<&'static str> {
        match &self.node(ix).what {
            What::Body(task) => Some(task.definition.output),
            _ => None,
        }
    }

    fn skeleton_node(&self, ix: NodeIx) -> SkeletonNode {
        let node = self.node(ix);
        let id = self.id(ix);
        let (output, mut inputs) = match &node.what {
            What::Body(_) => (self.output(ix).map(str::to_owned), Vec::new()),
            _ => (None, self.upstreams(ix).map(|from| (self.id(from), "gate".to_owned())).collect()),
        };
        if node.is_body() {
            for arg in self.args(ix) {
                let rule = match &arg.source {
                    Source::Plain(_)
                    | Source::Text(_)
                    | Source::Secrets(_)
                    | Source::Template(_)
                    | Source::Templates(_)
                    | Source::Setting(_) => continue,
                    Source::Node(_, rule) | Source::Nodes(_, rule) => rule.name().to_owned(),
                    Source::Elements(_, rule) => format!("elements {}", rule.name()),
                };
                inputs.extend(draft::handles(&arg.source).iter().map(|from| (self.id(from.index()), rule.clone())));
            }
        }
        let within = self.scope(node.scope).each.map(|each| self.id(each));
        SkeletonNode { id, output, compilers_name: None, inputs, within, past: self.is_past(ix) }
    }

    /// Matches a run of an older plan with this one. Nodes may have been added anywhere. The nodes that the run knows must still
    /// exist, with the same types and edges. If removals are accepted, nodes may be missing and edges may differ; a node that
    /// still exists must have the same type and be in the same mapping.
    pub(crate) fn match_skeleton(&self, old: &str, accepts: Accepts) -> Result<Option<Remap>, PlanChanged> {
        let refused = |changes, help| PlanChanged { pipeline: self.pipeline, changes, help };
        if old == self.skeleton() {
            return Ok(None);
        }
        let Ok(old) = serde_json::from_str::<Skeleton>(old) else {
            return Err(refused(vec!["  - its record cannot be read".to_owned()], HELP));
        };
        let now: Vec<SkeletonNode> = (0..).zip(&self.nodes).map(|(ix, _)| self.skeleton_node(ix)).collect();
        // A record of an earlier version may differ in its text although the plan is the same.
        if old.nodes.len() == now.len() && old.nodes.iter().zip(&now).all(|(old, now)| old.is_same_as(now)) {
            return Ok(None);
        }
        let changes: Vec<Change> = old.nodes.iter().filter_map(|entry| self.change(entry)).collect();
        let (acceptable, others): (Vec<_>, Vec<_>) = changes.into_iter().partition(|change| change.is_acceptable);
        let texts = |changes: &[Change]| changes.iter().map(|change| change.text.clone()).collect::<Vec<_>>();
        if !others.is_empty() {
            return Err(refused([texts(&others), texts(&acceptable)].concat(), HELP));
        }
        let removed: HashSet<&str> =
            old.nodes.iter().map(|entry| entry.id.as_str()).filter(|id| self.find(id).is_none()).collect();
        // The elements of a mapping are stored in blocks, so the repeated nodes must be the same, unless the whole mapping is
        // removed.
        let inside = |skeleton_nodes: &[SkeletonNode]| -> Vec<String> {
            let kept = |entry: &&SkeletonNode| entry.within.as_deref().is_some_and(|within| !removed.contains(within));
            skeleton_nodes.iter().filter(kept).map(|entry| entry.id.clone()).collect()
        };
        if inside(&old.nodes) != inside(&now) {
            return Err(refused(
                [texts(&acceptable), vec!["  - what its mappings repeat is not the same".to_owned()]].concat(),
                HELP,
            ));
        }
        if accepts == Accepts::Additions && !acceptable.is_empty() {
            return Err(refused(texts(&acceptable), HELP_REMOVED));
        }
        let slots: HashMap<&str, u32> =
            now.iter().filter(|entry| entry.within.is_none()).map(|entry| entry.id.as_str()).zip(0..).collect();
        let of_plan = old.nodes.iter().filter(|entry| entry.within.is_none());
        let root: Vec<u32> = of_plan.map(|entry| slots.get(entry.id.as_str()).copied().unwrap_or(REMOVED)).collect();
        let count = |len: usize| i64::try_from(len).unwrap_or(i64::MAX);
        let shift = count(slots.len()) - count(root.len());
        let removed = old
            .nodes
            .iter()
            .filter(|entry| entry.is_body() && !entry.past && removed.contains(entry.id.as_str()))
            .map(|entry| entry.id.clone())
            .collect();
        let mut taking_else: Vec<u32> = acceptable.iter().filter_map(|change| slots.get(change.id.as_str()).copied()).collect();
        taking_else.sort_unstable();
        Ok(Some(Remap { root, shift, removed, changed: taking_else, reopened: Vec::new() }))
    }

    fn change(&self, old: &SkeletonNode) -> Option<Change> {
        let change = |text, is_acceptable| Some(Change { id: old.id.clone(), text, is_acceptable });
        let refused = |text| change(text, false);
        if old.is_numbered() {
            // Only the old code could tell which of its task's nodes this was.
            return refused(format!("  - `{}` is called so by wiring order alone: name it, as in `.named(\"east\")`", old.id));
        }
        let Some(ix) = self.find(&old.id) else {
            // The node that it delayed may start.
            return if old.past { None } else { change(format!("  - `{}` is not in it any more", old.id), true) };
        };
        let now = self.skeleton_node(ix);
        let none = || "a gate".to_owned();
        if !old.returns(now.output.as_deref()) {
            let was = old.output.clone().or_else(|| old.compilers_name.clone()).unwrap_or_else(none);
            let is = now.output.unwrap_or_else(none);
            return refused(format!("  - `{}` returned `{was}` and now returns `{is}`\n    at {}", old.id, self.node(ix).at));
        }
        if now.within != old.within {
            let place = |entry: &SkeletonNode| {
                entry.within.as_ref().map_or("in no mapping".to_owned(), |within| format!("in `{within}`"))
            };
            let text = format!("  - `{}` was {} and now is {}\n    at {}", old.id, place(old), place(&now), self.node(ix).at);
            return refused(text);
        }
        if now.inputs != old.inputs {
            let list = |entry: &SkeletonNode| {
                let inputs: Vec<String> = entry.inputs.iter().map(|(from, rule)| format!("`{from}` ({rule})")).collect();
                if inputs.is_empty() { "nothing".to_owned() } else { inputs.join(", ") }
            };
            let text = format!("  - `{}` took {} and now takes {}\n    at {}", old.id, list(old), list(&now), self.node(ix).at);
            // It cannot be determined for which elements that was already decided.
            return change(text, old.within.is_none());
        }
        None
    }
}

/// A change of a node.
struct Change {
    id: String,
    text: String,
    /// True if a run may be resumed with it when a user accepts it.
    is_acceptable: bool,
}

/// The number of mappings around a node of that plan; `None` if there is no such node.
pub(crate) fn depth(skeleton: &str, id: &str) -> Option<usize> {
    let skeleton: Skeleton = serde_json::from_str(skeleton).ok()?;
    let find = |id: &str| skeleton.nodes.iter().find(|entry| entry.id == id);
    let mut entry = find(id)?;
    let mut depth = 0;
    while let Some(each) = entry.within.as_deref().and_then(find) {
        depth += 1;
        entry = each;
    }
    Some(depth)
}

impl Remap {
    /// The slot's current number; `None` if the plan no longer has its node.
    pub(crate) fn slot(&self, old: u32) -> Option<u32> {
        match self.root.get(old as usize) {
            Some(slot) => Some(*slot).filter(|slot| *slot != REMOVED),
            None => u32::try_from(i64::from(old) + self.shift).ok(),
        }
    }

    /// True if the node's inputs have changed.
    pub(crate) fn is_changed(&self, now: u32) -> bool {
        self.changed.binary_search(&now).is_ok()
    }

    /// Sets the nodes that are decided again.
    pub(crate) fn reopen(&mut self, mut nodes: Vec<u32>) {
        nodes.sort_unstable();
        self.reopened = nodes;
    }

    /// True if the node is decided again.
    pub(crate) fn is_reopened(&self, now: u32) -> bool {
        self.reopened.binary_search(&now).is_ok()
    }

    /// True if it involves more than added nodes.
    pub(crate) fn is_of_removals(&self) -> bool {
        self.root.contains(&REMOVED) || !self.changed.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prelude::*;

    #[task]
    async fn rows() -> Result<Vec<u64>> {
        Ok(vec![1])
    }

    #[task]
    async fn load(n: u64) -> Result<u64> {
        Ok(n)
    }

    #[pipeline]
    fn nightly() {
        let rows = rows();
        rows.each(load);
        rows.each(load);
    }

    /// As earlier versions wrote it: with all fields, with the compiler's name of each type, and null for gates.
    fn of_earlier_version(skeleton: &str) -> String {
        let mut skeleton: serde_json::Value = serde_json::from_str(skeleton).unwrap();
        for node in skeleton["nodes"].as_array_mut().unwrap() {
            let node = node.as_object_mut().unwrap();
            let output = node.remove("output");
            node.insert("type".into(), output.map_or(serde_json::Value::Null, |_| "alloc::name::Of<It>".into()));
            let is_numbered = node["id"].as_str().unwrap().contains("__");
            node.insert("numbered".into(), is_numbered.into());
            let inputs = node.entry("inputs").or_insert_with(|| serde_json::json!([])).as_array_mut().unwrap();
            for input in inputs.iter_mut().filter(|input| input.is_string()) {
                *input = serde_json::json!([input, "all_success"]);
            }
            node.entry("within").or_insert(serde_json::Value::Null);
        }
        skeleton.to_string()
    }

    #[test]
    fn it_is_as_short_as_it_can_be_and_still_be_read_by_a_person() {
        let expected = concat!(
            r#"{"nodes":[{"id":"rows","output":"Vec<u64>"},"#,
            r#"{"id":"each(load).element","inputs":[["each(load)","gate"]],"within":"each(load)"},"#,
            r#"{"id":"load","output":"u64","inputs":["each(load).element"],"within":"each(load)"},"#,
            r#"{"id":"each(load)","inputs":[["rows","gate"]]},"#,
        );
        let skeleton = nightly().plan(&serde_json::Value::Null).unwrap().skeleton();
        assert!(skeleton.starts_with(expected), "{skeleton}");
    }

    #[test]
    fn a_plan_that_an_earlier_version_kept_is_the_same_also_where_its_nodes_are_numbered() {
        let plan = nightly().plan(&serde_json::Value::Null).unwrap();
        let earlier = of_earlier_version(&plan.skeleton());
        assert!(earlier.contains("load__2") && earlier.contains("\"type\":null"), "{earlier}");
        assert_eq!(plan.match_skeleton(&earlier, Accepts::Additions).unwrap(), None);
        let renamed = earlier.replace("\"rows\"", "\"lines\"");
        assert!(plan.match_skeleton(&renamed, Accepts::Additions).is_err());
    }
}
