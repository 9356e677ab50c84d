//! The history of runs, read by other processes: `runs`, `show`, `logs`, `prune`.

use crate::folder::{Folder, RUN, RunningProcess};
use expect_test::expect;

#[test]
#[expect(clippy::too_many_lines, reason = "one story, most of it goldens")]
fn the_lines_of_each_attempt_of_each_element_are_kept() {
    let folder = Folder::new();
    assert!(folder.call(&["run", "mapped", "--logical-date", "2024-03-25"]).status.success());
    folder.expect_transcript(
        &["logs", RUN, "upload[1]"],
        &expect![[r#"
            _ INFO upload[1]#1: uploading b bytes=3
            _ WARN upload[1]#1: the other side hung up
            _ INFO upload[1]#2: uploading b bytes=3
            [exit 0]
        "#]],
    );
    folder.expect_transcript(
        &["logs", RUN, "upload[1]", "--attempt", "2"],
        &expect![[r#"
        _ INFO upload[1]#2: uploading b bytes=3
        [exit 0]
    "#]],
    );
    let json = folder.call(&["logs", RUN, "upload[0]", "--json"]);
    let line: serde_json::Value = serde_json::from_slice(&json.stdout).unwrap();
    assert_eq!((&line["node"], &line["attempt"], &line["level"]), (&"upload[0]".into(), &1.into(), &"info".into()), "{line}");
    assert_eq!((&line["line"], &line["run_id"]), (&"uploading a bytes=3".into(), &RUN.into()), "{line}");
    folder.expect_transcript(
        &["logs", RUN, "upload[7]"],
        &expect![[r#"
        [exit 2]
        [stderr]
        error: run `manual__2024-03-25T00:00:00Z` has no node `upload[7]`; `show manual__2024-03-25T00:00:00Z` lists those it has
    "#]],
    );
    // Without a node: the lines of all nodes, in the order in which they were logged.
    let all = folder.transcript(&["logs", RUN]);
    let of = |node: &str| all.lines().filter(|line| line.contains(&format!(" {node}#"))).count();
    assert_eq!((of("upload[0]"), of("upload[1]"), all.lines().count()), (1, 3, 6), "{all}");
    let json = folder.call(&["logs", RUN, "--json", "--follow"]);
    let read = |line: &str| serde_json::from_str::<serde_json::Value>(line).unwrap();
    let lines: Vec<serde_json::Value> = String::from_utf8(json.stdout).unwrap().lines().map(read).collect();
    assert_eq!(lines.len(), 5);
    assert!(lines.is_sorted_by_key(|line| line["at"].as_str().unwrap().to_owned()), "{lines:?}");
    assert!(lines.iter().any(|line| line["node"] == "upload[0]"), "{lines:?}");
    folder.expect_transcript(
        &["logs", RUN, "upload"],
        &expect![[r#"
        [exit 2]
        [stderr]
        error: node `upload` is repeated for each element: say which is meant, as in `upload[0]`
    "#]],
    );
    folder.expect_transcript(
        &["logs", RUN, "names[0]"],
        &expect![[r#"
        [exit 2]
        [stderr]
        error: node `names` is not repeated: there is no `names[0]`; leave the index out
    "#]],
    );
    folder.expect_transcript(
        &["logs", RUN, "nmaes"],
        &expect![[r#"
        [exit 2]
        [stderr]
        error: run `manual__2024-03-25T00:00:00Z` has no node `nmaes`; `show manual__2024-03-25T00:00:00Z` lists those it has
    "#]],
    );
    folder.expect_transcript(
        &["logs", "manual__1", "names"],
        &expect![[r#"
        [exit 2]
        [stderr]
        error: the journal .pipeline/journal.db has no run `manual__1`; `runs` lists those it has
    "#]],
    );
}

#[test]
fn a_running_run_is_shown_and_its_log_followed_to_the_end() {
    let folder = Folder::new();
    let run = folder.start_run("crowded", &["arrival  running", "export  up_for_reschedule", "delicate  up_for_retry"]);
    let shown = folder.shown_once(|shown| shown.matches("next poke").count() == 2 && shown.contains("retry at"));
    let shown = without_pokes(&shown)
        .replace(&format!("process {}", run.child.id()), "process _")
        .replace(crate::folder::RUNS, "durable-runs");
    expect![[r#"
        run manual__2024-03-25T00:00:00Z of crowded: running, data interval 2024-03-25T00:00:00Z/2024-03-25T00:00:00Z

        node state 0 _
        arrival running _ pokes
        export up_for_reschedule _ pokes
        publish none
        alone none
        delicate up_for_retry
        503
        run: running after _ ( work poke wait retry due failure)

        _ delicate#1 after _ failed: 503

        process _ runs it: durable-runs run crowded --logical-date 2024-03-25 --log info

        arrival: next poke _ (in _), budget left _
        export: next poke _ (in _), budget left _
        publish: waits for `arrival` (running), `export` (up_for_reschedule)
        alone: queued in pool one (1 of 1)
        delicate: retry at _ (in _), attempt 2 of 3
        [exit 0]
    "#]]
    .assert_eq(&shown);
    let followed = RunningProcess::spawn(&mut folder.command(&["logs", RUN, "arrival", "--follow"]), &["INFO arrival#1: asked"]);
    folder.put("late.json");
    let (code, _) = followed.finish();
    assert_eq!(code, Some(0), "it ends with the node, not with the run");
    folder.shown_once(|shown| shown.contains("alone success"));
    run.kill();
    expect![[r#"
        run manual__2024-03-25T00:00:00Z of crowded: running, data interval 2024-03-25T00:00:00Z/2024-03-25T00:00:00Z

        node state 0 _
        arrival success _ → _, _ pokes
        export up_for_reschedule _ pokes
        publish none
        alone success _ → _
        delicate up_for_retry
        503
        run: running after _ ( work poke wait retry due failure)

        _ delicate#1 after _ failed: 503

        no process runs it: `resume` continues it

        export: next poke _ (in _), budget left _
        publish: waits for `export` (up_for_reschedule)
        delicate: retry at _ (in _), attempt 2 of 3
        [exit 0]
    "#]]
    .assert_eq(&without_pokes(&folder.transcript(&["show", RUN])));
}

/// The number of a sensor's pokes and the width of a bar depend on the machine's speed.
fn without_pokes(text: &str) -> String {
    let line = |line: &str| {
        let line = line.split_whitespace().collect::<Vec<_>>().join(" ");
        match line.split_once(" poke").and_then(|(before, after)| Some((before.rsplit_once(' ')?.0.to_owned(), after))) {
            Some((before, after)) if ["", "s"].contains(&after) => format!("{before} _ pokes\n"),
            _ => line + "\n",
        }
    };
    text.lines().map(line).collect()
}

#[test]
fn two_pipelines_may_have_runs_of_one_date() {
    let folder = Folder::new();
    assert!(folder.call(&["run", "mapped", "--logical-date", "2024-03-25"]).status.success());
    assert_eq!(folder.call(&["run", "large", "--logical-date", "2024-03-25"]).status.code(), Some(1));
    folder.expect_transcript(&["show", RUN], &expect![[r#"
        [exit 2]
        [stderr]
        error: the pipelines `large`, `mapped` have a run `manual__2024-03-25T00:00:00Z`: name the one that is meant, as in `large/manual__2024-03-25T00:00:00Z`
    "#]]);
    assert!(folder.call(&["show", &format!("mapped/{RUN}")]).status.success());
}

#[test]
fn runs_are_filtered_and_paged() {
    let folder = Folder::new();
    for day in ["2024-03-25", "2024-03-26", "2024-03-27"] {
        assert!(folder.call(&["run", "mapped", "--logical-date", day]).status.success());
    }
    assert_eq!(folder.call(&["run", "large", "--logical-date", "2024-03-25"]).status.code(), Some(1));
    folder.expect_transcript(
        &["runs", "--limit", "2"],
        &expect![[r#"
            run pipeline kind state started took params
            manual__2024-03-25T00:00:00Z  large     manual  failed   _  _
            manual__2024-03-27T00:00:00Z  mapped    manual  success  _  _
            [exit 0]
            [stderr]
            the next page: --after mapped/manual__2024-03-27T00:00:00Z
        "#]],
    );
    folder.expect_transcript(
        &["runs", "--limit", "2", "--after", "mapped/manual__2024-03-27T00:00:00Z"],
        &expect![[r#"
            run pipeline kind state started took params
            manual__2024-03-26T00:00:00Z  mapped    manual  success  _  _
            manual__2024-03-25T00:00:00Z  mapped    manual  success  _  _
            [exit 0]
            [stderr]
            the next page: --after mapped/manual__2024-03-25T00:00:00Z
        "#]],
    );
    folder.expect_transcript(
        &["runs", "--pipeline", "large", "--state", "failed", "--kind", "manual", "--since", "1h"],
        &expect![[r#"
            run pipeline kind state started took params
            manual__2024-03-25T00:00:00Z  large     manual  failed  _  _
            [exit 0]
        "#]],
    );
    folder.expect_transcript(
        &["runs", "--kind", "backfill"],
        &expect![[r#"
            run pipeline kind state started took params
            [exit 0]
        "#]],
    );
    folder.expect_transcript(
        &["runs", "--since", "soon"],
        &expect![[r#"
            [exit 2]
            [stderr]
            error: --since: `soon` is neither a date, as `2024-01-31` is, nor a duration, as `7d` is: unexpected `s`; expected numbers with units, as in `45s` or `1h30m`
        "#]],
    );
    folder.expect_transcript(
        &["runs", "--state", "done"],
        &expect![[r#"
            [exit 2]
            [stderr]
            error: invalid value 'done' for '--state <STATE>': a state is one of queued, running, success, failed, cancelled, blocked

            For more information, try '--help'.
        "#]],
    );
}

#[test]
fn old_runs_are_deleted_but_for_those_that_somebody_needs() {
    let folder = Folder::new();
    for day in ["2024-03-25", "2024-03-26", "2024-03-27"] {
        assert!(folder.call(&["run", "mapped", "--logical-date", day]).status.success());
    }
    folder.start_run("crowded", &["arrival  running"]).kill();
    folder.expect_transcript(
        &["prune", "--older-than", "1h", "--dry-run"],
        &expect![[r#"
        0 runs would be deleted
        [exit 0]
    "#]],
    );
    folder.expect_transcript(
        &["prune", "--older-than", "0s", "--dry-run"],
        &expect![[r#"
        2 runs would be deleted; 2 old runs kept, unfinished or still needed
        [exit 0]
    "#]],
    );
    let said = folder.transcript(&["prune", "--older-than", "0s"]);
    assert!(said.starts_with("2 runs deleted; 2 old runs kept, unfinished or still needed\nthe file has "), "{said}");
    let left = folder.call(&["runs", "--json"]).stdout;
    let left: Vec<serde_json::Value> = serde_json::Deserializer::from_slice(&left).into_iter().collect::<Result<_, _>>().unwrap();
    let left: Vec<_> = left.iter().map(|run| (run["pipeline"].as_str().unwrap(), run["state"].as_str().unwrap())).collect();
    assert_eq!(left, [("crowded", "running"), ("mapped", "success")]);
    folder.expect_transcript(
        &["logs", "manual__2024-03-25T00:00:00Z", "names"],
        &expect![[r#"
        [exit 2]
        [stderr]
        error: run `manual__2024-03-25T00:00:00Z` has no node `names`; `show manual__2024-03-25T00:00:00Z` lists those it has
    "#]],
    );
}

#[test]
fn a_date_that_is_run_again_after_prune_gets_an_id_that_no_run_has() {
    let folder = Folder::new();
    let run = || folder.transcript(&["run", "promised", "--logical-date", "2024-03-25", "--new"]);
    assert!(run().contains("[exit 0]") && run().contains("[exit 0]"));
    // The newest run stays, as the next one looks back at it.
    assert!(folder.transcript(&["prune", "--older-than", "0s"]).contains("1 run"));
    assert!(run().contains("[exit 0]"));
    let listed = folder.transcript(&["runs"]);
    assert!(listed.contains(&format!("{RUN}__2")) && listed.contains(&format!("{RUN}__3")), "{listed}");
}
