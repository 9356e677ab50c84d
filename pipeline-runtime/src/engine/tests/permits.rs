//! Permits: who owns one and until when, and how long a poke waits for one.

use super::super::core::Core;
use super::super::effects::Answered;
use super::super::log::{Record, Skip};
use super::super::rules::Edit;
use super::harness::{START, spec};
use super::rules::{Bench, RUN};
use crate::author::value::Value;
use crate::engine::{NodeState, RunState};
use crate::prelude::*;
use crate::{Mode, OnTimeout};
use std::sync::Arc;
use std::time::Duration;

static ONE: Pool = Pool::new("one", 1);

#[task]
async fn work(n: u64) -> Result<u64> {
    Ok(n)
}
#[task]
async fn list() -> Result<Vec<u64>> {
    Ok(Vec::new())
}
#[sensor(timeout = "10m", poke = "1m")]
async fn look() -> Result<Poke<u64>> {
    Ok(Poke::NotYet)
}

fn used(bench: &mut Bench) -> u32 {
    bench.core.shared().pools.used().find(|(name, _)| *name == "one").map_or(0, |(_, used)| used)
}

fn lists(bench: &mut Bench, items: Vec<u64>) {
    bench.answer("list", Answered::Success(Value::new(items), None));
}

#[pipeline]
fn mapped() {
    list().each(|n| work(n).pool(&ONE).named("item"));
    work(9u64).named("other");
}

#[test]
fn a_list_is_not_retried_while_an_element_that_was_cut_off_keeps_its_thread() {
    let mut bench = Bench::new(&mapped());
    lists(&mut bench, vec![1]);
    bench.edit(&Edit::Skip { node: "item[0]".into() }).unwrap();
    let refused = bench.retry(&["list"], true).unwrap_err().to_string();
    assert!(refused.contains("the last attempt of `item[0]` was cut off and has not given its thread back"), "{refused}");
    assert_eq!(used(&mut bench), 1);
    bench.answer("item[0]", Answered::Aborted);
    assert_eq!(used(&mut bench), 0);
    bench.retry(&["list"], true).unwrap();
    lists(&mut bench, vec![1]);
    bench.succeed("item[0]", 1);
    assert_eq!((used(&mut bench), bench.state("item[0]")), (0, NodeState::Success));
}

#[test]
fn an_element_that_moves_while_its_thread_is_not_back_loses_neither_its_permit_nor_its_answer() {
    #[pipeline]
    fn limited() {
        list().each(|n| work(n).pool(&ONE).timeout(Duration::from_secs(10)).named("item"));
        work(9u64).named("other");
    }
    let mut bench = Bench::new(&limited());
    lists(&mut bench, vec![1]);
    // It fails by its limit; its thread continues.
    bench.pass(10);
    assert_eq!((bench.state("item[0]"), used(&mut bench)), (NodeState::Failed, 1));
    let started = bench.slot("item[0]");
    bench.retry(&["list"], false).unwrap();
    lists(&mut bench, vec![1, 2]);
    assert_ne!(bench.slot("item[0]"), started, "it is elsewhere");
    assert!(bench.is_in_flight("item[0]"));
    let job = *bench.jobs.iter().find(|job| job.slot == started).unwrap();
    bench.core.answer(job, Answered::Aborted.into(), bench.now);
    bench.take();
    assert!(!bench.is_in_flight("item[0]"));
    bench.succeed("item[1]", 2);
    bench.succeed("other", 9);
    assert_eq!((used(&mut bench), bench.core.is_busy()), (0, false));
    // It failed, and was not among the retried nodes.
    assert_eq!(bench.run().state(), RunState::Failed);
}

#[pipeline]
fn held_up() {
    look().pool(&ONE);
    work(1u64).pool(&ONE).named("long").after(work(0u64).named("before"));
}

