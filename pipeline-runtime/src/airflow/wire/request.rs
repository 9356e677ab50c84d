//! A task's requests to Airflow, and its final message.
//!
//! The fields are those of Airflow's `airflow.sdk.execution_time.comms`, version 3.3. Airflow does not answer a final message
//! with an unknown field, or any message with a time without an offset.

use super::supervisor::{CallError, Pending, Supervisor, body};
use super::xcom::{self, DecodeError};
use crate::author::previous::Previous;
use crate::schedule::Interval;
use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::time::Duration;

/// The key of a task's output, the same as for Airflow's own operators.
const OUTPUT: &str = "return_value";

/// A run of a DAG.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::airflow) struct DagRunKey {
    pub(in crate::airflow) dag_id: String,
    pub(in crate::airflow) run_id: String,
}

/// The states of a run's tasks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::airflow) enum NodeStates {
    /// By task id; for a mapped task by `{task}_{index}`.
    Reported(HashMap<String, String>),
    /// All requested tasks have succeeded: Airflow has started the task by that rule.
    AllSuccessful,
}

impl NodeStates {
    /// The state of a task, or of its element with this index.
    pub(in crate::airflow) fn of(&self, task: &str, index: Option<u32>) -> Option<&str> {
        let Self::Reported(states) = self else { return Some("success") };
        let state = match index {
            None => states.get(task),
            Some(index) => states.get(&format!("{task}_{index}")),
        };
        state.map(String::as_str)
    }

    /// Returns whether Airflow reports that a task, or any element of it, is in this state.
    pub(in crate::airflow) fn any(&self, task: &str, state: &str) -> bool {
        self.all_of(task).any(|of| of == state)
    }

    /// Returns whether Airflow knows exactly this number of elements of a task, and all have succeeded.
    pub(in crate::airflow) fn are_all_successes(&self, task: &str, elements: usize) -> bool {
        self.all_of(task).count() == elements && self.all_of(task).all(|of| of == "success")
    }

    /// The number of a task's elements, if it is known and not 0.
    pub(in crate::airflow) fn elements(&self, task: &str) -> Option<usize> {
        let is_element = |(name, state): &(&str, &str)| *state != "removed" && *name != task;
        let count = self.iter().filter(|(name, _)| is_of(name, task)).filter(is_element).count();
        (count > 0).then_some(count)
    }

    /// The known tasks and their states, each element separately.
    pub(in crate::airflow) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        let states = if let Self::Reported(states) = self { Some(states) } else { None };
        states.into_iter().flatten().map(|(task, state)| (task.as_str(), state.as_str()))
    }

    fn all_of<'a>(&'a self, task: &'a str) -> impl Iterator<Item = &'a str> {
        self.iter().filter(move |(name, _)| is_of(name, task)).map(|(_, of)| of)
    }
}

/// Returns whether a name is that of a task, or of an element of it.
fn is_of(name: &str, task: &str) -> bool {
    let index = name.strip_prefix(task).and_then(|rest| rest.strip_prefix('_'));
    name == task || index.is_some_and(|index| !index.is_empty() && index.bytes().all(|byte| byte.is_ascii_digit()))
}

/// The final message of a task.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::airflow) enum FinalMessage {
    /// With the assets that it updates, each with a value as JSON.
    Success(Vec<(String, Value)>),
    Skipped,
    /// It is not retried.
    Failed,
    Retry {
        after: Duration,
        reason: String,
    },
    /// Airflow starts it again at that time, as the same try.
    Reschedule(DateTime<Utc>),
}

/// A request for an output, or for another value that a task has pushed.
#[derive(Debug)]
pub(in crate::airflow) struct XCom(Pending);

impl XCom {
    /// Returns null if there is no value: Airflow does not distinguish the two.
    pub(in crate::airflow) fn wait(self) -> Result<Value, ReadError> {
        let mut answer = self.0.wait()?;
        Ok(xcom::unpack(answer["value"].take())?)
    }

    /// Returns the values of all elements that have one, ordered by index.
    pub(in crate::airflow) fn wait_for_all(self) -> Result<Vec<Value>, ReadError> {
        match self.0.wait()?["root"].take() {
            Value::Array(values) => values.into_iter().map(|value| Ok(xcom::unpack(value)?)).collect(),
            _ => Ok(Vec::new()),
        }
    }
}

