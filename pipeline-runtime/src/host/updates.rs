//! The updates of assets that start a run, or that it reads.

use super::StartError;
use crate::Pipeline;
use crate::author::asset::AssetSpec;
use crate::author::context::RunUpdate;
use crate::engine::MAX_OUTPUT;
use crate::journal::{JournalError, NewUpdate, Reader, RunKey, SqliteJournal};
use crate::plan::Plan;
use crate::schedule::Interval;
use crate::time::Timestamp;
use chrono::SubsecRound;
use pipeline_syntax::suggest;
use std::collections::BTreeMap;

/// Returns the updates for a run that starts now: those that start it, with their values if it reads them, and the newest one of
/// each other asset that it reads.
pub(super) fn for_new_run(reader: &Reader, plan: &Plan, begins: &[(&'static str, i64)]) -> Result<Box<[RunUpdate]>, StartError> {
    let mut updates = Vec::new();
    for &(asset, id) in begins {
        let json = if plan.assets.is_read(asset) { reader.value_of_update(id)? } else { None };
        updates.push(RunUpdate { id: Some(id), asset, begins: true, json });
    }
    updates.extend(newest(reader, plan, &updates)?);
    Ok(updates.into())
}

/// Returns the updates of a run that has started before: those recorded then, even if an asset had none. An asset that its
/// pipeline has begun to read since is read at its current state; then the flag is true, and the addition must be recorded.
pub(super) fn for_resumed_run(reader: &Reader, plan: &Plan, run: RunKey) -> Result<(Box<[RunUpdate]>, bool), StartError> {
    if plan.assets.reads.is_empty() {
        return Ok((Box::default(), false));
    }
    let mut updates = Vec::new();
    for (name, id, begins) in reader.update_ids_of_run(run)? {
        // Assets that the plan does not read are ignored.
        if let Some((_, asset)) = plan.assets.reads.iter().find(|(_, asset)| asset.name == name) {
            let json = id.map(|id| reader.value_of_update(id)).transpose()?.flatten();
            updates.push(RunUpdate { id, asset: asset.name, begins, json });
        }
    }
    let newest = newest(reader, plan, &updates)?;
    let has_more = !newest.is_empty();
    updates.extend(newest);
    Ok((updates.into(), has_more))
}

/// Returns the newest update of each asset that is read and not in `known`, even if there is none.
fn newest(reader: &Reader, plan: &Plan, known: &[RunUpdate]) -> Result<Vec<RunUpdate>, JournalError> {
    let others = plan.assets.reads.iter().filter(|(_, asset)| known.iter().all(|known| known.asset != asset.name));
    let newest = others.map(|(_, asset)| {
        let (id, json) = reader.newest_value(asset.name)?.unzip();
        Ok(RunUpdate { id, asset: asset.name, begins: false, json })
    });
    newest.collect()
}

/// The assets that the pipelines use, by name.
#[derive(Debug)]
pub(crate) struct AssetCatalog {
    by_name: BTreeMap<&'static str, &'static AssetSpec>,
}

impl AssetCatalog {
    /// Collects them from the plans of all pipelines, which calls the pipelines' functions.
    pub(crate) fn of(pipelines: &[Pipeline]) -> Result<Self, StartError> {
        let mut by_name = BTreeMap::new();
        for pipeline in pipelines {
            let plan = pipeline.plan(&serde_json::Value::Null)?;
            by_name.extend(plan.uses().map(|(asset, ..)| (asset.name, asset)));
        }
        Ok(Self { by_name })
    }

    /// Records an update of an asset from outside, if the value has the asset's type, and returns the answer.
    pub(crate) fn update(
        &self,
        journal: &SqliteJournal,
        name: &str,
        value: &serde_json::Value,
        now: Timestamp,
    ) -> Result<String, StartError> {
        let refused = |why: String| Err(StartError::Refused(why));
        let Some(asset) = self.by_name.get(name) else {
            let names: Vec<&str> = self.by_name.keys().copied().collect();
            let hint = if names.is_empty() { "they have none".to_owned() } else { suggest::hint(name, &names) };
            return refused(format!("the pipelines have no asset `{name}`; {hint}"));
        };
        // Plain JSON, which can be serialized.
        let json = serde_json::to_vec(value).unwrap_or_default();
        if json.len() > MAX_OUTPUT {
            return refused(format!("the value has more than {} MiB as JSON, which is the limit", MAX_OUTPUT >> 20));
        }
        if let Err(why) = asset.codec.read(&json) {
            return refused(format!("the value is not of type `{}`, as the asset `{name}` requires: {why}", asset.codec.shown()));
        }
        journal.next_is_effect();
        let interval = Interval::at(now.to_utc().trunc_subsecs(6));
        journal.update(NewUpdate { asset: asset.name, at: now, by: None, interval, json: json.into() });
        Ok(format!("the asset {name} is updated"))
    }
}
