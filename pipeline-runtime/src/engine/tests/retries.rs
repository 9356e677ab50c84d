//! Manual retries: of runs that have ended or not, across a crash, a deployment, a timeout or a cancel.

use super::super::effects::Answered;
use super::super::log::{Record, translate};
use super::super::rules::Edit;
use super::super::state::Run;
use super::harness::{START, fold, spec};
use super::rules::{Bench, RUN, core};
use crate::author::value::Value;
use crate::engine::{NodeState, RunState};
use crate::plan::Accepts;
use crate::prelude::*;
use std::sync::Arc;
use std::time::Duration;

static ONE: crate::Pool = crate::Pool::new("one", 1);

#[task]
async fn work(n: u64) -> Result<u64> {
    Ok(n)
}
#[task]
async fn perhaps(n: Option<u64>) -> Result<u64> {
    Ok(n.unwrap_or(0))
}
#[task]
async fn list() -> Result<Vec<u64>> {
    Ok(Vec::new())
}
#[task]
async fn total(all: Vec<u64>) -> Result<u64> {
    Ok(all.iter().sum())
}
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize, Branch)]
enum Direction {
    Left(u64),
    Right(u64),
}
#[branch]
async fn fork() -> Result<Direction> {
    Ok(Direction::Left(1))
}
async fn page(_: Notification) {}

#[pipeline]
fn two() {
    work(work(1u64).named("first")).named("second");
    work(9u64).named("other");
}

fn fails(bench: &mut Bench, id: &str) {
    bench.answer(id, Answered::Fatal("503".into()));
}

fn lists(bench: &mut Bench, id: &str, items: Vec<u64>) {
    bench.answer(id, Answered::Success(Value::new(items), None));
}

/// The process ends, and the next one retries all that did not succeed.
fn retried_by_the_next_process(bench: &mut Bench) {
    bench.core = core();
    let run = Run::replay(spec(&bench.plan, RUN), START, &bench.entries).unwrap();
    let retry = Edit::Retry { nodes: Vec::new(), downstream: false };
    bench.core.resume_edited(run, &retry, bench.now).unwrap();
    bench.take();
}

// ---- what followed from what is retried

#[test]
fn what_followed_from_a_failure_is_not_decided_again_once_it_is_retried() {
    let by_another_process: fn(&mut Bench) = retried_by_the_next_process;
    let before_a_crash: fn(&mut Bench) = |bench| {
        bench.retry(&["first"], false).unwrap();
        bench.crash(1);
    };
    for retried in [by_another_process, before_a_crash] {
        let mut bench = Bench::new(&two());
        fails(&mut bench, "first");
        assert_eq!(bench.state("second"), NodeState::UpstreamFailed);
        retried(&mut bench);
        assert_eq!((bench.state("first"), bench.state("second")), (NodeState::Running, NodeState::None));
        bench.succeed("first", 1);
        bench.succeed("other", 9);
        assert_eq!(bench.run().state(), RunState::Running, "`second` is still to run");
        bench.succeed("second", 2);
        assert_eq!(bench.run().state(), RunState::Success);
    }
}

#[test]
fn a_list_that_is_retried_while_another_branch_runs_expands_once_it_is_there_again() {
    #[pipeline]
    fn mapped() {
        total(list().each(|n| work(n)).named("all"));
        work(9u64).named("other");
    }
    let mut bench = Bench::new(&mapped());
    lists(&mut bench, "list", vec![1, 2]);
    bench.succeed("work[0]", 1);
    bench.succeed("work[1]", 2);
    bench.succeed("total", 3);
    bench.retry(&["list"], true).unwrap();
    bench.crash(1);
    assert_eq!(bench.state("all"), NodeState::None, "there is no list that it could expand");
    lists(&mut bench, "list", vec![1, 2, 3]);
    for n in 0..3 {
        bench.succeed(&format!("work[{n}]"), n + 1);
    }
    bench.succeed("total", 6);
    bench.succeed("other", 9);
    assert_eq!(bench.run().state(), RunState::Success);
}

