//! A node's progress between two of its processes: Airflow stores it, and the next process restores it.

use super::super::names::retries;
use super::{Task, TaskError};
use crate::engine::{Earlier, MAX_INTERRUPTIONS, Run, Slot, cut_off_too_often};
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};

/// The key of the progress in Airflow's store.
pub(super) const KEY: &str = "pipeline_node";

/// What Airflow stores of a node between two of its processes.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct StoredProgress {
    /// A task that is cleared after its end has more tries, and starts over. One that is cleared while it runs has the same
    /// number, and resumes.
    pub(super) max_tries: u32,
    pub(super) earlier: Earlier,
}

/// Restores the state in which earlier processes left the node.
pub(super) fn restore(task: &Task, run: &mut Run, slot: Slot, now: Timestamp) -> Result<(), TaskError> {
    let (ti, context) = (&task.startup.ti, &task.startup.ti_context);
    let is_sensor = run.plan().policy(run.ix(slot)).sensor.is_some();
    let tries = retries(run.plan(), run.ix(slot));
    // After a clear, Airflow continues to count tries, and raises their maximum accordingly. An older export may have given
    // Airflow fewer tries, so attempts never exceed the tries so far.
    let attempt = (ti.try_number + tries).saturating_sub(context.max_tries).clamp(1, ti.try_number.max(1));
    let stored = if is_sensor || attempt > 1 { task.supervisor.stored(&ti.id, KEY)? } else { None };
    let stored = stored
        .and_then(|stored| serde_json::from_value::<StoredProgress>(stored).ok())
        .filter(|stored| stored.max_tries == context.max_tries);
    let memory = stored.as_ref().and_then(|stored| stored.earlier.memory.clone());
    let earlier = match stored {
        Some(StoredProgress { mut earlier, .. }) if is_sensor => {
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
