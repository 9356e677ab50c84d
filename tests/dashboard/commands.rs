//! Commands: previewed, done once, or refused with a reason.

use super::process::Folder;
use super::turns::{self, FIRST};
use serde_json::json;

const BAD: &str = "parted/manual__2026-01-06T00:00:00Z";

#[test]
fn a_dry_run_says_what_will_happen_and_writes_nothing() {
    let folder = Folder::filled();
    let shown = folder.dashboard(&[]);
    let site = shown.site();
    let before = site.api("/acts");
    let dry = |command: &serde_json::Value| site.post("/commands?dry_run=true", &[], command).json();
    let retry = dry(&json!({ "command": "retry", "run": BAD, "nodes": [], "downstream": false }));
    assert_eq!(retry["nodes"], json!([{ "node": "publish", "from": "failed", "to": "runs again" }]));
    assert_eq!((&retry["possible"], retry["why_not"].as_str().unwrap().contains("no process")), (&json!(false), true));
    let backfill = json!({ "command": "backfill", "pipeline": "parted", "from": "2026-01-04", "to": "2026-01-06", "params": {},
        "max_active_runs": null, "reprocess": "failed" });
    let taken: Vec<bool> =
        dry(&backfill)["intervals"].as_array().unwrap().iter().map(|interval| interval["taken"].as_bool().unwrap()).collect();
    assert_eq!(taken, [true, false, true]);
    // The interval that would run again is shown with the state of its run.
    let had = &dry(&backfill)["intervals"][2];
    assert_eq!((&had["state"], &had["run"]), (&json!("failed"), &json!("manual__2026-01-06T00:00:00Z")));
    let trigger = json!({ "command": "trigger", "pipeline": "parted", "logical_date": null, "params": { "parts": 2 } });
    assert!(dry(&trigger)["will"].as_str().unwrap().starts_with("starts a run of parted with 3 nodes"), "{}", dry(&trigger));
    let of_date = |date: &str| {
        let trigger = json!({ "command": "trigger", "pipeline": "parted", "logical_date": date, "params": {} });
        dry(&trigger)["will"].as_str().unwrap().split_once("for ").unwrap().1.to_owned()
    };
    assert_eq!(
        of_date("2026-01-05"),
        "the data interval 2026-01-05 00:00 +00:00 – 2026-01-06 00:00 +00:00; this date already has a run: \
         `manual__2026-01-05T00:00:00Z` is success"
    );
    assert!(of_date("2025-12-30").ends_with("2025-12-31 00:00 +00:00; that is before its `start`, 2026-01-01"));
    assert!(of_date("2100-12-30").ends_with("2100-12-31 00:00 +00:00; that is in the future"));
    assert_eq!(site.api("/acts"), before);
    for (command, status, said) in [
        (json!({ "command": "retry", "run": "parted/none", "nodes": [], "downstream": false }), 404, "none"),
        (json!({ "command": "retry", "run": BAD, "nodes": ["nope"], "downstream": false }), 409, "it has no node `nope`"),
        (json!({ "command": "cancel", "run": BAD }), 409, "it has ended"),
        (
            json!({ "command": "trigger", "pipeline": "parted", "logical_date": null, "params": { "part": 2 } }),
            409,
            "no param `part`",
        ),
        (json!({ "command": "trigger", "pipeline": "gone", "logical_date": null, "params": {} }), 409, "no pipeline `gone`"),
        (json!({ "command": "dance" }), 400, "dance"),
        // Without its misspelt date it would be a run of another day.
        (json!({ "command": "trigger", "pipeline": "parted", "date": "2026-01-05", "params": {} }), 400, "`logical_date`"),
        (json!({ "command": "prune", "older_than": { "secs": 0, "nanos": 0 } }), 400, "`prune`"),
    ] {
        let answer = site.post("/commands?dry_run=true", &[], &command);
        assert_eq!(answer.status, status, "{command}: {}", answer.body);
        assert!(answer.json()["detail"].as_str().unwrap().contains(said), "{command}: {}", answer.body);
    }
    // There is no process that would carry it out.
    let refused = site.post("/commands", &[], &json!({ "command": "pause", "pipeline": "parted", "paused": true }));
    assert_eq!(
        (refused.status, refused.json()["detail"].as_str().unwrap().contains("no process holds the journal")),
        (409, true)
    );
}

