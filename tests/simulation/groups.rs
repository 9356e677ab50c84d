//! Groups: ids, options and order of the nodes in them.

use super::tasks::*;
use pipeline_runtime::NodeState::{Skipped, Success, UpstreamFailed};
use pipeline_runtime::prelude::*;
use pipeline_runtime::{Lock, RunState, Simulation};

#[task(retries = 1)]
async fn retried(n: u64) -> Result<u64> {
    Ok(n)
}

#[derive(Clone, serde::Serialize, serde::Deserialize, Branch)]
enum Route {
    Left(u64),
    Right,
}

#[branch]
async fn route(n: u64) -> Result<Route> {
    Ok(if n > 100 { Route::Right } else { Route::Left(n) })
}

#[test]
fn ids_begin_with_the_names_of_their_groups() {
    #[pipeline]
    fn nested() {
        takes(1u64);
        let loaded = group("load", || {
            let n = takes(1u64);
            takes(n);
            let inner = group("deep", || (takes(n), first_of([n, takes(n).named("other")])));
            let (a, b) = *inner;
            let RouteArms { left, right: _ } = route(b);
            takes(left).after(a).after(a.failure().ended());
            numbers(2u64).each(|n| group("inside", || takes(n)).into_inner())
        });
        sum(loaded);
    }
    let plan = nested().plan(&serde_json::Value::Null).unwrap();
    let ids: Vec<String> =
        plan.to_json()["nodes"].as_array().unwrap().iter().map(|node| node["id"].as_str().unwrap().into()).collect();
    assert_eq!(
        ids,
        [
            "takes",
            "load.takes",
            "load.takes__2",
            "load.deep.takes",
            "load.deep.other",
            "load.deep.first_of",
            "load.route",
            "load.route.left",
            "load.route.right",
            "load.takes__3",
            "load.deep.takes.failure",
            "load.numbers",
            "each(load.inside.takes).element",
            "load.inside.takes",
            "each(load.inside.takes)",
            "sum",
        ]
    );
    let report = Simulation::new(nested()).run();
    assert_eq!(report.state(), RunState::Success, "{}", report.timeline());
    assert_eq!(report.node("load.inside.takes[1]").state(), Success);
    let mermaid = plan.to_mermaid();
    for line in ["    subgraph g0[\"load\"]\n", "        subgraph g1[\"load.deep\"]\n", "subgraph g2[\"load.inside\"]\n"] {
        assert!(mermaid.contains(line), "{line}: {mermaid}");
    }
    assert_eq!(mermaid.matches("subgraph").count(), mermaid.matches("end\n").count(), "{mermaid}");
    let text = plan.to_text();
    assert!(text.contains(" load.deep ") && text.contains(" load.inside "), "{text}");
    assert_eq!(plan.to_json()["nodes"][3]["group"], "load.deep");
}

#[test]
fn an_option_of_a_group_holds_for_all_in_it_unless_a_nearer_one_is_given() {
    #[pipeline(defaults(retries = 9))]
    fn options() {
        group("outer", || {
            takes(1u64);
            takes(1u64).retries(5).named("own");
            group("inner", || retried(1u64)).retries(4);
            retried(1u64);
        })
        .retries(3)
        .allow_failure();
        takes(1u64);
        retried(1u64);
    }
    let plan = options().plan(&serde_json::Value::Null).unwrap();
    let of = |node: &serde_json::Value| {
        (
            node["id"].as_str().unwrap().to_owned(),
            node["options"]["retries"].as_u64().unwrap(),
            node["options"]["allow_failure"] == true,
        )
    };
    let found: Vec<_> = plan.to_json()["nodes"].as_array().unwrap().iter().map(of).collect();
    let expected = [
        ("outer.takes", 3, true),
        ("outer.own", 5, true),
        ("outer.inner.retried", 4, true),
        ("outer.retried", 3, true),
        ("takes", 9, false),
        ("retried", 1, false),
    ];
    assert_eq!(found, expected.map(|(id, retries, allowed)| (id.to_owned(), retries, allowed)));
}

#[test]
fn order_holds_for_a_group_as_a_whole() {
    #[pipeline]
    fn ordered() {
        let first = source(Ends::Success, 60u64).named("first");
        let loaded = group("load", || {
            let short = source(Ends::Success, 60u64).named("short");
            let mapped = numbers(2u64).each(takes);
            let behind = source(Ends::Success, 60u64).named("behind").after(short);
            // No node in the group takes it, so it is one of the group's ends.
            source(Ends::Success, 600u64).named("long");
            (behind, mapped)
        })
        .after(first);
        takes(1u64).named("after").after(loaded);
        let (behind, _) = loaded.into_inner();
        takes(behind).named("takes_one");
    }
    let report = Simulation::new(ordered()).run();
    for (node, seconds) in
        [("load.short", 60), ("load.numbers", 60), ("load.long", 60), ("load.behind", 120), ("takes_one", 180), ("after", 660)]
    {
        assert_eq!(report.node(node).started(), Some(secs(seconds)), "{node}: {}", report.timeline());
    }
}

