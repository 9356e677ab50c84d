//! Runs one node with the engine, as Airflow has requested.

use super::super::names::{mapping_around, retries};
use super::super::wire::Final;
use super::confine::confine;
use super::ended::Ended;
use super::ledger::Ledger;
use super::recollect::Recollection;
use super::until::{Heard, NodeEnd};
use super::{Done, Output, Target, Task, TaskError, run_info, target};
use crate::author::keys::ListSummary;
use crate::engine::{
    Earlier, Engine, EngineOptions, MAX_INTERRUPTIONS, NodeState, Position, Run, RunSpec, Slot, cut_off_too_often,
};
use crate::host::{CALLBACKS_LIMIT, workers};
use crate::plan::{DEFAULT_PARALLELISM, NodeIx, Plan};
use crate::time::{Clock, Timestamp};
use crate::{Failure, Pipeline, RunState};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::Builder;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc::unbounded_channel;

/// The worker threads: one body runs, with the tasks that it spawns. The second thread keeps timers running if a body blocks the
/// first.
const WORKERS: usize = 2;

/// The key in Airflow's store for what the node's next process has to know.
const EARLIER: &str = "pipeline_node";

/// How long bodies may take to end after they are cut off. Airflow kills a process 5 seconds after asking it to end.
const GRACE: Duration = Duration::from_secs(4);

/// The longest reason of a retry: Airflow shows it on one line.
const MAX_REASON: usize = 400;

/// What Airflow stores of a node between two of its processes.
#[derive(Debug, Serialize, Deserialize)]
struct Kept {
    /// A task that is cleared after its end has more tries, and starts over. One that is cleared while it runs has the same
    /// number, and resumes.
    max_tries: u32,
    earlier: Earlier,
}

/// Runs the node that this process is for, and returns how it ended.
pub(super) fn run(pipelines: &[Pipeline], task: &Task) -> Result<Done, TaskError> {
    let mut plan = plan(pipelines, task)?;
    let ti = &task.startup.ti;
    let target = target(&plan, &ti.task_id, ti.map_index)?;
    for key in &task.startup.ti_context.xcom_keys_to_clear {
        task.supervisor.delete(&task.place, &ti.task_id, ti.map_index, key)?;
    }
    let info = run_info::of(task, &plan)?;
    confine(&mut plan, target);
    let clock = Clock::system();
    let now = clock.now();
    let began = info.began.map_or(now, Timestamp::from);
    let spec = RunSpec { plan: Arc::new(plan), info: Arc::new(info), sla_from: began, seed: run_info::seed(task), key: 0 };
    let mut run = Run::new(spec, began);
    let recollection = Recollection::new(&task.supervisor, &task.place, began, target);
    recollection.recollect(&mut run)?;
    let untold = recollection.untold.take();
    match slot_of(&run, target)? {
        None => end_of_run(task, run, &untold, clock),
        Some(slot) => {
            if let Target::Node(..) = target {
                take_up(task, &mut run, slot, now)?;
            }
            one(task, run, slot, matches!(target, Target::Whole(..)), clock)
        }
    }
}

fn plan(pipelines: &[Pipeline], task: &Task) -> Result<Plan, TaskError> {
    let id = &task.place.dag_id;
    let pipeline = pipelines.iter().find(|pipeline| pipeline.id() == id);
    let pipeline = pipeline.ok_or_else(|| TaskError::Fatal(format!("this program has no pipeline `{id}`: export it again")))?;
    let conf = task.startup.ti_context.dag_run.conf.clone().unwrap_or_default();
    let params = if conf.is_empty() { Value::Null } else { Value::Object(conf) };
    pipeline
        .plan(&params)
        .map_err(|error| TaskError::Fatal(format!("pipeline `{id}` with the run's conf as its params: {error}")))
}

/// The slot of the node in the run. `None` for the end of the run.
fn slot_of(run: &Run, target: Target) -> Result<Option<Slot>, TaskError> {
    let plan = run.plan();
    Ok(match target {
        Target::End => None,
        Target::Expand(each) => Some(run.seen_from(0, each)),
        Target::Node(node, index) | Target::Whole(node, index) => match (mapping_around(plan, node), index) {
            (None, _) => Some(run.seen_from(0, node)),
            (Some(each), index) => {
                let gone = || {
                    let (list, index) = (plan.id(each), index.map_or_else(|| "none".to_owned(), |index| index.to_string()));
                    TaskError::Fatal(format!("`{list}` no longer has an element {index}: clear it with everything downstream"))
                };
                let (expansion, element) = run.expansion_of(run.seen_from(0, each)).zip(index).ok_or_else(gone)?;
                if element >= run.layout().expansion(expansion).width {
                    return Err(gone());
                }
                Some(run.layout().resolve(plan, node, Position { expansion, element }))
            }
        },
    })
}

