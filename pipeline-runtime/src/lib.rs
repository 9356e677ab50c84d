//! Typed data pipelines as annotated async functions, and the engine that runs them.
//!
//! A pipeline is a function that wires tasks by calling them. `cargo check` verifies the wiring: the type of every edge, every
//! duration, cron line and template, every arm of a branch. One binary then runs the pipeline, durably on one machine with
//! nothing to install, and a test runs the same pipeline on virtual time, hours of waiting in milliseconds. The vocabulary is
//! Airflow's.
//!
//! ```
//! use pipeline_runtime::prelude::*;
//! use pipeline_runtime::{RunState, Simulation};
//!
//! #[derive(Clone, serde::Serialize, serde::Deserialize)]
//! struct Summary {
//!     records: usize,
//! }
//!
//! /// Waits for the day's export, and asks for it every 45 seconds.
//! #[sensor(timeout = "10m", poke = "45s", retries = 2, retry_delay = "2m")]
//! async fn daily_export(bucket: Bucket, key: String) -> Result<Poke<Object>> {
//!     Ok(bucket.head(&key).await?.into())
//! }
//!
//! #[task(retries = 1, retry_delay = "5m")]
//! async fn process(bucket: Bucket, export: Object) -> Result<Summary> {
//!     let text = bucket.get(&export.key).await?;
//!     Ok(Summary { records: text.split(|byte| *byte == b'\n').count() })
//! }
//!
//! #[task]
//! async fn archive(bucket: Bucket, export: Object, summary: Summary) -> Result<()> {
//!     println!("{} records in {}", summary.records, export.key);
//!     bucket.rename(&export.key, &format!("archive/{}", export.key)).await?;
//!     Ok(())
//! }
//!
//! /// Runs however the processing ended.
//! #[task]
//! async fn notify(summary: Outcome<Summary>) -> Result<()> {
//!     match summary {
//!         Outcome::Success(summary) => println!("{} records", summary.records),
//!         Outcome::Skipped => println!("nothing today"),
//!         Outcome::Failed(failure) => println!("{} failed: {}", failure.node(), failure.error()),
//!     }
//!     Ok(())
//! }
//!
//! #[pipeline(schedule = "0 6 * * *", start = "2024-01-01")]
//! fn cloud_data_pipeline() -> Result<()> {
//!     let bucket = Bucket::open("memory://data-bucket")?;
//!     let export = daily_export(&bucket, template!("raw/daily_export_{{ ds_nodash }}.json"));
//!     let summary = process(&bucket, export);
//!     archive(&bucket, export, summary);
//!     notify(summary);
//!     Ok(())
//! }
//!
//! // In `main`: pipeline_runtime::cli::main([cloud_data_pipeline()])
//! // In a test, where the export comes 7 minutes late:
//! let report = Simulation::new(cloud_data_pipeline())
//!     .logical_date("2024-03-25")
//!     .arrive("7m", "memory://data-bucket/raw/daily_export_20240325.json", "one\ntwo")
//!     .run();
//! assert_eq!(report.state(), RunState::Success, "{}", report.timeline());
//! assert_eq!(report.node("daily_export").pokes(), 11);
//! assert_eq!(report.output::<Summary>("process").unwrap().records, 2);
//! ```
//!
//! # Tasks, sensors, branches
//!
//! `#[task]` turns `process` into a constructor of nodes: called in a pipeline's function, it adds a node and returns a
//! [`Node<Summary>`](Node), a handle to a value that does not exist yet. A node is `Copy`; passing it on draws an edge. Because a
//! node must exist before it can be passed, no cycle can be written. Loops, helper functions and other crates are plain Rust.
//! `process::call(..)` is the untouched body, for unit tests.
//!
//! - [`#[task]`](macro@task) does work, once or with retries. A task that is not `async` runs on the blocking pool.
//! - [`#[sensor]`](macro@sensor) waits: it returns [`Poke::Ready`] or [`Poke::NotYet`] and is poked again until its timeout, or
//!   [`Poke::NotBefore`] a given time.
//! - [`#[branch]`](macro@branch) decides which of its arms run; its enum has [`#[derive(Branch)]`](macro@Branch).
//! - [`#[pipeline]`](macro@pipeline) wires them, and has the schedule.
//! - [`template!`] is a text that is checked at compile time and rendered when its task runs.
//!
//! Each macro's page has the table of its options. Every option but `id` is also a method of that name on [`Node`], which applies
//! to that node alone: `process(&bucket, export).retries(5).named("process_eu")`.
//!
//! # The parameter's type is the trigger rule
//!
//! Each parameter takes a plain value or a node in the same position, and its type says when the task runs.
//!
//! | parameter | accepts | runs when its upstream … | Airflow's rule |
//! |---|---|---|---|
//! | `T` | `T`, `&T`, `Node<T>`; for `String` also `&str` and [`template!`] | succeeded | `all_success` |
//! | `Arc<T>` | `Node<T>`, `Arc<T>` | succeeded; shared without a copy | `all_success` |
//! | `Option<T>` | `Node<T>`, `Option<T>` | succeeded or was skipped, then `None` | `none_failed` |
//! | [`Outcome<T>`](Outcome) | `Node<T>` | ended, however | `all_done` |
//! | `Vec<T>` | a mapped node, `[Node<T>; N]`, `Vec<Node<T>>`, any `Node<Vec<T>>` | all succeeded | `all_success` |
//! | `Vec<Option<T>>` | a mapped node, `[Node<T>; N]`, `Vec<Node<T>>` | none failed | `none_failed` |
//! | `Vec<Outcome<T>>` | a mapped node, `[Node<T>; N]`, `Vec<Node<T>>` | all ended | `all_done` |
//! | [`Failure`] | [`node.failure()`](Node::failure) | failed, or did not run because its own upstream failed | `all_failed` |
//! | `T` | [`first_of([a, b])`](first_of) | one of them succeeded | `one_success` |
//! | [`Context`] | nothing: the runtime supplies it | | |
//!
//! A run that is cancelled, or that reaches its own `timeout`, ends whatever the rules say: attempts that are running are
//! stopped, and nodes that have not started are skipped, including those that take an [`Outcome<T>`](Outcome). Only
//! [teardowns](Node::teardown) still run. A task's own `timeout` fails that task alone, and the tasks that take its outcome run.
//!
//! Dates in templates (`ds`, `ts`, `date(..)`) and those of a [`Context`] are in UTC, whatever the pipeline's `timezone`.
//! `local_ds`, the filter `local` and [`Context::timezone`] give the wall clock of that zone.
//!
//! `.after(node)` waits for a node without taking its value, `.after(node.ended())` and `.after(node.or_skipped())` wait by the
//! other rules, and [`chain`] orders several nodes. [`.each(..)`](Node::each) repeats the nodes wired in its closure for every
//! element of a list, and [`.keyed(..)`](Node::keyed) names the elements; `docs/mappings.md` describes mappings in full.
//! [`.field(..)`](Node::field) takes a part of an output. `docs/trigger-rules.md` in the repository lists all trigger rules in
//! both spellings. [`group`] prefixes the ids of the nodes wired in it, and gives all of them options and an order.
//! [`setup.teardown(..)`](Node::teardown) undoes what a node has set up, whatever happens in between.
//!
//! # What crosses a task's boundary
//!
//! A task's return value is written to the journal, so that the run can be resumed after a crash. Its type must be [`Data`],
//! which any type is with `#[derive(Clone, serde::Serialize, serde::Deserialize)]`. Plain values, such as a client, are held only
//! in memory, and need `Clone + Send + Sync`. An error may be of any type; [`TaskError::fatal`] makes one that is not retried,
//! and [`TaskError::skip`] ends the node as skipped.
//!
//! # Features
//!
//! | feature | by default | what it brings |
//! |---|---|---|
//! | `cli` | yes | [`cli`], the command line; needs `graph` and `sqlite` |
//! | `dashboard` | yes | the web page of `serve` and `dashboard`, and its API |
//! | `graph` | yes, by `cli` | `Plan::to_text`, a plan with a drawing of its graph. [`Plan::to_mermaid`] and [`Plan::to_json`] are always available |
//! | `sqlite` | yes, by `cli` | runs that are stored in a file, and the processes that host them. Without it there are only simulations |
//! | `webhook` | yes | [`Webhook`] |
//! | `watch` | yes | a change in a folder wakes the sensors that wait for it; without this feature they only poll |
//! | `s3` | no | `s3://` buckets |
//! | `gcp` | no | `gs://` buckets |
//! | `azure` | no | `az://` buckets |
//! | `airflow` | no | the same binary as a task of Airflow: `airflow export`; needs `cli` |
//! | `mail` | no | `Mail`, which notifies people through an SMTP server |
//!
//! A library of tasks and sensors needs none of these: with `default-features = false` its tests build neither `SQLite` nor HTTP.
//!
//! # Where to go next
//!
//! - Run it: [`cli`] is the command line of every pipeline's binary.
//! - Embed it in a service: [`Host`] runs pipelines within another program, and [`read`] reads their runs from the journal.
//! - Test it: [`Simulation`], which needs no clock, no network and no file.
//! - Read and write objects: [`Bucket`] is a folder, memory or a cloud, by its URL.
//! - Run programs: [`Command`].
//! - Let one pipeline start another's runs: [`Asset`].
//! - Change a limit without a deployment: [`Setting`].
//! - Restrict tokens and passwords to the tasks that need them: [`Secret`].
//! - Be notified: [`Notify`], [`Webhook`], `Mail`, in your own words by [`alert!`], and the options `on_failure`,
//!   `on_upstream_failed`, `on_cancel`, `on_retry`, `on_success`, `on_skipped` and `on_sla_miss`.
//! - Schedules and their data intervals: [`schedule`].
//! - Wait for another pipeline's run, take an output of it, or start one: [`run_of`], [`start()`].
//! - Fix mistakes: `docs/what-the-compiler-tells-you.md` in the repository lists each message, with what to write instead. What
//!   types cannot check, [`Pipeline::check`] reports at the start of every run and test.

