//! The options of tasks, sensors and pipelines, as set by attributes, overrides and `defaults(..)`.

pub mod names;

mod defaults;

pub use defaults::Defaults;

use super::asset::When;
use super::notify::{Callback, Event, Notify};
use crate::schedule::{IntoSchedule, Recurrence, Schedule, ScheduleError, parse_zone};
use pipeline_syntax::{duration, limits};
use std::time::Duration;

/// A named number of slots that nodes share: at most that many of them run at once.
///
/// ```
/// use pipeline_runtime::prelude::*;
///
/// static WAREHOUSE: Pool = Pool::new("warehouse", 4);
///
/// #[task(pool = WAREHOUSE)]
/// async fn load(rows: u64) -> Result<u64> { Ok(rows) }
/// ```
#[derive(Debug)]
pub struct Pool {
    pub(crate) name: &'static str,
    pub(crate) slots: u32,
}

impl Pool {
    /// Makes a pool with that name and number of slots. The plan refuses a pool without slots, because its nodes could never run.
    pub const fn new(name: &'static str, slots: u32) -> Self {
        Self { name, slots }
    }

    /// The pool's name.
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// The number of slots: how many nodes may run at once.
    pub const fn slots(&self) -> u32 {
        self.slots
    }
}

/// Growing waits: the k-th, k from 0, is exactly `min(max, start * factor^k)`.
///
/// ```
/// use pipeline_runtime::Backoff;
/// use std::time::Duration;
///
/// let backoff = Backoff::new(Duration::from_secs(30), Duration::from_secs(300));
/// let waits: Vec<u64> = (0..6).map(|k| backoff.wait(k).as_secs()).collect();
/// assert_eq!(waits, [30, 60, 120, 240, 300, 300]);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
pub struct Backoff {
    start: Duration,
    max: Duration,
    factor: f64,
    jitter: Duration,
}

impl Backoff {
    /// Waits that grow from `start` to at most `max`, doubling each time.
    pub const fn new(start: Duration, max: Duration) -> Self {
        Self { start, max, factor: 2.0, jitter: Duration::ZERO }
    }

    /// Like [`new`](Self::new), in milliseconds.
    pub const fn from_millis(start: u64, max: u64) -> Self {
        Self::new(Duration::from_millis(start), Duration::from_millis(max))
    }

    /// Multiplies by `factor` instead of 2. A factor below 1, which would shrink the waits, counts as 1.
    pub const fn with_factor(self, factor: f64) -> Self {
        Self { factor: if factor >= 1.0 { factor } else { 1.0 }, ..self }
    }

    /// Adds a random time of up to `jitter` to each wait. The default is no jitter.
    pub const fn with_jitter(self, jitter: Duration) -> Self {
        Self { jitter, ..self }
    }

    /// Like [`with_jitter`](Self::with_jitter), in milliseconds.
    pub const fn with_jitter_millis(self, jitter: u64) -> Self {
        self.with_jitter(Duration::from_millis(jitter))
    }

    /// The k-th wait, k from 0, without its jitter.
    pub fn wait(&self, k: u32) -> Duration {
        // Zero times an infinite factor would be NaN.
        if self.start.is_zero() {
            return Duration::ZERO;
        }
        let exponent = i32::try_from(k).unwrap_or(i32::MAX);
        let seconds = self.start.as_secs_f64() * self.factor.powi(exponent);
        // Whole milliseconds, like all durations here. The conversion fails on overflow.
        let wait = Duration::try_from_secs_f64((seconds * 1000.0).round() / 1000.0).unwrap_or(self.max);
        wait.min(self.max)
    }

    pub(crate) const fn start(&self) -> Duration {
        self.start
    }

    pub(crate) const fn max(&self) -> Duration {
        self.max
    }

    pub(crate) const fn factor(&self) -> f64 {
        self.factor
    }

    pub(crate) const fn jitter(&self) -> Duration {
        self.jitter
    }
}

impl Backoff {
    /// Returns an error if these waits are invalid, by the same limits as `backoff(..)` in an attribute.
    pub(crate) fn check(&self) -> Result<(), String> {
        for (name, duration) in [("start", self.start), ("max", self.max), ("jitter", self.jitter)] {
            duration::check(duration, limits::zero_of(name))
                .map_err(|why| format!("its `{name}` is {}, and {why}", duration::show(duration)))?;
        }
        limits::check_factor(self.factor).map_err(|why| format!("its `factor` is {}, and {why}", self.factor))?;
        if self.start > self.max {
            let (start, max) = (duration::show(self.start), duration::show(self.max));
            return Err(format!("it starts at {start}, which is longer than its `max` of {max}"));
        }
        Ok(())
    }
}

