//! Commands on a run: skip, cancel, retry, and the end of the process.

use super::super::core::Core;
use super::super::effects::Answered;
use super::super::log::{Record, Skip};
use super::super::rules::Edit;
use super::super::state::Run;
use super::harness::{START, fold, spec};
use super::rules::{Bench, RUN, core};
use crate::author::value::Value;
use crate::engine::{NodeState, RunState};
use crate::prelude::*;
use std::sync::Arc;
use std::time::Duration;

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
async fn parts(n: u64) -> Result<Vec<u64>> {
    Ok(vec![n])
}
#[sensor(timeout = "10m", poke = "1m", mode = "poke")]
async fn look() -> Result<Poke<u64>> {
    Ok(Poke::NotYet)
}
async fn page(_: Notification) {}

#[pipeline(on_failure = page, on_success = page)]
fn chain() {
    let first = work(1u64).named("first").on_skipped(page);
    work(first).named("second");
    perhaps(first).named("other");
}

fn skip(node: &str) -> Edit {
    Edit::Skip { node: node.into() }
}

#[test]
fn a_node_is_skipped_while_it_runs_waits_for_its_retry_or_for_its_upstream() {
    let mut bench = Bench::new(&chain());
    bench.edit(&skip("first")).unwrap();
    assert_eq!((bench.state("first"), bench.aborts.len()), (NodeState::Skipped, 1));
    assert_eq!((bench.state("second"), bench.state("other")), (NodeState::Skipped, NodeState::Running));
    assert_eq!(bench.deliveries.iter().map(|(_, name)| name.as_str()).collect::<Vec<_>>(), ["on_skipped"]);
    let by_hand = |record: &Record| matches!(record, Record::Skipped { slot: 0, why: Skip::ByHand });
    assert!(bench.entries.iter().any(|entry| by_hand(&entry.record)));
    // The late answer of the attempt that was cut off changes nothing.
    bench.answer("first", Answered::Aborted);
    bench.succeed("other", 1);
    assert_eq!(bench.run().state(), RunState::Success);

    let mut bench = Bench::new(&chain());
    bench.edit(&skip("second")).unwrap();
    bench.succeed("first", 1);
    bench.succeed("other", 1);
    assert_eq!((bench.run().state(), bench.started()), (RunState::Success, vec!["first".to_owned(), "other".to_owned()]));
}

#[test]
fn a_failed_node_that_is_skipped_lets_the_run_succeed() {
    let mut bench = Bench::new(&chain());
    bench.answer("first", Answered::Fatal("503".into()));
    assert_eq!(bench.run().state(), RunState::Failed);
    bench.edit(&skip("first")).unwrap();
    assert_eq!((bench.state("second"), bench.state("other")), (NodeState::Skipped, NodeState::Running));
    bench.succeed("other", 1);
    assert_eq!(bench.run().state(), RunState::Success, "{}", fold(bench.run()));
}

#[test]
fn elements_are_skipped_with_their_mapping_or_alone() {
    #[pipeline]
    fn mapped() {
        list().each(|n| work(n)).named("all");
    }
    let unfolded = || {
        let mut bench = Bench::new(&mapped());
        bench.answer("list", Answered::Success(Value::new(vec![1u64, 2]), None));
        bench.succeed("work[0]", 1);
        bench
    };
    let mut bench = unfolded();
    bench.edit(&skip("all")).unwrap();
    assert_eq!((bench.state("work[0]"), bench.state("work[1]")), (NodeState::Success, NodeState::Skipped));
    assert_eq!((bench.state("all"), bench.run().state()), (NodeState::Skipped, RunState::Success));
    let mut bench = unfolded();
    bench.answer("work[1]", Answered::Fatal("503".into()));
    bench.edit(&skip("work[1]")).unwrap();
    assert_eq!((bench.state("all"), bench.run().state()), (NodeState::Skipped, RunState::Success), "{}", fold(bench.run()));
}

