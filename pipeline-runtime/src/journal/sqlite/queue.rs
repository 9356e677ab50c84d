//! The queue of the writer's orders.
//!
//! Most orders are submitted under the engine's lock, which the writer also takes after a commit. So submitting never waits for
//! the writer: otherwise a full queue and a commit that ends would wait for each other for ever. The queue is still bounded in
//! bytes, by two limits:
//!
//! - [`BUDGET`]: the caller that begins runs waits until less than that is queued, outside of the engine's lock. Attempts start
//!   only once their records are durable, so beyond the budget the queue grows only by what is already under way.
//! - [`MOST`]: the queue takes nothing more, and the engine stops with that reason. What was queued before is still written.
//!
//! The orders of a commit count until the commit is durable.

use super::order::Order;
use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;

/// The number of bytes below which another run may begin.
pub(super) const BUDGET: u64 = 64 << 20;
/// The most bytes that may be queued.
pub(super) const MOST: u64 = 4 << 30;
/// The most orders that share a commit. More would only delay the first of them.
const ORDERS_OF_COMMIT: usize = 1_000;
/// The most bytes that share a commit; the order that exceeds it is its last. One order is never divided.
const BYTES_OF_COMMIT: u64 = 8 << 20;

/// The queue.
#[derive(Debug)]
pub(super) struct Queue {
    state: Mutex<State>,
    budget: u64,
    most: u64,
    /// There is an order, or there will be no more.
    arrived: Condvar,
    /// Fewer bytes are queued: for threads and for tasks that wait for room.
    kept: Condvar,
    room: Notify,
}

#[derive(Debug, Default)]
struct State {
    orders: VecDeque<(Order, u64)>,
    /// The size of the queued orders, and of those being written.
    bytes: u64,
    end: Option<End>,
}

/// Why the queue takes no more orders.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// The writer has ended.
    Closed,
    /// More than [`MOST`] bytes were queued.
    Overrun,
}

/// The orders that the writer has taken for one commit.
#[derive(Debug, Default)]
pub(super) struct Taken {
    pub(super) orders: Vec<Order>,
    bytes: u64,
}

impl Default for Queue {
    fn default() -> Self {
        Self::new(BUDGET, MOST)
    }
}

impl Queue {
    fn new(budget: u64, most: u64) -> Self {
        let state = Mutex::default();
        Self { state, budget, most, arrived: Condvar::new(), kept: Condvar::new(), room: Notify::new() }
    }

    /// Adds an order, without waiting. Returns whether it will be written.
    pub(super) fn push(&self, order: Order) -> bool {
        let bytes = order.bytes();
        let mut state = self.lock();
        if state.end.is_some() {
            return false;
        }
        state.bytes += bytes;
        state.orders.push_back((order, bytes));
        if state.bytes > self.most {
            state.end = Some(End::Overrun);
        }
        drop(state);
        self.arrived.notify_one();
        true
    }

    /// True if another run may begin.
    pub(super) fn has_room(&self) -> bool {
        Self::is_below(&self.lock(), self.budget)
    }

