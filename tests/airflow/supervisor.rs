//! A supervisor: it starts `airflow-pipelines` as a task and answers as Airflow does. It speaks JSON, one object a line, like an
//! export's operators.

use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Command, Stdio};
use std::thread;

pub(crate) const BINARY: &str = env!("CARGO_BIN_EXE_airflow-pipelines");

/// Airflow's state when a task starts, and after the task's requests.
#[derive(Debug, Clone)]
pub(crate) struct Airflow {
    dag: &'static str,
    pub(crate) startup: Value,
    /// By task, map index and key.
    pub(crate) xcoms: BTreeMap<(String, i64, String), Value>,
    pub(crate) states: BTreeMap<String, String>,
    pub(crate) variables: BTreeMap<String, String>,
    pub(crate) connections: BTreeMap<String, Value>,
    /// What is stored across a task's tries.
    pub(crate) kept: BTreeMap<String, Value>,
    /// Requests of that type get this answer instead: an error, or none at all if it is null.
    pub(crate) refuses: Option<(&'static str, Value)>,
    /// The task is asked to end once a log line contains this text.
    pub(crate) ends_at: Option<&'static str>,
    pub(crate) environment: Vec<(&'static str, &'static str)>,
}

/// How a task's process ended.
#[derive(Debug)]
pub(crate) struct Ran {
    /// Its exit code; `None` if a signal ended it.
    pub(crate) code: Option<i32>,
    pub(crate) signal: Option<i32>,
    /// Its final message.
    pub(crate) last: Option<Value>,
    pub(crate) asked: Vec<Value>,
    pub(crate) log: Vec<Value>,
    pub(crate) stderr: String,
    /// Airflow's state afterwards.
    pub(crate) airflow: Airflow,
}

impl Airflow {
    pub(crate) fn new(dag: &'static str) -> Self {
        let startup = json!({
            "type": "StartupDetails",
            "ti": {"id": "0199a3c2-5a1e-7c11-9d5e-0d4a3f4b6c01", "task_id": "", "dag_id": dag, "run_id": "r", "try_number": 1, "map_index": -1},
            "ti_context": {
                "max_tries": 0, "should_retry": false, "xcom_keys_to_clear": [],
                "dag_run": {
                    "logical_date": "2024-03-25T05:00:00Z", "data_interval_start": "2024-03-25T05:00:00Z",
                    "data_interval_end": "2024-03-26T05:00:00Z", "run_after": "2024-03-26T05:00:00Z",
                    "start_date": "2024-03-26T05:00:01Z", "run_type": "scheduled", "conf": {}, "consumed_asset_events": [],
                },
            },
        });
        Self {
            dag,
            startup,
            xcoms: BTreeMap::new(),
            states: BTreeMap::new(),
            variables: BTreeMap::new(),
            connections: BTreeMap::new(),
            kept: BTreeMap::new(),
            refuses: None,
            ends_at: None,
            environment: Vec::new(),
        }
    }

    /// A task has succeeded with that output.
    pub(crate) fn succeeded(mut self, task: &str, output: Value) -> Self {
        self.states.insert(task.to_owned(), "success".to_owned());
        self.xcoms.insert((task.to_owned(), -1, "return_value".to_owned()), output);
        self
    }

    /// An element of a mapped task has succeeded with that output.
    pub(crate) fn element(mut self, task: &str, index: i64, output: Value) -> Self {
        self.states.insert(format!("{task}_{index}"), "success".to_owned());
        self.xcoms.insert((task.to_owned(), index, "return_value".to_owned()), output);
        self
    }

    /// A task is in that state, and has reported nothing itself.
    pub(crate) fn state(mut self, task: &str, state: &str) -> Self {
        self.states.insert(task.to_owned(), state.to_owned());
        self
    }

    /// Sets a variable of Airflow.
    pub(crate) fn variable(mut self, name: &str, value: &str) -> Self {
        self.variables.insert(name.to_owned(), value.to_owned());
        self
    }

    /// This is the task's try `number` of `max_tries + 1`.
    pub(crate) fn try_of(mut self, number: u32, max_tries: u32) -> Self {
        self.startup["ti"]["try_number"] = json!(number);
        self.startup["ti_context"]["max_tries"] = json!(max_tries);
        self.startup["ti_context"]["should_retry"] = json!(number <= max_tries);
        self
    }

    /// Runs a task for the element of that index.
    pub(crate) fn run_element(mut self, task: &str, index: i64) -> Ran {
        self.startup["ti"]["map_index"] = json!(index);
        self.run(task)
    }