/// The sensor waits for its second poke, and the only permit is in use.
fn without_permit(pipeline: &crate::Pipeline) -> Bench {
    let mut bench = Bench::new(pipeline);
    bench.answer("look", Answered::NotYet(None));
    bench.succeed("before", 0);
    assert_eq!(bench.state("long"), NodeState::Running);
    bench
}

#[test]
fn a_sensors_deadline_holds_while_it_waits_for_a_permit() {
    let mut bench = without_permit(&held_up());
    for _ in 0..9 {
        bench.pass(60);
        assert_eq!(bench.state("look"), NodeState::UpForReschedule);
    }
    bench.pass(60);
    assert_eq!(bench.state("look"), NodeState::Failed);
    let error = bench.run().node(bench.slot("look")).failure().unwrap().error().to_owned();
    assert_eq!(error, "timed out: not ready within 10m (1 poke); its last poke found its pool full until then");
    // Its entry in the queue is stale.
    bench.succeed("long", 1);
    assert_eq!((used(&mut bench), bench.run().state()), (0, RunState::Failed));
}

#[test]
fn a_permit_that_is_free_at_the_deadline_is_for_the_last_poke() {
    let mut bench = without_permit(&held_up());
    bench.now = bench.now + Duration::from_mins(10);
    bench.succeed("long", 1);
    bench.pass(0);
    assert_eq!((bench.state("look"), bench.started().last().cloned()), (NodeState::Running, Some("look".into())));
    bench.succeed("look", 7);
    assert_eq!(bench.run().state(), RunState::Success);
}

#[test]
fn a_permit_that_comes_after_the_deadline_and_before_its_timer_ends_the_wait() {
    let mut bench = without_permit(&held_up());
    bench.pass(60);
    bench.now = bench.now + Duration::from_mins(10);
    bench.succeed("long", 1);
    assert_eq!((bench.state("look"), used(&mut bench)), (NodeState::Failed, 0));
}

#[pipeline]
fn skips() {
    look().pool(&ONE).on_timeout(OnTimeout::Skip);
    work(1u64).pool(&ONE).named("long").after(work(0u64).named("before"));
}
#[pipeline]
fn renews() {
    look().pool(&ONE).on_timeout(OnTimeout::Retry).retries(1).retry_delay(Duration::from_secs(5));
    work(1u64).pool(&ONE).named("long").after(work(0u64).named("before"));
}

#[test]
fn a_wait_for_a_permit_that_outlasts_the_budget_ends_as_the_sensor_says() {
    let mut bench = without_permit(&skips());
    bench.pass(60);
    bench.pass(540);
    assert_eq!(bench.state("look"), NodeState::Skipped);
    let mut bench = without_permit(&renews());
    bench.pass(60);
    bench.pass(540);
    assert_eq!(bench.state("look"), NodeState::UpForRetry);
    bench.pass(5);
    bench.succeed("long", 1);
    assert_eq!(bench.state("look"), NodeState::Running, "the budget is a new one");
    bench.answer("look", Answered::NotYet(None));
    bench.pass(599);
    assert!(!bench.state("look").is_end());
}

#[test]
fn a_sensor_in_mode_poke_has_its_permit_between_pokes_also_after_a_crash() {
    #[pipeline]
    fn pokes() {
        look().pool(&ONE).mode(Mode::Poke);
        work(1u64).pool(&ONE).named("waits").after(work(0u64).named("before"));
    }
    let mut bench = Bench::new(&pokes());
    bench.answer("look", Answered::NotYet(None));
    bench.crash(1);
    bench.succeed("before", 0);
    assert_eq!((used(&mut bench), bench.state("waits")), (1, NodeState::Scheduled));
    bench.pass(59);
    bench.succeed("look", 1);
    bench.succeed("waits", 1);
    assert_eq!((used(&mut bench), bench.run().state()), (0, RunState::Success));
}

