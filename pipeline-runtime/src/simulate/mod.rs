//! Simulations: whole runs on virtual time, in milliseconds, by the engine that runs in production.
//!
//! # Invariants
//!
//! - What a simulation polls, it polls within its own world: buckets that a body or a callback opens are the simulation's.
//! - I/O that blocks is counted ([`World::aside`]), and so is what waits [`Outside`], so that an instant is not over before its I/O is.
//!   (`tests/sensors`, `tests/alerts`, `tests/simulation/outside.rs`)
//! - Before time passes, a body that waits for something that nobody counts has a moment of real time (`interceptor/grace.rs`): what it
//!   waits for may be a socket.

mod error;
mod interceptor;
mod intervention;
#[cfg(test)]
mod limits;
mod others;
mod settings;
mod stubs;
#[cfg(test)]
mod tests;
mod together;
mod updates;
#[cfg(any(feature = "cli", feature = "dashboard"))]
pub(crate) mod what_if;

pub use error::SimulationError;
pub use others::OtherRun;

use crate::author::across::PipelineRef;
use crate::author::asset::Asset;
use crate::author::context::{RunInfo, Simulated};
use crate::author::pipeline::Pipeline;
use crate::author::previous::Previous;
use crate::author::redaction;
use crate::author::secret::Secret;
use crate::author::setting::{self, SetTo, Setting};
use crate::author::value::{Data, Value};
use crate::engine::{Edit, Engine, EngineOptions, Interceptor, OtherRuns, RunSpec, RunState};
use crate::journal::MemoryJournal;
use crate::observe::RunReport;
use crate::plan::Plan;
use crate::schedule::{Interval, RunKind, Schedule, Zone, interval_of, parse_date};
use crate::storage::{Latency, World};
use crate::time::{Clock, Outside, Timestamp};
use chrono::SecondsFormat;
use interceptor::Bodies;
use intervention::{Intervention, Interventions};
use others::{GivenRun, SimulatedRuns};
use pipeline_syntax::suggest;
use settings::Given;
use std::collections::HashSet;
use std::sync::{Arc, mpsc};
use std::time::Duration;
use stubs::{GivenStub, Stubs};
use together::{Together, is_over, report};
use updates::{Begin, Timed, Update};

/// A run of a pipeline on virtual time.
///
/// The real engine runs the real bodies, on a paused clock, with a journal in memory. Hours of waiting take milliseconds, and
/// the same simulation always ends the same. The clock starts at the data interval's end, or without a schedule at the logical
/// date. Buckets at `memory://` are the simulation's own and empty; I/O of buckets takes no virtual time, and objects written
/// have virtual modification times.
///
/// # Sockets, databases and programs
///
/// A body that uses `tokio::net`, `tokio::process`, `reqwest` or `sqlx` runs in a simulation as it does elsewhere. Where it waits for
/// them by [`ctx.outside(..)`](crate::Context::outside), the virtual clock stands still until they have answered, and the simulation stays
/// repeatable as far as they are. So it does for a bucket, a [`Webhook`](crate::Webhook) and a task that is not `async`.
///
/// Without that the simulation cannot tell a body that waits for a socket from one that waits for time to pass. Each time
/// such a body goes to wait, the clock stands still for 20 ms of real time: what has answered by then took no virtual time, and what
/// takes longer is overtaken by the next timer, if there is one. A body that sleeps takes these 20 ms, too.
///
/// [`stub`](Self::stub) answers in a body's stead, `simulate --stub NODE=JSON` on the command line.
///
/// It has a runtime and a clock of its own. Within a runtime of tokio, as in a `#[tokio::test]`, it runs on a thread of its own and blocks
/// the caller until it has ended; what the caller's runtime is to do meanwhile, a runtime of one thread cannot.
///
/// ```
/// use pipeline_runtime::prelude::*;
/// use pipeline_runtime::{RunState, Simulation};
/// use std::time::Duration;
///
/// #[sensor(timeout = "10m", poke = "45s")]
/// async fn export(bucket: Bucket, key: String) -> Result<Poke<Object>> {
///     Ok(bucket.head(&key).await?.into())
/// }
///
/// #[pipeline]
/// fn nightly() -> Result<()> {
///     export(Bucket::open("memory://data")?, "export.json");
///     Ok(())
/// }
///
/// let report = Simulation::new(nightly()).arrive("7m", "memory://data/export.json", "{}").run();
/// assert_eq!(report.state(), RunState::Success);
/// assert_eq!(report.node("export").pokes(), 11);
/// assert_eq!(report.node("export").finished(), Some(Duration::from_secs(450)));
/// ```
#[derive(Debug)]
#[must_use = "nothing happens before `run`"]
pub struct Simulation<'a> {
    scenario: Scenario,
    /// What [`at`](Self::at) was given, until it is called.
    calls: Vec<Option<Call<'a>>>,
}

