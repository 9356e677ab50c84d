//! A run as of a record is what the records up to it tell.

use super::http::Site;
use super::process::Folder;
use serde_json::Value;

const RUN: &str = "/runs/parted/manual__2026-01-06T00:00:00Z";

/// The state of a node after a record, if the record sets one.
fn state_after(what: &str) -> Option<&'static str> {
    Some(match what {
        "started" => "running",
        "retrying" => "up_for_retry",
        "succeeded" => "success",
        "failed" => "failed",
        _ => return None,
    })
}

#[test]
fn each_record_is_a_moment_that_can_be_seen() {
    let folder = Folder::filled();
    let shown = folder.dashboard(&[]);
    let site = shown.site();
    let records = site.api(&format!("{RUN}/records"));
    let last = records["last"].as_i64().unwrap();
    let mut states = std::collections::BTreeMap::new();
    for record in records["records"].as_array().unwrap() {
        let number = record["number"].as_i64().unwrap();
        if let (Some(node), Some(state)) = (record["node"].as_str(), record["what"].as_str().and_then(state_after)) {
            states.insert(node.to_owned(), state);
        }
        let rows = site.api(&format!("{RUN}/nodes?open=*&record={number}"));
        for row in rows["rows"].as_array().unwrap().iter().filter(|row| row["elements"] == Value::Null) {
            let node = row["node"].as_str().unwrap();
            let expected = states.get(node).copied().unwrap_or("none");
            // A node whose mapping has no elements yet has no row.
            assert_eq!(row["state"], expected, "{node} after record {number}");
        }
        let run = site.api(&format!("{RUN}?record={number}"));
        assert_eq!((run["records"]["at"].as_i64(), run["records"]["last"].as_i64()), (Some(number), Some(last)));
        assert_eq!(run["as_of"], record["at"], "record {number}");
        let is_over = number >= last || record["what"] == "run_ended";
        assert_eq!(run["run"]["state"] == "failed", is_over, "record {number}");
    }
}

#[test]
fn a_retry_by_hand_says_nothing_of_what_was_before_it() {
    let folder = Folder::filled();
    let kept = folder.dashboard(&[]);
    let last = kept.site().api(RUN)["records"]["last"].as_i64().unwrap();
    // As of each record: on a page that has read all of them before, and on one that has read none.
    let rows = |site: &Site, record: i64| {
        (
            site.api(&format!("{RUN}/nodes?open=*&record={record}"))["rows"].clone(),
            site.api(&format!("{RUN}?record={record}"))["totals"].clone(),
        )
    };
    let before: Vec<_> = (0..=last).map(|record| rows(&kept.site(), record)).collect();
    assert_eq!(folder.call(&["retry", "manual__2026-01-06T00:00:00Z", "parts", "--downstream"]).0, Some(1));
    let run = kept.site().api(RUN);
    let now = run["records"]["last"].as_i64().unwrap();
    assert!(now > last && run["records"]["at"] == now && run["records"]["reading"] == false, "{run}");
    let fresh = folder.dashboard(&[]);
    for record in (0..=now).rev() {
        let told = rows(&kept.site(), record);
        assert_eq!(told, rows(&fresh.site(), record), "record {record}");
        if let Some(before) = usize::try_from(record).ok().and_then(|record| before.get(record)) {
            assert_eq!(&told, before, "record {record}");
        }
    }
    // A partial answer says that it is partial.
    let part = fresh.site().api(&format!("{RUN}?within=0"));
    assert_eq!(part["records"]["reading"] == true, part["records"]["at"].as_i64() < part["records"]["last"].as_i64(), "{part}");
}
