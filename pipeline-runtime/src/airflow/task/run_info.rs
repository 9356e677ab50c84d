//! What bodies may know of their run, as Airflow reports it.

use super::super::wire::Startup;
use super::{Task, TaskError};
use crate::author::context::{RunInfo, RunUpdate};
use crate::author::previous::{LastSuccess, LazyPrevious};
use crate::author::setting::{SettingInput, SettingValues};
use crate::plan::Plan;
use sha2::{Digest, Sha256};
use std::sync::Arc;

/// The run of a task.
pub(super) fn of(task: &Task, plan: &Plan) -> Result<RunInfo, TaskError> {
    let run = &task.startup.ti_context.dag_run;
    let mut interval = run.interval();
    // As for a run that is triggered without Airflow.
    if run.is_undated()
        && let Some(last) = plan.schedule.as_ref().and_then(|schedule| schedule.last_complete(interval.start))
    {
        interval = last;
    }
    let mut info = RunInfo::new(plan.pipeline, &task.dag_run.run_id, interval, plan.params.clone());
    info.settings = settings(task, plan)?;
    info.updates = updates(&task.startup, plan);
    info.began = run.start_date.or(run.run_after);
    info.of_schedule(run.kind(), plan.schedule.as_ref());
    info.previous = previous(task);
    Ok(info)
}

/// Airflow is asked for the last success only when a body reads it: each request costs Airflow's server one of its own.
fn previous(task: &Task) -> LastSuccess {
    let (supervisor, ti) = (task.supervisor.clone(), task.startup.ti.id.clone());
    LastSuccess::Lazy(LazyPrevious::new(move || {
        supervisor.previous(&ti).unwrap_or_else(|error| {
            // A body must not mistake an unknown last success for a missing one.
            tracing::error!("the last successful run could not be read, so this try fails: {error}");
            std::process::exit(1)
        })
    }))
}

/// Returns the same seed for all tasks of a run.
pub(super) fn seed(task: &Task) -> u64 {
    let mut digest = Sha256::new();
    digest.update(task.dag_run.dag_id.as_bytes());
    digest.update([0]);
    digest.update(task.dag_run.run_id.as_bytes());
    let hash: [u8; 32] = digest.finalize().into();
    u64::from_be_bytes([hash[0], hash[1], hash[2], hash[3], hash[4], hash[5], hash[6], hash[7]])
}

/// Returns the plan's settings: Airflow's variables of the same names, or else the defaults.
fn settings(task: &Task, plan: &Plan) -> Result<SettingValues, TaskError> {
    let mut set = SettingValues::new();
    for setting in &plan.settings {
        let name = setting.name();
        let Some(text) = task.supervisor.variable(name)? else { continue };
        let value = SettingInput::Text(text).value_for(*setting);
        let value = value.map_err(|why| TaskError::Fatal(format!("Airflow's variable `{name}`, which is a setting: {why}")))?;
        set.extend(value.map(|value| (name.to_owned(), value)));
    }
    Ok(plan.settings_at_begin(|name| set.get(name).cloned()))
}

/// Returns the updates of assets that started the run: the newest of each.
fn updates(startup: &Startup, plan: &Plan) -> Box<[RunUpdate]> {
    let events = &startup.ti_context.dag_run.consumed_asset_events;
    let of = |asset: &'static str| {
        // Airflow sends them in no particular order.
        let event = events.iter().filter(|event| event.asset.name == asset).max_by_key(|event| event.timestamp)?;
        let value = super::super::wire::unpack(event.extra["value"].clone()).ok()?;
        let json: Option<Arc<[u8]>> = serde_json::to_vec(&value).ok().map(Into::into);
        Some(RunUpdate { id: None, asset, begins: true, json })
    };
    plan.assets.reads.iter().filter_map(|(_, asset)| of(asset.name)).collect()
}
