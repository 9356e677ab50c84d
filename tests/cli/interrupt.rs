//! Signals end a run promptly, whatever its bodies do, and their effect is reported.
#![cfg(unix)]

use crate::command::{PIPELINES, command, scrub};
use expect_test::expect;
use std::io::{BufRead, BufReader, Read};
use std::process::{Command, Stdio};

/// Runs until a line contains `until`, sends the signal, and returns the exit code and stderr.
fn interrupted(args: &[&str], until: &str, signal: &str) -> (Option<i32>, String) {
    interrupt(command(PIPELINES, args), until, signal)
}

pub(crate) fn interrupt(mut command: Command, until: &str, signal: &str) -> (Option<i32>, String) {
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it was built");
    let mut lines = BufReader::new(child.stdout.take().expect("it is piped")).lines();
    let seen = lines.by_ref().map_while(Result::ok).any(|line| line.contains(until));
    let sent = Command::new("kill").args([signal, &child.id().to_string()]).status().expect("there is `kill`");
    assert!(seen && sent.success());
    // The pipe stays open, so that the run can report its end.
    lines.for_each(drop);
    let mut stderr = String::new();
    child.stderr.take().expect("it is piped").read_to_string(&mut stderr).expect("it is text");
    (child.wait().expect("it ends").code(), scrub(&stderr))
}

#[test]
fn ctrl_c_cuts_a_sensors_wait_off() {
    let args = ["run", "waiting", "--logical-date", "2024-03-25"];
    let (code, stderr) = interrupted(&args, "export  up_for_reschedule", "-INT");
    assert_eq!(code, Some(130));
    expect![[r#"

        error: interrupted by Ctrl-C: run manual__2024-03-25T00:00:00Z is unfinished, its attempts were cut off
          = note: its progress is recorded, and finished nodes do not run again
          = help: `resume` continues it
    "#]]
    .assert_eq(&stderr);
}

#[test]
fn bodies_that_never_yield_hold_neither_a_time_limit_up_nor_the_end() {
    let (code, stderr) = interrupted(&["run", "endless"], "took longer than its limit of 50ms", "-TERM");
    assert_eq!(code, Some(143));
    assert!(stderr.contains("interrupted by SIGTERM"), "{stderr}");
}

#[test]
fn the_last_json_object_says_that_the_run_goes_on() {
    let args = ["run", "waiting", "--json"];
    let mut child = command(PIPELINES, &args).stdout(Stdio::piped()).spawn().expect("it was built");
    let mut lines = BufReader::new(child.stdout.take().expect("it is piped")).lines().map_while(Result::ok);
    assert!(lines.any(|line| line.contains(r#""state":"up_for_reschedule""#)));
    Command::new("kill").args(["-INT", &child.id().to_string()]).status().expect("there is `kill`");
    let last = lines.last().expect("there is a last line");
    assert!(last.starts_with(r#"{"event":"run_finished""#) && last.contains(r#""state":"running""#), "{last}");
    assert_eq!(child.wait().expect("it ends").code(), Some(130));
}

#[test]
fn a_process_that_may_take_for_ever_to_end_ends_at_once_with_nothing_under_way() {
    let (code, stderr) = interrupted(&["serve", "--drain", "36500d"], "serving", "-TERM");
    assert_eq!(code, Some(0), "{stderr}");
}