#[test]
fn what_is_asked_for_is_done_once_and_kept_with_who_asked() {
    let folder = Folder::filled();
    let shown = folder.serve(&[]);
    let site = shown.site();
    let pause = json!({ "command": "pause", "pipeline": "parted", "paused": true });
    let once = site.post("/commands", &[("idempotency-key", "k1")], &pause);
    assert_eq!((once.status, once.json()["done"].as_bool()), (200, Some(true)), "{}", once.body);
    // Sent again, it gets the same answer, and there is no second act.
    assert_eq!(site.post("/commands", &[("idempotency-key", "k1")], &pause).body, once.body);
    let acts = site.api("/acts")["acts"].clone();
    let pauses: Vec<_> = acts.as_array().unwrap().iter().filter(|act| act["command"] == "pause parted").collect();
    assert_eq!((pauses.len(), pauses[0]["who"].as_str()), (1, Some("ada")));
    assert_eq!(site.api("/overview")["pipelines"][0]["why"]["kind"], "paused");
    // Exactly what was previewed is done, or nothing.
    let backfill = json!({ "command": "backfill", "pipeline": "parted", "from": "2026-01-07", "to": "2026-01-08", "params": {},
        "max_active_runs": null, "reprocess": "none" });
    let hash = site.post("/commands?dry_run=true", &[], &backfill).json()["hash"].clone();
    let mut with_hash = backfill.clone();
    with_hash["hash"] = hash;
    let done = site.post("/commands", &[], &with_hash);
    assert_eq!((done.status, done.json()["text"].as_str()), (200, Some("2 intervals of parted are run")), "{}", done.body);
    let again = site.post("/commands", &[], &with_hash);
    assert_eq!((again.status, again.json()["detail"].as_str().unwrap().contains("has changed since the preview")), (409, true));
    assert_eq!(shown.end(), Some(0));
}

#[test]
fn what_is_only_to_look_at_is_not_changed() {
    let folder = Folder::filled();
    let shown = folder.dashboard(&["--read-only"]);
    let site = shown.site();
    let pause = json!({ "command": "pause", "pipeline": "parted", "paused": true });
    let answer = site.post("/commands", &[], &pause);
    assert_eq!((answer.status, answer.json()["detail"].as_str().unwrap().contains("--read-only")), (405, true));
    let overview = site.api("/overview");
    assert_eq!(overview["read_only"], true);
}

#[test]
fn what_is_asked_of_all_runs_of_a_filter_is_shown_then_done_for_each() {
    let folder = Folder::filled();
    let shown = folder.serve(&[]);
    let site = shown.site();
    let waits = |day| json!({ "command": "trigger", "pipeline": "waiting", "logical_date": day, "params": {} });
    for day in ["2026-01-05", "2026-01-06", "2026-01-07"] {
        assert_eq!(site.post("/commands", &[], &waits(day)).status, 200);
    }
    // The preview of a trigger is refused as the trigger would be.
    let again = site.post("/commands?dry_run=true", &[], &waits("2026-01-05"));
    assert_eq!((again.status, again.json()["detail"].as_str().unwrap().contains("manual__2026-01-05T00:00:00Z")), (409, true));
    let cancel = json!({ "command": "cancel_all", "pipeline": "waiting", "state": "", "kind": "manual", "since": "1d" });
    let dry = site.post("/commands?dry_run=true", &[], &cancel).json();
    let meant: Vec<&str> = dry["runs"].as_array().unwrap().iter().map(|run| run["run"].as_str().unwrap()).collect();
    let of = |day| format!("waiting/manual__2026-01-{day}T00:00:00Z");
    assert_eq!(meant, [of("07"), of("06"), of("05")]);
    assert_eq!(
        (&dry["possible"], &dry["will"]),
        (&json!(true), &json!("cancels 3 runs (pipeline `waiting`, kind `manual`, since `1d`): running attempts are cut off"))
    );
    // Exactly what was previewed is done, or nothing.
    assert_eq!(site.post("/commands", &[], &waits("2026-01-08")).status, 200);
    let mut with_hash = cancel.clone();
    with_hash["hash"] = dry["hash"].clone();
    let refused = site.post("/commands", &[], &with_hash);
    assert_eq!(
        (refused.status, refused.json()["detail"].as_str().unwrap().contains("has changed since the preview")),
        (409, true)
    );
    with_hash["hash"] = site.post("/commands?dry_run=true", &[], &cancel).json()["hash"].clone();
    let done = site.post("/commands", &[("idempotency-key", "all")], &with_hash);
    assert_eq!((done.status, done.json()["text"].as_str()), (200, Some("4 of 4 runs are cancelled")), "{}", done.body);
    // Sent again, it gets the same answer; each run has its own act.
    assert_eq!(site.post("/commands", &[("idempotency-key", "all")], &with_hash).body, done.body);
    let acts = site.api("/acts")["acts"].clone();
    let cancels = acts.as_array().unwrap().iter().filter(|act| act["command"].as_str().unwrap().starts_with("cancel ")).count();
    assert_eq!(cancels, 4);
    let states = site.api("/runs?pipeline=waiting")["runs"].clone();
    assert!(states.as_array().unwrap().iter().all(|run| run["state"] == "cancelled"), "{states}");
    // Only failed runs are retried, even if the filter matches others.
    let retry = |state: &str| json!({ "command": "retry_all", "pipeline": "parted", "state": state });
    let dry = |state| site.post("/commands?dry_run=true", &[], &retry(state)).json();
    assert_eq!(dry("")["runs"], json!([{ "run": BAD, "state": "failed" }]));
    assert_eq!((&dry("success")["runs"], &dry("success")["possible"]), (&json!([]), &json!(false)));
    // Without its misspelt filter a command would apply to all runs.
    for misspelt in [json!({ "command": "cancel_all", "pipelin": "parted" }), json!({ "command": "retry_all", "run": BAD })] {
        let answer = site.post("/commands", &[], &misspelt);
        assert_eq!((answer.status, answer.json()["detail"].as_str().unwrap().contains("unknown field")), (400, true));
    }
    let gone = site.post("/commands?dry_run=true", &[], &json!({ "command": "cancel_all", "pipeline": "sold" })).json();
    assert_eq!(gone["will"], "does nothing: neither the program nor its journal has a pipeline `sold`");
    let deep = site.post("/commands?dry_run=true", &[], &json!({ "command": "retry_all", "downstream": true })).json();
    assert_eq!(
        deep["will"],
        "runs the failed and interrupted nodes of 5 runs of all pipelines again, and everything downstream of them"
    );
    let wrong = site.post("/commands?dry_run=true", &[], &retry("sideways"));
    assert_eq!((wrong.status, wrong.json()["detail"].as_str().unwrap().contains("no state `sideways`")), (400, true));
    assert_eq!(shown.end(), Some(0));
}

