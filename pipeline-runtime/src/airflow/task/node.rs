//! Runs one node with the engine, as Airflow has requested.

use super::super::names::mapping_around;
use super::super::wire::FinalMessage;
use super::confine::confine;
use super::drive::drive;
use super::end_report::EndReport;
use super::node_end::{NodeEnd, RecordReceiver};
use super::progress::{self, StoredProgress};
use super::recollect::Recollector;
use super::{Output, Target, Task, TaskError, TaskOutcome, run_info, target};
use crate::author::keys::ListSummary;
use crate::engine::{Earlier, NodeState, Position, Run, RunSpec, Slot};
use crate::plan::{NodeIx, Plan};
use crate::time::{Clock, Timestamp};
use crate::{Failure, Pipeline, RunState};
use serde_json::{Value, json};
use std::sync::Arc;

/// The longest reason of a retry: Airflow shows it on one line.
const MAX_REASON: usize = 400;

/// Runs the node that this process is for, and returns how it ended.
pub(super) fn run(pipelines: &[Pipeline], task: &Task) -> Result<TaskOutcome, TaskError> {
    let mut plan = plan(pipelines, task)?;
    let ti = &task.startup.ti;
    let target = target(&plan, &ti.task_id, ti.map_index)?;
    for key in &task.startup.ti_context.xcom_keys_to_clear {
        task.supervisor.delete(&task.dag_run, &ti.task_id, ti.map_index, key)?;
    }
    let info = run_info::of(task, &plan)?;
    confine(&mut plan, target);
    let clock = Clock::system();
    let now = clock.now();
    let began = info.began.map_or(now, Timestamp::from);
    let spec = RunSpec { plan: Arc::new(plan), info: Arc::new(info), sla_from: began, seed: run_info::seed(task), key: 0 };
    let mut run = Run::new(spec, began);
    let recollector = Recollector::new(&task.supervisor, &task.dag_run, began, target);
    recollector.recollect(&mut run)?;
    let unnotified = recollector.unnotified.take();
    match slot_of(&run, target)? {
        None => end_of_run(task, run, &unnotified, clock),
        Some(slot) => {
            if let Target::Node(..) = target {
                progress::restore(task, &mut run, slot, now)?;
            }
            run_node(task, run, slot, matches!(target, Target::WholeMapping(..)), clock)
        }
    }
}

