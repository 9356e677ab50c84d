//! One module for each option of the attributes, for rust-analyzer to complete and show: see
//! `pipeline-macros/src/options/completion.rs`.
//!
//! The texts repeat the tables on the macros' pages, as do those of the builders' methods, which an editor shows for an option in
//! an attribute. `tests/docs/options.rs` compares them.

/// The options of `#[task]` and `#[branch]`.
pub mod task {
    /// `retries = 2`: attempts after the first.
    ///
    /// Takes: whole number up to 1,000,000. Default: 0.
    pub mod retries {}
    /// `retry_delay = "5m"`: wait before each retry.
    ///
    /// Takes: duration. Default: 5m.
    pub mod retry_delay {}
    /// `backoff(start = "30s", max = "5m", factor = 2, jitter = "5s")`: growing waits instead of `retry_delay`: the k-th wait, k
    /// from 0, is `min(max, start * factor^k)`, plus up to `jitter`.
    ///
    /// Takes: list; `start` and `max` are required. Default: none.
    pub mod backoff {
        /// `start = "30s"`: the first wait.
        pub mod start {}
        /// `max = "5m"`: the longest wait.
        pub mod max {}
        /// `factor = 2`: the factor by which each wait is longer than the one before. Default: 2.
        pub mod factor {}
        /// `jitter = "5s"`: a random time of up to this is added to each wait. Default: none.
        pub mod jitter {}
    }
    /// `timeout = "10m"`: time limit of one attempt.
    ///
    /// Takes: duration. Default: none.
    pub mod timeout {}
    /// `pool = S3`: limits how many of the pool's nodes run at once.
    ///
    /// Takes: path of a `static` `Pool`. Default: `default_pool`.
    pub mod pool {}
    /// `priority = 5`: of the nodes that wait for the same pool, the one with the highest priority runs first.
    ///
    /// Takes: whole number, negative ones included. Default: 0.
    pub mod priority {}
    /// `depends_on_past = true`: if true, the node waits until the same node has succeeded or was skipped in the previous
    /// scheduled run.
    ///
    /// Takes: `true` or `false`. Default: false.
    pub mod depends_on_past {}
    /// `sla = "45m"`: `on_sla_miss` is called if the node has not ended within this limit.
    ///
    /// Takes: duration. Default: none.
    pub mod sla {}
    /// `on_failure`: called when the node fails.
    ///
    /// Takes: path of a callback, or a list `[page, CHAT]`; or `none`, to remove the pipeline's default. Default: none.
    pub mod on_failure {}
    /// `on_retry`: called when an attempt failed and will be retried.
    ///
    /// Takes: path of a callback, a list, or `none`. Default: none.
    pub mod on_retry {}
    /// `on_upstream_failed`: called when the node does not run because an upstream failed.
    ///
    /// Takes: path of a callback, a list, or `none`. Default: none.
    pub mod on_upstream_failed {}
    /// `on_success`: called when the node succeeds.
    ///
    /// Takes: path of a callback, a list, or `none`. Default: none.
    pub mod on_success {}
    /// `on_skipped`: called when the node is skipped.
    ///
    /// Takes: path of a callback, a list, or `none`. Default: none.
    pub mod on_skipped {}
    /// `on_sla_miss`: called when the node misses its `sla`.
    ///
    /// Takes: path of a callback, a list, or `none`. Default: none.
    pub mod on_sla_miss {}
    /// `id = "load_eu"`: the node's id.
    ///
    /// Takes: text. Default: the function's name.
    pub mod id {}
}

/// The options of `#[sensor]`, and of a pipeline's `defaults(..)`.
pub mod sensor {
    pub use super::task::*;

    /// `timeout = "10m"`: time limit of the whole wait, across pokes, retries and restarts; the error names what the last poke
    /// looked for in a `Bucket`.
    ///
    /// Takes: duration. Default: 7d.
    pub mod timeout {}
    /// `poke = "45s"`: wait between pokes.
    ///
    /// Takes: duration. Default: 60s.
    pub mod poke {}
    /// `backoff(start = "30s", max = "5m", factor = 2, jitter = "5s")`: growing waits between pokes, instead of `poke`.
    ///
    /// Takes: list. Default: none.
    pub mod backoff {
        /// `start = "30s"`: the first wait.
        pub mod start {}
        /// `max = "5m"`: the longest wait.
        pub mod max {}
        /// `factor = 2`: the factor by which each wait is longer than the one before. Default: 2.
        pub mod factor {}
        /// `jitter = "5s"`: a random time of up to this is added to each wait. Default: none.
        pub mod jitter {}
    }
    /// `poke_jitter = "5s"`: a random time of up to this is added to each wait between pokes.
    ///
    /// Takes: duration. Default: none.
    pub mod poke_jitter {}
    /// `poke_timeout = "10s"`: time limit of one poke.
    ///
    /// Takes: duration. Default: the smaller of `poke` and 60s.
    pub mod poke_timeout {}
    /// `on_timeout = "skip"`: what happens when the timeout is reached, even while the node waits for a slot of its pool;
    /// `"skip"` is Airflow's `soft_fail`, but the node still fails if its last poke was an error.
    ///
    /// Takes: `"fail"`, `"skip"` or `"retry"`. Default: `"fail"`.
    pub mod on_timeout {}
    /// `mode = "poke"`: `"poke"` holds the pool slot between pokes, `"reschedule"` releases it.
    ///
    /// Takes: `"poke"` or `"reschedule"`. Default: `"reschedule"`.
    pub mod mode {}
}

