//! Pipelines that are simulated beside the simulation's own: the runs that updates of assets trigger.

use super::updates::TimedUpdate;
use super::{SimulationError, run_id};
use crate::author::context::{RunInfo, RunUpdate, Simulated};
use crate::author::pipeline::Pipeline;
use crate::author::setting::SettingValues;
use crate::engine::{Engine, Record, Run, RunIx, RunSpec};
use crate::observe::{RunHistory, RunReport};
use crate::plan::{AssetCondition, PendingUpdates, Plan};
use crate::schedule::{Interval, RunKind};
use crate::storage::World;
use crate::time::Timestamp;
use std::collections::VecDeque;
use std::sync::Arc;

/// The pipelines beside, and all updates so far.
#[derive(Debug, Default)]
pub(super) struct PipelinesBeside {
    waiting: Vec<WaitingPipeline>,
    /// The updates from outside that are still to come.
    due: VecDeque<(Timestamp, TimedUpdate)>,
    /// All updates so far. The number of an update is its position, from 1.
    updates: Vec<AssetUpdate>,
    runs: Vec<FollowedRun>,
    seed: u64,
    /// The simulation as their bodies see it.
    simulated: Option<Arc<Simulated>>,
    settings: SettingValues,
}

/// A pipeline that waits for assets.
#[derive(Debug)]
struct WaitingPipeline {
    plan: Arc<Plan>,
    condition: AssetCondition,
}

#[derive(Debug)]
struct AssetUpdate {
    asset: &'static str,
    interval: Interval,
    json: Arc<[u8]>,
}

/// A run whose updates are followed.
#[derive(Debug)]
struct FollowedRun {
    plan: Arc<Plan>,
    interval: Interval,
    run: RunIx,
    /// The number of records that were read.
    read: usize,
    /// True if updates triggered the run, so that it is reported.
    is_beside: bool,
}

impl PipelinesBeside {
    pub(super) fn new(pipelines: &[Pipeline], world: &World, seed: u64) -> Result<Self, SimulationError> {
        let mut waiting = Vec::new();
        for pipeline in pipelines {
            let plan = Arc::new(world.enter(|| pipeline.plan(&serde_json::Value::Null))?);
            let Some((when, _)) = &plan.assets.when else {
                return Err(SimulationError::WaitsForNothing { pipeline: plan.pipeline });
            };
            let condition = AssetCondition::new(when.rule, when.assets.iter().map(|asset| (asset.name, 0, 0)));
            waiting.push(WaitingPipeline { plan, condition });
        }
        Ok(Self { waiting, seed, ..Self::default() })
    }

    pub(super) fn plans(&self) -> impl Iterator<Item = &Plan> {
        self.waiting.iter().map(|waiting| &*waiting.plan)
    }

    /// Adds the updates that come from outside.
    pub(super) fn schedule_updates(&mut self, outside: Vec<TimedUpdate>, start: Timestamp) {
        if !self.waiting.is_empty() {
            self.due = outside.into_iter().map(|timed| (start + timed.at, timed)).collect();
        }
    }

    /// Sets what bodies know about the simulation, and its settings.
    pub(super) fn set_simulated(&mut self, simulated: Option<Arc<Simulated>>, settings: SettingValues) {
        self.simulated = simulated;
        self.settings = settings;
    }

    /// Records that the simulation's own run has started.
    pub(super) fn follow(&mut self, spec: &RunSpec, run: RunIx) {
        if !self.waiting.is_empty() {
            let (plan, interval) = (Arc::clone(&spec.plan), spec.info.interval);
            self.runs.push(FollowedRun { plan, interval, run, read: 0, is_beside: false });
        }
    }

    /// When the next update comes from outside.
    pub(super) fn next(&self) -> Option<Timestamp> {
        self.due.front().map(|(at, _)| *at)
    }

    /// Starts the runs that updates trigger, until no more start at this instant.
    pub(super) async fn start_due_runs(&mut self, engine: &Engine, now: Timestamp) {
        while !self.waiting.is_empty() && self.start_runs(engine, now) {
            engine.step().await;
        }
    }

    /// True if all runs have ended and all notifications are delivered.
    pub(super) fn is_over(&self, engine: &Engine) -> bool {
        self.due.is_empty() && self.runs.iter().all(|followed| is_over(engine, followed.run))
    }

    /// The reports of the runs that updates triggered.
    pub(super) fn reports(self, engine: &Engine, start: Timestamp) -> Vec<RunReport> {
        let beside = self.runs.into_iter().filter(|followed| followed.is_beside);
        beside.map(|followed| report(followed.plan, followed.run, engine, start)).collect()
    }

