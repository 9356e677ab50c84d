//! Tasks that depend on their past: on the same node in the previous scheduled run.

use pipeline_runtime::prelude::*;
use pipeline_runtime::{NodeState, RunKind, RunState, Simulation, group};
use std::time::Duration;

#[task]
async fn extract() -> Result<u64> {
    Ok(7)
}

#[task(depends_on_past = true, retries = 1, retry_delay = "1m")]
async fn load(rows: u64) -> Result<u64> {
    Ok(rows)
}

#[task]
async fn report(rows: u64) -> Result<u64> {
    Ok(rows)
}

#[pipeline(schedule = "@hourly", timeout = "3h")]
fn hourly() {
    report(load(extract()));
}

#[test]
fn a_node_waits_for_itself_in_the_run_before_and_what_is_before_it_does_not() {
    let run = Simulation::new(hourly()).passed_before("40m", "load").run();
    assert_eq!(run.state(), RunState::Success, "{}", run.timeline());
    assert_eq!(run.node("extract").finished(), Some(Duration::ZERO));
    assert_eq!(run.node("load").started(), Some(Duration::from_mins(40)));
    assert_eq!(run.node("load.past").pokes(), 2, "one as the run begins, and one as the other has passed: {}", run.timeline());
}

#[test]
fn it_waits_for_nobody_where_nobody_says_so_and_in_a_run_by_hand() {
    let run = Simulation::new(hourly()).run();
    assert_eq!(run.node("load").started(), Some(Duration::ZERO), "{}", run.timeline());
    let run = Simulation::new(hourly()).kind(RunKind::Manual).passed_before("40m", "load").run();
    assert_eq!(run.node("load").started(), Some(Duration::ZERO), "{}", run.timeline());
}

#[test]
fn a_late_past_a_failure_and_the_timeout_of_the_run_go_together() {
    let run = Simulation::new(hourly()).passed_before("40m", "load").fail("load", 1, "503").run();
    assert_eq!(run.node("load").finished(), Some(Duration::from_mins(41)), "{}", run.timeline());
    let run = Simulation::new(hourly()).passed_before("4h", "load").run();
    assert_eq!(run.state(), RunState::Failed, "{}", run.timeline());
    assert_eq!(run.node("load").state(), NodeState::Skipped, "{}", run.timeline());
    let run = Simulation::new(hourly()).passed_before("4h", "load").skip("20m", "load").run();
    assert_eq!(run.node("report").state(), NodeState::Skipped, "{}", run.timeline());
}

static ONE_AT_A_TIME: Lock = Lock::new("one_at_a_time");

#[pipeline(schedule = "@hourly")]
fn wired_otherwise() {
    let rows = extract();
    load(rows).depends_on_past(false).named("free");
    report(rows).depends_on_past(true).named("bound");
    let inner = group("store", || load(rows).named("inner"));
    let outer = group("all", || {
        group("free", || load(rows)).depends_on_past(false);
        report(rows)
    });
    inner.holding(&ONE_AT_A_TIME);
    outer.depends_on_past(true);
}

#[test]
fn where_it_is_wired_counts_before_its_groups_and_its_attribute() {
    let run = Simulation::new(wired_otherwise())
        .passed_before("1m", "bound")
        .passed_before("2m", "store.inner")
        .passed_before("3m", "all.report")
        .run();
    let started = |node: &str| run.node(node).started().map(|at| at.as_secs() / 60);
    assert_eq!(
        ["free", "bound", "store.inner", "all.free.load", "all.report"].map(started),
        [Some(0), Some(1), Some(2), Some(0), Some(3)],
        "{}",
        run.timeline()
    );
    let refused = Simulation::new(wired_otherwise()).passed_before("1m", "free").try_run().unwrap_err().to_string();
    assert!(refused.starts_with("no node `free` depends on its past; those that do are: `bound`"), "{refused}");
}

#[pipeline(schedule = "@hourly")]
fn locked() {
    let before = extract();
    group("refresh", || {
        report(before);
        load(before);
    })
    .holding(&ONE_AT_A_TIME);
    report(before).named("free");
}

#[test]
fn a_group_takes_its_lock_once_all_in_it_may_go_on() {
    // Otherwise the group would hold the lock while it waits for the previous run, whose group needs it.
    let run = Simulation::new(locked()).passed_before("40m", "refresh.load").run();
    let started = |node: &str| run.node(node).started().map(|at| at.as_secs() / 60);
    assert_eq!(["refresh.report", "refresh.load", "free"].map(started), [Some(40), Some(40), Some(0)], "{}", run.timeline());
}

#[test]
fn a_wait_ends_with_the_node_that_it_is_for() {
    let run = Simulation::new(wired_alone()).passed_before("100h", "load").fail("extract", 1, "503").run();
    assert_eq!((run.state(), run.finished()), (RunState::Failed, Some(Duration::ZERO)), "{}", run.timeline());
    let run = Simulation::new(wired_alone()).passed_before("100h", "load").skip("20m", "load").run();
    assert_eq!((run.state(), run.finished()), (RunState::Success, Some(Duration::from_mins(20))), "{}", run.timeline());
}

#[pipeline(schedule = "@hourly")]
fn wired_alone() {
    report(load(extract()));
}

#[pipeline(schedule = "@hourly")]
fn of_elements() {
    vec![1_u64, 2].each(load);
}

#[test]
fn an_element_has_no_past() {
    let refused = of_elements().check().unwrap_err().to_string();
    assert!(refused.contains("`load` depends on its past, and is repeated by `.each`"), "{refused}");
}

#[pipeline(schedule = "@hourly")]
fn of_a_mapping() {
    vec![1_u64, 2].each(report).depends_on_past(true);
}

#[test]
fn nor_has_a_mapping_and_what_is_advised_is_none_of_its_elements() {
    let refused = of_a_mapping().check().unwrap_err().to_string();
    assert!(refused.contains("`.depends_on_past` cannot be set on the mapping `each(report)`"), "{refused}");
    assert!(refused.contains("= help: set it on the task that returns the list, or on one that takes the results"), "{refused}");
}
