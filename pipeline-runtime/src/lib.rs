//! Typed data pipelines as annotated async functions, and the engine that runs them.

// The expansion of the macros names this crate, also in its own tests and examples.
extern crate self as pipeline_runtime;

mod alerts;
mod author;
pub mod cli;
mod engine;
mod host;
mod journal;
mod observe;
mod plan;
pub mod schedule;
pub mod sensors;
mod simulate;
mod storage;
mod time;

#[doc(hidden)]
#[path = "private.rs"]
pub mod __private;

pub use alerts::{Log, Webhook};
pub use author::branch::{Arms, Branches};
pub use author::context::Context;
pub use author::error::{Result, TaskError};
pub use author::input::{IntoInput, Rule};
pub use author::node::{ArmsExt, List, Node, first_of};
pub use author::notify::{BoxFuture, Event, Notification, Notify};
pub use author::options::{Backoff, Mode, OnTimeout, Pool};
pub use author::outcome::{Failure, Outcome, Poke};
pub use author::output::{BranchOutput, PipelineOutput, SensorOutput, TaskOutput};
pub use author::params::{Params, ParamsError};
pub use author::pipeline::{Pipeline, WireError};
pub use author::template::Template;
pub use author::value::Data;
pub use engine::{NodeState, RunState};
pub use journal::{Holder, JournalError, RunKind};
pub use observe::{CallbackReport, NodeReport, RunReport};
pub use observe::{Histogram, NodeMetrics, RunMetrics, SensorMetrics};
pub use pipeline_macros::{Branch, branch, pipeline, sensor, task, template};
pub use plan::{Plan, PlanChanged, PlanError, Problem};
pub use simulate::{Simulation, SimulationError};
pub use storage::{Bucket, BucketError, BucketErrorKind, Object};
pub use time::{Clock, Timestamp};

/// All that a pipeline's author needs: `use pipeline_runtime::prelude::*;`
pub mod prelude {
    pub use crate::{
        ArmsExt as _, Branch, Bucket, Context, Failure, IntoInput, Node, Notification, Notify, Object, Outcome, Pipeline, Poke,
        Pool, Result, TaskError, Webhook, branch, first_of, pipeline, sensor, task, template,
    };
}
