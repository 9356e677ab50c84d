//! The driver: carries out what the core decides, on tokio.
//!
//! A few drivers take started nodes off one queue and poll each in place; only what is then pending becomes a task of its own.
//! The answers to some nodes and the taking of the next share one turn with the core ([`hands`]), so that a chain of quick nodes runs
//! without a wake-up and many quick nodes side by side without a turn for each. How many drivers take part is a question of how long
//! bodies take ([`pace`]).
//! Timers are driven by [`Engine::drive`], which runs apart from the bodies: on the thread that blocks on it.

mod attempt;
mod execute;
mod hands;
mod left;
mod live;
mod looks;
mod pace;
mod scope;
mod stepped;
mod tell;
#[cfg(test)]
mod tests;
mod wake;

use super::core::{Action, Answer, Core, Edit, EditError, Job, Run, RunIx, RunSpec, Todo};
use super::journal::{Journal, Kept};
use super::record::{self, Slot};
use super::state::RunState;
use crate::time::{Clock, Timestamp};
use std::collections::hash_map::Entry;
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};
use tokio::runtime::Handle;
use tokio::sync::{Notify, Semaphore, oneshot};
use tokio::task::{AbortHandle, JoinHandle};

use hands::Hands;
use pace::{Pace, Watch};
use wake::Watches;

pub(crate) use attempt::Attempt;
pub(crate) use left::LookAgain;
pub(crate) use scope::current;
pub(crate) use stepped::Meddle;
pub(crate) use wake::{Wake, Watching};

/// Runs plans. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Engine(Arc<Shared>);

/// An engine for those that it owns itself: its journal hands commits back through one.
#[derive(Debug, Clone)]
pub(crate) struct WeakEngine(Weak<Shared>);

impl WeakEngine {
    /// The engine, if it is still there.
    pub(crate) fn upgrade(&self) -> Option<Engine> {
        self.0.upgrade().map(Engine)
    }
}

/// How an engine runs.
#[derive(Debug, Clone)]
pub(crate) struct EngineOptions {
    pub(crate) clock: Clock,
    /// The slots of `default_pool`.
    pub(crate) parallelism: u32,
    /// Passes every output through its codec, and fails the node whose value does not come back the same.
    pub(crate) check_outputs: bool,
    /// Told of each record, under the engine's lock.
    pub(crate) observer: Option<Arc<dyn Observe>>,
}

/// Sees each record before anything follows from it.
pub(crate) trait Observe: Send + Sync + std::fmt::Debug {
    /// `run` is in the state after the record, and after those of the same turn.
    fn record(&self, ix: RunIx, run: &Run, entry: &record::Entry);
    /// Sees what happened in earlier processes to a run that is gone on with, before anything else of it.
    fn resumed(&self, ix: RunIx, run: &Run, entries: &[record::Entry]);
}

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    hands: Hands,
    options: EngineOptions,
    /// Whether outputs become JSON: to be kept, or to see whether they would come back the same.
    writes_outputs: bool,
    /// Whether they are kept.
    is_durable: bool,
    /// In a simulation: what it does to bodies. Its presence makes answers wait until nothing more happens at an instant.
    meddle: Option<Arc<dyn Meddle>>,
    /// One permit for each idle driver that there is a node for. Unlike a `Notify` it counts those that are woken before
    /// they sleep.
    awake: Semaphore,
    /// There is an answer to a step, or somebody was told.
    work: Notify,
    /// A timer is due earlier than before.
    timers: Notify,
    /// Nothing more is done.
    stop: Notify,
    /// Somebody was told something, or could not be.
    told: Notify,
    /// Where bodies and notifiers run; without it, the runtime of whoever calls.
    workers: OnceLock<Handle>,
    /// By what traces of earlier processes' pokes are looked at.
    look_again: OnceLock<LookAgain>,
}

#[derive(Debug)]
struct State {
    core: Core,
    journal: Box<dyn Journal>,
    ready: VecDeque<Job>,
    /// Attempts that are tasks of their own.
    tasks: HashMap<(RunIx, Slot), (u32, AbortHandle)>,
    waiting: HashMap<RunIx, Vec<oneshot::Sender<RunState>>>,
    /// Tasks to be cut off once nobody holds the lock: they answer for themselves.
    aborts: Vec<AbortHandle>,
    /// What watches for sensors between two pokes.
    watches: Watches,
    /// Callbacks being told.
    telling: usize,
    idle_drivers: usize,
    pace: Pace,
    watch: Watch,
    /// A task was spawned, or woken, on this thread.
    handed_on: bool,
    /// When the timer loop wakes next, if nothing wakes it before.
    alarm: Timestamp,
    stepped: stepped::Inbox,
    stopped: bool,
}

