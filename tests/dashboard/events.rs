//! Changes are streamed as they happen, and missed ones are sent once; also that a process died.

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
    assert_eq!(done.json()["run"], run);
    let topics = format!("topic=run/{run}&topic=acts");
    let mut events = site.events(&topics, None);
    assert_eq!(events.next().name, "hello");
    // What has already happened is sent at once.
    let mut last = events.of("run");
    while !last.data["position"].as_str().unwrap().contains("running") {
        last = events.of("run");
    }
    let why = site.api(&format!("/runs/{run}"))["why"].clone();
    assert_eq!((&why["kind"], &why["root"]["node"]), (&json!("upstreams"), &json!("arrival")), "{why}");
    assert!(why["changes_at"].is_string());
    let sensors = site.api("/sensors");
    assert_eq!((&sensors["waiting"][0]["node"], &sensors["waiting"][0]["run"]), (&json!("arrival"), &json!(run)));
    assert_eq!(sensors["waiting"][0]["looks"], "late.json");
    // The file arrives, and the change wakes the sensor.
    std::fs::write(folder.path("late.json"), "{}").unwrap();
    let skip = json!({ "command": "skip", "run": run, "node": "arrival" });
    assert_eq!(site.post("/commands", &[], &skip).status, 200);
    while !last.data["position"].as_str().unwrap().contains("success") {
        last = events.of("run");
    }
    drop(events);
    // A page that reconnects with its last id gets nothing that it has already had.
    let acts = site.events(&topics, Some(&last.id)).next();
    assert_eq!(acts.name, "hello");
    assert_eq!(site.get("/api/v1/events?topic=nothing").status, 400);
    assert_eq!(site.get("/api/v1/events").status, 400);
}

#[test]
fn of_the_events_of_one_look_the_last_alone_says_where_that_was() {
    let folder = Folder::filled();
    let shown = folder.dashboard(&[]);
    let topics = ["run/parted/manual__2026-01-05T00:00:00Z", "overview", "run/parted/manual__2026-01-06T00:00:00Z", "acts"];
    let query = topics.map(|topic| format!("topic={topic}")).join("&");
    let mut events = shown.site().events(&query, None);
    assert_eq!(events.next().name, "hello");
    let told = topics.map(|_| events.next());
    let of = |event: &super::http::Event| event.data["topic"].as_str().unwrap().to_owned();
    assert_eq!(told.each_ref().map(of), topics);
    // If the connection breaks before the last of them, all of them are sent again.
    assert_eq!(told.each_ref().map(|event| event.id.is_empty()), [true, true, true, false]);
    let mut again = shown.site().events(&query, Some(&told[2].id));
    assert_eq!(again.next().name, "hello");
    assert_eq!(of(&again.next()), topics[0]);
}

#[test]
fn that_a_process_died_is_told_although_it_committed_nothing() {
    let folder = Folder::filled();
    let (serve, beside) = (folder.serve(&[]), folder.dashboard(&[]));
    let mut events = beside.site().events("topic=overview", None);
    events.of("overview");
    assert!(beside.site().api("/overview")["holder"].is_object());
    serve.kill();
    while beside.site().api("/overview")["holder"].is_object() {
        events.of("overview");
    }
}
