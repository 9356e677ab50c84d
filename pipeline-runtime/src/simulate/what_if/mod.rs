//! What would have happened in a recorded run if something had been different: the production engine repeats the run on virtual
//! time.
//!
//! No body is called and no notification is sent. The answers of bodies and the time they took are read from the run's history
//! ([`recorded`]) and replace the bodies ([`bodies`]).
//!
//! # What is not known
//!
//! A node that the run never finished has no answer. If it starts, it runs until the end of the simulation, and everything that
//! depends on it is reported as unknown. A sensor that still waited in the run pokes as it did, up to its last poke.

mod assumptions;
mod bodies;
mod error;
mod recorded;
#[cfg(test)]
mod tests;

pub(crate) use assumptions::Assumptions;
pub(crate) use error::WhatIfError;
pub(crate) use recorded::Window;

use super::HORIZON;
use super::beside::is_over;
use crate::author::context::RunInfo;
use crate::author::pipeline::Pipeline;
use crate::engine::{Engine, EngineOptions, Entry, Interceptor, Record, RunSpec, Skip, Slot};
use crate::journal::{MemoryJournal, StoredRun};
use crate::observe::RunHistory;
use crate::plan::{Accepts, DEFAULT_PARALLELISM, DEFAULT_POOL, Plan, PoolSpec};
use crate::time::{Clock, Timestamp};
use bodies::Bodies;
use recorded::Recording;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The result of repeating a run.
#[derive(Debug)]
pub(crate) struct WhatIf {
    pub(crate) history: RunHistory,
    /// The nodes whose outcome is unknown.
    unknown: HashSet<Slot>,
    /// For each sensor, when what it found was there.
    pub(crate) arrivals: BTreeMap<String, ArrivalTime>,
    /// How this differs from the run, apart from the requested changes.
    pub(crate) notes: Vec<String>,
}

/// When what a sensor found was there.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ArrivalTime {
    /// According to the run's pokes.
    pub(crate) recorded: Option<Window>,
    /// As assumed here.
    pub(crate) assumed: Option<Duration>,
}

impl WhatIf {
    /// Repeats a run, for at most that long in real time.
    ///
    /// # Errors
    ///
    /// If the pipeline has changed since, if `assumptions` names something that the run does not have, or if the time is over.
    pub(crate) fn of(
        stored: &StoredRun,
        history: &RunHistory,
        pipelines: &[Pipeline],
        assumptions: &Assumptions,
        most: Duration,
    ) -> Result<Self, WhatIfError> {
        let pipeline = pipelines.iter().find(|pipeline| pipeline.id() == stored.pipeline);
        let pipeline = pipeline.ok_or_else(|| WhatIfError::NoPipeline(stored.pipeline.clone()))?;
        let mut plan = pipeline.plan_of_run(&stored.params)?;
        plan.match_skeleton(&stored.skeleton, Accepts::Additions)?;
        let recording = Recording::of(history, &plan);
        assumptions.check(&recording, &plan)?;
        plan.remove_callbacks();
        assumptions.change(&mut plan);
        let plan = Arc::new(plan);
        let (arrivals, notes) = (assumptions.arrivals(&recording), notes(history, &plan, &recording));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
        let runtime = runtime.map_err(WhatIfError::Runtime)?;
        let started = history.started;
        let (entries, ran) = runtime.block_on(async {
            let clock = Clock::starting_at(started.to_utc());
            let bodies = Arc::new(Bodies::new(recording, assumptions.clone(), &arrivals, clock));
            let entries = run(spec(stored, &plan, started), clock, &bodies, most).await?;
            Ok::<_, WhatIfError>((entries, bodies.unknown()))
        })?;
        let history = RunHistory::of(Arc::clone(&plan), started, &entries);
        let unknown = unknown(&history, &ran);
        let history = if unknown.is_empty() { history } else { without_unknown(&history, entries, &unknown, &ran) };
        Ok(Self { history, unknown, arrivals, notes })
    }

    /// True if the outcome of the node, or whether it would have started, is unknown.
    pub(crate) fn is_unknown(&self, slot: Slot) -> bool {
        self.unknown.contains(&slot)
    }

    /// True if the outcome of the run is known.
    pub(crate) fn is_known(&self) -> bool {
        self.unknown.is_empty()
    }

    /// Each node with a body of the run, or of this simulation, in the order of this plan: its slot there, and its slot here.
    pub(crate) fn beside(&self, run: &RunHistory) -> Vec<(String, Option<Slot>, Option<Slot>)> {
        let here = self.history.listed().into_iter().map(|slot| self.history.id(slot));
        let mut all: Vec<_> = here.map(|id| (run.find(&id), self.history.find(&id), id)).collect();
        let gone = run.listed().into_iter().map(|slot| (Some(slot), None, run.id(slot)));
        all.extend(gone.filter(|(_, _, id)| self.history.find(id).is_none()));
        all.into_iter().map(|(there, here, id)| (id, there, here)).collect()
    }

    /// True if a node of the run, at `there`, has a different result here: another state, other attempts, or another time. A
    /// process needs some time between two nodes, which a simulation does not, so less than a second, or a hundredth of the run,
    /// does not count as a difference.
    pub(crate) fn differs(&self, run: &RunHistory, there: Option<Slot>, here: Option<Slot>) -> bool {
        let (Some(there), Some(here)) = (there, here) else { return true };
        let (was, is) = (run.node(there), self.history.node(here));
        let noise = Duration::from_secs(1).max(run.latest() / 100);
        let moved = match (was.finished_at(), is.finished_at()) {
            (Some(was), Some(is)) => was.abs_diff(is) >= noise,
            (was, is) => was.is_some() != is.is_some(),
        };
        // What the run has not done yet is unknown there as well.
        if self.is_unknown(here) {
            return was.finished_at().is_some();
        }
        moved || (was.state(), was.attempts(), was.error()) != (is.state(), is.attempts(), is.error())
    }