#[test]
fn a_branch_that_is_retried_may_take_the_other_arm_also_after_a_crash() {
    #[pipeline]
    fn forked() {
        let DirectionArms { left, right } = fork();
        work(left).named("on_left");
        work(right).named("on_right");
        work(9u64).named("other");
    }
    let mut bench = Bench::new(&forked());
    bench.answer("fork", Answered::Success(Value::new(Direction::Left(1)), None));
    bench.succeed("on_left", 1);
    bench.retry(&["fork"], true).unwrap();
    bench.crash(1);
    assert_eq!(bench.state("fork.right"), NodeState::None, "the branch has not answered yet");
    bench.answer("fork", Answered::Success(Value::new(Direction::Right(2)), None));
    assert_eq!((bench.state("on_left"), bench.state("on_right")), (NodeState::Skipped, NodeState::Running));
}

#[test]
fn a_cleanup_waits_while_what_failed_is_retried() {
    #[task]
    async fn clean(of: Failure) -> Result<u64> {
        Ok(u64::from(of.attempts()))
    }
    #[pipeline]
    fn cleaned() {
        let first = work(1u64).named("first");
        clean(first.failure());
        work(9u64).named("other");
    }
    let mut bench = Bench::new(&cleaned());
    fails(&mut bench, "first");
    bench.succeed("clean", 1);
    bench.retry(&["first"], true).unwrap();
    bench.crash(1);
    assert_eq!((bench.state("first.failure"), bench.state("clean")), (NodeState::None, NodeState::None));
    bench.succeed("first", 1);
    bench.succeed("other", 1);
    assert_eq!((bench.state("clean"), bench.run().state()), (NodeState::Skipped, RunState::Success));
}

#[test]
fn who_takes_what_was_skipped_runs_on_after_a_crash() {
    #[pipeline]
    fn optional() {
        perhaps(work(1u64).named("first"));
        work(9u64).named("other");
    }
    let mut bench = Bench::new(&optional());
    fails(&mut bench, "first");
    bench.edit(&Edit::Skip { node: "first".into() }).unwrap();
    assert_eq!(bench.state("perhaps"), NodeState::Running);
    bench.crash(1);
    assert_eq!(bench.state("perhaps"), NodeState::Running);
}

#[test]
fn what_still_waits_waits_again_for_an_upstream_that_is_retried() {
    #[pipeline]
    fn joined() {
        total([work(1u64).named("first"), work(2u64).named("slow")]);
    }
    for crash in [false, true] {
        let mut bench = Bench::new(&joined());
        bench.succeed("first", 1);
        bench.retry(&["first"], false).unwrap();
        bench.succeed("slow", 2);
        if crash {
            bench.crash(1);
        }
        assert_eq!(bench.state("total"), NodeState::None, "`first` is not there");
        bench.succeed("first", 1);
        assert_eq!(bench.state("total"), NodeState::Running);
    }
}

#[test]
fn a_node_is_not_retried_while_what_takes_its_output_is_under_way() {
    let mut bench = Bench::new(&two());
    bench.succeed("first", 1);
    let refused = bench.retry(&["first"], false).unwrap_err().to_string();
    assert_eq!(refused, "`first` cannot be retried while `second`, which depends on it, is running");
}

// ---- deployments

/// A run of one plan, as a process with the other plan finds it.
fn deployed(bench: &mut Bench, plan: &crate::Pipeline) {
    let plan = Arc::new(plan.plan(&serde_json::Value::Null).unwrap());
    let remap = plan.match_skeleton(&bench.plan.skeleton(), Accepts::Additions).unwrap();
    if let Some(remap) = &remap {
        translate(&mut bench.entries, remap, |entry| &mut entry.record);
    }
    bench.plan = plan;
}

#[pipeline]
fn before() {
    work(1u64).named("a");
}
#[pipeline]
fn after() {
    let fresh = work(5u64).named("fresh");
    let a = work(1u64).named("a");
    work(a).named("b").after(fresh);
}

