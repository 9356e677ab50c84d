//! `/metrics`: what Prometheus reads from a process.

#![allow(clippy::float_cmp, reason = "the counts that are compared are whole numbers")]

use super::http::Site;
use super::process::Folder;
use serde_json::json;
use std::collections::BTreeMap;

/// The samples by name and labels. Checks that the page is in Prometheus's text format.
fn samples(site: &Site) -> BTreeMap<String, f64> {
    let answer = site.get("/metrics");
    assert_eq!((answer.status, answer.header("content-type")), (200, Some("text/plain; version=0.0.4; charset=utf-8")));
    let (mut samples, mut kinds) = (BTreeMap::new(), BTreeMap::new());
    let (mut helped, mut family) = ("", "");
    for line in answer.body.lines() {
        if let Some(help) = line.strip_prefix("# HELP ") {
            helped = help.split_once(' ').expect("a family says what it is").0;
        } else if let Some(of) = line.strip_prefix("# TYPE ") {
            let (name, kind) = of.split_once(' ').unwrap();
            assert_eq!(name, helped, "{line}");
            assert!(kinds.insert(name, kind).is_none(), "{name} is there twice");
            assert_eq!(kind == "counter", name.ends_with("_total"), "{line}");
            family = name;
        } else {
            let (name, value) = line.rsplit_once(' ').unwrap();
            let bare = name.split('{').next().unwrap();
            let suffix = bare.strip_prefix(family).unwrap_or_else(|| panic!("{line} is under {family}"));
            let suffixes: &[&str] = if kinds[family] == "histogram" { &["_bucket", "_sum", "_count"] } else { &[""] };
            assert!(suffixes.contains(&suffix), "{line}");
            assert!(samples.insert(name.to_owned(), value.parse().unwrap()).is_none(), "{name} is there twice");
        }
    }
    samples
}

fn is_counter(name: &str) -> bool {
    let bare = name.split('{').next().unwrap_or_default();
    bare.ends_with("_total") || bare.ends_with("_bucket") || bare.ends_with("_sum") || bare.ends_with("_count")
}

#[test]
fn counters_are_of_the_process_and_only_grow() {
    let folder = Folder::filled();
    let shown = folder.serve(&[]);
    let site = shown.site();
    // The counters start with this process, so earlier runs do not count.
    let failed = r#"pipeline_runs_total{pipeline="parted",kind="manual",state="failed"}"#;
    let first = samples(&site);
    assert_eq!(first.get(failed), None);
    let mut stream = site.events("topic=run/parted/manual__2026-03-01T00:00:00Z", None);
    let params = json!({ "parts": 3, "fails": true, "label": "", "limit": null });
    let trigger = json!({ "command": "trigger", "pipeline": "parted", "logical_date": "2026-03-01", "params": params });
    assert_eq!(site.post("/commands", &[], &trigger).status, 200);
    while site.api("/runs/parted/manual__2026-03-01T00:00:00Z")["run"]["state"] != "failed" {
        stream.of("run");
    }
    let then = samples(&site);
    let count = |name: &str| then.get(name).copied().unwrap_or_default() - first.get(name).copied().unwrap_or_default();
    assert_eq!(count(failed), 1.0);
    // `parts`, three of `upload`, and `publish` twice; the pipeline's schedule may have started more.
    assert!(count("pipeline_starts_total") >= 6.0 && count("pipeline_retries_total") >= 1.0, "{then:?}");
    assert!(count("pipeline_failures_total") >= 1.0 && count("pipeline_journal_log_lines_total") >= 5.0, "{then:?}");
    assert_eq!(then["pipeline_starts_total"], then[r#"pipeline_journal_records_total{record="started"}"#]);
    assert!(count("pipeline_journal_commits_total") >= 1.0, "{then:?}");
    assert_eq!(then["pipeline_journal_commits_total"], then["pipeline_journal_commit_seconds_count"]);
    assert_eq!(then["pipeline_journal_commit_seconds_count"], then[r#"pipeline_journal_commit_seconds_bucket{le="+Inf"}"#]);
    for (name, before) in first.iter().filter(|(name, _)| is_counter(name)) {
        assert!(then[name] >= *before, "{name}");
    }
    assert!(then[r#"pipeline_next_tick_seconds{pipeline="parted"}"#] > 0.0, "{then:?}");
}

#[test]
fn a_page_that_runs_nothing_says_how_things_are() {
    let folder = Folder::filled();
    let shown = folder.dashboard(&[]);
    let samples = samples(&shown.site());
    assert!(!samples.keys().any(|name| is_counter(name)), "{samples:?}");
    assert_eq!(samples[r#"pipeline_runs_active{pipeline="parted"}"#], 0.0);
    assert_eq!(
        (samples["pipeline_callbacks_due"], samples["pipeline_inbox_waiting"], samples["pipeline_runs_blocked"]),
        (0.0, 0.0, 0.0)
    );
    assert!(samples["pipeline_journal_bytes"] > 0.0);
}

#[test]
fn who_waits_is_counted_by_pool_and_pipeline() {
    let folder = Folder::filled();
    let shown = folder.serve(&[]);
    let site = shown.site();
    let trigger = json!({ "command": "trigger", "pipeline": "waiting", "logical_date": "2026-03-01", "params": null });
    assert_eq!(site.post("/commands", &[], &trigger).status, 200);
    let mut stream = site.events("topic=run/waiting/manual__2026-03-01T00:00:00Z", None);
    while site.api("/sensors")["count"] == 0 {
        stream.of("run");
    }
    assert_eq!(samples(&site)[r#"pipeline_sensors_waiting{pipeline="waiting"}"#], 1.0);
    let waiting = &site.api("/sensors")["waiting"][0];
    assert_eq!((&waiting["node"], waiting["left_ms"].as_f64().is_some_and(|left| left > 0.0)), (&json!("arrival"), true));
    let pools = site.api("/pools");
    assert_eq!((&pools["pools"][0]["in_use"], &pools["pools"][0]["waiting"]), (&json!(0), &json!(0)), "{pools}");
}
