//! No part of a program outlives its attempt: no process that ignores SIGTERM, no child process, and no zombie.

use crate::sh;
use pipeline_runtime::cli::{Progress, Runner};
use pipeline_runtime::prelude::*;
use pipeline_runtime::{NodeState, RunState};
use rustix::process::{Pid, Signal, kill_process, test_kill_process};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

/// Longer than the ten seconds from SIGTERM to SIGKILL, also on a busy machine.
const PATIENCE: Duration = Duration::from_mins(1);

#[derive(Debug, Default, Serialize, Deserialize)]
struct Options {
    /// The file to which the script writes its process ids.
    pids: PathBuf,
    script: String,
}

#[task(timeout = "1s")]
async fn limited(ctx: Context, pids: PathBuf, script: String) -> Result<()> {
    sh(&script).env("PIDS", &pids).run(&ctx).await.map(drop)
}

#[task]
async fn unlimited(ctx: Context, pids: PathBuf, script: String) -> Result<()> {
    sh(&script).env("PIDS", &pids).run(&ctx).await.map(drop)
}

#[pipeline]
fn with_a_limit(options: Options) {
    limited(options.pids, options.script);
}

#[pipeline]
fn without_a_limit(options: Options) {
    unlimited(options.pids, options.script);
}

/// A program with a child; both end by SIGTERM.
const OBEDIENT: &str = "sleep 600 & echo \"$$ $!\" >\"$PIDS.new\"; mv \"$PIDS.new\" \"$PIDS\"; wait";
/// A program with a child; both ignore SIGTERM.
const STUBBORN: &str = "trap '' TERM; sleep 600 & echo \"$$ $!\" >\"$PIDS.new\"; mv \"$PIDS.new\" \"$PIDS\"; wait; wait";

/// Waits for the program to write its process ids, and returns them.
fn processes(pids: &Path) -> Vec<Pid> {
    let begun = Instant::now();
    loop {
        if let Ok(text) = std::fs::read_to_string(pids) {
            return text.split_whitespace().map(|pid| Pid::from_raw(pid.parse().unwrap()).unwrap()).collect();
        }
        assert!(begun.elapsed() < PATIENCE, "it does not begin");
        std::thread::yield_now();
    }
}

/// Waits until all of them are gone, also as zombies, and returns how long that took.
fn until_gone(processes: &[Pid]) -> Duration {
    let begun = Instant::now();
    while processes.iter().any(|pid| test_kill_process(*pid).is_ok()) {
        assert!(begun.elapsed() < PATIENCE, "{processes:?} are still there");
        std::thread::yield_now();
    }
    begun.elapsed()
}

fn limited_by_time(script: &str) -> (Vec<Pid>, Instant) {
    let folder = tempfile::tempdir().unwrap();
    let pids = folder.path().join("pids");
    let options = Options { pids: pids.clone(), script: script.to_owned() };
    let runner = Runner::new().pipeline(with_a_limit(), options).progress(Progress::Silent).journal(folder.path().join("j.db"));
    let report = runner.run().unwrap().into_reports().remove(0);
    let node = report.node("limited");
    assert_eq!((node.state(), node.error()), (NodeState::Failed, Some("the attempt took longer than its limit of 1s")));
    (processes(&pids), Instant::now())
}

#[test]
fn a_time_limit_ends_it_with_its_children() {
    let (processes, _) = limited_by_time(OBEDIENT);
    assert_eq!(processes.len(), 2);
    assert!(until_gone(&processes) < Duration::from_secs(9), "SIGTERM did it");
}

/// Prints more than a pipe holds when it is terminated, so its output must be read.
const TIDY: &str = "trap 'head -c 300000 /dev/zero | tr \"\\0\" x; echo; echo tidy >\"$PIDS.done\"; exit' TERM; \
                    sleep 600 & echo \"$$ $!\" >\"$PIDS.new\"; mv \"$PIDS.new\" \"$PIDS\"; wait";

#[test]
fn what_prints_as_it_is_told_to_end_is_read_until_it_has() {
    let folder = tempfile::tempdir().unwrap();
    let pids = folder.path().join("pids");
    let options = Options { pids: pids.clone(), script: TIDY.to_owned() };
    let runner = Runner::new().pipeline(with_a_limit(), options).progress(Progress::Silent).journal(folder.path().join("j.db"));
    assert_eq!(runner.run().unwrap().reports()[0].state(), RunState::Failed);
    assert!(until_gone(&processes(&pids)) < Duration::from_secs(9), "it ends by itself");
    assert_eq!(std::fs::read_to_string(folder.path().join("pids.done")).unwrap(), "tidy\n");
}

#[test]
fn what_ignores_sigterm_is_killed_after_ten_seconds() {
    let (processes, ended) = limited_by_time(STUBBORN);
    assert!(processes.iter().all(|pid| test_kill_process(*pid).is_ok()));
    until_gone(&processes);
    assert!(ended.elapsed() > Duration::from_secs(8), "{:?}", ended.elapsed());
}

#[test]
fn what_it_leaves_behind_ends_with_it() {
    let folder = tempfile::tempdir().unwrap();
    let pids = folder.path().join("pids");
    // One of the two holds the output open, the other does not.
    let script = "sleep 600 & echo $! >\"$PIDS\"; sleep 600 >/dev/null 2>&1 & echo $! >>\"$PIDS\"";
    let options = Options { pids: pids.clone(), script: script.to_owned() };
    let runner =
        Runner::new().pipeline(without_a_limit(), options).progress(Progress::Silent).journal(folder.path().join("j.db"));
    assert_eq!(runner.run().unwrap().reports()[0].state(), RunState::Success);
    let left = processes(&pids);
    assert_eq!(left.len(), 2);
    until_gone(&left);
}

/// The half of a test that is ended from outside.
#[test]
#[ignore = "a half of a test"]
fn waits_for_ever() {
    let Some(folder) = std::env::var_os("PROGRAMS_FOLDER").map(PathBuf::from) else { return };
    let script = std::env::var("PROGRAMS_SCRIPT").unwrap();
    let options = Options { pids: folder.join("pids"), script };
    let runner = Runner::new().pipeline(without_a_limit(), options).progress(Progress::Silent).journal(folder.join("j.db"));
    drop(runner.run());
}

/// Sends `signal` to a process whose body runs this program. Returns the program's processes.
fn ended_by(signal: Signal, script: &str) -> Vec<Pid> {
    let folder = tempfile::tempdir().unwrap();
    let mut half = std::process::Command::new(std::env::current_exe().unwrap());
    half.args(["--exact", "ends::waits_for_ever", "--ignored", "--test-threads=1"]);
    half.env("PROGRAMS_FOLDER", folder.path()).env("PROGRAMS_SCRIPT", script);
    let mut half = half.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let processes = processes(&folder.path().join("pids"));
    assert!(processes.iter().all(|pid| test_kill_process(*pid).is_ok()));
    kill_process(Pid::from_child(&half), signal).unwrap();
    half.wait().unwrap();
    processes
}

#[test]
fn it_ends_also_where_this_process_is_killed() {
    let processes = ended_by(Signal::KILL, OBEDIENT);
    assert!(until_gone(&processes) < Duration::from_secs(9), "SIGTERM did it");
}

#[test]
fn what_ignores_sigterm_ends_also_where_this_process_is_killed() {
    until_gone(&ended_by(Signal::KILL, STUBBORN));
}

#[test]
fn what_ignores_sigterm_ends_also_where_this_process_is_interrupted() {
    until_gone(&ended_by(Signal::INT, STUBBORN));
}
