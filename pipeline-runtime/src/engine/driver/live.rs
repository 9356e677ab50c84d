//! Live runs: drivers on the runtime's workers, timers on the thread that blocks on [`Engine::drive`].

use super::super::core::Answer;
use super::execute::Executed;
use super::{Attempt, Engine, Job, State, hands, pace};
use crate::time::Timestamp;
use std::collections::VecDeque;
use std::convert::Infallible;
use std::task::Poll;
use std::time::Duration;
use tokio::task::{AbortHandle, JoinSet};

/// After so long in a row a driver lets the runtime's other tasks go first. To be away for a moment costs it a wake-up.
const IN_A_ROW: Duration = Duration::from_micros(200);

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
        self.lock().watch.turns = vec![[0; 2]; self.0.hands.count()];
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
                let watches = self.look_after_drivers(&mut state);
                if watches { state.alarm.min(now + pace::WATCH) } else { state.alarm }
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

    /// Wakes drivers that were left asleep, if those that were not have not come back since this was last done. Says whether to look again.
    fn look_after_drivers(&self, state: &mut State) -> bool {
        if !state.watch.is_on {
            state.watch.is_stuck = false;
            return false;
        }
        let (mut is_kept, mut nobody_came) = (false, true);
        for (driver, [turns, seen]) in state.watch.turns.iter_mut().enumerate() {
            let came = std::mem::replace(seen, *turns) != *turns;
            nobody_came &= !came;
            is_kept |= !came && !self.0.hands.of(driver).todo.is_empty();
        }
        let waiting = state.ready.len() + self.0.hands.waiting();
        state.watch.is_on = !state.ready.is_empty() || !self.0.hands.are_empty();
        state.watch.is_stuck = is_kept || nobody_came;
        if state.watch.is_stuck {
            let wake = waiting.min(state.idle_drivers);
            state.idle_drivers -= wake;
            self.0.awake.add_permits(wake);
        }
        state.watch.is_on
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
        let mut own = Own { driver, has_hand: false, spares: VecDeque::new(), bodies: 0, begun: Timestamp::default() };
        let (mut done, mut gives_way, mut let_go_at) = (None, false, self.clock().now() + IN_A_ROW);
        loop {
            let now = self.clock().now();
            let (first, has_woken) = self.exchange(&mut own, done.take(), now);
            let Some(mut attempt) = first else {
                // They may be all that is left of their runs.
                own.spares.clear();
                self.sleep().await;
                (gives_way, let_go_at) = (false, self.clock().now() + IN_A_ROW);
                continue;
            };
            // What a body takes of its own of what tokio lets a task do at once is taken of its driver's.
            if gives_way || has_woken || now > let_go_at || !tokio::task::coop::has_budget_remaining() {
                // Meanwhile it may be cut off.
                self.0.hands.of(driver).next = Some(attempt);
                own.has_hand = true;
                go_to_the_back().await;
                (gives_way, let_go_at) = (false, now + IN_A_ROW);
                let Some(still_there) = self.next_in_hand(&own, &mut done) else { continue };
                attempt = still_there;
            }
            (own.bodies, own.begun) = (0, if own.has_hand { self.clock().now() } else { now });
            loop {
                let job = attempt.job();
                let Executed { answer, spare } = self.execute(attempt);
                if let Some(spare) = spare {
                    own.spares.push_back(spare);
                }
                own.bodies += 1;
                gives_way |= answer.is_none();
                done = answer.map(|answer| (job, answer));
                if own.has_hand && gives_way {
                    gives_way = false;
                    go_to_the_back().await;
                    (own.bodies, own.begun) = (0, self.clock().now());
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
        hand.next.take().or_else(|| hand.todo.pop_front())
    }

    /// Answers for what is done, and takes up the driver's share of what is ready, or of what another has in hand: the first of it is
    /// returned, and whether another driver was woken for more. A driver that finds nothing is idle from then on.
    #[inline]
    fn exchange(&self, own: &mut Own, done: Option<(Job, Answer)>, now: Timestamp) -> (Option<Box<Attempt>>, bool) {
        self.locked(|state| {
            state.watch.turns[own.driver][0] += 1;
            state.pace.learn(std::mem::take(&mut own.bodies), own.begun, now);
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
            // First what another holds and does not come back for: it was ready before all that is.
            if state.watch.is_stuck
                && let Some(first) = self.take_over(own)
            {
                return Some(first);
            }
            let share = hands::share(state.ready.len(), self.0.hands.count());
            let mut first = Self::pop(state, &mut own.spares);
            if share > 1 {
                let mut hand = self.0.hands.of(own.driver);
                hand.todo.extend((1..share).map_while(|_| Self::pop(state, &mut own.spares)));
                own.has_hand = !hand.todo.is_empty();
                drop(hand);
                self.watch(state);
            } else if first.is_none() && (state.watch.is_stuck || state.pace.is_long()) {
                first = self.take_over(own);
            }
            state.idle_drivers += usize::from(first.is_none());
            first
        })
    }

    /// Takes over some of what another driver has in hand: the first of it is returned.
    fn take_over(&self, own: &mut Own) -> Option<Box<Attempt>> {
        let mut taken = self.0.hands.take_over(own.driver)?;
        let first = taken.pop_front();
        own.has_hand = !taken.is_empty();
        self.0.hands.of(own.driver).todo = taken;
        first
    }

    fn answer_for(&self, state: &mut State, driver: usize, now: Timestamp) {
        let mut hand = self.0.hands.of(driver);
        for (job, answer) in hand.done.drain(..) {
            if !state.stopped {
                state.core.answer(job, answer, now);
            }
        }
    }

    /// Returns once there is something for an idle driver to do.
    async fn sleep(&self) {
        // The semaphore is never closed. A permit is for one wake-up.
        if let Ok(permit) = self.0.awake.acquire().await {
            permit.forget();
        }
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

/// What a driver keeps to itself.
struct Own {
    driver: usize,
    /// It has taken up more than one, which others may have taken over since.
    has_hand: bool,
    /// Attempts that are over, whose memory the next may have.
    spares: VecDeque<Box<Attempt>>,
    /// How many bodies it has polled since when.
    bodies: usize,
    begun: Timestamp,
}
