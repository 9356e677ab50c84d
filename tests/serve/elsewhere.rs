//! Where commands look for the journal, and which run of a pipeline is the next.

use crate::process::Folder;
use std::fs;

const FIRST: &str = "manual__2024-03-01T00:00:00Z";

#[test]
fn what_talks_to_a_journal_makes_none() {
    let folder = Folder::new();
    for args in [
        &["pause", "minutely"][..],
        &["unpause", "minutely"],
        &["trigger", "daily", "--logical-date", "2024-03-01"],
        &["cancel", FIRST],
        &["skip", FIRST, "delicate"],
        &["retry", FIRST],
        &["resume"],
        &["runs"],
        &["show", FIRST],
        &["logs", FIRST, "delicate"],
        &["prune", "--older-than", "1s"],
        &["prune", "--older-than", "1s", "--dry-run"],
        &["backup", "copy.db"],
    ] {
        let said = folder.refused(args);
        let looked = format!(
            "error: there is no journal at {:?}; `run` or `serve` creates one there",
            folder.path(".pipeline/journal.db")
        );
        assert!(
            said.starts_with(&looked) && said.contains("`--journal FILE` or the environment variable `PIPELINE_JOURNAL`"),
            "{said}"
        );
    }
    assert!(!folder.path(".pipeline").exists());
    // Commands that run pipelines create it.
    folder.ok(&["backfill", "daily", "--from", "2024-03-01", "--to", "2024-03-01"]);
    assert_eq!(folder.runs("daily").len(), 1);
}

#[test]
fn the_environment_names_the_journal_and_the_option_overrides_it() {
    let folder = Folder::new();
    let named = |variable: &str, args: &[&str]| {
        let output = folder.command(args).env("PIPELINE_JOURNAL", variable).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    named("there.db", &["run", "daily", "--logical-date", "2024-03-01"]);
    assert!(folder.path("there.db").exists() && !folder.path(".pipeline").exists());
    assert!(named("there.db", &["runs"]).contains(FIRST));
    assert!(named("nowhere.db", &["--journal", "there.db", "runs"]).contains(FIRST));
    // An empty variable counts as unset.
    named("", &["run", "daily", "--logical-date", "2024-03-02"]);
    assert!(folder.path(".pipeline/journal.db").exists());
}

#[test]
fn a_date_is_triggered_once_also_where_it_follows_from_the_schedule() {
    let folder = Folder::new();
    let _serve = folder.serve(&[]);
    folder.touch("hang");
    assert!(folder.ok(&["trigger", "daily"]).contains("of daily has started"));
    // At most once, the day may have changed in between.
    let refused = (0..2).map(|_| folder.call(&["trigger", "daily"])).find(|(code, ..)| *code == 2);
    let (_, _, said) = refused.expect("one of them is refused");
    assert!(said.starts_with("error: run `manual__") && said.contains("` of that date is running;"), "{said}");
    // Without a schedule the date is the current time, so each run is another.
    assert!(folder.ok(&["trigger", "waiting"]).contains("of waiting has started"));
    assert!(folder.ok(&["trigger", "waiting"]).contains("of waiting waits for its turn"));
    fs::remove_file(folder.path("hang")).unwrap();
}

#[test]
fn the_list_says_what_is_paused_and_when_the_next_run_is() {
    let folder = Folder::new();
    let listed = |json: bool| folder.ok(if json { &["list", "--json"] } else { &["list"] });
    let objects = || -> Vec<serde_json::Value> { listed(true).lines().map(|line| serde_json::from_str(line).unwrap()).collect() };
    let minutely = &objects()[0];
    assert_eq!((&minutely["pipeline"], &minutely["paused"]), (&"minutely".into(), &false.into()));
    assert_eq!((&minutely["schedule"], &minutely["timezone"]), (&"* * * * *".into(), &"UTC".into()));
    let next = minutely["next_run"].as_str().unwrap();
    assert!(next.ends_with(":00Z") && next.parse::<chrono::DateTime<chrono::Utc>>().is_ok(), "{next}");
    let waiting = objects().swap_remove(1);
    assert!(waiting["schedule"].is_null() && waiting["next_run"].is_null() && waiting["timezone"].is_null(), "{waiting}");
    assert!(!folder.path(".pipeline").exists());
    folder.ok(&["run", "daily", "--logical-date", "2024-03-01"]);
    folder.ok(&["pause", "minutely"]);
    let minutely = objects().swap_remove(0);
    assert!(minutely["paused"] == true && minutely["next_run"].is_null(), "{minutely}");
    let table = listed(false);
    let line = |id: &str| {
        table
            .lines()
            .find(|line| line.starts_with(id))
            .unwrap()
            .split("  ")
            .filter(|cell| !cell.is_empty())
            .nth(2)
            .unwrap()
            .trim()
            .to_owned()
    };
    assert_eq!([line("minutely"), line("waiting"), line("daily")], ["paused", "none", "none: its `end` is past"]);
}

#[test]
fn dates_that_are_not_kept_as_they_are_are_refused() {
    let folder = Folder::new();
    let reason = "is out of range: years run from 1678 to 2261, because times are counted in nanoseconds";
    folder.ok(&["run", "daily", "--logical-date", "2024-03-01"]);
    for date in ["9998-01-01", "2262-04-12", "1600-01-01", "0001-01-01"] {
        for args in [
            &["run", "waiting", "--logical-date", date][..],
            &["trigger", "daily", "--logical-date", date],
            &["simulate", "daily", "--logical-date", date],
            &["backfill", "daily", "--from", date, "--to", date],
        ] {
            let said = folder.refused(args);
            assert!(said.contains(&format!("`{date}` {reason}")), "{args:?}: {said}");
        }
    }
    assert!(folder.runs("waiting").is_empty());
}
