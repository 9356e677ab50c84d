//! Live runs: drivers on the runtime's workers, timers on the thread that blocks on [`Engine::drive`].

use super::super::core::Answer;
use super::execute::Executed;
use super::{Attempt, Engine, Job, State, hands};
use crate::time::Timestamp;
use std::collections::VecDeque;
use std::convert::Infallible;
use std::task::Poll;
use std::time::Duration;
use tokio::sync::{AcquireError, SemaphorePermit};
use tokio::task::{AbortHandle, JoinSet};

/// After so long in a row a driver lets the runtime's other tasks go first. To be away for a moment costs it a wake-up.
const IN_A_ROW: Duration = Duration::from_micros(200);

/// While another driver has answers in hand, an idle one looks whether that comes to telling them.
const LOOK_AGAIN: Duration = Duration::from_millis(1);

/// Lets the runtime's other tasks go first, and other threads take this one.
///
/// A task that is woken or spawned by a driver is the next on the driver's thread, and no other thread takes it from there. So a
/// driver goes to the back before it begins with another body, which may keep the thread.
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
        self.0.hands.make(drivers.max(1));
        for driver in 0..self.0.hands.count() {
            let driver = self.clone().driver(driver);
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
            if alarm == Timestamp::NEVER {
                self.0.timers.notified().await;
                continue;
            }
            tokio::select! {
                () = self.clock().sleep_until(alarm) => {}
                () = self.0.timers.notified() => {}
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
            self.0.hands.clear();
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

    async fn driver(self, driver: usize) {
        let mut own = Own { driver, has_hand: false, spares: VecDeque::new() };
        let (mut done, mut gives_way, mut let_go_at) = (None, false, self.clock().now() + IN_A_ROW);
        loop {
            let now = self.clock().now();
            let (first, has_woken) = self.exchange(&mut own, done.take(), now);
            let Some(mut attempt) = first else {
                // They may be all that is left of their runs.
                own.spares.clear();
                self.sleep(driver).await;
                (gives_way, let_go_at) = (false, self.clock().now() + IN_A_ROW);
                continue;
            };
            // What a body takes of its own of what tokio lets a task do at once is taken of its driver's.
            if gives_way || has_woken || now > let_go_at || !tokio::task::coop::has_budget_remaining() {
                // Meanwhile it may be taken over, or cut off.
                self.0.hands.of(driver).todo.push_front(attempt);
                own.has_hand = true;
                go_to_the_back().await;
                (gives_way, let_go_at) = (false, now + IN_A_ROW);
                let Some(still_there) = self.next_in_hand(&own, &mut done) else { continue };
                attempt = still_there;
            }
            loop {
                let job = attempt.job();
                let Executed { answer, spare } = self.execute(attempt);
                if let Some(spare) = spare {
                    own.spares.push_back(spare);
                }
                gives_way |= answer.is_none();
                done = answer.map(|answer| (job, answer));
                if own.has_hand && gives_way {
                    gives_way = false;
                    go_to_the_back().await;
                }
                match self.next_in_hand(&own, &mut done) {
                    Some(next) => attempt = next,
                    None => break,
                }
            }
        }
    }

    /// The next that the driver took up, unless another took it over. Others see meanwhile what is done.
    #[inline]
    fn next_in_hand(&self, own: &Own, done: &mut Option<(Job, Answer)>) -> Option<Box<Attempt>> {
        if !own.has_hand {
            return None;
        }
        let mut hand = self.0.hands.of(own.driver);
        hand.done.extend(done.take());
        hand.todo.pop_front()
    }

    /// Answers for what is done, and takes up the driver's share of what is ready, or of what another has in hand: the first of it is
    /// returned, and whether another driver was woken for more. A driver that finds nothing is idle from then on.
    #[inline]
    fn exchange(&self, own: &mut Own, done: Option<(Job, Answer)>, now: Timestamp) -> (Option<Box<Attempt>>, bool) {
        self.locked(|state| {
            let has_hand = std::mem::take(&mut own.has_hand);
            let has_answers = has_hand || done.is_some();
            if has_hand {
                self.answer_for(state, own.driver, now);
            }
            if let Some((job, answer)) = done
                && !state.stopped
            {
                state.core.answer(job, answer, now);
            }
            if has_answers {
                self.flush(state);
            }
            let share = hands::share(state.ready.len(), self.0.hands.count());
            let mut first = Self::pop(state, &mut own.spares);
            if share > 1 {
                let mut hand = self.0.hands.of(own.driver);
                hand.todo.extend((1..share).map_while(|_| Self::pop(state, &mut own.spares)));
                own.has_hand = !hand.todo.is_empty();
            } else if first.is_none()
                && let Some(mut taken) = self.0.hands.take_over(own.driver)
            {
                first = taken.pop_front();
                own.has_hand = !taken.is_empty();
                self.0.hands.of(own.driver).todo = taken;
            }
            state.idle_drivers += usize::from(first.is_none());
            first
        })
    }

    fn answer_for(&self, state: &mut State, driver: usize, now: Timestamp) {
        let mut hand = self.0.hands.of(driver);
        for (job, answer) in hand.done.drain(..) {
            if !state.stopped {
                state.core.answer(job, answer, now);
            }
        }
    }

    /// Returns once there may be something for an idle driver to do. What others have done meanwhile is told if they do not come to it.
    async fn sleep(&self, driver: usize) {
        while self.0.hands.others_have_answers(driver) {
            let again = self.clock().now() + LOOK_AGAIN;
            tokio::select! {
                permit = self.0.awake.acquire() => return woken(permit),
                () = self.clock().sleep_until(again) => {}
            }
            // Whoever works on the core tells it those first. What follows from them wakes this driver.
            self.with(|_| ());
        }
        woken(self.0.awake.acquire().await);
    }

    pub(super) fn pop(state: &mut State, spares: &mut VecDeque<Box<Attempt>>) -> Option<Box<Attempt>> {
        while let Some(job) = state.ready.pop_front() {
            let attempt = Self::prepare(state, job, spares);
            if attempt.is_some() {
                return attempt;
            }
        }
        None
    }
}

/// A permit is for one wake-up.
fn woken(permit: Result<SemaphorePermit<'_>, AcquireError>) {
    // The semaphore is never closed.
    if let Ok(permit) = permit {
        permit.forget();
    }
}

/// What a driver keeps to itself.
struct Own {
    driver: usize,
    /// It has taken up more than one, which others may have taken over since.
    has_hand: bool,
    /// Attempts that are over, whose memory the next may have.
    spares: VecDeque<Box<Attempt>>,
}
