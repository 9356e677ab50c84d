//! The scope of a poll: the attempt to which the running code belongs.
//!
//! It is set around each poll of a body, so that a log line finds its node without a span per attempt.

use super::attempt::Attempt;
use std::cell::Cell;

thread_local! {
    static CURRENT: Cell<Option<Box<Attempt>>> = const { Cell::new(None) };
}

/// Runs `work` on behalf of `attempt`, which is moved in and out and never copied.
#[inline]
pub(super) fn enter<R>(attempt: &mut Option<Box<Attempt>>, work: impl FnOnce() -> R) -> R {
    /// Moves the attempt back, even if `work` panics.
    struct Entered<'a> {
        attempt: &'a mut Option<Box<Attempt>>,
        around: Option<Box<Attempt>>,
    }
    impl Drop for Entered<'_> {
        #[inline]
        fn drop(&mut self) {
            *self.attempt = CURRENT.replace(self.around.take());
        }
    }
    let around = CURRENT.replace(attempt.take());
    let _entered = Entered { attempt, around };
    work()
}

/// Calls `look` with the attempt whose code is running, if there is one.
#[inline]
pub(crate) fn current<R>(look: impl FnOnce(&Attempt) -> R) -> Option<R> {
    /// Puts the attempt back, even if `look` panics.
    struct Restore(Option<Box<Attempt>>);
    impl Drop for Restore {
        #[inline]
        fn drop(&mut self) {
            CURRENT.set(self.0.take());
        }
    }
    // A log line written by `look` itself belongs to no attempt. A thread that is ending has no attempt either.
    let current = Restore(CURRENT.try_with(Cell::take).ok()?);
    current.0.as_deref().map(look)
}
