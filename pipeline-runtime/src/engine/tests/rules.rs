//! Single cases that a simulation cannot show, because its bodies end in time or its process does not end.

use super::super::core::Core;
use super::super::effects::{Action, Answered, DeliveryError, Outbox, Todo};
use super::super::ids::{Job, RunIx, Slot};
use super::super::log::{Entry, Output, Record};
use super::super::rules::{Edit, EditError};
use super::super::state::Run;
use super::harness::{START, fold, spec};
use crate::author::value::Value;
use crate::engine::{NodeState, RunState};
use crate::plan::Plan;
use crate::prelude::*;
use crate::time::Timestamp;
use crate::{Mode, OnTimeout, Pipeline};
use std::sync::Arc;
use std::time::Duration;

static ONE: Pool = Pool::new("one", 1);

#[task]
async fn work(n: u64) -> Result<u64> {
    Ok(n)
}
#[sensor(timeout = "10m", poke = "1m")]
async fn look() -> Result<Poke<u64>> {
    Ok(Poke::NotYet)
}
#[task]
async fn list() -> Result<Vec<u64>> {
    Ok(Vec::new())
}
async fn page(_: Notification) {}

/// A core with one run, and everything that it produced.
pub(super) struct Bench {
    pub(super) core: Core,
    pub(super) plan: Arc<Plan>,
    pub(super) now: Timestamp,
    pub(super) entries: Vec<Entry>,
    /// All starts in this process.
    pub(super) jobs: Vec<Job>,
    /// The starts since the test last read them.
    pub(super) starts: Vec<Job>,
    pub(super) aborts: Vec<Slot>,
    pub(super) deliveries: Vec<(u32, String)>,
    /// The lists to be inspected, each with the number of its request.
    pub(super) list_queries: Vec<(Slot, u64)>,
}

pub(super) const RUN: RunIx = 0;

/// A core whose worklist is compared with a derived one after each decision.
pub(super) fn core() -> Core {
    let mut core = Core::new(128);
    core.shared().compares_worklists = true;
    core
}

impl Bench {
    pub(super) fn new(pipeline: &Pipeline) -> Self {
        let plan = Arc::new(pipeline.plan(&serde_json::Value::Null).unwrap());
        let mut bench = Self {
            core: core(),
            plan,
            now: START,
            entries: Vec::new(),
            jobs: Vec::new(),
            starts: Vec::new(),
            aborts: Vec::new(),
            deliveries: Vec::new(),
            list_queries: Vec::new(),
        };
        bench.core.start(spec(&bench.plan, RUN), START);
        bench.take();
        bench
    }

    pub(super) fn take(&mut self) {
        let Outbox { records, todo: Todo { starts, actions }, garbage: _ } = std::mem::take(self.core.outbox());
        self.jobs.extend(&starts);
        self.starts.extend(starts);
        self.entries.extend(records.iter().map(|(_, entry)| entry));
        for action in actions {
            match action {
                Action::Abort(job) => self.aborts.push(job.slot),
                Action::Deliver { id, notification, .. } => self.deliveries.push((id, notification.name().to_owned())),
                Action::Look { slot, number, .. } => self.list_queries.push((slot, number)),
                Action::Ended { .. } => {}
            }
        }
    }

    pub(super) fn pass(&mut self, secs: u64) {
        self.now = self.now + Duration::from_secs(secs);
        self.core.advance(self.now);
        self.take();
    }

    /// Answers the last start of the node.
    pub(super) fn answer(&mut self, id: &str, answer: Answered) {
        let slot = self.slot(id);
        let job = *self.jobs.iter().rfind(|job| job.slot == slot).expect("it was started");
        self.core.answer(job, answer.into(), self.now);
        self.take();
    }

    pub(super) fn succeed(&mut self, id: &str, n: u64) {
        self.answer(id, Answered::Success(Value::new(n), None));
    }

    pub(super) fn edit(&mut self, edit: &Edit) -> Result<(), EditError> {
        let done = self.core.edit(RUN, edit, self.now);
        self.take();
        done
    }

    pub(super) fn retry(&mut self, nodes: &[&str], downstream: bool) -> Result<(), EditError> {
        self.edit(&Edit::Retry { nodes: nodes.iter().map(|node| (*node).to_owned()).collect(), downstream })
    }

    pub(super) fn run(&self) -> &Run {
        self.core.run(RUN).unwrap()
    }

