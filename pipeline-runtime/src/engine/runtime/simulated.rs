//! Simulated runs: one instant after the other.
//!
//! Time stands still until nothing more happens at an instant. Only then do the answers of that instant reach the core, in the
//! order of their nodes, so that a simulation never depends on which thread was first.

use super::super::effects::{Answer, Answered, DeliveryError};
use super::super::ids::{Job, RunIx, Slot};
#[cfg(any(feature = "cli", feature = "dashboard"))]
use super::body::Body;
use super::{Attempt, Engine};
use crate::author::keys::ListSummary;
use crate::author::notify::BoxFuture;
use crate::author::secret::Secret;
use crate::time::{Timestamp, accounted};
use futures_util::FutureExt;
use std::any::Any;
use std::collections::VecDeque;
use std::fmt::Debug;
use std::sync::mpsc;
use std::task::Poll;
use std::time::Duration;

/// The effect of a simulation on bodies.
pub(crate) trait Interceptor: Send + Sync + Debug {
    /// Returns what is done instead of the body, if anything.
    fn instead(&self, attempt: &Attempt) -> Option<Instead>;
    /// Returns a secret's value, if the simulation has one of its own.
    fn secret(&self, secret: &Secret) -> Option<Secret>;
    /// Makes this thread work within the simulation while the returned value lives, so that its I/O counts there.
    fn enter(&self) -> Box<dyn Any>;
    /// Notes that a blocking body has begun, or has ended.
    fn blocking(&self, begun: bool);
    /// Returns how many operations the clock waits for: I/O and blocking bodies.
    fn in_flight(&self) -> usize;
    /// Returns once there are no such operations.
    fn idle(&self) -> BoxFuture<()>;
    /// Notes that code starts to wait for something that the clock does not know of.
    fn waits(&self, waiter: Waiter);
    /// Notes that code no longer waits, or waits for something known.
    fn forget(&self, waiter: Waiter);
    /// How long to wait in real time before virtual time may pass, if code waits for something that may happen by then.
    fn grace(&self) -> Option<Duration>;
}

/// What is done instead of a body.
pub(crate) enum Instead {
    /// An immediate answer.
    Answer(Answered),
    /// Another body, which may take time.
    #[cfg(any(feature = "cli", feature = "dashboard"))]
    Body(Body),
}

/// User code that is polled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Waiter {
    Attempt(Job),
    Delivery(RunIx, u32),
}

/// Everything that was reported at this instant.
#[derive(Debug, Default)]
pub(super) struct Inbox {
    answers: Vec<(RunIx, Slot, Job, Answer)>,
    delivered: Vec<(RunIx, u32, Result<(), DeliveryError>)>,
    seen: Vec<(u64, Result<ListSummary, String>)>,
}

/// How often the runtime's other tasks run first before an instant counts as over: bodies may wake each other.
const ROUNDS: u32 = 4;

impl Engine {
    pub(super) fn put_answer(&self, job: Job, answer: Answer) {
        if let Some(interceptor) = &self.0.interceptor {
            interceptor.forget(Waiter::Attempt(job));
        }
        self.lock().simulated.answers.push((job.run, job.slot, job, answer));
        self.0.work.notify_one();
    }

    pub(super) fn put_delivered(&self, run: RunIx, id: u32, result: Result<(), DeliveryError>) {
        if let Some(interceptor) = &self.0.interceptor {
            interceptor.forget(Waiter::Delivery(run, id));
        }
        let mut state = self.lock();
        state.delivering -= 1;
        state.simulated.delivered.push((run, id, result));
        self.0.work.notify_one();
    }

    pub(super) fn put_seen(&self, number: u64, seen: Result<ListSummary, String>) {
        self.lock().simulated.seen.push((number, seen));
        self.0.work.notify_one();
    }

    /// Does everything that happens at the present instant.
    pub(crate) async fn step(&self) {
        self.open();
        let now = self.clock().now();
        self.with(|core| core.advance(now));
        loop {
            loop {
                let next = self.pop(&mut self.lock(), &mut VecDeque::new());
                let Some(attempt) = next else { break };
                let job = attempt.job();
                if let Some(answer) = self.execute_once(attempt) {
                    self.put_answer(job, answer);
                }
            }
            self.until_quiescent().await;
            let Inbox { mut answers, mut delivered, mut seen } = std::mem::take(&mut self.lock().simulated);
            if answers.is_empty() && delivered.is_empty() && seen.is_empty() {
                return;
            }
            seen.sort_by_key(|(number, _)| *number);
            answers.sort_by_key(|(run, slot, ..)| (*run, *slot));
            delivered.sort_by_key(|(run, id, _)| (*run, *id));
            let now = self.clock().now();
            for (.., job, answer) in answers {
                self.answer(job, answer);
            }
            for (number, seen) in seen {
                self.with(|core| core.looked(number, seen, now));
            }
            for (run, id, result) in delivered {
                self.with(|core| core.delivered(run, id, result, now));
            }
        }
    }

    /// Returns once nothing more happens without time passing.
    async fn until_quiescent(&self) {
        let Some(interceptor) = &self.0.interceptor else { return };
        loop {
            for _ in 0..ROUNDS {
                tokio::task::yield_now().await;
            }
            if interceptor.in_flight() > 0 {
                interceptor.idle().await;
            } else if let Some(grace) = interceptor.grace() {
                self.stand_still(grace).await;
            } else {
                return;
            }
        }
    }

    /// Waits in real time until something is polled, but no longer than `longest`. No virtual time passes meanwhile.
    async fn stand_still(&self, longest: Duration) {
        // Earlier polls led to the present wait.
        let _ = self.0.polled.notified().now_or_never();
        let (polled, until_polled) = mpsc::channel::<()>();
        // Tokio's paused clock does not advance while such a task runs.
        let stands_still = tokio::task::spawn_blocking(move || {
            let _ = until_polled.recv_timeout(longest);
        });
        tokio::select! {
            // If the system has no thread for it, time passes at once.
            _ = stands_still => {}
            () = self.0.polled.notified() => drop(polled),
        }
    }

    /// Polls user code. In a simulation, time then stands still for a moment if the code waits for something unknown.
    pub(super) fn polling<T>(&self, waiter: Waiter, poll: impl FnOnce() -> Poll<T>) -> Poll<T> {
        let Some(interceptor) = &self.0.interceptor else { return poll() };
        let (polled, is_accounted_for) = accounted(poll);
        if polled.is_pending() && !is_accounted_for {
            interceptor.waits(waiter);
        } else {
            interceptor.forget(waiter);
        }
        self.0.polled.notify_one();
        polled
    }

    /// Runs `work` within the simulation, if this is one.
    pub(super) fn within<R>(&self, work: impl FnOnce() -> R) -> R {
        let _entered = self.0.interceptor.as_ref().map(|interceptor| interceptor.enter());
        work()
    }

    /// Waits for the next timer, for `until`, or until something was polled (a body may have a timer of its own), whichever comes
    /// first.
    pub(crate) async fn pass_time(&self, until: Timestamp) {
        let next = self.lock().core.next_due().min(until);
        tokio::select! {
            biased;
            () = self.clock().sleep_until(next) => {}
            () = self.0.work.notified() => {}
            () = self.0.polled.notified() => {}
        }
    }
}
