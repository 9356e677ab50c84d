//! References of a node to a run of another pipeline: the node waits for it, takes an output of it, or starts it.
//!
//! Few nodes have one, so the references are in a table next to the plan's nodes and cost the other nodes nothing. Bodies look it
//! up by their node, because the methods that select the run are called after the node was created.

use super::context::RunInfo;
use super::definition::Definition;
use super::pipeline::Pipeline;
use super::seal::Seal;
use crate::schedule::{Interval, RunKind};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use std::any::TypeId;
use std::fmt;
use std::sync::Arc;

/// A successful run of another pipeline: the value of [`run_of`](crate::run_of).
///
/// ```
/// use pipeline_runtime::prelude::*;
/// use pipeline_runtime::UpstreamRun;
///
/// #[task] async fn enrich() -> Result<u64> { Ok(1) }
/// #[pipeline(schedule = "@daily")] fn enriched_base() { enrich(); }
///
/// #[task]
/// async fn report(base: UpstreamRun) -> Result<String> {
///     Ok(format!("made of {} by {}", base.interval(), base.run_id()))
/// }
///
/// #[pipeline(schedule = "@daily")]
/// fn daily_report() { report(run_of(enriched_base)); }
/// # daily_report().check().unwrap();
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UpstreamRun {
    pub(crate) pipeline: String,
    pub(crate) run_id: String,
    pub(crate) interval_start: DateTime<Utc>,
    pub(crate) interval_end: DateTime<Utc>,
    pub(crate) started: DateTime<Utc>,
    pub(crate) finished: DateTime<Utc>,
}

impl UpstreamRun {
    /// The id of the run's pipeline.
    pub fn pipeline(&self) -> &str {
        &self.pipeline
    }

    /// The run's id.
    pub fn run_id(&self) -> &str {
        &self.run_id
    }

    /// The run's data interval. Its start is the logical date.
    pub fn interval(&self) -> Interval {
        Interval::new(self.interval_start, self.interval_end)
    }

    /// When the run started.
    pub fn started(&self) -> DateTime<Utc> {
        self.started
    }

    /// When the run ended.
    pub fn finished(&self) -> DateTime<Utc> {
        self.finished
    }

    /// A run for calling a body in a test. It started and ended at the end of its interval.
    ///
    /// ```
    /// use pipeline_runtime::UpstreamRun;
    ///
    /// let (start, end) = ("2024-03-25T00:00:00Z".parse().unwrap(), "2024-03-26T00:00:00Z".parse().unwrap());
    /// let run = UpstreamRun::for_test("enriched_base", "scheduled__2024-03-25T00:00:00Z", start, end);
    /// assert_eq!(run.interval().logical_date(), start);
    /// ```
    pub fn for_test(pipeline: &str, run_id: &str, start: DateTime<Utc>, end: DateTime<Utc>) -> Self {
        let (pipeline, run_id) = (pipeline.to_owned(), run_id.to_owned());
        Self { pipeline, run_id, interval_start: start, interval_end: end, started: end, finished: end }
    }
}

/// A run that a node has started: the value of [`start`](crate::start).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StartedRun {
    pub(crate) pipeline: String,
    pub(crate) run_id: String,
    pub(crate) interval_start: DateTime<Utc>,
    pub(crate) interval_end: DateTime<Utc>,
}

impl StartedRun {
    /// The id of the run's pipeline.
    pub fn pipeline(&self) -> &str {
        &self.pipeline
    }

    /// The run's id.
    pub fn run_id(&self) -> &str {
        &self.run_id
    }

    /// The run's data interval.
    pub fn interval(&self) -> Interval {
        Interval::new(self.interval_start, self.interval_end)
    }
}

/// What happens to a node that waits for a run, if that run ends without success.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum OnFailed {
    /// The node fails at once, with the error of the run.
    #[default]
    Fail,
    /// The node continues to wait, as the run may be retried.
    Wait,
    /// The node is skipped.
    Skip,
}

/// A reference to a pipeline: its function, as in `run_of(enriched_base)`, or the function's return value. The trait is sealed.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a pipeline",
    label = "neither a `#[pipeline]` function nor what one returns",
    note = "name the pipeline by its function, without calling it: `run_of(enriched_base)`"
)]
pub trait PipelineRef {
    #[doc(hidden)]
    fn pipeline(self, seal: Seal) -> Pipeline;
}

#[diagnostic::do_not_recommend]
impl<F: Fn() -> Pipeline> PipelineRef for F {
    fn pipeline(self, _: Seal) -> Pipeline {
        self()
    }
}

#[diagnostic::do_not_recommend]
impl PipelineRef for Pipeline {
    fn pipeline(self, _: Seal) -> Pipeline {
        self
    }
}

#[diagnostic::do_not_recommend]
impl PipelineRef for &Pipeline {
    fn pipeline(self, _: Seal) -> Pipeline {
        self.clone()
    }
}

