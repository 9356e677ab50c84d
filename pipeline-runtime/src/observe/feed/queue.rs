//! A queue that never makes whoever adds to it wait.
//!
//! Bodies log and the engine records while others wait for them, the engine even under its lock. A terminal that nobody reads must not hold
//! them up. So there is a bound, and what does not fit is lost, but counted. Whoever takes comes to the gap in its place, between what was
//! added before it and after it; until then all that is added belongs to the gap.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// What a queue may hold.
pub(crate) trait Weigh {
    /// How many bytes of memory it takes, about.
    fn weight(&self) -> usize;
    /// What is to be counted where it is lost.
    fn count(&self, lost: &mut Lost);
}

/// What was lost in one gap.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Lost {
    pub(crate) events: u64,
    pub(crate) lines: u64,
}

/// What comes off a queue.
#[derive(Debug)]
pub(crate) enum Taken<T> {
    /// In order.
    Some(Vec<T>),
    /// All before the gap has been taken, and it is not closed yet: [`Queue::go_on`] does.
    Gap,
    /// Nothing came in time.
    TimedOut,
    /// Nothing more will come.
    Closed,
}

#[derive(Debug)]
pub(crate) struct Queue<T> {
    state: Mutex<State<T>>,
    came: Condvar,
    /// In bytes.
    bound: usize,
}

#[derive(Debug)]
struct State<T> {
    /// With their weights: a thing that is asked again may say another, and may take a lock to say it.
    things: VecDeque<(usize, T)>,
    bytes: usize,
    /// Since the last gap was closed; there is a gap where it says anything.
    lost: Option<Lost>,
    is_closed: bool,
    /// Somebody waits for more. To wake nobody costs as much as to wake somebody.
    is_awaited: bool,
}

/// How many are taken at once.
const BATCH: usize = 256;

impl<T: Weigh> Queue<T> {
    /// One that holds things of so many bytes together, or one thing that is larger.
    pub(crate) fn new(bound: usize) -> Arc<Self> {
        let state = State { things: VecDeque::new(), bytes: 0, lost: None, is_closed: false, is_awaited: false };
        Arc::new(Self { state: Mutex::new(state), came: Condvar::new(), bound })
    }

    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds it, or counts it as lost. Gives it back where nobody takes anything any more.
    pub(crate) fn offer(&self, thing: T) -> Result<(), T> {
        let weight = thing.weight();
        let mut state = self.lock();
        if state.is_closed {
            return Err(thing);
        }
        let fits = state.things.is_empty() || state.bytes + weight <= self.bound;
        if fits && state.lost.is_none() {
            state.bytes += weight;
            state.things.push_back((weight, thing));
        } else {
            thing.count(state.lost.get_or_insert_default());
        }
        let wakes = std::mem::take(&mut state.is_awaited);
        drop(state);
        if wakes {
            self.came.notify_one();
        }
        Ok(())
    }

    /// From now on nothing is added. What is there can still be taken.
    pub(crate) fn close(&self) {
        self.lock().is_closed = true;
        self.came.notify_one();
    }

    /// Takes what is there, some of it at a time, and waits until there is something.
    pub(crate) fn take(&self, patience: Option<Duration>) -> Taken<T> {
        let mut state = self.lock();
        loop {
            if !state.things.is_empty() {
                let count = state.things.len().min(BATCH);
                let (weights, taken): (Vec<usize>, Vec<T>) = state.things.drain(..count).unzip();
                if state.things.is_empty() {
                    // It may have been long once.
                    state.things = VecDeque::new();
                }
                state.bytes -= weights.iter().sum::<usize>();
                return Taken::Some(taken);
            }
            if state.lost.is_some() {
                return Taken::Gap;
            }
            if state.is_closed {
                return Taken::Closed;
            }
            state.is_awaited = true;
            match patience {
                None => state = self.came.wait(state).unwrap_or_else(PoisonError::into_inner),
                Some(patience) => {
                    let (after, waited) = self.came.wait_timeout(state, patience).unwrap_or_else(PoisonError::into_inner);
                    state = after;
                    if waited.timed_out() && state.things.is_empty() && state.lost.is_none() && !state.is_closed {
                        state.is_awaited = false;
                        return Taken::TimedOut;
                    }
                }
            }
        }
    }

    /// Closes the gap: what is added from now on is kept again. Says what was lost in it.
    pub(crate) fn go_on(&self) -> Lost {
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

        fn count(&self, lost: &mut Lost) {
            lost.lines += 1;
        }
    }

    fn numbers(queue: &Queue<Line>) -> Vec<usize> {
        match queue.take(Some(Duration::ZERO)) {
            Taken::Some(lines) => lines.into_iter().map(|Line(number)| number).collect(),
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
        assert!(matches!(queue.take(Some(Duration::ZERO)), Taken::Gap));
        assert_eq!(queue.go_on(), Lost { events: 0, lines: 98 });
        queue.offer(Line(101)).unwrap();
        assert_eq!(numbers(&queue), [101]);
        assert!(matches!(queue.take(Some(Duration::ZERO)), Taken::TimedOut));
    }

    #[test]
    fn what_is_there_can_be_taken_after_it_was_closed_and_nothing_is_added() {
        let queue = Queue::new(30);
        queue.offer(Line(1)).unwrap();
        queue.close();
        assert_eq!(queue.offer(Line(2)), Err(Line(2)));
        assert_eq!(numbers(&queue), [1]);
        assert!(matches!(queue.take(None), Taken::Closed));
    }

    #[test]
    fn one_thing_that_is_larger_than_the_bound_fits_where_nothing_else_is() {
        let queue = Queue::new(5);
        queue.offer(Line(1)).unwrap();
        queue.offer(Line(2)).unwrap();
        assert_eq!(numbers(&queue), [1]);
        assert_eq!(queue.go_on().lines, 1);
    }

    #[test]
    fn whoever_waits_is_woken() {
        let queue = Queue::new(1_000);
        let taker = Arc::clone(&queue);
        let thread = std::thread::spawn(move || {
            let mut count = 0;
            while let Taken::Some(lines) = taker.take(None) {
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
