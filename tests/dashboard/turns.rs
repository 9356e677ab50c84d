//! Why a queued run or a due interval has not started: which limit it is, and which runs use it up.

use super::http::Site;
use super::process::Folder;
use serde_json::{Value, json};

pub(crate) const FIRST: &str = "limited/scheduled__2025-12-31T23:00:00Z";
const FAILED: &str = "careful/scheduled__2026-01-01T00:00:00Z";

/// Waits until a run is in a state.
pub(crate) fn is(site: &Site, run: &str, state: &str) -> Value {
    let mut events = site.events("topic=overview", None);
    loop {
        let answer = site.get(&format!("/api/v1/runs/{run}"));
        let told = if answer.status == 200 { answer.json() } else { Value::Null };
        let waits = told["states"]["up_for_reschedule"] == 1;
        if told["run"]["state"] == state && (state != "running" || waits) {
            return told;
        }
        events.next();
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("{value} is not a string"))
}

#[test]
fn a_queued_run_says_which_limit_holds_it_and_which_runs() {
    let folder = Folder::with_limits();
    let shown = folder.serve(&[]);
    let site = shown.site();
    is(&site, FIRST, "running");
    let trigger = json!({ "command": "trigger", "pipeline": "limited", "logical_date": "2026-01-10", "params": {} });
    let run = text(&site.post("/commands", &[], &trigger).json()["run"]).to_owned();
    let why = site.api(&format!("/runs/{run}"))["why"].clone();
    assert_eq!((&why["kind"], &why["runs"]), (&json!("run_queued"), &json!([FIRST])));
    let said = text(&why["text"]);
    let by = "waits for its turn: `max_active_runs = 1`, and `scheduled__2025-12-31T23:00:00Z` has not ended; \
              `scheduled__2025-12-31T23:00:00Z` is active: waits for `arrival` (up_for_reschedule): arrival, next poke ";
    assert!(said.starts_with(by), "{said}");
    // The reason may change with the next poke of the run that blocks it.
    let next = site.api("/sensors")["waiting"][0]["next"].clone();
    assert_eq!(why["changes_at"], next);
    // The command line gives the same reason, apart from the time left.
    let (_, told) = folder.call(&["show", &run]);
    assert!(told.contains(by), "{told}");
    // In a saved page it is queued as well, and none of its nodes waits for anything yet.
    let (_, page) = folder.call(&["show", &run, "--html"]);
    assert!(page.contains(">queued</dd>") && page.contains("waits for its turn: `max_active_runs = 1`"), "{page}");
    assert!(!page.contains("queued in pool") && !page.contains("What it waits for"), "{page}");

    is(&site, FAILED, "failed");
    let backfill = json!({ "command": "backfill", "pipeline": "careful", "from": "2026-01-02", "to": "2026-01-03", "params": {},
        "max_active_runs": null, "reprocess": "none" });
    assert_eq!(site.post("/commands", &[], &backfill).json()["text"], "2 intervals of careful are run");
    let why = |run: &str| site.api(&format!("/runs/careful/{run}"))["why"].clone();
    let held = why("backfill__2026-01-02T00:00:00Z");
    assert_eq!(held["runs"], json!([FAILED]));
    let past = "waits for its turn: `depends_on_past`, and the run of the interval before it, ";
    let failed = format!("{past}`scheduled__2026-01-01T00:00:00Z`, failed: it begins once that interval has a run that succeeds");
    assert_eq!(text(&held["text"]), failed);
    assert!(folder.call(&["show", "backfill__2026-01-02T00:00:00Z"]).1.contains(&failed));
    let next = why("backfill__2026-01-03T00:00:00Z");
    assert_eq!(text(&next["text"]), format!("{past}`backfill__2026-01-02T00:00:00Z`, has not ended"));
    assert_eq!((&next["runs"], &next["changes_at"]), (&json!(["careful/backfill__2026-01-02T00:00:00Z"]), &Value::Null));
    // Without a process both reasons are given.
    shown.kill();
    let beside = folder.dashboard(&[]);
    let said = beside.site().api("/runs/careful/backfill__2026-01-02T00:00:00Z")["why"]["text"].clone();
    assert!(text(&said).starts_with("waits for its turn, and for a process that serves: `depends_on_past`"), "{said}");
}