/// A task's name, as a type: `run.output::<all_copied>()`. Only the attributes implement it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a task",
    label = "not the name of a `#[task]`, `#[sensor]` or `#[branch]` function",
    note = "name the task that returns the output, as in `run_of(copy_dedup).output::<all_copied>()`"
)]
pub trait TaskName: 'static {
    /// The type of the value that its nodes pass on.
    type Output;
    #[doc(hidden)]
    const DEFINITION: Definition;
}

/// Maps the interval of the waiting run to the start of the run that it waits for.
type At = Arc<dyn Fn(Interval) -> DateTime<Utc> + Send + Sync>;

/// A node's reference to another pipeline.
#[derive(Debug, Clone)]
pub(crate) struct CrossReference {
    pub(crate) pipeline: Pipeline,
    pub(crate) role: Role,
}

impl CrossReference {
    /// The run that the node waits for, if it waits for one.
    pub(crate) fn run_wait(&self) -> Option<&RunWait> {
        match &self.role {
            Role::Awaits(wait) => Some(wait),
            Role::Takes(_) | Role::Past(_) | Role::Starts(_) => None,
        }
    }

    /// The output that the node takes, if it takes one.
    #[cfg(feature = "cli")]
    pub(crate) fn taken_output(&self) -> Option<TakenOutput> {
        if let Role::Takes(output) = self.role { Some(output) } else { None }
    }
}

#[derive(Debug, Clone)]
pub(crate) enum Role {
    /// The node waits for a run of the pipeline.
    Awaits(RunWait),
    /// The node takes an output of a run of the pipeline.
    Takes(TakenOutput),
    /// The node waits until the node with that id has passed in the previous run of its own pipeline.
    Past(Box<str>),
    /// The node starts a run of the pipeline, whose params have this type and this type name.
    Starts((TypeId, &'static str)),
}

impl Role {
    /// Its name in JSON.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Awaits(_) => "awaits",
            Self::Takes(_) => "takes",
            Self::Past(_) => "past",
            Self::Starts(_) => "starts",
        }
    }

    /// The words before the pipeline's id in a description.
    pub(crate) fn words(&self) -> &'static str {
        match self {
            Self::Awaits(_) => "waits for a run of",
            Self::Takes(_) => "takes an output of a run of",
            Self::Past(_) => "waits for the previous scheduled run of",
            Self::Starts(_) => "starts a run of",
        }
    }
}

#[derive(Clone, Default)]
pub(crate) struct RunWait {
    /// `None` for the same start.
    pub(crate) at: Option<At>,
    pub(crate) on_failed: OnFailed,
    /// True if the run is one that another node has started, whose output is this node's input.
    pub(crate) is_started: bool,
}

impl fmt::Debug for RunWait {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RunWait")
            .field("on_failed", &self.on_failed)
            .field("is_started", &self.is_started)
            .finish_non_exhaustive()
    }
}

/// A task whose output is taken.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TakenOutput {
    pub(crate) task: TypeId,
    /// The task's name, for messages.
    pub(crate) id: &'static str,
}

impl RunWait {
    /// The start of the run that a run with that interval waits for.
    pub(crate) fn start_for(&self, interval: Interval) -> DateTime<Utc> {
        self.at.as_ref().map_or(interval.start, |at| at(interval))
    }
}

impl CrossReference {
    /// The run to look for, unless another node determines it.
    pub(crate) fn run_query(&self, info: &RunInfo) -> Option<RunQuery> {
        match &self.role {
            Role::Awaits(wait) if !wait.is_started => {
                Some(RunQuery::OfInterval { pipeline: self.pipeline.id().to_owned(), start: wait.start_for(info.interval) })
            }
            // A manual run, or one that updates triggered, has no place in the order of the scheduled runs.
            Role::Past(node) if matches!(info.kind, RunKind::Scheduled | RunKind::Backfill) => {
                Some(RunQuery::Before { pipeline: self.pipeline.id().to_owned(), start: info.interval.start, node: node.clone() })
            }
            _ => None,
        }
    }
}

/// A run that a node waits for.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum RunQuery {
    /// The newest successful run of the interval that starts then; if there is none, the newest run.
    OfInterval { pipeline: String, start: DateTime<Utc> },
    /// The run with that id.
    Named { pipeline: String, run_id: String },
    /// A run in which that node has passed, of the last interval before `start` that has a scheduled or backfill run.
    Before { pipeline: String, start: DateTime<Utc>, node: Box<str> },
}

impl RunQuery {
    pub(crate) fn pipeline(&self) -> &str {
        match self {
            Self::OfInterval { pipeline, .. } | Self::Named { pipeline, .. } | Self::Before { pipeline, .. } => pipeline,
        }
    }
}

impl fmt::Display for RunQuery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OfInterval { pipeline, start } => {
                write!(f, "the run of `{pipeline}` that starts at {}", start.to_rfc3339_opts(chrono::SecondsFormat::AutoSi, true))
            }
            Self::Named { pipeline, run_id } => write!(f, "run {run_id} of `{pipeline}`"),
            Self::Before { pipeline, node, .. } => write!(f, "`{node}` in the previous scheduled run of `{pipeline}`"),
        }
    }
}
