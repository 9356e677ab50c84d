//! What the active runs hold and wait for: slots of pools, and waiting sensors. Computed once per run, and again after it has new
//! records.

use crate::author::body::Arg;
use crate::author::context::RunInfo;
use crate::author::input::Source;
use crate::author::template::Template;
use crate::engine::{NodeState, Slot};
use crate::journal::{JournalError, RunKey};
use crate::observe::{Plans, ms};
use crate::plan::DEFAULT_POOL;
use crate::read::{JournalReader, RunDetails, date};
use crate::storage::Bucket;
use crate::time::Timestamp;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// The maximum number of runs; the newest.
const RUNS: u32 = 1_000;
/// The maximum length of each list.
pub(super) const TOLD: usize = 500;
/// The maximum number of waiting sensors; those with the least budget.
pub(super) const SENSORS: usize = 1_000;

/// What one run holds and waits for.
#[derive(Debug, Default)]
pub(super) struct Told {
    pub(super) pools: Vec<InPool>,
    /// The number of its waiting sensors, and those with the least budget: their deadlines and JSON.
    pub(super) waiting: usize,
    pub(super) sensors: Vec<(Option<Timestamp>, Value)>,
    pub(super) pipeline: String,
    /// True if it is shown with the current plan; only that assigns nodes to pools.
    is_present: bool,
}

/// What one run holds of a pool.
#[derive(Debug)]
pub(super) struct InPool {
    pub(super) name: &'static str,
    /// `None` for the default pool.
    pub(super) slots: Option<u32>,
    pub(super) used: Places,
    pub(super) queued: Places,
}

/// Nodes: their number, and the first of them.
#[derive(Debug, Default)]
pub(super) struct Places {
    pub(super) count: usize,
    pub(super) first: Vec<Value>,
}

impl Places {
    fn add(&mut self, who: impl FnOnce() -> Value) {
        self.count += 1;
        if self.first.len() < TOLD {
            self.first.push(who());
        }
    }
}

#[derive(Debug)]
struct Run {
    details: RunDetails,
    told: Arc<Told>,
}

/// The active runs, as far as they were read.
#[derive(Debug, Default)]
pub(super) struct ActiveRuns(Mutex<HashMap<RunKey, Run>>);

impl ActiveRuns {
    /// Returns what they hold and wait for, newest run first. Only runs with new records are read.
    pub(super) fn look(&self, reader: &JournalReader) -> Result<Vec<Arc<Told>>, JournalError> {
        let mut runs = self.0.lock().unwrap_or_else(|poisoned| {
            self.0.clear_poison();
            let mut runs = poisoned.into_inner();
            runs.clear();
            runs
        });
        let positions = reader.journal().active_runs(RUNS)?;
        let mut before = std::mem::take(&mut *runs);
        let (mut all, mut plans) = (Vec::with_capacity(positions.len()), Plans::default());
        for (key, last) in positions {
            let known = before.remove(&key);
            let run = match known {
                Some(run) if run.details.last_record() == last => Some(run),
                known => read(reader, key, known, &mut plans),
            };
            // A run that cannot be read, or was deleted meanwhile, is left out.
            if let Some(run) = run {
                all.push(Arc::clone(&run.told));
                runs.insert(key, run);
            }
        }
        Ok(all)
    }

    /// Returns the pools of all taken slots.
    pub(super) fn taken(&self, reader: &JournalReader) -> Result<Vec<(&'static str, usize)>, JournalError> {
        let told = self.look(reader)?;
        let present = told.iter().filter(|told| told.is_present);
        Ok(present.flat_map(|told| &told.pools).map(|pool| (pool.name, pool.used.count)).collect())
    }
}

fn read(reader: &JournalReader, key: RunKey, known: Option<Run>, plans: &mut Plans) -> Option<Run> {
    let mut details = match known {
        Some(run) => run.details,
        None => reader.begin_of_key(key, plans).ok()??,
    };
    details.update(reader).ok()?;
    let told = Arc::new(tell(&details));
    Some(Run { details, told })
}