// docs.rs sets `docsrs`, and then says of each item which feature it needs.
#![cfg_attr(docsrs, feature(doc_cfg))]
// Much of the engine is used only by a journal or a command line.
#![cfg_attr(
    not(all(feature = "cli", feature = "dashboard", feature = "watch", feature = "webhook")),
    allow(dead_code, unreachable_pub, unused_imports, reason = "what the missing features would use")
)]

// The expansion of the macros names this crate, also in the crate's own tests and examples.
extern crate self as pipeline_runtime;

#[cfg(not(unix))]
compile_error!(
    "pipeline-runtime runs on Linux, and is expected to on other Unix systems; on this one keys of `file://` buckets could leave their bucket, and no \
     lock has been tested. Build it for Linux, on Windows in the Windows Subsystem for Linux. `docs/platforms.md` says more"
);

#[cfg(feature = "measure")]
#[doc(hidden)]
#[path = "measure.rs"]
pub mod __measure;
#[cfg(feature = "airflow")]
mod airflow;
mod alerts;
mod author;
#[cfg(feature = "cli")]
pub mod cli;
#[cfg(feature = "dashboard")]
mod dashboard;
mod engine;
mod hash;
#[cfg(feature = "sqlite")]
mod host;
mod journal;
mod observe;
mod plan;
mod programs;
mod random;
#[cfg(feature = "sqlite")]
pub mod read;
pub mod schedule;
pub mod sensors;
mod simulate;
mod storage;
mod time;

