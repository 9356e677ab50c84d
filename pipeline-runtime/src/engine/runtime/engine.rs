//! The engine's handle: the only code that locks the core.

use super::super::core::Core;
use super::super::effects::{Action, Answer, Garbage, Todo};
use super::super::ids::{AttemptIx, Job, RunIx};
use super::super::journal::{Journal, Submitted};
use super::super::log;
use super::super::rules::{Edit, EditError};
use super::super::state::{Run, RunSpec};
use super::super::states::RunState;
use super::Attempt;
use super::local_queue::LocalQueues;
use super::sensor_state::LookAgain;
use super::simulated::{self, Interceptor};
use super::wake_policy::{StallMonitor, WakePolicy};
use super::watch::Watches;
use crate::author::notify::OfRun;
use crate::time::{Clock, Timestamp};
use std::collections::{HashMap, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};
use tokio::runtime::Handle;
use tokio::sync::{Notify, Semaphore, oneshot};
use tokio::task::{AbortHandle, JoinHandle};

/// Runs plans. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Engine(pub(super) Arc<Shared>);

/// A weak handle, for parts that the engine owns: its journal returns commits through one.
#[derive(Debug, Clone)]
pub(crate) struct WeakEngine(pub(super) Weak<Shared>);

impl WeakEngine {
    /// Returns the engine, if it still exists.
    pub(crate) fn upgrade(&self) -> Option<Engine> {
        self.0.upgrade().map(Engine)
    }
}

/// The options of an engine.
#[derive(Debug, Clone)]
pub(crate) struct EngineOptions {
    pub(crate) clock: Clock,
    /// The slots of `default_pool`.
    pub(crate) parallelism: u32,
    /// Passes every output through its codec, and fails the node if the value does not come back the same.
    pub(crate) check_outputs: bool,
    /// Notified of each record, under the engine's lock.
    pub(crate) observer: Option<Arc<dyn Observe>>,
}

/// Observes each record before its actions are carried out.
pub(crate) trait Observe: Send + Sync + std::fmt::Debug {
    /// `run` is in the state after this record and all others of the same turn.
    fn record(&self, ix: RunIx, run: &Run, entry: &log::Entry);
    /// Observes the records of a resumed run from earlier processes, before any other record of the run.
    fn resumed(&self, ix: RunIx, run: &Run, entries: &[log::Entry]);
}

#[derive(Debug)]
pub(super) struct Shared {
    state: Mutex<State>,
    pub(super) queues: LocalQueues,
    pub(super) options: EngineOptions,
    /// True if outputs are written as JSON: to be stored, or to check that they would come back the same.
    pub(super) writes_outputs: bool,
    /// True if outputs are stored.
    pub(super) is_durable: bool,
    /// In a simulation: its effect on bodies. Its presence makes answers wait until nothing more happens at an instant.
    pub(super) interceptor: Option<Arc<dyn Interceptor>>,
    /// One permit for each idle worker that is to wake up. Unlike a `Notify` it counts wake-ups of workers that are about to
    /// sleep.
    pub(super) awake: Semaphore,
    /// In a simulation: an answer, a list's inspection or a delivery is ready for the step.
    pub(super) work: Notify,
    /// In a simulation: a body or a notifier was polled, and may now wait for something outside.
    pub(super) polled: Notify,
    /// A timer is due earlier than before, or workers must be watched.
    pub(super) timers: Notify,
    /// The engine was stopped.
    pub(super) stop: Notify,
    /// The runtime of bodies and notifiers; without it, they run on the caller's.
    pub(super) workers: OnceLock<Handle>,
    /// Reads again what the traces of earlier processes' pokes lead to.
    pub(super) look_again: OnceLock<LookAgain>,
}