#[test]
fn no_limit_counts_before_bodies_can_run() {
    #[pipeline]
    fn short() {
        work(1u64).timeout(Duration::from_millis(10)).retries(1);
    }
    let plan = Arc::new(short().plan(&serde_json::Value::Null).unwrap());
    let mut core = Core::new(1);
    core.hold();
    core.start(spec(&plan, RUN), START);
    core.advance(START + Duration::from_secs(5));
    assert!(core.outbox().todo.starts.is_empty() && core.outbox().records.is_empty());
    core.open(START + Duration::from_secs(5));
    let job = core.outbox().todo.starts[0];
    core.advance(START + Duration::from_secs(5) + Duration::from_millis(9));
    assert!(core.is_under_way(job));
    core.advance(START + Duration::from_secs(5) + Duration::from_millis(10));
    assert!(!core.is_under_way(job));
}

#[test]
fn timers_of_runs_that_were_forgotten_are_dropped() {
    #[pipeline(timeout = "1d", sla = "1h", on_sla_miss = page)]
    fn limited() {
        work(1u64).sla(Duration::from_hours(1));
    }
    async fn page(_: Notification) {}
    let plan = Arc::new(limited().plan(&serde_json::Value::Null).unwrap());
    let mut core = Core::new(1);
    for run in 0..10_000 {
        core.start(spec(&plan, run), START);
        let job = core.outbox().todo.starts.pop_back().unwrap();
        core.answer(job, Answered::Success(Value::new(1u64), None).into(), START);
        *core.outbox() = super::super::effects::Outbox::default();
        assert!(core.forget(run).0);
    }
    // Three each, of which those of about the last thousand may remain.
    assert!(core.shared().timers.len() < 10_000, "{} timers", core.shared().timers.len());
}

#[test]
fn pokes_that_wait_for_a_permit_leave_one_timer() {
    let mut bench = without_permit(&held_up());
    for _ in 0..1000 {
        let change = bench.run().node(bench.slot("look")).starts();
        bench.core.wake(RUN, bench.slot("look"), change, bench.now);
        bench.now = bench.now + Duration::from_millis(200);
        bench.core.advance(bench.now);
        bench.take();
    }
    assert!(bench.core.shared().timers.len() < 8, "{} timers", bench.core.shared().timers.len());
}

#[pipeline]
fn raced() {
    let (one, two) = (look().named("one"), look().named("two"));
    let gate = first_of([one, two]).named("either");
    work(gate).named("after");
    work(two).named("beside");
}
#[pipeline]
fn spread() {
    list().each(|n| work(n)).named("all");
    work(work(1u64).named("first")).named("second");
}

#[test]
fn a_gate_that_is_skipped_cuts_off_what_fed_only_it() {
    let mut bench = Bench::new(&raced());
    bench.edit(&Edit::Skip { node: "either".into() }).unwrap();
    let states = ["one", "two", "after"].map(|id| bench.state(id));
    assert_eq!(states, [NodeState::Skipped, NodeState::Running, NodeState::Skipped]);
    let cut = |record: &Record| matches!(record, Record::Skipped { why: Skip::CutOff, .. });
    assert_eq!(bench.entries.iter().filter(|entry| cut(&entry.record)).count(), 1);
    // The other one ends once no consumer wants it.
    bench.edit(&Edit::Skip { node: "beside".into() }).unwrap();
    bench.answer("one", Answered::Aborted);
    bench.answer("two", Answered::Aborted);
    assert_eq!(bench.run().state(), RunState::Success);
}

#[test]
fn a_mapping_that_is_skipped_cuts_off_its_list_and_a_task_leaves_its_upstreams() {
    let mut bench = Bench::new(&spread());
    bench.edit(&Edit::Skip { node: "all".into() }).unwrap();
    bench.edit(&Edit::Skip { node: "second".into() }).unwrap();
    assert_eq!(["list", "first"].map(|id| bench.state(id)), [NodeState::Skipped, NodeState::Running]);
}