    pub(super) fn slot(&self, id: &str) -> Slot {
        self.run().layout().find(&self.plan, id).unwrap()
    }

    pub(super) fn state(&self, id: &str) -> NodeState {
        self.run().node(self.slot(id)).state()
    }

    /// True if an attempt of the node has not been answered.
    pub(super) fn is_in_flight(&self, id: &str) -> bool {
        self.core.node_work(RUN, self.slot(id)).unwrap().attempt().is_some()
    }

    /// The nodes started since the last call.
    pub(super) fn started(&mut self) -> Vec<String> {
        let ids = self.starts.iter().map(|job| self.run().id(job.slot)).collect();
        self.starts.clear();
        ids
    }

    /// The process ends, and another resumes the run after that many seconds.
    pub(super) fn crash(&mut self, secs: u64) {
        self.now = self.now + Duration::from_secs(secs);
        self.core = core();
        self.starts.clear();
        self.deliveries.clear();
        self.jobs.clear();
        let run = Run::replay(spec(&self.plan, RUN), START, &self.entries).expect("records that follow on each other");
        self.core.resume(run, self.now);
        self.take();
    }
}

// ---- limits

#[test]
fn a_blocking_body_past_its_limit_keeps_its_slot_and_its_retry_waits_for_its_thread() {
    #[pipeline]
    fn blocked() {
        let work = |id| work(1u64).pool(&ONE).named(id);
        work("slow").timeout(Duration::from_secs(10)).retries(1).retry_delay(Duration::from_secs(5));
        work("next");
    }
    let mut bench = Bench::new(&blocked());
    assert_eq!(bench.started(), ["slow"]);
    bench.pass(10);
    assert_eq!((bench.state("slow"), bench.aborts.len()), (NodeState::UpForRetry, 1));
    // The retry is due, but the thread is not free, and neither is the slot.
    bench.pass(5);
    bench.pass(1000);
    assert_eq!(bench.started(), [""; 0]);
    bench.succeed("slow", 1);
    // Too late: the attempt counts as failed. Now its thread is free, and the retry and `next` may have the slot.
    assert_eq!(bench.started(), ["slow"]);
    bench.succeed("slow", 2);
    assert_eq!((bench.state("slow"), bench.started().pop()), (NodeState::Success, Some("next".into())));
}

#[test]
fn an_answer_that_comes_before_its_limit_is_noticed_counts() {
    #[pipeline]
    fn in_time() {
        work(1u64).timeout(Duration::from_secs(10));
    }
    let mut bench = Bench::new(&in_time());
    bench.now = bench.now + Duration::from_secs(11);
    bench.succeed("work", 1);
    bench.pass(0);
    assert_eq!(bench.state("work"), NodeState::Success);
}

// ---- recovery

#[test]
fn an_attempt_cut_off_by_a_crash_uses_up_no_retry_and_the_third_in_a_row_is_a_failure() {
    #[pipeline]
    fn crashing() {
        work(1u64).retries(1).retry_delay(Duration::from_secs(5));
    }
    let mut bench = Bench::new(&crashing());
    for _ in 0..2 {
        bench.crash(1);
        assert_eq!((bench.started().as_slice(), bench.run().node(0).attempt()), (["work".to_owned()].as_slice(), 1));
    }
    bench.crash(1);
    assert_eq!((bench.state("work"), bench.started()), (NodeState::UpForRetry, vec![]));
    bench.pass(5);
    assert_eq!((bench.started().as_slice(), bench.run().node(0).attempt()), (["work".to_owned()].as_slice(), 2));
    // A new attempt counts from zero.
    bench.crash(1);
    bench.crash(1);
    assert_eq!(bench.state("work"), NodeState::Running);
    bench.crash(1);
    assert_eq!(bench.state("work"), NodeState::Failed);
    let error = bench.run().node(0).failure().unwrap().error().to_owned();
    assert_eq!(error, "the process ended 3 times in a row while this attempt was under way");
}

#[test]
fn a_sensor_that_waits_for_another_run_is_no_death_of_its_process() {
    #[task]
    async fn other() -> Result<()> {
        Ok(())
    }
    #[pipeline]
    fn base() {
        other();
    }
    #[pipeline]
    fn waiting() {
        run_of(base);
    }
    let mut bench = Bench::new(&waiting());
    for _ in 0..5 {
        bench.crash(1);
    }
    assert_eq!(bench.state("run_of"), NodeState::Running);
}

