//! Order without data: what `.after` and `chain` take, and how an upstream must have ended.

use super::draft::{self, NodeOrGroup};
use super::input::Rule;
use super::node::Node;
use std::marker::PhantomData;

/// An ordering condition: that a node has ended in some way, without its value. [`ended`](Node::ended) and
/// [`or_skipped`](Node::or_skipped) create it, for `.after` and [`chain`].
///
/// ```
/// use pipeline_runtime::prelude::*;
///
/// #[task] async fn export() -> Result<u64> { Ok(1) }
/// #[task] async fn cleanup() -> Result<()> { Ok(()) }
///
/// #[pipeline]
/// fn nightly() {
///     cleanup().after(export().ended());
/// }
/// # nightly().check().unwrap();
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Order {
    upstream: NodeOrGroup,
    rule: Rule,
    /// Like a node, it is valid only inside the pipeline function.
    not_send: PhantomData<*const ()>,
}

impl Order {
    pub(crate) fn new(upstream: impl Into<NodeOrGroup>, rule: Rule) -> Self {
        Self { upstream: upstream.into(), rule, not_send: PhantomData }
    }

    pub(crate) fn upstream(self) -> NodeOrGroup {
        self.upstream
    }

    pub(crate) fn rule(self) -> Rule {
        self.rule
    }
}

/// What `.after` takes: one or several nodes, and how they must have ended. The trait is sealed.
///
/// | `.after(..)` | waits until |
/// |---|---|
/// | `a` | `a` has succeeded |
/// | `a.or_skipped()` | `a` has succeeded or was skipped |
/// | `a.ended()` | `a` has ended, however |
/// | `a.failure()` | `a` has failed |
/// | `[a, b]`, a slice, a `Vec`, of different types `(a, b)` | the condition holds for each |
#[diagnostic::on_unimplemented(
    message = "`.after` takes nodes, but it is given `{Self}`",
    label = "not a node",
    note = "write a node that was wired before, `.after(a)`; several of them, `.after([a, b])`, or of different types, `.after((a, b))`",
    note = "for another end than success write `.after(a.ended())`, whatever it was, `.after(a.or_skipped())` or `.after(a.failure())`"
)]
pub trait Upstreams {
    #[doc(hidden)]
    fn orders(&self, see: &mut dyn FnMut(Order));
}

#[diagnostic::do_not_recommend]
impl<T> Upstreams for Node<T> {
    fn orders(&self, see: &mut dyn FnMut(Order)) {
        see(Order::new(self.handle(), Rule::AllSuccess));
    }
}

#[diagnostic::do_not_recommend]
impl Upstreams for Order {
    fn orders(&self, see: &mut dyn FnMut(Order)) {
        see(*self);
    }
}

#[diagnostic::do_not_recommend]
impl<U: Upstreams> Upstreams for [U] {
    fn orders(&self, see: &mut dyn FnMut(Order)) {
        for upstream in self {
            upstream.orders(see);
        }
    }
}

#[diagnostic::do_not_recommend]
impl<U: Upstreams, const N: usize> Upstreams for [U; N] {
    fn orders(&self, see: &mut dyn FnMut(Order)) {
        self.as_slice().orders(see);
    }
}

#[diagnostic::do_not_recommend]
impl<U: Upstreams> Upstreams for Vec<U> {
    fn orders(&self, see: &mut dyn FnMut(Order)) {
        self.as_slice().orders(see);
    }
}

#[diagnostic::do_not_recommend]
impl<U: Upstreams + ?Sized> Upstreams for &U {
    fn orders(&self, see: &mut dyn FnMut(Order)) {
        (**self).orders(see);
    }
}

