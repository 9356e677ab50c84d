//! A sensor that waits for a run of another pipeline, and a task that takes an output of that run.

use crate::author::across::{CrossReference, OnFailed, PipelineRef, Role, RunQuery, RunWait, TakenOutput, TaskName, UpstreamRun};
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

/// Waits for a run of another pipeline: the run of the same data interval, unless [`.at(..)`](Node::at) selects another.
///
/// The pipeline is named by its function, so that a rename is a compile error. The value is the run, and
/// [`.output::<task>()`](Node::output) takes the output of one of its tasks.
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
/// - It is a sensor, with every option of a [sensor](macro@crate::sensor) as a method: `.timeout(d)` (7 days by default),
///   `.on_timeout(..)`, `.retries(n)`, `.sla(d)`, the callbacks. But it is not poked every minute: the host of its run knows when
///   the other run ends, and pokes it then. The pokes of `.poke(d)` or `.backoff(b)` come in addition.
/// - If there are several runs of one interval, of any kind, the newest successful one counts; if none succeeded, the newest.
/// - It fails at once, without retries, if that run failed or was cancelled: the error names the run and its error.
///   [`.on_failed(..)`](Node::on_failed) makes it continue to wait, or skip. A run that succeeds after a retry wakes the sensors
///   that still wait.
/// - Both pipelines have to be given to the same `cli::main` or `Host`, because they share a journal. `check` refuses a missing
///   pipeline, pipelines that wait for each other, a time at which no interval of the other schedule starts, and an output of a
///   task that the other pipeline does not have, or has more than once.
///
/// # In Airflow: `ExternalTaskSensor`
///
/// - `external_dag_id` and `external_task_id` are a function and a task here, not strings. `execution_delta` and
///   `execution_date_fn` are `.at(..)`.
/// - `failed_states` is the default behavior, unless `.on_failed(..)` changes it; in Airflow a sensor waits for a failed run
///   until its timeout.
/// - `.output::<task>()` takes the value of the other task, instead of `xcom_pull(dag_id=.., task_ids=..)`.
/// - There is no marker: `retry --downstream` ends at the pipeline's own nodes. Retry a run that has taken a wrong output
///   separately.
#[track_caller]
pub fn run_of(pipeline: impl PipelineRef) -> Node<UpstreamRun> {
    let node = awaited::run_of();
    let pipeline = pipeline.pipeline(Seal);
    draft::refer_to_pipeline(node.handle(), CrossReference { pipeline, role: Role::Awaits(RunWait::default()) });
    node
}

/// The sensor, in a module because its id is the function's name.
mod awaited {
    use super::RunLookup;
    use crate::{Poke, Result, TaskError, UpstreamRun, sensor};

    /// Waits for a run of another pipeline.
    #[sensor]
    pub(super) async fn run_of() -> Result<Poke<UpstreamRun>> {
        let lookup = RunLookup::current()?;
        match lookup.reference.run_query(&lookup.info) {
            Some(query) => lookup.poke(query).await,
            None => Err(TaskError::fatal("it is unknown which run to wait for")),
        }
    }
}

/// The continuation of a node that waits for a run, or has waited for one.
impl Node<UpstreamRun> {
    /// For [`run_of`]: waits for the run whose data interval starts at this time. By default that is the start of this run's
    /// interval.
    ///
    /// The other pipeline's schedule must have an interval that starts then, which `check` verifies.
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
        draft::with_cross_reference(self.handle(), "at", |across| match &mut across.role {
            Role::Awaits(awaits) if !awaits.is_started => {
                awaits.at = Some(Arc::new(start));
                Some(())
            }
            _ => None,
        });
        self
    }

    /// For [`run_of`] and `.finished()`: what this node does if that run ends without success. By default it fails at once.
    #[track_caller]
    pub fn on_failed(self, what: OnFailed) -> Self {
        draft::with_cross_reference(self.handle(), "on_failed", |across| match &mut across.role {
            Role::Awaits(awaits) => {
                awaits.on_failed = what;
                Some(())
            }
            _ => None,
        });
        self
    }

    /// The output of a task of that run, as a node. The task is named as a type, so that a rename is a compile error, and so is a
    /// downstream of another type.
    ///
    /// The node's id is the task's, as if it had been wired here. If the task was skipped in that run, so is this node. `check`
    /// verifies that the other pipeline wires that task exactly once, and not in `.each`.
    #[track_caller]
    pub fn output<Task: TaskName<Output: Data>>(self) -> Node<Task::Output> {
        let of = |across: &mut CrossReference| across.run_wait().map(|_| across.pipeline.clone());
        let pipeline = draft::with_cross_reference(self.handle(), "output", of);
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
            let output = TakenOutput { task: std::any::TypeId::of::<Task>(), id: Task::DEFINITION.name };
            draft::refer_to_pipeline(node.handle(), CrossReference { pipeline, role: Role::Takes(output) });
        }
        node
    }
}

