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

/// The most bytes that a sensor may remember as JSON.
const MAX_MEMORY: usize = 1 << 20;

/// What an attempt may know of its run. Supplied by the runtime to a parameter of this type; never wired.
///
/// # A body's log
///
/// What a body says through `tracing`, or by [`log_line`](Self::log_line), is kept with its attempt, and `logs RUN NODE` shows it. What it prints by
/// `println!` is not: it goes where the process's output goes, without a node and unseen by the journal. A [`Command`](crate::Command)'s
/// output is kept. So is nothing of a task or thread that the body has spawned: log where it is joined.
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

/// What is the same for all nodes of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RunInfo {
    pub(crate) pipeline: String,
    pub(crate) run_id: String,
    pub(crate) interval: crate::schedule::Interval,
    pub(crate) previous: LastSuccess,
    pub(crate) kind: RunKind,
    /// When it began, if not by its interval.
    pub(crate) began: Option<DateTime<Utc>>,
    /// The end of the interval after its own, if there is one.
    pub(crate) next_end: Option<DateTime<Utc>>,
    pub(crate) params: serde_json::Value,
    /// The updates of assets that it was begun by, or reads.
    pub(crate) updates: Box<[RunUpdate]>,
    /// The settings that it has begun with. Of others it has the default.
    pub(crate) settings: SettingValues,
    /// Where the run is a simulation.
    pub(crate) simulated: Option<Arc<Simulated>>,
}

/// An update of an asset that a run was begun by, or reads; or that the asset had none as the run began.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RunUpdate {
    /// Its number in the journal; none where there was no update.
    pub(crate) id: Option<i64>,
    pub(crate) asset: &'static str,
    /// Whether it is one of those that began the run.
    pub(crate) begins: bool,
    /// The value as JSON; none where the run does not read it.
    pub(crate) json: Option<Arc<[u8]>>,
}

/// What a simulation does to bodies that ask for it by their context.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Simulated {
    /// What its clock stands still for.
    pub(crate) outside: Outside,
    /// With values of its own.
    pub(crate) secrets: Vec<Secret>,
}

impl RunInfo {
    /// Of a run before which none has succeeded.
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

    /// With what the schedule says of it.
    pub(crate) fn of_schedule(&mut self, kind: RunKind, schedule: Option<&Schedule>) {
        let next = schedule.and_then(|schedule| schedule.interval_starting_at_or_after(self.interval.end));
        (self.kind, self.next_end) = (kind, next.map(|next| next.end));
    }

    /// When it began.
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

/// Where a started body gets its context from, if it asks for one.
pub(crate) trait Attempt {
    fn context(&self) -> Context;

    /// Whether the node that this one stands before has passed in the previous scheduled run. A test of a body has no runs.
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

    /// The update of that asset that its run was begun by, or reads.
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

    /// This node's id, where it is mapped with its element's key or index: `upload[bart]`, `upload[3]`.
    pub fn node(&self) -> &str {
        &self.node
    }

    /// The number of this attempt, from 1.
    pub fn attempt(&self) -> u32 {
        self.attempt
    }

    /// When this attempt, or of a sensor this poke, was started. By the engine's clock: in a simulation it is virtual.
    pub fn started(&self) -> DateTime<Utc> {
        self.started
    }

    /// The start of the data interval, which is what Airflow calls the logical date. In UTC, as all times here: `@daily` in `Europe/Berlin`
    /// starts at 22:00 or 23:00 of the day before. `date.with_timezone(&zone)` shows it in a [`Zone`](crate::schedule::Zone).
    pub fn logical_date(&self) -> DateTime<Utc> {
        self.run.interval.start
    }

    /// The zone of the pipeline's schedule; UTC if it names none. Every date here is in UTC, and this one's wall clock shows it by
    /// `date.with_timezone(&ctx.timezone())`.
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

