//! `backfill`: which intervals it takes, in which order, and which process runs them.

use crate::process::Folder;

fn states(folder: &Folder, pipeline: &str) -> Vec<(String, String)> {
    let text = |value: &serde_json::Value| value.as_str().expect("it is a text").to_owned();
    folder.runs(pipeline).iter().map(|run| (text(&run["logical_date"])[8..10].to_owned(), text(&run["state"]))).collect()
}

fn backfill<'a>(pipeline: &'a str, to: &'a str, rest: &[&'a str]) -> Vec<&'a str> {
    [&["backfill", pipeline, "--from", "2024-03-02", "--to", to], rest].concat()
}

#[test]
fn intervals_that_have_no_run_are_run_and_those_that_failed_if_they_are_to() {
    let folder = Folder::new();
    let dry = folder.ok(&backfill("daily", "2024-03-03", &["--dry-run"]));
    assert_eq!(
        dry,
        "2024-03-02T00:00:00Z/2024-03-03T00:00:00Z  would run\n2024-03-03T00:00:00Z/2024-03-04T00:00:00Z  would run\n"
    );
    assert!(!folder.path(".pipeline").exists(), "nothing was written");
    let (code, stdout, stderr) = folder.call(&backfill("daily", "2024-03-04", &[]));
    assert_eq!(code, 1, "{stdout}{stderr}");
    assert!(stdout.ends_with("backfill of daily: 2 success, 1 failed\n"), "{stdout}");
    assert!(stderr.contains("error: node `delicate` failed: 503"), "{stderr}");
    assert!(folder.ok(&backfill("daily", "2024-03-04", &[])).contains("0 intervals of daily are run, 3 left out"));
    let dry = folder.ok(&backfill("daily", "2024-03-03", &["--reprocess", "failed", "--dry-run"]));
    assert!(
        dry.contains("2024-03-04T00:00:00Z  would run")
            && dry.contains("left out: run backfill__2024-03-02T00:00:00Z is success")
    );
    folder.touch("mended");
    let mended = folder.ok(&backfill("daily", "2024-03-05", &["--reprocess", "failed"]));
    assert!(mended.ends_with("backfill of daily: 2 success\n"), "{mended}");
    let all = folder.ok(&backfill("daily", "2024-03-05", &["--reprocess", "all", "--max-active-runs", "1"]));
    assert!(all.ends_with("backfill of daily: 4 success\n"), "{all}");
}

#[test]
fn days_that_depend_on_each_other_stop_at_the_first_that_fails_and_go_on_once_it_is_mended() {
    let folder = Folder::new();
    let (code, stdout, stderr) = folder.call(&backfill("ordered", "2024-03-05", &[]));
    assert_eq!(code, 1, "{stdout}{stderr}");
    assert!(stdout.ends_with("backfill of ordered: 1 success, 1 failed, 2 not begun\n"), "{stdout}");
    let state = |day: &str, state: &str| (day.to_owned(), state.to_owned());
    let before = [state("02", "success"), state("03", "failed"), state("04", "queued"), state("05", "queued")];
    assert_eq!(states(&folder, "ordered"), before);
    folder.touch("mended");
    folder.ok(&["retry", "backfill__2024-03-03T00:00:00Z"]);
    folder.ok(&["resume"]);
    assert!(states(&folder, "ordered").iter().all(|(_, state)| state == "success"), "{:?}", states(&folder, "ordered"));
}

#[test]
fn days_that_depend_on_each_other_are_run_again_in_their_order_and_stop_at_the_first_that_fails() {
    let folder = Folder::new();
    folder.touch("mended");
    folder.ok(&backfill("ordered", "2024-03-05", &[]));
    std::fs::remove_file(folder.path("mended")).unwrap();
    let (code, stdout, stderr) = folder.call(&backfill("ordered", "2024-03-05", &["--reprocess", "all"]));
    assert_eq!(code, 1, "{stdout}{stderr}");
    assert!(stdout.ends_with("backfill of ordered: 1 success, 1 failed, 2 not begun\n"), "{stdout}");
    folder.touch("mended");
    // The newest outcome counts, so the day's earlier success does not let the others start.
    assert_eq!(states(&folder, "ordered").iter().filter(|(_, state)| state == "queued").count(), 2);
    folder.ok(&["retry", "backfill__2024-03-03T00:00:00Z__2"]);
    folder.ok(&["resume"]);
    assert!(states(&folder, "ordered").iter().all(|(_, state)| state == "success"), "{:?}", states(&folder, "ordered"));
}

