//! A task that starts a run of another pipeline, and a sensor that waits for its end.

use super::run_of::RunLookup;
use crate::author::across::{CrossReference, PipelineRef, Role, RunWait, StartedRun, UpstreamRun};
use crate::author::body;
use crate::author::definition::{Definition, Kind};
use crate::author::draft;
use crate::author::options::TaskOptions;
use crate::author::params::Params;
use crate::author::pipeline::of_type;
use crate::author::seal::Seal;
use crate::author::value::Data;
use crate::engine::StartRun;
use crate::{IntoInput, Node, Result, TaskError};
use serde::Serialize;
use serde_json::Value;
use std::any::TypeId;
use std::marker::PhantomData;

/// Starts a run of another pipeline with these params, once, without waiting for it: [`.finished()`](Node::finished) waits for
/// its end.
///
/// The params are a value of the other pipeline's own type, or a node of a task that returns one; `()` for a pipeline without an
/// argument. `check` compares the types.
///
/// ```
/// use pipeline_runtime::prelude::*;
/// use pipeline_runtime::{RunState, Simulation, StartedRun, UpstreamRun, start};
///
/// #[derive(Clone, Default, serde::Serialize, serde::Deserialize)]
/// struct Options { vendor: String }
///
/// #[task] async fn load(vendor: String) -> Result<u64> { Ok(vendor.len() as u64) }
/// #[pipeline] fn vendor_file(options: Options) { load(options.vendor); }
///
/// #[task] async fn options() -> Result<Options> { Ok(Options { vendor: "acme".into() }) }
/// #[task] async fn tell(run: UpstreamRun) -> Result<String> { Ok(run.run_id().to_owned()) }
///
/// #[pipeline(schedule = "@daily")]
/// fn nightly() {
///     let started = start(vendor_file, options());
///     tell(started.finished());
/// }
///
/// let report = Simulation::new(nightly()).logical_date("2024-03-25").ran("5m", vendor_file, RunState::Success).run();
/// let started = report.output::<StartedRun>("start").unwrap();
/// assert_eq!(started.run_id(), "by__nightly__simulated__2024-03-25T00:00:00Z__start");
/// assert_eq!(report.output::<String>("tell").as_deref(), Some(started.run_id()));
/// ```
///
/// - The run's id is derived from the node that starts it, so that all attempts of that node start one run, even if its process
///   dies in between. A manual `retry` of the node finds the existing run, too; to run that one again, retry it.
/// - Its kind is `manual`. Its data interval is that of the run that starts it; if its pipeline has a schedule, the interval of
///   that schedule in which the starting run's interval starts. It begins when its pipeline's `max_active_runs` allows.
/// - To let a body decide whether a run is started, wire `start` behind an arm of a branch, or within `.each`, which starts a run
///   for each element.
///
/// # In Airflow: `TriggerDagRunOperator`
///
/// - `trigger_dag_id` is a function here, and `conf` has a type. `wait_for_completion` is [`.finished()`](Node::finished), which
///   waits without a slot and without polling.
/// - `trigger_run_id` and `reset_dag_run` are not needed: the run's id follows from the node, and an existing run is found.
#[track_caller]
pub fn start<P: StartParams>(pipeline: impl PipelineRef, params: P) -> Node<StartedRun> {
    let (pipeline, given) = (pipeline.pipeline(Seal), P::of());
    let node = params.wire(Seal);
    draft::refer_to_pipeline(node.handle(), CrossReference { pipeline, role: Role::Starts(given) });
    node
}

/// What a run may be started with: params, or a node that returns them. The trait is sealed.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the params of a run",
    label = "neither params, `Serialize + DeserializeOwned + Default`, nor a node of a task that returns them",
    note = "pass what the other pipeline takes, as in `start(vendor_file, Options::default())`, or `()` where it takes nothing"
)]
pub trait StartParams {
    #[doc(hidden)]
    fn of() -> (TypeId, &'static str);
    #[doc(hidden)]
    #[track_caller]
    fn wire(self, seal: Seal) -> Node<StartedRun>;
}

#[diagnostic::do_not_recommend]
impl<P: Params> StartParams for P {
    fn of() -> (TypeId, &'static str) {
        of_type::<P>()
    }

    #[track_caller]
    fn wire(self, _: Seal) -> Node<StartedRun> {
        // The type's own `Serialize` may fail, and the node fails then.
        wire::<LiteralParams, _>(LiteralParams(serde_json::to_value(self).map_err(|error| error.to_string())))
    }
}

#[diagnostic::do_not_recommend]
impl<P: Params + Data> StartParams for Node<P> {
    fn of() -> (TypeId, &'static str) {
        of_type::<P>()
    }

    #[track_caller]
    fn wire(self, _: Seal) -> Node<StartedRun> {
        wire::<P, _>(self)
    }
}

/// Params that are given in the pipeline function, as JSON.
#[derive(Clone)]
struct LiteralParams(Result<Value, String>);

impl Serialize for LiteralParams {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        match &self.0 {
            Ok(params) => params.serialize(serializer),
            Err(error) => Err(serde::ser::Error::custom(error)),
        }
    }
}

#[track_caller]
fn wire<P: Serialize + Clone + Send + Sync + 'static, I: IntoInput<P>>(params: I) -> Node<StartedRun> {
    let definition =
        const { &Definition::of::<StartWith<P>>(Kind::Task, "start", "Starts a run of another pipeline.", "StartedRun") };
    body::wire_task::<Result<StartedRun>, StartedRun, 1>(
        definition,
        TaskOptions::new(),
        [body::input::<P, I>("params", params)],
        body::body1(begin::<P>),
        None,
    )
}

/// Starts a run with params of that type.
struct StartWith<P>(PhantomData<P>);

async fn begin<P: Serialize>(params: P) -> Result<StartedRun> {
    let params = serde_json::to_value(params);
    let params = params.map_err(|error| TaskError::fatal(format!("the params cannot be written as JSON: {error}")))?;
    let RunLookup { reference, info, others, node, .. } = RunLookup::current()?;
    let run_id = StartRun::id_of(&info, &node);
    let pipeline = reference.pipeline.id().to_owned();
    let run = StartRun { pipeline: reference.pipeline, run_id: run_id.clone(), node, params, interval: info.interval };
    let interval = others.start(run).await?;
    Ok(StartedRun { pipeline, run_id, interval_start: interval.start, interval_end: interval.end })
}

/// The continuation of a node that has started a run.
impl Node<StartedRun> {
    /// Waits for the end of the started run, as [`run_of`](crate::run_of) does for another: it fails at once if that run fails.
    #[track_caller]
    pub fn finished(self) -> Node<UpstreamRun> {
        let pipeline = draft::with_cross_reference(self.handle(), "finished", |across| {
            matches!(across.role, Role::Starts(_)).then(|| across.pipeline.clone())
        });
        let node = waiting::finished(self);
        if let Some(pipeline) = pipeline {
            let wait = RunWait { is_started: true, ..RunWait::default() };
            draft::refer_to_pipeline(node.handle(), CrossReference { pipeline, role: Role::Awaits(wait) });
        }
        node
    }
}

/// The sensor, in a module because its id is the function's name.
mod waiting {
    use super::RunLookup;
    use crate::author::across::RunQuery;
    use crate::{Poke, Result, StartedRun, UpstreamRun, sensor};

    /// Waits for the end of a run that was started.
    #[sensor]
    pub(super) async fn finished(run: StartedRun) -> Result<Poke<UpstreamRun>> {
        RunLookup::current()?.poke(RunQuery::Named { pipeline: run.pipeline, run_id: run.run_id }).await
    }
}
