//! What the active runs hold and wait for: slots of pools, and waiting sensors. Computed once per run, and again after it has new
//! records.

mod sensor;

use crate::engine::{NodeState, Slot};
use crate::journal::{JournalError, RunKey};
use crate::observe::PlanCache;
use crate::plan::DEFAULT_POOL;
use crate::read::{JournalReader, RunDetails, date};
use crate::time::Timestamp;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// The maximum number of runs; the newest.
const MAX_RUNS: u32 = 1_000;
/// The maximum length of each list.
pub(super) const MAX_LISTED: usize = 500;
/// The maximum number of waiting sensors; those with the least budget.
pub(super) const MAX_SENSORS: usize = 1_000;

/// What one run holds and waits for.
#[derive(Debug, Default)]
pub(super) struct RunUsage {
    pub(super) pools: Vec<PoolUsage>,
    /// The number of its waiting sensors, and those with the least budget: their deadlines and JSON.
    pub(super) waiting: usize,
    pub(super) sensors: Vec<(Option<Timestamp>, Value)>,
    pub(super) pipeline: String,
    /// True if it is shown with the current plan; only that assigns nodes to pools.
    has_current_plan: bool,
}

/// What one run holds of a pool.
#[derive(Debug)]
pub(super) struct PoolUsage {
    pub(super) name: &'static str,
    /// `None` for the default pool.
    pub(super) slots: Option<u32>,
    pub(super) used: NodeList,
    pub(super) queued: NodeList,
}

/// Nodes: their number, and the first of them.
#[derive(Debug, Default)]
pub(super) struct NodeList {
    pub(super) count: usize,
    pub(super) first: Vec<Value>,
}

impl NodeList {
    fn add(&mut self, node: impl FnOnce() -> Value) {
        self.count += 1;
        if self.first.len() < MAX_LISTED {
            self.first.push(node());
        }
    }
}

#[derive(Debug)]
struct CachedUsage {
    details: RunDetails,
    usage: Arc<RunUsage>,
}

/// The active runs, as far as they were read.
#[derive(Debug, Default)]
pub(super) struct ActiveRuns(Mutex<HashMap<RunKey, CachedUsage>>);

impl ActiveRuns {
    /// Returns what they hold and wait for, newest run first. Only runs with new records are read.
    pub(super) fn usages(&self, reader: &JournalReader) -> Result<Vec<Arc<RunUsage>>, JournalError> {
        let mut runs = self.0.lock().unwrap_or_else(|poisoned| {
            self.0.clear_poison();
            let mut runs = poisoned.into_inner();
            runs.clear();
            runs
        });
        let newest = reader.journal().active_runs(MAX_RUNS)?;
        let mut cached_before = std::mem::take(&mut *runs);
        let (mut all, mut plans) = (Vec::with_capacity(newest.len()), PlanCache::default());
        for (key, last) in newest {
            let cached = cached_before.remove(&key);
            let run = match cached {
                Some(run) if run.details.last_record() == last => Some(run),
                cached => read(reader, key, cached, &mut plans),
            };
            // A run that cannot be read, or was deleted meanwhile, is left out.
            if let Some(run) = run {
                all.push(Arc::clone(&run.usage));
                runs.insert(key, run);
            }
        }
        Ok(all)
    }

    /// Returns the pools of all taken slots.
    pub(super) fn taken_slots(&self, reader: &JournalReader) -> Result<Vec<(&'static str, usize)>, JournalError> {
        let runs = self.usages(reader)?;
        let current = runs.iter().filter(|usage| usage.has_current_plan);
        Ok(current.flat_map(|usage| &usage.pools).map(|pool| (pool.name, pool.used.count)).collect())
    }
}

fn read(reader: &JournalReader, key: RunKey, cached: Option<CachedUsage>, plans: &mut PlanCache) -> Option<CachedUsage> {
    let mut details = match cached {
        Some(run) => run.details,
        None => reader.begin_of_key(key, plans).ok()??,
    };
    details.update(reader).ok()?;
    let usage = Arc::new(usage_of(&details));
    Some(CachedUsage { details, usage })
}

fn usage_of(details: &RunDetails) -> RunUsage {
    let history = details.history();
    let plan = history.plan();
    let mut pools: Vec<Option<PoolUsage>> = plan.pools.iter().map(|_| None).collect();
    let mut sensors = Vec::new();
    history.each_body(|slot, ix| {
        let policy = plan.policy(ix);
        let pool = pools[policy.pool as usize].get_or_insert_with(|| {
            let spec = plan.pools[policy.pool as usize];
            let slots = (spec.name != DEFAULT_POOL).then_some(spec.slots);
            PoolUsage { name: spec.name, slots, used: NodeList::default(), queued: NodeList::default() }
        });
        let state = history.node(slot).state();
        if state == NodeState::Running {
            pool.used.add(|| node_json(details, slot));
        }
        if policy.sensor.is_some() && state.is_under_way() {
            sensors.push((history.deadline(slot), slot));
        }
    });
    history.each_ready(|slot, ix| {
        if let Some(pool) = &mut pools[plan.policy(ix).pool as usize] {
            pool.queued.add(|| node_json(details, slot));
        }
    });
    sensors.sort_by_key(|(deadline, slot)| (deadline.unwrap_or(Duration::MAX), *slot));
    let (waiting, first) = (sensors.len(), sensors.iter().take(MAX_SENSORS));
    let sensors =
        first.map(|(deadline, slot)| (deadline.map(|deadline| history.started + deadline), sensor::json_of(details, *slot)));
    RunUsage {
        pools: pools.into_iter().flatten().collect(),
        waiting,
        sensors: sensors.collect(),
        pipeline: details.summary().pipeline().to_owned(),
        has_current_plan: details.tail().plan_mismatch().is_none(),
    }
}

fn run_name(details: &RunDetails) -> String {
    format!("{}/{}", details.summary().pipeline(), details.run_id())
}

fn node_json(details: &RunDetails, slot: Slot) -> Value {
    let history = details.history();
    let since = history.periods(slot).last().map(|period| date((history.started + period.from).to_utc()));
    json!({ "run": run_name(details), "node": history.id(slot), "since": since })
}
