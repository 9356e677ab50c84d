//! Groups: nodes that share a prefix of their ids, options and an order.

use super::draft::{self, GroupHandle, NodeOrGroup};
use super::input::{Input, IntoInput, Rule};
use super::lock::Lock;
use super::node::Node;
use super::order::{Order, Upstreams};
use super::outcome::Outcome;
use super::overrides::overrides;
use std::marker::PhantomData;
use std::ops::Deref;
use std::sync::Arc;

/// The return value of a [`group`]'s closure, and the group itself.
///
/// It can be used like the return value: a task takes a `Group<Node<T>>`, which has the methods of its node, and
/// `let (rows, report) = *group(..);` takes the nodes out of a tuple. The overrides and `.after` apply to the group: to all nodes
/// that were wired in it. A node's own override takes precedence, then that of an inner group; the attribute of a task comes
/// last.
///
/// `.after(x)` delays the nodes of the group that wait for no other node of the group. A node that is wired `.after(group)` waits
/// for the group's nodes that no other node of the group takes, except [teardowns](crate::Node::teardown).
#[derive(Debug, Clone, Copy)]
pub struct Group<T> {
    inner: T,
    handle: GroupHandle,
    /// Like a node, it is valid only inside the pipeline function.
    not_send: PhantomData<*const ()>,
}

/// Wires the nodes of the closure as one group (Airflow's `TaskGroup`): the ids of its nodes begin with its name, as in
/// `load.extract`, and drawings have a frame around it.
///
/// ```
/// use pipeline_runtime::prelude::*;
///
/// #[task] async fn snapshot() -> Result<u64> { Ok(1) }
/// #[task] async fn extract() -> Result<u64> { Ok(1) }
/// #[task] async fn load(rows: u64) -> Result<u64> { Ok(rows) }
/// #[task] async fn publish(rows: u64) -> Result<()> { Ok(()) }
///
/// #[pipeline]
/// fn nightly() {
///     let loaded = group("visits", || load(extract())).after(snapshot()).retries(2);
///     publish(loaded);
/// }
/// # let plan = nightly().plan(&serde_json::Value::Null).unwrap();
/// # assert!(plan.to_json().to_string().contains("visits.extract"));
/// ```
#[track_caller]
pub fn group<T>(name: impl Into<String>, body: impl FnOnce() -> T) -> Group<T> {
    let (inner, handle) = draft::group(name.into(), body);
    Group { inner, handle, not_send: PhantomData }
}

impl<T> Group<T> {
    overrides!(pub);

    fn handle(&self) -> GroupHandle {
        self.handle
    }

    /// Holds a lock from the start of the group's first node until its last node or its run has ended: see [`Lock`]. A group may
    /// hold several locks, which it acquires together.
    #[track_caller]
    pub fn holding(self, lock: &'static Lock) -> Self {
        draft::hold(self.handle, lock);
        self
    }

    /// What the closure returned.
    pub fn into_inner(self) -> T {
        self.inner
    }

    /// The condition that all of the group has ended, however: see [`Node::ended`].
    pub fn ended(&self) -> Order {
        Order::new(self.handle, Rule::AllDone)
    }

    /// The condition that all of the group has succeeded or was skipped: see [`Node::or_skipped`].
    pub fn or_skipped(&self) -> Order {
        Order::new(self.handle, Rule::NoneFailed)
    }
}

impl<T> Deref for Group<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.inner
    }
}

impl From<GroupHandle> for NodeOrGroup {
    fn from(group: GroupHandle) -> Self {
        Self::Group(group)
    }
}

#[diagnostic::do_not_recommend]
impl<T> Upstreams for Group<T> {
    fn orders(&self, see: &mut dyn FnMut(Order)) {
        see(Order::new(self.handle, Rule::AllSuccess));
    }
}

// ---- as an input it is its closure's return value

#[diagnostic::do_not_recommend]
impl<T: 'static> IntoInput<T> for Group<Node<T>> {
    fn into_input(self) -> Input {
        IntoInput::<T>::into_input(self.inner)
    }
}

#[diagnostic::do_not_recommend]
impl<T: 'static> IntoInput<Arc<T>> for Group<Node<T>> {
    fn into_input(self) -> Input {
        IntoInput::<Arc<T>>::into_input(self.inner)
    }
}

#[diagnostic::do_not_recommend]
impl<T: 'static> IntoInput<Option<T>> for Group<Node<T>> {
    fn into_input(self) -> Input {
        IntoInput::<Option<T>>::into_input(self.inner)
    }
}

#[diagnostic::do_not_recommend]
impl<T: 'static> IntoInput<Outcome<T>> for Group<Node<T>> {
    fn into_input(self) -> Input {
        IntoInput::<Outcome<T>>::into_input(self.inner)
    }
}

#[diagnostic::do_not_recommend]
impl<T: 'static> IntoInput<Vec<Option<T>>> for Group<Node<Vec<T>>> {
    fn into_input(self) -> Input {
        IntoInput::<Vec<Option<T>>>::into_input(self.inner)
    }
}

#[diagnostic::do_not_recommend]
impl<T: 'static> IntoInput<Vec<Outcome<T>>> for Group<Node<Vec<T>>> {
    fn into_input(self) -> Input {
        IntoInput::<Vec<Outcome<T>>>::into_input(self.inner)
    }
}