#[test]
fn what_cannot_be_done_is_refused_and_changes_nothing() {
    let mut bench = Bench::new(&chain());
    bench.succeed("first", 1);
    let before = fold(bench.run());
    let mut refused = |edit: &Edit| bench.edit(edit).unwrap_err().to_string();
    assert_eq!(refused(&skip("first")), "`first` cannot be skipped: it is success");
    assert_eq!(refused(&skip("third")), "it has no node `third`; `show test__0` lists those it has");
    assert_eq!(
        refused(&Edit::Retry { nodes: vec![], downstream: false }),
        "none of its nodes failed or was cut off; name those to retry"
    );
    assert_eq!(fold(bench.run()), before);
    bench.edit(&Edit::Cancel).unwrap();
    assert_eq!(bench.edit(&Edit::Cancel).unwrap_err().to_string(), "it has ended: it is cancelled");
}

#[test]
fn a_run_that_is_not_hosted_is_edited_before_anything_of_it_starts() {
    let mut bench = Bench::new(&chain());
    let mut gone_on = |edit: &Edit| {
        bench.core = core();
        bench.starts.clear();
        let run = Run::replay(spec(&bench.plan, RUN), START, &bench.entries).unwrap();
        let done = bench.core.resume_edited(run, edit, bench.now);
        let before = bench.entries.len();
        bench.take();
        let records = bench.entries.split_off(before);
        (done, bench.starts.len(), records)
    };
    let (done, starts, _) = gone_on(&Edit::Cancel);
    assert!(done.is_ok() && starts == 0);
    let (done, starts, records) = gone_on(&skip("first"));
    assert!(done.is_ok() && starts == 1, "`other` alone starts: {records:?}");
    assert!(!records.iter().any(|entry| matches!(entry.record, Record::Interrupted { .. })), "{records:?}");
    let (done, starts, records) = gone_on(&skip("third"));
    assert!(done.is_err() && starts == 0 && records.is_empty(), "{records:?}");
}

#[test]
fn a_runs_timeout_counts_anew_once_it_is_tried_again_after_its_end() {
    #[pipeline(timeout = "1h")]
    fn limited() {
        work(1u64);
    }
    let mut bench = Bench::new(&limited());
    bench.pass(1800);
    bench.answer("work", Answered::Fatal("503".into()));
    bench.retry(&[], false).unwrap();
    bench.pass(1800);
    assert_eq!(bench.run().state(), RunState::Running, "the first timer is of the time before");
    bench.crash(60);
    assert_eq!(bench.run().state(), RunState::Running);
    bench.pass(1800);
    assert_eq!(bench.run().state(), RunState::Failed);
}

#[test]
fn a_core_that_drains_starts_nothing_more_and_takes_what_was_under_way() {
    #[pipeline]
    fn draining() {
        work(work(1u64).named("first")).named("second");
        look().mode(crate::Mode::Poke).poke(Duration::from_secs(1));
    }
    let mut bench = Bench::new(&draining());
    bench.answer("look", Answered::NotYet(None));
    assert_eq!(bench.started(), ["first", "look"]);
    bench.core.drain();
    assert!(bench.core.is_busy());
    bench.succeed("first", 1);
    bench.pass(100);
    assert!(!bench.core.is_busy());
    assert_eq!((bench.started(), bench.state("second")), (vec![], NodeState::Scheduled));
    // The process that resumes it does both at once.
    bench.crash(1);
    bench.pass(0);
    assert_eq!(bench.started(), ["second", "look"]);
}

#[test]
fn a_run_is_forgotten_once_nothing_is_left_of_it() {
    let mut bench = Bench::new(&chain());
    assert!(!bench.core.forget(RUN).0);
    bench.edit(&Edit::Cancel).unwrap();
    assert!(!bench.core.forget(RUN).0, "an attempt is still to be answered, and somebody to be told");
    bench.answer("first", Answered::Aborted);
    while let Some((id, _)) = bench.deliveries.pop() {
        bench.core.delivered(RUN, id, Ok(()), bench.now);
        bench.take();
    }
    assert!(bench.core.forget(RUN).0 && bench.core.run(RUN).is_none());
}

