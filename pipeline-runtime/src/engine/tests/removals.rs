//! Single cases: runs that are resumed with a plan that has lost nodes, or whose nodes take other inputs.

use super::super::effects::Answered;
use super::super::log::{Record, translate};
use super::super::rules::Edit;
use super::super::state::{Run, reconsider};
use super::harness::{START, spec};
use super::rules::{Bench, RUN};
use crate::engine::{NodeState, RunState};
use crate::plan::Accepts;
use crate::prelude::*;
use crate::{Pipeline, first_of};
use std::sync::Arc;

#[task]
async fn work(n: u64) -> Result<u64> {
    Ok(n)
}

#[task]
async fn list() -> Result<Vec<u64>> {
    Ok(Vec::new())
}

/// The process ends, and another resumes the run with that plan.
fn deployed(bench: &mut Bench, pipeline: &Pipeline) -> Result<(), String> {
    deployed_by(bench, pipeline, Accepts::Removals)
}

fn deployed_by(bench: &mut Bench, pipeline: &Pipeline, accepts: Accepts) -> Result<(), String> {
    let plan = Arc::new(pipeline.plan(&serde_json::Value::Null).unwrap());
    let remap = plan.match_skeleton(&bench.plan.skeleton(), accepts).map_err(|error| error.to_string())?;
    let mut remap = remap.expect("it has changed");
    let records: Vec<&Record> = bench.entries.iter().map(|entry| &entry.record).collect();
    remap.reopen(reconsider(&plan, &remap, &records)?);
    translate(&mut bench.entries, &remap, |entry| &mut entry.record);
    bench.plan = plan;
    Ok(())
}

#[pipeline]
fn chain() {
    let a = work(1u64).named("a");
    work(work(a).named("b")).named("c");
    work(2u64).named("other");
}

#[pipeline]
fn without_a() {
    work(work(7u64).named("b")).named("c");
    work(2u64).named("other");
}

#[test]
fn what_was_decided_because_of_a_node_that_is_gone_is_decided_again() {
    for answer in [Answered::Fatal("broken".into()), Answered::Skip("nothing to do".into())] {
        let mut bench = Bench::new(&chain());
        bench.answer("a", answer);
        assert!(bench.state("c").is_end());
        deployed(&mut bench, &without_a()).unwrap();
        bench.crash(1);
        assert_eq!(bench.started(), ["b", "other"]);
        bench.succeed("b", 7);
        bench.succeed("c", 7);
        bench.succeed("other", 2);
        assert_eq!(bench.run().state(), RunState::Success);
    }
}

#[test]
fn what_has_succeeded_stays_so_and_what_was_cut_off_by_hand_too() {
    let mut bench = Bench::new(&chain());
    bench.succeed("a", 1);
    bench.succeed("b", 1);
    bench.edit(&super::super::rules::Edit::Skip { node: "c".into() }).unwrap();
    deployed(&mut bench, &without_a()).unwrap();
    bench.crash(1);
    assert_eq!((bench.state("b"), bench.state("c")), (NodeState::Success, NodeState::Skipped));
    assert_eq!(bench.started(), ["other"]);
}

#[test]
fn what_a_race_came_to_is_not_decided_again() {
    #[pipeline]
    fn three() {
        let racers = ["x", "y", "z"].map(|name| work(1u64).named(name));
        work(first_of(racers).named("first")).named("after").after(work(9u64).named("slow"));
    }
    #[pipeline]
    fn two() {
        let racers = ["y", "z"].map(|name| work(1u64).named(name));
        work(first_of(racers).named("first")).named("after").after(work(9u64).named("slow"));
    }
    let mut bench = Bench::new(&three());
    bench.succeed("x", 1);
    assert_eq!(deployed(&mut bench, &two()).unwrap_err(), "first");
    // A race without a winner continues with the remaining runners.
    let mut bench = Bench::new(&three());
    bench.answer("x", Answered::Fatal("broken".into()));
    deployed(&mut bench, &two()).unwrap();
    bench.crash(1);
    bench.succeed("z", 3);
    assert_eq!(bench.state("y"), NodeState::Skipped);
}