#[test]
fn an_attempt_cut_off_because_its_process_was_to_end_counts_as_no_death() {
    #[pipeline]
    fn stopping() {
        work(1u64);
    }
    let mut bench = Bench::new(&stopping());
    for _ in 0..5 {
        bench.core.interrupt(bench.now);
        bench.take();
        bench.crash(1);
        assert_eq!((bench.started().as_slice(), bench.run().node(0).attempt()), (["work".to_owned()].as_slice(), 1));
    }
    // Interruptions by a crash count as before.
    bench.crash(1);
    bench.core.interrupt(bench.now);
    bench.take();
    bench.crash(1);
    bench.crash(1);
    assert_eq!(bench.state("work"), NodeState::Running);
    bench.crash(1);
    assert_eq!(bench.state("work"), NodeState::Failed);
}

#[test]
fn an_answer_that_comes_after_the_interruption_is_too_late() {
    #[pipeline]
    fn stopping() {
        work(1u64);
    }
    let mut bench = Bench::new(&stopping());
    bench.core.interrupt(bench.now);
    bench.take();
    bench.succeed("work", 1);
    bench.crash(1);
    assert_eq!((bench.state("work"), bench.started()), (NodeState::Running, vec!["work".to_owned()]));
}

#[test]
fn a_sensor_that_waits_is_poked_after_a_crash_when_it_was_due_and_not_before() {
    for mode in [Mode::Poke, Mode::Reschedule] {
        let mut bench = Bench::new(&match mode {
            Mode::Poke => {
                #[pipeline]
                fn poke() {
                    look().mode(Mode::Poke);
                }
                poke()
            }
            Mode::Reschedule => {
                #[pipeline]
                fn reschedule() {
                    look();
                }
                reschedule()
            }
        });
        bench.answer("look", Answered::NotYet(None));
        bench.crash(30);
        assert_eq!(bench.started(), [""; 0]);
        bench.pass(29);
        assert_eq!(bench.started(), [""; 0]);
        bench.pass(1);
        assert_eq!(bench.started(), ["look"]);
    }
}

#[test]
fn a_retry_that_is_due_later_waits_also_after_a_crash() {
    #[pipeline]
    fn retried() {
        work(1u64).retries(1).retry_delay(Duration::from_secs(100));
    }
    let mut bench = Bench::new(&retried());
    bench.answer("work", Answered::Error("503".into()));
    bench.crash(10);
    assert_eq!((bench.started(), bench.state("work")), (vec![], NodeState::UpForRetry));
    bench.pass(90);
    assert_eq!(bench.started(), ["work"]);
}

#[test]
fn a_deadline_that_passed_while_the_process_was_down_still_gets_one_poke() {
    #[pipeline]
    fn down() {
        look();
    }
    let mut bench = Bench::new(&down());
    bench.answer("look", Answered::NotYet(None));
    bench.crash(7200);
    bench.pass(0);
    assert_eq!(bench.started(), ["look"]);
    bench.answer("look", Answered::NotYet(None));
    assert_eq!(bench.state("look"), NodeState::Failed);
}

#[test]
fn a_time_before_which_nothing_will_be_there_outlives_a_crash() {
    #[pipeline]
    fn waits() {
        look();
    }
    let mut bench = Bench::new(&waits());
    let time = bench.now + Duration::from_secs(200);
    bench.answer("look", Answered::NotBefore(time));
    bench.pass(100);
    bench.crash(50);
    assert_eq!((bench.started(), bench.state("look")), (vec![], NodeState::UpForReschedule));
    bench.pass(49);
    assert_eq!(bench.started(), Vec::<String>::new());
    bench.pass(1);
    assert_eq!(bench.started(), ["look"]);
}

#[test]
fn a_sensors_budget_goes_on_over_a_crash_in_the_middle_of_a_poke() {
    #[pipeline]
    fn middle() {
        look();
    }
    let mut bench = Bench::new(&middle());
    bench.crash(590);
    assert_eq!(bench.started(), ["look"]);
    bench.answer("look", Answered::NotYet(None));
    // Ten seconds are left.
    assert_eq!(bench.core.next_due(), START + Duration::from_mins(10));
}