#[test]
fn an_interval_that_is_due_says_what_holds_it() {
    let folder = Folder::with_limits();
    let shown = folder.serve(&[]);
    let site = shown.site();
    is(&site, FIRST, "running");
    let days = site.api("/calendar/limited?from=2026-01-01&to=2026-01-06")["days"].clone();
    let of = |date: &str| days.as_array().unwrap().iter().find(|day| day["date"] == date).unwrap()["intervals"][0].clone();
    assert_eq!(of("2026-01-01")["held_by"], json!([]));
    let due = of("2026-01-02");
    let limit = "`max_active_runs = 1`, and `scheduled__2025-12-31T23:00:00Z` has not ended; ";
    assert!(text(&due["why"]).starts_with(&format!("due: {limit}")), "{due}");
    assert_eq!((&due["held_by"], due["changes_at"].is_string()), (&json!([FIRST]), true));
    // Dates are in the schedule's zone.
    assert!(text(&of("2026-01-03")["why"]).starts_with(&format!("due after that of 2026-01-02, which comes first: {limit}")));
    assert_eq!(
        (&of("2026-01-05")["held_by"], text(&of("2026-01-05")["why"])),
        (&json!([]), "before `start` or after `end` of the pipeline")
    );

    is(&site, FAILED, "failed");
    let days = site.api("/calendar/careful?from=2026-01-01&to=2026-01-06")["days"].clone();
    let due = days[1]["intervals"][0].clone();
    assert!(text(&due["why"]).starts_with("due: `depends_on_past`, and the run of the interval before it, "), "{due}");
    assert_eq!((&due["held_by"], &due["changes_at"]), (&json!([FAILED]), &Value::Null));
    let overview = site.api("/overview");
    let row = overview["pipelines"].as_array().unwrap().iter().find(|row| row["pipeline"] == "careful").unwrap();
    assert_eq!((&row["why"]["kind"], &row["why"]["runs"]), (&json!("held"), &json!([FAILED])));
    assert!(text(&row["why"]["text"]).starts_with("a run is due: `depends_on_past`"), "{row}");
}

#[test]
fn what_is_late_needs_somebody_and_what_will_be_is_asked_for_in_time() {
    let folder = Folder::with_limits();
    let shown = folder.serve(&[]);
    let site = shown.site();
    let trigger = json!({ "command": "trigger", "pipeline": "late", "logical_date": "2026-01-05", "params": {} });
    let run = text(&site.post("/commands", &[], &trigger).json()["run"]).to_owned();
    is(&site, &run, "running");
    let overview = site.api("/overview");
    let need = overview["needs_you"].as_array().unwrap().iter().find(|need| need["kind"] == "sla_missed").unwrap();
    assert_eq!((&need["run"], &need["node"], &need["until"]), (&json!(run), &json!("hurry"), &Value::Null));
    assert!(text(&need["text"]).starts_with("`hurry` has missed its SLA of 1ms"), "{need}");
    // The next deadline is the run's own, unless it has passed, and then four fifths of the sensor's hour.
    let at = |value: &Value| chrono::DateTime::parse_from_rfc3339(text(value)).unwrap();
    let again = at(&overview["needs_you_again"]);
    let sensors = site.api("/sensors");
    let deadline = sensors["waiting"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|one| one["run"] == json!(run))
        .map(|one| at(&one["deadline"]))
        .next();
    let of_run = at(&site.api(&format!("/runs/{run}"))["run"]["started"]);
    assert!(again >= of_run && again <= deadline.unwrap() - chrono::TimeDelta::minutes(12), "{again} of {sensors}");
}

#[test]
fn a_sensor_says_when_what_it_found_had_arrived() {
    let folder = Folder::with_limits();
    let shown = folder.serve(&[]);
    let site = shown.site();
    let trigger = json!({ "command": "trigger", "pipeline": "filed", "logical_date": "2026-01-05", "params": {} });
    let run = text(&site.post("/commands", &[], &trigger).json()["run"]).to_owned();
    is(&site, &run, "running");
    std::fs::write(folder.path("filed.json"), "{}").unwrap();
    is(&site, &run, "success");
    let sensor = site.api("/sensors/filed?node=file");
    let told = sensor["runs"][0].clone();
    let at = |name: &str| chrono::DateTime::parse_from_rfc3339(text(&told[name])).unwrap();
    assert!(at("started") < at("arrived") && at("arrived") <= at("seen"), "{told}");
    let unseen = told["unseen_ms"].as_f64().unwrap();
    // The kernel's clock for files advances in steps.
    let between = (at("seen") - at("arrived")).as_seconds_f64() * 1_000.0;
    assert!(
        (unseen - between).abs() < 1.0
            && (told["wait_ms"].as_f64().unwrap() - told["arrival_ms"].as_f64().unwrap() - unseen).abs() < 1.0
    );
    assert_eq!((&sensor["unseen_p50_ms"], &sensor["unseen_p95_ms"]), (&told["unseen_ms"], &told["unseen_ms"]));
    assert!(text(&sensor["sentence"]).contains("; once it was there, it was seen within "), "{sensor}");
    // A sensor whose output has no such time has no such figures.
    std::fs::write(folder.path("late.json"), "{}").unwrap();
    let trigger = json!({ "command": "trigger", "pipeline": "waiting", "logical_date": "2026-01-05", "params": {} });
    let run = text(&site.post("/commands", &[], &trigger).json()["run"]).to_owned();
    is(&site, &run, "success");
    let sensor = site.api("/sensors/waiting?node=arrival");
    assert_eq!((&sensor["runs"][0]["arrived"], &sensor["unseen_p50_ms"]), (&Value::Null, &Value::Null));
    assert!(!text(&sensor["sentence"]).contains("it was seen"));
}