#[derive(Debug)]
pub(super) struct State {
    pub(super) core: Core,
    pub(super) journal: Box<dyn Journal>,
    pub(super) ready: VecDeque<Job>,
    /// Attempts that are tasks of their own.
    pub(super) tasks: HashMap<AttemptIx, (Job, AbortHandle)>,
    /// To be notified when a run ends.
    waiting: HashMap<RunIx, Vec<oneshot::Sender<RunState>>>,
    /// To be notified when all callbacks of a run have been delivered.
    pub(super) undelivered: HashMap<RunIx, Vec<oneshot::Sender<()>>>,
    /// Tasks to abort once the lock is free. They answer for themselves.
    aborts: Vec<AbortHandle>,
    /// The watches of sensors between two pokes.
    pub(super) watches: Watches,
    /// The number of deliveries under way.
    pub(super) delivering: usize,
    pub(super) idle_workers: usize,
    pub(super) wake_policy: WakePolicy,
    pub(super) stalls: StallMonitor,
    /// A task was spawned or woken on this thread.
    pub(super) woke_or_spawned: bool,
    /// When the timer loop wakes next, if nothing wakes it before.
    pub(super) alarm: Timestamp,
    pub(super) simulated: simulated::Inbox,
    /// No worker runs yet. Everything until then is stored in one commit, together with the first starts.
    pub(super) held: bool,
    pub(super) stopped: bool,
}

impl Engine {
    pub(crate) fn new(journal: Box<dyn Journal>, options: EngineOptions, interceptor: Option<Arc<dyn Interceptor>>) -> Self {
        let is_durable = journal.is_durable();
        let mut core = Core::new(options.parallelism);
        // Until workers run.
        core.hold();
        let state = State {
            core,
            journal,
            ready: VecDeque::new(),
            tasks: HashMap::new(),
            waiting: HashMap::new(),
            undelivered: HashMap::new(),
            aborts: Vec::new(),
            watches: Watches::default(),
            delivering: 0,
            idle_workers: 0,
            wake_policy: WakePolicy::default(),
            stalls: StallMonitor::default(),
            woke_or_spawned: false,
            alarm: Timestamp::NEVER,
            simulated: simulated::Inbox::default(),
            held: true,
            stopped: false,
        };
        let shared = Shared {
            state: Mutex::new(state),
            queues: LocalQueues::default(),
            writes_outputs: options.check_outputs || is_durable,
            is_durable,
            options,
            interceptor,
            awake: Semaphore::new(0),
            work: Notify::new(),
            polled: Notify::new(),
            timers: Notify::new(),
            stop: Notify::new(),
            workers: OnceLock::new(),
            look_again: OnceLock::new(),
        };
        let engine = Self(Arc::new(shared));
        if engine.0.interceptor.is_none() {
            engine.lock().watches.tell(engine.downgrade());
        }
        engine
    }

    /// Runs bodies and notifiers on that runtime from now on, whichever thread starts them. Only the first call counts.
    pub(crate) fn run_on(&self, workers: Handle) {
        // Runs that have begun stay on their runtime.
        let _ = self.0.workers.set(workers);
    }

    pub(super) fn spawn_task<F: Future<Output: Send + 'static> + Send + 'static>(&self, task: F) -> JoinHandle<F::Output> {
        match self.0.workers.get() {
            Some(workers) => workers.spawn(task),
            None => tokio::spawn(task),
        }
    }

    pub(super) fn spawn_thread(&self, work: impl FnOnce() + Send + 'static) {
        match self.0.workers.get() {
            Some(workers) => drop(workers.spawn_blocking(work)),
            None => drop(tokio::task::spawn_blocking(work)),
        }
    }

    pub(crate) fn downgrade(&self) -> WeakEngine {
        WeakEngine(Arc::downgrade(&self.0))
    }

    pub(crate) fn clock(&self) -> Clock {
        self.0.options.clock
    }

    /// Starts a run.
    pub(crate) fn start(&self, spec: RunSpec) -> RunIx {
        let now = self.clock().now();
        self.with(|core| core.start(spec, now))
    }

    /// Resumes a run that was [replayed](Run::replay) from these records.
    pub(crate) fn resume(&self, run: Run, entries: &[log::Entry]) -> RunIx {
        let now = self.clock().now();
        let ix = self.with(|core| {
            let ix = core.resume(run, now);
            self.observe_resumed(core, ix, entries);
            ix
        });
        self.look_again(ix);
        self.await_again(ix);
        ix
    }