#[test]
fn a_retried_run_runs_the_nodes_that_its_plan_has_gained() {
    let mut bench = Bench::new(&before());
    fails(&mut bench, "a");
    deployed(&mut bench, &after());
    retried_by_the_next_process(&mut bench);
    assert_eq!((bench.state("a"), bench.state("fresh")), (NodeState::Running, NodeState::Running));
    bench.succeed("a", 1);
    bench.succeed("fresh", 5);
    bench.succeed("b", 1);
    assert_eq!(bench.run().state(), RunState::Success);
    // So does a run retried by a process that hosted it for another reason, such as a due callback.
    let mut bench = Bench::new(&before());
    fails(&mut bench, "a");
    deployed(&mut bench, &after());
    bench.crash(1);
    assert_eq!((bench.run().state(), bench.started()), (RunState::Failed, vec![]));
    bench.retry(&[], false).unwrap();
    assert_eq!(bench.started(), ["fresh", "a"]);
}

#[test]
fn an_unfinished_run_runs_the_nodes_that_its_plan_has_gained() {
    let mut bench = Bench::new(&before());
    deployed(&mut bench, &after());
    bench.crash(1);
    assert_eq!(bench.started(), ["fresh", "a"]);
}

// ---- all that did not succeed

#[test]
fn retry_means_all_that_did_not_succeed_whatever_ended_it() {
    #[pipeline(timeout = "1h")]
    fn chains() {
        for n in 0..3u64 {
            work(work(n).named(format!("a{n}"))).named(format!("b{n}"));
        }
    }
    let timeout: fn(&mut Bench) = |bench| bench.pass(3600);
    let cancel: fn(&mut Bench) = |bench| bench.edit(&Edit::Cancel).unwrap();
    for (end, state) in [(timeout, RunState::Failed), (cancel, RunState::Cancelled)] {
        let ended = || {
            let mut bench = Bench::new(&chains());
            for n in 0..3 {
                bench.succeed(&format!("a{n}"), n);
            }
            end(&mut bench);
            for n in 0..3 {
                bench.answer(&format!("b{n}"), Answered::Aborted);
            }
            assert_eq!(bench.run().state(), state);
            bench.started();
            bench
        };
        let mut bench = ended();
        bench.retry(&[], false).unwrap();
        assert_eq!(bench.started(), ["b0", "b1", "b2"]);
        for n in 0..3 {
            bench.succeed(&format!("b{n}"), n);
        }
        assert_eq!(bench.run().state(), RunState::Success);
        // Retrying one of them leaves the others cut off, and a run with nodes that were cut off is no success.
        let mut bench = ended();
        bench.retry(&["b0"], false).unwrap();
        bench.succeed("b0", 0);
        assert_eq!((bench.state("b1"), bench.run().state()), (NodeState::Skipped, RunState::Failed));
    }
}

#[test]
fn a_removed_element_cannot_be_retried() {
    #[pipeline]
    fn mapped() {
        list().each(|n| work(n)).named("all");
    }
    let mut bench = Bench::new(&mapped());
    lists(&mut bench, "list", vec![1, 2]);
    bench.succeed("work[0]", 1);
    bench.succeed("work[1]", 2);
    bench.retry(&["list"], false).unwrap();
    lists(&mut bench, "list", vec![1]);
    assert_eq!(bench.run().state(), RunState::Success);
    let refused = bench.retry(&["work[1]"], false).unwrap_err().to_string();
    assert_eq!(refused, "`work[1]` is removed: its list no longer has it");
}

// ---- limits of the new life

#[pipeline(sla = "20m", on_sla_miss = page, escalate("60m" => page))]
fn late() {
    work(1u64).sla(Duration::from_mins(30)).on_sla_miss(page);
}

