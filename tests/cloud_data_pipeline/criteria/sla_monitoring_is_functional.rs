use crate::support::{Arrive, seconds, task_2};
use pipeline_examples::cloud_data_pipeline::mock_s3::{CONFIG, CUSTOMERS, TRANSACTIONS, VALIDATION};
use pipeline_runtime::RunState;

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
