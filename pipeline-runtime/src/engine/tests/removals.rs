//! Runs that go on with a plan that has lost nodes, or whose nodes take something else: by hand.

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

/// The process ends, and another finds the run by that plan.
fn deployed(bench: &mut Bench, pipeline: &Pipeline) -> Result<(), String> {
    let plan = Arc::new(pipeline.plan(&serde_json::Value::Null).unwrap());
    let remap = plan.match_skeleton(&bench.plan.skeleton(), Accepts::Removals).map_err(|error| error.to_string())?;
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
    // One that nobody has won goes on with those that still take part.
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

#[test]
fn a_node_that_ran_before_its_new_upstream_is_refused() {
    #[pipeline]
    fn later() {
        let new = work(5u64).named("new");
        work(work(7u64).named("b").after(new)).named("c");
        work(2u64).named("other");
    }
    let mut bench = Bench::new(&chain());
    bench.succeed("a", 1);
    bench.succeed("b", 1);
    deployed(&mut bench, &later()).unwrap();
    let error = Run::replay(spec(&bench.plan, RUN), START, &bench.entries).unwrap_err().to_string();
    assert!(error.contains("`b` is started while it is none"), "{error}");
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

/// Which nodes are teardowns the records do not say, so that a run which is ending goes on by whatever plan there is.
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