/// Restores the state in which earlier processes left the node.
fn take_up(task: &Task, run: &mut Run, slot: Slot, now: Timestamp) -> Result<(), TaskError> {
    let (ti, context) = (&task.startup.ti, &task.startup.ti_context);
    let is_sensor = run.plan().policy(run.ix(slot)).sensor.is_some();
    let tries = retries(run.plan(), run.ix(slot));
    // After a clear, Airflow continues to count tries, and raises their maximum accordingly. An older export may have given
    // Airflow fewer tries, so attempts never exceed the tries so far.
    let attempt = (ti.try_number + tries).saturating_sub(context.max_tries).clamp(1, ti.try_number.max(1));
    let kept = if is_sensor || attempt > 1 { task.supervisor.kept(&ti.id, EARLIER)? } else { None };
    let kept = kept.and_then(|kept| serde_json::from_value::<Kept>(kept).ok()).filter(|kept| kept.max_tries == context.max_tries);
    let memory = kept.as_ref().and_then(|kept| kept.earlier.memory.clone());
    let earlier = match kept {
        Some(Kept { mut earlier, .. }) if is_sensor => {
            if earlier.next.is_none() {
                // Its last process ended in the middle of a poke. That uses up no attempt, unless it happens repeatedly.
                earlier.interruptions += 1;
            }
            Some(earlier)
        }
        _ => (attempt > 1).then(|| Earlier {
            attempt,
            starts: attempt - 1,
            first_start: None,
            last_start: None,
            next: Some(now.as_nanos()),
            budget_from: None,
            pokes: 0,
            pokes_in_budget: 0,
            interruptions: 0,
            memory,
        }),
    };
    if let Some(earlier) = earlier {
        if earlier.interruptions >= MAX_INTERRUPTIONS {
            return Err(TaskError::Fatal(cut_off_too_often()));
        }
        run.take_up(slot, &earlier);
    }
    Ok(())
}

/// Runs one node until it has ended, or until it waits so long that another process has to continue.
fn one(task: &Task, run: Run, slot: Slot, is_whole: bool, clock: Clock) -> Result<Done, TaskError> {
    let (id, plan) = (run.id(slot), Arc::clone(run.plan()));
    let node = run.ix(slot);
    if let Some(label) = run.layout().labels(slot).last().map(ToString::to_string)
        && run.layout().expansion(run.layout().position(slot).expansion).keys.is_some()
    {
        let label = task.label.get_or_init(|| label.trim_matches(['[', ']']).to_owned());
        task.supervisor.label(label)?;
    }
    for (name, text) in plan.texts(node, &run.spec().info, &id, task.startup.ti.try_number) {
        tracing::info!("{name}: {text}");
    }
    let keep = |earlier: Earlier| {
        let kept = json!(Kept { max_tries: task.startup.ti_context.max_tries, earlier });
        let (supervisor, ti) = (task.supervisor.clone(), task.startup.ti.id.clone());
        async move {
            // The engine's timers must not wait for Airflow.
            let kept = tokio::task::spawn_blocking(move || supervisor.keep(&ti, EARLIER, &kept)).await;
            kept.map_err(|error| TaskError::Failed(error.to_string()))?.map_err(TaskError::from)
        }
    };
    let (came, failure, attempts) = drive(run, clock, async |heard: &mut Heard| {
        let came = heard.end_of(slot, is_whole, keep).await?;
        let (failure, attempts) =
            heard.look(|run| (run.node(slot).failure().cloned(), run.node(slot).attempt())).unwrap_or((None, 1));
        Ok((came, failure, attempts))
    })?;
    done(task, &plan, (slot, node, &id), came, (failure, attempts))
}

