//! A run's state: failed if any node failed that was not allowed to. All nodes count, not only the leaves.

use super::tasks::*;
use pipeline_runtime::prelude::*;
use pipeline_runtime::{Pipeline, RunState, Simulation};

#[track_caller]
fn state(pipeline: Pipeline) -> RunState {
    Simulation::new(pipeline).run().state()
}

#[test]
fn a_cleanup_leaf_never_hides_a_failure() {
    #[pipeline]
    fn cleanup() {
        outcome(takes(source(Ends::Failed, 1u64)));
    }
    let report = Simulation::new(cleanup()).run();
    assert_eq!(report.output::<String>("outcome").as_deref(), Some("source failed 1 times: failed after 1 s"));
    assert_eq!(report.state(), RunState::Failed);
}

#[test]
fn skips_do_not_fail_a_run() {
    #[pipeline]
    fn skipping() {
        takes(takes(source(Ends::Skipped, 1u64)));
    }
    assert_eq!(state(skipping()), RunState::Success);
}

#[test]
fn an_allowed_failure_fails_neither_the_run_nor_what_fails_because_of_it() {
    #[pipeline]
    fn allowed() {
        outcome(takes(takes(source(Ends::Failed, 1u64).allow_failure())));
    }
    assert_eq!(state(allowed()), RunState::Success);
}

#[test]
fn one_failure_that_is_not_allowed_is_enough() {
    #[pipeline]
    fn mixed() {
        sum([source(Ends::Failed, 1u64).allow_failure(), source(Ends::Failed, 2u64)]);
    }
    assert_eq!(state(mixed()), RunState::Failed);
}

/// The node never ran, so it has no failure of its own that could be allowed: the root cause counts.
#[test]
fn allowing_a_node_to_fail_does_not_allow_its_upstream_to() {
    #[pipeline]
    fn downstream_only() {
        takes(source(Ends::Failed, 1u64)).allow_failure();
    }
    assert_eq!(state(downstream_only()), RunState::Failed);
}

#[test]
fn allow_failure_on_a_mapping_covers_every_element_and_what_is_nested_in_it() {
    #[pipeline]
    fn of_elements() {
        numbers(4u64).each(|n| takes(by_number(n))).allow_failure();
    }
    #[pipeline]
    fn of_nested() {
        numbers(3u64).each(|_| sum(numbers(4u64).each(by_number_of))).allow_failure();
    }
    #[pipeline]
    fn not_allowed() {
        numbers(4u64).each(|n| takes(by_number(n)));
    }
    #[pipeline]
    fn inside() {
        numbers(4u64).each(|n| takes(by_number(n).allow_failure()));
    }
    assert_eq!(state(of_elements()), RunState::Success);
    assert_eq!(state(of_nested()), RunState::Success);
    assert_eq!(state(inside()), RunState::Success);
    assert_eq!(state(not_allowed()), RunState::Failed);
}

fn by_number_of(n: Node<u64>) -> Node<u64> {
    by_number(n)
}

/// The rule makes no exception for races: a branch that may fail needs `allow_failure`.
#[test]
fn a_runner_that_failed_fails_the_run_though_another_won_unless_it_was_allowed_to() {
    #[pipeline]
    fn race() {
        takes(first_of([source(Ends::Failed, 1u64), source(Ends::Success, 2u64)]));
    }
    #[pipeline]
    fn race_allowed() {
        takes(first_of([source(Ends::Failed, 1u64).allow_failure(), source(Ends::Success, 2u64)]));
    }
    assert_eq!(state(race()), RunState::Failed);
    assert_eq!(state(race_allowed()), RunState::Success);
}
