//! What a node is not, as its value is there only when the pipeline runs.
//!
//! Without these implementations rustc speaks of a node as of any type, and proposes what compiles and does another thing: `{:?}` prints the
//! node's number, and a removed `.await` leaves a node. None of them ever applies: each asks for a trait that nothing implements, whose words are
//! the message. Those are traits of another type, since rustc takes the words of `Display` for what fails on the node itself. What would come of it is the
//! missing implementation's, too, so that it is no second mistake.
//!
//! It is not done for `>`, `==` and `>>`, where rustc has its own words whatever is implemented, nor for `Iterator`, whose methods would be proposed.

use super::body::Runtime;
use super::node::Node;
use std::fmt;
use std::future::Future;
use std::ops::Index;
use std::pin::Pin;
use std::task::{Context, Poll};

/// Has a text of `N`.
#[diagnostic::on_unimplemented(
    message = "`{N}` has no text: its value is there when the pipeline runs",
    label = "a node, and not yet its value",
    note = "put the text together in a task that takes the value, or in a `template!` of what the run knows"
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

/// Waits for `N`.
#[diagnostic::on_unimplemented(
    message = "`{N}` cannot be awaited: the engine runs its task",
    label = "a node, and no future",
    note = "in a pipeline leave `.await` out: `process(export())`",
    note = "to run a task's body within another one, write `task::call(..).await?`; to run it as a node, take its output as a parameter"
)]
pub trait Awaits<N> {
    /// What is waited for.
    type Value;
}

// rustc says of what is awaited that it is the type which lacks the trait, so that this one looks like the node.
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

/// Has the parts of `N`.
#[diagnostic::on_unimplemented(
    message = "`{N}` has no elements: they are there when the pipeline runs",
    label = "a node, and not yet its value",
    note = "for each element write `.each(|item| task(item))`; the parts of a tuple are `.split()`, and a field is `.field(|of| &of.name)`",
    note = "one element is for a task to choose, which takes the list"
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

/// Orders `N` as Airflow does.
#[diagnostic::on_unimplemented(
    message = "an order is written where the later task is wired: `later(..).after(earlier)`",
    label = "Airflow's method",
    note = "a task that takes another's output comes after it, without more: `process(export())`",
    note = "for several, write `.after([a, b])`, or `chain((a, [b, c], d))`"
)]
pub trait Orders<N> {}

/// Airflow's methods.
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
