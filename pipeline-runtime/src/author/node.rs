use super::asset::Asset;
use super::branch::Arms;
use super::draft::{self, Handle};
use super::input::Rule;
use super::mapping::{self, Keyed, List, Repeats};
use super::order::Order;
use super::outcome::Failure;
use super::overrides::overrides;
use std::fmt;
use std::marker::PhantomData;

/// A handle to the future output of one node of a pipeline.
///
/// Calling a task inside a `#[pipeline]` function returns one, and passing it to another task wires an edge. It is `Copy`: any
/// number of tasks may take it.
///
/// It is valid only inside the pipeline function, and therefore not `Send`: a task takes a `T`, never a `Node<T>`.
pub struct Node<T> {
    handle: Handle,
    output: PhantomData<fn() -> T>,
    /// If it were `Send`, a parameter of this type would take it as a plain value, without an edge.
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

    /// This node's failure, for a task that runs only if this node ended `failed` or `upstream_failed`.
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

    /// Makes this node's value an update of that asset, each time the node succeeds. The update is recorded in the commit of the
    /// success, and the pipelines that wait for the asset are notified. A node that fails or is skipped updates nothing; one that
    /// is retried and succeeds again updates it again.
    ///
    /// ```
    /// # use pipeline_runtime::prelude::*;
    /// /// How many rows there are.
    /// static ROWS: Asset<u64> = Asset::new("rows");
    ///
    /// #[task] async fn load() -> Result<u64> { Ok(1) }
    /// #[pipeline(schedule = "@daily")] fn nightly() { load().retries(2).updates(&ROWS); }
    /// # nightly().check().unwrap();
    /// ```
    ///
    /// The compiler refuses an asset of another type:
    ///
    /// ```compile_fail
    /// # use pipeline_runtime::prelude::*;
    /// static ROWS: Asset<u64> = Asset::new("rows");
    ///
    /// #[task] async fn load() -> Result<String> { Ok("one".into()) }
    /// #[pipeline] fn nightly() { load().updates(&ROWS); } // expected `&Asset<String>`, found `&Asset<u64>`
    /// ```
    #[track_caller]
    pub fn updates(self, asset: &'static Asset<T>) -> Self {
        draft::updates(self.handle, asset.spec());
        self
    }

    /// The condition that this node has ended, however (Airflow's `all_done`), for a task that runs then and needs no value of
    /// it.
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

    /// The condition that this node has succeeded or was skipped (Airflow's `none_failed`), for a task that runs then and needs
    /// no value of it.
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

    /// Undoes what this node has set up, once all nodes that are wired in `body` have ended (Airflow's `as_teardown`).
    ///
    /// `teardown` wires the task that undoes it; most often it is just the task's name. The teardown runs if this node has
    /// succeeded, however the nodes of `body` have ended: also when the run is cancelled or reaches its timeout, and after a
    /// crash. In such an ending run, only teardowns still start. An attempt has 10 minutes, unless a `timeout` says otherwise.
    /// The failure of a teardown does not fail the run, unless it has [`.fails_run()`](Self::fails_run). If the teardown takes
    /// other inputs, this node waits for them, too. Returns what `body` returns; `docs/teardown.md` in the repository has the
    /// details.
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

    /// Makes the failure of this [teardown](Self::teardown) fail the run. Call it where the teardown is wired, as in
    /// `.teardown(|machine| delete_machine(machine).fails_run(), ..)`.
    #[track_caller]
    pub fn fails_run(self) -> Self {
        draft::fails_run(self.handle);
        self
    }