    /// When the run would have ended; `None` if that is unknown.
    pub(crate) fn finished(&self) -> Option<Duration> {
        self.history.finished.filter(|_| self.unknown.is_empty())
    }

    /// The time of the last event that is known.
    pub(crate) fn latest(&self) -> Duration {
        self.history.latest()
    }
}

fn spec(stored: &StoredRun, plan: &Arc<Plan>, started: Timestamp) -> RunSpec {
    let info = RunInfo {
        previous: stored.previous.into(),
        began: Some(started.to_utc()),
        ..RunInfo::new(&stored.pipeline, &stored.run_id, stored.interval, stored.params.clone())
    };
    // With the same seed, a wait with jitter is as long as it was.
    RunSpec { plan: Arc::clone(plan), info: Arc::new(info), sla_from: stored.sla_from, seed: stored.seed, key: stored.key }
}

async fn run(spec: RunSpec, clock: Clock, bodies: &Arc<Bodies>, most: Duration) -> Result<Vec<Entry>, WhatIfError> {
    let (plan, start, begun) = (Arc::clone(&spec.plan), clock.now(), Instant::now());
    // The engine takes the slots of the default pool from its options, and not from the plan.
    let default = plan.pools.iter().find(|pool| pool.name == DEFAULT_POOL);
    let parallelism = default.map_or(DEFAULT_PARALLELISM, |pool| pool.slots);
    let options = EngineOptions { clock, parallelism, check_outputs: false, observer: None };
    let engine = Engine::new(Box::new(MemoryJournal::default()), options, Some(Arc::clone(bodies) as Arc<dyn Interceptor>));
    let run = engine.start(spec);
    loop {
        engine.step().await;
        if is_over(&engine, run) || clock.now().since(start) >= HORIZON {
            return Ok(engine.entries(run));
        }
        if begun.elapsed() > most {
            return Err(WhatIfError::TooLong { most, reached: clock.now().since(start) });
        }
        engine.pass_time(start + HORIZON).await;
    }
}

/// The history without what happens only because a body without an answer never ends: such a body exceeds its timeout, and is
/// retried.
fn without_unknown(
    history: &RunHistory,
    mut entries: Vec<Entry>,
    unknown: &HashSet<Slot>,
    ran: &HashMap<String, Duration>,
) -> RunHistory {
    let first = ran.values().min().copied().unwrap_or_default();
    entries.retain(|Entry { at, record }| {
        let at = at.since(history.started);
        match record {
            Record::RunEnded { .. } | Record::Ending { .. } => false,
            // Slots depend on it.
            Record::Unfolded { .. } => true,
            record => record.slot().filter(|slot| unknown.contains(slot)).is_none_or(|slot| match ran.get(&history.id(slot)) {
                Some(since) => at <= *since,
                None => at < first,
            }),
        }
    });
    RunHistory::of(Arc::clone(history.plan()), history.started, &entries)
}

/// The nodes that ran without an answer, and all that wait for one of them or ended because of it.
fn unknown(history: &RunHistory, ran: &HashMap<String, Duration>) -> HashSet<Slot> {
    let mut unknown: HashSet<Slot> = HashSet::new();
    // A node that was stopped because another one ended is known.
    let is_known = |slot: Slot| matches!(history.node(slot).why_skipped(), Some(Skip::CutOff | Skip::RunEnded));
    // A node that has not ended either ran without an answer, or waited for a slot or an output of such a node.
    let is_open = |slot: &Slot| ran.contains_key(&history.id(*slot)) || !history.node(*slot).state().is_end();
    let mut open: Vec<Slot> = history.listed().into_iter().filter(|slot| is_open(slot) && !is_known(*slot)).collect();
    if open.is_empty() {
        return unknown;
    }
    let mut downstream: BTreeMap<Slot, Vec<Slot>> = BTreeMap::new();
    for slot in history.slots() {
        for upstream in history.upstream_slots(slot) {
            downstream.entry(upstream).or_default().push(slot);
        }
    }
    while let Some(slot) = open.pop() {
        if !unknown.insert(slot) {
            continue;
        }
        // A node that ended before this one started did not wait for it, such as a `first_of`.
        let since = history.node(slot).began().unwrap_or_default();
        let ended_before = |other: &Slot| history.node(*other).finished_at().is_some_and(|at| at <= since);
        open.extend(downstream.remove(&slot).into_iter().flatten().filter(|other| !ended_before(other) && !is_known(*other)));
    }
    unknown
}

/// Differences between the simulation and the run, apart from the requested changes.
fn notes(history: &RunHistory, plan: &Plan, recording: &Recording) -> Vec<String> {
    let mut notes = Vec::new();
    if recording.interrupted > 0 {
        let cut_off = match recording.interrupted {
            1 => "1 attempt of the run was cut off by the end of its own".to_owned(),
            attempts => format!("{attempts} attempts of the run were cut off by the end of theirs"),
        };
        notes.push(format!("no process ends here: {cut_off}"));
    }
    if recording.cleared > 0 {
        let retried = match recording.cleared {
            1 => "1 node of the run was retried, and answers as it did last".to_owned(),
            several => format!("{several} nodes of the run were retried, and answer as they did last"),
        };
        notes.push(format!("there are no manual retries here: {retried}"));
    }
    let is_shared = |pool: &PoolSpec| pool.name != DEFAULT_POOL;
    if plan.pools.iter().any(is_shared) {
        notes.push("its pools are its own here: other runs hold no slots".to_owned());
    }
    if !history.state.is_end() {
        notes.push("the run has not ended: what it has not done yet is unknown".to_owned());
    }
    notes
}
