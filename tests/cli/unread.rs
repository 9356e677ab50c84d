//! If a run's output is not read, the run is not delayed, and the reader is told how much was not shown.

use crate::command::{PIPELINES, command};
use std::net::TcpListener;
use std::process::Stdio;
use std::sync::mpsc;
use std::time::{Duration, Instant};

/// Longer than the run takes, also on a busy machine.
const PATIENCE: Duration = Duration::from_mins(2);

/// Runs the pipeline whose first node logs 32 MB, reads nothing until its second node runs, and returns stdout and stderr.
fn unread_until_the_second_node_runs(args: &[&str]) -> (String, String) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("there is a port");
    let address = listener.local_addr().expect("it is bound").to_string();
    let mut run = command(PIPELINES, args);
    let run = run.env("KNOCK_AT", address).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it was built");
    let (tell, knocked) = mpsc::channel();
    std::thread::spawn(move || tell.send(listener.accept().is_ok()));
    assert_eq!(knocked.recv_timeout(PATIENCE), Ok(true), "the run waits for who reads");
    let output = run.wait_with_output().expect("it ends");
    assert_eq!(output.status.code(), Some(0));
    (String::from_utf8_lossy(&output.stdout).into_owned(), String::from_utf8_lossy(&output.stderr).into_owned())
}

#[test]
fn a_run_ends_well_that_nobody_reads_and_says_what_is_missing() {
    let (stdout, stderr) = unread_until_the_second_node_runs(&["run", "loud", "--log", "info"]);
    let shown = stderr.lines().filter(|line| line.contains("INFO shout#1")).count();
    let lost: usize = stdout
        .lines()
        .filter_map(|line| line.strip_prefix("progress: ")?.split_once(" log lines were not shown")?.0.parse::<usize>().ok())
        .sum();
    assert!(shown > 0 && lost > 0, "{shown} {lost}");
    assert_eq!(shown + lost, 4_000);
    // The summary does not depend on what was shown.
    let ended = |node: &str| stdout.lines().any(|line| line.starts_with(&format!("{node}  success")));
    let ended = ended("shout") && ended("knock");
    assert!(ended && stdout.contains("run: success after"), "{stdout}");
}

#[test]
fn the_last_json_object_is_whole_though_nobody_read_the_others() {
    let (stdout, _) = unread_until_the_second_node_runs(&["run", "loud", "--log", "info", "--json"]);
    let events: Vec<serde_json::Value> = stdout.lines().map(|line| serde_json::from_str(line).expect("it is JSON")).collect();
    let missing = events.iter().find(|event| event["event"] == "not_shown").expect("it is reported");
    assert!(missing["log_lines"].as_u64() > Some(0), "{missing}");
    let last = events.last().expect("there are events");
    assert_eq!((&last["event"], &last["state"]), (&"run_finished".into(), &"success".into()));
    assert_eq!((&last["nodes"]["shout"]["state"], &last["nodes"]["knock"]["state"]), (&"success".into(), &"success".into()));
}

/// Output that is still to be printed does not hold the journal's lock.
#[test]
fn the_journal_is_free_once_a_run_is_over_that_nobody_reads() {
    let mut run = command(PIPELINES, &["run", "loud", "--log", "info"]);
    let folder = run.get_current_dir().expect("it has a folder of its own").to_owned();
    let mut run = run.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it was built");
    let began = Instant::now();
    let call = |args: &[&str]| command(PIPELINES, args).current_dir(&folder).stderr(Stdio::null()).output();
    let is_over = || {
        let runs = call(&["runs", "--json"]).expect("it was built").stdout;
        String::from_utf8_lossy(&runs).contains("\"success\"")
    };
    while !is_over() {
        assert!(began.elapsed() < PATIENCE, "the run waits for who reads");
    }
    assert!(run.try_wait().expect("it was started").is_none(), "its stderr is full");
    // A command that makes a run needs the journal itself if the holder does not answer.
    let mut next = command(PIPELINES, &["run", "panicking"]);
    let mut is_free = || {
        let output = next.current_dir(&folder).output().expect("it was built");
        output.status.code() == Some(1)
    };
    while !is_free() {
        assert!(began.elapsed() < PATIENCE, "the journal is held");
    }
    run.kill().expect("it is there");
    run.wait().expect("it ends");
}