#[test]
fn what_is_retried_together_with_a_list_that_it_lies_within_deeper_waits_for_that() {
    #[pipeline]
    fn nested() {
        list().each(|n| parts(n).each(|part| work(part)));
    }
    let unfold = |bench: &mut Bench, id: &str, list: Vec<u64>| bench.answer(id, Answered::Success(Value::new(list), None));
    let mut bench = Bench::new(&nested());
    unfold(&mut bench, "list", vec![1, 2]);
    for (parts, work) in [("parts[0]", "work[0][0]"), ("parts[1]", "work[1][0]")] {
        unfold(&mut bench, parts, vec![1]);
        bench.succeed(work, 1);
    }
    assert_eq!(bench.run().state(), RunState::Success);
    bench.retry(&["list", "work[0][0]", "work[1][0]"], false).unwrap();
    let states = |bench: &Bench| ["list", "parts[0]", "work[0][0]"].map(|id| bench.state(id));
    assert_eq!(states(&bench), [NodeState::Running, NodeState::None, NodeState::None]);
    unfold(&mut bench, "list", vec![1]);
    assert_eq!(
        states(&bench),
        [NodeState::Success, NodeState::Running, NodeState::None],
        "the inner list was made of what is anew"
    );
    unfold(&mut bench, "parts[0]", vec![1]);
    assert_eq!(states(&bench), [NodeState::Success, NodeState::Success, NodeState::Running]);
    bench.succeed("work[0][0]", 1);
    assert_eq!(bench.run().state(), RunState::Success);
}

#[test]
fn a_run_that_an_edit_cannot_be_applied_to_keeps_no_slot() {
    let mut bench = Bench::new(&chain());
    let (plan, entries) = (Arc::clone(&bench.plan), std::mem::take(&mut bench.entries));
    let mut core = Core::new(1);
    let refused = core.resume_edited(Run::replay(spec(&plan, RUN), START, &entries).unwrap(), &skip("nobody"), START);
    assert!(refused.is_err());
    core.start(spec(&plan, RUN), START);
    assert_eq!(core.outbox().todo.starts.len(), 1, "the only slot is there to be had");
}

#[test]
fn a_list_that_was_made_anew_before_the_run_was_cancelled_is_what_its_mapping_repeats_after_a_retry() {
    #[pipeline]
    fn mapped() {
        let gate = work(1u64).named("gate");
        list().each(|n| work(n).named("item")).after(gate);
    }
    let unfold = |bench: &mut Bench, list: Vec<u64>| bench.answer("list", Answered::Success(Value::new(list), None));
    let mut bench = Bench::new(&mapped());
    bench.succeed("gate", 1);
    unfold(&mut bench, Vec::new());
    assert_eq!(bench.run().state(), RunState::Success);
    bench.retry(&["list", "gate"], false).unwrap();
    unfold(&mut bench, vec![7]);
    bench.edit(&Edit::Cancel).unwrap();
    bench.answer("gate", Answered::Aborted);
    bench.retry(&["gate"], false).unwrap();
    bench.succeed("gate", 1);
    bench.succeed("item[0]", 7);
    assert_eq!(bench.run().state(), RunState::Success);
}

/// Otherwise what was set up would stay.
#[test]
fn a_teardown_waits_for_what_it_takes_that_is_tried_again_where_the_run_is_cancelled() {
    #[task]
    async fn delete(machine: u64, address: u64) -> Result<u64> {
        Ok(machine + address)
    }
    #[pipeline]
    fn torn_down() {
        let address = work(work(1u64).named("name")).named("address");
        let machine = work(2u64).named("machine");
        machine.teardown(|machine| delete(machine, address), |machine| work(machine).named("train"));
        work(3u64).named("other");
    }
    for crashes in [false, true] {
        let mut bench = Bench::new(&torn_down());
        for node in ["name", "address", "machine"] {
            bench.succeed(node, 1);
        }
        bench.retry(&["name"], true).unwrap_err();
        bench.retry(&["address"], false).unwrap();
        bench.edit(&Edit::Cancel).unwrap();
        if crashes {
            bench.crash(1);
        }
        assert_eq!((bench.state("train"), bench.state("other")), (NodeState::Skipped, NodeState::Skipped));
        assert_eq!((bench.state("address"), bench.state("delete")), (NodeState::Running, NodeState::None));
        bench.succeed("address", 1);
        assert_eq!(bench.state("delete"), NodeState::Running);
        bench.succeed("delete", 1);
        assert_eq!(bench.run().state(), RunState::Cancelled);
    }
}
