//! Runs that wait for other runs, and runs that start others, when the process is killed, and when the awaited run ends without a
//! process.

use crate::folder::{Folder, RunningProcess};
use crate::kills::effects;
use expect_test::expect;
use pipeline_runtime::RunState;
use pipeline_runtime::read::{JournalReader, RunDetails, RunFilter};
use std::process::{Command, Stdio};

const BIN: &str = env!("CARGO_BIN_EXE_durable-across");
const DATE: [&str; 2] = ["--logical-date", "2024-03-25"];
const RUN: &str = "manual__2024-03-25T00:00:00Z";

fn command(folder: &Folder, args: &[&str]) -> Command {
    let mut command = Command::new(BIN);
    command.args(args).current_dir(folder.path()).stdin(Stdio::null());
    command.env("PIPELINE_JOURNAL", "journal.db").env_remove("PIPELINE_LOG").env_remove("PIPELINE_LOG_FORMAT");
    command
}

/// The output of a call, and its exit code.
fn transcript(folder: &Folder, args: &[&str]) -> String {
    crate::folder::transcript(&command(folder, args).output().unwrap())
}

fn details(folder: &Folder, run: &str) -> RunDetails {
    let reader = JournalReader::open(folder.path().join("journal.db")).unwrap();
    reader.details(&reader.run(run).unwrap().unwrap()).unwrap()
}

fn pokes(folder: &Folder) -> u32 {
    details(folder, &format!("report/{RUN}")).node("run_of").unwrap().pokes()
}

/// Starts or resumes the run of `report`, until its wait is durable.
fn waits(folder: &Folder, args: &[&str]) -> RunningProcess {
    let run = RunningProcess::spawn(&mut command(folder, args), &[RUN]);
    while !transcript(folder, &["show", &format!("report/{RUN}")]).contains("run_of: waits for a run of `base`") {}
    run
}

#[test]
fn a_run_that_waits_is_killed_and_woken_in_the_next_process() {
    let folder = Folder::new();
    waits(&folder, &["run", "report", DATE[0], DATE[1]]).kill();
    // A restart alone causes no poke.
    waits(&folder, &["resume"]).kill();
    assert_eq!(pokes(&folder), 1);
    let resumed = waits(&folder, &["resume"]);
    assert!(transcript(&folder, &["trigger", "base", DATE[0], DATE[1]]).contains("has started"));
    assert_eq!(resumed.finish().0, Some(0));
    assert_eq!(pokes(&folder), 2);
    assert_eq!(effects(folder.path()), [format!("extract {RUN}"), format!("publish 7 of {RUN}")]);
}

#[test]
fn a_run_that_ended_while_no_process_had_the_waiting_one_is_seen_at_once() {
    let folder = Folder::new();
    waits(&folder, &["run", "report", DATE[0], DATE[1]]).kill();
    // This process holds the journal, but does not have the waiting run.
    assert!(transcript(&folder, &["run", "base", DATE[0], DATE[1]]).contains("[exit 0]"));
    assert_eq!(pokes(&folder), 1);
    let resumed = transcript(&folder, &["resume"]);
    assert!(resumed.contains("[exit 0]"), "{resumed}");
    assert_eq!(pokes(&folder), 2);
    assert_eq!(effects(folder.path()), [format!("extract {RUN}"), format!("publish 7 of {RUN}")]);
}

#[test]
fn a_run_that_failed_is_told_with_what_it_failed_of_and_may_be_retried() {
    let folder = Folder::new();
    folder.put("fail");
    assert!(transcript(&folder, &["run", "base", DATE[0], DATE[1]]).contains("[exit 1]"));
    assert!(transcript(&folder, &["run", "report", DATE[0], DATE[1]]).contains("[exit 1]"));
    let failed = details(&folder, &format!("report/{RUN}"));
    assert_eq!(
        failed.node("run_of").unwrap().error(),
        Some("it waits for run manual__2024-03-25T00:00:00Z of `base`, which has failed: `extract`: no such table")
    );
    std::fs::remove_file(folder.path().join("data-bucket/fail")).unwrap();
    assert!(transcript(&folder, &["retry", &format!("base/{RUN}")]).contains("[exit 0]"));
    assert!(transcript(&folder, &["retry", &format!("report/{RUN}")]).contains("[exit 0]"));
    assert_eq!(effects(folder.path()).last().unwrap(), &format!("publish 7 of {RUN}"));
}

