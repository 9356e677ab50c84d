use super::branch::Arms;
use super::derived;
use super::draft::{self, Handle};
use super::input::Rule;
use super::order::Order;
use super::outcome::Failure;
use super::overrides::overrides;
use super::value::{Data, Value};
use std::fmt;
use std::marker::PhantomData;

/// The future output of one node of a pipeline.
///
/// Calling a task inside a `#[pipeline]` function returns one, and passing it to another task wires an edge. It is `Copy`:
/// any number of tasks may take it.
///
/// It means something to the pipeline function alone, and so is not `Send`: a task takes a `T`, never a `Node<T>`.
pub struct Node<T> {
    handle: Handle,
    output: PhantomData<fn() -> T>,
    /// As a parameter's type it would be a plain value, and no edge.
    not_send: PhantomData<*const ()>,
}

impl<T> Clone for Node<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Node<T> {}

impl<T> fmt::Debug for Node<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Node({})", self.handle.index())
    }
}

impl<T> Node<T> {
    pub(crate) fn new(handle: Handle) -> Self {
        Self { handle, output: PhantomData, not_send: PhantomData }
    }

    pub(crate) fn handle(self) -> Handle {
        self.handle
    }

    overrides!(pub);

    /// This node's failure, for a task that runs only if it ended `failed` or `upstream_failed`.
    ///
    /// ```
    /// # use pipeline_runtime::prelude::*;
    /// #[task] async fn load() -> Result<u64> { Ok(1) }
    /// #[task] async fn repair(failure: Failure) -> Result<String> { Ok(failure.node().to_owned()) }
    /// #[pipeline] fn nightly() { repair(load().failure()); }
    /// # nightly().check().unwrap();
    /// ```
    #[track_caller]
    pub fn failure(self) -> Node<Failure> {
        Node::new(draft::failure(self.handle))
    }

    /// That this node has ended, however (Airflow's `all_done`), for a task that is to run then and needs nothing of it.
    ///
    /// ```
    /// # use pipeline_runtime::prelude::*;
    /// #[task] async fn load() -> Result<u64> { Ok(1) }
    /// #[task] async fn unlock() -> Result<()> { Ok(()) }
    /// #[pipeline] fn nightly() { unlock().after(load().ended()); }
    /// # nightly().check().unwrap();
    /// ```
    pub fn ended(self) -> Order {
        Order::new(self.handle, Rule::AllDone)
    }

    /// That this node has succeeded or was skipped (Airflow's `none_failed`), for a task that is to run then and needs nothing of it.
    ///
    /// ```
    /// # use pipeline_runtime::prelude::*;
    /// #[task] async fn refine() -> Result<u64> { Err(TaskError::skip("nothing new")) }
    /// #[task] async fn report() -> Result<()> { Ok(()) }
    /// #[pipeline] fn nightly() { report().after(refine().or_skipped()); }
    /// # nightly().check().unwrap();
    /// ```
    pub fn or_skipped(self) -> Order {
        Order::new(self.handle, Rule::NoneFailed)
    }

    /// Undoes what this node has set up, once all that is wired in `body` has ended (Airflow's `as_teardown`).
    ///
    /// `teardown` wires the task that does so, most often by its name alone. It runs however the nodes of `body` have ended, if this node has succeeded: also
    /// when the run is cancelled or its timeout is over, and after a crash. On such an end teardowns are all that still starts. An attempt
    /// has 10 minutes, unless a `timeout` says otherwise. The failure of a teardown does not fail the run, unless it has
    /// [`.fails_run()`](Self::fails_run). What `body` returns is the result; `docs/teardown.md` in the repository says more.
    ///
    /// ```
    /// use pipeline_runtime::prelude::*;
    ///
    /// #[task] async fn machine() -> Result<String> { Ok("m-17".into()) }
    /// #[task] async fn train(machine: String) -> Result<f64> { Ok(0.9) }
    /// #[task(retries = 3)] async fn delete_machine(machine: String) -> Result<()> { Ok(()) }
    /// #[task] async fn publish(score: f64) -> Result<()> { Ok(()) }
    ///
    /// #[pipeline]
    /// fn nightly() {
    ///     let score = machine().teardown(delete_machine, |machine| train(machine));
    ///     publish(score);
    /// }
    /// # nightly().check().unwrap();
    /// ```
    #[track_caller]
    pub fn teardown<D, R>(self, teardown: impl FnOnce(Self) -> Node<D>, body: impl FnOnce(Self) -> R) -> R {
        draft::teardown(self.handle, || body(self), || teardown(self).handle)
    }