/// What happens to a sensor that reaches its timeout.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum OnTimeout {
    /// It ends `failed`, whatever its retries.
    #[default]
    Fail,
    /// It ends `skipped` (Airflow's `soft_fail`), unless its last poke was an error: then it ends `failed`.
    Skip,
    /// It uses up a retry, which restarts the timeout; if none is left it ends `failed`.
    Retry,
}

/// What a sensor does with its pool slot between two pokes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Mode {
    /// Keeps it for the whole wait.
    Poke,
    /// Releases it.
    #[default]
    Reschedule,
}

/// The options of a task or sensor that one place sets.
#[derive(Debug, Clone, Default)]
pub struct TaskOptions {
    pub(crate) retries: Option<u32>,
    pub(crate) retry_delay: Option<Duration>,
    pub(crate) backoff: Option<Backoff>,
    pub(crate) timeout: Option<Duration>,
    pub(crate) pool: Option<&'static Pool>,
    pub(crate) priority: Option<i32>,
    pub(crate) sla: Option<Duration>,
    pub(crate) poke: Option<Duration>,
    pub(crate) poke_jitter: Option<Duration>,
    pub(crate) poke_timeout: Option<Duration>,
    pub(crate) on_timeout: Option<OnTimeout>,
    pub(crate) mode: Option<Mode>,
    pub(crate) depends_on_past: Option<bool>,
    pub(crate) callbacks: Vec<Callback>,
}

impl TaskOptions {
    /// Returns an error if the value of an option is invalid, by the same limits as in an attribute.
    pub(crate) fn check(&self, option: &str) -> Result<(), String> {
        let duration = match option {
            "retries" => return self.retries.map_or(Ok(()), limits::check_retries),
            "backoff" => return self.backoff.map_or(Ok(()), |backoff| backoff.check()),
            "retry_delay" => self.retry_delay,
            "timeout" => self.timeout,
            "sla" => self.sla,
            "poke" => self.poke,
            "poke_jitter" => self.poke_jitter,
            "poke_timeout" => self.poke_timeout,
            _ => None,
        };
        duration.map_or(Ok(()), |duration| duration::check(duration, limits::zero_of(option)))
    }
}

/// The builder that attributes expand to.
#[doc(hidden)]
impl TaskOptions {
    /// No options.
    pub fn new() -> Self {
        Self::default()
    }

    /// `retries = 2`: attempts after the first.
    ///
    /// Takes: whole number up to 1,000,000. Default: 0.
    pub fn retries(self, n: u32) -> Self {
        Self { retries: Some(n), ..self }
    }

    /// `retry_delay = "5m"`: wait before each retry.
    ///
    /// Takes: duration. Default: 5m.
    pub fn retry_delay(self, millis: u64) -> Self {
        Self { retry_delay: Some(Duration::from_millis(millis)), ..self }
    }

    /// `backoff(start = "30s", max = "5m", factor = 2, jitter = "5s")`: growing waits instead of `retry_delay`: the k-th wait, k
    /// from 0, is `min(max, start * factor^k)`, plus up to `jitter`.
    ///
    /// Takes: list; `start` and `max` are required. Default: none.
    ///
    /// For a sensor:
    ///
    /// `backoff(start = "30s", max = "5m", factor = 2, jitter = "5s")`: growing waits between pokes, instead of `poke`.
    ///
    /// Takes: list. Default: none.
    pub fn backoff(self, backoff: Backoff) -> Self {
        Self { backoff: Some(backoff), ..self }
    }

    /// `depends_on_past = true`: if true, the node waits until the same node has succeeded or was skipped in the previous
    /// scheduled run.
    ///
    /// Takes: `true` or `false`. Default: false.
    pub fn depends_on_past(self, depends_on_past: bool) -> Self {
        Self { depends_on_past: Some(depends_on_past), ..self }
    }