/// The runs that the node has started, and their states.
fn started(folder: &Folder) -> Vec<(String, RunState)> {
    let reader = JournalReader::open(folder.path().join("journal.db")).unwrap();
    let runs = reader.runs(&RunFilter::new().pipeline("vendor_file")).unwrap();
    runs.iter().map(|run| (run.run_id().to_owned(), run.state())).collect()
}

#[test]
fn wherever_the_process_dies_one_run_is_started_and_awaited() {
    let mut at = 0;
    loop {
        let folder = Folder::new();
        let killed = command(&folder, &["run", "starter", DATE[0], DATE[1]]).env("KILL", at.to_string()).output().unwrap();
        let was_killed = killed.status.code().is_none();
        if was_killed {
            let resumed = transcript(&folder, &["resume"]);
            assert!(resumed.contains("[exit 0]"), "killed at commit {at}: {resumed}");
        } else {
            assert_eq!(killed.status.code(), Some(0));
        }
        let id = format!("by__starter__{RUN}__start");
        assert_eq!(started(&folder), [(id.clone(), RunState::Success)], "killed at commit {at}");
        let effects = effects(folder.path());
        assert_eq!(effects.last().unwrap(), "tell 4", "killed at commit {at}");
        assert!(effects.contains(&format!("load acme in {id}")), "{effects:?}");
        if !was_killed {
            break;
        }
        at += 1;
    }
    assert!(at > 5, "it was killed at {at} commits alone");
    // A manual retry also finds the existing run.
    let folder = Folder::new();
    assert!(transcript(&folder, &["run", "starter", DATE[0], DATE[1]]).contains("[exit 0]"));
    assert!(transcript(&folder, &["retry", &format!("starter/{RUN}"), "start", "--downstream"]).contains("[exit 0]"));
    assert_eq!(started(&folder).len(), 1);
    assert_eq!(effects(folder.path()).iter().filter(|line| line.starts_with("load")).count(), 1);
}

#[test]
fn what_is_upstream_across_pipelines_is_shown() {
    let folder = Folder::new();
    expect![[r#"
        pipeline     schedule      next run              waits for    tags  description
        base         @daily (UTC)  _
        report       @daily (UTC)  _  base
        vendor_file  none          none
        starter      @daily (UTC)  _  vendor_file
        [exit 0]
    "#]]
    .assert_eq(&transcript(&folder, &["list"]));
    assert!(transcript(&folder, &["check"]).contains("[exit 0]"));
    expect![[r#"
        pipeline  starter
        schedule  @daily, at 00:00 (UTC)

          [options]
              │
              ↓
           [start]
              └┐
               ↓
          [finished]
               │
               ↓
            [load]
               │
               ↓
            [tell]

        node      kind    inputs                                   options  wired at
        options   task                                                      tests/durable/across/main.rs:71
        start     task    params: options                                   tests/durable/across/main.rs:71
                          starts a run of vendor_file
        finished  sensor  run: start                                        tests/durable/across/main.rs:71
                          waits for a run of vendor_file
        load      task    run: finished                                     tests/durable/across/main.rs:71
                          takes an output of a run of vendor_file
        tell      task    letters: load                                     tests/durable/across/main.rs:71
        [exit 0]
    "#]]
    .assert_eq(&transcript(&folder, &["graph", "starter"]));
    expect![[r#"
        ---
        title: "starter"
        ---
        flowchart TD
            n0["options"]
            n1["start"]
            n2{{"finished"}}
            n3["load"]
            n4["tell"]
            n0 --> n1
            n1 --> n2
            n2 --> n3
            n3 --> n4
            p0[("vendor_file")]
            n1 ==> p0
            p0 ==> n2
        [exit 0]
    "#]]
    .assert_eq(&transcript(&folder, &["graph", "starter", "--format", "mermaid"]));
}