    /// Runs a task.
    pub(crate) fn run(mut self, task: &str) -> Ran {
        self.startup["ti"]["task_id"] = json!(task);
        assert_eq!(self.startup["ti"]["dag_id"], self.dag);
        let (comm, logs) = (TcpListener::bind("127.0.0.1:0").unwrap(), TcpListener::bind("127.0.0.1:0").unwrap());
        let address = |listener: &TcpListener| listener.local_addr().unwrap().to_string();
        let mut child = Command::new(BINARY)
            .args([format!("--comm={}", address(&comm)), format!("--logs={}", address(&logs)), "--wire=json".to_owned()])
            .envs(self.environment.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let (comm, logs) = (comm.accept().unwrap().0, logs.accept().unwrap().0);
        let (pid, ends_at) = (child.id(), self.ends_at);
        let logged = thread::spawn(move || read_log(logs, ends_at, pid));
        let (last, asked) = self.converse(comm);
        let stderr = read_all(&mut child);
        let status = child.wait().unwrap();
        Ran { code: status.code(), signal: status.signal(), last, asked, log: logged.join().unwrap(), stderr, airflow: self }
    }

    /// Answers until the task has sent its final message or has gone.
    fn converse(&mut self, comm: TcpStream) -> (Option<Value>, Vec<Value>) {
        let mut to = comm.try_clone().unwrap();
        writeln!(to, "{}", json!([0, self.startup, null])).unwrap();
        let mut asked = Vec::new();
        for line in BufReader::new(comm).lines() {
            let Ok(line) = line else { break };
            let message: Value = serde_json::from_str(&line).unwrap();
            let (id, body) = (&message[0], &message[1]);
            asked.push(body.clone());
            let kind = body["type"].as_str().unwrap();
            let answer = match &self.refuses {
                Some((refused, error)) if *refused == kind => match error {
                    Value::Null => continue,
                    Value::String(text) if text == "gone" => break,
                    error => json!([id, null, error]),
                },
                _ if matches!(kind, "SucceedTask" | "TaskState" | "RetryTask" | "RescheduleTask") => {
                    writeln!(to, "{}", json!([id, null, null])).unwrap();
                    return (Some(body.clone()), asked);
                }
                _ => json!([id, self.answer(kind, body), null]),
            };
            if writeln!(to, "{answer}").is_err() {
                break;
            }
        }
        (None, asked)
    }

    fn answer(&mut self, kind: &str, ask: &Value) -> Value {
        let text = |name: &str| ask[name].as_str().unwrap_or_default().to_owned();
        let missing = |code: &str| json!({"type": "ErrorResponse", "error": code});
        match kind {
            "GetXCom" => {
                let index = ask["map_index"].as_i64().unwrap_or(-1);
                json!({"type": "XComResult", "key": ask["key"], "value": self.xcoms.get(&(text("task_id"), index, text("key")))})
            }
            "GetXComSequenceSlice" => {
                let of =
                    |(task, index, key): &(String, i64, String)| *task == text("task_id") && *key == text("key") && *index >= 0;
                json!({"root": self.xcoms.iter().filter(|(of_whom, _)| of(of_whom)).map(|(_, value)| value).collect::<Vec<_>>()})
            }
            "SetXCom" => {
                let of = (text("task_id"), ask["map_index"].as_i64().unwrap(), text("key"));
                self.xcoms.insert(of, ask["value"].clone());
                Value::Null
            }
            "GetTaskStates" => {
                let tasks: Option<Vec<&str>> =
                    ask["task_ids"].as_array().map(|tasks| tasks.iter().filter_map(Value::as_str).collect());
                let is_asked = |name: &str| {
                    let Some(tasks) = &tasks else { return true };
                    tasks.iter().any(|task| name.strip_prefix(task).is_some_and(|rest| rest.is_empty() || rest.starts_with('_')))
                };
                json!({"task_states": {"r": self.states.iter().filter(|(name, _)| is_asked(name)).collect::<BTreeMap<_, _>>()}})
            }
            "GetTaskStateStore" => match self.kept.get(&text("key")) {
                Some(value) => json!({"value": value}),
                None => missing("TASK_STORE_NOT_FOUND"),
            },
            "SetTaskStateStore" => {
                self.kept.insert(text("key"), ask["value"].clone());
                json!({"ok": true})
            }
            "GetVariable" => match self.variables.get(&text("key")) {
                Some(value) => json!({"key": ask["key"], "value": value}),
                None => missing("VARIABLE_NOT_FOUND"),
            },
            "GetConnection" => self.connections.get(&text("conn_id")).cloned().unwrap_or_else(|| missing("CONNECTION_NOT_FOUND")),
            "GetPrevSuccessfulDagRun" => json!({}),
            _ => Value::Null,
        }
    }
}

impl Ran {
    /// The state that the task reported, such as `failed`.
    pub(crate) fn state(&self) -> &str {
        self.last.as_ref().map_or("nothing", |last| last["state"].as_str().unwrap_or_default())
    }

    /// The request by which the task pushed a key.
    pub(crate) fn pushed(&self, key: &str) -> Option<&Value> {
        self.asked.iter().rfind(|asked| asked["type"] == "SetXCom" && asked["key"] == key)
    }

    pub(crate) fn output(&self) -> Option<&Value> {
        self.pushed("return_value").map(|pushed| &pushed["value"])
    }

    /// Its log lines of a level.
    pub(crate) fn logged(&self, level: &str) -> Vec<&str> {
        self.log.iter().filter(|line| line["level"] == level).filter_map(|line| line["event"].as_str()).collect()
    }
}

fn read_log(logs: TcpStream, ends_at: Option<&str>, pid: u32) -> Vec<Value> {
    let mut lines = Vec::new();
    for line in BufReader::new(logs).lines() {
        let Ok(line) = line else { break };
        if ends_at.is_some_and(|text| line.contains(text)) {
            let pid = rustix::process::Pid::from_raw(i32::try_from(pid).unwrap()).unwrap();
            rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
        }
        lines.push(serde_json::from_str(&line).unwrap());
    }
    lines
}

fn read_all(child: &mut Child) -> String {
    let mut text = String::new();
    child.stderr.take().unwrap().read_to_string(&mut text).unwrap();
    text
}
