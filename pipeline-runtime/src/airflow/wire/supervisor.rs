//! Requests and their answers.
//!
//! A thread reads what the supervisor sends, so that a disconnect is noticed while a body runs. Several threads may have requests
//! in flight at once.

use super::frame::{self, Encoding, FrameError, Message};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::io::{self, BufReader};
use std::net::TcpStream;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// The deadline of a request. The supervisor itself tries its server five times, which may take half a minute.
const ANSWER_TIMEOUT: Duration = Duration::from_mins(5);

/// The supervisor that started this process as a task. Cheap to clone.
#[derive(Debug, Clone)]
pub(in crate::airflow) struct Supervisor(Arc<Conversation>);

#[derive(Debug)]
struct Conversation {
    encoding: Encoding,
    to: Mutex<Outgoing>,
    pending: Arc<Mutex<PendingCalls>>,
}

#[derive(Debug)]
struct Outgoing {
    socket: TcpStream,
    next: u64,
}

/// The callers that wait for answers.
#[derive(Debug, Default)]
struct PendingCalls {
    all: HashMap<i128, SyncSender<Message>>,
    is_closed: bool,
    /// The final message is being sent. Its caller learns whether it was answered, so that a disconnect is not reported to
    /// `gone`.
    is_last: bool,
}

/// Why a request has no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(in crate::airflow) enum CallError {
    /// Airflow has nothing under this name.
    #[error("Airflow has no such thing: {0}")]
    NotFound(String),
    /// The server refused.
    #[error("Airflow refused: {0}")]
    Refused(String),
    /// The server failed or was unreachable: another try may succeed.
    #[error("Airflow failed: {0}")]
    Failed(String),
    /// There was no answer before the deadline.
    #[error("Airflow did not answer a `{request}` within {} minutes", ANSWER_TIMEOUT.as_secs() / 60)]
    TimedOut { request: String },
    /// The supervisor has disconnected.
    #[error("Airflow's supervisor is gone")]
    Gone,
}

/// An answer that has not arrived yet.
#[derive(Debug)]
pub(super) struct Pending {
    request: String,
    answer: Receiver<Message>,
    within: Duration,
}

impl Pending {
    /// Waits for the answer.
    pub(super) fn wait(self) -> Result<Value, CallError> {
        let Message { body, error, .. } = self.answer.recv_timeout(self.within).map_err(|error| match error {
            RecvTimeoutError::Timeout => CallError::TimedOut { request: self.request.clone() },
            RecvTimeoutError::Disconnected => CallError::Gone,
        })?;
        if !error.is_null() {
            let error_text = format!("{}: {}", self.request, error_text(&error));
            let is_refused = error["detail"]["status_code"].as_u64().is_some_and(|status| (400..500).contains(&status));
            return Err(if is_refused { CallError::Refused(error_text) } else { CallError::Failed(error_text) });
        }
        if body["type"] == "ErrorResponse" {
            let code = body["error"].as_str().unwrap_or_default();
            let error_text = format!("{}: {}", self.request, error_text(&body));
            return Err(if code.ends_with("NOT_FOUND") {
                CallError::NotFound(error_text)
            } else {
                CallError::Refused(error_text)
            });
        }
        Ok(body)
    }
}

/// Formats an error response as the end of a sentence.
fn error_text(error: &Value) -> String {
    let detail = &error["detail"];
    match (error["error"].as_str(), detail["message"].as_str()) {
        (Some(code), Some(message)) => match detail["status_code"].as_u64() {
            Some(status) => format!("{code}, {message} ({status}) {}", detail.get("detail").unwrap_or(&Value::Null)),
            None => format!("{code}, {message}"),
        },
        (Some(code), None) if detail.is_null() => code.to_owned(),
        _ => error.to_string(),
    }
}

