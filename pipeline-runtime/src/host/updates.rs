//! The updates of assets that a run is begun by, or reads.

use super::StartError;
use crate::author::context::RunUpdate;
use crate::journal::{JournalError, Reader, RunKey};
use crate::plan::Plan;

/// What a run that begins now has: those that begin it, with their values where it reads them, and of each other asset that it reads the newest.
pub(super) fn at_begin(reader: &Reader, plan: &Plan, begins: &[(&'static str, i64)]) -> Result<Box<[RunUpdate]>, StartError> {
    let mut updates = Vec::new();
    for &(asset, id) in begins {
        let json = if plan.assets.is_read(asset) { reader.value_of_update(id)? } else { None };
        updates.push(RunUpdate { id, asset, begins: true, json });
    }
    updates.extend(newest(reader, plan, &updates)?);
    Ok(updates.into())
}

/// What a run has that has begun before. An asset that its pipeline has come to read since is read as it is now.
pub(super) fn of_begun(reader: &Reader, plan: &Plan, run: RunKey) -> Result<Box<[RunUpdate]>, StartError> {
    if plan.assets.reads.is_empty() {
        return Ok(Box::default());
    }
    let mut updates = Vec::new();
    for (begins, update) in reader.updates_of_run(run)? {
        // Of those that it does not read nobody asks.
        if let Some((_, asset)) = plan.assets.reads.iter().find(|(_, asset)| asset.name == update.asset) {
            let json = reader.value_of_update(update.id)?;
            updates.push(RunUpdate { id: update.id, asset: asset.name, begins, json });
        }
    }
    updates.extend(newest(reader, plan, &updates)?);
    Ok(updates.into())
}

/// The newest update of each asset that is read and not among these.
fn newest(reader: &Reader, plan: &Plan, known: &[RunUpdate]) -> Result<Vec<RunUpdate>, JournalError> {
    let others = plan.assets.reads.iter().filter(|(_, asset)| known.iter().all(|known| known.asset != asset.name));
    let mut found = Vec::new();
    for (_, asset) in others {
        if let Some(newest) = reader.newest_update(asset.name)? {
            let json = reader.value_of_update(newest.id)?;
            found.push(RunUpdate { id: newest.id, asset: asset.name, begins: false, json });
        }
    }
    Ok(found)
}
