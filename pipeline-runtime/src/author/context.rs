use super::body::AttemptResult;
use super::bounded::{self, Unwritten};
use super::error::{Result, TaskError};
use super::keys::without_key;
use super::notify::BoxFuture;
use super::previous::{LastSuccess, Previous};
use super::secret::Secret;
use super::setting::SettingValues;
use super::template::Template;
use crate::schedule::{RunKind, Schedule, Zone};
use crate::time::Outside;
use chrono::{DateTime, Utc};
use serde::{Serialize, de::DeserializeOwned};
use std::sync::{Arc, Mutex, PoisonError};

/// The maximum size of a sensor's memory, in bytes of JSON.
const MAX_MEMORY: usize = 1 << 20;

/// What an attempt can know about its run. The runtime supplies it to a parameter of this type; it is never wired.
///
/// # A body's log
///
/// Lines that a body logs through `tracing`, or by [`log_line`](Self::log_line), are recorded with its attempt, and
/// `logs RUN NODE` prints them. The output of a [`Command`](crate::Command) is recorded, too. Two kinds of output are not: text
/// that is printed by `println!`, which goes to the process's stdout, and lines logged by a task or thread that the body has
/// spawned. Log those where the task or thread is joined.
///
/// ```
/// use pipeline_runtime::prelude::*;
///
/// #[task]
/// async fn load(ctx: Context, rows: u64) -> Result<String> {
///     // Safe to send twice: all attempts of this node in this run share the key.
///     Ok(format!("{rows} rows for {} under {}", ctx.logical_date().date_naive(), ctx.idempotency_key()))
/// }
/// ```
#[derive(Debug, Clone)]
pub struct Context {
    run: Arc<RunInfo>,
    node: Arc<str>,
    attempt: u32,
    started: DateTime<Utc>,
    memory: Memory,
    zone: Zone,
}

/// What all nodes of a run share.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RunInfo {
    pub(crate) pipeline: String,
    pub(crate) run_id: String,
    pub(crate) interval: crate::schedule::Interval,
    pub(crate) previous: LastSuccess,
    pub(crate) kind: RunKind,
    /// When the run started, if not at the end of its interval.
    pub(crate) began: Option<DateTime<Utc>>,
    /// The end of the interval after its own, if there is one.
    pub(crate) next_end: Option<DateTime<Utc>>,
    pub(crate) params: serde_json::Value,
    /// The updates of assets that triggered the run or that it reads.
    pub(crate) updates: Box<[RunUpdate]>,
    /// The settings that the run started with. All others have their default.
    pub(crate) settings: SettingValues,
    /// Set if the run is a simulation.
    pub(crate) simulated: Option<Arc<Simulated>>,
}

/// An update of an asset that triggered a run or that the run reads; or the fact that the asset had no update when the run
/// started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RunUpdate {
    /// Its number in the journal; `None` if there was no update.
    pub(crate) id: Option<i64>,
    pub(crate) asset: &'static str,
    /// True if it is one of the updates that triggered the run.
    pub(crate) begins: bool,
    /// The value as JSON; `None` if the run does not read it.
    pub(crate) json: Option<Arc<[u8]>>,
}

/// What a simulation gives to bodies through their context.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Simulated {
    /// Work during which the virtual clock stands still.
    pub(crate) outside: Outside,
    /// Secrets that have their own values in this simulation.
    pub(crate) secrets: Vec<Secret>,
}

impl RunInfo {
    /// For a manual run before which no run has succeeded.
    pub(crate) fn new(
        pipeline: impl Into<String>,
        run_id: impl Into<String>,
        interval: crate::schedule::Interval,
        params: serde_json::Value,
    ) -> Self {
        let (pipeline, run_id) = (pipeline.into(), run_id.into());
        let kind = RunKind::Manual;
        Self {
            pipeline,
            run_id,
            interval,
            previous: LastSuccess::Known(None),
            kind,
            began: None,
            next_end: None,
            params,
            updates: Box::default(),
            settings: SettingValues::new(),
            simulated: None,
        }
    }

