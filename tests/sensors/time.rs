use chrono::{DateTime, Utc};
use pipeline_runtime::prelude::*;
use pipeline_runtime::sensors::time_reached;
use pipeline_runtime::{NodeState, Simulation};
use std::time::Duration;

#[pipeline(schedule = "@daily")]
fn opens() {
    time_reached(template!("{{ data_interval_end | ds }}T05:30:00Z")).named("open").poke(Duration::from_mins(30));
    time_reached(template!("{{ data_interval_start }}")).named("past");
    time_reached("2024-03-26T01:00+01:00").named("offset");
    time_reached(template!("{{ data_interval_end | ds }}T09:00[America/Toronto]")).named("local");
    time_reached("2024-03-26T09:00[America/Torronto]").named("nowhere").retries(3).allow_failure();
    time_reached("half past five").named("unreadable").retries(3).allow_failure();
}

#[test]
fn a_time_is_reached_when_it_is_that_late() {
    let report = Simulation::new(opens()).logical_date("2024-03-25").run();
    let open = report.node("open");
    // It is not poked between its first poke and that time.
    assert_eq!((open.pokes(), open.finished()), (2, Some(Duration::from_mins(330))));
    // In summer time.
    let local = report.node("local");
    assert_eq!((local.pokes(), local.finished()), (2, Some(Duration::from_hours(13))));
    assert!(report.node("nowhere").error().unwrap().contains("America/Torronto"), "{:?}", report.node("nowhere").error());
    assert_eq!(report.output::<DateTime<Utc>>("open").unwrap().to_rfc3339(), "2024-03-26T05:30:00+00:00");
    assert_eq!((report.node("past").pokes(), report.node("offset").pokes()), (1, 1));
    let unreadable = report.node("unreadable");
    assert_eq!((unreadable.state(), unreadable.attempts()), (NodeState::Failed, 1));
    assert!(unreadable.error().unwrap().contains("half past five"), "{:?}", unreadable.error());
}