/// Returns how many callbacks are due for a missed SLA, of the run and of its node.
fn missed(bench: &Bench) -> (usize, usize) {
    let of_node = |record: &Record| match record {
        Record::CallbackDue { notification, .. } if notification.name() == "on_sla_miss" => Some(notification.node().is_some()),
        _ => None,
    };
    let all: Vec<bool> = bench.entries.iter().filter_map(|entry| of_node(&entry.record)).collect();
    (all.iter().filter(|of_node| !**of_node).count(), all.iter().filter(|of_node| **of_node).count())
}

#[test]
fn slas_and_the_ladder_count_anew_once_a_run_is_retried_after_its_end() {
    let live: fn(&mut Bench) = |bench| bench.retry(&[], false).unwrap();
    let by_another_process: fn(&mut Bench) = retried_by_the_next_process;
    for retry in [live, by_another_process] {
        let mut bench = Bench::new(&late());
        bench.pass(25 * 60);
        assert_eq!(missed(&bench), (1, 0));
        fails(&mut bench, "work");
        // Long after all its times.
        bench.pass(6 * 3600);
        assert_eq!(missed(&bench), (1, 0));
        retry(&mut bench);
        bench.pass(19 * 60);
        assert_eq!(missed(&bench), (1, 0), "twenty minutes from the retry");
        bench.pass(60);
        assert_eq!(missed(&bench), (2, 0));
        bench.crash(60);
        bench.pass(9 * 60);
        assert_eq!(missed(&bench), (2, 1), "each once in a life, also over a crash");
        bench.pass(30 * 60);
        assert_eq!(missed(&bench), (3, 1), "{}", fold(bench.run()));
    }
}

#[test]
fn a_nodes_sla_counts_from_its_retry_while_its_run_goes_on() {
    #[pipeline]
    fn beside() {
        work(1u64).sla(Duration::from_mins(30)).on_sla_miss(page).named("late");
        work(2u64).named("other");
    }
    let mut bench = Bench::new(&beside());
    bench.pass(31 * 60);
    assert_eq!(missed(&bench), (0, 1));
    fails(&mut bench, "late");
    bench.retry(&["late"], false).unwrap();
    bench.pass(29 * 60);
    assert_eq!(missed(&bench), (0, 1));
    bench.pass(60);
    assert_eq!(missed(&bench), (0, 2));
}

// ---- size

#[test]
fn fifty_thousand_failed_elements_are_retried_at_once() {
    #[pipeline]
    fn wide() {
        list().each(|n| work(n).pool(&MANY)).named("all");
    }
    static MANY: Pool = Pool::new("many", 100_000);
    const ELEMENTS: u64 = 50_000;
    let mut bench = Bench::new(&wide());
    // Comparing the worklists would be quadratic here.
    bench.core.shared().compares_worklists = false;
    lists(&mut bench, "list", (0..ELEMENTS).collect());
    let jobs: Vec<_> = bench.jobs.iter().copied().filter(|job| bench.run().id(job.slot).starts_with("work[")).collect();
    for job in jobs {
        bench.core.answer(job, Answered::Fatal("503".into()).into(), bench.now);
    }
    bench.take();
    assert_eq!(bench.run().state(), RunState::Failed);
    bench.started();
    bench.retry(&[], false).unwrap();
    assert_eq!(bench.starts.len() as u64, ELEMENTS);
}

#[test]
fn what_waits_for_a_permit_in_an_element_waits_for_it_where_the_element_is_now() {
    #[task]
    async fn pair() -> Result<Vec<u64>> {
        Ok(vec![1, 2])
    }
    #[pipeline]
    fn mapped() {
        work(0u64).pool(&ONE).priority(1).named("before");
        pair().each(|_| work(1u64).pool(&ONE));
    }
    let mut bench = Bench::new(&mapped());
    let two = || Answered::Success(Value::new(vec![1u64, 2]), None);
    bench.answer("pair", two());
    assert_eq!(bench.started(), ["pair", "before"]);
    bench.retry(&["pair"], false).unwrap();
    bench.answer("pair", two());
    bench.succeed("before", 0);
    bench.succeed("work[0]", 1);
    bench.succeed("work[1]", 1);
    assert_eq!(bench.run().state(), RunState::Success);
}