#[test]
fn a_task_that_depends_on_its_past_waits_for_the_day_before_that_is_run_again() {
    let folder = Folder::new();
    folder.ok(&backfill("overlapping", "2024-03-05", &[]));
    let notes = || std::fs::read_to_string(folder.path("notes")).unwrap().replace("2024-03-", "");
    assert_eq!(notes(), "02\n03\n04\n05\n");
    folder.touch("broken");
    let mut serve = folder.serve(&[]);
    folder.ok(&backfill("overlapping", "2024-03-05", &["--reprocess", "all"]));
    serve.wait_for_line("backfill__2024-03-03T00:00:00Z__2/stored  failed");
    std::fs::remove_file(folder.path("broken")).unwrap();
    folder.ok(&["retry", "backfill__2024-03-03T00:00:00Z__2"]);
    serve.wait_for_line("backfill__2024-03-05T00:00:00Z__2 of overlapping: success");
    assert_eq!(notes(), "02\n03\n04\n05\n02\n03\n03\n04\n05\n");
}

#[test]
fn a_day_that_is_cancelled_while_it_is_queued_holds_up_those_after_it() {
    let folder = Folder::new();
    folder.touch("mended");
    folder.touch("hang");
    let mut serve = folder.serve(&[]);
    folder.ok(&backfill("ordered", "2024-03-05", &[]));
    serve.wait_for_line("backfill__2024-03-02T00:00:00Z/delicate  running");
    folder.ok(&["cancel", "backfill__2024-03-03T00:00:00Z"]);
    let state = |day: &str, state: &str| (day.to_owned(), state.to_owned());
    let after = [state("03", "cancelled"), state("04", "queued"), state("05", "queued")];
    assert_eq!(states(&folder, "ordered")[1..], after);
    std::fs::remove_file(folder.path("hang")).unwrap();
    serve.wait_for_line("run backfill__2024-03-02T00:00:00Z of ordered: success");
    // Before it answers, the process has checked which queued runs may start.
    folder.ok(&["trigger", "daily", "--logical-date", "2024-03-01"]);
    assert_eq!(states(&folder, "ordered")[1..], after);
    folder.ok(&["retry", "backfill__2024-03-03T00:00:00Z", "delicate"]);
    serve.wait_for_line("run backfill__2024-03-05T00:00:00Z of ordered: success");
    assert_eq!(serve.ended_by("-TERM"), Some(0));
}

#[test]
fn a_day_that_is_unfinished_in_the_journal_is_resumed_before_those_that_wait_for_it() {
    let folder = Folder::new();
    folder.touch("hang");
    let mut run = folder.start(&["run", "ordered", "--logical-date", "2024-03-01"]);
    run.wait_for_line("delicate  running");
    // Events are printed a moment before they are durable.
    while folder.runs("ordered").is_empty() {}
    run.signal("-KILL");
    run.wait_for_exit();
    std::fs::remove_file(folder.path("hang")).unwrap();
    let said = folder.ok(&["backfill", "ordered", "--from", "2024-03-02", "--to", "2024-03-02"]);
    assert!(said.ends_with("backfill of ordered: 2 success\n"), "{said}");
    let [first, second] = folder.runs("ordered").try_into().unwrap();
    let time = |run: &serde_json::Value, name: &str| run[name].as_str().expect("it has ended").to_owned();
    assert!(time(&first, "finished") <= time(&second, "started"), "{first} {second}");
}