/// What a simulation was given, but what it calls of its caller's, so that it may go to another thread.
#[derive(Debug)]
struct Scenario {
    pipeline: Pipeline,
    params: Result<serde_json::Value, serde_json::Error>,
    logical_date: Option<String>,
    previous: Option<String>,
    kind: Option<RunKind>,
    seed: u64,
    sends_alerts: bool,
    interventions: Vec<(String, Intervention)>,
    faults: Vec<Fault>,
    stubs: Vec<GivenStub>,
    updates: Vec<Update>,
    beside: Vec<Pipeline>,
    secrets: Vec<Secret>,
    settings: Vec<Given>,
}

/// A closure of the caller's, which may be no `Send`.
struct Call<'a>(Box<dyn FnOnce() + 'a>);

impl std::fmt::Debug for Call<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Call")
    }
}

#[derive(Debug)]
enum Fault {
    Latency { bucket: String, latency: String },
    Outage { bucket: String, from: String, until: String },
}

/// After so much virtual time a run that waits for nothing that could come is given up.
const HORIZON: Duration = Duration::from_hours(400 * 24);
/// The logical date where neither the simulation nor the pipeline's `start` says another: a simulation is the same every day.
const LOGICAL_DATE: &str = "2024-01-01";

impl<'a> Simulation<'a> {
    /// Of one run of `pipeline`, with its default params.
    pub fn new(pipeline: Pipeline) -> Self {
        let scenario = Scenario {
            pipeline,
            params: Ok(serde_json::Value::Null),
            logical_date: None,
            previous: None,
            kind: None,
            seed: 0,
            sends_alerts: false,
            interventions: Vec::new(),
            faults: Vec::new(),
            stubs: Vec::new(),
            updates: Vec::new(),
            beside: Vec::new(),
            secrets: Vec::new(),
            settings: Vec::new(),
        };
        Self { scenario, calls: Vec::new() }
    }

    /// With these params, read as `run` reads them from a file: keys that are left out have their default. So has a field that the
    /// value does not write as JSON; give that one by `serde_json::json!`.
    pub fn params(mut self, params: impl serde::Serialize) -> Self {
        self.scenario.params = serde_json::to_value(params);
        self
    }

    /// As if the setting were set to that: `.setting(&LIMIT, 200)`. Without it, a setting has its default, whatever is set in a journal.
    pub fn setting<T: Data>(mut self, setting: &'static Setting<T>, value: T) -> Self {
        let to = setting::as_json(&Value::new(value)).map(SetTo::Json);
        self.scenario.settings.push(Given { name: setting.name().to_owned(), to });
        self
    }

    /// The same by its name, and as `settings set` reads it.
    #[cfg(feature = "cli")]
    pub(crate) fn setting_text(mut self, name: &str, text: &str) -> Self {
        self.scenario.settings.push(Given { name: name.to_owned(), to: Ok(SetTo::Text(text.to_owned())) });
        self
    }