impl Engine {
    pub(crate) fn new(journal: Box<dyn Journal>, options: EngineOptions, meddle: Option<Arc<dyn Meddle>>) -> Self {
        let is_durable = journal.is_durable();
        let state = State {
            core: Core::new(options.parallelism),
            journal,
            ready: VecDeque::new(),
            tasks: HashMap::new(),
            waiting: HashMap::new(),
            aborts: Vec::new(),
            watches: Watches::default(),
            telling: 0,
            idle_drivers: 0,
            pace: Pace::default(),
            watch: Watch::default(),
            handed_on: false,
            alarm: Timestamp::NEVER,
            stepped: stepped::Inbox::default(),
            stopped: false,
        };
        let shared = Shared {
            state: Mutex::new(state),
            hands: Hands::default(),
            writes_outputs: options.check_outputs || is_durable,
            is_durable,
            options,
            meddle,
            awake: Semaphore::new(0),
            work: Notify::new(),
            timers: Notify::new(),
            stop: Notify::new(),
            told: Notify::new(),
            workers: OnceLock::new(),
            look_again: OnceLock::new(),
        };
        let engine = Self(Arc::new(shared));
        if engine.0.meddle.is_none() {
            engine.lock().watches.tell(engine.downgrade());
        }
        engine
    }

    /// From now on bodies and notifiers run on that runtime, whoever it is that starts them. Only the first call counts.
    pub(crate) fn run_on(&self, workers: Handle) {
        // Runs that have begun stay where they are.
        let _ = self.0.workers.set(workers);
    }

    fn spawn_task<F: Future<Output: Send + 'static> + Send + 'static>(&self, task: F) -> JoinHandle<F::Output> {
        match self.0.workers.get() {
            Some(workers) => workers.spawn(task),
            None => tokio::spawn(task),
        }
    }

