//! What a pipeline has to do with assets: which of them its nodes update and read, and which it waits for.

use super::build::Sketch;
use super::check::{quoted, sort, wrong_id};
use super::graph::{NodeIx, Plan, What};
use super::problem::Problem;
use crate::author::asset::{AssetSpec, When};
use crate::author::draft::Place;
use crate::author::pipeline::Pipeline;
use std::collections::HashSet;

/// The assets of a plan. That of most pipelines is empty.
#[derive(Debug, Default)]
pub(crate) struct Assets {
    /// Which node updates which asset, and where that is said; in the order of the nodes, all of them nodes of the pipeline itself.
    pub(crate) updates: Vec<(NodeIx, &'static AssetSpec, Place)>,
    /// Which node reads which asset.
    pub(crate) reads: Vec<(NodeIx, &'static AssetSpec)>,
    /// What it begins runs for, and where that is said.
    pub(crate) when: Option<(When, Place)>,
}

/// What one pipeline has to do with one asset.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Use {
    Updates,
    Reads,
    WaitsFor,
}

impl Assets {
    /// The assets that a node updates.
    pub(crate) fn updated_by(&self, node: NodeIx) -> impl Iterator<Item = &'static AssetSpec> {
        let from = self.updates.partition_point(|(of, ..)| *of < node);
        self.updates[from..].iter().take_while(move |(of, ..)| *of == node).map(|(_, asset, _)| *asset)
    }

    /// The assets that it waits for.
    pub(crate) fn awaited(&self) -> &[&'static AssetSpec] {
        self.when.as_ref().map_or(&[], |(when, _)| &when.assets)
    }

    pub(crate) fn is_read(&self, asset: &str) -> bool {
        self.reads.iter().any(|(_, read)| read.name == asset)
    }
}

impl Plan {
    /// All uses of assets, each with the place that it is said at.
    pub(crate) fn uses(&self) -> impl Iterator<Item = (&'static AssetSpec, Use, Place)> {
        let updates = self.assets.updates.iter().map(|(_, asset, at)| (*asset, Use::Updates, *at));
        let reads = self.assets.reads.iter().map(|(node, asset)| (*asset, Use::Reads, self.node(*node).at));
        let when = self.assets.when.iter();
        let awaited = when.flat_map(|(when, at)| when.assets.iter().map(|asset| (*asset, Use::WaitsFor, *at)));
        updates.chain(awaited).chain(reads)
    }
}

pub(super) fn check(sketch: &Sketch, pipeline: &Pipeline, problems: &mut Vec<Problem>) {
    let plan = &sketch.plan;
    names(plan, pipeline, problems);
    let mut seen = HashSet::new();
    for (node, asset, at) in &plan.assets.updates {
        let (id, wired) = (quoted(plan, *node), plan.node(*node).at);
        let name = asset.name;
        let wrong = match &plan.node(*node).what {
            What::Each(_) => Some((
                format!("{id} cannot update the asset `{name}`: it is a mapping, which has no end of its own in the journal"),
                "update it from a task that takes the list that `.each` returns".to_owned(),
            )),
            What::Body(_) if plan.node(*node).scope != 0 => Some((
                format!(
                    "{id} cannot update the asset `{name}`: it is repeated by `.each`, and the newest update would be that of whichever element ends last"
                ),
                "update it from a task that takes the list that `.each` returns".to_owned(),
            )),
            What::Body(_) | What::Recalled(_) => None,
            _ => Some((
                format!("{id} cannot update the asset `{name}`: it is {}", sort(plan, *node)),
                "update it from a task, a sensor, or a task that takes this".to_owned(),
            )),
        };
        if let Some((message, help)) = wrong {
            problems.push(Problem::new(message, help).at(at, "`.updates` is called here").at(wired, "on the node wired here"));
        } else if !seen.insert((*node, name)) {
            let message = format!("{id} updates the asset `{name}` twice");
            problems.push(Problem::new(message, "say it once").at(at, "here again").at(wired, "on the node wired here"));
        }
    }
}

/// The name of an asset is what a node that reads it is called. Of those that are read, `ids` says so.
fn names(plan: &Plan, pipeline: &Pipeline, problems: &mut Vec<Problem>) {
    let mut seen = HashSet::new();
    for (asset, what, _) in plan.uses() {
        if what == Use::Reads || !seen.insert(asset.name) || plan.assets.is_read(asset.name) {
            continue;
        }
        problems.extend(wrong_id(asset.name).map(|problem| problem.at(asset.at, "this asset")));
    }
    let awaited = plan.assets.awaited();
    for (n, asset) in awaited.iter().enumerate() {
        if awaited[..n].iter().any(|other| other.name == asset.name) {
            let message = format!("the `when` of pipeline `{}` names the asset `{}` twice", plan.pipeline, asset.name);
            problems.push(Problem::new(message, "name it once").at(pipeline.definition().at, "this pipeline"));
        }
    }
    if plan.assets.when.is_some() && pipeline.options().schedule.is_some() {
        let message = format!("pipeline `{}` has a `schedule` and a `when`, which both say when a run begins", plan.pipeline);
        problems.push(Problem::new(message, "keep one").at(pipeline.definition().at, "this pipeline"));
    }
}
