//! The options of the attributes, a module each, which rust-analyzer completes and shows: see `pipeline-macros/src/options/completion.rs`.
//!
//! Their texts are those of the tables on the macros' pages, as are those of the builders' methods, which an editor shows where an option
//! stands in an attribute; `tests/docs/options.rs` compares them.

/// Of `#[task]` and `#[branch]`.
pub mod task {
    /// `retries = 2`: attempts after the first.
    ///
    /// Takes: whole number up to 1,000,000. Default: 0.
    pub mod retries {}
    /// `retry_delay = "5m"`: wait before each retry.
    ///
    /// Takes: duration. Default: 5m.
    pub mod retry_delay {}
    /// `backoff(start = "30s", max = "5m", factor = 2, jitter = "5s")`: growing waits instead of `retry_delay`: the k-th is
    /// `min(max, start * factor^k)` and up to `jitter` more.
    ///
    /// Takes: list; `start` and `max` are required. Default: none.
    pub mod backoff {
        /// `start = "30s"`: the first wait.
        pub mod start {}
        /// `max = "5m"`: the longest wait.
        pub mod max {}
        /// `factor = 2`: by how much each wait is longer than the one before; 2 where it is not given.
        pub mod factor {}
        /// `jitter = "5s"`: a random time of up to this is added to each wait; none where it is not given.
        pub mod jitter {}
    }
    /// `timeout = "10m"`: limit of one attempt.
    ///
    /// Takes: duration. Default: none.
    pub mod timeout {}
    /// `pool = S3`: bounds how many run at once.
    ///
    /// Takes: path of a `static` `Pool`. Default: `default_pool`.
    pub mod pool {}
    /// `priority = 5`: higher goes first where nodes wait for one pool.
    ///
    /// Takes: whole number, negative ones included. Default: 0.
    pub mod priority {}
    /// `depends_on_past = true`: whether it starts only once the same node has passed in the previous scheduled run.
    ///
    /// Takes: `true` or `false`. Default: false.
    pub mod depends_on_past {}
    /// `sla = "45m"`: `on_sla_miss` fires where the node has not ended by then.
    ///
    /// Takes: duration. Default: none.
    pub mod sla {}
    /// `on_failure`: told of the event.
    ///
    /// Takes: path of a callback, or a list `[page, CHAT]`; or `none`, without the pipeline's default. Default: none.
    pub mod on_failure {}
    /// `on_retry`: told of the event.
    ///
    /// Takes: path of a callback, or a list `[page, CHAT]`; or `none`, without the pipeline's default. Default: none.
    pub mod on_retry {}
    /// `on_upstream_failed`: told of the event.
    ///
    /// Takes: path of a callback, or a list `[page, CHAT]`; or `none`, without the pipeline's default. Default: none.
    pub mod on_upstream_failed {}
    /// `on_success`: told of the event.
    ///
    /// Takes: path of a callback, or a list `[page, CHAT]`; or `none`, without the pipeline's default. Default: none.
    pub mod on_success {}
    /// `on_skipped`: told of the event.
    ///
    /// Takes: path of a callback, or a list `[page, CHAT]`; or `none`, without the pipeline's default. Default: none.
    pub mod on_skipped {}
    /// `on_sla_miss`: told of the event.
    ///
    /// Takes: path of a callback, or a list `[page, CHAT]`; or `none`, without the pipeline's default. Default: none.
    pub mod on_sla_miss {}
    /// `id = "load_eu"`: the node's id.
    ///
    /// Takes: text. Default: the function's name.
    pub mod id {}
}

/// Of `#[sensor]`, and of a pipeline's `defaults(..)`.
pub mod sensor {
    pub use super::task::*;

    /// `timeout = "10m"`: budget of the whole wait, across pokes, retries and restarts; the error names what the last poke looked for in a
    /// `Bucket`.
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
        /// `factor = 2`: by how much each wait is longer than the one before; 2 where it is not given.
        pub mod factor {}
        /// `jitter = "5s"`: a random time of up to this is added to each wait; none where it is not given.
        pub mod jitter {}
    }
    /// `poke_jitter = "5s"`: up to so much more between pokes.
    ///
    /// Takes: duration. Default: none.
    pub mod poke_jitter {}
    /// `poke_timeout = "10s"`: limit of one poke.
    ///
    /// Takes: duration. Default: the smaller of `poke` and 60s.
    pub mod poke_timeout {}
    /// `on_timeout = "skip"`: how the node ends when the budget is used up, also while it waits for a place in its pool; `"skip"` is
    /// Airflow's `soft_fail`, and an error of the last poke fails it all the same.
    ///
    /// Takes: `"fail"`, `"skip"` or `"retry"`. Default: `"fail"`.
    pub mod on_timeout {}
    /// `mode = "poke"`: whether it holds its pool slot between pokes.
    ///
    /// Takes: `"poke"` or `"reschedule"`. Default: `"reschedule"`.
    pub mod mode {}
}

