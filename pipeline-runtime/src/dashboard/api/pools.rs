//! The nodes that hold slots of pools, and those that wait for one.

use super::{NoQuery, Problem, QueryString, Site, at};
use crate::dashboard::active_runs::{MAX_LISTED, NodeList, RunUsage};
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
    pub(super) used: NodeList,
    pub(super) queued: NodeList,
}

pub(super) async fn pools(
    State(site): State<Arc<Site>>,
    QueryString(NoQuery {}): QueryString<NoQuery>,
) -> Result<Json<Value>, Problem> {
    let now = at(site.clock.now());
    let of = Arc::clone(&site);
    let pools = site.readers.read(move |reader| Ok(by_name(&of.active_runs.usages(reader).map_err(ReadError::from)?))).await?;
    let json: Vec<Value> = pools
        .into_iter()
        .map(|(name, Pool { slots, used, queued })| {
            json!({ "pool": name, "slots": slots, "in_use": used.count, "waiting": queued.count, "used": used.first, "queued": queued.first })
        })
        .collect();
    Ok(Json(json!({ "now": now, "pools": json })))
}

/// Returns the slots that runs hold and wait for, by the name of the pool.
pub(super) fn by_name(runs: &[Arc<RunUsage>]) -> BTreeMap<&'static str, Pool> {
    let mut pools: BTreeMap<&'static str, Pool> = BTreeMap::new();
    for of in runs.iter().flat_map(|run| &run.pools) {
        let pool = pools.entry(of.name).or_default();
        pool.slots = of.slots;
        for (all, more) in [(&mut pool.used, &of.used), (&mut pool.queued, &of.queued)] {
            all.count += more.count;
            let room = MAX_LISTED.saturating_sub(all.first.len());
            all.first.extend(more.first.iter().take(room).cloned());
        }
    }
    pools
}