#[test]
fn a_race_that_all_lost_is_refused_where_one_of_them_runs_after_all() {
    #[pipeline]
    fn lost() {
        let a = work(1u64).named("a");
        let racers = [work(2u64).named("x").after(a), work(3u64).named("y")];
        work(first_of(racers).named("first")).named("after");
        work(4u64).named("other");
    }
    #[pipeline]
    fn without_a() {
        let racers = [work(2u64).named("x"), work(3u64).named("y")];
        work(first_of(racers).named("first")).named("after");
        work(4u64).named("other");
    }
    for answer in [|| Answered::Skip("no".into()), || Answered::Fatal("broken".into())] {
        let mut bench = Bench::new(&lost());
        bench.answer("y", answer());
        bench.answer("a", answer());
        assert_eq!(deployed(&mut bench, &without_a()).unwrap_err(), "first");
    }
}

#[test]
fn a_mapping_that_has_expanded_over_another_list_is_refused() {
    #[pipeline]
    fn mapped() {
        list().named("one").each(|n| work(n).named("inner")).named("all");
    }
    #[pipeline]
    fn of_another() {
        list().named("other").each(|n| work(n).named("inner")).named("all");
    }
    let mut bench = Bench::new(&mapped());
    bench.answer("one", Answered::Success(crate::author::value::Value::new(vec![1u64, 2, 3]), None));
    assert_eq!(deployed(&mut bench, &of_another()).unwrap_err(), "all");
}

#[test]
fn elements_that_ended_because_of_something_around_their_mapping_are_refused() {
    #[pipeline]
    fn around() {
        let outer = work(work(1u64).named("a")).named("h");
        list().each(|n| work(n).named("inner").after(outer)).named("all");
    }
    #[pipeline]
    fn around_without() {
        let outer = work(7u64).named("h");
        list().each(|n| work(n).named("inner").after(outer)).named("all");
    }
    let mut bench = Bench::new(&around());
    bench.answer("list", Answered::Success(crate::author::value::Value::new(vec![1u64, 2]), None));
    bench.answer("a", Answered::Skip("no".into()));
    assert!(deployed(&mut bench, &around_without()).is_err());
}

#[test]
fn the_loser_of_a_race_stays_cut_off_where_something_else_is_gone() {
    #[pipeline]
    fn race() {
        work(first_of(["x", "y"].map(|name| work(1u64).named(name))).named("first")).named("after");
        work(4u64).named("report");
    }
    #[pipeline]
    fn without_report() {
        work(first_of(["x", "y"].map(|name| work(1u64).named(name))).named("first")).named("after");
    }
    let mut bench = Bench::new(&race());
    bench.crash(1);
    bench.crash(1);
    bench.succeed("x", 1);
    assert_eq!(bench.state("y"), NodeState::Skipped);
    deployed(&mut bench, &without_report()).unwrap();
    bench.crash(1);
    assert_eq!((bench.state("y"), bench.started()), (NodeState::Skipped, vec!["after".to_owned()]));
}

/// A node that ended before it gained an upstream keeps its result, one under way continues, and only nodes that have not begun
/// wait.
#[test]
fn an_order_that_is_new_holds_for_what_has_not_begun() {
    #[pipeline]
    fn later() {
        let new = work(5u64).named("new");
        let a = work(1u64).named("a");
        work(work(a).named("b").after(new)).named("c").after(new);
        work(2u64).named("other").after(new);
    }
    for of_new in [Answered::Success(crate::author::value::Value::new(5u64), None), Answered::Fatal("broken".into())] {
        let has_failed = matches!(of_new, Answered::Fatal(_));
        let mut bench = Bench::new(&chain());
        bench.succeed("a", 1);
        // `b` and `other` are under way, and `c` has not begun.
        deployed(&mut bench, &later()).unwrap();
        bench.crash(1);
        let mut started = bench.started();
        started.sort();
        assert_eq!(started, ["b", "new", "other"]);
        bench.succeed("b", 1);
        assert_eq!((bench.state("c"), bench.started()), (NodeState::None, vec![]), "`c` waits");
        bench.answer("new", of_new);
        assert_eq!(bench.state("other"), NodeState::Running, "what goes on is not decided by it");
        // Another process reads the same state, without the plan that the run began with.
        bench.crash(1);
        bench.succeed("other", 2);
        if has_failed {
            assert_eq!((bench.state("b"), bench.state("c")), (NodeState::Success, NodeState::UpstreamFailed));
            assert_eq!(bench.run().state(), RunState::Failed);
            bench.retry(&[], false).unwrap();
            bench.succeed("new", 5);
        }
        assert_eq!(bench.state("b"), NodeState::Success);
        bench.succeed("c", 1);
        assert_eq!(bench.run().state(), RunState::Success);
        // A manual retry waits for the inputs of the present plan.
        bench.retry(&["other"], false).unwrap();
        bench.retry(&["new"], false).unwrap_err();
    }
}

