//! A sensor that waits for a run of another pipeline, and a task that takes an output of that run.

use crate::author::across::{Across, Awaits, OnFailed, PipelineRef, Role, Takes, TaskName, UpstreamRun, WantedRun};
use crate::author::body;
use crate::author::context::RunInfo;
use crate::author::definition::{Definition, Kind};
use crate::author::draft;
use crate::author::options::TaskOptions;
use crate::author::seal::Seal;
use crate::author::value::Data;
use crate::engine::{self, Attempt, FoundOutput, FoundRun, LastSeen, OtherRuns, RunState, Watching};
use crate::schedule::Interval;
use crate::{Node, Poke, Result, TaskError};
use chrono::{DateTime, Utc};
use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

/// Waits for a run of another pipeline: that of the same data interval, unless [`.at(..)`](Node::at) says another.
///
/// The pipeline is named by its function, so that a rename is a compile error. The value is the run, and
/// [`.output::<task>()`](Node::output) takes what a task of it returned.
///
/// ```
/// use pipeline_runtime::chrono::TimeDelta;
/// use pipeline_runtime::prelude::*;
/// use pipeline_runtime::{OnFailed, RunState, Simulation};
///
/// #[task] async fn all_copied() -> Result<u64> { Ok(7) }
/// #[pipeline(schedule = "@hourly")] fn copy_dedup() { all_copied(); }
///
/// #[task] async fn enrich() -> Result<()> { Ok(()) }
/// #[pipeline(schedule = "@hourly")] fn enriched_base() { enrich(); }
///
/// #[task] async fn publish(copied: u64) -> Result<u64> { Ok(copied) }
///
/// #[pipeline(schedule = "@hourly")]
/// fn report() {
///     let base = run_of(enriched_base).named("base");
///     let copied = run_of(copy_dedup).at(|interval| interval.start - TimeDelta::hours(1)).on_failed(OnFailed::Wait);
///     publish(copied.output::<all_copied>()).after(base);
/// }
///
/// let report = Simulation::new(report())
///     .logical_date("2024-03-25T06:00:00Z")
///     .ran("12m", enriched_base, RunState::Success)
///     .ran("20m", copy_dedup, OtherRun::success().starting("2024-03-25T05:00:00Z").output::<all_copied>(7))
///     .run();
/// assert_eq!(report.output::<u64>("publish"), Some(7), "{}", report.timeline());
/// assert_eq!(report.node("base").pokes(), 2);
/// # use pipeline_runtime::OtherRun;
/// ```
///
/// - It is a sensor, with every option of a [sensor](macro@crate::sensor) as a method: `.timeout(d)` (7 days unless given), `.on_timeout(..)`,
///   `.retries(n)`, `.sla(d)`, the callbacks. Only, it is not poked every minute: whoever hosts its run knows when the other one ends, and
///   pokes it then. An interval given by `.poke(d)` or `.backoff(b)` comes on top.
/// - Of several runs of one interval, whoever asked for them, the newest that has succeeded counts; where none has, the newest.
/// - It fails at once, whatever its retries, where that run has failed or was cancelled: the error names the run and what it failed of.
///   [`.on_failed(..)`](Node::on_failed) says to wait on, or to skip. A run that is retried to success later wakes whoever still waits.
/// - Both pipelines are given to the same `cli::main` or `Host`, as they have one journal. `check` refuses one that is missing, pipelines
///   that wait for each other, a time at which no interval of the other schedule starts, and an output of a task that the other pipeline
///   does not have, or has more than once.
///
/// # In Airflow: `ExternalTaskSensor`
///
/// - `external_dag_id` and `external_task_id` are a function and a task here, and neither is a text. `execution_delta` and
///   `execution_date_fn` are `.at(..)`.
/// - `failed_states` is what happens unless `.on_failed(..)` says otherwise; in Airflow a sensor waits for a run that has failed until its timeout.
/// - The value of the other task comes along, by `.output::<task>()` instead of `xcom_pull(dag_id=.., task_ids=..)`.
/// - There is no marker: `retry --downstream` ends at the pipeline's own nodes. A run that has taken what was wrong is retried by itself.
#[track_caller]
pub fn run_of(pipeline: impl PipelineRef) -> Node<UpstreamRun> {
    let node = awaited::run_of();
    let pipeline = pipeline.pipeline(Seal);
    draft::cross(node.handle(), Across { pipeline, role: Role::Awaits(Awaits::default()) });
    node
}