    /// `timeout = "10m"`: time limit of one attempt.
    ///
    /// Takes: duration. Default: none.
    ///
    /// For a sensor:
    ///
    /// `timeout = "10m"`: time limit of the whole wait, across pokes, retries and restarts; the error names what the last poke
    /// looked for in a `Bucket`.
    ///
    /// Takes: duration. Default: 7d.
    pub fn timeout(self, millis: u64) -> Self {
        Self { timeout: Some(Duration::from_millis(millis)), ..self }
    }

    /// `pool = S3`: limits how many of the pool's nodes run at once.
    ///
    /// Takes: path of a `static` `Pool`. Default: `default_pool`.
    pub fn pool(self, pool: &'static Pool) -> Self {
        Self { pool: Some(pool), ..self }
    }

    /// `priority = 5`: of the nodes that wait for the same pool, the one with the highest priority runs first.
    ///
    /// Takes: whole number, negative ones included. Default: 0.
    pub fn priority(self, n: i32) -> Self {
        Self { priority: Some(n), ..self }
    }

    /// `sla = "45m"`: `on_sla_miss` is called if the node has not ended within this limit.
    ///
    /// Takes: duration. Default: none.
    pub fn sla(self, millis: u64) -> Self {
        Self { sla: Some(Duration::from_millis(millis)), ..self }
    }

    /// `poke = "45s"`: wait between pokes.
    ///
    /// Takes: duration. Default: 60s.
    pub fn poke(self, millis: u64) -> Self {
        Self { poke: Some(Duration::from_millis(millis)), ..self }
    }

    /// `poke_jitter = "5s"`: a random time of up to this is added to each wait between pokes.
    ///
    /// Takes: duration. Default: none.
    pub fn poke_jitter(self, millis: u64) -> Self {
        Self { poke_jitter: Some(Duration::from_millis(millis)), ..self }
    }

    /// `poke_timeout = "10s"`: time limit of one poke.
    ///
    /// Takes: duration. Default: the smaller of `poke` and 60s.
    pub fn poke_timeout(self, millis: u64) -> Self {
        Self { poke_timeout: Some(Duration::from_millis(millis)), ..self }
    }

    /// `on_timeout = "skip"`: what happens when the timeout is reached, even while the node waits for a slot of its pool;
    /// `"skip"` is Airflow's `soft_fail`, but the node still fails if its last poke was an error.
    ///
    /// Takes: `"fail"`, `"skip"` or `"retry"`. Default: `"fail"`.
    pub fn on_timeout(self, what: OnTimeout) -> Self {
        Self { on_timeout: Some(what), ..self }
    }

    /// `mode = "poke"`: `"poke"` holds the pool slot between pokes, `"reschedule"` releases it.
    ///
    /// Takes: `"poke"` or `"reschedule"`. Default: `"reschedule"`.
    pub fn mode(self, mode: Mode) -> Self {
        Self { mode: Some(mode), ..self }
    }

    /// `on_failure`: called when the node fails.
    ///
    /// Takes: path of a callback, or a list `[page, CHAT]`; or `none`, to remove the pipeline's default. Default: none.
    pub fn on_failure(self, notifier: impl Notify) -> Self {
        self.callback(Event::OnFailure, notifier)
    }

    /// `on_upstream_failed`: called when the node does not run because an upstream failed.
    ///
    /// Takes: path of a callback, a list, or `none`. Default: none.
    pub fn on_upstream_failed(self, notifier: impl Notify) -> Self {
        self.callback(Event::OnUpstreamFailed, notifier)
    }

    /// `on_retry`: called when an attempt failed and will be retried.
    ///
    /// Takes: path of a callback, a list, or `none`. Default: none.
    pub fn on_retry(self, notifier: impl Notify) -> Self {
        self.callback(Event::OnRetry, notifier)
    }

    /// `on_success`: called when the node succeeds.
    ///
    /// Takes: path of a callback, a list, or `none`. Default: none.
    pub fn on_success(self, notifier: impl Notify) -> Self {
        self.callback(Event::OnSuccess, notifier)
    }

    /// `on_skipped`: called when the node is skipped.
    ///
    /// Takes: path of a callback, a list, or `none`. Default: none.
    pub fn on_skipped(self, notifier: impl Notify) -> Self {
        self.callback(Event::OnSkipped, notifier)
    }

    /// `on_sla_miss`: called when the node misses its `sla`.
    ///
    /// Takes: path of a callback, a list, or `none`. Default: none.
    pub fn on_sla_miss(self, notifier: impl Notify) -> Self {
        self.callback(Event::OnSlaMiss, notifier)
    }

