//! Error messages for uses of a node as if it were its value, which exists only when the pipeline runs.
//!
//! Without these implementations, rustc's messages suggest code that compiles but does something else: `{:?}` prints the node's
//! number, and a removed `.await` leaves a node. No implementation ever applies: each requires a trait that nothing implements,
//! and that trait has the message. The bound is on another type (`Runtime`, or a tuple), because for a bound on the node itself
//! rustc uses the message of `Display`. Associated types come from the missing trait too, so they cause no second error.
//!
//! There is none for `>`, `==` and `>>`, where rustc always prints its own message, nor for `Iterator`, whose methods it lists.

use super::body::Runtime;
use super::node::Node;
use std::fmt;
use std::future::Future;
use std::ops::Index;
use std::pin::Pin;
use std::task::{Context, Poll};

/// Can print `N`; nothing can.
#[diagnostic::on_unimplemented(
    message = "`{N}` cannot be formatted: a node has no value until the pipeline runs",
    label = "a node, not its value",
    note = "format the value in a task that takes it as an input, or use a `template!` of what the run knows"
)]
pub trait Prints<N> {}

#[doc(hidden)]
impl<T> fmt::Display for Node<T>
where
    Runtime: Prints<Node<T>>,
{
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        unreachable!("nothing implements `Prints`")
    }
}

/// Can await `N`; nothing can.
#[diagnostic::on_unimplemented(
    message = "`{N}` cannot be awaited: the engine runs its task",
    label = "a node, not a future",
    note = "in a pipeline, remove `.await`: `process(export())`",
    note = "to run a task's body within another one, write `task::call(..).await?`; to run it as a node, take its output as a parameter"
)]
pub trait Awaits<N> {
    /// The awaited value.
    type Value;
}

// rustc reports the type that lacks the trait as the awaited type. A tuple of one node looks almost like the node.
#[doc(hidden)]
impl<T> Future for Node<T>
where
    (Node<T>,): Awaits<Node<T>>,
{
    type Output = <(Node<T>,) as Awaits<Node<T>>>::Value;

    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Self::Output> {
        unreachable!("nothing implements `Awaits`")
    }
}

/// Can index `N`; nothing can.
#[diagnostic::on_unimplemented(
    message = "`{N}` cannot be indexed: a node has no value until the pipeline runs",
    label = "a node, not its value",
    note = "for each element, write `.each(|item| task(item))`; for the parts of a tuple `.split()`, and for a field `.field(|of| &of.name)`",
    note = "to use one element, choose it in a task that takes the list"
)]
pub trait Indexes<N> {
    /// An element.
    type Value;
}

#[doc(hidden)]
impl<T, I> Index<I> for Node<T>
where
    Runtime: Indexes<Node<T>>,
{
    type Output = <Runtime as Indexes<Node<T>>>::Value;

    fn index(&self, _: I) -> &Self::Output {
        unreachable!("nothing implements `Indexes`")
    }
}

/// Can order `N` with Airflow's methods; nothing can.
#[diagnostic::on_unimplemented(
    message = "`Node` has neither `set_upstream` nor `set_downstream`: write `later(..).after(earlier)` where the later task is wired",
    label = "Airflow's method",
    note = "a task that takes another's output runs after it anyway: `process(export())`",
    note = "for several, write `.after([a, b])`, or `chain((a, [b, c], d))`"
)]
pub trait Orders<N> {}

/// Airflow's methods, which only lead to the message.
impl<T> Node<T> {
    #[doc(hidden)]
    pub fn set_downstream<N>(self, _: N)
    where
        Runtime: Orders<Node<T>>,
    {
    }

    #[doc(hidden)]
    pub fn set_upstream<N>(self, _: N)
    where
        Runtime: Orders<Node<T>>,
    {
    }
}