#[doc(hidden)]
#[path = "private.rs"]
pub mod __private;

pub use alerts::Log;
#[cfg(feature = "mail")]
pub use alerts::Mail;
#[cfg(feature = "webhook")]
pub use alerts::Webhook;
// `serde_json` is not re-exported, as everybody uses its version 1: once `Value::String` is reachable from here, rustc's messages
// say `std::string::String`.
/// Crates whose types appear in this API: dates, and the bytes of an object. Import them from here to get the matching version.
#[doc(no_inline)]
pub use {bytes, chrono};

pub use author::across::{OnFailed, PipelineRef, StartedRun, TaskName, UpstreamRun};
pub use author::asset::Asset;
pub use author::branch::{Arms, Branch};
pub use author::context::Context;
pub use author::error::{IntoTaskError, Result, TaskError};
pub use author::field::Tuple;
pub use author::group::{Group, group};
pub use author::input::IntoInput;
pub use author::lock::Lock;
pub use author::mapping::{Keyed, List, ListExt, Repeats, list};
pub use author::node::{ArmsExt, Node, first_of};
pub use author::notify::{BoxFuture, Event, Nobody, Notification, Notify};
pub use author::options::{Backoff, Defaults, Mode, OnTimeout, Pool};
pub use author::order::{Order, Steps, Upstreams, chain};
pub use author::outcome::{Failure, Outcome, Poke};
pub use author::output::{BranchOutput, PipelineOutput, SensorOutput, TaskOutput};
pub use author::params::{Params, ParamsError};
pub use author::pipeline::{Pipeline, WireError};
pub use author::secret::Secret;
pub use author::setting::Setting;
pub use author::template::Template;
pub use author::template::alert::AlertText;
pub use author::value::Data;
pub use engine::{NodeState, RunState};
#[cfg(feature = "sqlite")]
pub use host::{AttemptLogs, Host, HostBuilder, HostError, RunRef, Shutdown, StartError};
#[cfg(feature = "sqlite")]
pub use journal::{Holder, JournalError};
pub use observe::{CallbackReport, NodeReport, RunReport};
pub use observe::{Histogram, NodeMetrics, RunMetrics, SensorMetrics};
pub use pipeline_macros::{Branch, branch, pipeline, sensor, task};
pub use plan::{Plan, PlanChanged, PlanError, Problem};
pub use programs::{Command, IntoArgument, IntoVariable, Ran, Variable};
pub use schedule::RunKind;
pub use sensors::{run_of, start};
pub use simulate::{OtherRun, Simulation, SimulationError};
pub use storage::{Bucket, BucketError, BucketErrorKind, Object, ObjectListing, ObjectReader, ObjectWriter};
pub use time::{Clock, Timestamp};

/// Everything that a pipeline's author needs: `use pipeline_runtime::prelude::*;`
pub mod prelude {
    pub use crate::{
        ArmsExt as _, Asset, Branch, Bucket, Context, Defaults, Failure, IntoInput, ListExt as _, Lock, Node, Notification,
        Notify, Object, OnTimeout, Outcome, Pipeline, Poke, Pool, Result, Secret, Setting, TaskError, Template, alert, branch,
        chain, cron, defaults, every, first_of, group, pipeline, run_of, sensor, task, template,
    };

    pub use crate::schedule::{Cron, Every};

    #[cfg(feature = "mail")]
    pub use crate::Mail;
    #[cfg(feature = "webhook")]
    pub use crate::Webhook;
}