    fn callback(mut self, event: Event, notifier: impl Notify) -> Self {
        self.callbacks.push(Callback::new(event, notifier));
        self
    }
}

/// The options of a pipeline.
#[derive(Debug, Clone, Default)]
pub struct PipelineOptions {
    pub(crate) schedule: Option<Recurrence>,
    pub(crate) when: Option<When>,
    /// If true, `serve` does not follow the schedule, so that runs start only manually.
    pub(crate) by_hand: bool,
    pub(crate) timezone: Option<&'static str>,
    pub(crate) start: Option<&'static str>,
    pub(crate) end: Option<&'static str>,
    pub(crate) catchup: bool,
    pub(crate) max_active_runs: Option<u32>,
    pub(crate) depends_on_past: bool,
    pub(crate) keep: Option<Duration>,
    pub(crate) timeout: Option<Duration>,
    pub(crate) sla: Option<Duration>,
    pub(crate) escalation: Vec<(Duration, Callback)>,
    pub(crate) callbacks: Vec<Callback>,
    pub(crate) defaults: TaskOptions,
    pub(crate) tags: &'static [&'static str],
}

impl PipelineOptions {
    /// The schedule, if there is one. The zone is checked even without one, as logical dates are read in it.
    pub(crate) fn timetable(&self) -> Result<Option<Schedule>, ScheduleError> {
        let zone = self.timezone.unwrap_or("UTC");
        match &self.schedule {
            Some(recurrence) => recurrence.schedule(zone).map(Some),
            None => parse_zone(zone).map(|_| None),
        }
    }
}

/// The builder that attributes expand to.
#[doc(hidden)]
impl PipelineOptions {
    /// `schedule = "0 6 * * *"`: each tick ends a data interval, whose run then begins.
    ///
    /// Takes: cron of five fields as croniter reads it, or `@daily`, `@hourly`, …; a list of such lines;
    /// `schedule(every = "4w", from = "2024-01-31")`; or a constant. Default: none: no scheduled runs.
    pub fn schedule(self, schedule: impl IntoSchedule) -> Self {
        Self { schedule: Some(schedule.recurrence()), ..self }
    }

    /// `when = all(VISITS, PROCESSES)`: a run begins once each of the assets, or with `any(..)` one of them, was updated since
    /// the last run that updates began.
    ///
    /// Takes: paths of `static` assets. Default: none.
    pub fn when(self, when: When) -> Self {
        Self { when: Some(when), ..self }
    }

    /// `timezone = "Europe/Berlin"`: the time zone of the schedule, and of dates and times without an offset; dates in templates
    /// are UTC.
    ///
    /// Takes: IANA name. Default: UTC.
    pub fn timezone(self, name: &'static str) -> Self {
        Self { timezone: Some(name), ..self }
    }

    /// `start = "2024-01-31"`: no data interval starts before `start` or after `end`; both are inclusive, and a day is the whole
    /// day.
    ///
    /// Takes: a day, a time `"2024-01-31T06:00"` of `timezone`, or an instant `"2024-01-31T06:00:00Z"`. Default: none.
    pub fn start(self, date: &'static str) -> Self {
        Self { start: Some(date), ..self }
    }

    /// `end`: no data interval starts before `start` or after `end`; both are inclusive, and a day is the whole day.
    ///
    /// Takes: a day, a time `"2024-01-31T06:00"` of `timezone`, or an instant `"2024-01-31T06:00:00Z"`. Default: none.
    pub fn end(self, date: &'static str) -> Self {
        Self { end: Some(date), ..self }
    }

    /// `catchup = true`: if true, all missed intervals run, otherwise only the latest.
    ///
    /// Takes: `true` or `false`. Default: false.
    pub fn catchup(self, catchup: bool) -> Self {
        Self { catchup, ..self }
    }

    /// `max_active_runs = 1`: how many runs may be active at once, without those of backfills.
    ///
    /// Takes: whole number from 1. Default: 16.
    pub fn max_active_runs(self, n: u32) -> Self {
        Self { max_active_runs: Some(n), ..self }
    }

    /// `depends_on_past = true`: if true, a scheduled run waits until the run before it has succeeded.
    ///
    /// Takes: `true` or `false`. Default: false.
    pub fn depends_on_past(self, depends_on_past: bool) -> Self {
        Self { depends_on_past, ..self }
    }

