//! Mistakes that only several plans together reveal, because pipelines of one process share things that they must agree on.

use super::assets::Use;
use super::graph::Plan;
use super::policy::DEFAULT_POOL;
use super::problem::Problem;
use super::{settings, upstream};
use crate::author::asset::AssetSpec;
use crate::author::draft::SourceLocation;
use crate::author::pipeline::Pipeline;
use std::collections::{HashMap, HashSet};

/// The message about two pipelines with the same id, if there are any.
pub(crate) fn same_id(pipelines: &[Pipeline]) -> Option<String> {
    pipelines.iter().enumerate().find_map(|(n, second)| {
        let first = pipelines[..n].iter().find(|first| first.id() == second.id())?;
        // Two values of one function have the same place, but their methods have different ones.
        let place = |pipeline: &Pipeline| pipeline.definition().option_location("id").unwrap_or(pipeline.definition().at);
        let (id, first, second) = (second.id(), place(first), place(second));
        Some(format!(
            "two pipelines have the id `{id}`\n  --> {first}: the first\n  --> {second}: the second\n  \
             = help: give one of them another, as in `#[pipeline(id = \"{id}_2\")]` or `.with_id(\"{id}_2\")`, or list it once"
        ))
    })
}

/// All mistakes that the plans of a process reveal only together. `plans` are those of all its pipelines.
pub(crate) fn check_all_together(pipelines: &[Pipeline], plans: &[Plan]) -> Vec<Problem> {
    [check_together(pipelines, plans), never_updated(plans)].concat()
}

/// Mistakes that some of the plans of a process reveal only together. `pipelines` are all pipelines of the process.
pub(crate) fn check_together(pipelines: &[Pipeline], plans: &[Plan]) -> Vec<Problem> {
    let mut problems = pools(plans);
    problems.extend(upstream::check_plans(pipelines, plans));
    types_of_assets(plans, &mut problems);
    settings::check_plans(plans, &mut problems);
    cycles_through_assets(plans, &mut problems);
    problems
}

/// Pools with the same name that have different slots in another pipeline. All pipelines of a process share a pool by its name.
fn pools(plans: &[Plan]) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut known: HashMap<&str, (u32, &Plan, Option<SourceLocation>)> = HashMap::new();
    for plan in plans {
        for (ix, pool) in plan.pools.iter().enumerate().filter(|(_, pool)| pool.name != DEFAULT_POOL) {
            let at = plan.first_in_pool(ix);
            let (slots, first, of_first) = *known.entry(pool.name).or_insert((pool.slots, plan, at));
            if slots == pool.slots {
                continue;
            }
            let message = format!(
                "the pool `{}` has {slots} slots in pipeline `{}` and {} in pipeline `{}`, and pipelines share a pool by its name",
                pool.name, first.pipeline, pool.slots, plan.pipeline
            );
            let mut problem = Problem::new(message, "share one `static` pool, or give one of them another name");
            for (at, which) in [(of_first, "the first is used here"), (at, "the second is used here")] {
                problem = at.into_iter().fold(problem, |problem, at| problem.at(at, which));
            }
            problems.push(problem);
        }
    }
    problems
}

/// Assets with the same name and different types: one could not read what the other writes.
fn types_of_assets(plans: &[Plan], problems: &mut Vec<Problem>) {
    let mut known: HashMap<&str, &'static AssetSpec> = HashMap::new();
    let mut told = HashSet::new();
    for (asset, ..) in plans.iter().flat_map(Plan::uses) {
        let first = *known.entry(asset.name).or_insert(asset);
        if first.is_of_type_of(asset) || !told.insert(asset.name) {
            continue;
        }
        let message = format!(
            "two assets have the name `{}`, one of `{}` and one of `{}`, and an asset is identified by its name",
            asset.name,
            first.type_name(),
            asset.type_name()
        );
        let problem = Problem::new(message, "share one `static` asset, or give one of them another name");
        problems.push(problem.at(first.at, "the first").at(asset.at, "the second"));
    }
}

/// Assets that are waited for or read, and that none of these pipelines updates. Call it only with all pipelines of a binary.
pub(super) fn never_updated(plans: &[Plan]) -> Vec<Problem> {
    let uses = || plans.iter().flat_map(|plan| plan.uses().map(move |of| (plan, of)));
    let updated: HashSet<&str> =
        uses().filter(|(_, (_, what, _))| *what == Use::Updates).map(|(_, (asset, ..))| asset.name).collect();
    let mut told = HashSet::new();
    let mut problems = Vec::new();
    for (plan, (asset, what, at)) in uses() {
        if asset.is_external || updated.contains(asset.name) || !told.insert((plan.pipeline, asset.name)) {
            continue;
        }
        let (verb, place) = match what {
            Use::WaitsFor => ("waits for", "this pipeline waits for it"),
            _ => ("reads", "it is read here"),
        };
        let message = format!("pipeline `{}` {verb} the asset `{}`, which no pipeline updates", plan.pipeline, asset.name);
        let help = "call `.updates(..)` on the node that makes it; if it is updated from outside of this binary, declare it by `Asset::external(..)`";
        problems.push(Problem::new(message, help).at(at, place).at(asset.at, "the asset is declared here"));
    }
    problems
}

/// Pipelines that start each other's runs in a cycle, which would never end.
fn cycles_through_assets(plans: &[Plan], problems: &mut Vec<Problem>) {
    let waiting = |asset: &'static str| {
        let awaits = move |plan: &&Plan| plan.assets.awaited().iter().any(|awaited| awaited.name == asset);
        plans.iter().filter(awaits)
    };
    // Pipelines that were already visited.
    let mut done: HashSet<&str> = HashSet::new();
    for plan in plans {
        let mut path: Vec<(&Plan, usize)> = vec![(plan, 0)];
        let mut on_path: Vec<&str> = vec![plan.pipeline];
        if !done.insert(plan.pipeline) {
            continue;
        }
        while let Some((at, next)) = path.last_mut() {
            let at = *at;
            let mut edges =
                at.assets.updates.iter().flat_map(|(_, asset, place)| waiting(asset.name).map(move |to| (*asset, *place, to)));
            let Some((asset, place, to)) = edges.nth(*next) else {
                path.pop();
                on_path.pop();
                continue;
            };
            *next += 1;
            if let Some(from) = on_path.iter().position(|id| *id == to.pipeline) {
                let names: Vec<String> = on_path[from..].iter().map(|id| format!("`{id}`")).collect();
                let message = match names.as_slice() {
                    [one] => format!(
                        "pipeline {one} updates the asset `{}`, which it waits for itself: its runs would never end",
                        asset.name
                    ),
                    _ => format!(
                        "pipelines {} start each other's runs in a circle: the last updates the asset `{}`, which the first waits for",
                        names.join(", "),
                        asset.name
                    ),
                };
                let help = "let one of them read the asset by `latest()` without waiting for it, or have a schedule";
                let problem = Problem::new(message, help).at(place, "it is updated here");
                let awaits = to.assets.when.as_ref().map(|(_, at)| *at);
                let problem = awaits.into_iter().fold(problem, |problem, at| problem.at(at, "and this pipeline waits for it"));
                problems.push(problem);
            } else if done.insert(to.pipeline) {
                path.push((to, 0));
                on_path.push(to.pipeline);
            }
        }
    }
}