    /// Sets what the schedule determines: the kind, and the end of the next interval.
    pub(crate) fn of_schedule(&mut self, kind: RunKind, schedule: Option<&Schedule>) {
        let next = schedule.and_then(|schedule| schedule.interval_starting_at_or_after(self.interval.end));
        (self.kind, self.next_end) = (kind, next.map(|next| next.end));
    }

    /// When the run started.
    pub(crate) fn began(&self) -> DateTime<Utc> {
        self.began.unwrap_or(self.interval.end)
    }
}

/// What a sensor remembers from poke to poke, as JSON.
#[derive(Debug, Clone, Default)]
pub(crate) struct Memory(Arc<Mutex<Option<Arc<str>>>>);

impl Memory {
    pub(crate) fn new(remembered: Option<Arc<str>>) -> Self {
        Self(Arc::new(Mutex::new(remembered)))
    }

    pub(crate) fn get(&self) -> Option<Arc<str>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn set(&self, json: String) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(json.into());
    }
}

/// The source of the context of a started body, if the body takes one.
pub(crate) trait Attempt {
    fn context(&self) -> Context;

    /// Returns whether the node behind this sensor passed in the previous scheduled run. Fails in a unit test of a body, where
    /// there are no runs.
    fn passed_before(&self) -> BoxFuture<AttemptResult> {
        Box::pin(std::future::ready(Err(TaskError::fatal("there are no other runs here"))))
    }
}

impl Context {
    pub(crate) fn new(
        run: Arc<RunInfo>,
        node: Arc<str>,
        attempt: u32,
        started: DateTime<Utc>,
        memory: Memory,
        zone: Zone,
    ) -> Self {
        Self { run, node, attempt, started, memory, zone }
    }

    /// The update of that asset that triggered the run or that the run reads.
    pub(crate) fn update_of(&self, asset: &str) -> Option<&RunUpdate> {
        self.run.updates.iter().find(|update| update.asset == asset)
    }

    /// The run's id.
    pub fn run_id(&self) -> &str {
        &self.run.run_id
    }

    /// The pipeline's id.
    pub fn pipeline(&self) -> &str {
        &self.run.pipeline
    }

    /// This node's id. A mapped node's id includes its element's key or index: `upload[bart]`, `upload[3]`.
    pub fn node(&self) -> &str {
        &self.node
    }

    /// The number of this attempt, from 1.
    pub fn attempt(&self) -> u32 {
        self.attempt
    }

    /// When this attempt, or a sensor's poke, was started, by the engine's clock: in a simulation it is virtual.
    pub fn started(&self) -> DateTime<Utc> {
        self.started
    }

    /// The start of the data interval, which Airflow calls the logical date. Like all times here it is in UTC: `@daily` in
    /// `Europe/Berlin` starts at 22:00 or 23:00 of the day before. `date.with_timezone(&zone)` converts it to a
    /// [`Zone`](crate::schedule::Zone).
    pub fn logical_date(&self) -> DateTime<Utc> {
        self.run.interval.start
    }

    /// The zone of the pipeline's schedule; UTC if it names none. All dates here are in UTC;
    /// `date.with_timezone(&ctx.timezone())` converts one to the wall clock of this zone.
    ///
    /// ```
    /// use pipeline_runtime::prelude::*;
    ///
    /// #[task]
    /// async fn day(ctx: Context) -> Result<String> {
    ///     Ok(ctx.logical_date().with_timezone(&ctx.timezone()).date_naive().to_string())
    /// }
    /// ```
    pub fn timezone(&self) -> Zone {
        self.zone
    }