    /// Of a [teardown](Self::teardown): its failure fails the run. It is called where the teardown is wired, as in
    /// `.teardown(|machine| delete_machine(machine).fails_run(), ..)`.
    #[track_caller]
    pub fn fails_run(self) -> Self {
        draft::fails_run(self.handle);
        self
    }

    /// Describes what is done with one element of the list, once; the runtime repeats it for each, depth first.
    ///
    /// It yields the results in the list's order, over an empty list `[]`. A failed element fails that element's chain alone.
    /// Nodes from outside may be used within; nodes from within only through the result.
    ///
    /// ```
    /// # use pipeline_runtime::prelude::*;
    /// #[task] async fn files() -> Result<Vec<String>> { Ok(vec!["a.csv".into(), "b.csv".into()]) }
    /// #[task] async fn rows(file: String) -> Result<u64> { Ok(file.len() as u64) }
    /// #[task] async fn total(rows: Vec<u64>) -> Result<u64> { Ok(rows.iter().sum()) }
    /// #[pipeline] fn nightly() { total(files().each(|file| rows(file)).max_active(4)); }
    /// # nightly().check().unwrap();
    /// ```
    #[track_caller]
    pub fn each<U: Data>(self, body: impl FnOnce(Node<T::Item>) -> Node<U>) -> Node<Vec<U>>
    where
        T: List,
    {
        let mapping = draft::Mapping { len: T::len, item: T::item, join: derived::join::<U> };
        Node::new(draft::each(self.handle, mapping, |element| body(Node::new(element)).handle))
    }
}

impl<T> Node<Vec<T>> {
    /// At most that many elements of this mapping are under way at once.
    #[track_caller]
    pub fn max_active(self, elements: usize) -> Self {
        draft::max_active(self.handle, elements);
        self
    }
}

/// The value of whichever node succeeds first (Airflow's `one_success`).
///
/// Once one has won, those of the others that feed nothing else are cut off and end `skipped`, and so do their own upstreams
/// that feed nothing else. It is skipped if all were skipped, else `upstream_failed`.
///
/// ```
/// # use pipeline_runtime::prelude::*;
/// #[task] async fn copy_in(region: String) -> Result<u64> { Ok(region.len() as u64) }
/// #[task] async fn load(rows: u64) -> Result<()> { Ok(()) }
/// #[pipeline] fn nightly() { load(first_of([copy_in("eu"), copy_in("us")])); }
/// # nightly().check().unwrap();
/// ```
#[track_caller]
pub fn first_of<T>(nodes: impl IntoIterator<Item = Node<T>>) -> Node<T> {
    Node::new(draft::first_of(nodes.into_iter().map(|node| node.handle).collect()))
}

/// A list, whose elements `.each` maps over: a `Vec`. The trait is sealed.
#[diagnostic::on_unimplemented(
    message = "`.each` needs a task that returns a list, but this one returns `{Self}`",
    label = "`Node<{Self}>` is not a `Node<Vec<_>>`",
    note = "wire the node itself, as in `task(node)`, or let its task return `Result<Vec<{Self}>>`"
)]
pub trait List {
    /// An element.
    type Item;
    #[doc(hidden)]
    fn len(list: &Value) -> usize;
    #[doc(hidden)]
    fn item(list: &Value, index: usize) -> Value;
}

#[diagnostic::do_not_recommend]
impl<T: Data> List for Vec<T> {
    type Item = T;

    fn len(list: &Value) -> usize {
        derived::len::<T>(list)
    }

    fn item(list: &Value, index: usize) -> Value {
        derived::item::<T>(list, index)
    }
}

/// The overrides of a branch, on its arms: `route(report).retries(2)`.
///
/// In the prelude, so that the methods are at hand.
pub trait ArmsExt<B>: Arms<B> {
    #[doc(hidden)]
    fn handle(&self) -> Handle {
        self.branch().0
    }

    overrides!();
}

impl<B, A: Arms<B>> ArmsExt<B> for A {}