/// The sensor: its id is the function's.
mod awaited {
    use super::Asking;
    use crate::{Poke, Result, TaskError, UpstreamRun, sensor};

    /// Waits for a run of another pipeline.
    #[sensor]
    pub(super) async fn run_of() -> Result<Poke<UpstreamRun>> {
        let asking = Asking::current()?;
        match asking.across.wanted(&asking.info) {
            Some(wanted) => asking.poke(wanted).await,
            None => Err(TaskError::fatal("which run is meant is not known")),
        }
    }
}

/// How a node that waits for a run, or has waited for one, goes on.
impl Node<UpstreamRun> {
    /// Of [`run_of`]: waits for the run whose data interval starts then. Without it, it starts where the interval of this run does.
    ///
    /// The other pipeline's schedule must have an interval that starts then; `check` looks.
    ///
    /// ```
    /// use pipeline_runtime::chrono::TimeDelta;
    /// # use pipeline_runtime::prelude::*;
    /// # #[task] async fn count() -> Result<u64> { Ok(1) }
    /// # #[task] async fn sum() -> Result<u64> { Ok(1) }
    /// #[pipeline(schedule = "@hourly")] fn hourly() { count(); }
    ///
    /// /// Waits for the last hour of its day.
    /// #[pipeline(schedule = "@daily")]
    /// fn daily() {
    ///     sum().after(run_of(hourly).at(|interval| interval.end - TimeDelta::hours(1)));
    /// }
    /// # daily().check().unwrap();
    /// ```
    #[track_caller]
    pub fn at(self, start: impl Fn(Interval) -> DateTime<Utc> + Send + Sync + 'static) -> Self {
        draft::crossing(self.handle(), "at", |across| match &mut across.role {
            Role::Awaits(awaits) if !awaits.is_started => {
                awaits.at = Some(Arc::new(start));
                Some(())
            }
            _ => None,
        });
        self
    }

    /// Of [`run_of`] and `.finished()`: what becomes of this node once that run has ended without success. Unless given, it fails at once.
    #[track_caller]
    pub fn on_failed(self, what: OnFailed) -> Self {
        draft::crossing(self.handle(), "on_failed", |across| match &mut across.role {
            Role::Awaits(awaits) => {
                awaits.on_failed = what;
                Some(())
            }
            _ => None,
        });
        self
    }

    /// What a task of that run returned, as a node. The task is named as a type, so that a rename is a compile error, and so is a
    /// downstream that takes another type.
    ///
    /// Its id is the task's, as if it had been wired here. Where that node was skipped in the run, so is this one. `check` sees that the other pipeline wires that task once, and not in `.each`.
    #[track_caller]
    pub fn output<Task: TaskName<Output: Data>>(self) -> Node<Task::Output> {
        let of = |across: &mut Across| across.awaits().map(|_| across.pipeline.clone());
        let pipeline = draft::crossing(self.handle(), "output", of);
        let definition = const {
            &Definition::of::<OutputOf<Task>>(
                Kind::Task,
                Task::DEFINITION.name,
                "Takes what a task of another pipeline's run has returned.",
                Task::DEFINITION.output,
            )
        };
        let node = body::wire_task::<Result<Task::Output>, Task::Output, 1>(
            definition,
            TaskOptions::new(),
            [body::input::<UpstreamRun, _>("run", self)],
            body::body1(output_of::<Task::Output>),
            None,
        );
        if let Some(pipeline) = pipeline {
            let takes = Takes { task: std::any::TypeId::of::<Task>(), id: Task::DEFINITION.name };
            draft::cross(node.handle(), Across { pipeline, role: Role::Takes(takes) });
        }
        node
    }
}