    /// Renders a template for this attempt, to the text that an input would receive. So a body can fill a template with values
    /// that it was given:
    ///
    /// ```
    /// use pipeline_runtime::prelude::*;
    ///
    /// #[task]
    /// async fn query(ctx: Context, table: String) -> Result<String> {
    ///     ctx.render(&template!("SELECT * FROM {{ table }} WHERE day = '{{ ds }}'", table = table))
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<()> {
    /// assert_eq!(query::call(Context::for_test(), "t".into()).await?, "SELECT * FROM t WHERE day = '2024-01-01'");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// If something that the template prints has no value in this run, or the text is longer than 1 MiB. The error is fatal, as a
    /// retry would not help.
    pub fn render(&self, template: &Template) -> Result<String> {
        template.render(&self.run, &self.node, self.attempt, self.zone).map_err(|error| TaskError::fatal(error.to_string()))
    }

    /// The start of the data interval.
    pub fn data_interval_start(&self) -> DateTime<Utc> {
        self.run.interval.start
    }

    /// The end of the data interval. Without a schedule it equals the start.
    pub fn data_interval_end(&self) -> DateTime<Utc> {
        self.run.interval.end
    }

    /// The start of the data interval of the last successful run before this one, if there is one.
    pub fn prev_data_interval_start_success(&self) -> Option<DateTime<Utc>> {
        self.run.previous.get().map(|previous| previous.interval.start)
    }

    /// The end of the data interval of the last successful run before this one, if there is one.
    pub fn prev_data_interval_end_success(&self) -> Option<DateTime<Utc>> {
        self.run.previous.get().map(|previous| previous.interval.end)
    }

    /// When the last successful run before this one started: the run of
    /// [`prev_data_interval_start_success`](Self::prev_data_interval_start_success). `None` also if an earlier version of the
    /// engine started that run.
    pub fn prev_run_started_success(&self) -> Option<DateTime<Utc>> {
        self.run.previous.get().and_then(|previous| previous.began)
    }

    /// When this run started, after it had waited for its turn; for a resumed run, its first start. By the engine's clock: in a
    /// simulation it is virtual.
    pub fn run_started(&self) -> DateTime<Utc> {
        self.run.began()
    }

    /// What created this run: its schedule, a user, a backfill, or updates of assets.
    ///
    /// ```
    /// use pipeline_runtime::prelude::*;
    /// use pipeline_runtime::RunKind;
    ///
    /// /// A backfill only fills the table.
    /// #[task]
    /// async fn publish(ctx: Context) -> Result<()> {
    ///     if ctx.kind() == RunKind::Backfill {
    ///         return Err(TaskError::skip("a backfill publishes nothing"));
    ///     }
    ///     Ok(())
    /// }
    /// ```
    pub fn kind(&self) -> RunKind {
        self.run.kind
    }

    /// True if this attempt started before the next data interval of the schedule was over; otherwise there is a newer run, or
    /// there will be one. Also true of every manual run, and without a schedule, as with Airflow's `LatestOnlyOperator`.
    ///
    /// ```
    /// use pipeline_runtime::prelude::*;
    ///
    /// /// Work that a catchup or a backfill does not repeat for each day.
    /// #[task]
    /// async fn newest_only(ctx: Context) -> Result<()> {
    ///     if !ctx.is_latest() {
    ///         return Err(TaskError::skip("a newer run does it"));
    ///     }
    ///     Ok(())
    /// }
    /// ```
    pub fn is_latest(&self) -> bool {
        let is_over = |end| self.started >= end;
        self.run.kind == RunKind::Manual || !self.run.next_end.is_some_and(is_over)
    }

    /// A key that all attempts of this node in this run share, and no other node, run or pipeline has. Use it to make an external
    /// effect happen once although a body may run again. It also stays the same after a `retry`, which runs the node again on
    /// purpose. Another run of the same logical date has other keys.
    ///
    /// Inside `.each` an element is named by its index: `load[3]`. If the list has changed after a `retry`, element 3 may be a
    /// different one under the same key. If a list can change, name its elements by [`keyed`](crate::Node::keyed); the names
    /// appear here as well: `load[bart]`.
    pub fn idempotency_key(&self) -> String {
        // Runs of different pipelines may share an id.
        format!("{}/{}/{}", self.run.pipeline, self.run.run_id, self.node)
    }

    /// Like [`idempotency_key`](Self::idempotency_key), with `identity`, such as the id of a mapping's element, in place of the
    /// element's index. It names the element itself and not its place in the list, which may change with a `retry`. In nested
    /// lists, `identity` should name the elements of both.
    ///
    /// ```
    /// use pipeline_runtime::prelude::*;
    /// # use serde::{Deserialize, Serialize};
    ///
    /// #[derive(Clone, Serialize, Deserialize)]
    /// struct Store { id: String }
    ///
    /// #[task]
    /// async fn load(ctx: Context, store: Store) -> Result<String> {
    ///     // `shop/manual__2024-01-01T00:00:00Z/load[zrh]`
    ///     Ok(ctx.idempotency_key_for(&store.id))
    /// }
    /// ```
    pub fn idempotency_key_for(&self, identity: impl std::fmt::Display) -> String {
        let node = without_key(&self.node);
        format!("{}/{}/{node}[{identity}]", self.run.pipeline, self.run.run_id)
    }

    /// Awaits `work` that happens outside of the engine: a request, a database, a program. Except in a simulation this is
    /// `work.await`.
    ///
    /// In a simulation the virtual clock stands still meanwhile, whatever else the run does, and `work` runs in real time: a time
    /// limit of its own ends it, while the node's virtual `timeout` does not advance. After five minutes of real time the clock
    /// continues anyway, and the report has a warning. Waiting that should take virtual time, such as a `tokio::time::sleep`
    /// between two requests, belongs outside of `work`.
    ///
    /// A [`Bucket`](crate::Bucket), a [`Webhook`](crate::Webhook) and a task that is not `async` stop the clock by themselves.
    ///
    /// ```
    /// use pipeline_runtime::prelude::*;
    /// use pipeline_runtime::Simulation;
    /// use std::net::SocketAddr;
    /// use tokio::io::{AsyncReadExt, AsyncWriteExt};
    ///
    /// #[task]
    /// async fn fetch(ctx: Context, server: SocketAddr) -> Result<String> {
    ///     ctx.outside(async {
    ///         let mut text = String::new();
    ///         tokio::net::TcpStream::connect(server).await?.read_to_string(&mut text).await?;
    ///         Ok(text)
    ///     })
    ///     .await
    /// }
    ///
    /// #[pipeline]
    /// fn fetching(server: Option<SocketAddr>) {
    ///     fetch(server.unwrap_or_else(|| ([127, 0, 0, 1], 80).into()));
    /// }
    ///
    /// # fn main() -> Result<()> {
    /// let server = std::net::TcpListener::bind("127.0.0.1:0")?;
    /// let address = server.local_addr()?;
    /// std::thread::spawn(move || std::io::Write::write_all(&mut server.accept()?.0, b"hello"));
    /// let report = Simulation::new(fetching()).params(Some(address)).run();
    /// assert_eq!(report.output::<String>("fetch").as_deref(), Some("hello"));
    /// # Ok(())
    /// # }
    /// ```
    pub async fn outside<F: Future>(&self, work: F) -> F::Output {
        match &self.run.simulated {
            Some(simulated) => simulated.outside.wait(&self.node, work).await,
            None => work.await,
        }
    }

    /// Writes a line of level `info` to this node's log, like `tracing::info!("{text}")`. `tracing` also has other levels, and
    /// fields.
    ///
    /// ```
    /// use pipeline_runtime::prelude::*;
    ///
    /// #[task]
    /// async fn load(ctx: Context, rows: u64) -> Result<u64> {
    ///     ctx.log_line(format!("{rows} rows"));
    ///     Ok(rows)
    /// }
    /// ```
    pub fn log_line(&self, text: impl std::fmt::Display) {
        // A target that is not one of the engine's own.
        tracing::info!(target: "body", "{text}");
    }

    /// The secret with its value, which a simulation may have replaced.
    pub(crate) fn read(&self, secret: &Secret) -> Result<Secret> {
        let simulated = self.run.simulated.iter().flat_map(|simulated| &simulated.secrets);
        match simulated.rev().find(|known| *known == secret) {
            Some(known) if !secret.has_value() => Ok(known.clone()),
            _ => secret.read().map_err(TaskError::fatal),
        }
    }

    /// Stores `state` for this sensor's next poke, also across a restart. Only the last call of a poke counts, and it counts even
    /// if the poke ends in an error.
    ///
    /// # Errors
    ///
    /// If `state` cannot be written as JSON, or its JSON is larger than 1 MiB, because it is written to the journal at each poke.
    pub fn remember<S: Serialize>(&self, state: &S) -> Result<()> {
        let json = bounded::to_string(state, MAX_MEMORY).map_err(|unwritten| match unwritten {
            Unwritten::TooLarge => TaskError::fatal(format!(
                "what the sensor remembers has more than {} MiB as JSON, which is the limit: remember only its progress, such as a key or a time",
                MAX_MEMORY >> 20
            )),
            Unwritten::Json(error) => error.into(),
        })?;
        self.memory.set(json);
        Ok(())
    }

    /// What an earlier poke of this sensor stored; `None` at the first poke.
    ///
    /// # Errors
    ///
    /// If what was stored cannot be read as an `S`.
    pub fn recall<S: DeserializeOwned>(&self) -> Result<Option<S>> {
        Ok(self.memory.get().map(|json| serde_json::from_str(&json)).transpose()?)
    }
}

/// 2024-01-01T00:00:00Z, the time of contexts and notifications for tests.
pub(crate) fn test_date() -> DateTime<Utc> {
    DateTime::from_timestamp(1_704_067_200, 0).unwrap_or_default()
}

/// For tests.
impl Context {
    /// A context for calling a body in a test: the first attempt of the node `test` in the run `test` of the pipeline `test`. Its
    /// data interval starts and ends at 2024-01-01T00:00:00Z.
    ///
    /// ```
    /// use pipeline_runtime::prelude::*;
    ///
    /// #[task]
    /// async fn day(ctx: Context) -> Result<String> {
    ///     Ok(ctx.logical_date().date_naive().to_string())
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<()> {
    /// let leap_day = "2024-02-29T06:00:00Z".parse().unwrap();
    /// let ctx = Context::for_test().with_interval(leap_day, leap_day);
    /// assert_eq!(day::call(ctx).await?, "2024-02-29");
    /// # Ok(())
    /// # }
    /// ```
    pub fn for_test() -> Self {
        let date = test_date();
        let run = RunInfo::new("test", "test", crate::schedule::Interval::at(date), serde_json::Value::Null);
        Self::new(Arc::new(run), "test".into(), 1, date, Memory::default(), Zone::UTC)
    }

    /// Sets the zone of the pipeline's schedule.
    pub fn with_timezone(self, zone: Zone) -> Self {
        Self { zone, ..self }
    }

    /// Sets the data interval, whose start is the logical date.
    pub fn with_interval(self, start: DateTime<Utc>, end: DateTime<Utc>) -> Self {
        self.with_run(|run| run.interval = crate::schedule::Interval { start, end })
    }

    /// Sets the data interval of the last successful run before this one, which started at the interval's end.
    pub fn with_previous_success(self, start: DateTime<Utc>, end: DateTime<Utc>) -> Self {
        let interval = crate::schedule::Interval { start, end };
        self.with_run(|run| run.previous = Some(Previous { interval, began: Some(end) }).into())
    }

    /// Sets the kind of the run, which is otherwise manual.
    pub fn with_kind(self, kind: RunKind) -> Self {
        self.with_run(|run| run.kind = kind)
    }

    /// Sets the pipeline's id and the run's id.
    pub fn with_run_id(self, pipeline: &str, run_id: &str) -> Self {
        self.with_run(|run| (run.pipeline, run.run_id) = (pipeline.to_owned(), run_id.to_owned()))
    }

    /// Sets the node's id and the number of the attempt, from 1.
    pub fn with_attempt(self, node: &str, attempt: u32) -> Self {
        Self { node: node.into(), attempt, ..self }
    }

    fn with_run(self, change: impl FnOnce(&mut RunInfo)) -> Self {
        let mut run = RunInfo::clone(&self.run);
        change(&mut run);
        Self { run: Arc::new(run), ..self }
    }
}

/// An attempt that moves to another thread takes its context along.
impl Attempt for Context {
    fn context(&self) -> Context {
        self.clone()
    }
}
