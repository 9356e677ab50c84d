//! One Airflow task: a process that runs one node of a pipeline.
//!
//! It [recollects](recollect) what has happened to the upstream nodes, as the same records that a journal has. Then the same
//! engine runs the node, so that trigger rules, inputs, timeouts, retries, a sensor's budget and callbacks are not implemented
//! twice. What the engine records of the node determines what Airflow is sent.
//!
//! # Why an error here fails the attempt and never hangs
//!
//! Airflow waits for a silent process for as long as it sends heartbeats. So each request has a deadline, the process ends when
//! the supervisor disconnects, and it exits with code 1 when its end cannot be reported, which Airflow counts as a failed try.

mod confine;
mod drive;
mod end_report;
mod environment;
mod forwarding_journal;
mod logging;
mod mapping_task;
mod node;
mod node_end;
mod outputs;
mod progress;
mod recollect;
mod requirements;
mod run_info;
mod unsuccessful;

pub(super) use environment::Sockets;

use super::names;
use super::wire::{CallError, DagRunKey, FinalMessage, LogSocket, Startup, Supervisor};
use crate::Pipeline;
use crate::author::connection;
use crate::author::error::cut;
use crate::observe::print_error;
use crate::plan::NodeIx;
use end_report::EndReport;
use mapping_task::{Elements, StoredElements};
use recollect::RecollectError;
use serde_json::Value;
use std::net::TcpStream;
use std::process::ExitCode;
use std::sync::{Arc, OnceLock};

/// What this process does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Target {
    /// Runs a node, or its element with this index.
    Node(NodeIx, Option<u32>),
    /// Expands a mapping's list.
    Expand(NodeIx),
    /// Runs a mapping that is one task, or its element with this index.
    WholeMapping(NodeIx, Option<u32>),
    /// Decides how the run has ended.
    End,
}

impl Target {
    /// Returns whether the target is this mapping, as one task.
    fn is_of(self, each: NodeIx) -> bool {
        matches!(self, Self::WholeMapping(node, _) if node == each)
    }
}

/// How a task ended, and what it pushes for downstream tasks.
#[derive(Debug)]
struct TaskOutcome {
    message: FinalMessage,
    /// Pushed before the end is reported.
    output: Option<Output>,
    /// The results of a mapping that is one task.
    elements: Option<Elements>,
    /// For downstream tasks, unless the task succeeded.
    report: Option<EndReport>,
}

impl TaskOutcome {
    fn new(message: FinalMessage) -> Self {
        Self { message, output: None, elements: None, report: None }
    }
}

/// A task's output.
#[derive(Debug)]
struct Output {
    value: Value,
    /// The length of a list that a mapping expands over.
    length: Option<u32>,
}

/// Why a task has no end to report.
#[derive(Debug, thiserror::Error)]
enum TaskError {
    /// The code does not match what Airflow started, and another try would not help.
    #[error("{0}")]
    Fatal(String),
    /// Another try may succeed.
    #[error("{0}")]
    Failed(String),
    /// The process was asked to end.
    #[error("the task was asked to end")]
    Interrupted,
}

impl From<CallError> for TaskError {
    fn from(error: CallError) -> Self {
        Self::Failed(error.to_string())
    }
}

impl From<RecollectError> for TaskError {
    fn from(error: RecollectError) -> Self {
        match error {
            RecollectError::Fatal(why) => Self::Fatal(why),
            other => Self::Failed(other.to_string()),
        }
    }
}

/// What a process knows of its task, and its connection to the supervisor.
#[derive(Debug)]
struct Task {
    supervisor: Supervisor,
    startup: Startup,
    dag_run: DagRunKey,
    log_socket: Arc<LogSocket>,
    /// The label of an element in Airflow.
    label: OnceLock<String>,
}

/// Runs the task that Airflow has started this process for, and ends the process.
pub(super) fn run(pipelines: &[Pipeline], sockets: &Sockets) -> ExitCode {
    if let Some(error) = environment::hide_settings() {
        print_error(&error);
        return ExitCode::FAILURE;
    }
    let connect = |address: &str| TcpStream::connect(address).map_err(|error| format!("the supervisor at {address}: {error}"));
    let conversation = connect(&sockets.comm).and_then(|comm| {
        let log_socket = Arc::new(LogSocket::new(connect(&sockets.logs)?));
        let gone = |why| {
            print_error(&format!("Airflow's supervisor is gone: {why}"));
            // The task may already be running elsewhere.
            std::process::exit(1);
        };
        let (supervisor, startup) = Startup::receive(comm, sockets.encoding, gone).map_err(|error| error.to_string())?;
        Ok((supervisor, startup, log_socket))
    });
    let (supervisor, startup, log_socket) = match conversation {
        Ok(conversation) => conversation,
        Err(error) => {
            print_error(&error);
            return ExitCode::FAILURE;
        }
    };
    let dag_run = DagRunKey { dag_id: startup.ti.dag_id.clone(), run_id: startup.ti.run_id.clone() };
    let task = Task { supervisor, startup, dag_run, log_socket, label: OnceLock::new() };
    logging::install(&task);
    let supervisor = task.supervisor.clone();
    connection::set_lookup(move |id| {
        let password = supervisor.password(id).map_err(|error| match error {
            CallError::NotFound(_) => format!("Airflow has no connection `{id}`: `airflow connections add {id} ..` creates one"),
            error => error.to_string(),
        })?;
        if let Some(password) = &password {
            // Airflow masks the secrets that it knows. Masking it here covers secrets from its backends, too.
            supervisor.mask(password).map_err(|error| error.to_string())?;
        }
        Ok(password)
    });
    task.end(node::run(pipelines, &task))
}

