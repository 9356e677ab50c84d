//! The updates of assets that are given to a simulation.

use super::{SimulationError, duration};
use crate::author::asset::AssetSpec;
use crate::author::bounded::Unwritten;
use crate::author::context::RunUpdate;
use crate::plan::{NodeIx, Plan, Use};
#[cfg(feature = "cli")]
use pipeline_syntax::suggest;
use std::sync::Arc;
use std::time::Duration;

/// An update as the caller gave it.
#[derive(Debug)]
pub(super) struct Update {
    pub(super) when: String,
    pub(super) asset: AssetSelector,
    /// The value as JSON.
    pub(super) json: Result<Arc<[u8]>, Unwritten>,
}

/// The way an asset is named.
#[derive(Debug)]
pub(super) enum AssetSelector {
    Asset(&'static AssetSpec),
    /// Its name, as the command line gives it; the value may not be of its type.
    #[cfg(feature = "cli")]
    Name(String),
}

/// An update with its time since the simulation's start.
#[derive(Debug, Clone)]
pub(super) struct TimedUpdate {
    pub(super) at: Duration,
    pub(super) asset: &'static AssetSpec,
    pub(super) json: Arc<[u8]>,
}

impl TimedUpdate {
    /// The given updates, ordered by time. An update that none of the pipelines uses is a mistake in the test.
    pub(super) fn all(given: Vec<Update>, plan: &Plan, beside: &[&Plan]) -> Result<Vec<Self>, SimulationError> {
        let mut timed = Vec::with_capacity(given.len());
        for Update { when, asset, json } in given {
            let unwritten = |asset: &AssetSpec, error| SimulationError::Update {
                asset: asset.name,
                reason: format!("its value cannot be written as JSON: {error}"),
            };
            let (asset, json) = match asset {
                AssetSelector::Asset(asset) => {
                    check(plan, beside, asset)?;
                    (asset, json.map_err(|error| unwritten(asset, error))?)
                }
                #[cfg(feature = "cli")]
                AssetSelector::Name(name) => {
                    let asset = find_asset(plan, beside, name)?;
                    let json = json.map_err(|error| unwritten(asset, error))?;
                    let reason = |why| format!("the value is not a `{}`: {why}", asset.codec.shown());
                    let refused = |why| SimulationError::Update { asset: asset.name, reason: reason(why) };
                    asset.codec.read(&json).map_err(refused)?;
                    (asset, json)
                }
            };
            timed.push(Self { at: duration(&when)?, asset, json });
        }
        timed.sort_by_key(|timed| timed.at);
        Ok(timed)
    }
}

/// The effect of updates on the run.
#[derive(Debug, Default)]
pub(super) struct UpdateEffect {
    /// How long after the simulation's start the run starts.
    pub(super) after: Duration,
    pub(super) updates: Box<[RunUpdate]>,
    pub(super) warnings: Vec<String>,
}

impl UpdateEffect {
    /// A pipeline that waits for assets starts once its condition holds. Any other pipeline starts at once, and so does one
    /// without any updates, like a manual run.
    pub(super) fn of(plan: &Plan, beside: &[&Plan], timed: &[TimedUpdate]) -> Result<Self, SimulationError> {
        let is_used = |timed: &&TimedUpdate| plan.uses().any(|(used, ..)| used.name == timed.asset.name);
        let timed: Vec<&TimedUpdate> = timed.iter().filter(is_used).collect();
        let after = start_time(plan, &timed)?;
        let mut updates: Vec<RunUpdate> = Vec::new();
        let mut warnings = Vec::new();
        for (id, TimedUpdate { at, asset, json }) in (1..).zip(timed) {
            if *at > after {
                // It may trigger another run, or be read by one.
                if beside.iter().any(|plan| plan.uses().any(|(used, ..)| used.name == asset.name)) {
                    continue;
                }
                warnings.push(format!(
                    "the update of `{}` after {} came after the run had started: it has no effect on it",
                    asset.name,
                    pipeline_syntax::duration::show(*at)
                ));
                continue;
            }
            let begins = plan.assets.awaited().iter().any(|awaited| awaited.name == asset.name);
            updates.retain(|older| older.asset != asset.name);
            updates.push(RunUpdate { id: Some(id), asset: asset.name, begins, json: Some(Arc::clone(json)) });
        }
        Ok(Self { after, updates: updates.into(), warnings })
    }
}

/// Warnings about assets that a run read and that had no update.
pub(super) fn missing_updates(plan: &Plan, updates: &[RunUpdate]) -> Vec<String> {
    let is_updated = |asset: &AssetSpec| updates.iter().any(|update| update.asset == asset.name);
    let missing = plan.assets.reads.iter().filter(|(_, asset)| !is_updated(asset));
    let warning = |(_, asset): &(NodeIx, &AssetSpec)| {
        format!(
            "the simulation was given no update of the asset `{}`: add one by `.updated(\"0s\", ..)` in a test, or on the command \
             line by `--updated 0s={}=JSON`",
            asset.name, asset.name,
        )
    };
    missing.map(warning).collect()
}

fn check(plan: &Plan, beside: &[&Plan], asset: &'static AssetSpec) -> Result<(), SimulationError> {
    let refused = |reason| Err(SimulationError::Update { asset: asset.name, reason });
    let Some(used) = used(plan, beside).find(|used| used.name == asset.name) else {
        return refused(format!("pipeline `{}` neither waits for it nor reads it", plan.pipeline));
    };
    if !used.is_of_type_of(asset) {
        return refused(format!(
            "it is of `{}`, and the one that the pipeline uses is of `{}`",
            asset.type_name(),
            used.type_name()
        ));
    }
    Ok(())
}

/// The assets whose updates have an effect. An asset that a pipeline only updates itself is not one of them.
fn used<'a>(plan: &'a Plan, beside: &'a [&Plan]) -> impl Iterator<Item = &'static AssetSpec> + 'a {
    let uses = std::iter::once(plan).chain(beside.iter().copied()).flat_map(Plan::uses);
    uses.filter(|(_, what, _)| !matches!(what, Use::Updates)).map(|(asset, ..)| asset)
}

#[cfg(feature = "cli")]
fn find_asset(plan: &Plan, beside: &[&Plan], name: String) -> Result<&'static AssetSpec, SimulationError> {
    let known = || used(plan, beside);
    known().find(|asset| asset.name == name).ok_or_else(|| {
        let mut names: Vec<&str> = known().map(|asset| asset.name).collect();
        names.sort_unstable();
        names.dedup();
        let hint = if names.is_empty() { "it has no use for any".to_owned() } else { suggest::hint(&name, &names) };
        SimulationError::UnknownAsset { name, pipeline: plan.pipeline, hint }
    })
}

/// When the run starts, after the start of the simulation.
fn start_time(plan: &Plan, timed: &[&TimedUpdate]) -> Result<Duration, SimulationError> {
    let Some((when, _)) = plan.assets.when.as_ref().filter(|_| !timed.is_empty()) else { return Ok(Duration::ZERO) };
    let is_updated_by = |at: Duration, name: &str| timed.iter().any(|timed| timed.at <= at && timed.asset.name == name);
    let holds = |at: &Duration| when.rule.holds(when.assets.iter().map(|asset| is_updated_by(*at, asset.name)));
    timed.iter().map(|timed| timed.at).find(holds).ok_or_else(|| {
        let missing = when.assets.iter().filter(|asset| !is_updated_by(Duration::MAX, asset.name));
        let missing: Vec<String> = missing.map(|asset| format!("`{}`", asset.name)).collect();
        SimulationError::NeverBegins { when: when.to_string(), missing: missing.join(", ") }
    })
}