    /// Resumes a run with an edit applied, if the edit can be applied.
    pub(crate) fn resume_edited(&self, run: Run, entries: &[log::Entry], edit: &Edit) -> Result<RunIx, EditError> {
        let now = self.clock().now();
        let ix = self.with(|core| {
            let ix = core.resume_edited(run, edit, now)?;
            self.observe_resumed(core, ix, entries);
            Ok::<_, EditError>(ix)
        })?;
        self.look_again(ix);
        self.await_again(ix);
        Ok(ix)
    }

    fn observe_resumed(&self, core: &Core, ix: RunIx, entries: &[log::Entry]) {
        if let (Some(observer), Some(run)) = (&self.0.options.observer, core.run(ix)) {
            observer.resumed(ix, run, entries);
        }
    }

    /// Applies a command to a run.
    pub(crate) fn edit(&self, run: RunIx, edit: &Edit) -> Result<(), EditError> {
        let now = self.clock().now();
        self.with(|core| core.edit(run, edit, now))
    }

    /// Calls the notifiers for failures that an earlier process recorded without notifying anybody.
    #[cfg(feature = "airflow")]
    pub(crate) fn notify_failures(&self, run: RunIx, failed: &[crate::engine::Slot]) {
        let now = self.clock().now();
        self.with(|core| core.notify_failures(run, failed, now));
    }

    /// Starts nothing more from now on. Attempts under way may end.
    pub(crate) fn drain(&self) {
        self.with(Core::drain);
    }

    /// True if an attempt or a callback is under way.
    pub(crate) fn is_busy(&self) -> bool {
        let state = self.lock();
        state.delivering > 0 || state.core.is_busy()
    }

    /// Frees the memory of a run that has ended and has nothing more to deliver. Returns whether the run is gone.
    pub(crate) fn forget(&self, run: RunIx) -> bool {
        let (is_gone, forgotten) = self.lock().core.forget(run);
        drop_quietly(forgotten);
        is_gone
    }

    /// Calls `look` with a run, under the lock.
    pub(crate) fn look<R>(&self, run: RunIx, look: impl FnOnce(&Run) -> R) -> Option<R> {
        self.lock().core.run(run).map(look)
    }

    /// Returns the records of a run that are in memory.
    pub(crate) fn entries(&self, run: RunIx) -> Vec<log::Entry> {
        self.entries_from(run, 0)
    }

    /// Returns the records of a run that are in memory, without the first `from`.
    pub(crate) fn entries_from(&self, run: RunIx, from: usize) -> Vec<log::Entry> {
        self.lock().journal.entries_from(run, from)
    }

    /// Returns the run's final state, once it has ended.
    pub(crate) async fn ended(&self, run: RunIx) -> RunState {
        let end = {
            let mut state = self.lock();
            match state.core.run(run).map(Run::state) {
                Some(end) if end.is_end() => return end,
                None => return RunState::Failed,
                Some(_) => {}
            }
            let (tell, end) = oneshot::channel();
            state.waiting.entry(run).or_default().push(tell);
            end
        };
        // The sender lives in the engine that this borrows.
        end.await.unwrap_or(RunState::Failed)
    }

