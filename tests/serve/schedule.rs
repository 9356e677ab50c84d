//! What runs by schedule, what a stop leaves, and what the next process does with it.

use crate::process::Folder;

/// The starts and ends of a pipeline's scheduled intervals.
fn intervals(folder: &Folder, pipeline: &str) -> Vec<(String, String)> {
    let text = |run: &serde_json::Value, key: &str| run[key].as_str().expect("it is a date").to_owned();
    let runs = folder.runs(pipeline);
    runs.iter().map(|run| (text(run, "logical_date"), text(run, "data_interval_end"))).collect()
}

#[test]
fn every_tick_is_run_once_also_over_a_restart() {
    let folder = Folder::new();
    for _ in 0..2 {
        let mut serve = folder.serve(&[]);
        for _ in 0..3 {
            serve.wait_for_line("of minutely: success");
        }
        assert_eq!(serve.ended_by("-TERM"), Some(0));
    }
    let intervals = intervals(&folder, "minutely");
    assert!(intervals.len() >= 6, "{intervals:?}");
    // It catches up, so neither the stop nor a slow machine leaves an interval out.
    assert!(intervals.iter().zip(&intervals[1..]).all(|(before, after)| before.1 == after.0), "{intervals:?}");
}

#[test]
fn what_is_under_way_may_end_when_the_process_is_asked_to_and_its_downstream_runs_in_the_next() {
    let folder = Folder::new();
    let mut serve = folder.serve(&[]);
    assert!(folder.ok(&["trigger", "busy", "--logical-date", "2024-03-01"]).contains("has started"));
    serve.wait_for_line("/patient  running");
    serve.signal("-TERM");
    serve.wait_for_line("SIGTERM: nothing more starts; running attempts have 20s to finish");
    folder.touch("go");
    assert_eq!(serve.wait_for_exit().code(), Some(0));
    assert_eq!(folder.runs("busy")[0]["state"], "running");
    let shown = folder.ok(&["show", "manual__2024-03-01T00:00:00Z"]);
    assert!(shown.contains("patient") && shown.contains("success") && !serve.has_printed("/tick  running  2024"), "{shown}");
    let mut next = folder.serve(&[]);
    next.wait_for_line("of busy: success");
    assert!(!next.has_printed("/patient  running"), "it had ended");
    assert_eq!(next.ended_by("-INT"), Some(0));
}

#[test]
fn what_does_not_end_in_time_is_cut_off_and_gone_on_with() {
    let folder = Folder::new();
    let mut serve = folder.serve(&["--drain", "50ms"]);
    folder.ok(&["trigger", "busy", "--logical-date", "2024-03-01"]);
    serve.wait_for_line("/patient  running");
    assert_eq!(serve.ended_by("-TERM"), Some(143));
    assert!(serve.has_printed("run manual__2024-03-01T00:00:00Z of busy is unfinished"));
    folder.touch("go");
    assert!(folder.ok(&["resume"]).contains("resuming run manual__2024-03-01T00:00:00Z"));
    assert!(folder.runs("busy").iter().all(|run| run["state"] == "success"));
}

#[test]
fn a_process_that_was_killed_is_gone_on_with_by_the_next() {
    let folder = Folder::new();
    let mut serve = folder.serve(&[]);
    folder.ok(&["trigger", "waiting", "--logical-date", "2024-03-01"]);
    serve.wait_for_line("/arrival  up_for_reschedule");
    // The second waits for the first, as only one may be active.
    let queued = folder.ok(&["trigger", "waiting", "--logical-date", "2024-03-02", "--param", "key=other.json"]);
    assert_eq!(
        queued.trim_end(),
        "run manual__2024-03-02T00:00:00Z of waiting waits for its turn: 1 run is active, which is the pipeline's \
         `max_active_runs`"
    );
    let shown = folder.ok(&["show", "manual__2024-03-02T00:00:00Z"]);
    assert!(shown.contains("of waiting: queued") && !shown.contains("run: running"), "a queued run is shown as such: {shown}");
    assert_eq!(serve.ended_by("-KILL"), None);
    folder.touch("late.json");
    folder.touch("other.json");
    let mut next = folder.serve(&[]);
    next.wait_for_line("run manual__2024-03-01T00:00:00Z of waiting: success");
    next.wait_for_line("run manual__2024-03-02T00:00:00Z of waiting: success");
    assert!(next.has_printed("resuming run manual__2024-03-01T00:00:00Z"));
    assert_eq!(folder.runs("waiting")[1]["params"]["key"], "other.json");
}

#[test]
fn it_says_which_time_zones_it_goes_by() {
    let folder = Folder::new();
    let mut serve = folder.serve(&[]);
    assert!(serve.has_printed("time zones: 20"));
    assert_eq!(serve.ended_by("-TERM"), Some(0));
}
