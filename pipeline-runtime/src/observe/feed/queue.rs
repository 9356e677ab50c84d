//! A queue that never blocks the sender.
//!
//! Bodies log and the engine records while others wait for them, and the engine does so under its lock. A terminal that nobody
//! reads must not delay them. So the queue is bounded; what does not fit is dropped and counted. The receiver gets the gap in its
//! place, between the items added before it and after it; until then everything that is added belongs to the gap.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// An item of a queue.
pub(crate) trait Weigh {
    /// Returns its approximate size in bytes.
    fn weight(&self) -> usize;
    /// Counts the item as lost.
    fn count(&self, lost: &mut Loss);
}

/// What was lost in one gap.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Loss {
    pub(crate) events: u64,
    pub(crate) lines: u64,
}

/// What a receiver takes from a queue.
#[derive(Debug)]
pub(crate) enum TakeResult<T> {
    /// Items in order.
    Items(Vec<T>),
    /// Everything before the gap was taken, and the gap is still open: [`Queue::close_gap`] closes it.
    Gap,
    /// Nothing arrived in time.
    TimedOut,
    /// Nothing more will arrive.
    Closed,
}

#[derive(Debug)]
pub(crate) struct Queue<T> {
    state: Mutex<State<T>>,
    arrival: Condvar,
    /// In bytes.
    bound: usize,
}

#[derive(Debug)]
struct State<T> {
    /// With their weights: asking an item again may give another weight, and may take a lock.
    items: VecDeque<(usize, T)>,
    bytes: usize,
    /// Lost since the last gap was closed; the gap is open while this is set.
    lost: Option<Loss>,
    is_closed: bool,
    /// A receiver waits. Checked first, since notifying nobody costs as much as notifying a thread.
    is_awaited: bool,
}

/// The maximum number of items taken at once.
const BATCH: usize = 256;

impl<T: Weigh> Queue<T> {
    /// Creates a queue that holds items of `bound` bytes in total, or one larger item.
    pub(crate) fn new(bound: usize) -> Arc<Self> {
        let state = State { items: VecDeque::new(), bytes: 0, lost: None, is_closed: false, is_awaited: false };
        Arc::new(Self { state: Mutex::new(state), arrival: Condvar::new(), bound })
    }

    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds the item, or counts it as lost. Gives it back if the queue is closed.
    pub(crate) fn offer(&self, item: T) -> Result<(), T> {
        let weight = item.weight();
        let mut state = self.lock();
        if state.is_closed {
            return Err(item);
        }
        let fits = state.items.is_empty() || state.bytes + weight <= self.bound;
        if fits && state.lost.is_none() {
            state.bytes += weight;
            state.items.push_back((weight, item));
        } else {
            item.count(state.lost.get_or_insert_default());
        }
        let wakes = std::mem::take(&mut state.is_awaited);
        drop(state);
        if wakes {
            self.arrival.notify_one();
        }
        Ok(())
    }

    /// Closes the queue: nothing more is added. Queued items can still be taken.
    pub(crate) fn close(&self) {
        self.lock().is_closed = true;
        self.arrival.notify_one();
    }

    /// Takes the next batch, and waits until there is one.
    pub(crate) fn take(&self, timeout: Option<Duration>) -> TakeResult<T> {
        let mut state = self.lock();
        loop {
            if !state.items.is_empty() {
                let count = state.items.len().min(BATCH);
                let (weights, items): (Vec<usize>, Vec<T>) = state.items.drain(..count).unzip();
                if state.items.is_empty() {
                    // Frees the memory, since the queue may have been long once.
                    state.items = VecDeque::new();
                }
                state.bytes -= weights.iter().sum::<usize>();
                return TakeResult::Items(items);
            }
            if state.lost.is_some() {
                return TakeResult::Gap;
            }
            if state.is_closed {
                return TakeResult::Closed;
            }
            state.is_awaited = true;
            match timeout {
                None => state = self.arrival.wait(state).unwrap_or_else(PoisonError::into_inner),
                Some(timeout) => {
                    let (after, waited) = self.arrival.wait_timeout(state, timeout).unwrap_or_else(PoisonError::into_inner);
                    state = after;
                    if waited.timed_out() && state.items.is_empty() && state.lost.is_none() && !state.is_closed {
                        state.is_awaited = false;
                        return TakeResult::TimedOut;
                    }
                }
            }
        }
    }

    /// Closes the gap: from now on items are queued again. Returns what was lost in it.
    pub(crate) fn close_gap(&self) -> Loss {
        self.lock().lost.take().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq)]
    struct Line(usize);

    impl Weigh for Line {
        fn weight(&self) -> usize {
            10
        }

        fn count(&self, lost: &mut Loss) {
            lost.lines += 1;
        }
    }

    fn numbers(queue: &Queue<Line>) -> Vec<usize> {
        match queue.take(Some(Duration::ZERO)) {
            TakeResult::Items(lines) => lines.into_iter().map(|Line(number)| number).collect(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn what_does_not_fit_is_counted_and_leaves_one_gap() {
        let queue = Queue::new(30);
        for number in 0..100 {
            queue.offer(Line(number)).unwrap();
        }
        assert_eq!(numbers(&queue), [0, 1, 2]);
        // There is room, but the gap would be in the wrong place.
        queue.offer(Line(100)).unwrap();
        assert!(matches!(queue.take(Some(Duration::ZERO)), TakeResult::Gap));
        assert_eq!(queue.close_gap(), Loss { events: 0, lines: 98 });
        queue.offer(Line(101)).unwrap();
        assert_eq!(numbers(&queue), [101]);
        assert!(matches!(queue.take(Some(Duration::ZERO)), TakeResult::TimedOut));
    }

    #[test]
    fn what_is_there_can_be_taken_after_it_was_closed_and_nothing_is_added() {
        let queue = Queue::new(30);
        queue.offer(Line(1)).unwrap();
        queue.close();
        assert_eq!(queue.offer(Line(2)), Err(Line(2)));
        assert_eq!(numbers(&queue), [1]);
        assert!(matches!(queue.take(None), TakeResult::Closed));
    }

    #[test]
    fn one_thing_that_is_larger_than_the_bound_fits_where_nothing_else_is() {
        let queue = Queue::new(5);
        queue.offer(Line(1)).unwrap();
        queue.offer(Line(2)).unwrap();
        assert_eq!(numbers(&queue), [1]);
        assert_eq!(queue.close_gap().lines, 1);
    }

    #[test]
    fn whoever_waits_is_woken() {
        let queue = Queue::new(1_000);
        let receiver = Arc::clone(&queue);
        let thread = std::thread::spawn(move || {
            let mut count = 0;
            while let TakeResult::Items(lines) = receiver.take(None) {
                count += lines.len();
            }
            count
        });
        for number in 0..50 {
            queue.offer(Line(number)).unwrap();
        }
        queue.close();
        assert_eq!(thread.join().unwrap(), 50);
    }
}