#[test]
fn how_a_group_ended_is_judged_over_all_its_ends() {
    #[pipeline]
    fn judged() {
        let mixed = group("mixed", || {
            source(Ends::Failed, 60u64).named("bad");
            source(Ends::Success, 120u64).named("good");
        });
        takes(1u64).named("needs_success").after(mixed);
        takes(1u64).named("needs_end").after(mixed.ended());
        let skipping = group("skipping", || {
            source(Ends::Skipped, 60u64).named("nothing");
            source(Ends::Success, 60u64).named("something");
        });
        takes(1u64).named("skipped").after(skipping);
        takes(1u64).named("runs").after(skipping.or_skipped());
        // A race is a single end: its losers do not count.
        let race = group("race", || first_of([source(Ends::Success, 60u64), source(Ends::Success, 600u64)]));
        takes(1u64).named("raced").after(race);
        chain((group("empty", || ()), takes(1u64).named("behind_nothing")));
    }
    let report = Simulation::new(judged()).run();
    let names = ["needs_success", "needs_end", "skipped", "runs", "raced", "behind_nothing"];
    assert_eq!(states(&report, names), [UpstreamFailed, Success, Skipped, Success, Success, Success]);
    assert_eq!(report.node("needs_end").started(), Some(mins(2)));
    assert_eq!(report.node("raced").started(), Some(mins(1)));
}

#[test]
fn mistakes_of_groups_are_told_with_their_places() {
    #[pipeline]
    fn twice() {
        for _ in 0..2 {
            group("load", || takes(takes(1u64)));
        }
    }
    #[pipeline]
    fn named() {
        group("load everything", || takes(1u64)).retries(2_000_000);
    }
    let messages = |pipeline: Pipeline| -> Vec<(String, usize)> {
        let error = pipeline.check().unwrap_err();
        error.problems().iter().map(|problem| (problem.message().to_owned(), problem.places().count())).collect()
    };
    assert_eq!(messages(twice()), [("two groups are named `load`".to_owned(), 2)]);
    let [(name, 1), (retries, 1)] = &messages(named())[..] else { panic!("{:?}", messages(named())) };
    assert!(name.contains("\"load everything\" cannot be an id"), "{name}");
    assert!(retries.starts_with("`.retries` of a group cannot be used: "), "{retries}");
}

#[test]
fn groups_that_hold_one_lock_run_one_after_the_other_and_who_holds_none_runs_beside() {
    static TABLE: Lock = Lock::new("table");
    #[pipeline]
    fn locked() {
        for name in ["a", "b"] {
            group(name, || {
                // Nodes of one group run concurrently, also those of a mapping.
                let mapped = numbers(2u64).each(|n| source(Ends::Success, 60u64).after(n).named("mapped"));
                source(Ends::Success, 60u64).named("beside");
                takes(source(Ends::Success, 60u64).after(mapped).named("work"))
            })
            .holding(&TABLE);
        }
        source(Ends::Success, 60u64).named("free");
    }
    let report = Simulation::new(locked()).run();
    assert_eq!(report.state(), RunState::Success, "{}", report.timeline());
    for (node, minute) in [
        ("a.mapped[0]", 0),
        ("a.mapped[1]", 0),
        ("a.beside", 0),
        ("a.work", 1),
        ("b.numbers", 2),
        ("b.beside", 2),
        ("b.work", 3),
        ("free", 0),
    ] {
        assert_eq!(report.node(node).started(), Some(mins(minute)), "{node}: {}", report.timeline());
    }
}

/// A pipeline has one node per asset that it reads, whichever node asks for it first.
#[test]
fn what_an_asset_had_last_lies_in_no_group() {
    static ROWS: Asset<u64> = Asset::external("rows");
    #[pipeline]
    fn reads() {
        let first = source(Ends::Failed, 60u64).allow_failure();
        let inside = group("load", || takes(ROWS.latest())).after(first);
        takes(ROWS.latest()).named("beside");
        takes(1u64).named("last").after(inside);
    }
    let report = Simulation::new(reads()).updated("0s", &ROWS, 7u64).run();
    assert_eq!(report.output::<u64>("rows"), Some(7), "{}", report.timeline());
    // A node after the group waits for the group's task, which waits for the failed node.
    assert_eq!(report.node("load.takes").state(), UpstreamFailed);
    assert_eq!(report.node("beside").state(), Success);
}
