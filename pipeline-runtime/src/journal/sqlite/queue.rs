//! The queue of the writer's operations.
//!
//! Most operations are submitted under the engine's lock, which the writer also takes after a commit. So submitting never waits
//! for the writer: otherwise a full queue and a commit that ends would wait for each other for ever. The queue is still bounded in
//! bytes, by two limits:
//!
//! - [`BUDGET`]: the caller that begins runs waits until less than that is queued, outside of the engine's lock. Attempts start
//!   only once their records are durable, so beyond the budget the queue grows only by what is already under way.
//! - [`MOST`]: the queue takes nothing more, and the engine stops with that reason. What was queued before is still written.
//!
//! The operations of a commit count until the commit is durable.

use super::write_op::WriteOp;
use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;

/// The number of bytes below which another run may begin.
pub(super) const BUDGET: u64 = 64 << 20;
/// The most bytes that may be queued.
pub(super) const MOST: u64 = 4 << 30;
/// The most operations that share a commit. More would only delay the first of them.
const OPS_OF_COMMIT: usize = 1_000;
/// The most bytes that share a commit; the operation that exceeds it is its last. One operation is never divided.
const BYTES_OF_COMMIT: u64 = 8 << 20;

/// The queue.
#[derive(Debug)]
pub(super) struct Queue {
    state: Mutex<State>,
    budget: u64,
    most: u64,
    /// There is an operation, or there will be no more.
    arrived: Condvar,
    /// Fewer bytes are queued: for threads and for tasks that wait for room.
    drained: Condvar,
    room: Notify,
}

#[derive(Debug, Default)]
struct State {
    ops: VecDeque<(WriteOp, u64)>,
    /// The size of the queued operations, and of those being written.
    bytes: u64,
    end: Option<End>,
}

/// Why the queue takes no more operations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// The writer has ended.
    Closed,
    /// More than [`MOST`] bytes were queued.
    Overrun,
}

/// The operations that share one commit.
#[derive(Debug, Default)]
pub(super) struct CommitGroup {
    pub(super) ops: Vec<WriteOp>,
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
        Self { state, budget, most, arrived: Condvar::new(), drained: Condvar::new(), room: Notify::new() }
    }

    /// Adds an operation, without waiting. Returns whether it will be written.
    pub(super) fn push(&self, op: WriteOp) -> bool {
        let bytes = op.bytes();
        let mut state = self.lock();
        if state.end.is_some() {
            return false;
        }
        state.bytes += bytes;
        state.ops.push_back((op, bytes));
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
            state = self.drained.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Returns once another run may begin.
    pub(super) async fn room(&self) {
        loop {
            // It is notified of every commit from here on, so none is missed after the check.
            let drained = self.room.notified();
            if self.has_room() {
                return;
            }
            drained.await;
        }
    }

    /// True if no caller has to wait: there is room, or the queue is no longer written.
    fn is_below(state: &State, budget: u64) -> bool {
        state.bytes < budget || state.end.is_some()
    }

    /// Waits for operations, and takes those of the next commit. Returns `None` once the queue has ended and everything before
    /// its end is taken.
    pub(super) fn take(&self) -> Option<CommitGroup> {
        let mut state = self.lock();
        while state.ops.is_empty() {
            if state.end.is_some() {
                return None;
            }
            state = self.arrived.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        let mut group = CommitGroup::default();
        group.fill(&mut state);
        Some(group)
    }

    /// Waits up to `linger` for an operation, and takes what the commit still has room for.
    pub(super) fn take_more(&self, group: &mut CommitGroup, linger: Duration) {
        let waits = |state: &mut State| state.ops.is_empty() && state.end.is_none();
        let waited = self.arrived.wait_timeout_while(self.lock(), linger, waits);
        let (mut state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        group.fill(&mut state);
    }

    /// The operations of that commit are durable.
    pub(super) fn committed(&self, group: &CommitGroup) {
        self.lock().bytes -= group.bytes;
        self.drained.notify_all();
        self.room.notify_waiters();
    }

    /// Ends the queue: nothing is written any more, queued operations are dropped, and nobody waits.
    pub(super) fn close(&self) {
        let dropped = {
            let mut state = self.lock();
            state.end.get_or_insert(End::Closed);
            std::mem::take(&mut state.ops)
        };
        drop(dropped);
        self.arrived.notify_all();
        self.drained.notify_all();
        self.room.notify_waiters();
    }

    /// Returns why it takes no more operations, if so.
    pub(super) fn end(&self) -> Option<End> {
        self.lock().end
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // No code that panics runs under it.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl CommitGroup {
    fn fill(&mut self, state: &mut State) {
        while self.ops.len() < OPS_OF_COMMIT && self.bytes < BYTES_OF_COMMIT {
            let Some((op, bytes)) = state.ops.pop_front() else { return };
            self.ops.push(op);
            self.bytes += bytes;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An operation of slightly more than that many bytes.
    fn op(bytes: usize) -> WriteOp {
        WriteOp::Pause { pipeline: "x".repeat(bytes).into(), paused: true }
    }

    #[test]
    fn whoever_begins_runs_waits_for_room_and_whoever_submits_does_not() {
        let queue = Queue::new(1_000, 100_000);
        queue.wait_for_room();
        assert!(queue.push(op(2_000)) && queue.push(op(2_000)), "it takes more than the budget");
        let asks = || futures_util::FutureExt::now_or_never(queue.room());
        assert!(!queue.has_room() && asks().is_none());
        let group = queue.take().unwrap();
        assert_eq!(group.ops.len(), 2);
        assert!(!queue.has_room(), "what is being written counts");
        std::thread::scope(|threads| {
            let waits = threads.spawn(|| queue.wait_for_room());
            queue.committed(&group);
            waits.join().unwrap();
        });
        assert!(queue.has_room() && asks().is_some());
    }

    #[test]
    fn a_commit_has_so_many_operations_and_so_many_bytes() {
        let queue = Queue::default();
        (0..=OPS_OF_COMMIT).for_each(|_| assert!(queue.push(op(0))));
        assert_eq!(queue.take().unwrap().ops.len(), OPS_OF_COMMIT);
        assert_eq!(queue.take().unwrap().ops.len(), 1);
        let third = usize::try_from(BYTES_OF_COMMIT / 3 + 1).unwrap();
        (0..4).for_each(|_| assert!(queue.push(op(third))));
        let mut group = queue.take().unwrap();
        assert_eq!(group.ops.len(), 3);
        queue.take_more(&mut group, Duration::ZERO);
        assert_eq!(group.ops.len(), 3, "it is full");
        assert_eq!(queue.take().unwrap().ops.len(), 1);
    }

    #[test]
    fn a_queue_that_is_overrun_writes_what_it_has_and_takes_nothing_more() {
        let queue = Queue::new(1_000, 3_000);
        assert!(queue.push(op(2_000)) && queue.push(op(2_000)));
        assert!(!queue.push(op(1)));
        assert_eq!(queue.end(), Some(End::Overrun));
        queue.wait_for_room();
        assert_eq!(queue.take().unwrap().ops.len(), 2);
        assert!(queue.take().is_none());
    }

    #[test]
    fn a_queue_that_is_closed_holds_nobody_up() {
        let queue = Queue::new(1_000, 100_000);
        assert!(queue.push(op(2_000)));
        std::thread::scope(|threads| {
            let waits = threads.spawn(|| queue.wait_for_room());
            queue.close();
            waits.join().unwrap();
        });
        assert!(!queue.push(op(1)) && queue.take().is_none());
    }
}
