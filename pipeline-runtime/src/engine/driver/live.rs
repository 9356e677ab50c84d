//! Live runs: drivers on the runtime's workers, timers on the thread that blocks on [`Engine::drive`].

use super::super::core::Answer;
use super::execute::Executed;
use super::{Attempt, Engine, Job, State};
use std::convert::Infallible;
use std::task::Poll;
use tokio::task::{AbortHandle, JoinSet};

/// After so many nodes in a row a driver lets the runtime's other tasks go first.
const IN_A_ROW: u32 = 64;

/// Lets the runtime's other tasks go first.
///
/// Not tokio's `yield_now`: that sets the task aside where no other thread finds it, and with it the node that the driver has
/// in hand, until the thread is done with whatever it does meanwhile: a body that keeps it, say.
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
    /// Runs what is to be run, for ever: to be dropped once enough has ended. To be called once.
    ///
    /// Timers fire on the runtime that polls this. Where bodies have one of their own, by [`run_on`](Self::run_on), no body that
    /// hogs its thread can hold a timer up.
    pub(crate) async fn drive(&self, drivers: usize) -> Infallible {
        // The drivers end with this future.
        let mut running = JoinSet::new();
        for _ in 0..drivers.max(1) {
            let driver = self.clone().driver();
            match self.0.workers.get() {
                Some(workers) => running.spawn_on(driver, workers),
                None => running.spawn(driver),
            };
        }
        loop {
            if self.lock().stopped {
                // Nothing more is recorded, also not what a timer would.
                std::future::pending::<()>().await;
            }
            let now = self.clock().now();
            self.with(|core| core.advance(now));
            let alarm = {
                let mut state = self.lock();
                state.alarm = state.core.next_due();
                state.alarm
            };
            match alarm {
                Some(alarm) => tokio::select! {
                    () = self.clock().sleep_until(alarm) => {}
                    () = self.0.timers.notified() => {}
                },
                None => self.0.timers.notified().await,
            }
        }
    }

    /// Puts down that attempts are cut off because somebody wants the process to end. To be followed by [`stop`](Self::stop).
    pub(crate) fn interrupt(&self) {
        let now = self.clock().now();
        self.with(|core| core.interrupt(now));
    }

    /// Ends this process's part in all runs: attempts are cut off, and nothing more is recorded. The runs stay as they are, to
    /// be resumed.
    pub(crate) fn stop(&self) {
        let tasks: Vec<AbortHandle> = {
            let mut state = self.lock();
            state.stopped = true;
            state.ready.clear();
            state.watches.clear();
            state.tasks.drain().map(|(_, (_, task))| task).collect()
        };
        tasks.iter().for_each(AbortHandle::abort);
        self.0.stop.notify_one();
    }

    /// Returns once the engine was stopped by whom it depends on.
    pub(crate) async fn stopped(&self) {
        self.0.stop.notified().await;
    }

    async fn driver(self) {
        let mut in_a_row = 0;
        let mut spare = None;
        let mut next = self.take(&mut spare);
        loop {
            match next {
                None => {
                    // It may be all that is left of its run.
                    spare = None;
                    // It is never closed.
                    if let Ok(permit) = self.0.awake.acquire().await {
                        permit.forget();
                    }
                    next = self.take(&mut spare);
                }
                Some(attempt) => {
                    let job = attempt.job();
                    let Executed { answer, spare: over } = self.execute(attempt);
                    spare = over;
                    next = match answer {
                        Some(answer) => self.answer_and_take(job, answer, &mut spare),
                        None => self.take(&mut spare),
                    };
                    in_a_row += 1;
                    if in_a_row % IN_A_ROW == 0 {
                        go_to_the_back().await;
                    }
                }
            }
        }
    }

    /// The next node to start. A driver that finds none is idle from then on.
    fn take(&self, spare: &mut Option<Box<Attempt>>) -> Option<Box<Attempt>> {
        let mut state = self.lock();
        let next = Self::pop(&mut state, spare);
        if next.is_none() {
            state.idle_drivers += 1;
        }
        next
    }

    fn answer_and_take(&self, job: Job, answer: Answer, spare: &mut Option<Box<Attempt>>) -> Option<Box<Attempt>> {
        let now = self.clock().now();
        let (next, aborts) = {
            let mut state = self.lock();
            if !state.stopped {
                state.core.answer(job.run, job.slot, job.start, answer, now);
            }
            let aborts = self.flush(&mut state);
            let next = Self::pop(&mut state, spare);
            self.wake_drivers(&mut state);
            if next.is_none() {
                state.idle_drivers += 1;
            }
            (next, aborts)
        };
        aborts.iter().for_each(AbortHandle::abort);
        next
    }

    pub(super) fn pop(state: &mut State, spare: &mut Option<Box<Attempt>>) -> Option<Box<Attempt>> {
        while let Some(job) = state.ready.pop_front() {
            let attempt = Self::prepare(state, job, spare);
            if attempt.is_some() {
                return attempt;
            }
        }
        None
    }
}
