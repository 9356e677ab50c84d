//! Locks: who holds one, and who is next.

use super::super::core::Core;
use super::super::effects::{Answered, Outbox, Todo};
use super::super::ids::{Job, RunIx};
use super::super::log::Entry;
use super::super::rules::Edit;
use super::super::state::Run;
use super::harness::{START, spec};
use super::rules::core;
use crate::author::value::Value;
use crate::engine::RunState;
use crate::plan::Plan;
use crate::prelude::*;
use crate::time::Timestamp;
use crate::{Lock, Pipeline};
use std::sync::Arc;
use std::time::Duration;

static TABLE: Lock = Lock::new("table");
static OTHER: Lock = Lock::new("other");

#[task]
async fn work(n: u64) -> Result<u64> {
    Ok(n)
}

/// Between its two nodes another node runs, which is not in the group.
#[pipeline]
fn refresh() {
    work(0u64).named("outside");
    group("g", || work(work(1u64).named("first")).named("last")).holding(&TABLE);
}

#[pipeline]
fn both() {
    group("g", || work(1u64).named("first")).holding(&TABLE).holding(&OTHER);
}

#[pipeline]
fn only_other() {
    group("g", || work(1u64).named("first")).holding(&OTHER);
}

/// Runs of a core, and their records.
struct Runs {
    core: Core,
    plans: Vec<Arc<Plan>>,
    entries: Vec<Vec<Entry>>,
    jobs: Vec<Job>,
    now: Timestamp,
}

impl Runs {
    fn new(pipelines: &[Pipeline]) -> Self {
        let mut runs = Self { core: core(), plans: Vec::new(), entries: Vec::new(), jobs: Vec::new(), now: START };
        for pipeline in pipelines {
            let plan = Arc::new(pipeline.plan(&serde_json::Value::Null).unwrap());
            runs.core.start(spec(&plan, u32::try_from(runs.plans.len()).unwrap()), runs.now);
            runs.plans.push(plan);
            runs.entries.push(Vec::new());
        }
        runs.take();
        runs
    }

    fn take(&mut self) {
        let Outbox { records, todo: Todo { starts, .. }, garbage: _ } = std::mem::take(self.core.outbox());
        for (run, entry) in records.iter() {
            self.entries[run as usize].push(entry);
        }
        self.jobs.extend(starts);
        self.now = self.now + Duration::from_secs(1);
    }

    /// Returns the ids of the attempts under way, run by run.
    fn under_way(&self) -> Vec<String> {
        let id = |job: &Job| format!("{} {}", job.run, self.core.run(job.run).unwrap().id(job.slot));
        let mut ids: Vec<String> = self.jobs.iter().map(id).collect();
        ids.sort();
        ids
    }

    fn answer(&mut self, run: RunIx, id: &str, what: Answered) {
        let is_it = |job: &Job| job.run == run && self.core.run(run).unwrap().id(job.slot) == id;
        let at = self.jobs.iter().position(is_it).unwrap_or_else(|| panic!("{id} of {run} is not under way"));
        let job = self.jobs.remove(at);
        self.core.answer(job, what.into(), self.now);
        self.take();
    }

    fn succeed(&mut self, run: RunIx, id: &str) {
        self.answer(run, id, Answered::Success(Value::new(1u64), None));
    }

    fn pass(&mut self, secs: u64) {
        self.now = self.now + Duration::from_secs(secs);
        self.core.advance(self.now);
        self.take();
    }

    fn edit(&mut self, run: RunIx, edit: &Edit) {
        self.core.edit(run, edit, self.now).unwrap();
        self.take();
    }

    /// The process dies, and another resumes the runs, the last one first.
    fn crash(&mut self) {
        self.core = core();
        self.jobs.clear();
        self.core.hold();
        let mut resumed = Vec::new();
        for run in (0..self.plans.len()).rev() {
            let ix = u32::try_from(run).unwrap();
            let again = Run::replay(spec(&self.plans[run], ix), START, &self.entries[run]).unwrap();
            resumed.push((run, self.core.resume(again, self.now)));
        }
        self.core.open(self.now);
        // Their indices in the core have changed.
        resumed.sort_by_key(|(_, now)| *now);
        self.plans = resumed.iter().map(|(was, _)| Arc::clone(&self.plans[*was])).collect();
        self.entries = resumed.iter().map(|(was, _)| self.entries[*was].clone()).collect();
        self.take();
    }
}

