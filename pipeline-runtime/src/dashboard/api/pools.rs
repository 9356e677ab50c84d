//! The nodes that hold slots of pools, and those that wait for one.

use super::{Args, Nothing, Problem, Site, at};
use crate::dashboard::active_runs::{Places, TOLD, Told};
use crate::read::ReadError;
use axum::Json;
use axum::extract::State;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;

/// A pool, with the slots that all runs hold and wait for.
#[derive(Debug, Default)]
pub(super) struct Pool {
    pub(super) slots: Option<u32>,
    pub(super) used: Places,
    pub(super) queued: Places,
}

pub(super) async fn pools(State(site): State<Arc<Site>>, Args(Nothing {}): Args<Nothing>) -> Result<Json<Value>, Problem> {
    let now = at(site.clock.now());
    let of = Arc::clone(&site);
    let pools = site.readers.read(move |reader| Ok(all(&of.active_runs.look(reader).map_err(ReadError::from)?))).await?;
    let told: Vec<Value> = pools
        .into_iter()
        .map(|(name, Pool { slots, used, queued })| {
            json!({ "pool": name, "slots": slots, "in_use": used.count, "waiting": queued.count, "used": used.first, "queued": queued.first })
        })
        .collect();
    Ok(Json(json!({ "now": now, "pools": told })))
}

/// Returns the slots that runs hold and wait for, by the name of the pool.
pub(super) fn all(runs: &[Arc<Told>]) -> BTreeMap<&'static str, Pool> {
    let mut pools: BTreeMap<&'static str, Pool> = BTreeMap::new();
    for of in runs.iter().flat_map(|told| &told.pools) {
        let pool = pools.entry(of.name).or_default();
        pool.slots = of.slots;
        for (all, more) in [(&mut pool.used, &of.used), (&mut pool.queued, &of.queued)] {
            all.count += more.count;
            let room = TOLD.saturating_sub(all.first.len());
            all.first.extend(more.first.iter().take(room).cloned());
        }
    }
    pools
}