#[test]
fn an_order_before_a_mapping_that_has_expanded_does_not_hold_it_back() {
    #[pipeline]
    fn mapped() {
        list().each(|n| work(n).named("inner")).named("all");
    }
    #[pipeline]
    fn later() {
        let new = work(5u64).named("new");
        let list = list();
        let all = list.each(|n| work(n).named("inner").after(new)).named("all");
        all.after(new);
    }
    for broken in [false, true] {
        let mut bench = Bench::new(&mapped());
        bench.answer("list", Answered::Success(crate::author::value::Value::new(vec![1u64, 2]), None));
        bench.succeed("inner[0]", 1);
        deployed(&mut bench, &later()).unwrap();
        bench.crash(1);
        if broken {
            bench.answer("new", Answered::Fatal("broken".into()));
        }
        bench.succeed("inner[1]", 2);
        assert_eq!((bench.state("inner[1]"), bench.state("all")), (NodeState::Success, NodeState::Success));
        if !broken {
            bench.succeed("new", 5);
        }
        assert_eq!(bench.run().state(), if broken { RunState::Failed } else { RunState::Success });
    }
}

#[test]
fn what_is_under_way_without_an_input_that_it_takes_now_is_refused() {
    #[pipeline]
    fn of_another() {
        let new = work(5u64).named("new");
        work(work(new).named("b")).named("c");
        work(2u64).named("other");
    }
    let mut bench = Bench::new(&chain());
    bench.succeed("a", 1);
    deployed(&mut bench, &of_another()).unwrap();
    let run = Run::replay(spec(&bench.plan, RUN), START, &bench.entries).unwrap();
    assert_eq!(run.without_input().map(|slot| run.id(slot)).as_deref(), Some("b"));
    // A node that has ended keeps its output.
    let mut bench = Bench::new(&chain());
    bench.succeed("a", 1);
    bench.succeed("b", 1);
    deployed(&mut bench, &of_another()).unwrap();
    bench.crash(1);
    assert_eq!((bench.state("b"), bench.run().without_input()), (NodeState::Success, None));
    for node in ["new", "c", "other"] {
        bench.succeed(node, 1);
    }
    assert_eq!(bench.run().state(), RunState::Success);
}