    /// Describes once what is done with one element of the list; the runtime repeats it for each element, depth first.
    ///
    /// It yields the results in the list's order, for an empty list `[]`. A failed element fails only that element's chain. Nodes
    /// from outside may be used within; nodes from within only through the result. A tuple of nodes yields one list for each.
    ///
    /// Elements are identified by their index, `rows[0]`, also after a `retry` that has rebuilt the list: what element 3 had done
    /// then counts as done, even if a different element now has that index. If the list can change, give it [keys](Self::keyed).
    ///
    /// ```
    /// # use pipeline_runtime::prelude::*;
    /// #[task] async fn files() -> Result<Vec<String>> { Ok(vec!["a.csv".into(), "b.csv".into()]) }
    /// #[task] async fn rows(file: String) -> Result<u64> { Ok(file.len() as u64) }
    /// #[task] async fn bad(file: String) -> Result<u64> { Ok(file.matches(';').count() as u64) }
    /// #[task] async fn total(rows: Vec<u64>) -> Result<u64> { Ok(rows.iter().sum()) }
    ///
    /// #[pipeline]
    /// fn nightly() {
    ///     let (rows, bad) = files().each(|file| (rows(file), bad(file)));
    ///     total(rows.max_active(4));
    ///     total(bad).named("total_bad");
    /// }
    /// # nightly().check().unwrap();
    /// ```
    #[track_caller]
    pub fn each<R: Repeats>(self, body: impl FnOnce(Node<T::Item>) -> R) -> R::Lists
    where
        T: List,
    {
        mapping::each::<T, R>(self.handle, None, body)
    }

    /// Gives each element of the list a key, which identifies it: `load[bart]` in logs, alerts, on the command line and in
    /// [`idempotency_key`](crate::Context::idempotency_key). After a `retry` that has rebuilt the list, elements are matched by
    /// their keys: an element that was done stays done, a new key is started, and a key that the list no longer has is `removed`.
    ///
    /// A key is a text that distinguishes the element from all others. The mapping fails if two elements have the same key, or if
    /// a key is empty, contains a bracket or an invisible character, begins or ends with a space, or is longer than 200 bytes.
    ///
    /// ```
    /// # use pipeline_runtime::prelude::*;
    /// # use serde::{Deserialize, Serialize};
    /// #[derive(Clone, Serialize, Deserialize)]
    /// struct Feed { name: String, url: String }
    ///
    /// #[task] async fn feeds() -> Result<Vec<Feed>> { Ok(vec![]) }
    /// #[task] async fn load(feed: Feed) -> Result<u64> { Ok(feed.url.len() as u64) }
    ///
    /// #[pipeline]
    /// fn nightly() { feeds().keyed(|feed| feed.name.clone()).each(|feed| load(feed)); }
    /// # nightly().check().unwrap();
    /// ```
    pub fn keyed<K: fmt::Display>(self, key: impl Fn(&T::Item) -> K + Send + Sync + 'static) -> Keyed<T>
    where
        T: List,
    {
        Keyed::new(self.handle, key)
    }
}

impl<T> Node<Vec<T>> {
    /// Limits how many elements of this mapping are active at once.
    #[track_caller]
    pub fn max_active(self, elements: usize) -> Self {
        draft::max_active(self.handle, elements);
        self
    }

    /// Runs the elements of this mapping one after the other, in the list's order, each only if the one before has succeeded: if
    /// a node of an element failed, later elements are `upstream_failed`; if its result was skipped, they are skipped.
    ///
    /// ```
    /// # use pipeline_runtime::prelude::*;
    /// #[task] async fn migrations() -> Result<Vec<String>> { Ok(vec!["001.sql".into(), "002.sql".into()]) }
    /// #[task] async fn apply(file: String) -> Result<()> { println!("{file}"); Ok(()) }
    /// #[pipeline] fn nightly() { migrations().keyed(|file| file.clone()).each(|file| apply(file)).in_order(); }
    /// # nightly().check().unwrap();
    /// ```
    #[track_caller]
    pub fn in_order(self) -> Self {
        draft::in_order(self.handle);
        self
    }
}

/// The value of the node that succeeds first (Airflow's `one_success`).
///
/// Once one node has succeeded, those of the others that feed nothing else are stopped and end `skipped`, and so do their own
/// upstreams that feed nothing else. If none succeeds, it is skipped if all were skipped, otherwise `upstream_failed`.
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

/// The overrides of a branch, as methods of its arms: `route(report).retries(2)`.
///
/// It is in the prelude, so that the methods are in scope.
pub trait ArmsExt<B>: Arms<B> {
    #[doc(hidden)]
    fn handle(&self) -> Handle {
        self.branch().0
    }

    overrides!();
}

impl<B, A: Arms<B>> ArmsExt<B> for A {}
