//! Simulations: whole runs on virtual time, in milliseconds, on the engine that runs in production.
//!
//! # Invariants
//!
//! - A simulation polls everything within its own world: buckets that a body or a callback opens are the simulation's.
//! - Blocking I/O is counted (`World::aside`), and so is waiting `Outside`, so that the clock does not advance before the I/O of
//!   an instant is done. (`tests/sensors`, `tests/alerts`, `tests/simulation/outside.rs`)
//! - Before time passes, a body whose wait is not counted gets a moment of real time (`interceptor/grace.rs`), because it may be
//!   waiting for a socket.

mod beside;
mod error;
mod fault;
mod interceptor;
mod intervention;
#[cfg(test)]
mod limits;
mod others;
mod scenario;
mod settings;
mod stage;
mod stubs;
#[cfg(test)]
mod tests;
mod updates;
#[cfg(any(feature = "cli", feature = "dashboard"))]
pub(crate) mod what_if;

pub use error::SimulationError;
pub use others::OtherRun;

use crate::author::across::PipelineRef;
use crate::author::asset::Asset;
use crate::author::pipeline::Pipeline;
use crate::author::redaction;
use crate::author::secret::Secret;
use crate::author::setting::{self, Setting, SettingInput};
use crate::author::value::{Data, Value};
use crate::engine::Edit;
use crate::observe::RunReport;
use crate::schedule::{Interval, RunKind};
use chrono::SecondsFormat;
use fault::Fault;
use intervention::Intervention;
use others::ScriptedRun;
use scenario::Scenario;
use settings::SettingOverride;
use std::time::Duration;
use stubs::StubSpec;
use updates::Update;

/// A run of a pipeline on virtual time.
///
/// The real engine runs the real bodies, on a paused clock, with a journal in memory. Hours of waiting take milliseconds, and the
/// same simulation always has the same result. The clock starts at the data interval's end, or without a schedule at the logical
/// date. Buckets at `memory://` belong to the simulation and are empty; I/O of buckets takes no virtual time, and objects that
/// are written have virtual modification times.
///
/// # Sockets, databases and programs
///
/// A body that uses `tokio::net`, `tokio::process`, `reqwest` or `sqlx` runs in a simulation as it does elsewhere. While it waits
/// for them by [`ctx.outside(..)`](crate::Context::outside), the virtual clock stands still, and the simulation is as repeatable
/// as their answers are. The same holds for a bucket, a [`Webhook`](crate::Webhook) and a task that is not `async`.
///
/// Otherwise the simulation cannot distinguish a body that waits for a socket from one that waits for time to pass. Each time
/// such a body starts to wait, the clock stands still for 20 ms of real time. An answer within these 20 ms takes no virtual time;
/// during a longer wait, the clock advances to the next timer, if there is one. A body that sleeps costs these 20 ms, too.
///
/// [`stub`](Self::stub) replaces a body by an answer, on the command line `simulate --stub NODE=JSON`.
///
/// A simulation has a runtime and a clock of its own. Within a tokio runtime, as in a `#[tokio::test]`, it runs on a thread of
/// its own and blocks the caller until it has ended; a single-threaded runtime of the caller does nothing else meanwhile.
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
    /// The closures given to [`at`](Self::at), until they are called.
    calls: Vec<Option<Call<'a>>>,
}

/// A closure of the caller's, which may not be `Send`.
struct Call<'a>(Box<dyn FnOnce() + 'a>);

impl std::fmt::Debug for Call<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Call")
    }
}

/// The virtual time after which a run that waits in vain is given up.
const HORIZON: Duration = Duration::from_hours(400 * 24);
impl<'a> Simulation<'a> {
    /// A simulation of one run of `pipeline`, with its default params.
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

    /// Sets the params. They are read as `run` reads them from a file: keys that are left out have their default. So does a field
    /// that the value does not write as JSON; set that one by `serde_json::json!`.
    pub fn params(mut self, params: impl serde::Serialize) -> Self {
        self.scenario.params = serde_json::to_value(params);
        self
    }

    /// Sets the value of a setting: `.setting(&LIMIT, 200)`. Otherwise a setting has its default, whatever is set in a journal.
    pub fn setting<T: Data>(mut self, setting: &'static Setting<T>, value: T) -> Self {
        let to = setting::as_json(&Value::new(value)).map(SettingInput::Json);
        self.scenario.settings.push(SettingOverride { name: setting.name().to_owned(), to });
        self
    }

