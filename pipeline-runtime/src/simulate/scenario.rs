//! A simulation as it was configured, and how it is run.

use super::beside::{PipelinesBeside, report};
use super::fault::Fault;
use super::interceptor::Bodies;
use super::intervention::{Intervention, Interventions};
use super::others::SimulatedRuns;
use super::settings::{self, SettingOverride};
use super::stage::Stage;
use super::stubs::{StubSpec, Stubs};
use super::updates::{self, TimedUpdate, Update, UpdateEffect};
use super::{SimulationError, run_id};
use crate::author::context::{RunInfo, Simulated};
use crate::author::pipeline::Pipeline;
use crate::author::previous::Previous;
use crate::author::secret::Secret;
use crate::engine::{Engine, EngineOptions, Interceptor, OtherRuns, RunSpec, RunState};
use crate::journal::MemoryJournal;
use crate::observe::RunReport;
use crate::plan::Plan;
use crate::schedule::{Interval, RunKind, Schedule, Zone, interval_of, parse_date};
use crate::storage::World;
use crate::time::{Clock, Outside};
use pipeline_syntax::suggest;
use std::collections::HashSet;
use std::sync::{Arc, mpsc};

/// The logical date if neither the simulation nor the pipeline's `start` sets one. It is fixed, so that a simulation is the same
/// every day.
const LOGICAL_DATE: &str = "2024-01-01";

/// The simulation's settings without the caller's closures, so that they can be sent to another thread.
#[derive(Debug)]
pub(super) struct Scenario {
    pub(super) pipeline: Pipeline,
    pub(super) params: Result<serde_json::Value, serde_json::Error>,
    pub(super) logical_date: Option<String>,
    pub(super) previous: Option<String>,
    pub(super) kind: Option<RunKind>,
    pub(super) seed: u64,
    pub(super) sends_alerts: bool,
    pub(super) interventions: Vec<(String, Intervention)>,
    pub(super) faults: Vec<Fault>,
    pub(super) stubs: Vec<StubSpec>,
    pub(super) updates: Vec<Update>,
    pub(super) beside: Vec<Pipeline>,
    pub(super) secrets: Vec<Secret>,
    pub(super) settings: Vec<SettingOverride>,
}