/// Takes an output of that task.
struct OutputOf<Task>(PhantomData<Task>);

async fn output_of<T: Data>(run: UpstreamRun) -> Result<T> {
    let lookup = RunLookup::current()?;
    let Role::Takes(output) = lookup.reference.role else { return Err(TaskError::fatal("it is unknown whose output to take")) };
    let of = format!("`{}` in run {} of `{}`", output.id, run.run_id, run.pipeline);
    let json = match lookup.others.output(run, output).await? {
        FoundOutput::Json(json) => json,
        // As if it were a node of this run.
        FoundOutput::Skipped => return Err(TaskError::skip(format!("there is no output of {of}: it was skipped there"))),
        FoundOutput::Nothing => return Err(TaskError::fatal(format!("there is no output of {of}: it has not succeeded there"))),
    };
    serde_json::from_slice(&json).map_err(|error| {
        let kept = "an earlier version of the task may have returned another type";
        TaskError::fatal(format!("the output of {of} cannot be read as a `{}`: {error}; {kept}", std::any::type_name::<T>()))
    })
}

/// What a body needs to ask for runs of another pipeline.
pub(super) struct RunLookup {
    pub(super) reference: CrossReference,
    pub(super) info: Arc<RunInfo>,
    pub(super) others: Arc<dyn OtherRuns>,
    /// The node's id, with the indices of its elements.
    pub(super) node: String,
    watching: Option<Arc<Watching>>,
}

impl RunLookup {
    /// For the attempt whose code runs here and now.
    pub(super) fn current() -> Result<Self> {
        let of = |attempt: &Attempt| {
            let reference = attempt.spec.plan.across.get(&attempt.node)?.clone();
            let others = Arc::clone(attempt.others()?);
            let (info, watching) = (Arc::clone(&attempt.spec.info), attempt.watching().cloned());
            Some(Self { reference, info, others, node: attempt.id(), watching })
        };
        let none = || TaskError::fatal("runs of other pipelines are only known with a journal, and there is none here");
        engine::current(of).flatten().ok_or_else(none)
    }

    /// Looks up the run once.
    pub(super) async fn poke(&self, query: RunQuery) -> Result<Poke<UpstreamRun>> {
        let (shown, pipeline) = (query.to_string(), query.pipeline().to_owned());
        let run = |run_id, state: &dyn fmt::Display| format!("run {run_id} of `{pipeline}` ({state})");
        match self.others.look(query, self.watching.clone()).await? {
            FoundRun::Succeeded(run) => return Ok(Poke::Ready(run)),
            // `Passed` cannot occur here: this asks for a run, not for a node's past.
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
        match &self.reference.role {
            Role::Awaits(awaits) => awaits.on_failed,
            _ => OnFailed::Fail,
        }
    }
}

/// Records what a timeout reports that it waited for.
fn note(how: fn(&LastSeen, String), what: String) {
    engine::current(|attempt: &Attempt| attempt.last_seen.as_deref().map(|seen| how(seen, what)));
}

fn words(state: RunState) -> &'static str {
    match state {
        RunState::Cancelled => "been cancelled",
        _ => "failed",
    }
}
