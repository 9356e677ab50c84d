use super::bounded::{self, Unwritten};
use super::error::{Result, TaskError};
use super::template::Template;
use crate::schedule::Zone;
use chrono::{DateTime, Utc};
use serde::{Serialize, de::DeserializeOwned};
use std::sync::{Arc, Mutex, PoisonError};

/// The most bytes that a sensor may remember as JSON.
const MAX_MEMORY: usize = 1 << 20;

/// What an attempt may know of its run. Supplied by the runtime to a parameter of this type; never wired.
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
    pub(crate) previous: Option<crate::schedule::Interval>,
    pub(crate) params: serde_json::Value,
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
        self.run.previous.map(|interval| interval.start)
    }

    /// The end of the last interval before this one whose run succeeded, if there is one.
    pub fn prev_data_interval_end_success(&self) -> Option<DateTime<Utc>> {
        self.run.previous.map(|interval| interval.end)
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
        let node = self.node.split_once('[').map_or(&*self.node, |(node, _)| node);
        format!("{}/{}/{node}[{identity}]", self.run.pipeline, self.run.run_id)
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
        let run = RunInfo {
            pipeline: "test".into(),
            run_id: "test".into(),
            interval: crate::schedule::Interval::at(date),
            previous: None,
            params: serde_json::Value::Null,
        };
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

    /// As if the run of that data interval had been the last to succeed before this one.
    pub fn with_previous_success(self, start: DateTime<Utc>, end: DateTime<Utc>) -> Self {
        self.with_run(|run| run.previous = Some(crate::schedule::Interval { start, end }))
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
