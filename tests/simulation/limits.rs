//! Time limits, panics, and the errors that nodes then have.

use super::tasks::*;
use pipeline_runtime::NodeState::{Failed, Success};
use pipeline_runtime::prelude::*;
use pipeline_runtime::{RunState, Simulation};

#[test]
fn an_attempt_is_cut_off_at_its_limit_and_retried() {
    #[pipeline]
    fn slow() {
        source(Ends::Success, 600u64).timeout(mins(2)).retries(1).retry_delay(secs(30));
    }
    let report = Simulation::new(slow()).run();
    let node = report.node("source");
    assert_eq!((node.state(), node.attempts(), node.finished()), (Failed, 2, Some(secs(120 + 30 + 120))));
    assert_eq!(node.error(), Some("the attempt took longer than its limit of 2m"));
}

#[test]
fn a_body_that_ends_at_its_limit_has_ended_in_time_or_not_but_once() {
    #[pipeline]
    fn exact() {
        source(Ends::Success, 120u64).timeout(mins(2));
    }
    let report = Simulation::new(exact()).run();
    assert_eq!(report.node("source").finished(), Some(mins(2)));
    assert_eq!(report.node("source").attempts(), 1);
}

#[test]
fn a_limit_counts_from_the_slot_and_not_from_the_queue() {
    static ONE: Pool = Pool::new("one_for_limits", 1);
    #[pipeline]
    fn queued() {
        source(Ends::Success, 60u64).timeout(secs(90)).pool(&ONE);
        source(Ends::Success, 60u64).timeout(secs(90)).pool(&ONE);
    }
    let report = Simulation::new(queued()).run();
    assert_eq!(states(&report, ["source", "source__2"]), [Success; 2]);
    assert_eq!(report.node("source__2").finished(), Some(secs(120)));
}

#[test]
fn what_was_cut_off_gives_its_slot_back() {
    static ONE: Pool = Pool::new("one_for_cut_off", 1);
    #[pipeline]
    fn released() {
        source(Ends::Success, 600u64).timeout(secs(10)).pool(&ONE);
        source(Ends::Success, 5u64).pool(&ONE).named("next");
    }
    let report = Simulation::new(released()).run();
    assert_eq!((report.node("next").started(), report.node("next").state()), (Some(secs(10)), Success));
}

#[task(retries = 1, retry_delay = "10s")]
async fn panics(later: bool) -> Result<u64> {
    if later {
        tokio::task::yield_now().await;
    }
    panic!("no such column: {}", "price")
}

#[task]
fn blocking_panics(what: String) -> Result<u64> {
    panic!("out of {what}")
}

#[task]
fn blocking(n: u64) -> Result<u64> {
    Ok(n + 1)
}

#[test]
fn a_panic_is_a_failed_attempt_and_the_run_goes_on() {
    #[pipeline]
    fn panicking() {
        panics(false).named("at_once");
        panics(true).named("later");
        blocking_panics("paper");
        takes(blocking(1u64));
    }
    let report = Simulation::new(panicking()).run();
    for id in ["at_once", "later"] {
        let node = report.node(id);
        assert_eq!((node.state(), node.attempts(), node.error()), (Failed, 2, Some("the body panicked: no such column: price")));
    }
    assert_eq!(report.node("blocking_panics").error(), Some("the body panicked: out of paper"));
    assert_eq!(report.output::<u64>("takes"), Some(2));
    assert_eq!(report.state(), RunState::Failed);
}

/// Panics when it is dropped, which happens together with the body.
struct Grumpy;
impl Drop for Grumpy {
    fn drop(&mut self) {
        assert!(std::thread::panicking(), "dropped");
    }
}

#[test]
fn a_value_that_panics_as_it_is_dropped_stops_nothing() {
    #[task]
    async fn grumpy(later: bool) -> Result<u64> {
        let _grumpy = Grumpy;
        if later {
            tokio::task::yield_now().await;
        }
        Ok(1)
    }
    #[pipeline]
    fn dropping() {
        grumpy(false);
        grumpy(true);
        takes(1u64);
    }
    let report = Simulation::new(dropping()).run();
    // A value that panics within a body counts as the body's panic.
    assert_eq!(states(&report, ["grumpy", "grumpy__2", "takes"]), [Failed, Failed, Success]);
}

#[test]
fn bodies_that_block_take_no_virtual_time() {
    #[pipeline]
    fn chain() {
        takes(blocking(blocking(blocking(1u64))));
    }
    let report = Simulation::new(chain()).run();
    assert_eq!((report.output::<u64>("takes"), report.finished()), (Some(4), Some(secs(0))));
}

#[test]
fn an_error_is_told_with_all_its_sources() {
    #[derive(Debug, thiserror::Error)]
    #[error("the export cannot be read")]
    struct Unreadable(#[source] std::num::ParseIntError);
    #[task]
    async fn read() -> Result<u64, Unreadable> {
        "x".parse().map_err(Unreadable)
    }
    #[pipeline]
    fn reading() {
        read();
    }
    let report = Simulation::new(reading()).run();
    assert_eq!(report.node("read").error(), Some("the export cannot be read: invalid digit found in string"));
}