    /// Like [`setting`](Self::setting), with the name and value as `settings set` reads them.
    #[cfg(feature = "cli")]
    pub(crate) fn setting_text(mut self, name: &str, text: &str) -> Self {
        self.scenario.settings.push(SettingOverride { name: name.to_owned(), to: Ok(SettingInput::Text(text.to_owned())) });
        self
    }

    /// Sets the value of a secret: `.secret(&KEY, "s3cr3t")`. Otherwise a secret has the value that it has in this process. A
    /// secret that is given as a param is identified by its reference: `.secret(&Secret::env("PORTAL_KEY"), "s3cr3t")`.
    ///
    /// The value is replaced by `***` in the errors and log lines of all tests of this process: choose one that occurs in no
    /// other text.
    pub fn secret(mut self, secret: &Secret, value: &str) -> Self {
        redaction::hide(value);
        self.scenario.secrets.push(secret.with(value.into()));
        self
    }

    /// Sets the data interval: the one that starts on that day, `2024-03-25`, in the pipeline's zone, or that contains that time,
    /// `2024-03-25T06:00:00Z`.
    ///
    /// The default is the first interval that starts at or after the pipeline's `start`, or at or after 2024-01-01 if it has
    /// none.
    pub fn logical_date(mut self, date: &str) -> Self {
        self.scenario.logical_date = Some(date.to_owned());
        self
    }

    /// Makes the run of that logical date the last successful one before this run, started at its interval's end.
    pub fn previous_success(mut self, date: &str) -> Self {
        self.scenario.previous = Some(date.to_owned());
        self
    }

    /// Sets what created the run. The default is the updates that triggered it, or its schedule, or for a pipeline without
    /// either, a user.
    pub fn kind(mut self, kind: RunKind) -> Self {
        self.scenario.kind = Some(kind);
        self
    }

    /// The seed of all jitter and all random latencies; the default is 0.
    pub fn seed(mut self, seed: u64) -> Self {
        self.scenario.seed = seed;
        self
    }

    /// Really sends the notifications of a [`Webhook`](crate::Webhook) or a `Mail`. Otherwise they count as delivered, whatever
    /// the environment says.
    pub fn send_alerts(mut self) -> Self {
        self.scenario.sends_alerts = true;
        self
    }

    /// At `when` after the run's start, before anything else at that time, an object arrives: `memory://BUCKET/KEY`, or
    /// `file:///PATH`.
    pub fn arrive(mut self, when: &str, url: &str, body: impl Into<Vec<u8>>) -> Self {
        self.scenario.interventions.push((when.to_owned(), Intervention::Arrive { url: url.to_owned(), body: body.into() }));
        self
    }