/// The steps of a [`chain`]: an array, a slice, a `Vec` or a tuple of anything that `.after` takes. The trait is sealed.
#[diagnostic::on_unimplemented(
    message = "`chain` takes steps in their order, but it is given `{Self}`",
    label = "neither an array nor a tuple of nodes",
    note = "write `chain([a, b, c])`, of nodes of different types `chain((a, b, c))`; a step may be several nodes, `chain((a, [b, c], d))`"
)]
pub trait Steps {
    #[doc(hidden)]
    fn steps(&self, see: &mut dyn FnMut(&dyn Upstreams));
}

#[diagnostic::do_not_recommend]
impl<U: Upstreams> Steps for [U] {
    fn steps(&self, see: &mut dyn FnMut(&dyn Upstreams)) {
        for step in self {
            see(step);
        }
    }
}

#[diagnostic::do_not_recommend]
impl<U: Upstreams, const N: usize> Steps for [U; N] {
    fn steps(&self, see: &mut dyn FnMut(&dyn Upstreams)) {
        self.as_slice().steps(see);
    }
}

#[diagnostic::do_not_recommend]
impl<U: Upstreams> Steps for Vec<U> {
    fn steps(&self, see: &mut dyn FnMut(&dyn Upstreams)) {
        self.as_slice().steps(see);
    }
}

#[diagnostic::do_not_recommend]
impl<S: Steps + ?Sized> Steps for &S {
    fn steps(&self, see: &mut dyn FnMut(&dyn Upstreams)) {
        (**self).steps(see);
    }
}

/// Tuples of two to eight, for nodes of different types.
macro_rules! tuples {
    ($(($($name:ident),*);)*) => {
        $(
            #[diagnostic::do_not_recommend]
            #[expect(non_snake_case, reason = "a value is called as its type is")]
            impl<$($name: Upstreams),*> Upstreams for ($($name,)*) {
                fn orders(&self, see: &mut dyn FnMut(Order)) {
                    let ($($name,)*) = self;
                    $($name.orders(see);)*
                }
            }

            #[diagnostic::do_not_recommend]
            #[expect(non_snake_case, reason = "a value is called as its type is")]
            impl<$($name: Upstreams),*> Steps for ($($name,)*) {
                fn steps(&self, see: &mut dyn FnMut(&dyn Upstreams)) {
                    let ($($name,)*) = self;
                    $(see($name);)*
                }
            }
        )*
    };
}
tuples! {
    (A, B);
    (A, B, C);
    (A, B, C, D);
    (A, B, C, D, E);
    (A, B, C, D, E, F);
    (A, B, C, D, E, F, G);
    (A, B, C, D, E, F, G, H);
}

/// Wires each step `.after` the one before it (Airflow's `a >> b >> c`).
///
/// A step is one node or several; all of them start after all nodes of the step before. A step may also say how the next step
/// waits for it: `chain((load, check.ended(), tell))`.
///
/// ```
/// use pipeline_runtime::prelude::*;
///
/// #[task] async fn create() -> Result<()> { Ok(()) }
/// #[task] async fn fill(table: String) -> Result<u64> { Ok(table.len() as u64) }
/// #[task] async fn publish() -> Result<()> { Ok(()) }
///
/// #[pipeline]
/// fn nightly() {
///     chain((create(), [fill("visits"), fill("users")], publish()));
/// }
/// # nightly().check().unwrap();
/// ```
#[track_caller]
pub fn chain(steps: impl Steps) {
    let at = std::panic::Location::caller();
    let mut before: Vec<Order> = Vec::new();
    steps.steps(&mut |step| {
        let mut this = Vec::new();
        step.orders(&mut |order| this.push(order));
        for node in &this {
            for upstream in &before {
                draft::order(node.upstream(), *upstream, at);
            }
        }
        before = this;
    });
}

/// Wires a node `.after` all of `upstreams`.
#[track_caller]
pub(crate) fn after(node: impl Into<NodeOrGroup>, upstreams: &dyn Upstreams) {
    let (node, at) = (node.into(), std::panic::Location::caller());
    upstreams.orders(&mut |order| draft::order(node, order, at));
}
