//! Queued runs: how they start, and what a process that dies afterwards leaves to the next.

use crate::folder::{Folder, RunningProcess};
use crate::kills::effects;
use expect_test::expect;

const FIRST: &str = "manual__2024-03-25T00:00:00Z";
const SECOND: &str = "manual__2024-03-26T00:00:00Z";

/// A folder whose journal has a run of `single` that was cut off in `second`, and a queued one. No process is left.
fn begun_and_queued() -> Folder {
    let folder = Folder::new();
    folder.put("hang");
    let mut serve = folder.command(&["serve"]);
    let mut serve = RunningProcess::spawn(&mut serve, &["serving single"]);
    folder.trigger("2024-03-25");
    serve.wait_for_line("it hangs");
    assert!(folder.trigger("2024-03-26").contains("waits for its turn: 1 run is active"));
    serve.kill();
    folder.no_longer_hangs();
    assert_eq!(folder.states(), [(FIRST.into(), "running".into()), (SECOND.into(), "queued".into())]);
    folder
}

impl Folder {
    fn trigger(&self, date: &str) -> String {
        self.transcript(&["trigger", "single", "--logical-date", date])
    }

    fn no_longer_hangs(&self) {
        std::fs::remove_file(self.path().join("data-bucket/hang")).unwrap();
    }

    /// The runs of `single` and their states, oldest first.
    fn states(&self) -> Vec<(String, String)> {
        let listed = self.call(&["runs", "--pipeline", "single", "--json"]).stdout;
        let read = |line: &str| {
            let run: serde_json::Value = serde_json::from_str(line).unwrap();
            let text = |name: &str| run[name].as_str().unwrap().to_owned();
            (text("run_id"), text("state"))
        };
        String::from_utf8(listed).unwrap().lines().rev().map(read).collect()
    }

    /// How often a node of that run has started.
    fn starts(&self, node: &str, run: &str) -> usize {
        let of_run = format!("{node} single/{run}/");
        effects(self.path()).iter().filter(|line| line.starts_with(&of_run)).count()
    }
}

#[test]
fn a_queued_run_that_run_has_begun_is_resumed_and_not_begun_again() {
    let folder = begun_and_queued();
    // Without a date, the run that has started is resumed before the queued one.
    assert!(folder.transcript(&["run", "single"]).contains("[exit 0]"));
    assert_eq!(folder.states(), [(FIRST.into(), "success".into()), (SECOND.into(), "queued".into())]);

    folder.put("hang");
    let mut run = folder.command(&["run", "single", "--logical-date", "2024-03-26"]);
    let run = RunningProcess::spawn(&mut run, &["it hangs"]);
    assert_eq!(folder.states()[1], (SECOND.into(), "running".into()));
    run.kill();
    assert_eq!(folder.states()[1], (SECOND.into(), "running".into()));

    folder.no_longer_hangs();
    assert!(folder.transcript(&["resume"]).contains("[exit 0]"));
    assert_eq!(folder.states()[1], (SECOND.into(), "success".into()));
    let starts = ["first", "second", "third"].map(|node| folder.starts(node, SECOND));
    assert_eq!(starts, [1, 2, 1], "{:?}", effects(folder.path()));
}

#[test]
fn a_queued_run_for_which_there_is_no_room_is_refused_and_says_what_to_do() {
    let folder = begun_and_queued();
    let second = ["run", "single", "--logical-date", "2024-03-26"];
    folder.expect_transcript(&second, &expect![[r#"
        [exit 2]
        [stderr]
        error: run `manual__2024-03-26T00:00:00Z` waits for its turn: run `manual__2024-03-25T00:00:00Z` is unfinished, and the pipeline's `max_active_runs` is 1; `resume` runs them all in their order, and `cancel` makes room
    "#]]);
    assert_eq!(folder.states()[1], (SECOND.into(), "queued".into()));
    assert_eq!(folder.starts("first", SECOND), 0);
    assert!(folder.transcript(&["cancel", FIRST]).contains("[exit 0]"));
    assert!(folder.transcript(&second).contains("[exit 0]"));
    assert_eq!(folder.states(), [(FIRST.into(), "cancelled".into()), (SECOND.into(), "success".into())]);
}

#[test]
fn without_a_holder_a_queued_run_can_be_cancelled_and_nothing_else() {
    let folder = begun_and_queued();
    folder.expect_transcript(
        &["skip", SECOND, "first"],
        &expect![[r#"
        [exit 2]
        [stderr]
        error: run `manual__2024-03-26T00:00:00Z`: it waits for its turn: there is nothing to change yet
    "#]],
    );
    assert!(folder.transcript(&["retry", SECOND, "first"]).contains("[exit 2]"));
    assert!(folder.transcript(&["cancel", SECOND]).contains("run: cancelled"));
    assert_eq!(folder.states(), [(FIRST.into(), "running".into()), (SECOND.into(), "cancelled".into())]);
    assert!(folder.transcript(&["show", SECOND]).contains("third   skipped"));
    assert_eq!(folder.starts("first", SECOND), 0);
}