#[test]
fn the_process_that_serves_runs_them() {
    let folder = Folder::new();
    folder.touch("mended");
    let mut serve = folder.serve(&[]);
    let said = folder.ok(&backfill("daily", "2024-03-05", &["--max-active-runs", "2"]));
    assert_eq!(said.trim_end(), "4 intervals of daily are run");
    for day in 2..=5 {
        serve.wait_for_line(&format!("backfill__2024-03-{day:02}T00:00:00Z of daily"));
    }
    let refused = folder.refused(&["backfill", "daily", "--from", "2024-03-05", "--to", "2024-03-02"]);
    assert_eq!(refused.trim_end(), "error: --to: 2024-03-02 is before 2024-03-05, where it begins");
    let refused = folder.refused(&["backfill", "waiting", "--from", "2024-03-05", "--to", "2024-03-06"]);
    assert!(refused.starts_with("error: pipeline `waiting` has no schedule, and so no intervals to run"), "{refused}");
    let refused = folder.refused(&["backfill", "daily", "--from", "2190-03-05", "--to", "2190-03-06"]);
    assert!(refused.starts_with("error: no completed data interval of `daily` starts between"), "{refused}");
    assert_eq!(serve.ended_by("-TERM"), Some(0));
}

#[test]
fn all_runs_of_a_backfill_have_its_params_here_and_in_the_process_that_serves() {
    let folder = Folder::new();
    let notes = || std::fs::read_to_string(folder.path("notes")).unwrap_or_default();
    std::fs::write(folder.path("eu.json"), r#"{"name": "eu", "retries": 3}"#).unwrap();
    folder.ok(&backfill("regional", "2024-03-03", &["--params", "eu.json", "--param", "retries=7"]));
    assert_eq!(notes(), "2024-03-02 eu 7\n2024-03-03 eu 7\n");

    let mut serve = folder.serve(&[]);
    let all = ["--param", "name=us", "--reprocess", "all"];
    assert_eq!(folder.ok(&backfill("regional", "2024-03-03", &all)).trim_end(), "2 intervals of regional are run");
    for day in 2..=3 {
        serve.wait_for_line(&format!("backfill__2024-03-{day:02}T00:00:00Z__2 of regional: success"));
    }
    assert!(notes().ends_with("2024-03-02 us 0\n2024-03-03 us 0\n"), "{}", notes());
    assert_eq!(serve.ended_by("-TERM"), Some(0));
}

#[test]
fn a_param_that_does_not_fit_is_named_before_anything_runs() {
    let folder = Folder::new();
    let refused = |param: &str| folder.refused(&backfill("regional", "2024-03-03", &["--param", param]));
    assert!(refused("retries=many").starts_with("error: --param retries=many: "), "{}", refused("retries=many"));
    assert!(refused("nmae=eu").starts_with("error: --param nmae=eu: "), "{}", refused("nmae=eu"));
    assert!(!folder.path(".pipeline").exists(), "nothing was written");
}

#[test]
fn more_intervals_than_may_be_are_refused() {
    let folder = Folder::new();
    let refused = folder.refused(&["backfill", "minutely", "--from", "2024-01-01", "--to", "2024-06-01"]);
    assert_eq!(refused, "error: more than 100000 intervals start between 2024-01-01 and 2024-06-01: split the backfill\n");
}

#[test]
fn a_day_on_which_several_intervals_start_is_no_logical_date() {
    let folder = Folder::new();
    let several =
        "1440 data intervals of `* * * * *` start on 2024-03-25 in UTC; write `2024-03-25T00:00:00Z`, `2024-03-25T00:01:00Z`";
    for command in ["run", "trigger", "simulate"] {
        let refused = folder.refused(&[command, "minutely", "--logical-date", "2024-03-25"]);
        assert!(refused.starts_with(&format!("error: --logical-date: {several}")), "{refused}");
    }
    // As a bound, a date alone means the whole day.
    let dry = folder.ok(&["backfill", "minutely", "--from", "2024-03-25", "--to", "2024-03-25", "--dry-run"]);
    assert_eq!(dry.lines().count(), 1440);
    assert!(dry.ends_with("2024-03-25T23:59:00Z/2024-03-26T00:00:00Z  would run\n"), "{dry}");
}