impl Task {
    fn task_id(&self) -> &str {
        &self.startup.ti.task_id
    }

    /// Reports how the task has ended, and exits at once, since a slot is held for as long as the process lives.
    fn end(&self, outcome: Result<TaskOutcome, TaskError>) -> ExitCode {
        let outcome = outcome.or_else(|error| match error {
            TaskError::Interrupted => Err(()),
            error => {
                let reason = error.to_string();
                tracing::error!("{reason}");
                let may_retry = !matches!(error, TaskError::Fatal(_)) && self.startup.ti_context.should_retry;
                let report = EndReport::failed(self.task_id(), cut(reason));
                // Airflow decides when to retry.
                if may_retry {
                    Err(())
                } else {
                    Ok(TaskOutcome { report: Some(report), ..TaskOutcome::new(FinalMessage::Failed) })
                }
            }
        });
        let sent = outcome.map_err(|()| None).and_then(|outcome| self.send(outcome).map_err(Some));
        match sent {
            Ok(()) => std::process::exit(0),
            Err(Some(error)) => {
                tracing::error!("the end of this task could not be reported: {error}");
                std::process::exit(1)
            }
            Err(None) => std::process::exit(1),
        }
    }

    fn send(&self, outcome: TaskOutcome) -> Result<(), CallError> {
        let TaskOutcome { mut message, output, elements, report } = outcome;
        let index = self.startup.ti.map_index;
        if let Some(nodes) = elements {
            let elements = serde_json::to_value(StoredElements { state: message.state().to_owned(), nodes }).unwrap_or_default();
            self.supervisor.push(&self.dag_run, self.task_id(), index, Some(mapping_task::XCOM_KEY), elements, None)?;
        }
        if let Some(Output { value, length }) = output
            && let Err(error) = self.supervisor.push(&self.dag_run, self.task_id(), index, None, value, length)
        {
            // Downstream tasks could not use a success without its output. A temporary error is retried.
            let why = match &error {
                CallError::Failed(_) | CallError::TimedOut { .. } | CallError::Gone => return Err(error),
                CallError::Refused(text) if text.contains("unmappable_return_value_length") => format!(
                    "the list has {} elements, more than this Airflow maps over: raise `[core] max_map_length` \
                     (`AIRFLOW__CORE__MAX_MAP_LENGTH`) where its API server runs, or divide the list",
                    length.unwrap_or_default()
                ),
                error => format!("the output could not be stored: {error}"),
            };
            tracing::error!("{why}");
            message = FinalMessage::Failed;
            self.push_report(&EndReport::failed(self.task_id(), why))?;
        }
        if let Some(report) = report {
            self.push_report(&report)?;
        }
        tracing::debug!("the task is {}", message.state());
        self.supervisor.send_final(&message, self.label.get().map(String::as_str), chrono::Utc::now())
    }

    fn push_report(&self, report: &EndReport) -> Result<(), CallError> {
        let report = serde_json::to_value(report).unwrap_or_default();
        self.supervisor.push(&self.dag_run, self.task_id(), self.startup.ti.map_index, Some(end_report::XCOM_KEY), report, None)
    }
}

/// The target of a task of this plan.
fn target(plan: &crate::Plan, task: &str, index: i64) -> Result<Target, TaskError> {
    if task == names::END {
        return Ok(Target::End);
    }
    let node = names::node_of(plan, task).ok_or_else(|| {
        TaskError::Fatal(format!(
            "this program's pipeline `{}` has no task `{task}`: the export is stale, export it again",
            plan.pipeline
        ))
    })?;
    let index = u32::try_from(index).ok();
    Ok(match plan.node(node).is_body() {
        true => Target::Node(node, index),
        false if names::is_one_task(plan, node) => Target::WholeMapping(node, index),
        false => Target::Expand(node),
    })
}
