//! A single run of the import.

use super::{DAY, berlin, import, options};
use pipeline_examples::retail::domain::DaySales;
use pipeline_examples::retail::import::nightly_import;
use pipeline_runtime::{NodeState, RunState, Secret, Simulation};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

#[test]
fn a_shop_that_is_late_is_waited_for_and_no_receipt_counts_twice() {
    let report = berlin(import(DAY), "38m").run();
    assert_eq!(report.state(), RunState::Success, "{}", report.timeline());
    // Its own sensor pokes every five minutes.
    assert_eq!(report.node("shop_sales[b2]").pokes(), 9);
    assert_eq!(report.node("shop_sales[b2]").finished(), Some(Duration::from_mins(40)));
    let sales = report.output::<DaySales>("publish").unwrap();
    assert_eq!((sales.shops, sales.receipts), (2, 5));
    assert_eq!(sales.sold, super::items([("milk", 3), ("bread", 2), ("tea", 1)]));
}

#[test]
fn a_shop_that_sends_nothing_all_night_is_left_out() {
    let report = import(DAY).run();
    assert_eq!(report.state(), RunState::Success, "{}", report.timeline());
    assert_eq!(report.node("shop_sales[b2]").state(), NodeState::Skipped);
    assert_eq!(report.node("shop_sales[b2]").finished(), Some(Duration::from_hours(4)));
    assert_eq!(report.output::<DaySales>("publish").unwrap().shops, 1);
}

#[test]
fn on_a_sunday_nothing_is_staged_and_nothing_published() {
    let report = import("2026-01-04").run();
    assert_eq!(report.state(), RunState::Success, "{}", report.timeline());
    for node in ["portal_prices", "staging", "publish", "drop_staging"] {
        assert_eq!(report.node(node).state(), NodeState::Skipped, "{node}: {}", report.timeline());
    }
}

#[test]
fn what_is_staged_is_dropped_though_a_file_is_broken() {
    let report = import(DAY).arrive("10m", &format!("memory://retail/raw/{DAY}/b2.csv"), "1;milk").run();
    assert_eq!(report.state(), RunState::Failed, "{}", report.timeline());
    let error = report.node("load[b2]").error().unwrap().to_owned();
    assert!(error.contains("raw/2026-01-05/b2.csv: `1;milk` is not `receipt,item`"), "{error}");
    // One attempt: retries do not fix a file.
    assert_eq!(report.node("load[b2]").attempts(), 1);
    assert_eq!(report.node("load[hh1]").state(), NodeState::Success);
    assert_eq!(report.node("publish").state(), NodeState::UpstreamFailed);
    assert_eq!(report.node("drop_staging").state(), NodeState::Success);
}

#[test]
fn what_is_staged_is_dropped_though_the_run_is_cancelled() {
    let report = import(DAY).cancel("1h").run();
    assert_eq!(report.state(), RunState::Cancelled, "{}", report.timeline());
    assert_eq!(report.node("drop_staging").state(), NodeState::Success);
}

#[test]
fn a_failed_attempt_is_tried_again_after_five_minutes() {
    let report = berlin(import(DAY), "0s").fail("publish", 1, "503").run();
    assert_eq!(report.state(), RunState::Success, "{}", report.timeline());
    assert_eq!(report.node("publish").attempts(), 2);
    assert_eq!(report.node("publish").finished(), Some(Duration::from_mins(5)));
}

/// The program really runs, also in a simulation.
#[test]
fn the_portal_is_given_the_token_and_nothing_else_shows_it() {
    let folder = tempfile::tempdir().unwrap();
    let portal = folder.path().join("portal");
    let script = "#!/bin/sh\n[ \"$PORTAL_TOKEN\" = tk-of-this-test ] || { echo \"who is $PORTAL_TOKEN?\" >&2; exit 100; }\n\
                  echo '{\"items\": {\"milk\": 119}}' >\"$PIPELINE_OUT\"\n";
    fs::write(&portal, script).unwrap();
    fs::set_permissions(&portal, fs::Permissions::from_mode(0o755)).unwrap();
    let token = Secret::env("RETAIL_PORTAL_TOKEN");
    let simulation = |value: &str| {
        let mut options = options();
        options.portal = portal.display().to_string();
        let shops =
            Simulation::new(nightly_import()).params(options).logical_date(DAY).arrive("0s", "memory://retail/shops.json", "[]");
        shops.secret(&token, value).run()
    };
    let report = simulation("tk-of-this-test");
    assert_eq!(report.node("portal_prices").state(), NodeState::Success, "{}", report.timeline());
    let report = simulation("another-token");
    // With exit code 100 the program is not retried.
    assert_eq!(report.node("portal_prices").attempts(), 1);
    let error = report.node("portal_prices").error().unwrap().to_owned();
    assert!(error.contains("who is ***?") && !error.contains("another-token"), "{error}");
}