    /// The text that a template makes for this attempt, as an input that takes the template would have it. So a body can put into it what it has
    /// been given:
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
    /// If something that the template prints has no value in this run, or its text is longer than 1 MiB. No retry would help.
    pub fn render(&self, template: &Template) -> Result<String> {
        template.render(&self.run, &self.node, self.attempt, self.zone).map_err(|error| TaskError::fatal(error.to_string()))
    }

    /// The start of the data interval.
    pub fn data_interval_start(&self) -> DateTime<Utc> {
        self.run.interval.start
    }

    /// The end of the data interval. Without a schedule it is its start.
    pub fn data_interval_end(&self) -> DateTime<Utc> {
        self.run.interval.end
    }

    /// The start of the last interval before this one whose run succeeded, if there is one.
    pub fn prev_data_interval_start_success(&self) -> Option<DateTime<Utc>> {
        self.run.previous.get().map(|previous| previous.interval.start)
    }

    /// The end of the last interval before this one whose run succeeded, if there is one.
    pub fn prev_data_interval_end_success(&self) -> Option<DateTime<Utc>> {
        self.run.previous.get().map(|previous| previous.interval.end)
    }

    /// When the last run before this one that succeeded began: the one that
    /// [`prev_data_interval_start_success`](Self::prev_data_interval_start_success) is about. Not known of a run that an earlier
    /// version of the engine began.
    pub fn prev_run_started_success(&self) -> Option<DateTime<Utc>> {
        self.run.previous.get().and_then(|previous| previous.began)
    }

    /// When this run began. A run that had to wait for its turn began after that; a resumed run when it first did. By the engine's clock: in
    /// a simulation it is virtual.
    pub fn run_started(&self) -> DateTime<Utc> {
        self.run.began()
    }

    /// What made this run: its schedule, somebody, a backfill, or updates of assets.
    ///
    /// ```
    /// use pipeline_runtime::prelude::*;
    /// use pipeline_runtime::RunKind;
    ///
    /// /// A backfill fills the table alone.
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

    /// Whether this attempt started before the next data interval of the schedule was over: if not, there is a newer run, or will be one. Also
    /// true of each run that somebody asked for, and without a schedule, as of Airflow's `LatestOnlyOperator`.
    ///
    /// ```
    /// use pipeline_runtime::prelude::*;
    ///
    /// /// What a catchup or a backfill does not do again for each day.
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

    /// The same for all attempts of this node in this run, and for no other node, run or pipeline: to make an effect outside
    /// happen once although a body may run again. Also the same after a `retry`, which runs the node again on purpose. Another run of the
    /// same logical date has other keys.
    ///
    /// Inside `.each` an element is its index: `load[3]`. After a `retry` whose list has changed, element 3 may be another one and has the
    /// key of the one before it. Where a list can change, give it keys by [`keyed`](crate::Node::keyed), which stand here as well: `load[bart]`.
    pub fn idempotency_key(&self) -> String {
        // Runs of several pipelines may have one id.
        format!("{}/{}/{}", self.run.pipeline, self.run.run_id, self.node)
    }

    /// As [`idempotency_key`](Self::idempotency_key), for what `identity` names, such as the id of a mapping's element. It names the
    /// element by what it is, and not by its place in the list, which may change with a `retry`. Within lists in lists, let it name both.
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

    /// Waits for `work` that is outside of the engine: a request, a database, a program. Anywhere but in a simulation that is
    /// `work.await`.
    ///
    /// In a simulation the virtual clock stands still meanwhile, whatever else the run does, and `work` goes by real time: a time limit of
    /// its own ends it, while the node's `timeout`, which is virtual, does not pass. After five minutes of real time the clock goes on all
    /// the same, and the report has a warning. What is to pass in virtual time, such as a `tokio::time::sleep` between two requests, belongs
    /// outside of `work`.
    ///
    /// A [`Bucket`](crate::Bucket) and a [`Webhook`](crate::Webhook) do so by themselves, and so does a task that is not `async`.
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