    /// As if that were the secret's value: `.secret(&KEY, "s3cr3t")`. Without it, a secret has the value that it has in this process. One
    /// that is given as a param is told by its reference, too: `.secret(&Secret::env("PORTAL_KEY"), "s3cr3t")`.
    ///
    /// The value is replaced by `***` in the errors and log lines of all tests of this process: take one that is in no other text.
    pub fn secret(mut self, secret: &Secret, value: &str) -> Self {
        redaction::hide(value);
        self.scenario.secrets.push(secret.with(value.into()));
        self
    }

    /// For the data interval that starts on that day, `2024-03-25`, in the pipeline's zone, or that contains that time,
    /// `2024-03-25T06:00:00Z`.
    ///
    /// Without it: the first interval that starts at or after the pipeline's `start`, else 2024-01-01.
    pub fn logical_date(mut self, date: &str) -> Self {
        self.scenario.logical_date = Some(date.to_owned());
        self
    }

    /// As if the run of that logical date had been the last to succeed before this one, and had begun at its interval's end.
    pub fn previous_success(mut self, date: &str) -> Self {
        self.scenario.previous = Some(date.to_owned());
        self
    }

    /// As if that had made the run. Else it is the updates that began it, its schedule, or of a pipeline without either, somebody.
    pub fn kind(mut self, kind: RunKind) -> Self {
        self.scenario.kind = Some(kind);
        self
    }

    /// What all jitter and all random latencies are drawn from; 0 unless given.
    pub fn seed(mut self, seed: u64) -> Self {
        self.scenario.seed = seed;
        self
    }

    /// Really sends what a [`Webhook`](crate::Webhook) or a `Mail` is told; else it takes it that somebody was told, whatever the environment says.
    pub fn send_alerts(mut self) -> Self {
        self.scenario.sends_alerts = true;
        self
    }

    /// After `when` from the run's start, before anything else that happens then, an object arrives: `memory://BUCKET/KEY`, or
    /// `file:///PATH`.
    pub fn arrive(mut self, when: &str, url: &str, body: impl Into<Vec<u8>>) -> Self {
        self.scenario.interventions.push((when.to_owned(), Intervention::Arrive { url: url.to_owned(), body: body.into() }));
        self
    }

    /// After `when` from the simulation's start the asset is updated.
    ///
    /// A pipeline with `when` begins its run once that holds, with the newest update of each asset; all times, also in the report, still count
    /// from the simulation's start. Without any update it begins at once, as if somebody had asked for the run. Any other pipeline reads what
    /// was there as its run began: give it at `0s`.
    ///
    /// ```
    /// use pipeline_runtime::prelude::*;
    /// use pipeline_runtime::Simulation;
    /// use std::time::Duration;
    ///
    /// static VISITS: Asset<u64> = Asset::external("visits");
    /// static PROCESSES: Asset<u64> = Asset::external("processes");
    ///
    /// #[task]
    /// async fn build(visits: u64, processes: u64) -> Result<u64> {
    ///     Ok(visits + processes)
    /// }
    ///
    /// #[pipeline(when = all(VISITS, PROCESSES))]
    /// fn model() {
    ///     build(VISITS.latest(), PROCESSES.latest());
    /// }
    ///
    /// let report = Simulation::new(model())
    ///     .updated("3m", &VISITS, 1)
    ///     .updated("4m", &VISITS, 2)
    ///     .updated("5m", &PROCESSES, 40)
    ///     .run();
    /// assert_eq!(report.node("build").started(), Some(Duration::from_mins(5)));
    /// assert_eq!(report.output::<u64>("build"), Some(42));
    /// ```
    pub fn updated<T: Data>(mut self, when: &str, asset: &'static Asset<T>, value: T) -> Self {
        let json = Value::new(value).encode(usize::MAX).map(Into::into);
        self.scenario.updates.push(Update { when: when.to_owned(), asset: updates::Named::Asset(asset.spec()), json });
        self
    }

