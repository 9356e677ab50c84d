//! Pools and priorities.

use super::tasks::*;
use pipeline_runtime::prelude::*;
use pipeline_runtime::{NodeReport, RunReport, Simulation};
use std::time::Duration;

static TWO: Pool = Pool::new("two", 2);

fn starts(report: &RunReport, name: &str) -> Vec<u64> {
    let starts = report.nodes().filter(|node| node.id().starts_with(name)).filter_map(NodeReport::started);
    in_secs(&starts.collect::<Vec<Duration>>())
}

#[test]
fn no_more_nodes_run_at_once_than_their_pool_has_slots() {
    #[pipeline]
    fn five() {
        for _ in 0..5 {
            source(Ends::Success, 10u64).pool(&TWO);
        }
        source(Ends::Success, 10u64).named("elsewhere");
    }
    let report = Simulation::new(five()).run();
    assert_eq!(starts(&report, "source"), [0, 0, 10, 10, 20]);
    assert_eq!(starts(&report, "elsewhere"), [0]);
}

#[test]
fn the_highest_priority_goes_first_and_then_wiring_order() {
    #[pipeline]
    fn priorities() {
        for (name, priority) in [("low", -1), ("first", 0), ("second", 0), ("third", 0), ("urgent", 5)] {
            source(Ends::Success, 10u64).pool(&TWO).priority(priority).named(name);
        }
    }
    let report = Simulation::new(priorities()).run();
    let of = |id| report.node(id).started().unwrap().as_secs();
    assert_eq!([of("urgent"), of("first"), of("second"), of("third"), of("low")], [0, 0, 10, 10, 20]);
}

#[test]
fn a_node_that_becomes_ready_later_overtakes_by_its_priority() {
    #[pipeline]
    fn overtaking() {
        for _ in 0..4 {
            source(Ends::Success, 10u64).pool(&TWO);
        }
        source(Ends::Success, 10u64).after(source(Ends::Success, 5u64).named("trigger")).pool(&TWO).priority(1).named("urgent");
    }
    let report = Simulation::new(overtaking()).run();
    assert_eq!((starts(&report, "urgent"), starts(&report, "source")), (vec![10], vec![0, 0, 10, 20]));
}

#[test]
fn without_a_pool_a_node_has_one_of_the_default_pools_128_slots() {
    #[pipeline]
    fn wide() {
        for _ in 0..200 {
            source(Ends::Success, 10u64);
        }
    }
    let report = Simulation::new(wide()).run();
    let at = |second: u64| starts(&report, "source").iter().filter(|at| **at == second).count();
    assert_eq!([at(0), at(10)], [128, 72]);
}

#[test]
fn elements_share_their_tasks_pool() {
    #[pipeline]
    fn mapped() {
        numbers(5u64).each(|n| source(Ends::Success, 10u64).after(n).pool(&TWO));
    }
    assert_eq!(starts(&Simulation::new(mapped()).run(), "source"), [0, 0, 10, 10, 20]);
}

#[test]
fn a_node_that_waits_for_its_retry_holds_no_slot() {
    static ONE: Pool = Pool::new("one_for_retries", 1);
    #[pipeline]
    fn retried() {
        source(Ends::Failed, 1u64).retries(1).retry_delay(secs(100)).pool(&ONE).named("bad");
        source(Ends::Success, 10u64).pool(&ONE).named("good");
    }
    assert_eq!(starts(&Simulation::new(retried()).run(), "good"), [1]);
}