fn plan(pipelines: &[Pipeline], task: &Task) -> Result<Plan, TaskError> {
    let id = &task.dag_run.dag_id;
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
        Target::Node(node, index) | Target::WholeMapping(node, index) => match (mapping_around(plan, node), index) {
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

/// Runs one node until it has ended, or until it waits so long that another process has to continue.
fn run_node(task: &Task, run: Run, slot: Slot, is_whole: bool, clock: Clock) -> Result<TaskOutcome, TaskError> {
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
    let store_progress = |earlier: Earlier| {
        let stored = json!(StoredProgress { max_tries: task.startup.ti_context.max_tries, earlier });
        let (supervisor, ti) = (task.supervisor.clone(), task.startup.ti.id.clone());
        async move {
            // The engine's timers must not wait for Airflow.
            let stored = tokio::task::spawn_blocking(move || supervisor.store(&ti, progress::KEY, &stored)).await;
            stored.map_err(|error| TaskError::Failed(error.to_string()))?.map_err(TaskError::from)
        }
    };
    let (end, failure, attempts) = drive(run, clock, async |receiver: &mut RecordReceiver| {
        let end = receiver.end_of(slot, is_whole, store_progress).await?;
        let (failure, attempts) =
            receiver.with_run(|run| (run.node(slot).failure().cloned(), run.node(slot).attempt())).unwrap_or((None, 1));
        Ok((end, failure, attempts))
    })?;
    outcome_of(task, &plan, (slot, node, &id), end, (failure, attempts))
}

/// Returns what Airflow is sent about a node that ended this way after so many attempts.
fn outcome_of(
    task: &Task,
    plan: &Plan,
    (slot, node, id): (Slot, NodeIx, &str),
    end: NodeEnd,
    (failure, attempts): (Option<Failure>, u32),
) -> Result<TaskOutcome, TaskError> {
    let report = |state: NodeState, node: &str, error: String, attempts: u32| {
        Some(EndReport { state: state.name().to_owned(), node: node.to_owned(), error, attempts, notified: true })
    };
    let failed = |error: String| TaskOutcome {
        report: report(NodeState::Failed, id, error, attempts),
        ..TaskOutcome::new(FinalMessage::Failed)
    };
    Ok(match end {
        NodeEnd::Success(json) => {
            let value: Value = serde_json::from_slice(&json).map_err(|error| TaskError::Fatal(error.to_string()))?;
            let updates = plan.updated_at(slot).map(|(_, asset)| (asset.name.to_owned(), value.clone())).collect();
            // Like Python, Airflow does not distinguish a null from a missing output, so a null need not be pushed. But where the
            // outputs of all elements are read together, a missing one would shift the others.
            let is_pushed = !value.is_null() || task.startup.ti.map_index >= 0;
            let output = is_pushed.then_some(Output { value, length: None });
            TaskOutcome { output, ..TaskOutcome::new(FinalMessage::Success(updates)) }
        }
        NodeEnd::Expanded(ListSummary { len, keys }) => {
            let value = match keys {
                Some(keys) => keys.iter().map(|key| Value::from(&**key)).collect(),
                None => (0..len).map(Value::from).collect(),
            };
            let length = u32::try_from(len).ok();
            tracing::info!("the list has {len} element{}", if len == 1 { "" } else { "s" });
            TaskOutcome { output: Some(Output { value, length }), ..TaskOutcome::new(FinalMessage::Success(Vec::new())) }
        }
        NodeEnd::Elements(elements, failed) => {
            let message = if failed.is_some() { FinalMessage::Failed } else { FinalMessage::Success(Vec::new()) };
            TaskOutcome { elements: Some(elements), report: failed, ..TaskOutcome::new(message) }
        }
        NodeEnd::Failed(error) => {
            tracing::error!("{error}");
            failed(error.to_string())
        }
        NodeEnd::UpstreamFailed => {
            let failure = failure.unwrap_or_else(|| Failure::new(id, "unknown", 0));
            tracing::error!("cannot run, since `{}` failed: {}", failure.node(), failure.error());
            let report = report(NodeState::UpstreamFailed, failure.node(), failure.error().to_owned(), failure.attempts());
            TaskOutcome { report, ..TaskOutcome::new(FinalMessage::Failed) }
        }
        NodeEnd::Skipped(why) => {
            tracing::info!("skipped: {why}");
            TaskOutcome { report: report(NodeState::Skipped, id, why, attempts), ..TaskOutcome::new(FinalMessage::Skipped) }
        }
        NodeEnd::Retry { after, error } => {
            tracing::warn!("{error}");
            if task.startup.ti_context.should_retry {
                let end = error.floor_char_boundary(MAX_REASON);
                TaskOutcome::new(FinalMessage::Retry { after, reason: error[..end].to_owned() })
            } else {
                // An older export has given Airflow fewer retries. The engine has notified of a retry here, and not of a failure.
                let attempts_made = attempts.saturating_sub(1).max(1);
                tracing::error!("Airflow has no retry left after attempt {attempts_made} of {}", plan.policy(node).retries + 1);
                let report = EndReport { attempts: attempts_made, ..EndReport::failed(id, error.to_string()) };
                TaskOutcome { report: Some(report), ..TaskOutcome::new(FinalMessage::Failed) }
            }
        }
        NodeEnd::Later(next) => {
            tracing::info!("not ready: the next poke is at {}", next.to_utc().format("%F %T UTC"));
            TaskOutcome::new(FinalMessage::Reschedule(next.to_utc()))
        }
    })
}

/// Decides how the run has ended, and notifies the pipeline's notifiers.
fn end_of_run(task: &Task, run: Run, unnotified: &[Slot], clock: Clock) -> Result<TaskOutcome, TaskError> {
    let (state, why) = drive(run, clock, async |receiver: &mut RecordReceiver| receiver.end_of_run(unnotified).await)?;
    if state == RunState::Success {
        tracing::info!("the run is a success");
        return Ok(TaskOutcome::new(FinalMessage::Success(Vec::new())));
    }
    tracing::error!("the run is {state}{}", why.map(|why| format!(": {why}")).unwrap_or_default());
    Ok(TaskOutcome {
        report: Some(EndReport::failed(task.task_id(), "the run failed")),
        ..TaskOutcome::new(FinalMessage::Failed)
    })
}
