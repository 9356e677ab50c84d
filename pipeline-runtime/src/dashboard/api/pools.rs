//! Who has a place in which pool, and who waits for one.

use super::{Problem, Site, at};
use crate::RunState;
use crate::engine::{NodeState, Slot};
use crate::observe::RunHistory;
use crate::plan::DEFAULT_POOL;
use crate::read::{JournalReader, RunDetails, RunFilter};
use axum::Json;
use axum::extract::State;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;

/// So many runs that have not ended are looked at.
pub(super) const RUNS: u32 = 200;
/// So many of each list are told.
const TOLD: usize = 500;

#[derive(Debug, Default)]
struct Pool {
    slots: Option<u32>,
    used: Vec<Value>,
    queued: Vec<Value>,
}

pub(super) async fn pools(State(site): State<Arc<Site>>) -> Result<Json<Value>, Problem> {
    let now = at(site.clock.now());
    let pools = site.readers.read(all).await?;
    let told: Vec<Value> = pools
        .into_iter()
        .map(|(name, Pool { slots, used, queued })| {
            json!({ "pool": name, "slots": slots, "in_use": used.len(), "waiting": queued.len(),
                "used": used.into_iter().take(TOLD).collect::<Vec<_>>(), "queued": queued.into_iter().take(TOLD).collect::<Vec<_>>() })
        })
        .collect();
    Ok(Json(json!({ "now": now, "pools": told })))
}

/// The details of the runs that go on, the newest first.
pub(super) fn going_on(reader: &JournalReader) -> Result<Vec<RunDetails>, Problem> {
    let runs = reader.runs(&RunFilter::new().state(RunState::Running).limit(RUNS))?;
    // One that cannot be read, or was deleted meanwhile, is not here.
    Ok(runs.iter().filter_map(|run| reader.details(run).ok()).collect())
}

fn all(reader: &JournalReader) -> Result<BTreeMap<String, Pool>, Problem> {
    let mut pools: BTreeMap<String, Pool> = BTreeMap::new();
    for details in going_on(reader)? {
        let history = details.history();
        for slot in history.listed() {
            let node = history.node(slot);
            let policy = history.plan().policy(history.node_ix(slot));
            let spec = history.plan().pools[policy.pool as usize];
            let pool = pools.entry(spec.name.to_owned()).or_default();
            pool.slots = (spec.name != DEFAULT_POOL).then_some(spec.slots);
            match node.state() {
                NodeState::Running => pool.used.push(who(&details, history, slot)),
                NodeState::None | NodeState::Scheduled | NodeState::Queued if history.awaited(slot).is_empty() => {
                    pool.queued.push(who(&details, history, slot));
                }
                _ => {}
            }
        }
    }
    Ok(pools)
}

fn who(details: &RunDetails, history: &RunHistory, slot: Slot) -> Value {
    let since = history.spent(slot).last().map(|stretch| at(history.started + stretch.from));
    json!({ "run": super::name(details.summary()), "node": history.id(slot), "since": since })
}
