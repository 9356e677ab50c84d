//! Runs that a program cannot resume: they do not delay others, and can be cancelled without their plan.

use crate::folder::{Folder, RUN, RunningProcess, transcript};
use crate::kills::effects;
use expect_test::expect;
use std::process::Command;

/// A run of `changing`, which the code `positive` cannot read, and one of `promised`, both unfinished.
fn two_unfinished() -> Folder {
    let folder = Folder::new();
    folder.changing("");
    folder.put("hang");
    folder.start_run("promised", &["it hangs"]).kill();
    std::fs::remove_file(folder.path().join("data-bucket/hang")).unwrap();
    folder
}

fn with_code(folder: &Folder, args: &[&str]) -> Command {
    let mut command = folder.command(args);
    command.env("CODE", "positive");
    command
}

#[test]
fn a_run_that_cannot_be_resumed_is_set_aside_and_the_others_go_on() {
    let folder = two_unfinished();
    let resumed = transcript(&with_code(&folder, &["resume"]).output().unwrap());
    assert!(resumed.contains("run: success"), "{resumed}");
    let (_, end) = resumed.split_once("[exit").unwrap();
    expect![[r#"
         1]
        [stderr]
        error: run `manual__2024-03-25T00:00:00Z` cannot be resumed: the output of `number` in the journal is not a valid `durable_runs::changing::Number` any more (-1 is negative); it was written by other code. Let the type also read the old form (`#[serde(default)]`), or start again with `--new`
          = help: run manual__2024-03-25T00:00:00Z of changing stays as it is, and others continue; `cancel changing/manual__2024-03-25T00:00:00Z` ends it
    "#]].assert_eq(end);
    assert_eq!(effects(folder.path()).iter().filter(|line| line.starts_with("first ")).count(), 1);

    // The serving process continues, and can be asked to cancel the run.
    let mut serve = RunningProcess::spawn(&mut with_code(&folder, &["serve"]), &["serving promised"]);
    let cancelled = format!("run {RUN} of changing is cancelled");
    let name = format!("changing/{RUN}");
    assert!(transcript(&with_code(&folder, &["cancel", &name]).output().unwrap()).starts_with(&cancelled));
    serve.child.kill().unwrap();
    serve.wait_for_end();
    assert!(folder.transcript(&["runs", "--state", "cancelled"]).contains("changing"));
    assert!(folder.transcript(&["resume"]).contains("nothing to resume"));
}

#[test]
fn a_run_of_a_pipeline_that_is_gone_is_cancelled_by_any_program() {
    let folder = Folder::new();
    folder.changing("");
    // This program does not have the pipeline.
    let other = |args: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_served-pipelines"));
        transcript(&command.args(args).current_dir(folder.path()).env_remove("PIPELINE_LOG").output().unwrap())
    };
    expect![[r#"
        [exit 2]
        [stderr]
        error: run `manual__2024-03-25T00:00:00Z` is of pipeline `changing`, which this binary does not have
    "#]]
    .assert_eq(&other(&["resume"]));
    assert!(other(&["skip", RUN, "number"]).contains("[exit 2]"));
    expect![[r#"
        journal .pipeline/journal.db
        run manual__2024-03-25T00:00:00Z of changing is cancelled; this program could not resume it
        [exit 0]
    "#]]
    .assert_eq(&other(&["cancel", RUN]));
    expect![[r#"
        [exit 2]
        [stderr]
        error: run `manual__2024-03-25T00:00:00Z`: it has ended: it is cancelled
    "#]]
    .assert_eq(&other(&["cancel", RUN]));
    assert!(other(&["resume"]).contains("nothing to resume"));
    assert!(other(&["show", RUN]).contains("cancelled"));
    let shown = folder.transcript(&["show", RUN]);
    assert!(shown.contains("the run ended before it did") && !shown.contains("running"), "{shown}");
    // The run's own program can still retry it: nodes that were cut off run again.
    folder.put("approved");
    let retried = folder.transcript(&["retry", RUN]);
    assert!(retried.contains("[exit 0]"), "{retried}");
}

#[test]
fn an_output_whose_drop_panics_holds_up_nothing() {
    let folder = Folder::new();
    folder.put("closed");
    let date = |date: &str| assert!(folder.transcript(&["run", "fragile", "--logical-date", date]).contains("[exit 1]"));
    date("2024-03-25");
    date("2024-03-26");
    std::fs::remove_file(folder.path().join("data-bucket/closed")).unwrap();
    let fragile = |args: &[&str]| {
        let mut command = folder.command(args);
        command.env("CODE", "fragile");
        command
    };
    // The command that read the run drops all of its outputs, even if a destructor panics.
    let transcript = transcript(&fragile(&["retry", RUN]).output().unwrap());
    assert!(transcript.contains("run: success") && transcript.contains("[exit 0]"), "{transcript}");
    let mut serve = RunningProcess::spawn(&mut fragile(&["serve"]), &["serving fragile"]);
    let asked = folder.transcript(&["retry", "manual__2024-03-26T00:00:00Z"]);
    assert!(asked.contains("[exit 0]"), "{asked}");
    serve.wait_for_line("run manual__2024-03-26T00:00:00Z of fragile: success");
    serve.child.kill().unwrap();
    serve.wait_for_end();
}