/// The report to Airflow about a node that ended this way, after so many attempts.
fn done(
    task: &Task,
    plan: &Plan,
    (slot, node, id): (Slot, NodeIx, &str),
    came: NodeEnd,
    (failure, attempts): (Option<Failure>, u32),
) -> Result<Done, TaskError> {
    let ended = |state: NodeState, node: &str, error: String, attempts: u32| {
        Some(Ended { state: state.name().to_owned(), node: node.to_owned(), error, attempts, told: true })
    };
    let failed = |error: String| Done { ended: ended(NodeState::Failed, id, error, attempts), ..Done::new(Final::Failed) };
    Ok(match came {
        NodeEnd::Success(json) => {
            let value: Value = serde_json::from_slice(&json).map_err(|error| TaskError::Fatal(error.to_string()))?;
            let updates = plan.updated_at(slot).map(|(_, asset)| (asset.name.to_owned(), value.clone())).collect();
            // Like Python, Airflow does not distinguish a null from a missing output, so a null need not be pushed. But where the
            // outputs of all elements are read together, a missing one would shift the others.
            let is_pushed = !value.is_null() || task.startup.ti.map_index >= 0;
            let output = is_pushed.then_some(Output { value, length: None });
            Done { output, ..Done::new(Final::Success(updates)) }
        }
        NodeEnd::Expanded(ListSummary { len, keys }) => {
            let value = match keys {
                Some(keys) => keys.iter().map(|key| Value::from(&**key)).collect(),
                None => (0..len).map(Value::from).collect(),
            };
            let length = u32::try_from(len).ok();
            tracing::info!("the list has {len} element{}", if len == 1 { "" } else { "s" });
            Done { output: Some(Output { value, length }), ..Done::new(Final::Success(Vec::new())) }
        }
        NodeEnd::Elements(elements, failed) => {
            let last = if failed.is_some() { Final::Failed } else { Final::Success(Vec::new()) };
            Done { elements: Some(elements), ended: failed, ..Done::new(last) }
        }
        NodeEnd::Failed(error) => {
            tracing::error!("{error}");
            failed(error.to_string())
        }
        NodeEnd::UpstreamFailed => {
            let failure = failure.unwrap_or_else(|| Failure::new(id, "unknown", 0));
            tracing::error!("cannot run, since `{}` failed: {}", failure.node(), failure.error());
            let ended = ended(NodeState::UpstreamFailed, failure.node(), failure.error().to_owned(), failure.attempts());
            Done { ended, ..Done::new(Final::Failed) }
        }
        NodeEnd::Skipped(why) => {
            tracing::info!("skipped: {why}");
            Done { ended: ended(NodeState::Skipped, id, why, attempts), ..Done::new(Final::Skipped) }
        }
        NodeEnd::Retry { after, error } => {
            tracing::warn!("{error}");
            if task.startup.ti_context.should_retry {
                let end = error.floor_char_boundary(MAX_REASON);
                Done::new(Final::Retry { after, reason: error[..end].to_owned() })
            } else {
                // An older export has given Airflow fewer retries. The engine has notified of a retry here, and not of a failure.
                let made = attempts.saturating_sub(1).max(1);
                tracing::error!("Airflow has no retry left after attempt {made} of {}", plan.policy(node).retries + 1);
                let ended = Ended { attempts: made, ..Ended::failed(id, error.to_string()) };
                Done { ended: Some(ended), ..Done::new(Final::Failed) }
            }
        }
        NodeEnd::Later(next) => {
            tracing::info!("not ready: the next poke is at {}", next.to_utc().format("%F %T UTC"));
            Done::new(Final::Reschedule(next.to_utc()))
        }
    })
}

/// Decides how the run has ended, and notifies the pipeline's notifiers.
fn end_of_run(task: &Task, run: Run, untold: &[Slot], clock: Clock) -> Result<Done, TaskError> {
    let (state, why) = drive(run, clock, async |heard: &mut Heard| heard.end_of_run(untold).await)?;
    if state == RunState::Success {
        tracing::info!("the run is a success");
        return Ok(Done::new(Final::Success(Vec::new())));
    }
    tracing::error!("the run is {state}{}", why.map(|why| format!(": {why}")).unwrap_or_default());
    Ok(Done { ended: Some(Ended::failed(task.task_id(), "the run failed")), ..Done::new(Final::Failed) })
}

/// Lets an engine resume the run until `until` has received enough and all notifications are delivered.
fn drive<T>(run: Run, clock: Clock, until: impl AsyncFnOnce(&mut Heard) -> Result<T, TaskError>) -> Result<T, TaskError> {
    let io = |error: std::io::Error| TaskError::Failed(format!("threads could not be started: {error}"));
    let workers = workers(WORKERS).map_err(io)?;
    let timers = Builder::new_current_thread().enable_all().build().map_err(io)?;
    let (tell, told) = unbounded_channel();
    let options = EngineOptions { clock, parallelism: DEFAULT_PARALLELISM, check_outputs: false, observer: None };
    let engine = Engine::new(Box::new(Ledger(tell)), options, None);
    engine.run_on(workers.handle().clone());
    let done = timers.block_on(async {
        let mut terminated = signal(SignalKind::terminate()).map_err(io)?;
        let ix = engine.resume(run, &[]);
        let mut heard = Heard::new(engine.clone(), ix, told);
        let work = async {
            let done = until(&mut heard).await?;
            if tokio::time::timeout(CALLBACKS_LIMIT, engine.all_delivered(ix)).await.is_err() {
                tracing::warn!("not all notifications could be delivered within {} seconds", CALLBACKS_LIMIT.as_secs());
            }
            Ok(done)
        };
        let beside = async {
            tokio::select! {
                biased;
                done = work => done,
                _ = terminated.recv() => {
                    tracing::warn!("the task was asked to end; the running attempt is cut off");
                    Err(TaskError::Interrupted)
                }
            }
        };
        let done = tokio::select! {
            biased;
            done = beside => done,
            never = engine.drive(WORKERS) => match never {},
        };
        if let Err(TaskError::Interrupted) = done {
            engine.interrupt();
            engine.stop();
            // The processes that a body has started end when the body is dropped, which happens on its own thread.
            let over = async {
                while engine.is_busy() {
                    tokio::time::sleep(Duration::from_millis(10)).await;
                }
            };
            let _ = tokio::time::timeout(GRACE, over).await;
        }
        done
    });
    engine.stop();
    // Large values are dropped before the final message: Airflow's supervisor waits seconds for a process that does not exit at
    // once.
    workers.shutdown_background();
    done
}
