//! Commands beside a process that holds the journal, and without one.

use crate::process::Folder;

const FIRST: &str = "manual__2024-03-01T00:00:00Z";

#[test]
fn a_second_engine_is_refused_and_names_the_first() {
    let folder = Folder::new();
    let serve = folder.serve(&[]);
    let second = folder.refused(&["serve"]);
    let held = format!("error: the journal \".pipeline/journal.db\" is in use by process {} since 20", serve.id());
    assert!(second.starts_with(&held) && second.contains("served-pipelines serve`)"), "{second}");
    let run = folder.refused(&["run", "waiting", "--logical-date", "2024-03-01"]);
    assert!(run.contains("  = help: `trigger waiting --logical-date 2024-03-01` asks that process to run it"), "{run}");
    assert!(folder.refused(&["resume"]).starts_with(&held));
}

#[test]
fn runs_are_triggered_skipped_cancelled_and_retried_in_the_process_that_serves() {
    let folder = Folder::new();
    let mut serve = folder.serve(&[]);
    let trigger = |date: &str| folder.ok(&["trigger", "waiting", "--logical-date", date]);
    assert_eq!(trigger("2024-03-01").trim_end(), format!("run {FIRST} of waiting has started"));
    serve.wait_for_line("/arrival  up_for_reschedule");
    let again = folder.refused(&["trigger", "waiting", "--logical-date", "2024-03-01"]);
    assert!(again.starts_with(&format!("error: run `{FIRST}` of that date is running")), "{again}");
    assert_eq!(folder.ok(&["skip", FIRST, "arrival"]).trim_end(), format!("node arrival of run {FIRST} of waiting is skipped"));
    serve.wait_for_line("/arrival  skipped  it was skipped manually");
    serve.wait_for_line("of waiting: success");
    let skipped = folder.refused(&["skip", FIRST, "arrival"]);
    assert_eq!(skipped.trim_end(), format!("error: run `{FIRST}`: `arrival` cannot be skipped: it is skipped"));
    // An ended run is retried, and cancelled while it waits.
    assert_eq!(folder.ok(&["retry", FIRST, "arrival"]).trim_end(), format!("run {FIRST} of waiting continues"));
    serve.wait_for_line("/arrival  up_for_reschedule");
    assert_eq!(folder.ok(&["cancel", FIRST]).trim_end(), format!("run {FIRST} of waiting is cancelled"));
    serve.wait_for_line("of waiting: cancelled");
    assert_eq!(folder.runs("waiting")[0]["state"], "cancelled");
    let over = folder.refused(&["cancel", FIRST]);
    assert_eq!(over.trim_end(), format!("error: run `{FIRST}`: it has ended: it is cancelled"));
    let unknown = folder.refused(&["cancel", "manual__1999"]);
    assert_eq!(unknown.trim_end(), "error: the journal has no run `manual__1999`; `runs` lists those it has");
}

#[test]
fn a_run_that_waits_for_its_turn_is_cancelled_before_it_begins() {
    let folder = Folder::new();
    let mut serve = folder.serve(&[]);
    for date in ["2024-03-01", "2024-03-02"] {
        folder.ok(&["trigger", "waiting", "--logical-date", date]);
    }
    let second = "manual__2024-03-02T00:00:00Z";
    let refused = folder.refused(&["skip", second, "arrival"]);
    assert_eq!(refused.trim_end(), format!("error: run `{second}`: it waits for its turn: there is nothing to change yet"));
    folder.ok(&["cancel", second]);
    serve.wait_for_line(&format!("run {second} of waiting: cancelled"));
    assert!(!serve.has_printed(&format!("{second}/arrival  running")));
    folder.touch("late.json");
    serve.wait_for_line(&format!("run {FIRST} of waiting: success"));
    assert_eq!(serve.ended_by("-TERM"), Some(0));
}

#[test]
fn a_paused_schedule_starts_nothing_until_it_is_followed_again() {
    let folder = Folder::new();
    // A journal that was served before.
    folder.ok(&["run", "daily", "--logical-date", "2024-03-01"]);
    assert!(folder.ok(&["pause", "minutely"]).starts_with("the schedule of minutely is paused;"));
    let mut serve = folder.start(&["serve"]);
    serve.wait_for_line("serving minutely: paused");
    serve.wait_for_line("serving ordered");
    // A manual run is not affected.
    assert!(folder.ok(&["trigger", "minutely"]).contains("has started"));
    serve.wait_for_line("of minutely: success");
    assert_eq!(folder.ok(&["pause", "minutely"]).trim_end(), "the schedule of minutely was already paused");
    assert!(folder.runs("minutely").iter().all(|run| run["kind"] == "manual"));
    assert_eq!(folder.ok(&["unpause", "minutely"]).trim_end(), "the schedule of minutely is followed again");
    serve.wait_for_line("run scheduled__");
    let none = folder.refused(&["pause", "waiting"]);
    assert!(none.starts_with("error: pipeline `waiting` has no schedule to pause"), "{none}");
}

#[test]
fn without_a_holder_a_command_does_it_itself() {
    let folder = Folder::new();
    let mut run = folder.start(&["run", "waiting", "--logical-date", "2024-03-01"]);
    run.wait_for_line("arrival  up_for_reschedule");
    // A run holds the journal as well, and carries out commands meanwhile.
    let told = folder.ok(&["trigger", "daily", "--logical-date", "2024-03-01"]);
    assert!(told.contains("of daily has started"), "{told}");
    run.wait_for_line(&format!("daily/{FIRST}/delicate  success"));
    assert_eq!(run.ended_by("-INT"), Some(130));
    let skipped = folder.ok(&["skip", &format!("waiting/{FIRST}"), "arrival"]);
    assert!(skipped.contains("run: success"), "{skipped}");
    // Two pipelines have a run with that id.
    let both = folder.refused(&["cancel", FIRST]);
    assert!(both.contains("`daily`, `waiting` have a run") && both.contains("as in `daily/"), "{both}");
    let triggered = folder.ok(&["trigger", "daily", "--logical-date", "2024-03-02"]);
    assert!(triggered.contains("run: success"), "{triggered}");
    let mut run = folder.start(&["run", "busy", "--logical-date", "2024-03-05"]);
    run.wait_for_line("patient  running");
    assert_eq!(run.ended_by("-INT"), Some(130));
    let cancelled = folder.ok(&["cancel", "manual__2024-03-05T00:00:00Z"]);
    assert!(cancelled.contains("run: cancelled") && !cancelled.contains("patient  running"), "{cancelled}");
}