#[test]
fn a_bounded_mapping_goes_on_after_a_crash_with_the_elements_that_are_left() {
    #[pipeline]
    fn mapped() {
        list().each(|n| work(n)).max_active(1);
    }
    let mut bench = Bench::new(&mapped());
    bench.answer("list", Answered::Success(Value::new(vec![1u64, 2, 3]), None));
    bench.succeed("work[0]", 1);
    bench.crash(1);
    assert_eq!(bench.started(), ["work[1]"]);
    bench.crash(1);
    bench.succeed("work[1]", 2);
    bench.succeed("work[2]", 3);
    assert_eq!(bench.run().state(), RunState::Success);
    assert_eq!(bench.run().layout().expansions(), 2, "a mapping unfolds once");
}

#[test]
fn due_notifications_are_delivered_after_a_crash_in_order() {
    #[pipeline]
    fn told() {
        work(1u64).on_success(page).named("a");
        work(2u64).on_success(page).named("b");
    }
    let mut bench = Bench::new(&told());
    bench.succeed("a", 1);
    bench.succeed("b", 2);
    assert_eq!(bench.deliveries, [(0, "on_success".into())]);
    bench.crash(1);
    assert_eq!(bench.deliveries, [(0, "on_success".into())]);
    bench.core.delivered(RUN, 0, Err("nobody".to_owned().into()), bench.now);
    bench.take();
    bench.crash(0);
    assert!(bench.deliveries.is_empty(), "its next try is due in a second");
    bench.pass(1);
    bench.core.delivered(RUN, 0, Ok(()), bench.now);
    bench.take();
    assert_eq!(bench.deliveries, [(0, "on_success".into()), (1, "on_success".into())]);
}

/// However long the last process was going to wait, unless the notifier asked for that wait.
#[test]
fn a_callback_that_a_process_takes_up_is_tried_within_ten_seconds() {
    #[pipeline]
    fn told() {
        work(1u64).on_success(page).named("a");
    }
    for (after, seconds) in [(None, 10), (Some(Duration::from_hours(1)), 3600)] {
        let mut bench = Bench::new(&told());
        bench.succeed("a", 1);
        // The next try is due five minutes after the last.
        for _ in 0..12 {
            bench.pass(300);
            let not_told = DeliveryError { error: "nobody".into(), after, is_final: false };
            bench.core.delivered(RUN, 0, Err(not_told), bench.now);
            bench.take();
            if after.is_some() {
                break;
            }
        }
        bench.crash(0);
        bench.pass(seconds - 1);
        assert!(bench.deliveries.is_empty(), "{after:?}");
        bench.pass(1);
        assert_eq!(bench.deliveries, [(0, "on_success".into())], "{after:?}");
        // It continues as before: the next try comes five minutes later.
        bench.deliveries.clear();
        bench.core.delivered(RUN, 0, Err("nobody".to_owned().into()), bench.now);
        bench.take();
        bench.pass(1);
        assert!(bench.deliveries.is_empty(), "{after:?}");
    }
}

#[test]
fn what_no_further_try_would_help_is_given_up_at_once() {
    #[pipeline]
    fn told() {
        work(1u64).on_success(page).named("a");
    }
    let mut bench = Bench::new(&told());
    bench.succeed("a", 1);
    let not_told = DeliveryError { error: "its variable is not set".into(), after: None, is_final: true };
    bench.core.delivered(RUN, 0, Err(not_told), bench.now);
    bench.take();
    assert!(bench.run().callbacks().is_empty());
    let last = bench.entries.iter().rev().find(|entry| matches!(entry.record, Record::CallbackFailed { .. }));
    assert!(matches!(last.unwrap().record, Record::CallbackFailed { next: None, .. }));
}

#[test]
fn an_sla_fires_once_also_over_a_crash_and_one_that_passed_meanwhile_fires_then() {
    #[pipeline(sla = "1m", on_sla_miss = page, escalate("10m" => page))]
    fn late() {
        work(1u64).sla(Duration::from_mins(2)).on_sla_miss(page);
    }
    let mut bench = Bench::new(&late());
    let misses = |bench: &Bench| {
        let due = |entry: &&Entry| matches!(entry.record, Record::CallbackDue { .. });
        bench.entries.iter().filter(due).count()
    };
    bench.pass(60);
    bench.pass(60);
    assert_eq!(misses(&bench), 2);
    bench.crash(10);
    bench.pass(0);
    assert_eq!(misses(&bench), 2);
    bench.crash(3600);
    bench.pass(0);
    assert_eq!(misses(&bench), 3);
}