    /// Starts due runs; returns whether any started.
    fn start_runs(&mut self, engine: &Engine, now: Timestamp) -> bool {
        self.collect_updates(engine, now);
        let mut has_begun = false;
        for n in 0..self.waiting.len() {
            let waiting = &mut self.waiting[n];
            let is_active = |followed: &&FollowedRun| {
                Arc::ptr_eq(&followed.plan, &waiting.plan)
                    && engine.look(followed.run, |run| !run.state().is_end()).unwrap_or(false)
            };
            let has_place = self.runs.iter().filter(is_active).count() < waiting.plan.calendar.max_active_runs as usize;
            let Some(pending) = waiting.condition.due().filter(|_| has_place) else { continue };
            waiting.condition.mark_used(&pending);
            let spec = self.spec(n, &pending, now);
            let (plan, interval) = (Arc::clone(&spec.plan), spec.info.interval);
            self.runs.push(FollowedRun { plan, interval, run: engine.start(spec), read: 0, is_beside: true });
            has_begun = true;
        }
        has_begun
    }

    fn spec(&self, waiting: usize, pending: &[PendingUpdates], now: Timestamp) -> RunSpec {
        let plan = &self.waiting[waiting].plan;
        let all = (1_i64..).zip(&self.updates);
        let is_pending =
            |id: i64, asset: &str| pending.iter().any(|of| of.asset == asset && (of.after + 1..=of.newest).contains(&id));
        let intervals = all.clone().filter(|(id, update)| is_pending(*id, update.asset)).map(|(_, update)| update.interval);
        let interval = intervals.reduce(Interval::spanning).unwrap_or_else(|| Interval::at(now.to_utc()));
        let of_pipeline = self.runs.iter().filter(|followed| Arc::ptr_eq(&followed.plan, plan)).count();
        let mut updates: Vec<RunUpdate> = Vec::new();
        for (id, update) in all {
            updates.retain(|older| older.asset != update.asset);
            let begins = pending.iter().any(|of| of.asset == update.asset);
            updates.push(RunUpdate { id: Some(id), asset: update.asset, begins, json: Some(Arc::clone(&update.json)) });
        }
        let info = RunInfo::new(plan.pipeline, run_id(&interval, of_pipeline), interval, plan.params.clone());
        let mut info = RunInfo {
            began: Some(now.to_utc()),
            updates: updates.into(),
            settings: self.settings.clone(),
            simulated: self.simulated.clone(),
            ..info
        };
        info.of_schedule(RunKind::AssetTriggered, plan.schedule.as_ref());
        RunSpec { plan: Arc::clone(plan), info: Arc::new(info), sla_from: now, seed: self.seed, key: 0 }
    }

    /// Collects the updates so far, from outside and by runs.
    fn collect_updates(&mut self, engine: &Engine, now: Timestamp) {
        let mut new_updates = Vec::new();
        while let Some((_, timed)) = self.due.pop_front_if(|(at, _)| *at <= now) {
            new_updates.push(AssetUpdate { asset: timed.asset.name, interval: Interval::at(now.to_utc()), json: timed.json });
        }
        for followed in self.runs.iter_mut().filter(|followed| !followed.plan.assets.updates.is_empty()) {
            let entries = engine.entries_from(followed.run, followed.read);
            for entry in &entries {
                let Record::Succeeded { slot, output: Some(output) } = &entry.record else { continue };
                for (_, asset) in followed.plan.updated_at(*slot) {
                    // The output can be written, as its node would have failed otherwise.
                    let json = output.value.encode(usize::MAX).unwrap_or_default().into();
                    new_updates.push(AssetUpdate { asset: asset.name, interval: followed.interval, json });
                }
            }
            followed.read += entries.len();
        }
        for update in new_updates {
            let asset = update.asset;
            self.updates.push(update);
            let id = i64::try_from(self.updates.len()).unwrap_or(i64::MAX);
            self.waiting.iter_mut().for_each(|waiting| waiting.condition.record_update(asset, id));
        }
    }
}

/// True if a run has ended and all its notifications are delivered.
pub(super) fn is_over(engine: &Engine, run: RunIx) -> bool {
    engine.look(run, Run::is_over).unwrap_or(true)
}

/// The report of a run.
pub(super) fn report(plan: Arc<Plan>, run: RunIx, engine: &Engine, start: Timestamp) -> RunReport {
    let history = RunHistory::of(plan, start, &engine.entries(run));
    let outputs = engine.look(run, |run| run.nodes().iter().map(|node| node.value().cloned()).collect()).unwrap_or_default();
    RunReport::new(history, outputs)
}
