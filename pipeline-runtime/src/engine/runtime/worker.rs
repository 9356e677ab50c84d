//! Live runs: workers on the workers' runtime, and timers on the thread that blocks on [`Engine::drive`].
//!
//! A worker takes a turn with the core, polls the bodies that it got, and gives their answers in its next turn.
//!
//! # Why a blocking body delays only itself
//!
//! A body may block its thread. Other threads then do the rest of that thread's work:
//!
//! - Tokio puts a task that is woken or spawned into the LIFO slot of the same thread, from which no other thread can steal. So a
//!   worker that has woken or spawned a task goes to the back of the runtime's queue before it begins another body.
//! - An idle worker steals the worker's local queue, and the next caller of the core gives the worker's answers
//!   ([`local_queue`]).
//! - If the other workers were left asleep, the timer thread notices within a few milliseconds that this one does not return, and
//!   wakes them ([`wake_policy`]).
//!
//! A body that is pending is polled in place once more, behind the rest of its worker's queue, so that a body that only yields
//! costs no task. Until then it can be stolen and withdrawn like attempts that have not begun.
//!
//! One limit remains: a task that a body wakes right before its end waits until the worker's next body yields. (`runtime/tests`)

use super::super::effects::Answer;
use super::super::ids::Job;
use super::body::Executed;
use super::engine::{State, drop_quietly};
use super::local_queue::LocalQueue;
use super::{Attempt, Engine, local_queue, wake_policy};
use crate::time::Timestamp;
use std::collections::{HashMap, VecDeque};
use std::convert::Infallible;
use std::task::Poll;
use std::time::Duration;
use tokio::task::{AbortHandle, JoinSet};

/// After this long without a yield, a worker lets the runtime's other tasks run first. A yield costs a wake-up, so it is not made
/// for each body.
const IN_A_ROW: Duration = Duration::from_micros(200);

