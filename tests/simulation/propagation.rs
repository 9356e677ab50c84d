//! Trigger rules: how a parameter's type treats the outcome of its upstream.

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
            ordered().after([good, of]).named(format!("{name}-after-array"));
            ordered().after(of.or_skipped()).named(format!("{name}-after-or_skipped"));
            ordered().after(of.ended()).named(format!("{name}-after-ended"));
            ordered().after(of.failure()).named(format!("{name}-after-failure"));
        }
    }
    let report = Simulation::new(table()).run();
    // Upstream: good, bad, skipping, behind (which is upstream_failed).
    let table: [(&str, [NodeState; 4]); 14] = [
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
        ("after-array", [Success, UpstreamFailed, Skipped, UpstreamFailed]),
        ("after-or_skipped", [Success, UpstreamFailed, Success, UpstreamFailed]),
        ("after-ended", [Success, Success, Success, Success]),
        ("after-failure", [Skipped, Success, Skipped, Success]),
    ];
    for (parameter, expected) in table {
        let found = ["good", "bad", "skipping", "behind"].map(|name| report.node(&format!("{name}-{parameter}")).state());
        assert_eq!(found, expected, "{parameter}");
    }
    assert_eq!(report.state(), RunState::Failed);
    assert_eq!(report.output::<String>("skipping-Option").as_deref(), Some("none"));
    assert_eq!(report.output::<usize>("bad-VecOutcome"), Some(1));
    // The reported failure is the root cause, also for an upstream that never ran.
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

/// One event reaches the node by two paths of different length: the failure on the longer path still outweighs the skip.
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
fn after_takes_several_nodes_in_whatever_they_come() {
    #[pipeline]
    fn several() {
        let sources: Vec<Node<u64>> = (1..=3).map(|n| source(Ends::Success, n * 60)).collect();
        let [one, two, three] = sources[..] else { return };
        ordered().after([one, two]).named("array");
        ordered().after(&sources[..2]).named("slice");
        ordered().after(&sources).named("borrowed");
        ordered().after((one, text(), three.ended())).named("tuple");
        ordered().after(vec![one.ended(), text().or_skipped()]).named("views");
        ordered().after(sources).named("list");
    }
    let report = Simulation::new(several()).run();
    for (name, minutes) in [("array", 2), ("slice", 2), ("borrowed", 3), ("tuple", 3), ("views", 1), ("list", 3)] {
        assert_eq!(report.node(name).started(), Some(mins(minutes)), "{name}");
    }
}

#[task]
async fn text() -> Result<String> {
    Ok("done".into())
}

#[test]
fn a_chain_is_in_order_and_its_steps_may_be_wide() {
    #[pipeline]
    fn steps() {
        let wide = [source(Ends::Success, 60u64).named("a"), source(Ends::Success, 120u64).named("b")];
        chain((source(Ends::Success, 60u64).named("first"), wide, text(), ordered().named("last")));
        let of_one_type: Vec<Node<u64>> = (0..3).map(|n| source(Ends::Success, 60u64).named(format!("n{n}"))).collect();
        chain(of_one_type);
        let broken = source(Ends::Failed, 60u64).named("broken");
        chain([broken.ended(), ordered().named("goes_on").ended()]);
        chain([broken, ordered().named("stops")]);
    }
    let report = Simulation::new(steps()).run();
    for (name, minutes) in
        [("first", 0), ("a", 1), ("b", 1), ("text", 3), ("last", 3), ("n0", 0), ("n1", 1), ("n2", 2), ("goes_on", 1)]
    {
        assert_eq!(report.node(name).started(), Some(mins(minutes)), "{name}");
    }
    assert_eq!(states(&report, ["stops"]), [UpstreamFailed]);
}

/// Another trigger rule for an order is shown when the plan is drawn.
#[test]
fn how_a_node_is_ordered_is_drawn() {
    #[pipeline]
    fn drawn() {
        let (a, b) = (ordered().named("a"), ordered().named("b"));
        takes(a).after(a.ended()).after([b.or_skipped(), a.or_skipped()]).after(b);
    }
    let plan = drawn().plan(&serde_json::Value::Null).unwrap();
    let text = plan.to_text();
    for line in ["n: a", "after: b\n", "after: a, b (none_failed)", "after: a (all_done)"] {
        assert!(text.contains(line), "{line}: {text}");
    }
    let node = &plan.to_json()["nodes"][2];
    assert_eq!(node["after"], serde_json::json!(["a", "a", "b", "b"]));
    assert_eq!(node["after_rules"], serde_json::json!(["all_done", "none_failed", "none_failed", "all_success"]));
    let mermaid = plan.to_mermaid();
    assert!(mermaid.contains("n0 -.->|\"all_done\"| n2") && mermaid.contains("n1 -.-> n2"), "{mermaid}");
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
