use super::asset::Asset;
use super::branch::Arms;
use super::derived;
use super::draft::{self, Handle};
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

    /// Its value is an update of that asset, each time that it succeeds: kept in the commit of its success, and told to the pipelines that
    /// wait for the asset. What fails or is skipped updates nothing; one that is retried and succeeds again updates again.
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
    /// An asset of another type is refused by the compiler:
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