impl Supervisor {
    /// Continues the conversation on a socket whose first message is already read: `from` continues after it. `gone` is called
    /// once if the other side ends the conversation.
    pub(super) fn new(
        socket: TcpStream,
        from: BufReader<TcpStream>,
        encoding: Encoding,
        gone: impl FnOnce(String) + Send + 'static,
    ) -> io::Result<Self> {
        let pending: Arc<Mutex<PendingCalls>> = Arc::default();
        let of_reader = Arc::clone(&pending);
        std::thread::Builder::new().name("airflow-answers".into()).stack_size(256 << 10).spawn(move || {
            let why = read_all(from, encoding, &of_reader);
            let mut pending = of_reader.lock().unwrap_or_else(PoisonError::into_inner);
            (pending.is_closed, pending.all) = (true, HashMap::new());
            let is_last = pending.is_last;
            drop(pending);
            if !is_last {
                gone(why);
            }
        })?;
        Ok(Self(Arc::new(Conversation { encoding, to: Mutex::new(Outgoing { socket, next: 1 }), pending })))
    }

    /// Sends a request, and does not wait for the answer.
    pub(super) fn request(&self, body: &Value) -> Result<Pending, CallError> {
        self.request_within(body, ANSWER_TIMEOUT)
    }

    fn request_within(&self, body: &Value, within: Duration) -> Result<Pending, CallError> {
        let request = body["type"].as_str().unwrap_or_default().to_owned();
        let (send, answer) = sync_channel(1);
        let mut to = self.0.to.lock().unwrap_or_else(PoisonError::into_inner);
        let id = to.next;
        to.next += 1;
        {
            let mut pending = self.pending();
            if pending.is_closed {
                return Err(CallError::Gone);
            }
            pending.all.insert(id.into(), send);
        }
        frame::write(&mut to.socket, self.0.encoding, id, body).map_err(|_| CallError::Gone)?;
        Ok(Pending { request, answer, within })
    }

    /// Sends a request, and waits for the answer.
    pub(super) fn call(&self, body: &Value) -> Result<Value, CallError> {
        self.request(body)?.wait()
    }

    /// Sends the final request. The other side may close the conversation after its answer.
    pub(super) fn call_last(&self, body: &Value) -> Result<Value, CallError> {
        self.pending().is_last = true;
        self.call(body)
    }

