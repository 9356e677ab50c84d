//! Teardowns across kills: a setup is torn down once, by whichever process is running then.

use crate::folder::{Folder, RunningProcess};
use crate::kills::effects;

const RUN: &str = "manual__2024-03-25T00:00:00Z";

/// The bodies that have started, in order, and the effect of the teardown.
fn traces(folder: &Folder) -> Vec<String> {
    effects(folder.path()).iter().map(|line| line.split(" torn_down/").next().unwrap_or(line).to_owned()).collect()
}

fn run(folder: &Folder) -> std::process::Command {
    folder.command(&["run", "torn_down", "--logical-date", "2024-03-25"])
}

/// The run's process is killed in the node that uses the setup.
fn killed_at_work() -> Folder {
    let folder = Folder::new();
    folder.put("hang");
    RunningProcess::spawn(&mut run(&folder), &["it hangs"]).kill();
    assert_eq!(traces(&folder), ["machine", "train"]);
    folder
}

fn no_longer(folder: &Folder, hangs: &str) {
    std::fs::remove_file(folder.path().join("data-bucket").join(hangs)).unwrap();
}

#[test]
fn a_process_killed_at_work_tears_down_nothing_and_the_next_does_once_the_work_is_done() {
    let folder = killed_at_work();
    no_longer(&folder, "hang");
    assert!(folder.transcript(&["resume"]).contains("[exit 0]"));
    assert_eq!(traces(&folder), ["machine", "train", "train", "score", "delete", "deleted 7"]);
}

#[test]
fn a_process_killed_in_a_teardown_leaves_it_to_the_next() {
    let folder = Folder::new();
    folder.put("hang_delete");
    RunningProcess::spawn(&mut run(&folder), &["it hangs"]).kill();
    assert_eq!(traces(&folder), ["machine", "train", "score", "delete"]);
    no_longer(&folder, "hang_delete");
    assert!(folder.transcript(&["resume"]).contains("[exit 0]"));
    assert_eq!(traces(&folder), ["machine", "train", "score", "delete", "delete", "deleted 7"]);
}

/// A run without a process is cancelled by a process that first tears its setup down.
#[test]
fn a_cancel_after_a_kill_tears_down_and_starts_nothing_else() {
    let folder = killed_at_work();
    assert!(folder.transcript(&["cancel", RUN]).contains("[exit 0]"));
    assert_eq!(traces(&folder), ["machine", "train", "delete", "deleted 7"]);
    assert!(folder.transcript(&["show", RUN]).contains("cancelled"));
    // It has ended, and nothing is left to do.
    assert!(folder.transcript(&["resume"]).contains("[exit 0]"));
    assert_eq!(traces(&folder).len(), 4);
}

#[test]
fn who_cancels_a_run_is_told_that_its_teardowns_still_run() {
    let folder = Folder::new();
    folder.put("hang");
    folder.put("hang_delete");
    let running = RunningProcess::spawn(&mut run(&folder), &["it hangs"]);
    let said = folder.transcript(&["cancel", RUN]);
    assert!(said.contains(&format!("run {RUN} of torn_down is being cancelled: its teardowns still run")), "{said}");
    // A second cancel cuts the teardowns off.
    let said = folder.transcript(&["cancel", RUN]);
    assert!(said.contains(&format!("run {RUN} of torn_down is cancelled")), "{said}");
    assert_eq!(running.finish().0, Some(1));
}

/// The journal records that the run is ending: a process that resumes it starts only the teardown, and the run ends as cancelled.
#[test]
fn a_process_killed_in_the_teardown_of_a_cancelled_run_leaves_just_that_to_the_next() {
    let folder = killed_at_work();
    folder.put("hang_delete");
    let mut cancel = folder.command(&["cancel", RUN]);
    RunningProcess::spawn(&mut cancel, &["it hangs"]).kill();
    assert_eq!(traces(&folder), ["machine", "train", "delete"]);
    assert!(!folder.transcript(&["show", RUN]).contains("cancelled after"), "it has not ended");
    no_longer(&folder, "hang_delete");
    no_longer(&folder, "hang");
    folder.transcript(&["resume"]);
    assert_eq!(traces(&folder), ["machine", "train", "delete", "delete", "deleted 7"]);
    assert!(folder.transcript(&["show", RUN]).contains("cancelled"));
}