    /// Blocks the thread until another run may begin. The caller must not hold the engine's lock.
    pub(super) fn wait_for_room(&self) {
        let mut state = self.lock();
        while !Self::is_below(&state, self.budget) {
            state = self.kept.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Returns once another run may begin.
    pub(super) async fn room(&self) {
        loop {
            // It is notified of every commit from here on, so none is missed after the check.
            let kept = self.room.notified();
            if self.has_room() {
                return;
            }
            kept.await;
        }
    }

    /// True if no caller has to wait: there is room, or the queue is no longer written.
    fn is_below(state: &State, budget: u64) -> bool {
        state.bytes < budget || state.end.is_some()
    }

    /// Waits for orders, and takes those of the next commit. Returns `None` once the queue has ended and everything before its
    /// end is taken.
    pub(super) fn take(&self) -> Option<Taken> {
        let mut state = self.lock();
        while state.orders.is_empty() {
            if state.end.is_some() {
                return None;
            }
            state = self.arrived.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        let mut taken = Taken::default();
        taken.fill(&mut state);
        Some(taken)
    }

    /// Waits up to `linger` for an order, and takes what the commit still has room for.
    pub(super) fn take_more(&self, taken: &mut Taken, linger: Duration) {
        let waits = |state: &mut State| state.orders.is_empty() && state.end.is_none();
        let waited = self.arrived.wait_timeout_while(self.lock(), linger, waits);
        let (mut state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        taken.fill(&mut state);
    }

    /// The taken orders are durable.
    pub(super) fn kept(&self, taken: &Taken) {
        self.lock().bytes -= taken.bytes;
        self.kept.notify_all();
        self.room.notify_waiters();
    }

    /// Ends the queue: nothing is written any more, queued orders are dropped, and nobody waits.
    pub(super) fn close(&self) {
        let dropped = {
            let mut state = self.lock();
            state.end.get_or_insert(End::Closed);
            std::mem::take(&mut state.orders)
        };
        drop(dropped);
        self.arrived.notify_all();
        self.kept.notify_all();
        self.room.notify_waiters();
    }

    /// Returns why it takes no more orders, if so.
    pub(super) fn end(&self) -> Option<End> {
        self.lock().end
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // No code that panics runs under it.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Taken {
    fn fill(&mut self, state: &mut State) {
        while self.orders.len() < ORDERS_OF_COMMIT && self.bytes < BYTES_OF_COMMIT {
            let Some((order, bytes)) = state.orders.pop_front() else { return };
            self.orders.push(order);
            self.bytes += bytes;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An order of slightly more than that many bytes.
    fn order(bytes: usize) -> Order {
        Order::Pause { pipeline: "x".repeat(bytes).into(), paused: true }
    }

    #[test]
    fn whoever_begins_runs_waits_for_room_and_whoever_submits_does_not() {
        let queue = Queue::new(1_000, 100_000);
        queue.wait_for_room();
        assert!(queue.push(order(2_000)) && queue.push(order(2_000)), "it takes more than the budget");
        let asks = || futures_util::FutureExt::now_or_never(queue.room());
        assert!(!queue.has_room() && asks().is_none());
        let taken = queue.take().unwrap();
        assert_eq!(taken.orders.len(), 2);
        assert!(!queue.has_room(), "what is being written counts");
        std::thread::scope(|threads| {
            let waits = threads.spawn(|| queue.wait_for_room());
            queue.kept(&taken);
            waits.join().unwrap();
        });
        assert!(queue.has_room() && asks().is_some());
    }

    #[test]
    fn a_commit_has_so_many_orders_and_so_many_bytes() {
        let queue = Queue::default();
        (0..=ORDERS_OF_COMMIT).for_each(|_| assert!(queue.push(order(0))));
        assert_eq!(queue.take().unwrap().orders.len(), ORDERS_OF_COMMIT);
        assert_eq!(queue.take().unwrap().orders.len(), 1);
        let third = usize::try_from(BYTES_OF_COMMIT / 3 + 1).unwrap();
        (0..4).for_each(|_| assert!(queue.push(order(third))));
        let mut taken = queue.take().unwrap();
        assert_eq!(taken.orders.len(), 3);
        queue.take_more(&mut taken, Duration::ZERO);
        assert_eq!(taken.orders.len(), 3, "it is full");
        assert_eq!(queue.take().unwrap().orders.len(), 1);
    }

    #[test]
    fn a_queue_that_is_overrun_writes_what_it_has_and_takes_nothing_more() {
        let queue = Queue::new(1_000, 3_000);
        assert!(queue.push(order(2_000)) && queue.push(order(2_000)));
        assert!(!queue.push(order(1)));
        assert_eq!(queue.end(), Some(End::Overrun));
        queue.wait_for_room();
        assert_eq!(queue.take().unwrap().orders.len(), 2);
        assert!(queue.take().is_none());
    }

    #[test]
    fn a_queue_that_is_closed_holds_nobody_up() {
        let queue = Queue::new(1_000, 100_000);
        assert!(queue.push(order(2_000)));
        std::thread::scope(|threads| {
            let waits = threads.spawn(|| queue.wait_for_room());
            queue.close();
            waits.join().unwrap();
        });
        assert!(!queue.push(order(1)) && queue.take().is_none());
    }
}
