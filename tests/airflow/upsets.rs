//! Failures between a task and Airflow: each leaves a clear line and the right state.

use super::supervisor::{Airflow, BINARY};
use serde_json::{Value, json};
use std::io::Write;
use std::net::TcpListener;
use std::process::{Command, Output};

#[test]
fn a_supervisor_that_dies_ends_the_process() {
    let mut airflow = Airflow::new("values");
    airflow.refuses = Some(("SetXCom", json!("gone")));
    let ran = airflow.run("make");
    assert_eq!((ran.code, ran.state()), (Some(1), "nothing"));
    assert!(ran.stderr.starts_with("Airflow's supervisor is gone: "), "{}", ran.stderr);
}

#[test]
fn a_server_that_fails_has_the_attempt_tried_again_by_airflow() {
    let mut airflow = Airflow::new("rules").try_of(1, 2).succeeded("ok", json!(1)).state("skips", "skipped");
    let error =
        json!({"type": "ErrorResponse", "error": "API_SERVER_ERROR", "detail": {"status_code": 503, "message": "gone fishing"}});
    airflow.refuses = Some(("GetTaskStates", error));
    let ran = airflow.clone().run("maybe_none");
    assert_eq!((ran.code, ran.state()), (Some(1), "nothing"), "Airflow knows when to try again");
    assert_eq!(ran.logged("error"), ["Airflow failed: GetTaskStates: API_SERVER_ERROR, gone fishing (503) null"]);
    assert_eq!(airflow.try_of(3, 2).run("maybe_none").state(), "failed", "and no try is left");
}

#[test]
fn an_output_that_cannot_be_kept_is_no_success() {
    let mut airflow = Airflow::new("mappings").succeeded("keyed", json!([0, 1]));
    let detail = json!({"status_code": 400, "message": "x", "detail": {"reason": "unmappable_return_value_length"}});
    airflow.refuses = Some(("SetXCom", json!({"type": "ErrorResponse", "error": "API_SERVER_ERROR", "detail": detail})));
    let ran = airflow.run("by_key.each");
    assert_ne!(ran.state(), "success");
    assert!(
        ran.logged("error")[0]
            .starts_with("the list has 2 elements, more than this Airflow maps over: raise `[core] max_map_length`")
    );
}

#[test]
fn a_task_that_is_asked_to_end_drops_its_body_first() {
    let mut airflow = Airflow::new("upsets").try_of(1, 1);
    airflow.ends_at = Some("waiting for ever");
    let ran = airflow.run("waits");
    assert_eq!((ran.code, ran.signal, ran.state()), (Some(1), None, "nothing"));
    assert!(ran.logged("info").contains(&"the body was dropped"), "{:?}", ran.log);
    assert_eq!(ran.logged("warning"), ["the task was asked to end; the running attempt is cut off"]);
}

#[test]
fn a_log_line_has_four_names_and_the_bodys_own_below_one() {
    let made = Airflow::new("values").run("make").airflow;
    let ran = made.state("make", "success").run("same").airflow.state("same", "success").run("nothing");
    let line = ran.log.iter().find(|line| line["level"] == "info").unwrap();
    let names: Vec<&String> = line.as_object().unwrap().keys().collect();
    assert_eq!(names, ["event", "fields", "level", "logger", "timestamp"]);
    assert_eq!((&line["logger"], &line["fields"]), (&json!("values.nothing#1"), &json!({"rows": u64::MAX, "level": "mine"})));
    let mut airflow = ran.airflow;
    airflow.environment = vec![("AIRFLOW__LOGGING__LOGGING_LEVEL", "WARNING")];
    assert_eq!(airflow.run("nothing").log, Vec::<Value>::new());
}

/// Starts the program as a task under a supervisor that sends only `first`.
fn begins_with(first: &[u8], form: Option<&str>) -> Output {
    let (comm, logs) = (TcpListener::bind("127.0.0.1:0").unwrap(), TcpListener::bind("127.0.0.1:0").unwrap());
    let address = |listener: &TcpListener| listener.local_addr().unwrap().to_string();
    let mut command = Command::new(BINARY);
    command.args([format!("--comm={}", address(&comm)), format!("--logs={}", address(&logs))]).args(form);
    let running = std::thread::spawn(move || command.output().unwrap());
    let (mut comm, _logs) = (comm.accept().unwrap().0, logs.accept().unwrap());
    comm.write_all(first).unwrap();
    drop(comm);
    running.join().unwrap()
}

#[test]
fn a_first_message_that_is_none_is_told() {
    let said = |first: &[u8], form| {
        let output = begins_with(first, form);
        assert_eq!(output.status.code(), Some(1));
        String::from_utf8(output.stderr).unwrap()
    };
    let json = Some("--wire=json");
    assert_eq!(said(b"", None), "the supervisor's first message: there is none\n");
    assert_eq!(said(&[0, 0, 0, 9, 0x93], None), "the supervisor's first message: unexpected end of file\n");
    assert_eq!(said(&[0, 0, 0, 1, 0xc0], None), "the supervisor's first message: a frame could not be read: it is not a list\n");
    assert_eq!(
        said(b"[0, {\"type\": \"TaskHandlerParseRequest\"}]\n", json),
        "the supervisor began with a `TaskHandlerParseRequest`, which this version of the program does not know: build it with a newer \
         pipeline-runtime\n"
    );
    let nobody = Command::new(BINARY).args(["--comm=127.0.0.1:1", "--logs=127.0.0.1:1"]).output().unwrap();
    assert_eq!(nobody.status.code(), Some(1));
    assert!(String::from_utf8(nobody.stderr).unwrap().starts_with("the supervisor at 127.0.0.1:1: "));
}