#[test]
fn a_lock_is_held_from_the_first_node_to_the_last_and_given_in_order() {
    let mut runs = Runs::new(&[refresh(), refresh(), refresh()]);
    assert_eq!(runs.under_way(), ["0 g.first", "0 outside", "1 outside", "2 outside"]);
    runs.succeed(0, "g.first");
    runs.succeed(1, "outside");
    assert_eq!(runs.under_way(), ["0 g.last", "0 outside", "2 outside"], "it is held between its nodes");
    runs.succeed(0, "g.last");
    assert_eq!(runs.under_way(), ["0 outside", "1 g.first", "2 outside"], "it is given back before the run's end");
    runs.answer(1, "g.first", Answered::Fatal("no".into()));
    assert_eq!(runs.under_way(), ["0 outside", "2 g.first", "2 outside"], "what follows on a failure has ended, too");
    runs.edit(2, &Edit::Cancel);
    assert_eq!(runs.core.run(2).unwrap().state(), RunState::Cancelled);
    runs.succeed(2, "g.first");
    assert_eq!(runs.core.shared().locks.held(), 0);
}

#[test]
fn who_waits_for_two_locks_gets_both_at_once_and_is_not_overtaken() {
    let mut runs = Runs::new(&[refresh(), both(), only_other()]);
    assert_eq!(runs.under_way(), ["0 g.first", "0 outside"], "who came later waits for what an earlier one waits for");
    runs.succeed(0, "g.first");
    runs.succeed(0, "g.last");
    assert_eq!(runs.under_way(), ["0 outside", "1 g.first"]);
    runs.succeed(1, "g.first");
    assert_eq!(runs.under_way(), ["0 outside", "2 g.first"]);
}

#[test]
fn after_a_crash_who_held_a_lock_holds_it_whichever_run_is_taken_up_first() {
    let mut runs = Runs::new(&[refresh(), refresh()]);
    runs.succeed(0, "g.first");
    runs.succeed(0, "outside");
    runs.succeed(1, "outside");
    runs.crash();
    assert_eq!(runs.under_way(), ["1 g.last"], "the run that held it is the second now");
    runs.succeed(1, "g.last");
    assert_eq!(runs.under_way(), ["0 g.first"]);
}

#[test]
fn a_group_whose_lock_comes_too_late_passes_it_on_and_one_that_is_retried_asks_again() {
    let mut runs = Runs::new(&[refresh(), refresh(), refresh()]);
    runs.edit(1, &Edit::Cancel);
    runs.answer(0, "g.first", Answered::Fatal("no".into()));
    assert!(runs.under_way().contains(&"2 g.first".to_owned()), "{:?}", runs.under_way());
    runs.edit(0, &Edit::Retry { nodes: vec!["g.first".into()], downstream: false });
    assert!(!runs.under_way().contains(&"0 g.first".to_owned()));
    runs.crash();
    assert!(runs.under_way().contains(&"0 g.first".to_owned()), "{:?}", runs.under_way());
    runs.succeed(0, "g.first");
    runs.succeed(0, "g.last");
    assert!(runs.under_way().contains(&"2 g.first".to_owned()), "{:?}", runs.under_way());
}

/// A blocking body continues until it returns, even after a limit or the run's end has decided its attempt.
#[test]
fn a_lock_is_held_for_as_long_as_an_attempt_that_was_cut_off_still_runs() {
    #[pipeline]
    fn limited() {
        group("g", || work(1u64).timeout(Duration::from_secs(10))).holding(&TABLE);
    }
    let mut runs = Runs::new(&[limited(), refresh(), refresh()]);
    runs.pass(10);
    assert_eq!(runs.core.run(0).unwrap().state(), RunState::Failed);
    assert_eq!(runs.under_way(), ["0 g.work", "1 outside", "2 outside"], "its thread still works with the table");
    runs.succeed(0, "g.work");
    assert_eq!(runs.under_way(), ["1 g.first", "1 outside", "2 outside"]);
    runs.edit(1, &Edit::Cancel);
    assert_eq!(runs.under_way(), ["1 g.first", "1 outside", "2 outside"]);
    runs.succeed(1, "outside");
    assert_eq!(runs.under_way(), ["1 g.first", "2 outside"]);
    runs.succeed(1, "g.first");
    assert_eq!(runs.under_way(), ["2 g.first", "2 outside"]);
}

/// Two groups one after the other, of which the second waits for a slow node after it has begun.
#[pipeline]
fn in_turn() {
    let slow = work(0u64).named("slow");
    let before = group("before", || work(1u64).named("x")).holding(&TABLE);
    group("behind", || {
        work(*before).named("quick");
        work(slow).named("late").after(*before);
    })
    .holding(&TABLE);
}

#[test]
fn a_retry_that_would_wait_for_a_lock_that_its_own_run_holds_is_refused() {
    let mut runs = Runs::new(&[in_turn()]);
    runs.succeed(0, "before.x");
    assert_eq!(runs.under_way(), ["0 behind.quick", "0 slow"]);
    let again = Edit::Retry { nodes: vec!["before.x".into()], downstream: false };
    runs.succeed(0, "behind.quick");
    let refused = runs.core.edit(0, &again, runs.now).unwrap_err().to_string();
    let why =
        "`before.x` cannot be retried while the group `behind` holds its locks: the group would wait for it, and it for a lock";
    assert_eq!(refused, why);
    // The second group has no open node left that would wait.
    runs.succeed(0, "slow");
    runs.succeed(0, "behind.late");
    runs.edit(0, &again);
    assert_eq!(runs.under_way(), ["0 before.x"]);
}