    /// As [`updated`](Self::updated), with the asset by its name and the value as JSON.
    #[cfg(feature = "cli")]
    pub(crate) fn updated_json(mut self, when: &str, asset: &str, value: &serde_json::Value) -> Self {
        // Plain JSON, which can be written.
        let json = Ok(serde_json::to_vec(value).unwrap_or_default().into());
        self.scenario.updates.push(Update { when: when.to_owned(), asset: updates::Named::Text(asset.to_owned()), json });
        self
    }

    /// With these pipelines beside it, which wait for assets: the runs that updates begin are simulated, too, at their time and in the same buckets,
    /// and so are those that their own updates begin. [`RunReport::begun`] has them. A [`stub`](Self::stub) and a [`fail`](Self::fail) name their nodes with
    /// the pipeline, `visits_model/build`; what else of runs and nodes a simulation is given is about its own pipeline.
    ///
    /// ```
    /// use pipeline_runtime::prelude::*;
    /// use pipeline_runtime::Simulation;
    ///
    /// static VISITS: Asset<u64> = Asset::new("visits");
    ///
    /// #[task] async fn count() -> Result<u64> { Ok(41) }
    /// #[task] async fn build(visits: u64) -> Result<u64> { Ok(visits + 1) }
    ///
    /// #[pipeline(schedule = "@daily")] fn visits_export() { count().updates(&VISITS); }
    /// #[pipeline(when = all(VISITS))] fn visits_model() { build(VISITS.latest()); }
    ///
    /// let report = Simulation::new(visits_export()).beside([visits_model()]).run();
    /// let [model] = report.begun() else { panic!("one run was begun") };
    /// assert_eq!((model.pipeline(), model.output::<u64>("build")), ("visits_model", Some(42)));
    /// ```
    pub fn beside(mut self, pipelines: impl IntoIterator<Item = Pipeline>) -> Self {
        self.scenario.beside.extend(pipelines);
        self
    }

    /// Calls `what` after `when` from the run's start, before anything else that happens then.
    pub fn at<R>(mut self, when: &str, what: impl FnOnce() -> R + 'a) -> Self {
        let call = Box::new(move || {
            what();
        });
        self.scenario.interventions.push((when.to_owned(), Intervention::Call(self.calls.len())));
        self.calls.push(Some(Call(call)));
        self
    }

    /// After `when` from the run's start, before anything else that happens then, a run of another pipeline has ended so: for
    /// [`run_of`](crate::run_of). The pipeline is named by its function, and the run is that of the same data interval, unless
    /// [`OtherRun::starting`] says another.
    pub fn ran(mut self, when: &str, pipeline: impl PipelineRef, run: impl Into<OtherRun>) -> Self {
        let given = Box::new(GivenRun::new(pipeline, run));
        self.scenario.interventions.push((when.to_owned(), Intervention::Ran(given)));
        self
    }

    /// After `when` a node has passed in the previous scheduled run: for [`depends_on_past`](macro@crate::task). Without it each node has passed there
    /// before this run begins.
    ///
    /// ```
    /// use pipeline_runtime::prelude::*;
    /// use pipeline_runtime::Simulation;
    /// use std::time::Duration;
    ///
    /// #[task(depends_on_past = true)] async fn load() -> Result<u64> { Ok(1) }
    /// #[pipeline(schedule = "@hourly")] fn hourly() { load(); }
    ///
    /// let report = Simulation::new(hourly()).passed_before("12m", "load").run();
    /// assert_eq!(report.node("load").started(), Some(Duration::from_mins(12)));
    /// ```
    pub fn passed_before(mut self, when: &str, node: &str) -> Self {
        self.scenario.interventions.push((when.to_owned(), Intervention::Passed(node.to_owned())));
        self
    }

    /// Cancels the run after `when`.
    pub fn cancel(mut self, when: &str) -> Self {
        self.scenario.interventions.push((when.to_owned(), Intervention::Edit(Edit::Cancel)));
        self
    }

