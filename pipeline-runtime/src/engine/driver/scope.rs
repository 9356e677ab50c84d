//! The scope of a poll: which attempt the code that runs right now belongs to.
//!
//! It is set around each poll of a body, so that a log line finds its node without a span per attempt.

use super::attempt::Attempt;
use std::cell::RefCell;

thread_local! {
    static CURRENT: RefCell<Option<Box<Attempt>>> = const { RefCell::new(None) };
}

/// Runs `work` on behalf of `attempt`, which is moved in and out and never copied.
pub(super) fn enter<R>(attempt: &mut Option<Box<Attempt>>, work: impl FnOnce() -> R) -> R {
    /// Moves the attempt back, also where `work` panics.
    struct Entered<'a>(&'a mut Option<Box<Attempt>>);
    impl Drop for Entered<'_> {
        fn drop(&mut self) {
            CURRENT.with_borrow_mut(|current| std::mem::swap(current, self.0));
        }
    }
    CURRENT.with_borrow_mut(|current| std::mem::swap(current, attempt));
    let _entered = Entered(attempt);
    work()
}

/// Tells `look` of the attempt whose code is running, if there is one.
pub(crate) fn current<R>(look: impl FnOnce(&Attempt) -> R) -> Option<R> {
    // A log line written by what this module does itself belongs to no attempt.
    CURRENT.with(|current| current.try_borrow().ok()?.as_deref().map(look))
}