    fn pending(&self) -> MutexGuard<'_, PendingCalls> {
        self.0.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Passes answers to their callers until the conversation ends, and returns why it ended.
fn read_all(mut from: BufReader<TcpStream>, encoding: Encoding, pending: &Mutex<PendingCalls>) -> String {
    loop {
        match frame::read(&mut from, encoding) {
            Ok(Some(message)) => {
                let caller = pending.lock().unwrap_or_else(PoisonError::into_inner).all.remove(&message.id);
                // A message that no caller waits for is ignored: a later Airflow may send more.
                if let Some(caller) = caller {
                    // The caller may have given up.
                    let _ = caller.send(message);
                }
            }
            Ok(None) => return "it closed the conversation".to_owned(),
            Err(FrameError::Io(error)) => return error.to_string(),
            Err(error) => return error.to_string(),
        }
    }
}

/// Returns a body with its type.
pub(super) fn body(of: &str, fields: Value) -> Value {
    let mut body = fields;
    body["type"] = json!(of);
    body
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;

    /// A conversation with a supervisor that answers by `answer`, and the receiver of what `gone` is called with.
    fn with(answer: impl Fn(Message) -> Vec<(i128, Value, Value)> + Send + 'static) -> (Supervisor, Receiver<String>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let ours = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (mut theirs, _) = listener.accept().unwrap();
        std::thread::spawn(move || {
            let mut from = BufReader::new(theirs.try_clone().unwrap());
            while let Ok(Some(message)) = frame::read(&mut from, Encoding::JsonLines) {
                for (id, body, error) in answer(message) {
                    use std::io::Write;
                    writeln!(theirs, "{}", json!([i64::try_from(id).unwrap(), body, error])).unwrap();
                }
            }
        });
        let (send, disconnected) = sync_channel(1);
        let from = BufReader::new(ours.try_clone().unwrap());
        (Supervisor::new(ours, from, Encoding::JsonLines, move |why| send.send(why).unwrap()).unwrap(), disconnected)
    }

    #[test]
    fn an_answer_finds_who_asked_also_out_of_turn() {
        let (supervisor, _) = with(|message| match message.id {
            1 => vec![],
            id => vec![(99, json!("nobody's"), Value::Null), (id, json!("two"), Value::Null), (1, json!("one"), Value::Null)],
        });
        let first = supervisor.request(&json!({"type": "A"})).unwrap();
        let second = supervisor.request(&json!({"type": "B"})).unwrap();
        assert_eq!((first.wait(), second.wait()), (Ok(json!("one")), Ok(json!("two"))));
    }

    #[test]
    fn what_is_not_there_is_told_from_what_is_refused() {
        let (supervisor, _) = with(|message| {
            let missing = json!({"type": "ErrorResponse", "error": "CONNECTION_NOT_FOUND"});
            let denied = json!({"type": "ErrorResponse", "error": "PERMISSION_DENIED", "detail": {"message": "not you"}});
            let failed = json!({"type": "ErrorResponse", "error": "API_SERVER_ERROR",
                "detail": {"status_code": 400, "message": "HTTP error", "detail": {"reason": "unmappable_return_value_length"}}});
            let (body, error) = match message.body["type"].as_str().unwrap() {
                "A" => (missing, Value::Null),
                "B" => (denied, Value::Null),
                _ => (Value::Null, failed),
            };
            vec![(message.id, body, error)]
        });
        let call = |of: &str| supervisor.call(&json!({"type": of})).unwrap_err().to_string();
        assert_eq!(call("A"), "Airflow has no such thing: A: CONNECTION_NOT_FOUND");
        assert_eq!(call("B"), "Airflow refused: B: PERMISSION_DENIED, not you");
        assert_eq!(
            call("C"),
            "Airflow refused: C: API_SERVER_ERROR, HTTP error (400) {\"reason\":\"unmappable_return_value_length\"}"
        );
    }

    #[test]
    fn a_request_without_an_answer_ends_by_its_deadline() {
        let (supervisor, _) = with(|_| vec![]);
        let pending = supervisor.request_within(&json!({"type": "GetXCom"}), Duration::from_millis(10)).unwrap();
        assert_eq!(pending.wait(), Err(CallError::TimedOut { request: "GetXCom".into() }));
    }

    #[test]
    fn a_supervisor_that_goes_away_is_noticed_by_all_who_wait() {
        let (supervisor, disconnected) = with(|message| if message.id < 3 { vec![] } else { panic!("it goes away") });
        let pending: Vec<_> = (0..3).map(|_| supervisor.request(&json!({"type": "GetXCom"})).unwrap()).collect();
        for pending in pending {
            assert_eq!(pending.wait(), Err(CallError::Gone));
        }
        let why = disconnected.recv().unwrap();
        assert!(!why.is_empty());
        assert_eq!(supervisor.call(&json!({"type": "GetXCom"})), Err(CallError::Gone));
    }

    #[test]
    fn after_the_last_answer_the_supervisor_may_go() {
        let (supervisor, disconnected) = with(|message| match message.body["type"].as_str() {
            Some("SucceedTask") => vec![(message.id, json!("told"), Value::Null)],
            _ => panic!("it goes away"),
        });
        assert_eq!(supervisor.call_last(&json!({"type": "SucceedTask"})), Ok(json!("told")));
        assert_eq!(supervisor.call(&json!({"type": "GetXCom"})), Err(CallError::Gone));
        // The reader thread ended without calling `gone`, and dropped the sender.
        assert!(disconnected.recv().is_err(), "it was no end");
    }
}