/// Why a value in Airflow could not be read.
#[derive(Debug, thiserror::Error)]
pub(in crate::airflow) enum ReadError {
    #[error(transparent)]
    Call(#[from] CallError),
    #[error(transparent)]
    Decode(#[from] DecodeError),
}

fn at(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Micros, true)
}

impl Supervisor {
    /// Requests the output of a task, or of its element with this index.
    pub(in crate::airflow) fn output(&self, of: &DagRunKey, task: &str, index: Option<u32>) -> Result<XCom, CallError> {
        self.xcom(of, task, OUTPUT, index)
    }

    /// Requests the value that a task has pushed under a key.
    pub(in crate::airflow) fn xcom(&self, of: &DagRunKey, task: &str, key: &str, index: Option<u32>) -> Result<XCom, CallError> {
        let DagRunKey { dag_id, run_id } = of;
        let mut fields = json!({"key": key, "dag_id": dag_id, "run_id": run_id, "task_id": task});
        if let Some(index) = index {
            fields["map_index"] = json!(index);
        }
        self.request(&body("GetXCom", fields)).map(XCom)
    }

    /// Requests the outputs of all elements that have one, in order.
    pub(in crate::airflow) fn outputs(&self, of: &DagRunKey, task: &str) -> Result<XCom, CallError> {
        let DagRunKey { dag_id, run_id } = of;
        let all = json!({"key": OUTPUT, "dag_id": dag_id, "run_id": run_id, "task_id": task, "start": null, "stop": null, "step": null});
        self.request(&body("GetXComSequenceSlice", all)).map(XCom)
    }

    /// Returns the states of these tasks in a run, or of all its tasks.
    pub(in crate::airflow) fn states(&self, of: &DagRunKey, tasks: Option<&[String]>) -> Result<NodeStates, CallError> {
        let DagRunKey { dag_id, run_id } = of;
        let mut answer = self.call(&body("GetTaskStates", json!({"dag_id": dag_id, "run_ids": [run_id], "task_ids": tasks})))?;
        let Value::Object(states) = answer["task_states"][run_id].take() else {
            return Ok(NodeStates::Reported(HashMap::new()));
        };
        let by_task = states.into_iter().map(|(task, state)| (task, state.as_str().unwrap_or("none").to_owned()));
        Ok(NodeStates::Reported(by_task.collect()))
    }

    /// Pushes a value for downstream tasks. `length` is the length of a list that a mapping expands over.
    pub(in crate::airflow) fn push(
        &self,
        of: &DagRunKey,
        task: &str,
        index: i64,
        key: Option<&str>,
        value: Value,
        length: Option<u32>,
    ) -> Result<(), CallError> {
        let (DagRunKey { dag_id, run_id }, key) = (of, key.unwrap_or(OUTPUT));
        let mut fields = json!({"key": key, "value": xcom::pack(value), "dag_id": dag_id, "run_id": run_id, "task_id": task, "map_index": index});
        if let Some(length) = length {
            fields["mapped_length"] = json!(length);
        }
        self.call(&body("SetXCom", fields)).map(drop)
    }

    /// Deletes a value that an earlier try has pushed.
    pub(in crate::airflow) fn delete(&self, of: &DagRunKey, task: &str, index: i64, key: &str) -> Result<(), CallError> {
        let DagRunKey { dag_id, run_id } = of;
        let fields = json!({"key": key, "dag_id": dag_id, "run_id": run_id, "task_id": task, "map_index": index});
        self.call(&body("DeleteXCom", fields)).map(drop)
    }