#[test]
fn whoever_hangs_up_and_asks_again_by_the_same_key_is_answered_for_what_was_done_once() {
    let folder = Folder::filled();
    let shown = folder.serve(&[]);
    let site = shown.site();
    // More runs than are started at once, so that it takes a while.
    let backfill = json!({ "command": "backfill", "pipeline": "parted", "from": "2025-10-01", "to": "2025-12-09",
        "params": { "fails": true }, "max_active_runs": null, "reprocess": "none" });
    let answer = site.post("/commands", &[], &backfill);
    assert_eq!(answer.json()["text"], "70 intervals of parted are run", "{}", answer.body);
    let mut events = site.events("topic=overview", None);
    while site.api("/runs?kind=backfill&state=failed&limit=100")["runs"].as_array().unwrap().len() < 70 {
        events.next();
    }
    let (retry, key) =
        (json!({ "command": "retry_all", "pipeline": "parted", "kind": "backfill" }), [("idempotency-key", "once")]);
    let retried = || {
        let acts = site.api("/acts?limit=1000")["acts"].clone();
        acts.as_array().unwrap().iter().filter(|act| act["command"].as_str().unwrap().starts_with("retry ")).count()
    };
    let asked = site.post_and_wait("/commands", &key, &retry);
    while retried() == 0 {
        events.next();
    }
    drop(asked);
    let done = site.post("/commands", &key, &retry);
    assert_eq!(done.json()["text"], "70 of 70 runs continue", "{}", done.body);
    assert_eq!(retried(), 70);
    assert_eq!(shown.end(), Some(0));
}

#[test]
fn what_is_blocked_is_cancelled_with_all_others() {
    let folder = Folder::with_limits();
    let shown = folder.serve(&[]);
    turns::is(&shown.site(), FIRST, "running");
    assert_eq!(shown.end(), Some(0));
    // A program without the pipeline cannot resume its run.
    let folder = folder.without_limits();
    let shown = folder.serve(&[]);
    let site = shown.site();
    turns::is(&site, FIRST, "blocked");
    let cancel = json!({ "command": "cancel_all", "pipeline": "limited" });
    let dry = site.post("/commands?dry_run=true", &[], &cancel).json();
    assert_eq!(dry["runs"][0], json!({ "run": FIRST, "state": "blocked" }), "{dry}");
}
