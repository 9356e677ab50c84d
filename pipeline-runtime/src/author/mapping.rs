//! Mappings: properties of a list that is to be repeated, and what the closure of `.each` may return.

use super::body;
use super::definition::{Definition, Kind};
use super::derived;
use super::draft::{self, Handle, Mapping, Repeated};
use super::error::Result;
use super::keys::ElementKeys;
use super::node::Node;
use super::options::TaskOptions;
use super::value::{Data, Value};
use std::fmt::Display;
use std::marker::PhantomData;

/// A list, over whose elements `.each` maps: a `Vec`. The trait is sealed.
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
    #[doc(hidden)]
    fn items(list: &Value) -> &[Self::Item];
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

    fn items(list: &Value) -> &[T] {
        list.as_any().downcast_ref::<Self>().map_or(&[], Vec::as_slice)
    }
}

/// A list whose elements have keys: what [`Node::keyed`] returns. It is `Copy`, and may be mapped more than once.
#[must_use = "a list has its keys for `.each`: call that on it, as in `list.keyed(..).each(|item| task(item))`"]
pub struct Keyed<T> {
    list: Handle,
    keys: u32,
    of: PhantomData<fn() -> T>,
    /// Not `Send`, like a node.
    not_send: PhantomData<*const ()>,
}

impl<T> Clone for Keyed<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Keyed<T> {}

impl<T> std::fmt::Debug for Keyed<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Keyed({})", self.list.index())
    }
}

impl<T: List> Keyed<T> {
    pub(super) fn new<K: Display>(list: Handle, key: impl Fn(&T::Item) -> K + Send + Sync + 'static) -> Self {
        let keys = ElementKeys::new(move |list| T::items(list).iter().map(|item| key(item).to_string()).collect());
        Self { list, keys: draft::keys(keys), of: PhantomData, not_send: PhantomData }
    }

    /// Like [`Node::each`]; each element is identified by its key.
    #[track_caller]
    pub fn each<R: Repeats>(self, body: impl FnOnce(Node<T::Item>) -> R) -> R::Lists {
        each::<T, R>(self.list, Some(self.keys), body)
    }
}

/// Records the nodes that are repeated for each element of a list.
#[track_caller]
pub(super) fn each<T: List, R: Repeats>(list: Handle, keys: Option<u32>, body: impl FnOnce(Node<T::Item>) -> R) -> R::Lists {
    let mapping = Mapping { len: T::len, item: T::item };
    let made = draft::each(list, keys, mapping, |element| body(Node::new(element)).results());
    R::lists(&mut made.into_iter())
}

/// What the closure of `.each` may return: one node, whose results make a list, or a tuple of nodes, each of which makes a list.
/// The trait is sealed.
#[diagnostic::on_unimplemented(
    message = "the closure of `.each` returns `{Self}`, not a node",
    label = "neither a node nor a tuple of nodes",
    note = "let the closure end with the node that its list is made of, without a semicolon: `.each(|item| task(item))`; for several lists, with a \
            tuple: `.each(|item| (load(item), count(item)))`"
)]
pub trait Repeats {
    /// The lists of the results: `Node<Vec<A>>`, or `(Node<Vec<A>>, Node<Vec<B>>)`.
    type Lists;
    #[doc(hidden)]
    fn results(&self) -> Vec<Repeated>;
    #[doc(hidden)]
    fn lists(made: &mut dyn Iterator<Item = Handle>) -> Self::Lists;
}

#[diagnostic::do_not_recommend]
impl<U: Data> Repeats for Node<U> {
    type Lists = Node<Vec<U>>;

    fn results(&self) -> Vec<Repeated> {
        vec![Repeated { node: self.handle(), join: derived::join::<U> }]
    }

    fn lists(made: &mut dyn Iterator<Item = Handle>) -> Self::Lists {
        // There is one list for each result.
        Node::new(made.next().unwrap_or_else(|| unreachable!("a mapping has fewer lists than results")))
    }
}

macro_rules! repeats {
    ($($part:ident)*) => {
        #[diagnostic::do_not_recommend]
        impl<$($part: Data),*> Repeats for ($(Node<$part>,)*) {
            type Lists = ($(Node<Vec<$part>>,)*);

            fn results(&self) -> Vec<Repeated> {
                #[expect(non_snake_case, reason = "a part is called as its type")]
                let ($($part,)*) = self;
                let mut results = Vec::new();
                $(results.extend($part.results());)*
                results
            }

            fn lists(made: &mut dyn Iterator<Item = Handle>) -> Self::Lists {
                ($(<Node<$part> as Repeats>::lists(made),)*)
            }
        }
    };
}
repeats!(A B);
repeats!(A B C);
repeats!(A B C D);
repeats!(A B C D E);
repeats!(A B C D E F);
repeats!(A B C D E F G);
repeats!(A B C D E F G H);

/// A list that the pipeline's function provides, as a node named `list`. Its value is recorded with the run, so that a resumed
/// run continues with the elements that it started with, even if the code has changed.
///
/// `.each` and `.keyed` call it implicitly on a `Vec`. A pipeline with several such lists must name them:
///
/// ```
/// use pipeline_runtime::{list, prelude::*};
///
/// #[task] async fn copy_in(region: String) -> Result<u64> { Ok(region.len() as u64) }
///
/// #[pipeline]
/// fn nightly() {
///     let regions = list(vec!["eu".to_owned(), "us".to_owned()]).named("regions");
///     regions.each(|region| copy_in(region));
/// }
/// # nightly().check().unwrap();
/// ```
///
/// # Panics
///
/// Outside of a pipeline function, like a task.
#[track_caller]
pub fn list<T: Data>(items: Vec<T>) -> Node<Vec<T>> {
    struct PlainList<T>(PhantomData<T>);
    let definition =
        const { &Definition::of::<PlainList<T>>(Kind::Task, "list", "A list that the pipeline's function has.", "list") };
    let input = body::input::<Vec<T>, _>("items", items);
    let start = body::body1(|items: Vec<T>| std::future::ready(Ok(items)));
    body::wire_task::<Result<Vec<T>>, _, 1>(definition, TaskOptions::default(), [input], start, None)
}

/// `.each` and `.keyed` on a plain `Vec`: `regions.each(|region| load(region))`.
///
/// It is in the prelude, so that the methods are in scope.
pub trait ListExt<T> {
    /// Like [`Node::each`], on a [list] that the pipeline's function provides.
    fn each<R: Repeats>(self, body: impl FnOnce(Node<T>) -> R) -> R::Lists
    where
        T: Data;

    /// Like [`Node::keyed`], on a [list] that the pipeline's function provides.
    fn keyed<K: Display>(self, key: impl Fn(&T) -> K + Send + Sync + 'static) -> Keyed<Vec<T>>
    where
        T: Data;
}

impl<T> ListExt<T> for Vec<T> {
    #[track_caller]
    fn each<R: Repeats>(self, body: impl FnOnce(Node<T>) -> R) -> R::Lists
    where
        T: Data,
    {
        list(self).each(body)
    }

    #[track_caller]
    fn keyed<K: Display>(self, key: impl Fn(&T) -> K + Send + Sync + 'static) -> Keyed<Self>
    where
        T: Data,
    {
        list(self).keyed(key)
    }
}