    /// `keep = "90d"`: `serve` deletes runs that ended longer ago than this.
    ///
    /// Takes: duration. Default: that of `serve --keep`, or else forever.
    pub fn keep(self, millis: u64) -> Self {
        Self { keep: Some(Duration::from_millis(millis)), ..self }
    }

    /// `timeout = "3h"`: time limit of a run: then running attempts are cut off, nodes that have not started are skipped, and the
    /// run fails.
    ///
    /// Takes: duration. Default: none.
    pub fn timeout(self, millis: u64) -> Self {
        Self { timeout: Some(Duration::from_millis(millis)), ..self }
    }

    /// `sla = "45m"`: `on_sla_miss` is called if the run has not ended within this limit.
    ///
    /// Takes: duration. Default: none.
    pub fn sla(self, millis: u64) -> Self {
        Self { sla: Some(Duration::from_millis(millis)), ..self }
    }

    /// `escalate("60m" => page, "90m" => [page, log_it])`: further callbacks, each called if the run has not ended within its
    /// limit.
    ///
    /// Takes: steps in rising order. Default: none.
    pub fn escalate(mut self, after_millis: u64, notifier: impl Notify) -> Self {
        self.escalation.push((Duration::from_millis(after_millis), Callback::new(Event::OnSlaMiss, notifier)));
        self
    }

    /// `on_failure`: called when the run fails.
    ///
    /// Takes: path of a callback, or a list. Default: none.
    pub fn on_failure(self, notifier: impl Notify) -> Self {
        self.callback(Event::OnFailure, notifier)
    }

    /// `on_cancel`: called when the run is cancelled.
    ///
    /// Takes: path of a callback, or a list. Default: none.
    pub fn on_cancel(self, notifier: impl Notify) -> Self {
        self.callback(Event::OnCancel, notifier)
    }

    /// `on_upstream_failed`: called when a node does not run because an upstream failed.
    ///
    /// Takes: path of a callback, or a list. Default: none.
    pub fn on_upstream_failed(self, notifier: impl Notify) -> Self {
        self.callback(Event::OnUpstreamFailed, notifier)
    }

    /// `on_retry`: called when a node's attempt failed and will be retried.
    ///
    /// Takes: path of a callback, or a list. Default: none.
    pub fn on_retry(self, notifier: impl Notify) -> Self {
        self.callback(Event::OnRetry, notifier)
    }

    /// `on_success`: called when the run succeeds.
    ///
    /// Takes: path of a callback, or a list. Default: none.
    pub fn on_success(self, notifier: impl Notify) -> Self {
        self.callback(Event::OnSuccess, notifier)
    }

    /// `on_skipped`: called when a node is skipped.
    ///
    /// Takes: path of a callback, or a list. Default: none.
    pub fn on_skipped(self, notifier: impl Notify) -> Self {
        self.callback(Event::OnSkipped, notifier)
    }

    /// `on_sla_miss`: called when the run misses its `sla`.
    ///
    /// Takes: path of a callback, or a list. Default: none.
    pub fn on_sla_miss(self, notifier: impl Notify) -> Self {
        self.callback(Event::OnSlaMiss, notifier)
    }

    fn callback(mut self, event: Event, notifier: impl Notify) -> Self {
        self.callbacks.push(Callback::new(event, notifier));
        self
    }

    /// `defaults(retries = 1, ..)`: options of all nodes; a node's own attribute takes precedence.
    ///
    /// Takes: options of tasks and sensors, `id` excepted; or a constant: `defaults = TEAM`. Default: none.
    pub fn defaults(self, defaults: Defaults) -> Self {
        Self { defaults: defaults.options(), ..self }
    }

    /// `tags = ["daily"]`: labels for `list` and the dashboard.
    ///
    /// Takes: list of texts. Default: none.
    pub fn tags(self, tags: &'static [&'static str]) -> Self {
        Self { tags, ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_backoff_that_starts_at_nothing_stays_there_however_far_it_grows() {
        let backoff = Backoff::new(Duration::ZERO, Duration::from_mins(5));
        for k in [0, 1, 1023, 1024, u32::MAX] {
            assert_eq!(backoff.wait(k), Duration::ZERO, "{k}");
        }
        let backoff = Backoff::new(Duration::from_millis(1), Duration::from_mins(5));
        assert_eq!(backoff.wait(u32::MAX), Duration::from_mins(5));
    }
}