/// The options of `#[pipeline]`.
pub mod pipeline {
    /// `schedule = "0 6 * * *"`: each tick ends a data interval, whose run then begins.
    ///
    /// Takes: cron of five fields as croniter reads it, or `@daily`, `@hourly`, …; a list of such lines;
    /// `schedule(every = "4w", from = "2024-01-31")`; or a constant. Default: none: no scheduled runs.
    pub mod schedule {
        /// `every = "4w"`: the time between two runs. Days and weeks follow the calendar; hours and less are elapsed time.
        pub mod every {}
        /// `from = "2024-01-31"`: the start of the first data interval.
        pub mod from {}
    }
    /// `when = all(VISITS, PROCESSES)`: a run begins once each of the assets, or with `any(..)` one of them, was updated since
    /// the last run that updates began.
    ///
    /// Takes: paths of `static` assets. Default: none.
    pub mod when {}
    /// `timezone = "Europe/Berlin"`: the time zone of the schedule, and of dates and times without an offset; dates in templates
    /// are UTC.
    ///
    /// Takes: IANA name. Default: UTC.
    pub mod timezone {}
    /// `start = "2024-01-31"`: no data interval starts before `start` or after `end`; both are inclusive, and a day is the whole
    /// day.
    ///
    /// Takes: a day, a time `"2024-01-31T06:00"` of `timezone`, or an instant `"2024-01-31T06:00:00Z"`. Default: none.
    pub mod start {}
    /// `end`: no data interval starts before `start` or after `end`; both are inclusive, and a day is the whole day.
    ///
    /// Takes: a day, a time `"2024-01-31T06:00"` of `timezone`, or an instant `"2024-01-31T06:00:00Z"`. Default: none.
    pub mod end {}
    /// `catchup = true`: if true, all missed intervals run, otherwise only the latest.
    ///
    /// Takes: `true` or `false`. Default: false.
    pub mod catchup {}
    /// `max_active_runs = 1`: how many runs may be active at once, without those of backfills.
    ///
    /// Takes: whole number from 1. Default: 16.
    pub mod max_active_runs {}
    /// `depends_on_past = true`: if true, a scheduled run waits until the run before it has succeeded.
    ///
    /// Takes: `true` or `false`. Default: false.
    pub mod depends_on_past {}
    /// `keep = "90d"`: `serve` deletes runs that ended longer ago than this.
    ///
    /// Takes: duration. Default: that of `serve --keep`, or else forever.
    pub mod keep {}
    /// `timeout = "3h"`: time limit of a run: then running attempts are cut off, nodes that have not started are skipped, and the
    /// run fails.
    ///
    /// Takes: duration. Default: none.
    pub mod timeout {}
    /// `sla = "45m"`: `on_sla_miss` is called if the run has not ended within this limit.
    ///
    /// Takes: duration. Default: none.
    pub mod sla {}
    /// `escalate("60m" => page, "90m" => [page, log_it])`: further callbacks, each called if the run has not ended within its
    /// limit.
    ///
    /// Takes: steps in rising order. Default: none.
    pub mod escalate {}
    /// `on_failure`: called when the run fails.
    ///
    /// Takes: path of a callback, or a list. Default: none.
    pub mod on_failure {}
    /// `on_success`: called when the run succeeds.
    ///
    /// Takes: path of a callback, or a list. Default: none.
    pub mod on_success {}
    /// `on_sla_miss`: called when the run misses its `sla`.
    ///
    /// Takes: path of a callback, or a list. Default: none.
    pub mod on_sla_miss {}
    /// `on_retry`: called when a node's attempt failed and will be retried.
    ///
    /// Takes: path of a callback, or a list. Default: none.
    pub mod on_retry {}
    /// `on_upstream_failed`: called when a node does not run because an upstream failed.
    ///
    /// Takes: path of a callback, or a list. Default: none.
    pub mod on_upstream_failed {}
    /// `on_cancel`: called when the run is cancelled.
    ///
    /// Takes: path of a callback, or a list. Default: none.
    pub mod on_cancel {}
    /// `on_skipped`: called when a node is skipped.
    ///
    /// Takes: path of a callback, or a list. Default: none.
    pub mod on_skipped {}
    /// `defaults(retries = 1, ..)`: options of all nodes; a node's own attribute takes precedence.
    ///
    /// Takes: options of tasks and sensors, `id` excepted; or a constant: `defaults = TEAM`. Default: none.
    pub mod defaults {
        pub use super::super::sensor::*;
    }
    /// `tags = ["daily"]`: labels for `list` and the dashboard.
    ///
    /// Takes: list of texts. Default: none.
    pub mod tags {}
    /// `id = "load_eu"`: the pipeline's id.
    ///
    /// Takes: text. Default: the function's name.
    pub mod id {}
}