/// A sensor before a node that depends on its past has no work of its own.
#[test]
fn a_run_goes_on_where_a_node_depends_on_its_past_no_more_or_only_now() {
    #[pipeline(schedule = "@daily")]
    fn plain() {
        work(work(1u64).named("a")).named("load");
    }
    #[pipeline(schedule = "@daily")]
    fn depending() {
        work(work(1u64).named("a")).named("load").depends_on_past(true);
    }
    let go_on = |bench: &mut Bench, pipeline: &Pipeline| {
        deployed_by(bench, pipeline, Accepts::Additions).unwrap();
        bench.crash(1);
    };
    // The wait ends with the node that it was for, and the nodes that it held back continue.
    let mut bench = Bench::new(&depending());
    bench.succeed("a", 1);
    assert_eq!((bench.state("load.past"), bench.state("load")), (NodeState::Running, NodeState::None));
    go_on(&mut bench, &plain());
    assert_eq!(bench.started(), ["load"]);
    bench.succeed("load", 1);
    assert_eq!(bench.run().state(), RunState::Success);
    // Decisions that followed from the wait are made again.
    let mut bench = Bench::new(&depending());
    bench.edit(&Edit::Skip { node: "load.past".into() }).unwrap();
    assert_eq!(bench.state("load"), NodeState::Skipped);
    go_on(&mut bench, &plain());
    bench.succeed("a", 1);
    bench.succeed("load", 1);
    assert_eq!(bench.run().state(), RunState::Success);
    // A node that has begun waits for no past.
    let mut bench = Bench::new(&plain());
    bench.succeed("a", 1);
    go_on(&mut bench, &depending());
    let mut started = bench.started();
    started.sort();
    assert_eq!(started, ["load", "load.past"]);
    bench.succeed("load", 1);
    assert_eq!((bench.state("load.past"), bench.run().state()), (NodeState::Skipped, RunState::Success));
    // A node that an author has named so is no such sensor.
    #[pipeline]
    fn named() {
        work(1u64).named("load.past");
        work(2u64).named("load");
    }
    #[pipeline]
    fn gone() {
        work(2u64).named("load");
    }
    let error = deployed_by(&mut Bench::new(&named()), &gone(), Accepts::Additions).unwrap_err();
    assert!(error.contains("`load.past` is not in it any more"), "{error}");
}

#[test]
fn what_a_mapping_repeats_is_no_matter_of_acceptance() {
    #[pipeline]
    fn mapped() {
        list().each(|n| work(work(n).named("inner")).named("outer"));
    }
    #[pipeline]
    fn shorter() {
        list().each(|n| work(n).named("outer"));
    }
    let mut bench = Bench::new(&mapped());
    let error = deployed(&mut bench, &shorter()).unwrap_err();
    assert!(error.contains("`outer` took `inner`") && !error.contains("--accept-removed"), "{error}");
}

#[test]
fn a_mapping_that_is_gone_is_dropped_with_its_elements_if_it_has_not_expanded() {
    #[pipeline]
    fn mapped() {
        let all = list().each(|n| work(n).named("inner")).named("all");
        let others = list().named("others").each(|n| work(n).named("other")).named("rest");
        let _ = (all, others);
    }
    #[pipeline]
    fn one() {
        list().named("others").each(|n| work(n).named("other")).named("rest");
    }
    let mut bench = Bench::new(&mapped());
    bench.answer("others", Answered::Success(crate::author::value::Value::new(vec![1u64, 2]), None));
    assert!(bench.started().contains(&"other[0]".to_owned()));
    bench.succeed("other[0]", 1);
    deployed(&mut bench, &one()).unwrap();
    bench.crash(1);
    assert_eq!((bench.state("other[0]"), bench.started()), (NodeState::Success, vec!["other[1]".to_owned()]));
    bench.succeed("other[1]", 2);
    assert_eq!(bench.run().state(), RunState::Success);
}

/// The records do not say which nodes are teardowns, so a run that is ending continues by the present plan.
#[test]
fn a_run_that_is_ending_goes_on_although_what_it_tears_down_by_is_no_teardown_any_more() {
    #[pipeline]
    fn torn_down() {
        let machine = work(1u64).named("machine");
        machine.teardown(|machine| work(machine).named("delete"), |machine| work(machine).named("train"));
    }
    #[pipeline]
    fn plain() {
        let machine = work(1u64).named("machine");
        let train = work(machine).named("train");
        work(machine).named("delete").after(train.ended());
    }
    let mut bench = Bench::new(&torn_down());
    bench.succeed("machine", 1);
    bench.edit(&Edit::Cancel).unwrap();
    assert_eq!(bench.started(), ["machine", "train", "delete"]);
    bench.plan = Arc::new(plain().plan(&serde_json::Value::Null).unwrap());
    bench.crash(1);
    assert_eq!((bench.run().state(), bench.started()), (RunState::Cancelled, vec![]));
    assert_eq!(bench.state("delete"), NodeState::Skipped);
}