impl Scenario {
    /// Runs it on this thread. `call` calls the closure with that number.
    pub(super) fn run(self, call: &mut dyn FnMut(usize)) -> Result<RunReport, SimulationError> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build();
        let runtime = runtime.map_err(SimulationError::Runtime)?;
        runtime.block_on(self.simulate(call))
    }

    /// Runs it on another thread, as a runtime cannot be entered within another, and calls the closures on this one.
    pub(super) fn run_aside(self, mut call: impl FnMut(usize)) -> Result<RunReport, SimulationError> {
        let (ask, asked) = mpsc::channel::<usize>();
        let (answer, answered) = mpsc::channel::<()>();
        std::thread::scope(|scope| {
            // Moved here, so that it is dropped if a closure panics: the other thread waits for an answer, and the scope for that
            // thread.
            let answer = answer;
            let aside = std::thread::Builder::new().name("simulation".into()).spawn_scoped(scope, move || {
                self.run(&mut |number| {
                    // This thread waits for the answer. If the caller's thread has panicked, there is nothing left to call.
                    if ask.send(number).is_ok() {
                        let _ = answered.recv();
                    }
                })
            });
            let aside = aside.map_err(SimulationError::Runtime)?;
            // Ends with the simulation, which drops `ask`.
            for number in asked {
                call(number);
                let _ = answer.send(());
            }
            aside.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        })
    }

    /// One run from its inputs to its report, in the order in which it happens.
    async fn simulate(self, call: &mut dyn FnMut(usize)) -> Result<RunReport, SimulationError> {
        let interval = self.interval()?;
        let clock = Clock::starting_at(interval.end);
        let start = clock.now();
        let world = World::simulated(Arc::new(move || clock.now().to_utc()), self.sends_alerts);
        let params = self.params.map_err(|error| SimulationError::Params(error.to_string()))?;
        let plan = Arc::new(world.enter(|| self.pipeline.plan(&params))?.check_upstream()?);
        for (fault, number) in self.faults.into_iter().zip(0..) {
            // A different seed for each, so that two buckets do not draw the same latencies.
            fault.install(&world, start, self.seed.wrapping_add(number))?;
        }
        let previous =
            self.previous.as_deref().map(|date| dated(plan.schedule.as_ref(), self.pipeline.zone(), date)).transpose()?;
        let outside = Outside::of_this_runtime();
        let interventions = Interventions::new(self.interventions, start)?;
        #[cfg(feature = "cli")]
        interventions.scripted_runs().try_for_each(|run| run.check(&plan))?;
        let beside = PipelinesBeside::new(&self.beside, &world, self.seed)?;
        let beside_plans: Vec<&Plan> = beside.plans().collect();
        let stubs = Stubs::read(self.stubs, &plan, &beside_plans)?;
        let bodies = Arc::new(Bodies::new(stubs, self.secrets.clone(), world.clone(), outside.clone()));
        let given = TimedUpdate::all(self.updates, &plan, &beside_plans)?;
        let UpdateEffect { after, updates, warnings } = UpdateEffect::of(&plan, &beside_plans, &given)?;
        let begin = start + after;
        let settings = settings::values(self.settings, std::iter::once(&*plan).chain(beside.plans()))?;

        let options = EngineOptions { clock, parallelism: crate::plan::DEFAULT_PARALLELISM, check_outputs: true, observer: None };
        let engine = Engine::new(Box::new(MemoryJournal::default()), options, Some(Arc::clone(&bodies) as Arc<dyn Interceptor>));
        let not_passed = past_nodes(&plan, &interventions)?;
        let others = Arc::new(SimulatedRuns::new(interval, not_passed));
        engine.ask_of_others(Arc::clone(&others) as Arc<dyn OtherRuns>);
        let run_id = run_id(&interval, 0);
        let kind = self.kind.unwrap_or(match &plan.schedule {
            _ if updates.iter().any(|update| update.begins) => RunKind::AssetTriggered,
            Some(_) => RunKind::Scheduled,
            None => RunKind::Manual,
        });
        let mut info = RunInfo {
            previous: previous.map(|interval| Previous { interval, began: Some(interval.end) }).into(),
            began: Some(begin.to_utc()),
            updates,
            settings: settings.clone(),
            simulated: Some(Arc::new(Simulated { outside: outside.clone(), secrets: self.secrets })),
            ..RunInfo::new(plan.pipeline, run_id, interval, plan.params.clone())
        };
        info.of_schedule(kind, plan.schedule.as_ref());
        let spec = RunSpec { plan: Arc::clone(&plan), info: Arc::new(info), sla_from: begin, seed: self.seed, key: 0 };
        let mut stage = Stage { clock, start, world, engine, others, interventions, beside };
        // Before the run: an object that arrives at zero exists at the first poke.
        stage.intervene(None, call).await?;
        stage.beside.schedule_updates(given, start);
        stage.beside.set_simulated(spec.info.simulated.clone(), settings);
        stage.wait_for(begin, call).await?;
        let run = stage.engine.start(spec.clone());
        stage.beside.follow(&spec, run);
        stage.run_to_end(run, call).await?;
        let Stage { world, engine, others, interventions, beside, .. } = stage;
        let (report, reports_beside) = (report(plan, run, &engine, start), beside.reports(&engine, start));
        let warnings = warnings.into_iter().chain(world.unmet_faults().map(|unmet| unmet.to_string()));
        let warnings = warnings
            .chain(bodies.stubs().unused(&std::iter::once(&report).chain(&reports_beside).collect::<Vec<_>>()))
            .chain(others.unused_runs())
            .chain(missing_inputs(&report, &others, &spec))
            .chain(world.unmet_arrivals(interventions.arrived()));
        let warnings = warnings.chain(outside.end().into_iter().map(|node| {
            format!("`{node}` waited outside for more than 5 minutes of real time, after which the virtual clock continued")
        }));
        Ok(report.with_warnings(warnings).with_begun(reports_beside))
    }

    fn interval(&self) -> Result<Interval, SimulationError> {
        let options = self.pipeline.options();
        let zone = self.pipeline.zone();
        let refused = |error: &dyn std::fmt::Display| SimulationError::Date(error.to_string());
        let schedule = options.timetable().map_err(|error| refused(&error))?;
        if let Some(date) = &self.logical_date {
            return dated(schedule.as_ref(), zone, date);
        }
        let date = parse_date(options.start.unwrap_or(LOGICAL_DATE), zone).map_err(|error| refused(&error))?;
        Ok(schedule.and_then(|schedule| schedule.interval_starting_at_or_after(date)).unwrap_or(Interval::at(date)))
    }
}

/// Warnings about what an unsuccessful run needed and the simulation was not given. If the run succeeded, it was missing on
/// purpose.
fn missing_inputs(report: &RunReport, others: &SimulatedRuns, spec: &RunSpec) -> Vec<String> {
    match report.state() {
        RunState::Success => Vec::new(),
        _ => others.missing_runs().into_iter().chain(updates::missing_updates(&spec.plan, &spec.info.updates)).collect(),
    }
}

/// The nodes that have not passed in the previous scheduled run yet, but will.
fn past_nodes(plan: &Plan, interventions: &Interventions) -> Result<HashSet<Box<str>>, SimulationError> {
    let known: Vec<&str> = plan.depending_on_past().collect();
    let mut nodes = HashSet::new();
    for node in interventions.passing() {
        if !known.contains(&node) {
            return Err(SimulationError::NoPast { id: node.to_owned(), known: suggest::list(&known) });
        }
        nodes.insert(node.into());
    }
    Ok(nodes)
}

fn dated(schedule: Option<&Schedule>, zone: Zone, date: &str) -> Result<Interval, SimulationError> {
    interval_of(schedule, zone, date).map_err(|error| SimulationError::Date(error.to_string()))
}