/// The task that takes an output of that task.
struct OutputOf<Task>(PhantomData<Task>);

async fn output_of<T: Data>(run: UpstreamRun) -> Result<T> {
    let asking = Asking::current()?;
    let Role::Takes(takes) = asking.across.role else { return Err(TaskError::fatal("whose output is meant is not known")) };
    let of = format!("`{}` in run {} of `{}`", takes.id, run.run_id, run.pipeline);
    let json = match asking.others.output(run, takes).await? {
        FoundOutput::Json(json) => json,
        // As it would be were that node one of this run.
        FoundOutput::Skipped => return Err(TaskError::skip(format!("there is no output of {of}: it was skipped there"))),
        FoundOutput::Nothing => return Err(TaskError::fatal(format!("there is no output of {of}: it has not succeeded there"))),
    };
    serde_json::from_slice(&json).map_err(|error| {
        let kept = "an earlier version of the task may have returned another type";
        TaskError::fatal(format!("the output of {of} cannot be read as a `{}`: {error}; {kept}", std::any::type_name::<T>()))
    })
}

/// What a body needs to ask for runs of another pipeline.
pub(super) struct Asking {
    pub(super) across: Across,
    pub(super) info: Arc<RunInfo>,
    pub(super) others: Arc<dyn OtherRuns>,
    /// The node's id, with the indices of its elements.
    pub(super) node: String,
    watching: Option<Arc<Watching>>,
}

impl Asking {
    /// Of the attempt whose code runs here and now.
    pub(super) fn current() -> Result<Self> {
        let of = |attempt: &Attempt| {
            let across = attempt.spec.plan.across.get(&attempt.node)?.clone();
            let others = Arc::clone(attempt.others()?);
            let (info, watching) = (Arc::clone(&attempt.spec.info), attempt.watching().cloned());
            Some(Self { across, info, others, node: attempt.id(), watching })
        };
        let none =
            || TaskError::fatal("runs of other pipelines are known where runs are kept in a journal, and there is none here");
        engine::current(of).flatten().ok_or_else(none)
    }

    /// Looks for the run once.
    pub(super) async fn poke(&self, wanted: WantedRun) -> Result<Poke<UpstreamRun>> {
        let (shown, pipeline) = (wanted.to_string(), wanted.pipeline().to_owned());
        let run = |run_id, state: &dyn fmt::Display| format!("run {run_id} of `{pipeline}` ({state})");
        match self.others.look(wanted, self.watching.clone()).await? {
            FoundRun::Succeeded(run) => return Ok(Poke::Ready(run)),
            // Nobody is asked for the past of a node here.
            FoundRun::Nothing | FoundRun::Passed => note(LastSeen::found_nothing, shown),
            FoundRun::Unfinished { run_id, state } => note(LastSeen::found, run(run_id, &state)),
            FoundRun::Failed { run_id, state, error } => {
                let of = error.map(|error| format!(": {error}")).unwrap_or_default();
                let ended = format!("it waits for run {run_id} of `{pipeline}`, which has {}{of}", words(state));
                match self.on_failed() {
                    OnFailed::Fail => return Err(TaskError::fatal(ended)),
                    OnFailed::Skip => return Err(TaskError::skip(ended)),
                    OnFailed::Wait => note(LastSeen::found, run(run_id, &state)),
                }
            }
        }
        Ok(Poke::NotYet)
    }

    fn on_failed(&self) -> OnFailed {
        match &self.across.role {
            Role::Awaits(awaits) => awaits.on_failed,
            _ => OnFailed::Fail,
        }
    }
}

/// Notes what a timeout says that it waited for.
fn note(how: fn(&LastSeen, String), what: String) {
    engine::current(|attempt: &Attempt| attempt.last_seen.as_deref().map(|seen| how(seen, what)));
}

fn words(state: RunState) -> &'static str {
    match state {
        RunState::Cancelled => "been cancelled",
        _ => "failed",
    }
}