    /// Tries a node again that has ended by then, as `retry` on the command line does; with `downstream`, all that depends on
    /// it too. After a retry that changed a mapping's list, elements match by key, or without keys by index, and surplus ones are `removed`.
    pub fn retry(mut self, when: &str, id: &str, downstream: bool) -> Self {
        self.scenario
            .interventions
            .push((when.to_owned(), Intervention::Edit(Edit::Retry { nodes: vec![id.to_owned()], downstream })));
        self
    }

    /// The node ends as skipped after `when`, as `skip` on the command line has it: whether it waits, is under way or has failed.
    pub fn skip(mut self, when: &str, id: &str) -> Self {
        self.scenario.interventions.push((when.to_owned(), Intervention::Edit(Edit::Skip { node: id.to_owned() })));
        self
    }

    /// The node succeeds with `value` at once; its body is not called. `upload` stands for all elements, `upload[3]` for one. A node of a pipeline
    /// [beside](Self::beside) is named with it, `visits_model/build`.
    pub fn stub<T: Data>(mut self, id: &str, value: T) -> Self {
        self.scenario.stubs.push(GivenStub::value(id, value));
        self
    }

    /// As [`stub`](Self::stub), with the value as JSON.
    #[cfg(feature = "cli")]
    pub(crate) fn stub_json(mut self, id: &str, value: serde_json::Value) -> Self {
        self.scenario.stubs.push(GivenStub::json(id, value));
        self
    }

    /// The node's attempt of that number, from 1, fails with `error`; its body is not called. Nodes are named as those of [`stub`](Self::stub).
    pub fn fail(mut self, id: &str, attempt: u32, error: &str) -> Self {
        self.scenario.stubs.push(GivenStub::failure(id, attempt, error));
        self
    }

    /// Each operation on the bucket takes that long, `2s`, or a random time of a range, `50ms..2s`, drawn from the [seed](Self::seed).
    ///
    /// ```
    /// use pipeline_runtime::prelude::*;
    /// use pipeline_runtime::sensors::key_exists;
    /// use pipeline_runtime::{RunReport, Simulation};
    ///
    /// /// The first region that has the file.
    /// #[pipeline]
    /// fn nearest() -> Result<()> {
    ///     let export = |region: &str| Ok::<_, TaskError>(key_exists(Bucket::open(&format!("memory://{region}"))?, "export").named(region));
    ///     first_of([export("east")?, export("west")?]);
    ///     Ok(())
    /// }
    ///
    /// let simulation = |seed| {
    ///     let there = Simulation::new(nearest()).arrive("0s", "memory://east/export", "").arrive("0s", "memory://west/export", "");
    ///     there.latency("memory://east", "1s..3s").latency("memory://west", "1s..3s").seed(seed).run()
    /// };
    /// let winner = |report: RunReport| report.output::<Object>("first_of").map(|object| object.bucket);
    /// let winners: Vec<_> = (0..20).map(|seed| winner(simulation(seed))).collect();
    /// assert!(winners.contains(&Some("east".into())) && winners.contains(&Some("west".into())));
    /// assert_eq!(winner(simulation(7)), winners[7], "the same seed, the same run");
    /// ```
    pub fn latency(mut self, bucket: &str, latency: &str) -> Self {
        self.scenario.faults.push(Fault::Latency { bucket: bucket.to_owned(), latency: latency.to_owned() });
        self
    }

    /// Operations on the bucket fail, as if the network did, from one offset from the run's start until just before another. May be
    /// given several times.
    pub fn outage(mut self, bucket: &str, from: &str, until: &str) -> Self {
        self.scenario.faults.push(Fault::Outage { bucket: bucket.to_owned(), from: from.to_owned(), until: until.to_owned() });
        self
    }

    /// Runs it to its end.
    ///
    /// # Panics
    ///
    /// Where the simulation itself is wrong: a plan with mistakes, a date or duration that is none, an id that no node has. Its
    /// message says so; [`try_run`](Self::try_run) returns it.
    #[track_caller]
    pub fn run(self) -> RunReport {
        match self.try_run() {
            Ok(report) => report,
            Err(error) => panic!("this simulation cannot be run: {error}"),
        }
    }

