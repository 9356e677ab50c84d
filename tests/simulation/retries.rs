//! Retries of tasks, and their exact delays.

use super::tasks::*;
use pipeline_runtime::NodeState::{Failed, Skipped, Success};
use pipeline_runtime::prelude::*;
use pipeline_runtime::{Backoff, Pipeline, RunReport, Simulation, TaskError};

async fn hear(_: Notification) {}

#[task(on_retry = hear)]
async fn bad() -> Result<u64> {
    Err("503".into())
}

/// When the attempts of `bad` ended, which is also when they started.
fn attempts(report: &RunReport) -> Vec<u64> {
    let mut times = callback_times(report, "on_retry", Some("bad"));
    times.extend(report.node("bad").finished().map(|at| at.as_secs()));
    times
}

#[test]
fn there_is_no_retry_unless_it_is_asked_for() {
    #[pipeline]
    fn none() {
        bad();
    }
    let report = Simulation::new(none()).run();
    assert_eq!((report.node("bad").state(), report.node("bad").attempts()), (Failed, 1));
}

#[test]
fn attempts_in_all_are_retries_and_one_more_five_minutes_apart() {
    #[pipeline]
    fn fixed() {
        bad().retries(2);
    }
    let report = Simulation::new(fixed()).run();
    assert_eq!(attempts(&report), [0, 300, 600]);
    assert_eq!((report.node("bad").attempts(), report.node("bad").error()), (3, Some("503")));
}

#[test]
fn a_retry_may_follow_at_once() {
    #[task(retries = 2, retry_delay = "0s", on_retry = hear)]
    async fn bad() -> Result<u64> {
        Err("503".into())
    }
    #[pipeline]
    fn at_once() {
        bad();
    }
    let report = Simulation::new(at_once()).run();
    assert_eq!(attempts(&report), [0, 0, 0]);
}

#[test]
fn waits_grow_exactly_and_stay_at_the_longest() {
    #[pipeline]
    fn growing() {
        bad().retries(6).backoff(Backoff::new(secs(30), mins(5)));
    }
    // 30, 60, 120, 240, 300, 300.
    assert_eq!(attempts(&Simulation::new(growing()).run()), [0, 30, 90, 210, 450, 750, 1050]);
}

#[test]
fn a_retry_that_succeeds_ends_them() {
    #[pipeline]
    fn mended() {
        takes(source(Ends::Success, 1u64).retries(5).retry_delay(secs(20)));
    }
    let report = Simulation::new(mended()).fail("source", 1, "503").fail("source", 2, "504").run();
    let node = report.node("source");
    assert_eq!((node.state(), node.attempts(), node.error()), (Success, 3, None));
    assert_eq!(node.finished(), Some(secs(41)));
    assert_eq!(report.output::<u64>("takes"), Some(1));
}

#[test]
fn each_attempt_takes_its_time_before_the_delay_begins() {
    #[pipeline]
    fn slow() {
        source(Ends::Failed, 100u64).retries(1).retry_delay(secs(10));
    }
    assert_eq!(Simulation::new(slow()).run().node("source").finished(), Some(secs(210)));
}

#[task(retries = 5)]
async fn hopeless() -> Result<u64> {
    Err(TaskError::fatal("no such table"))
}
#[task(retries = 5)]
async fn nothing() -> Result<u64> {
    Err(TaskError::skip("no rows today"))
}

#[test]
fn neither_fatal_errors_nor_skips_are_retried() {
    #[pipeline]
    fn at_once() {
        hopeless();
        nothing();
    }
    let report = Simulation::new(at_once()).run();
    assert_eq!((report.node("hopeless").state(), report.node("hopeless").attempts()), (Failed, 1));
    assert_eq!(report.node("hopeless").error(), Some("no such table"));
    assert_eq!((report.node("nothing").state(), report.node("nothing").attempts()), (Skipped, 1));
    assert_eq!(report.finished(), Some(secs(0)));
}

#[pipeline]
fn with_jitter() {
    bad().retries(3).backoff(Backoff::new(secs(30), mins(5)).with_jitter(secs(10)));
}

fn jittered(pipeline: Pipeline, seed: u64) -> Vec<u64> {
    attempts(&Simulation::new(pipeline).seed(seed).run())
}

#[test]
fn jitter_is_added_if_it_is_asked_for_and_drawn_from_the_seed() {
    let first = jittered(with_jitter(), 1);
    assert_eq!(first, jittered(with_jitter(), 1));
    assert_ne!(first, jittered(with_jitter(), 2));
    for seed in 0..50 {
        let times = jittered(with_jitter(), seed);
        for (pair, wait) in times.windows(2).zip([30, 60, 120]) {
            assert!((wait..=wait + 10).contains(&(pair[1] - pair[0])), "{times:?}");
        }
    }
}

#[test]
fn options_come_from_the_override_the_attribute_and_the_pipelines_defaults() {
    #[task(retries = 3, retry_delay = "1m")]
    async fn attribute() -> Result<u64> {
        Err("503".into())
    }
    #[pipeline(defaults(retries = 1, retry_delay = "10s"))]
    fn levels() {
        attribute().named("of_task");
        attribute().retries(0).named("of_node");
        source(Ends::Failed, 0u64).named("of_pipeline");
    }
    let report = Simulation::new(levels()).run();
    let of = |id| (report.node(id).attempts(), report.node(id).finished().unwrap().as_secs());
    assert_eq!([of("of_task"), of("of_node"), of("of_pipeline")], [(4, 180), (1, 0), (2, 10)]);
}