    /// At `when` after the simulation's start, the asset is updated.
    ///
    /// A pipeline with `when` starts its run once that condition holds, with the newest update of each asset; all times, also in
    /// the report, still count from the simulation's start. Without any update it starts at once, like a manual run. Any other
    /// pipeline reads the updates that exist when its run starts: give them at `0s`.
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
        self.scenario.updates.push(Update { when: when.to_owned(), asset: updates::AssetSelector::Asset(asset.spec()), json });
        self
    }

    /// Like [`updated`](Self::updated), with the asset's name and the value as JSON.
    #[cfg(feature = "cli")]
    pub(crate) fn updated_json(mut self, when: &str, asset: &str, value: &serde_json::Value) -> Self {
        // Plain JSON can always be written.
        let json = Ok(serde_json::to_vec(value).unwrap_or_default().into());
        self.scenario.updates.push(Update { when: when.to_owned(), asset: updates::AssetSelector::Name(asset.to_owned()), json });
        self
    }

    /// Adds pipelines that wait for assets: the runs that updates trigger are simulated, too, at their time and in the same
    /// buckets, and so are those that their own updates trigger. [`RunReport::begun`] returns them. A [`stub`](Self::stub) and a
    /// [`fail`](Self::fail) name their nodes with the pipeline, `visits_model/build`; all other methods with runs and nodes refer
    /// to the simulation's own pipeline.
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

    /// Calls `what` at `when` after the run's start, before anything else at that time.
    pub fn at<R>(mut self, when: &str, what: impl FnOnce() -> R + 'a) -> Self {
        let call = Box::new(move || {
            what();
        });
        self.scenario.interventions.push((when.to_owned(), Intervention::Call(self.calls.len())));
        self.calls.push(Some(Call(call)));
        self
    }

    /// At `when` after the run's start, before anything else at that time, a run of another pipeline has ended with this result,
    /// for [`run_of`](crate::run_of). The pipeline is named by its function. The run is that of the same data interval, unless
    /// [`OtherRun::starting`] sets another.
    pub fn ran(mut self, when: &str, pipeline: impl PipelineRef, run: impl Into<OtherRun>) -> Self {
        let given = Box::new(ScriptedRun::new(pipeline, run));
        self.scenario.interventions.push((when.to_owned(), Intervention::Ran(given)));
        self
    }

    /// At `when`, a node has passed in the previous scheduled run, for [`depends_on_past`](macro@crate::task). Otherwise each
    /// node has passed there before this run starts.
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

    /// Cancels the run at `when`.
    pub fn cancel(mut self, when: &str) -> Self {
        self.scenario.interventions.push((when.to_owned(), Intervention::Edit(Edit::Cancel)));
        self
    }

    /// Retries a node that has ended by then, like `retry` on the command line; with `downstream`, also everything that depends
    /// on it. After a retry that changed a mapping's list, elements are matched by key, or without keys by index, and surplus
    /// ones are `removed`.
    pub fn retry(mut self, when: &str, id: &str, downstream: bool) -> Self {
        self.scenario
            .interventions
            .push((when.to_owned(), Intervention::Edit(Edit::Retry { nodes: vec![id.to_owned()], downstream })));
        self
    }

    /// Ends the node as skipped at `when`, like `skip` on the command line: whether it waits, runs or has failed.
    pub fn skip(mut self, when: &str, id: &str) -> Self {
        self.scenario.interventions.push((when.to_owned(), Intervention::Edit(Edit::Skip { node: id.to_owned() })));
        self
    }

    /// Makes the node succeed at once with `value`, without calling its body. `upload` names all elements, `upload[3]` one. A
    /// node of a pipeline [beside](Self::beside) is named with the pipeline, `visits_model/build`.
    pub fn stub<T: Data>(mut self, id: &str, value: T) -> Self {
        self.scenario.stubs.push(StubSpec::value(id, value));
        self
    }

    /// Like [`stub`](Self::stub), with the value as JSON.
    #[cfg(feature = "cli")]
    pub(crate) fn stub_json(mut self, id: &str, value: serde_json::Value) -> Self {
        self.scenario.stubs.push(StubSpec::json(id, value));
        self
    }

    /// Makes the attempt with that number, from 1, fail with `error`, without calling its body. Nodes are named as in
    /// [`stub`](Self::stub).
    pub fn fail(mut self, id: &str, attempt: u32, error: &str) -> Self {
        self.scenario.stubs.push(StubSpec::failure(id, attempt, error));
        self
    }

    /// Sets how long each operation on the bucket takes: `2s`, or a random time of a range, `50ms..2s`, drawn from the
    /// [seed](Self::seed).
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

    /// Makes operations on the bucket fail, like a network failure, from one offset from the run's start until just before
    /// another. May be given several times.
    pub fn outage(mut self, bucket: &str, from: &str, until: &str) -> Self {
        self.scenario.faults.push(Fault::Outage { bucket: bucket.to_owned(), from: from.to_owned(), until: until.to_owned() });
        self
    }

    /// Runs the simulation to its end.
    ///
    /// # Panics
    ///
    /// If the simulation is misconfigured: a plan with mistakes, an invalid date or duration, or an unknown node id. The message
    /// says what is wrong; [`try_run`](Self::try_run) returns it.
    #[track_caller]
    pub fn run(self) -> RunReport {
        match self.try_run() {
            Ok(report) => report,
            Err(error) => panic!("this simulation cannot be run: {error}"),
        }
    }

    /// Runs the simulation to its end.
    ///
    /// # Errors
    ///
    /// If the simulation is misconfigured: a plan with mistakes, an invalid date or duration, or an unknown node id.
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

/// The id of a simulated run of that interval, which is preceded by `earlier` runs of its pipeline.
fn run_id(interval: &Interval, earlier: usize) -> String {
    let number = if earlier == 0 { String::new() } else { format!("__{}", earlier + 1) };
    format!("simulated__{}{number}", interval.start.to_rfc3339_opts(SecondsFormat::AutoSi, true))
}

fn duration(text: &str) -> Result<Duration, SimulationError> {
    let refuse = |reason| SimulationError::Duration { text: text.to_owned(), reason };
    pipeline_syntax::duration::parse(text, pipeline_syntax::duration::Zero::Allowed).map_err(refuse)
}