    /// Runs it to its end.
    ///
    /// # Errors
    ///
    /// Where the simulation itself is wrong: a plan with mistakes, a date or duration that is none, an id that no node has.
    pub fn try_run(self) -> Result<RunReport, SimulationError> {
        let Self { scenario, mut calls } = self;
        let mut call = |number: usize| {
            if let Some(Call(call)) = calls.get_mut(number).and_then(Option::take) {
                call();
            }
        };
        if tokio::runtime::Handle::try_current().is_ok() { scenario.run_aside(call) } else { scenario.run(&mut call) }
    }
}

impl Scenario {
    /// Runs it on this thread. `call` makes the call of that number.
    fn run(self, call: &mut dyn FnMut(usize)) -> Result<RunReport, SimulationError> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build();
        let runtime = runtime.map_err(SimulationError::Runtime)?;
        runtime.block_on(self.simulate(call))
    }

    /// Runs it on a thread of its own, as no runtime can be entered within another, and calls on this one.
    fn run_aside(self, mut call: impl FnMut(usize)) -> Result<RunReport, SimulationError> {
        let (ask, asked) = mpsc::channel::<usize>();
        let (answer, answered) = mpsc::channel::<()>();
        std::thread::scope(|scope| {
            // Dropped here where a call panics: the other thread waits for an answer, and the scope for that thread.
            let answer = answer;
            let aside = std::thread::Builder::new().name("simulation".into()).spawn_scoped(scope, move || {
                self.run(&mut |number| {
                    // Whoever asks waits; if this thread's counterpart has panicked, nothing is left to call.
                    if ask.send(number).is_ok() {
                        let _ = answered.recv();
                    }
                })
            });
            let aside = aside.map_err(SimulationError::Runtime)?;
            // Ends when the simulation does, as that drops `ask`.
            for number in asked {
                call(number);
                let _ = answer.send(());
            }
            aside.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        })
    }

    async fn simulate(self, call: &mut dyn FnMut(usize)) -> Result<RunReport, SimulationError> {
        let interval = self.interval()?;
        let clock = Clock::starting_at(interval.end);
        let start = clock.now();
        let world = World::simulated(Arc::new(move || clock.now().to_utc()), self.sends_alerts);
        let params = self.params.map_err(|error| SimulationError::Params(error.to_string()))?;
        let plan = Arc::new(world.enter(|| self.pipeline.plan(&params))?.check_upstream()?);
        for (fault, number) in self.faults.into_iter().zip(0..) {
            // So that two buckets do not draw the same.
            fault.install(&world, start, self.seed.wrapping_add(number))?;
        }
        let previous =
            self.previous.as_deref().map(|date| dated(plan.schedule.as_ref(), self.pipeline.zone(), date)).transpose()?;
        let outside = Outside::of_this_runtime();
        let mut interventions = Interventions::new(self.interventions, start)?;
        #[cfg(feature = "cli")]
        interventions.ran().try_for_each(|given| given.check(&plan))?;
        let mut together = Together::new(&self.beside, &world, self.seed)?;
        let beside: Vec<&Plan> = together.plans().collect();
        let stubs = Stubs::read(self.stubs, &plan, &beside)?;
        let bodies = Arc::new(Bodies::new(stubs, self.secrets.clone(), world.clone(), outside.clone()));
        let given = Timed::all(self.updates, &plan, &beside)?;
        let Begin { after, updates, warnings } = Begin::of(&plan, &beside, &given)?;
        let begin = start + after;
        let settings = settings::values(self.settings, std::iter::once(&*plan).chain(together.plans()))?;

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
        // Before the run: what arrives at zero is there at the first poke.
        interventions.run_due(&world, &others, &engine, None, clock.now(), call).await?;
        together.expect(given, start);
        together.simulated(spec.info.simulated.clone(), settings);
        while clock.now() < begin {
            engine.step().await;
            together.go_on(&engine, clock.now()).await;
            let next = interventions.next().into_iter().chain(together.next()).filter(|next| *next > clock.now()).min();
            engine.pass_time(next.unwrap_or(begin).min(begin)).await;
            interventions.run_due(&world, &others, &engine, None, clock.now(), call).await?;
        }
        let run = engine.start(spec.clone());
        together.begun(&spec, run);
        loop {
            interventions.run_due(&world, &others, &engine, Some(run), clock.now(), call).await?;
            engine.step().await;
            together.go_on(&engine, clock.now()).await;
            if is_over(&engine, run) && interventions.is_empty() && together.is_over(&engine) {
                break;
            }
            let until = interventions.next().into_iter().chain(together.next()).min().unwrap_or(Timestamp::NEVER);
            if clock.now().since(start) >= HORIZON {
                break;
            }
            engine.pass_time(until.min(start + HORIZON)).await;
        }
        let (report, beside) = (report(plan, run, &engine, start), together.reports(&engine, start));
        let warnings = warnings.into_iter().chain(world.unmet_faults().map(|unmet| unmet.to_string()));
        let warnings = warnings
            .chain(bodies.stubs().unmet(&std::iter::once(&report).chain(&beside).collect::<Vec<_>>()))
            .chain(others.unmet())
            .chain(untold(&report, &others, &spec))
            .chain(world.unmet_arrivals(interventions.arrived()));
        let warnings = warnings.chain(outside.end().into_iter().map(|node| {
            format!("`{node}` waited outside for more than 5 minutes of real time, after which the virtual clock went on")
        }));
        Ok(report.warned(warnings).with_begun(beside))
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

/// What a run needed that did not succeed, and the simulation was not told of. Where all went well it was meant to be missing.
fn untold(report: &RunReport, others: &SimulatedRuns, spec: &RunSpec) -> Vec<String> {
    match report.state() {
        RunState::Success => Vec::new(),
        _ => others.untold().into_iter().chain(updates::without(&spec.plan, &spec.info.updates)).collect(),
    }
}

/// The nodes that pass later in the previous scheduled run.
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

/// The id of a simulated run about that interval, before which there were so many of its pipeline.
fn run_id(interval: &Interval, earlier: usize) -> String {
    let number = if earlier == 0 { String::new() } else { format!("__{}", earlier + 1) };
    format!("simulated__{}{number}", interval.start.to_rfc3339_opts(SecondsFormat::AutoSi, true))
}

fn dated(schedule: Option<&Schedule>, zone: Zone, date: &str) -> Result<Interval, SimulationError> {
    interval_of(schedule, zone, date).map_err(|error| SimulationError::Date(error.to_string()))
}

fn duration(text: &str) -> Result<Duration, SimulationError> {
    let refuse = |reason| SimulationError::Duration { text: text.to_owned(), reason };
    pipeline_syntax::duration::parse(text, pipeline_syntax::duration::Zero::Allowed).map_err(refuse)
}

impl Fault {
    fn install(self, world: &World, start: Timestamp, seed: u64) -> Result<(), SimulationError> {
        match self {
            Self::Latency { bucket, latency } => {
                let (least, most) = latency.split_once("..").unwrap_or((&latency, &latency));
                let (least, most) = (duration(least)?, duration(most)?);
                if most < least {
                    return Err(SimulationError::Range { text: latency });
                }
                world.latency(&bucket, Latency::between(least, most, seed))?;
            }
            Self::Outage { bucket, from, until } => {
                let (begins, ends) = (duration(&from)?, duration(&until)?);
                if ends <= begins {
                    return Err(SimulationError::Range { text: format!("{from}..{until}") });
                }
                let (from, until) = (start + begins, start + ends);
                world.outage(&bucket, from.to_utc(), until.to_utc())?;
            }
        }
        Ok(())
    }
}
