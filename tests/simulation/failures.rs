//! `.failure()`: nodes that run only if another failed.

use super::tasks::*;
use pipeline_runtime::NodeState::{Skipped, Success, UpstreamFailed};
use pipeline_runtime::prelude::*;
use pipeline_runtime::{RunState, Simulation};

#[task]
async fn repair(failure: Failure) -> Result<String> {
    Ok(format!("{} after {}: {}", failure.node(), failure.attempts(), failure.error()))
}

#[test]
fn a_repair_runs_after_the_last_attempt_and_is_told_the_root_cause() {
    #[pipeline]
    fn repaired() {
        let bad = source(Ends::Failed, 1u64).retries(2).retry_delay(secs(10));
        repair(takes(takes(bad)).failure());
        repair(bad.failure());
    }
    let report = Simulation::new(repaired()).run();
    assert_eq!(report.output::<String>("repair").as_deref(), Some("source after 3: failed after 1 s"));
    assert_eq!(report.output::<String>("repair__2").as_deref(), Some("source after 3: failed after 1 s"));
    assert_eq!(report.node("repair").started(), Some(secs(23)));
    // A repair does not undo the failure.
    assert_eq!(report.state(), RunState::Failed);
}

#[test]
fn without_a_failure_it_is_skipped_as_soon_as_that_is_known() {
    #[pipeline]
    fn unneeded() {
        takes_text(repair(source(Ends::Success, 5u64).failure()));
        repair(source(Ends::Skipped, 5u64).failure());
    }
    let report = Simulation::new(unneeded()).run();
    assert_eq!(states(&report, ["repair", "repair__2", "takes_text"]), [Skipped; 3]);
    assert_eq!(report.node("takes_text").finished(), Some(secs(5)));
    assert_eq!(report.state(), RunState::Success);
}

#[task]
async fn takes_text(text: String) -> Result<usize> {
    Ok(text.len())
}

#[task]
async fn handle(n: u64, failure: Failure) -> Result<String> {
    Ok(format!("{n}: {}", failure.node()))
}

#[test]
fn a_failure_from_around_a_mapping_may_be_taken_inside_it_and_outside() {
    #[pipeline]
    fn inside() {
        let bad = source(Ends::Failed, 1u64).allow_failure();
        numbers(2u64).each(|n| handle(n, bad.failure()));
        repair(bad.failure());
    }
    let report = Simulation::new(inside()).run();
    assert_eq!(report.output::<String>("handle[1]").as_deref(), Some("1: source"));
    assert_eq!(states(&report, ["repair", "each(handle)"]), [Success; 2]);
}

#[test]
fn a_failed_element_has_a_failure_of_its_own() {
    #[pipeline]
    fn elements() {
        numbers(4u64).each(|n| repair(by_number(n).failure())).allow_failure();
    }
    let report = Simulation::new(elements()).run();
    assert_eq!(states(&report, ["repair[0]", "repair[3]"]), [Skipped, Success]);
    assert_eq!(report.output::<String>("repair[3]").as_deref(), Some("by_number[3] after 1: 3 is wrong"));
}

#[test]
fn the_failure_of_a_mapping_names_the_element() {
    #[pipeline]
    fn whole() {
        repair(numbers(4u64).each(|n| takes(by_number(n))).failure());
    }
    let report = Simulation::new(whole()).run();
    assert_eq!(report.node("each(takes)").state(), UpstreamFailed);
    assert_eq!(report.output::<String>("repair").as_deref(), Some("by_number[3] after 1: 3 is wrong"));
}