    /// Returns what Airflow stores for a task across its tries, if anything.
    pub(in crate::airflow) fn stored(&self, ti: &str, key: &str) -> Result<Option<Value>, CallError> {
        match self.call(&body("GetTaskStateStore", json!({"ti_id": ti, "key": key}))) {
            Ok(mut answer) => Ok(Some(answer["value"].take())),
            Err(CallError::NotFound(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Stores a value for a task across its tries.
    pub(in crate::airflow) fn store(&self, ti: &str, key: &str, value: &Value) -> Result<(), CallError> {
        self.call(&body("SetTaskStateStore", json!({"ti_id": ti, "key": key, "value": value, "expires_at": null}))).map(drop)
    }

    /// Returns an Airflow variable, if it exists.
    pub(in crate::airflow) fn variable(&self, key: &str) -> Result<Option<String>, CallError> {
        match self.call(&body("GetVariable", json!({"key": key}))) {
            Ok(answer) => Ok(answer["value"].as_str().map(str::to_owned)),
            Err(CallError::NotFound(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Returns the password of an Airflow connection, if it has one.
    pub(in crate::airflow) fn password(&self, connection: &str) -> Result<Option<String>, CallError> {
        let answer = self.call(&body("GetConnection", json!({"conn_id": connection})))?;
        Ok(answer["password"].as_str().map(str::to_owned))
    }

    /// Tells Airflow to mask a value in logs.
    pub(in crate::airflow) fn mask(&self, value: &str) -> Result<(), CallError> {
        self.call(&body("MaskSecret", json!({"value": value, "name": null}))).map(drop)
    }

    /// Returns the interval of the last successful run before this one, if there is one.
    pub(in crate::airflow) fn previous(&self, ti: &str) -> Result<Option<Previous>, CallError> {
        let answer = self.call(&body("GetPrevSuccessfulDagRun", json!({"ti_id": ti})))?;
        let time = |name: &str| answer[name].as_str().and_then(|time| time.parse().ok());
        let interval = time("data_interval_start").zip(time("data_interval_end")).map(|(start, end)| Interval { start, end });
        Ok(interval.map(|interval| Previous { interval, began: time("start_date") }))
    }

    /// Sets the label of an element on Airflow's pages.
    pub(in crate::airflow) fn label(&self, label: &str) -> Result<(), CallError> {
        self.call(&body("SetRenderedMapIndex", json!({"rendered_map_index": label}))).map(drop)
    }

    /// Reports how the task has ended. The process must only exit afterwards.
    pub(in crate::airflow) fn send_final(
        &self,
        last: &FinalMessage,
        label: Option<&str>,
        now: DateTime<Utc>,
    ) -> Result<(), CallError> {
        let mut message = last.body(now);
        if let (Some(label), false) = (label, matches!(last, FinalMessage::Reschedule(_))) {
            // Airflow forgets an element's label unless the final message repeats it.
            message["rendered_map_index"] = json!(label);
        }
        self.call_last(&message).map(drop)
    }
}

impl FinalMessage {
    fn body(&self, now: DateTime<Utc>) -> Value {
        let end = at(now);
        match self {
            Self::Success(updates) => {
                let outlets: Vec<Value> =
                    updates.iter().map(|(asset, _)| json!({"name": asset, "uri": asset, "type": "Asset"})).collect();
                let event = |(asset, value): &(String, Value)| json!({"dest_asset_key": {"name": asset, "uri": asset}, "extra": {"value": xcom::pack(value.clone())}});
                let events: Vec<Value> = updates.iter().map(event).collect();
                json!({"type": "SucceedTask", "state": "success", "end_date": end, "task_outlets": outlets, "outlet_events": events})
            }
            Self::Skipped => json!({"type": "TaskState", "state": "skipped", "end_date": end}),
            Self::Failed => json!({"type": "TaskState", "state": "failed", "end_date": end}),
            Self::Retry { after, reason } => json!({
                "type": "RetryTask", "state": "up_for_retry", "end_date": end, "retry_delay_seconds": after.as_secs_f64(),
                "retry_reason": reason,
            }),
            Self::Reschedule(next) => {
                json!({"type": "RescheduleTask", "state": "up_for_reschedule", "reschedule_date": at(*next), "end_date": end})
            }
        }
    }

    /// Airflow's name of the resulting state.
    pub(in crate::airflow) const fn state(&self) -> &'static str {
        match self {
            Self::Success(_) => "success",
            Self::Skipped => "skipped",
            Self::Failed => "failed",
            Self::Retry { .. } => "up_for_retry",
            Self::Reschedule(_) => "up_for_reschedule",
        }
    }
}