    /// Carries out what a commit released.
    pub(crate) fn committed(&self, todo: Todo) {
        self.locked(|state| {
            if !state.stopped {
                state.ready.extend(todo.starts);
                self.act(state, todo.actions);
            }
        });
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        // A panic under the lock is a bug in the engine. The state is still the fold of its records.
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// True if no thread has the lock, not even this one.
    #[cfg(test)]
    pub(super) fn is_free(&self) -> bool {
        self.0.state.try_lock().is_ok()
    }

    /// Works on the state, then wakes workers for ready jobs. Also returns whether it woke or spawned anything.
    #[inline]
    pub(super) fn locked<R>(&self, work: impl FnOnce(&mut State) -> R) -> (R, bool) {
        let mut state = self.lock();
        let result = work(&mut state);
        let wake = self.to_wake(&mut state);
        let woke_or_spawned = std::mem::take(&mut state.woke_or_spawned);
        let after = state.take_after_turn();
        drop(state);
        if wake > 0 {
            self.0.awake.add_permits(wake);
        }
        let has_woken = wake > 0 || woke_or_spawned;
        let Some(after) = after else { return (result, has_woken) };
        let AfterTurn { aborts, garbage } = *after;
        aborts.iter().for_each(AbortHandle::abort);
        garbage.into_iter().for_each(drop_quietly);
        (result, has_woken || !aborts.is_empty())
    }

    /// Returns how many workers to wake, and no longer counts them as idle.
    #[inline]
    fn to_wake(&self, state: &mut State) -> usize {
        let (ready, idle) = (state.ready.len(), state.idle_workers);
        if ready == 0 || idle == 0 {
            return 0;
        }
        let wake = state.wake_policy.wakes(ready, idle, self.0.queues.count() - idle);
        if wake < ready.min(idle) {
            self.watch(state);
        }
        state.idle_workers -= wake;
        wake
    }

    /// Makes the timer thread check that workers return from their bodies.
    pub(super) fn watch(&self, state: &mut State) {
        if !std::mem::replace(&mut state.stalls.is_on, true) {
            // A worker that was just woken has not had time to return.
            state.stalls.turns.iter_mut().for_each(|[_, seen]| *seen = u64::MAX);
            self.0.timers.notify_one();
        }
    }

    /// Works on the core, and carries out what follows.
    pub(super) fn with<R>(&self, work: impl FnOnce(&mut Core) -> R) -> R {
        self.locked(|state| {
            self.answer_queued(state);
            let result = work(&mut state.core);
            self.flush(state);
            result
        })
        .0
    }

    /// Gives the answers that workers have collected: they happened before the present event.
    pub(super) fn answer_queued(&self, state: &mut State) {
        if state.stopped {
            return;
        }
        let mut now = None;
        for (job, answer) in self.0.queues.answers() {
            let now = *now.get_or_insert_with(|| self.clock().now());
            state.core.answer(job, answer, now);
        }
    }

    pub(super) fn answer(&self, job: Job, answer: Answer) {
        let now = self.clock().now();
        self.locked(|state| self.take_answer(state, job, answer, now));
    }

    /// Gives an answer, and takes the job that follows if it is the only one and a worker would have to be woken for it.
    pub(super) fn answer_and_follow(&self, job: Job, answer: Answer) -> Option<Box<Attempt>> {
        let now = self.clock().now();
        let take = |state: &mut State| {
            self.take_answer(state, job, answer, now);
            let is_free = !state.woke_or_spawned && state.aborts.is_empty() && tokio::task::coop::has_budget_remaining();
            let is_mine = is_free && state.ready.len() == 1 && state.idle_workers > 0;
            is_mine.then(|| self.pop(state, &mut VecDeque::new())).flatten()
        };
        self.locked(take).0
    }

    fn take_answer(&self, state: &mut State, job: Job, answer: Answer, now: Timestamp) {
        state.forget_task(job);
        state.answer(job, answer, now);
        self.flush(state);
    }

    /// Hands the core's records to the journal, and carries out its actions once they are stored.
    #[inline]
    pub(super) fn flush(&self, state: &mut State) {
        if state.held {
            return;
        }
        let (outbox, runs) = state.core.outbox_and_runs();
        if let Some(observer) = &self.0.options.observer {
            for (ix, entry) in outbox.records.iter() {
                if let Some(run) = runs.get(ix) {
                    observer.record(ix, run, &entry);
                }
            }
        }
        state.watches.follow(&outbox.records);
        match state.journal.submit(outbox, &|run| runs.get(run).map(|run| &**run.spec())) {
            Submitted::Queued => {}
            Submitted::Stored => {
                take_ready(&mut state.ready, &mut outbox.todo.starts);
                if !outbox.todo.actions.is_empty() {
                    let actions = std::mem::take(&mut outbox.todo.actions);
                    self.act(state, actions);
                }
            }
        }
        let next = state.core.next_due();
        if next < state.alarm {
            state.alarm = next;
            self.0.timers.notify_one();
        }
    }

    fn act(&self, state: &mut State, actions: Vec<Action>) {
        for action in actions {
            self.act_on(state, action);
        }
    }

    fn act_on(&self, state: &mut State, action: Action) {
        state.woke_or_spawned = true;
        match action {
            Action::Abort(job) => {
                if let Some(at) = state.ready.iter().position(|ready| *ready == job) {
                    state.ready.remove(at);
                    self.spawn_answer(job, None);
                } else if let Some(attempt) = self.0.queues.withdraw(job) {
                    self.spawn_answer(job, Some(attempt));
                } else if let Some(abort) = state.forget_task(job) {
                    state.aborts.push(abort);
                }
            }
            Action::Look { run, slot, number } => {
                // The list may have been cleared since.
                if let Some(look) = state.core.run(run).filter(|run| run.slots().contains(&slot)).and_then(|run| run.look(slot)) {
                    self.look_at(number, look);
                }
            }
            Action::Deliver { run, id, notifier, notification } => {
                let delivery = state.core.run(run).and_then(|run| {
                    let notifier = run.plan().notifiers.get(notifier as usize).cloned()?;
                    let of_run = OfRun { info: Arc::clone(&run.spec().info), zone: run.plan().zone };
                    Some((notifier, of_run))
                });
                if let Some((notifier, of_run)) = delivery {
                    state.delivering += 1;
                    self.deliver(run, id, notifier, notification, of_run);
                }
            }
            Action::Ended { run, state: end } => {
                for waiting in state.waiting.remove(&run).unwrap_or_default() {
                    // The waiting task may be gone.
                    let _ = waiting.send(end);
                }
            }
        }
    }
}

/// Appends started jobs to the ready queue. Most often there are none.
#[inline]
fn take_ready(ready: &mut VecDeque<Job>, starts: &mut VecDeque<Job>) {
    if ready.is_empty() {
        std::mem::swap(ready, starts);
    } else {
        ready.append(starts);
    }
}

/// What a turn leaves to be done once the lock is free.
struct AfterTurn {
    aborts: Vec<AbortHandle>,
    garbage: Vec<Garbage>,
}

impl State {
    /// Takes what is to be done once the lock is free. Most turns leave nothing.
    #[inline]
    fn take_after_turn(&mut self) -> Option<Box<AfterTurn>> {
        let garbage = &mut self.core.outbox().garbage;
        if garbage.is_empty() && self.aborts.is_empty() {
            return None;
        }
        let garbage = std::mem::take(garbage);
        Some(Box::new(AfterTurn { aborts: std::mem::take(&mut self.aborts), garbage }))
    }

    /// Gives an answer to the core. Once the engine is stopped, nothing is recorded any more.
    #[inline]
    pub(super) fn answer(&mut self, job: Job, answer: Answer, now: Timestamp) {
        if self.stopped {
            self.core.outbox().garbage.push(Garbage::Answer(answer));
        } else {
            self.core.answer(job, answer, now);
        }
    }

    /// Removes and returns the task of an attempt, if it became one. It can no longer be aborted through the engine.
    pub(super) fn forget_task(&mut self, job: Job) -> Option<AbortHandle> {
        let is_of = |(of, _): &mut (Job, AbortHandle)| *of == job;
        let std::collections::hash_map::Entry::Occupied(mut task) = self.tasks.entry(job.attempt) else { return None };
        // The place may belong to another attempt by now.
        is_of(task.get_mut()).then(|| task.remove().1)
    }
}

/// Drops a user value. A panic in its drop has no effect.
pub(super) fn drop_quietly<T>(garbage: T) {
    let _ = catch_unwind(AssertUnwindSafe(move || drop(garbage)));
}