/// Lets the runtime's other tasks run first, and lets other threads steal this one.
///
/// Tokio's LIFO slot cannot be stolen from, and a task that a worker wakes or spawns lands there. So a worker goes to the back of
/// the queue before it begins another body, which may block the thread.
///
/// This is not tokio's `yield_now`, which defers the task to a place that no other thread searches. The task, and with it the
/// worker's local queue, would stay there until the thread has finished whatever it runs meanwhile, such as a blocking body.
async fn go_to_the_back() {
    let mut went = false;
    std::future::poll_fn(|context| {
        if std::mem::replace(&mut went, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

impl Engine {
    /// Runs what is ready, for ever. The caller drops the future once enough has ended, and calls this once.
    ///
    /// Timers fire on the runtime that polls the future. If bodies have a runtime of their own, by [`run_on`](Self::run_on), a
    /// body that blocks its thread delays no timer. Nothing starts before this call, so that no time limit counts before its body
    /// can begin. Everything that has happened by then is handed to the journal before the call returns.
    pub(crate) fn drive(&self, workers: usize) -> impl Future<Output = Infallible> {
        self.0.queues.make(workers.max(1));
        self.lock().stalls.turns = vec![[0; 2]; self.0.queues.count()];
        let mut workers = Workers { running: JoinSet::new(), numbers: HashMap::new() };
        for number in 0..self.0.queues.count() {
            self.spawn_worker(number, &mut workers);
        }
        self.open();
        self.fire_timers(workers)
    }

    fn spawn_worker(&self, number: usize, workers: &mut Workers) {
        let worker = self.clone().worker(number);
        let spawned = match self.0.workers.get() {
            Some(runtime) => workers.running.spawn_on(worker, runtime),
            None => workers.running.spawn(worker),
        };
        workers.numbers.insert(spawned.id(), number);
    }

    /// Fires timers, for ever. The workers end when the future is dropped.
    async fn fire_timers(&self, mut workers: Workers) -> Infallible {
        loop {
            if self.lock().stopped {
                // Nothing more is recorded, not even a timer's effect.
                std::future::pending::<()>().await;
            }
            let now = self.clock().now();
            self.with(|core| core.advance(now));
            let alarm = {
                let mut state = self.lock();
                state.alarm = state.core.next_due();
                let watches = self.look_after_workers(&mut state);
                if watches { state.alarm.min(now + wake_policy::WATCH) } else { state.alarm }
            };
            tokio::select! {
                () = self.clock().sleep_until(alarm), if alarm < Timestamp::NEVER => {}
                () = self.0.timers.notified() => {}
                Some(Err(ended)) = workers.running.join_next() => {
                    // No user code can end a worker, so this is a bug in the engine. Without a replacement, its share would not
                    // run.
                    if let (false, Some(number)) = (ended.is_cancelled(), workers.numbers.remove(&ended.id())) {
                        tracing::error!("a worker of the engine ended and is replaced: {ended}");
                        self.spawn_worker(number, &mut workers);
                    }
                }
            }
        }
    }

    /// Lets bodies start: workers exist from now on.
    pub(crate) fn open(&self) {
        let now = self.clock().now();
        self.locked(|state| {
            if std::mem::replace(&mut state.held, false) {
                state.core.open(now);
                self.flush(state);
            }
        });
    }

    /// Wakes idle workers if busy ones have not returned since the last check. Returns whether to check again.
    fn look_after_workers(&self, state: &mut State) -> bool {
        if !state.stalls.is_on {
            state.stalls.is_stuck = false;
            return false;
        }
        let (mut is_kept, mut nobody_came) = (false, true);
        for (worker, [turns, seen]) in state.stalls.turns.iter_mut().enumerate() {
            let came = std::mem::replace(seen, *turns) != *turns;
            nobody_came &= !came;
            is_kept |= !came && !self.0.queues.of(worker).jobs.is_empty();
        }
        let waiting = state.ready.len() + self.0.queues.waiting();
        state.stalls.is_on = !state.ready.is_empty() || !self.0.queues.are_empty();
        state.stalls.is_stuck = is_kept || nobody_came;
        if state.stalls.is_stuck {
            let wake = waiting.min(state.idle_workers);
            state.idle_workers -= wake;
            self.0.awake.add_permits(wake);
        }
        state.stalls.is_on
    }

    /// Records attempts under way as cut off, because the process is asked to end. [`stop`](Self::stop) must follow.
    pub(crate) fn interrupt(&self) {
        let now = self.clock().now();
        self.with(|core| core.interrupt(now));
    }

    /// Ends this process's part in all runs: attempts are cut off, and nothing more is recorded. The runs can be resumed.
    pub(crate) fn stop(&self) {
        let (tasks, watches) = {
            let mut state = self.lock();
            state.stopped = true;
            state.ready.clear();
            let tasks: Vec<AbortHandle> = state.tasks.drain().map(|(_, (_, task))| task).collect();
            (tasks, state.watches.take())
        };
        tasks.iter().for_each(AbortHandle::abort);
        for LocalQueue { next, jobs, done } in self.0.queues.take() {
            // Each by itself: some have begun, and the drop of what a body holds may panic.
            next.into_iter().chain(jobs).for_each(drop_quietly);
            drop_quietly(done);
        }
        drop_quietly(watches);
        self.0.stop.notify_one();
    }

    /// Returns once the engine was stopped, for example by a journal that can no longer be written.
    pub(crate) async fn stopped(&self) {
        self.0.stop.notified().await;
    }

    async fn worker(self, worker: usize) {
        let mut own = WorkerState { worker, has_queue: false, spares: VecDeque::new(), bodies: 0, begun: Timestamp::default() };
        let (mut done, mut gives_way, mut let_go_at) = (None, false, self.clock().now() + IN_A_ROW);
        loop {
            let now = self.clock().now();
            let (first, has_woken) = self.take_turn(&mut own, &mut done, now);
            let Some(mut attempt) = first else {
                // A spare may hold the last reference to its run.
                own.spares.clear();
                self.sleep().await;
                (gives_way, let_go_at) = (false, self.clock().now() + IN_A_ROW);
                continue;
            };
            // A body that is polled in place consumes its worker's coop budget.
            if gives_way || has_woken || now > let_go_at || !tokio::task::coop::has_budget_remaining() {
                // While it waits in the queue it can be withdrawn.
                self.0.queues.of(worker).next = Some(attempt);
                own.has_queue = true;
                go_to_the_back().await;
                (gives_way, let_go_at) = (false, now + IN_A_ROW);
                let Some(still_there) = self.next_queued(&own, &mut done) else { continue };
                attempt = still_there;
            }
            (own.bodies, own.begun) = (0, if own.has_queue { self.clock().now() } else { now });
            loop {
                let job = attempt.job();
                own.bodies += 1;
                match self.execute(attempt) {
                    Executed::Ended(answer, spare) => {
                        if let Some(spare) = spare {
                            own.spares.push_back(spare);
                        }
                        done = Some((job, answer));
                    }
                    Executed::Waits(attempt) => {
                        self.0.queues.of(worker).jobs.push_back(attempt);
                        (own.has_queue, gives_way) = (true, true);
                    }
                    Executed::Elsewhere => gives_way = true,
                }
                if own.has_queue && gives_way {
                    gives_way = false;
                    go_to_the_back().await;
                    (own.bodies, own.begun) = (0, self.clock().now());
                }
                match self.next_queued(&own, &mut done) {
                    Some(next) => attempt = next,
                    None => break,
                }
            }
        }
    }

    /// Returns the next attempt of the worker's queue, unless another worker stole it. Publishes the answer in `done` for other
    /// threads.
    #[inline]
    fn next_queued(&self, own: &WorkerState, done: &mut Option<(Job, Answer)>) -> Option<Box<Attempt>> {
        if !own.has_queue {
            return None;
        }
        let mut queue = self.0.queues.of(own.worker);
        queue.done.extend(done.take());
        queue.next.take().or_else(|| queue.jobs.pop_front())
    }

    /// Gives the collected answers, and takes the worker's share of the ready queue or steals from another worker. Returns the
    /// first attempt, and whether the turn woke or spawned anything. A worker that finds nothing counts as idle from then on.
    #[inline]
    fn take_turn(&self, own: &mut WorkerState, done: &mut Option<(Job, Answer)>, now: Timestamp) -> (Option<Box<Attempt>>, bool) {
        self.locked(|state| {
            state.stalls.turns[own.worker][0] += 1;
            state.wake_policy.learn(std::mem::take(&mut own.bodies), own.begun, now);
            let has_queue = std::mem::take(&mut own.has_queue);
            let has_answers = has_queue || done.is_some();
            if has_queue {
                self.answer_for(state, own.worker, now);
            }
            if let Some((job, answer)) = done.take() {
                state.answer(job, answer, now);
            }
            if has_answers {
                self.flush(state);
            }
            // First steal from a worker that does not return: its jobs were ready before all others.
            if state.stalls.is_stuck
                && let Some(first) = self.steal(own)
            {
                return Some(first);
            }
            let share = local_queue::share(state.ready.len(), self.0.queues.count());
            let mut first = self.pop(state, &mut own.spares);
            if share > 1 {
                let mut queue = self.0.queues.of(own.worker);
                queue.jobs.extend((1..share).map_while(|_| self.pop(state, &mut own.spares)));
                own.has_queue = !queue.jobs.is_empty();
                drop(queue);
                self.watch(state);
            } else if first.is_none() && (state.stalls.is_stuck || state.wake_policy.is_long()) {
                first = self.steal(own);
            }
            state.idle_workers += usize::from(first.is_none());
            first
        })
    }

    /// Steals from another worker's queue. Returns the first stolen attempt.
    fn steal(&self, own: &mut WorkerState) -> Option<Box<Attempt>> {
        let mut stolen = self.0.queues.steal(own.worker)?;
        let first = stolen.pop_front();
        own.has_queue = !stolen.is_empty();
        self.0.queues.of(own.worker).jobs = stolen;
        first
    }

    fn answer_for(&self, state: &mut State, worker: usize, now: Timestamp) {
        let mut queue = self.0.queues.of(worker);
        for (job, answer) in queue.done.drain(..) {
            state.answer(job, answer, now);
        }
    }

    /// Returns once there is work for an idle worker.
    async fn sleep(&self) {
        // The semaphore is never closed. Each permit is one wake-up.
        if let Ok(permit) = self.0.awake.acquire().await {
            permit.forget();
        }
    }

    /// Returns the next ready attempt. An attempt whose end is decided but not yet stored never begins. It is answered for here,
    /// because the action that cuts it off comes too late to find it.
    pub(super) fn pop(&self, state: &mut State, spares: &mut VecDeque<Box<Attempt>>) -> Option<Box<Attempt>> {
        while let Some(job) = state.ready.pop_front() {
            let attempt = Self::prepare(state, job, spares);
            if attempt.is_some() {
                return attempt;
            }
            state.woke_or_spawned = true;
            self.spawn_answer(job, None);
        }
        None
    }
}

/// The worker tasks and their numbers.
struct Workers {
    running: JoinSet<()>,
    numbers: HashMap<tokio::task::Id, usize>,
}

/// A worker's private state.
struct WorkerState {
    worker: usize,
    /// Its local queue may hold attempts. Others may have stolen them since.
    has_queue: bool,
    /// Finished attempts, whose memory is reused.
    spares: VecDeque<Box<Attempt>>,
    /// The number of bodies polled since `begun`.
    bodies: usize,
    begun: Timestamp,
}
