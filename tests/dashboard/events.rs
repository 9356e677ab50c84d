//! What changes is told as it changes, and what was missed, once.

use super::process::Folder;
use serde_json::json;

#[test]
fn a_run_is_followed_to_its_end_and_a_page_that_slept_misses_nothing() {
    let folder = Folder::filled();
    let shown = folder.serve(&[]);
    let site = shown.site();
    let trigger = json!({ "command": "trigger", "pipeline": "waiting", "logical_date": "2026-01-05", "params": {} });
    let done = site.post("/commands", &[], &trigger);
    assert_eq!(done.status, 200, "{}", done.body);
    let run = "waiting/manual__2026-01-05T00:00:00Z";
    let topics = format!("topic=run/{run}&topic=acts");
    let mut events = site.events(&topics, None);
    assert_eq!(events.next().name, "hello");
    // What there is already is told at once.
    let mut last = events.of("run");
    while !last.data["position"].as_str().unwrap().contains("running") {
        last = events.of("run");
    }
    let why = site.api(&format!("/runs/{run}"))["why"].clone();
    assert_eq!((&why["kind"], &why["root"]["node"]), (&json!("upstreams"), &json!("arrival")), "{why}");
    assert!(why["changes_at"].is_string());
    let sensors = site.api("/sensors");
    assert_eq!((&sensors["waiting"][0]["node"], &sensors["waiting"][0]["run"]), (&json!("arrival"), &json!(run)));
    // The file arrives: a change wakes the sensor.
    std::fs::write(folder.path("late.json"), "{}").unwrap();
    let skip = json!({ "command": "skip", "run": run, "node": "arrival" });
    assert_eq!(site.post("/commands", &[], &skip).status, 200);
    while !last.data["position"].as_str().unwrap().contains("success") {
        last = events.of("run");
    }
    drop(events);
    // A page that comes back with where it was hears nothing that it knows.
    let acts = site.events(&topics, Some(&last.id)).next();
    assert_eq!(acts.name, "hello");
    assert_eq!(site.get("/api/v1/events?topic=nothing").status, 400);
    assert_eq!(site.get("/api/v1/events").status, 400);
}