/// A group that got its locks and has not begun, because its pool has no free slot.
#[test]
fn a_lock_is_given_back_where_nothing_of_the_group_may_begin_any_more() {
    static ONE: Pool = Pool::new("one", 1);
    #[pipeline]
    fn narrow() {
        let outside = work(0u64).named("outside");
        work(1u64).named("busy").pool(&ONE).priority(1);
        group("g", || {
            work(1u64).named("first").pool(&ONE);
            work(outside).named("second");
        })
        .holding(&TABLE);
    }
    let mut runs = Runs::new(&[narrow(), refresh()]);
    assert_eq!(runs.under_way(), ["0 busy", "0 outside", "1 outside"], "the first has the lock, and waits for a slot");
    runs.edit(0, &Edit::Skip { node: "g.first".into() });
    assert_eq!(runs.under_way(), ["0 busy", "0 outside", "1 g.first", "1 outside"]);
    runs.succeed(0, "outside");
    assert_eq!(runs.under_way(), ["0 busy", "1 g.first", "1 outside"]);
    runs.succeed(1, "g.first");
    runs.succeed(1, "g.last");
    assert_eq!(runs.under_way(), ["0 busy", "0 g.second", "1 outside"]);
}

/// The first group runs again before the second one has begun, which got the lock that both need.
#[test]
fn a_retry_takes_the_lock_from_a_group_that_has_not_begun() {
    static ONE: Pool = Pool::new("one_slot", 1);
    #[pipeline]
    fn narrow() {
        work(1u64).named("busy").pool(&ONE).priority(1);
        let before = group("before", || work(1u64).named("x")).holding(&TABLE);
        group("behind", || work(*before).named("y").pool(&ONE)).holding(&TABLE);
    }
    let mut runs = Runs::new(&[narrow()]);
    runs.succeed(0, "before.x");
    assert_eq!(runs.under_way(), ["0 busy"]);
    runs.edit(0, &Edit::Retry { nodes: vec!["before.x".into()], downstream: false });
    assert_eq!(runs.under_way(), ["0 before.x", "0 busy"]);
    runs.succeed(0, "before.x");
    runs.succeed(0, "busy");
    assert_eq!(runs.under_way(), ["0 behind.y"]);
    runs.succeed(0, "behind.y");
    assert_eq!((runs.core.run(0).unwrap().state(), runs.core.shared().locks.held()), (RunState::Success, 0));
}

#[test]
fn groups_that_could_wait_for_each_other_for_ever_are_refused() {
    #[pipeline]
    fn nested() {
        group("outer", || group("inner", || work(1u64)).holding(&OTHER).into_inner()).holding(&TABLE);
    }
    #[pipeline]
    fn one_after_the_other() {
        let n = group("c", || work(1u64)).holding(&TABLE).into_inner();
        group("d", || work(n)).holding(&OTHER);
    }
    #[pipeline]
    fn back() {
        let waits = group("a", || {
            let first = work(1u64).named("first");
            (first, work(2u64).named("second"))
        })
        .holding(&TABLE);
        let (first, second) = *waits;
        let other = group("b", || work(first)).holding(&OTHER);
        second.after(other);
    }
    #[pipeline]
    fn repeated() {
        numbers().each(|n| group("g", || work(n)).holding(&TABLE).into_inner());
    }
    #[task]
    async fn numbers() -> Result<Vec<u64>> {
        Ok(vec![1])
    }
    #[pipeline]
    fn too_late() {
        let other = group("a", || work(1u64)).holding(&TABLE);
        group("b", || {
            work(2u64).named("first");
            work(*other).named("second");
        })
        .holding(&TABLE);
    }
    let refused = |pipeline: Pipeline| pipeline.check().unwrap_err().problems()[0].message().to_owned();
    assert_eq!(refused(nested()), "the group `outer.inner` would wait for a lock while the enclosing group `outer` holds one");
    one_after_the_other().check().unwrap();
    assert_eq!(refused(back()), "`a` would wait for a lock while it holds one: `a.second` waits for `b.work`, which is in `b`");
    assert_eq!(
        refused(too_late()),
        "`b` would wait for a lock while it holds one: `b.second` waits for `a.work`, which is in `a`, and `b.first` may begin before that"
    );
    assert!(refused(repeated()).starts_with("the group `g` cannot hold a lock: it is repeated by an `.each`"));
}