    fn spawn_thread(&self, work: impl FnOnce() + Send + 'static) {
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

    /// Goes on with a run from its records.
    pub(crate) fn resume(&self, spec: RunSpec, started: Timestamp, entries: &[record::Entry]) -> RunIx {
        let now = self.clock().now();
        let ix = self.with(|core| {
            let ix = core.resume(spec, started, entries, now);
            if let (Some(observer), Some(run)) = (&self.0.options.observer, core.run(ix)) {
                observer.resumed(ix, run, entries);
            }
            ix
        });
        self.look_again(ix);
        ix
    }

    /// Goes on with a run as an edit leaves it, if it can be applied.
    pub(crate) fn resume_edited(
        &self,
        spec: RunSpec,
        started: Timestamp,
        entries: &[record::Entry],
        edit: &Edit,
    ) -> Result<RunIx, EditError> {
        let now = self.clock().now();
        let ix = self.with(|core| {
            let ix = core.resume_edited(spec, started, entries, edit, now)?;
            if let (Some(observer), Some(run)) = (&self.0.options.observer, core.run(ix)) {
                observer.resumed(ix, run, entries);
            }
            Ok::<_, EditError>(ix)
        })?;
        self.look_again(ix);
        Ok(ix)
    }

    /// Changes a run as somebody wants it.
    pub(crate) fn edit(&self, run: RunIx, edit: &Edit) -> Result<(), EditError> {
        let now = self.clock().now();
        self.with(|core| core.edit(run, edit, now))
    }

    /// From now on nothing more is started; what is under way may end.
    pub(crate) fn drain(&self) {
        self.with(Core::drain);
    }

    /// Whether an attempt or a callback is under way.
    pub(crate) fn is_busy(&self) -> bool {
        let state = self.lock();
        state.telling > 0 || state.core.is_busy()
    }

    /// Gives the memory of a run back that has ended and has nothing more to tell. Says whether it has.
    pub(crate) fn forget(&self, run: RunIx) -> bool {
        self.lock().core.forget(run)
    }

    /// Looks at a run.
    pub(crate) fn look<R>(&self, run: RunIx, look: impl FnOnce(&Run) -> R) -> Option<R> {
        self.lock().core.run(run).map(look)
    }

    /// The records of a run that are in memory.
    pub(crate) fn entries(&self, run: RunIx) -> Vec<record::Entry> {
        self.lock().journal.entries(run)
    }

    /// Returns once the run has ended.
    pub(crate) async fn ended(&self, run: RunIx) -> RunState {
        let end = {
            let mut state = self.lock();
            match state.core.run(run).map(|run| run.state) {
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

    /// Carries out what a commit made due.
    pub(crate) fn committed(&self, todo: Todo) {
        self.locked(|state| {
            if !state.stopped {
                state.ready.extend(todo.starts);
                self.act(state, todo.actions);
            }
        });
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // A panic under the lock is a mistake of the engine; the state it leaves is still the fold of its records.
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Works on the state, and wakes whom there is then something to do for. Says whether it has.
    #[inline]
    fn locked<R>(&self, work: impl FnOnce(&mut State) -> R) -> (R, bool) {
        let (result, wake, aborts, handed_on, refused) = {
            let mut state = self.lock();
            let result = work(&mut state);
            let wake = self.to_wake(&mut state);
            let aborts = (!state.aborts.is_empty()).then(|| std::mem::take(&mut state.aborts));
            let handed_on = std::mem::take(&mut state.handed_on);
            let refused = std::mem::take(&mut state.core.outbox_and_runs().0.refused);
            (result, wake, aborts, handed_on, refused)
        };
        if wake > 0 {
            self.0.awake.add_permits(wake);
        }
        let has_woken = wake > 0 || handed_on || aborts.is_some();
        if let Some(aborts) = aborts {
            aborts.iter().for_each(AbortHandle::abort);
        }
        for answer in refused {
            // A value that panics as it is dropped changes nothing.
            let _ = std::panic::catch_unwind(std::panic::AssertUnwindSafe(move || drop(answer)));
        }
        (result, has_woken)
    }

    /// How many drivers are to be woken. They are idle no longer.
    #[inline]
    fn to_wake(&self, state: &mut State) -> usize {
        let (ready, idle) = (state.ready.len(), state.idle_drivers);
        if ready == 0 || idle == 0 {
            return 0;
        }
        let wake = state.pace.wakes(ready, idle, self.0.hands.count() - idle);
        if wake < ready.min(idle) {
            self.watch(state);
        }
        state.idle_drivers -= wake;
        wake
    }

    /// From now on it is looked whether drivers come back from their bodies.
    fn watch(&self, state: &mut State) {
        if !std::mem::replace(&mut state.watch.is_on, true) {
            // Whoever was woken a moment ago has not had the time to come back.
            state.watch.turns.iter_mut().for_each(|[_, seen]| *seen = u64::MAX);
            self.0.timers.notify_one();
        }
    }

    /// Works on the core, and carries out what comes of it.
    fn with<R>(&self, work: impl FnOnce(&mut Core) -> R) -> R {
        self.locked(|state| {
            self.answer_in_hand(state);
            let result = work(&mut state.core);
            self.flush(state);
            result
        })
        .0
    }

    /// Answers for what drivers have done: it happened before whatever happens now.
    fn answer_in_hand(&self, state: &mut State) {
        if state.stopped {
            return;
        }
        let mut now = None;
        for (job, answer) in self.0.hands.answers() {
            let now = *now.get_or_insert_with(|| self.clock().now());
            state.core.answer(job, answer, now);
        }
    }

    fn answer(&self, job: Job, answer: Answer) {
        let now = self.clock().now();
        self.locked(|state| self.take_answer(state, job, answer, now));
    }

    /// Takes up what follows from an answer, if it is one node and there is an idle driver that need not be woken for it then.
    fn answer_and_follow(&self, job: Job, answer: Answer) -> Option<Box<Attempt>> {
        let now = self.clock().now();
        let take = |state: &mut State| {
            self.take_answer(state, job, answer, now);
            let is_free = !state.handed_on && state.aborts.is_empty() && tokio::task::coop::has_budget_remaining();
            let is_mine = is_free && state.ready.len() == 1 && state.idle_drivers > 0;
            is_mine.then(|| Self::pop(state, &mut VecDeque::new())).flatten()
        };
        self.locked(take).0
    }

    fn take_answer(&self, state: &mut State, job: Job, answer: Answer, now: Timestamp) {
        if let Entry::Occupied(task) = state.tasks.entry((job.run, job.slot))
            && task.get().0 == job.start
        {
            task.remove();
        }
        if !state.stopped {
            state.core.answer(job, answer, now);
        }
        self.flush(state);
    }

    /// Gives the core's records to the journal, and carries out its actions once they are kept.
    #[inline]
    fn flush(&self, state: &mut State) {
        let (outbox, runs) = state.core.outbox_and_runs();
        if let Some(observer) = &self.0.options.observer {
            for (ix, entry) in outbox.records.iter() {
                if let Some(run) = runs.get(ix) {
                    observer.record(ix, run, &entry);
                }
            }
        }
        state.watches.follow(&outbox.records);
        match state.journal.submit(outbox, &|run| runs.get(run).map_or(0, |run| run.spec.key)) {
            Kept::Later => {}
            Kept::Now => {
                state.ready.extend(outbox.todo.starts.drain(..));
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
        state.handed_on = true;
        match action {
            Action::Abort(job) => {
                if let Some(at) = state.ready.iter().position(|ready| *ready == job) {
                    state.ready.remove(at);
                    self.spawn_answer(job, None);
                } else if let Some(attempt) = self.0.hands.withdraw(job) {
                    self.spawn_answer(job, Some(attempt));
                } else if let Some((of, abort)) = state.tasks.remove(&(job.run, job.slot))
                    && of == job.start
                {
                    state.aborts.push(abort);
                }
            }
            Action::Tell { run, id, notifier, notification } => {
                let notifier = state.core.run(run).and_then(|run| run.plan().notifiers.get(notifier as usize).cloned());
                if let Some(notifier) = notifier {
                    state.telling += 1;
                    self.tell(run, id, notifier, notification);
                }
            }
            Action::Ended { run, state: end } => {
                for waiting in state.waiting.remove(&run).unwrap_or_default() {
                    // Whoever waited may have gone.
                    let _ = waiting.send(end);
                }
            }
        }
    }
}
