//! Runs outlive their process: what later calls in the same folder print of them and do with them.

use crate::command::{PIPELINES, command, scrub, transcript};
use expect_test::{Expect, expect};
use std::process::Command;

/// A folder for several calls.
pub(crate) struct Folder(std::path::PathBuf);

impl Folder {
    pub(crate) fn new() -> Self {
        let command = command(PIPELINES, &[]);
        Self(command.get_current_dir().expect("each call has one").to_owned())
    }

    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = command(PIPELINES, args);
        command.current_dir(&self.0);
        command
    }

    fn call(&self, args: &[&str], expected: &Expect) {
        let said = transcript(&self.command(args).output().expect("it was built"));
        expected.assert_eq(&scrub(&said.replace(&self.0.display().to_string(), "FOLDER")));
    }

    fn read(&self, file: &str) -> String {
        std::fs::read_to_string(self.0.join(file)).expect("it was written")
    }
}

const RUN: &str = "manual__2024-03-25T00:00:00Z";

#[test]
fn a_failed_run_is_listed_shown_and_retried() {
    let folder = Folder::new();
    let failed = folder.command(&["run", "mendable", "--logical-date", "2024-03-25"]).output().expect("it was built");
    assert_eq!(failed.status.code(), Some(1));
    let listed = folder.command(&["runs", "--json"]).output().expect("it was built");
    let listed: serde_json::Value = serde_json::from_slice(&listed.stdout).expect("one run is one object");
    assert_eq!((&listed["run_id"], &listed["state"]), (&RUN.into(), &"failed".into()));
    folder.call(
        &["show", RUN],
        &expect![[r#"
            run manual__2024-03-25T00:00:00Z of mendable: failed, data interval 2024-03-25T00:00:00Z/2024-03-25T00:00:00Z

            node state 0 _
            load success _ → _
            delicate failed _ → _
                                       it is not mended yet
            publish   upstream_failed  `delicate` failed
            run: failed after _   ( work   poke   wait   retry due   failure)

            error: node `delicate` failed: it is not mended yet
              --> tests/cli/pipelines/main.rs:95:13: wired here
              = note: so `publish` did not run
            [exit 0]
        "#]],
    );
    folder.call(&["retry", RUN, "publish_all"], &expect![[r#"
        [exit 2]
        [stderr]
        error: run `manual__2024-03-25T00:00:00Z`: it has no node `publish_all`; `show manual__2024-03-25T00:00:00Z` lists those it has
    "#]]);
    std::fs::write(folder.0.join("mended"), "").expect("the folder is ours");
    folder.call(
        &["retry", RUN],
        &expect![[r#"
        journal .pipeline/journal.db
        resuming run manual__2024-03-25T00:00:00Z
        run manual__2024-03-25T00:00:00Z of mendable: logical date 2024-03-25T00:00:00Z
           _  run  running  2 nodes will be tried again
           _  delicate  running
           _  delicate  success  after _
           _  publish  running
           _  publish  success  after _

        node state 0 _
        load success _ → _
        delicate success _ → _
        publish success _ → _
        run: success after _   ( work   poke   wait   retry due   failure)
        [exit 0]
        [stderr]
        _ INFO publish#1: published 3
    "#]],
    );
    folder.call(
        &["retry", RUN],
        &expect![[r#"
            [exit 2]
            [stderr]
            error: run `manual__2024-03-25T00:00:00Z`: none of its nodes failed or was cut off; name those to retry
        "#]],
    );
    folder.call(
        &["runs", "mendable", "--state", "failed"],
        &expect![[r#"
            run  pipeline  kind  state  started  took  params
            [exit 0]
        "#]],
    );
}

#[test]
fn a_run_that_is_retried_is_measured_with_all_its_attempts() {
    let folder = Folder::new();
    folder.command(&["run", "mendable", "--logical-date", "2024-03-25"]).output().expect("it was built");
    std::fs::write(folder.0.join("mended"), "").expect("the folder is ours");
    folder.call(
        &["retry", RUN, "--metrics", "no/such/m.json"],
        &expect![[r#"
        [exit 2]
        [stderr]
        error: --metrics: there is no folder `no/such`; create it, or name a file in another folder
    "#]],
    );
    let retried = folder.command(&["retry", RUN, "--metrics", "m.json"]).output().expect("it was built");
    assert!(retried.status.success(), "{}", transcript(&retried));
    let metrics: serde_json::Value = serde_json::from_str(&folder.read("m.json")).expect("it is JSON");
    assert_eq!(metrics["state"], "success");
    let delicate = metrics["tasks"].as_array().expect("a list").iter().find(|task| task["node"] == "delicate");
    assert_eq!(delicate.map(|task| (&task["attempts"], &task["errors"])), Some((&2.into(), &1.into())));
}

#[cfg(unix)]
#[test]
fn an_interrupted_run_is_gone_on_with() {
    let folder = Folder::new();
    let bucket = folder.0.join("data-bucket");
    std::fs::create_dir(&bucket).expect("the folder is ours");
    let run = folder.command(&["run", "late", "--logical-date", "2024-03-25"]);
    let (code, _) = crate::interrupt::interrupt(run, "arrival  up_for_reschedule", "-INT");
    assert_eq!(code, Some(130));
    std::fs::write(bucket.join("late.json"), "{}").expect("the folder is ours");
    let resumed = folder.command(&["resume", "--metrics", "m.prom"]).output().expect("it was built");
    let said = String::from_utf8_lossy(&resumed.stdout).into_owned();
    assert!(resumed.status.success(), "{said}");
    assert!(said.contains(&format!("resuming run {RUN}\n")), "{said}");
    assert!(said.contains("\nlate: success after "), "its metrics are shown: {said}");
    let metrics = folder.read("m.late.prom");
    assert!(metrics.contains(r#"pipeline_run_state{pipeline="late",state="success"} 1"#), "{metrics}");
    folder.call(
        &["resume"],
        &expect![[r#"
        nothing to resume in .pipeline/journal.db
        [exit 0]
    "#]],
    );
}

#[test]
fn what_is_not_kept_is_said() {
    let folder = Folder::new();
    folder.call(
        &["runs"],
        &expect![[r#"
            [exit 2]
            [stderr]
            error: there is no journal at "FOLDER/.pipeline/journal.db"; `run` or `serve` creates one there, and `--journal FILE` or the environment variable `PIPELINE_JOURNAL` names another
        "#]],
    );
    folder.call(
        &["resume"],
        &expect![[r#"
            [exit 2]
            [stderr]
            error: there is no journal at "FOLDER/.pipeline/journal.db"; `run` or `serve` creates one there, and `--journal FILE` or the environment variable `PIPELINE_JOURNAL` names another
        "#]],
    );
    std::fs::create_dir(folder.0.join(".pipeline")).expect("the folder is ours");
    std::fs::write(folder.0.join(".pipeline/journal.db"), "no journal ".repeat(200)).expect("the folder is ours");
    folder.call(
        &["run", "mendable", "--logical-date", "2024-03-25"],
        &expect![[r#"
        [exit 2]
        [stderr]
        error: ".pipeline/journal.db" is not a journal: file is not a database; name another file with `--journal FILE`
    "#]],
    );
    folder.call(
        &["runs"],
        &expect![[r#"
        [exit 2]
        [stderr]
        error: ".pipeline/journal.db" is not a journal: file is not a database; name another file with `--journal FILE`
    "#]],
    );
}

#[test]
fn after_a_list_has_changed_each_element_is_shown_once() {
    let folder = Folder::new();
    let shown = |count: &str, args: &[&str]| {
        std::fs::write(folder.0.join("count"), count).expect("the folder is ours");
        let ended = folder.command(args).output().expect("it was built");
        assert_eq!(ended.status.code(), Some(0), "{}", transcript(&ended));
        let shown = transcript(&folder.command(&["show", RUN]).output().expect("it was built"));
        let elements = shown.lines().filter(|line| line.starts_with("work["));
        elements.map(|line| line.split_whitespace().take(2).collect::<Vec<_>>().join(" ")).collect::<Vec<_>>()
    };
    shown("3", &["run", "relisted", "--logical-date", "2024-03-25"]);
    let again = ["retry", RUN, "listed", "--downstream"];
    assert_eq!(shown("4", &again), ["work[0] success", "work[1] success", "work[2] success", "work[3] success"]);
    assert_eq!(shown("1", &again), ["work[0] success", "work[1] removed", "work[2] removed", "work[3] removed"]);
    assert_eq!(shown("2", &again), ["work[0] success", "work[1] success", "work[2] removed", "work[3] removed"]);
}

#[test]
fn a_node_has_one_name_for_every_command() {
    let folder = Folder::new();
    let ran = folder.command(&["run", "relisted", "--logical-date", "2024-03-25", "--log=off"]).output().expect("it was built");
    assert!(ran.status.success(), "{}", transcript(&ran));
    let odd =
        ["work[1", "work[01]", "work[+1]", "work[ 1]", "work[1]]", "work[99999999999999999999]", "work[2]", "work1]", "work[]"];
    for node in odd {
        for args in [["retry", RUN, node], ["skip", RUN, node], ["logs", RUN, node]] {
            let output = folder.command(&args).output().expect("it was built");
            let said = transcript(&output);
            assert!(said.contains("[exit 2]") && said.contains(&format!("has no node `{node}`")), "{args:?}: {said}");
        }
    }
    let said = transcript(&folder.command(&["logs", RUN, "work[1]"]).output().expect("it was built"));
    assert!(said.contains("[exit 0]") && said.contains("`work[1]` has logged nothing; it succeeded"), "{said}");
}
