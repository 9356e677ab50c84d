//! What a node has to do with a run of another pipeline: it waits for it, takes an output of it, or starts it.
//!
//! Few nodes do, so it stands in a table beside the plan's nodes and costs the others nothing. Bodies find it there by their node, since
//! the methods that say which run is meant are called after the node is made.

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

/// A run of another pipeline that has succeeded: the value of [`run_of`](crate::run_of).
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

    /// When it began.
    pub fn started(&self) -> DateTime<Utc> {
        self.started
    }

    /// When it ended.
    pub fn finished(&self) -> DateTime<Utc> {
        self.finished
    }

    /// One to call a body with in a test, that began and ended at the end of its interval.
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

/// What becomes of a node that waits for a run, once that run has ended without success.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum OnFailed {
    /// It fails at once, with what the run failed of.
    #[default]
    Fail,
    /// It waits on: the run may be retried.
    Wait,
    /// It is skipped.
    Skip,
}

/// What names a pipeline: its function, as in `run_of(enriched_base)`, or what that returns. The trait is sealed.
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

/// A task by its name, as a type: `run.output::<all_copied>()`. The attributes implement it, and nobody else does.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a task",
    label = "not the name of a `#[task]`, `#[sensor]` or `#[branch]` function",
    note = "name the task that returns the output, as in `run_of(copy_dedup).output::<all_copied>()`"
)]
pub trait TaskName: 'static {
    /// What its nodes pass on.
    type Output;
    #[doc(hidden)]
    const DEFINITION: Definition;
}

/// The start of the run that is awaited, of the interval of the run that waits.
type At = Arc<dyn Fn(Interval) -> DateTime<Utc> + Send + Sync>;

/// What a node has to do with another pipeline.
#[derive(Debug, Clone)]
pub(crate) struct Across {
    pub(crate) pipeline: Pipeline,
    pub(crate) role: Role,
}

impl Across {
    /// Which run of it the node waits for, if it waits for one.
    pub(crate) fn awaits(&self) -> Option<&Awaits> {
        match &self.role {
            Role::Awaits(awaits) => Some(awaits),
            Role::Takes(_) | Role::Past(_) | Role::Starts(_) => None,
        }
    }

    /// Whose output of it the node takes, if it takes one.
    #[cfg(feature = "cli")]
    pub(crate) fn takes(&self) -> Option<Takes> {
        if let Role::Takes(takes) = self.role { Some(takes) } else { None }
    }
}

#[derive(Debug, Clone)]
pub(crate) enum Role {
    /// It waits for a run of it.
    Awaits(Awaits),
    /// It takes an output of a run of it.
    Takes(Takes),
    /// It waits until a node, of that id, has passed in the previous run of its own pipeline.
    Past(Box<str>),
    /// It starts a run of it, with params of that type, which has that name in messages.
    Starts((TypeId, &'static str)),
}

impl Role {
    /// Its name, for programs.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Awaits(_) => "awaits",
            Self::Takes(_) => "takes",
            Self::Past(_) => "past",
            Self::Starts(_) => "starts",
        }
    }

    /// What the node does, before the pipeline's id.
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
pub(crate) struct Awaits {
    /// None for the same start.
    pub(crate) at: Option<At>,
    pub(crate) on_failed: OnFailed,
    /// It is the run that another node has started, whose input it is.
    pub(crate) is_started: bool,
}

impl fmt::Debug for Awaits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Awaits").field("on_failed", &self.on_failed).field("is_started", &self.is_started).finish_non_exhaustive()
    }
}

/// Whose output.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Takes {
    pub(crate) task: TypeId,
    /// What the task is called, for messages.
    pub(crate) id: &'static str,
}

impl Awaits {
    /// The start of the run that a run of that interval waits for.
    pub(crate) fn start_for(&self, interval: Interval) -> DateTime<Utc> {
        self.at.as_ref().map_or(interval.start, |at| at(interval))
    }
}

impl Across {
    /// Which run is meant, where no other node says it.
    pub(crate) fn wanted(&self, info: &RunInfo) -> Option<WantedRun> {
        match &self.role {
            Role::Awaits(awaits) if !awaits.is_started => {
                Some(WantedRun::OfInterval { pipeline: self.pipeline.id().to_owned(), start: awaits.start_for(info.interval) })
            }
            // A run by hand, or for updates, has no place in the order of the others.
            Role::Past(node) if matches!(info.kind, RunKind::Scheduled | RunKind::Backfill) => Some(WantedRun::Before {
                pipeline: self.pipeline.id().to_owned(),
                start: info.interval.start,
                node: node.clone(),
            }),
            _ => None,
        }
    }
}

/// A run that somebody waits for.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum WantedRun {
    /// The newest success of the interval that starts then, else its newest run.
    OfInterval { pipeline: String, start: DateTime<Utc> },
    /// That very run.
    Named { pipeline: String, run_id: String },
    /// Of the last interval before then that has a scheduled run, or a backfill's: one in which that node has passed.
    Before { pipeline: String, start: DateTime<Utc>, node: Box<str> },
}

impl WantedRun {
    pub(crate) fn pipeline(&self) -> &str {
        match self {
            Self::OfInterval { pipeline, .. } | Self::Named { pipeline, .. } | Self::Before { pipeline, .. } => pipeline,
        }
    }
}

impl fmt::Display for WantedRun {
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
