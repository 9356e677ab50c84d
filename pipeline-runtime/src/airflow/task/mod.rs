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
mod ended;
mod ends;
mod environment;
mod ledger;
mod logging;
mod needed;
mod node;
mod outputs;
mod recollect;
mod run_info;
mod until;
mod whole;

pub(super) use environment::Sockets;

use super::names;
use super::wire::{CallError, Final, Lines, Place, Startup, Supervisor};
use crate::Pipeline;
use crate::author::connection;
use crate::author::error::cut;
use crate::observe::print_error;
use crate::plan::NodeIx;
use ended::Ended;
use recollect::Unknown;
use serde_json::Value;
use std::net::TcpStream;
use std::process::ExitCode;
use std::sync::{Arc, OnceLock};
use whole::{Elements, Kept};

/// What this process does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Target {
    /// Runs a node, or its element with this index.
    Node(NodeIx, Option<u32>),
    /// Expands a mapping's list.
    Expand(NodeIx),
    /// Runs a mapping that is one task, or its element with this index.
    Whole(NodeIx, Option<u32>),
    /// Decides how the run has ended.
    End,
}

impl Target {
    /// Returns whether the target is this mapping, as one task.
    fn is_of(self, each: NodeIx) -> bool {
        matches!(self, Self::Whole(node, _) if node == each)
    }
}

/// How a task ended.
#[derive(Debug)]
struct Done {
    last: Final,
    /// Pushed before the end is reported.
    output: Option<Output>,
    /// The results of a mapping that is one task.
    elements: Option<Elements>,
    /// For downstream tasks, unless the task succeeded.
    ended: Option<Ended>,
}

impl Done {
    fn new(last: Final) -> Self {
        Self { last, output: None, elements: None, ended: None }
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

impl From<Unknown> for TaskError {
    fn from(unknown: Unknown) -> Self {
        match unknown {
            Unknown::Fatal(why) => Self::Fatal(why),
            other => Self::Failed(other.to_string()),
        }
    }
}

/// What a process knows of its task, and its connection to the supervisor.
#[derive(Debug)]
struct Task {
    supervisor: Supervisor,
    startup: Startup,
    place: Place,
    lines: Arc<Lines>,
    /// The label of an element in Airflow.
    label: OnceLock<String>,
}

/// Runs the task that Airflow has started this process for, and ends the process.
pub(super) fn run(pipelines: &[Pipeline], sockets: &Sockets) -> ExitCode {
    if let Some(refused) = environment::clean() {
        print_error(&refused);
        return ExitCode::FAILURE;
    }
    let connect = |address: &str| TcpStream::connect(address).map_err(|error| format!("the supervisor at {address}: {error}"));
    let begun = connect(&sockets.comm).and_then(|comm| {
        let lines = Arc::new(Lines::new(connect(&sockets.logs)?));
        let gone = |why| {
            print_error(&format!("Airflow's supervisor is gone: {why}"));
            // The task may already be running elsewhere.
            std::process::exit(1);
        };
        let (supervisor, startup) = Startup::hear(comm, sockets.form, gone).map_err(|error| error.to_string())?;
        Ok((supervisor, startup, lines))
    });
    let (supervisor, startup, lines) = match begun {
        Ok(begun) => begun,
        Err(refused) => {
            print_error(&refused);
            return ExitCode::FAILURE;
        }
    };
    let place = Place { dag_id: startup.ti.dag_id.clone(), run_id: startup.ti.run_id.clone() };
    let task = Task { supervisor, startup, place, lines, label: OnceLock::new() };
    logging::install(&task);
    let asked = task.supervisor.clone();
    connection::set_lookup(move |id| {
        let password = asked.password(id).map_err(|error| match error {
            CallError::NotFound(_) => format!("Airflow has no connection `{id}`: `airflow connections add {id} ..` creates one"),
            error => error.to_string(),
        })?;
        if let Some(password) = &password {
            // Airflow masks the secrets that it knows. Masking it here covers secrets from its backends, too.
            asked.mask(password).map_err(|error| error.to_string())?;
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
    fn end(&self, done: Result<Done, TaskError>) -> ExitCode {
        let done = done.or_else(|error| match error {
            TaskError::Interrupted => Err(()),
            error => {
                let reason = error.to_string();
                tracing::error!("{reason}");
                let may_retry = !matches!(error, TaskError::Fatal(_)) && self.startup.ti_context.should_retry;
                let ended = Ended::failed(self.task_id(), cut(reason));
                // Airflow decides when to retry.
                if may_retry { Err(()) } else { Ok(Done { ended: Some(ended), ..Done::new(Final::Failed) }) }
            }
        });
        let said = done.map_err(|()| None).and_then(|done| self.say(done).map_err(Some));
        match said {
            Ok(()) => std::process::exit(0),
            Err(Some(error)) => {
                tracing::error!("the end of this task could not be reported: {error}");
                std::process::exit(1)
            }
            Err(None) => std::process::exit(1),
        }
    }

    fn say(&self, done: Done) -> Result<(), CallError> {
        let Done { mut last, output, elements, ended } = done;
        let index = self.startup.ti.map_index;
        if let Some(nodes) = elements {
            let elements = serde_json::to_value(Kept { state: last.state().to_owned(), nodes }).unwrap_or_default();
            self.supervisor.push(&self.place, self.task_id(), index, Some(whole::KEY), elements, None)?;
        }
        if let Some(Output { value, length }) = output
            && let Err(error) = self.supervisor.push(&self.place, self.task_id(), index, None, value, length)
        {
            // Downstream tasks could not use a success without its output. A temporary error is retried.
            let why = match &error {
                CallError::Failed(_) | CallError::Silent { .. } | CallError::Gone => return Err(error),
                CallError::Refused(said) if said.contains("unmappable_return_value_length") => format!(
                    "the list has {} elements, more than this Airflow maps over: raise `[core] max_map_length` \
                     (`AIRFLOW__CORE__MAX_MAP_LENGTH`) where its API server runs, or divide the list",
                    length.unwrap_or_default()
                ),
                error => format!("the output could not be stored: {error}"),
            };
            tracing::error!("{why}");
            last = Final::Failed;
            self.push_end(&Ended::failed(self.task_id(), why))?;
        }
        if let Some(ended) = ended {
            self.push_end(&ended)?;
        }
        tracing::debug!("the task is {}", last.state());
        self.supervisor.say(&last, self.label.get().map(String::as_str), chrono::Utc::now())
    }

    fn push_end(&self, ended: &Ended) -> Result<(), CallError> {
        let ended = serde_json::to_value(ended).unwrap_or_default();
        self.supervisor.push(&self.place, self.task_id(), self.startup.ti.map_index, Some(ended::KEY), ended, None)
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
        false if names::is_one_task(plan, node) => Target::Whole(node, index),
        false => Target::Expand(node),
    })
}
