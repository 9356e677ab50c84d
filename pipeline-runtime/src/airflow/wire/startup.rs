//! The first message, which names the task of this process.

use super::frame::{self, Encoding};
use super::supervisor::Supervisor;
use crate::schedule::{Interval, RunKind};
use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::{Map, Value};
use std::io::{self, BufReader};
use std::net::TcpStream;

/// What Airflow sends about the task of this process. Unknown fields are ignored: a later version may send more.
#[derive(Debug, Clone, Deserialize)]
pub(in crate::airflow) struct Startup {
    pub(in crate::airflow) ti: TaskInstance,
    pub(in crate::airflow) ti_context: TaskContext,
}

#[derive(Debug, Clone, Deserialize)]
pub(in crate::airflow) struct TaskInstance {
    /// It changes with each retry.
    pub(in crate::airflow) id: String,
    pub(in crate::airflow) task_id: String,
    pub(in crate::airflow) dag_id: String,
    pub(in crate::airflow) run_id: String,
    /// From 1.
    pub(in crate::airflow) try_number: u32,
    /// −1 for a task that is not mapped.
    #[serde(default = "unmapped")]
    pub(in crate::airflow) map_index: i64,
}

const fn unmapped() -> i64 {
    -1
}

#[derive(Debug, Clone, Deserialize)]
pub(in crate::airflow) struct TaskContext {
    pub(in crate::airflow) dag_run: DagRun,
    /// The number of retries. A clear raises it by the number of tries so far.
    #[serde(default)]
    pub(in crate::airflow) max_tries: u32,
    /// Whether Airflow would retry the task. Airflow honors every retry that a task requests itself, without limit.
    #[serde(default)]
    pub(in crate::airflow) should_retry: bool,
    /// The keys that an earlier try has pushed, which the task itself has to delete.
    #[serde(default)]
    pub(in crate::airflow) xcom_keys_to_clear: Vec<String>,
}

#[derive(Debug, Clone, Deserialize)]
pub(in crate::airflow) struct DagRun {
    pub(in crate::airflow) logical_date: Option<DateTime<Utc>>,
    pub(in crate::airflow) data_interval_start: Option<DateTime<Utc>>,
    pub(in crate::airflow) data_interval_end: Option<DateTime<Utc>>,
    pub(in crate::airflow) run_after: Option<DateTime<Utc>>,
    pub(in crate::airflow) start_date: Option<DateTime<Utc>>,
    #[serde(default)]
    pub(in crate::airflow) run_type: String,
    pub(in crate::airflow) conf: Option<Map<String, Value>>,
    #[serde(default)]
    pub(in crate::airflow) consumed_asset_events: Vec<AssetEvent>,
}

/// An update of an asset that started the run.
#[derive(Debug, Clone, Deserialize)]
pub(in crate::airflow) struct AssetEvent {
    #[serde(default)]
    pub(in crate::airflow) asset: AssetName,
    #[serde(default)]
    pub(in crate::airflow) extra: Value,
    pub(in crate::airflow) timestamp: Option<DateTime<Utc>>,
}

#[derive(Debug, Clone, Default, Deserialize)]
pub(in crate::airflow) struct AssetName {
    #[serde(default)]
    pub(in crate::airflow) name: String,
}

impl DagRun {
    /// The data interval. It is an instant if Airflow sends none, as for a run that an asset has started.
    pub(in crate::airflow) fn interval(&self) -> Interval {
        let at = self.logical_date.or(self.run_after).or(self.start_date).unwrap_or_default();
        let start = self.data_interval_start.or(self.logical_date).unwrap_or(at);
        Interval { start, end: self.data_interval_end.unwrap_or(start) }
    }

    /// Returns whether the run was started without a date, manually or by another run. Airflow then gives it no interval.
    pub(in crate::airflow) fn is_undated(&self) -> bool {
        self.logical_date.is_none() && self.data_interval_start.is_none()
    }

    pub(in crate::airflow) fn kind(&self) -> RunKind {
        match self.run_type.as_str() {
            "scheduled" => RunKind::Scheduled,
            "backfill" => RunKind::Backfill,
            _ => RunKind::Manual,
        }
    }
}

/// Why a conversation could not start.
#[derive(Debug, thiserror::Error)]
pub(in crate::airflow) enum StartupError {
    #[error("the supervisor's socket: {0}")]
    Io(#[from] io::Error),
    #[error("the supervisor's first message: {0}")]
    Frame(String),
    #[error(
        "the supervisor began with a `{0}`, which this version of the program does not know: build it with a newer pipeline-runtime"
    )]
    Unknown(String),
}

impl Startup {
    /// Reads the first message, which names the task of this process.
    pub(in crate::airflow) fn receive(
        socket: TcpStream,
        encoding: Encoding,
        gone: impl FnOnce(String) + Send + 'static,
    ) -> Result<(Supervisor, Self), StartupError> {
        socket.set_nodelay(true)?;
        let mut from = BufReader::new(socket.try_clone()?);
        let first = frame::read(&mut from, encoding).map_err(|error| StartupError::Frame(error.to_string()))?;
        let first = first.ok_or_else(|| StartupError::Frame("there is none".to_owned()))?;
        let startup = Self::of(first.body)?;
        Ok((Supervisor::new(socket, from, encoding, gone)?, startup))
    }

    fn of(body: Value) -> Result<Self, StartupError> {
        match body["type"].as_str() {
            Some("StartupDetails") => serde_json::from_value(body).map_err(|error| StartupError::Frame(error.to_string())),
            other => Err(StartupError::Unknown(other.unwrap_or("message without a type").to_owned())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Real first messages of each Airflow version: they have to stay readable.
    #[test]
    fn the_first_message_of_each_version_is_read() {
        let recorded = [("3.3.2", include_str!("startup/airflow-3.3.2.json"))];
        for (version, json) in recorded {
            let startup = Startup::of(serde_json::from_str(json).unwrap()).unwrap_or_else(|error| panic!("{version}: {error}"));
            assert_eq!(startup.ti.task_id, "load", "{version}");
            assert_eq!((startup.ti.map_index, startup.ti.try_number), (2, 1), "{version}");
            let run = &startup.ti_context.dag_run;
            assert_eq!(run.interval().to_string(), "2024-03-25T00:00:00Z/2024-03-26T00:00:00Z", "{version}");
            assert_eq!((run.kind(), startup.ti_context.should_retry), (RunKind::Scheduled, true), "{version}");
        }
    }

    #[test]
    fn a_first_message_of_another_kind_says_what_to_do() {
        let error = Startup::of(serde_json::json!({"type": "TaskHandlerParseRequest"})).unwrap_err().to_string();
        assert_eq!(
            error,
            "the supervisor began with a `TaskHandlerParseRequest`, which this version of the program does not know: build it with a newer \
             pipeline-runtime"
        );
        let error = Startup::of(serde_json::json!({"type": "StartupDetails", "ti": {}})).unwrap_err().to_string();
        assert_eq!(error, "the supervisor's first message: missing field `id`");
    }

    #[test]
    fn a_run_without_an_interval_is_about_an_instant() {
        let run: DagRun =
            serde_json::from_str(r#"{"run_after": "2024-03-25T06:00:00Z", "run_type": "asset_triggered"}"#).unwrap();
        assert_eq!(run.interval(), Interval::at("2024-03-25T06:00:00Z".parse().unwrap()));
    }
}
