//! Calls of async bodies, and the memory that holds their futures.
//!
//! A future is as large as what its body holds across its awaits, so it is allocated. Most nodes share their task with others:
//! the next call of the same body reuses the memory of the last one.

use super::body::AttemptResult;
use std::any::Any;
use std::pin::Pin;
use std::task::{Context, Poll};

/// A call of a body, or the memory of a call that is over.
pub(crate) type Call = Pin<Box<dyn Callee>>;

/// A call whose future has an unknown type `F`; it is implemented by `Option<F>`.
pub(crate) trait Callee: Send {
    /// Polls the future, unless the call is over.
    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<AttemptResult>;
    /// Drops the future, which runs the user's code.
    fn end(self: Pin<&mut Self>);
    /// Moves the future out of `next` into this call, if `next` is an `Option` of the same type.
    fn take(self: Pin<&mut Self>, next: &mut dyn Any);
}

impl std::fmt::Debug for dyn Callee {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("<call>")
    }
}

impl<F: Future<Output = AttemptResult> + Send + 'static> Callee for Option<F> {
    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<AttemptResult> {
        self.as_pin_mut().map_or(Poll::Pending, |future| future.poll(context))
    }

    fn end(mut self: Pin<&mut Self>) {
        self.set(None);
    }

    fn take(mut self: Pin<&mut Self>, next: &mut dyn Any) {
        if let Some(next) = next.downcast_mut::<Self>() {
            self.set(next.take());
        }
    }
}

/// Puts a future into `reusable`, the memory of a call that is over, if the type matches; otherwise allocates.
pub(crate) fn call<F: Future<Output = AttemptResult> + Send + 'static>(future: F, reusable: Option<Call>) -> Call {
    let mut next = Some(future);
    if let Some(mut reusable) = reusable {
        reusable.as_mut().take(&mut next);
        if next.is_none() {
            return reusable;
        }
    }
    Box::pin(next)
}

#[cfg(test)]
mod tests {
    use super::super::body::Produced;
    use super::super::value::Value;
    use super::*;
    use std::future::ready;
    use std::task::Waker;

    fn value(of: u64) -> Produced {
        Produced::Value(Value::new(of))
    }

    fn place(call: &Call) -> *const () {
        (&raw const **call).cast()
    }

    fn outcome(call: &mut Call) -> Option<u64> {
        match call.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(Ok(Produced::Value(value))) => value.as_any().downcast_ref().copied(),
            _ => None,
        }
    }

    #[test]
    fn a_call_has_the_place_of_the_last_of_the_same_body_and_of_no_other() {
        let mut first = call(ready(Ok(value(1))), None);
        let at = place(&first);
        assert_eq!(outcome(&mut first), Some(1));
        first.as_mut().end();
        assert_eq!(outcome(&mut first), None, "it is over");
        let mut second = call(ready(Ok(value(2))), Some(first));
        assert_eq!((place(&second), outcome(&mut second)), (at, Some(2)));
        second.as_mut().end();
        let mut other = call(async { Ok(value(3)) }, Some(second));
        assert_eq!(outcome(&mut other), Some(3));
    }
}
