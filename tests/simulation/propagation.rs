//! Trigger rules: what a parameter's type makes of how its upstream ended.

use super::tasks::*;
use pipeline_runtime::NodeState::{self, Failed, Skipped, Success, UpstreamFailed};
use pipeline_runtime::prelude::*;
use pipeline_runtime::{RunState, Simulation};
use std::sync::Arc;

#[task]
async fn shared(n: Arc<u64>) -> Result<u64> {
    Ok(*n)
}
#[task]
async fn maybe(n: Option<u64>) -> Result<String> {
    Ok(n.map_or("none".into(), |n| n.to_string()))
}
#[task]
async fn some(all: Vec<Option<u64>>) -> Result<usize> {
    Ok(all.len())
}
#[task]
async fn any(all: Vec<Outcome<u64>>) -> Result<usize> {
    Ok(all.into_iter().filter_map(Outcome::success).count())
}
#[task]
async fn repair(failure: Failure) -> Result<String> {
    Ok(failure.node().to_owned())
}
#[task]
async fn ordered() -> Result<u64> {
    Ok(1)
}

#[test]
fn each_parameter_type_has_its_trigger_rule() {
    #[pipeline]
    fn table() {
        let good = source(Ends::Success, 1u64).named("good");
        let bad = source(Ends::Failed, 1u64).named("bad");
        let sources = [good, bad, source(Ends::Skipped, 1u64).named("skipping"), takes(bad).named("behind")];
        for (of, name) in sources.into_iter().zip(["good", "bad", "skipping", "behind"]) {
            takes(of).named(format!("{name}-T"));
            shared(of).named(format!("{name}-Arc"));
            maybe(of).named(format!("{name}-Option"));
            outcome(of).named(format!("{name}-Outcome"));
            sum([good, of]).named(format!("{name}-Vec"));
            some([good, of]).named(format!("{name}-VecOption"));
            any([good, of]).named(format!("{name}-VecOutcome"));
            repair(of.failure()).named(format!("{name}-Failure"));
            takes(first_of([of])).named(format!("{name}-first_of"));
            ordered().after(of).named(format!("{name}-after"));
        }
    }
    let report = Simulation::new(table()).run();
    // Upstream: good, bad, skipping, behind (which is upstream_failed).
    let table: [(&str, [NodeState; 4]); 10] = [
        ("T", [Success, UpstreamFailed, Skipped, UpstreamFailed]),
        ("Arc", [Success, UpstreamFailed, Skipped, UpstreamFailed]),
        ("Option", [Success, UpstreamFailed, Success, UpstreamFailed]),
        ("Outcome", [Success, Success, Success, Success]),
        ("Vec", [Success, UpstreamFailed, Skipped, UpstreamFailed]),
        ("VecOption", [Success, UpstreamFailed, Success, UpstreamFailed]),
        ("VecOutcome", [Success, Success, Success, Success]),
        ("Failure", [Skipped, Success, Skipped, Success]),
        ("first_of", [Success, UpstreamFailed, Skipped, UpstreamFailed]),
        ("after", [Success, UpstreamFailed, Skipped, UpstreamFailed]),
    ];
    for (parameter, expected) in table {
        let found = ["good", "bad", "skipping", "behind"].map(|name| report.node(&format!("{name}-{parameter}")).state());
        assert_eq!(found, expected, "{parameter}");
    }
    assert_eq!(report.state(), RunState::Failed);
    assert_eq!(report.output::<String>("skipping-Option").as_deref(), Some("none"));
    assert_eq!(report.output::<usize>("bad-VecOutcome"), Some(1));
    // What is told of is the root cause, also of an upstream that never ran.
    assert_eq!(report.output::<String>("behind-Failure").as_deref(), Some("bad"));
    assert_eq!(report.output::<String>("behind-Outcome").as_deref(), Some("bad failed 1 times: failed after 1 s"));
}

#[test]
fn a_node_is_decided_as_soon_as_one_input_can_never_hold() {
    #[pipeline]
    fn early() {
        let slow = source(Ends::Success, 600u64).named("slow");
        takes(sum([slow, source(Ends::Failed, 1u64)])).named("failed");
        takes(sum([slow, source(Ends::Skipped, 2u64)])).named("skipped");
    }
    let report = Simulation::new(early()).run();
    assert_eq!((report.node("failed").state(), report.node("failed").finished()), (UpstreamFailed, Some(secs(1))));
    assert_eq!((report.node("skipped").state(), report.node("skipped").finished()), (Skipped, Some(secs(2))));
    assert_eq!(report.node("slow").finished(), Some(secs(600)));
}

#[test]
fn of_what_comes_at_different_times_the_first_counts() {
    #[pipeline]
    fn race_of_ends() {
        sum([source(Ends::Skipped, 1u64), source(Ends::Failed, 2u64)]).named("skipped_first");
        sum([source(Ends::Skipped, 4u64), source(Ends::Failed, 3u64)]).named("failed_first");
    }
    let report = Simulation::new(race_of_ends()).run();
    assert_eq!(states(&report, ["skipped_first", "failed_first"]), [Skipped, UpstreamFailed]);
}

/// One event, by two ways of different length: the failure by the longer one still counts more than the skip.
#[test]
fn upstream_failed_goes_before_skipped_at_one_event_whatever_the_way() {
    #[pipeline]
    fn ways() {
        let bad = source(Ends::Failed, 1u64);
        let last = source(Ends::Skipped, 5u64).named("last");
        let skipped = takes(last).named("short");
        let race = takes(takes(first_of([takes(last).named("runner"), bad]))).named("long");
        sum([skipped, race]).named("both");
        sum([race, skipped]).named("both_in_the_other_order");
    }
    let report = Simulation::new(ways()).run();
    assert_eq!(states(&report, ["short", "long"]), [Skipped, UpstreamFailed]);
    assert_eq!(states(&report, ["both", "both_in_the_other_order"]), [UpstreamFailed; 2]);
}

#[test]
fn after_orders_without_data() {
    #[pipeline]
    fn order() {
        let first = source(Ends::Success, 60u64).named("first");
        ordered().after(first).after(takes(first)).named("second");
    }
    let report = Simulation::new(order()).run();
    assert_eq!(report.node("second").started(), Some(mins(1)));
}

#[test]
fn a_node_may_feed_one_parameter_list_twice() {
    #[pipeline]
    fn twice() {
        let n = source(Ends::Success, 3u64);
        sum([n, n, n]);
    }
    assert_eq!(Simulation::new(twice()).run().output::<u64>("sum"), Some(9));
}

#[test]
fn failed_and_skipped_nodes_say_why() {
    #[pipeline]
    fn why() {
        takes(source(Ends::Failed, 0u64).named("bad"));
    }
    let report = Simulation::new(why()).run();
    assert_eq!(report.node("bad").state(), Failed);
    assert_eq!(report.node("bad").error(), Some("failed after 0 s"));
    assert_eq!(report.node("takes").started(), None);
}