/// Of `#[pipeline]`.
pub mod pipeline {
    /// `schedule = "0 6 * * *"`: each tick closes a data interval.
    ///
    /// Takes: cron of five fields as croniter reads it, or `@daily`, `@hourly`, …; a list of such lines; `schedule(every = "4w", from = "2024-01-31")`; or a constant. Default: none: runs when asked to.
    pub mod schedule {
        /// `every = "4w"`: how far two runs are apart: days and weeks by the calendar, hours and what is shorter by time.
        pub mod every {}
        /// `from = "2024-01-31"`: where the first data interval starts.
        pub mod from {}
    }
    /// `when = all(VISITS, PROCESSES)`: a run begins once each of the assets, or with `any(..)` one of them, was updated since the last run that
    /// began so.
    ///
    /// Takes: paths of `static` assets. Default: none.
    pub mod when {}
    /// `timezone = "Europe/Berlin"`: where the schedule's clock stands, and where a date or time without an offset is meant; dates in templates
    /// are UTC.
    ///
    /// Takes: IANA name. Default: UTC.
    pub mod timezone {}
    /// `start = "2024-01-31"`: no interval starts before, or after; of a day, before it begins, or after it ends.
    ///
    /// Takes: a day, a time `"2024-01-31T06:00"` of `timezone`, or an instant `"2024-01-31T06:00:00Z"`. Default: none.
    pub mod start {}
    /// `end`: no interval starts before, or after; of a day, before it begins, or after it ends.
    ///
    /// Takes: a day, a time `"2024-01-31T06:00"` of `timezone`, or an instant `"2024-01-31T06:00:00Z"`. Default: none.
    pub mod end {}
    /// `catchup = true`: whether missed intervals run, all of them, or the latest only.
    ///
    /// Takes: `true` or `false`. Default: false.
    pub mod catchup {}
    /// `max_active_runs = 1`: runs at a time.
    ///
    /// Takes: whole number from 1. Default: 16.
    pub mod max_active_runs {}
    /// `depends_on_past = true`: whether a run waits for the success of the one before.
    ///
    /// Takes: `true` or `false`. Default: false.
    pub mod depends_on_past {}
    /// `keep = "90d"`: `serve` deletes runs that ended longer ago.
    ///
    /// Takes: duration. Default: `serve --keep`, and without that for ever.
    pub mod keep {}
    /// `timeout = "3h"`: limit of a run: then what is under way is cut off, what has not begun is skipped, and the run fails.
    ///
    /// Takes: duration. Default: none.
    pub mod timeout {}
    /// `sla = "45m"`: `on_sla_miss` fires where the run has not ended by then.
    ///
    /// Takes: duration. Default: none.
    pub mod sla {}
    /// `escalate("60m" => page, "90m" => [page, log_it])`: a ladder of further callbacks, from the same origin.
    ///
    /// Takes: steps in rising order. Default: none.
    pub mod escalate {}
    /// `on_failure`: told how the run ends.
    ///
    /// Takes: path of a callback, or a list. Default: none.
    pub mod on_failure {}
    /// `on_success`: told how the run ends.
    ///
    /// Takes: path of a callback, or a list. Default: none.
    pub mod on_success {}
    /// `on_sla_miss`: told how the run ends.
    ///
    /// Takes: path of a callback, or a list. Default: none.
    pub mod on_sla_miss {}
    /// `on_retry`: told of each node that is tried again, or skipped, or did not run because of another: a run has none of these.
    ///
    /// Takes: path of a callback, or a list. Default: none.
    pub mod on_retry {}
    /// `on_upstream_failed`: told of each node that is tried again, or skipped, or did not run because of another: a run has none of these.
    ///
    /// Takes: path of a callback, or a list. Default: none.
    pub mod on_upstream_failed {}
    /// `on_cancel`: told how the run ends.
    ///
    /// Takes: path of a callback, or a list. Default: none.
    pub mod on_cancel {}
    /// `on_skipped`: told of each node that is tried again, or skipped, or did not run because of another: a run has none of these.
    ///
    /// Takes: path of a callback, or a list. Default: none.
    pub mod on_skipped {}
    /// `defaults(retries = 1, ..)`: for all nodes; a node's own attribute goes before.
    ///
    /// Takes: options of tasks and sensors, `id` excepted; or a constant: `defaults = TEAM`. Default: none.
    pub mod defaults {
        pub use super::super::sensor::*;
    }
    /// `tags = ["daily"]`: for `list` and the dashboard.
    ///
    /// Takes: list of texts. Default: none.
    pub mod tags {}
    /// `id = "load_eu"`: the pipeline's id.
    ///
    /// Takes: text. Default: the function's name.
    pub mod id {}
}