// ---- outputs in the fold

#[test]
fn values_of_gates_follow_from_their_upstreams_and_are_not_written() {
    #[pipeline]
    fn gates() {
        work(first_of([work(1u64), look().on_timeout(OnTimeout::Skip)]));
    }
    let mut bench = Bench::new(&gates());
    bench.succeed("work", 7);
    let written = |entry: &&Entry| matches!(entry.record, Record::Succeeded { output: Some(Output { .. }), .. });
    assert_eq!(bench.entries.iter().filter(written).count(), 1);
    let again = Run::replay(spec(&bench.plan, RUN), START, &bench.entries).unwrap();
    assert_eq!(fold(&again), fold(bench.run()));
    assert_eq!(format!("{:?}", again.node(bench.slot("first_of")).value()), "Some(7)");
}

// ---- trying again

#[test]
fn a_list_that_is_tried_again_and_fails_takes_its_elements_with_it_and_may_be_tried_again() {
    #[pipeline]
    fn mapped() {
        list().each(|n| work(n)).named("all");
    }
    for downstream in [false, true] {
        let mut bench = Bench::new(&mapped());
        bench.answer("list", Answered::Success(Value::new(vec![1u64, 2]), None));
        bench.succeed("work[0]", 1);
        bench.answer("work[1]", Answered::Fatal("503".into()));
        assert_eq!(bench.run().state(), RunState::Failed);
        let retry = |bench: &mut Bench| {
            bench.retry(&["list"], downstream).unwrap();
        };
        retry(&mut bench);
        bench.answer("list", Answered::Fatal("no table".into()));
        assert_eq!((bench.run().state(), bench.state("all")), (RunState::Failed, NodeState::UpstreamFailed));
        assert!(bench.run().nodes().iter().all(|node| node.state().is_end()));
        retry(&mut bench);
        bench.answer("list", Answered::Success(Value::new(vec![1u64, 2, 3]), None));
        for n in 0..3 {
            if bench.state(&format!("work[{n}]")) == NodeState::Running {
                bench.succeed(&format!("work[{n}]"), n);
            }
        }
        // Without `downstream`, nodes that failed by themselves stay as they are.
        let expected = if downstream { RunState::Success } else { RunState::Failed };
        assert_eq!(bench.run().state(), expected, "{}", fold(bench.run()));
    }
}

#[test]
fn a_list_is_not_tried_again_while_its_elements_are_under_way() {
    #[pipeline]
    fn mapped() {
        list().each(|n| work(work(n).named("first"))).max_active(1);
    }
    let mut bench = Bench::new(&mapped());
    bench.answer("list", Answered::Success(Value::new(vec![1u64, 2]), None));
    for downstream in [false, true] {
        let refused = bench.retry(&["list"], downstream).unwrap_err().to_string();
        assert!(refused.starts_with("`list` cannot be retried while `first[0]`, which depends on it, is running"), "{refused}");
    }
}

#[test]
fn an_element_that_is_tried_again_with_its_downstream_leaves_the_other_elements_alone() {
    #[pipeline]
    fn mapped() {
        list().each(|n| work(work(n).named("first")).named("second"));
    }
    let mut bench = Bench::new(&mapped());
    bench.answer("list", Answered::Success(Value::new(vec![1u64, 2]), None));
    for id in ["first[0]", "second[0]", "first[1]", "second[1]"] {
        bench.succeed(id, 1);
    }
    bench.started();
    bench.retry(&["first[0]"], true).unwrap();
    assert_eq!(bench.starts.len(), 1);
    bench.succeed("first[0]", 1);
    bench.succeed("second[0]", 1);
    assert_eq!((bench.started(), bench.run().state()), (vec!["first[0]".into(), "second[0]".into()], RunState::Success));
}

#[test]
fn a_loser_that_only_another_loser_comes_after_is_cut_off_with_it() {
    #[pipeline]
    fn raced() {
        let two = work(look().named("looked")).named("two");
        let three = work(look().named("looked_too")).named("three").after(two);
        first_of([first_of([three, two]), work(1u64).named("fast")]);
    }
    let mut bench = Bench::new(&raced());
    bench.succeed("fast", 1);
    assert_eq!(["looked", "two", "looked_too", "three"].map(|id| bench.state(id)), [NodeState::Skipped; 4]);
    assert_eq!(bench.run().state(), RunState::Success);
}