    /// A line in this node's log, of level `info`: as `tracing::info!("{text}")`, which has other levels, and fields.
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
        // A target that is none of the engine's own.
        tracing::info!(target: "body", "{text}");
    }

    /// The secret with its value.
    pub(crate) fn read(&self, secret: &Secret) -> Result<Secret> {
        let simulated = self.run.simulated.iter().flat_map(|simulated| &simulated.secrets);
        match simulated.rev().find(|known| *known == secret) {
            Some(known) if !secret.has_value() => Ok(known.clone()),
            _ => secret.read().map_err(TaskError::fatal),
        }
    }

    /// Keeps `state` for this sensor's next poke, also across a restart. Only the last call of a poke counts, and it is kept
    /// even where the poke ends in an error.
    ///
    /// # Errors
    ///
    /// If `state` cannot be written as JSON, or has more than 1 MiB as JSON: it is written to the journal at each poke.
    pub fn remember<S: Serialize>(&self, state: &S) -> Result<()> {
        let json = bounded::to_string(state, MAX_MEMORY).map_err(|unwritten| match unwritten {
            Unwritten::TooLarge => TaskError::fatal(format!(
                "what the sensor remembers has more than {} MiB as JSON, which is the limit: remember how far it is, such as a key or a time",
                MAX_MEMORY >> 20
            )),
            Unwritten::Json(error) => error.into(),
        })?;
        self.memory.set(json);
        Ok(())
    }

    /// What an earlier poke of this sensor kept; `None` at the first.
    ///
    /// # Errors
    ///
    /// If what was kept is no `S`.
    pub fn recall<S: DeserializeOwned>(&self) -> Result<Option<S>> {
        Ok(self.memory.get().map(|json| serde_json::from_str(&json)).transpose()?)
    }
}

/// 2024-01-01T00:00:00Z, when contexts and notifications for tests are.
pub(crate) fn test_date() -> DateTime<Utc> {
    DateTime::from_timestamp(1_704_067_200, 0).unwrap_or_default()
}

/// For tests.
impl Context {
    /// A context to call a body with in a test: the first attempt of the node `test` in the run `test` of the pipeline `test`, for the one
    /// point 2024-01-01T00:00:00Z.
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

    /// As if the pipeline's schedule were in that zone.
    pub fn with_timezone(self, zone: Zone) -> Self {
        Self { zone, ..self }
    }

    /// With that data interval, whose start is the logical date.
    pub fn with_interval(self, start: DateTime<Utc>, end: DateTime<Utc>) -> Self {
        self.with_run(|run| run.interval = crate::schedule::Interval { start, end })
    }

    /// As if the run of that data interval had been the last to succeed before this one, and had begun at its end.
    pub fn with_previous_success(self, start: DateTime<Utc>, end: DateTime<Utc>) -> Self {
        let interval = crate::schedule::Interval { start, end };
        self.with_run(|run| run.previous = Some(Previous { interval, began: Some(end) }).into())
    }

    /// In a run of that kind; else it is one that somebody asked for.
    pub fn with_kind(self, kind: RunKind) -> Self {
        self.with_run(|run| run.kind = kind)
    }

    /// In the run of that id of that pipeline.
    pub fn with_run_id(self, pipeline: &str, run_id: &str) -> Self {
        self.with_run(|run| (run.pipeline, run.run_id) = (pipeline.to_owned(), run_id.to_owned()))
    }

    /// As the attempt of that number, from 1, of the node of that id.
    pub fn with_attempt(self, node: &str, attempt: u32) -> Self {
        Self { node: node.into(), attempt, ..self }
    }

    fn with_run(self, change: impl FnOnce(&mut RunInfo)) -> Self {
        let mut run = RunInfo::clone(&self.run);
        change(&mut run);
        Self { run: Arc::new(run), ..self }
    }
}

/// An attempt that goes to another thread takes its context along.
impl Attempt for Context {
    fn context(&self) -> Context {
        self.clone()
    }
}
