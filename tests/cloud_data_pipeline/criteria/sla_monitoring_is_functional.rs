use crate::figures::figure;
use crate::support::{Arrive, callback_times, seconds, task_2, task_3};
use pipeline_examples::cloud_data_pipeline::mock_s3::{CONFIG, CRITICAL_DATA, CUSTOMERS, TRANSACTIONS, VALIDATION};
use pipeline_runtime::{CallbackReport, RunReport, RunState};

#[test]
fn a_run_that_takes_longer_than_20_minutes_misses_it_once_while_it_still_waits() {
    let report = task_2().file("0s", CONFIG).file("0s", TRANSACTIONS).file("0s", CUSTOMERS).file("22m", VALIDATION).run();
    assert_eq!(report.state(), RunState::Success, "a miss is no failure\n{}", report.timeline());
    let callbacks = report.callbacks();
    let [miss] = callbacks.as_slice() else { panic!("{}", report.timeline()) };
    assert_eq!((miss.name(), miss.node(), miss.at(), miss.told()), ("on_sla_miss", None, seconds(1200), Some(seconds(1200))));
}

#[test]
fn a_run_that_ends_in_time_does_not() {
    let report = task_2().file("0s", CONFIG).file("0s", TRANSACTIONS).file("0s", CUSTOMERS).file("19m", VALIDATION).run();
    assert_eq!(report.state(), RunState::Success, "{}", report.timeline());
    assert!(report.callbacks().is_empty());
}

/// The recipients of task 3's escalation, in order.
fn ladder(report: &RunReport) -> String {
    let rung = |callback: &CallbackReport<'_>| {
        let who = callback.notifier().rsplit("::").next().unwrap().to_owned();
        assert_eq!((callback.name(), callback.node(), callback.told()), ("on_sla_miss", None, Some(callback.at())));
        format!("{who} at {} s", callback.at().as_secs())
    };
    let misses = report.callbacks().into_iter().filter(|callback| callback.name() == "on_sla_miss");
    misses.map(|miss| rung(&miss)).collect::<Vec<_>>().join(", ")
}

#[test]
fn the_longer_task_3_takes_the_more_people_are_told() {
    let report = task_3().run();
    assert_eq!(report.state(), RunState::Failed);
    figure!(ladder(&report));
}

#[test]
fn nobody_is_told_who_stands_above_the_rung_that_was_reached() {
    let report = task_3().file("50m", CRITICAL_DATA).run();
    assert_eq!(report.state(), RunState::Success, "a miss is no failure\n{}", report.timeline());
    figure!(format!("there at 3000 s: {}", ladder(&report)));
}

#[test]
fn task_3_in_time_tells_of_its_success_alone() {
    let report = task_3().file("40m", CRITICAL_DATA).run();
    assert_eq!(report.state(), RunState::Success, "{}", report.timeline());
    figure!(format!("there at 2400 s: {}", callback_times(&report)));
}