fn tell(details: &RunDetails) -> Told {
    let history = details.history();
    let plan = history.plan();
    let mut pools: Vec<Option<InPool>> = plan.pools.iter().map(|_| None).collect();
    let mut sensors = Vec::new();
    history.each_body(|slot, ix| {
        let policy = plan.policy(ix);
        let pool = pools[policy.pool as usize].get_or_insert_with(|| {
            let spec = plan.pools[policy.pool as usize];
            let slots = (spec.name != DEFAULT_POOL).then_some(spec.slots);
            InPool { name: spec.name, slots, used: Places::default(), queued: Places::default() }
        });
        let state = history.node(slot).state();
        if state == NodeState::Running {
            pool.used.add(|| who(details, slot));
        }
        if policy.sensor.is_some() && state.is_under_way() {
            sensors.push((history.deadline(slot), slot));
        }
    });
    history.each_ready(|slot, ix| {
        if let Some(pool) = &mut pools[plan.policy(ix).pool as usize] {
            pool.queued.add(|| who(details, slot));
        }
    });
    sensors.sort_by_key(|(deadline, slot)| (deadline.unwrap_or(Duration::MAX), *slot));
    let (waiting, first) = (sensors.len(), sensors.iter().take(SENSORS));
    let sensors = first.map(|(deadline, slot)| (deadline.map(|deadline| history.started + deadline), sensor(details, *slot)));
    Told {
        pools: pools.into_iter().flatten().collect(),
        waiting,
        sensors: sensors.collect(),
        pipeline: details.summary().pipeline().to_owned(),
        is_present: details.followed().not_present().is_none(),
    }
}

fn name(details: &RunDetails) -> String {
    format!("{}/{}", details.summary().pipeline(), details.run_id())
}

fn who(details: &RunDetails, slot: Slot) -> Value {
    let history = details.history();
    let since = history.spent(slot).last().map(|stretch| date((history.started + stretch.from).to_utc()));
    json!({ "run": name(details), "node": history.id(slot), "since": since })
}

fn sensor(details: &RunDetails, slot: Slot) -> Value {
    let history = details.history();
    let node = history.node(slot);
    let date = |offset: Duration| date((history.started + offset).to_utc());
    let deadline = history.deadline(slot);
    let budget = history.plan().policy(history.node_ix(slot)).sensor.as_ref().map(|sensor| sensor.timeout);
    json!({
        "run": name(details),
        "pipeline": details.summary().pipeline(),
        "node": history.id(slot),
        "state": node.state(),
        "looks": looks(details, slot),
        "pokes": node.pokes(),
        "last": node.last_start().map(date),
        "next": node.next().map(date),
        "deadline": deadline.map(date),
        "budget_ms": budget.filter(|_| deadline.is_some()).map(ms),
    })
}

/// Returns what the sensor waits for: its buckets, texts and templates, rendered as its next attempt would.
fn looks(details: &RunDetails, slot: Slot) -> Option<String> {
    let (history, run) = (details.history(), details.summary().stored());
    let (plan, id) = (history.plan(), history.id(slot));
    let mut info = RunInfo {
        previous: run.previous.into(),
        began: Some(history.started.to_utc()),
        settings: run.settings.clone(),
        ..RunInfo::new(&run.pipeline, &run.run_id, run.interval, run.params.clone())
    };
    info.of_schedule(run.kind, plan.schedule.as_ref());
    let attempt = history.node(slot).attempts().max(1);
    let rendered = |template: &Template| {
        let text = template.render(&info, &id, attempt, plan.zone.current());
        text.unwrap_or_else(|_| template.source().to_owned())
    };
    let text = |arg: &Arg| match &arg.source {
        Source::Plain(value) => value.value::<Bucket>().map(|bucket| bucket.url().to_owned()),
        Source::Text(text) => Some(text.to_string()),
        Source::Template(template) => Some(rendered(template)),
        Source::Templates(templates) => Some(templates.iter().map(rendered).collect::<Vec<_>>().join(", ")),
        _ => None,
    };
    let texts: Vec<String> = plan.args(history.node_ix(slot)).iter().filter_map(text).collect();
    (!texts.is_empty()).then(|| texts.join(", "))
}
