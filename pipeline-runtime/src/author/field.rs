//! Parts of a node's output: a field, and the parts of a tuple. They are not nodes: a task that takes a part takes the node, and
//! the part is looked up when the value is handed over.

use super::derived;
use super::draft;
use super::node::Node;
use super::value::{Data, Value};
use std::fmt;
use std::sync::Arc;

/// Makes a part's value from the whole value. It does not call the user's closure: that happens when the value is accessed.
#[derive(Clone)]
pub(crate) struct Projection(Arc<dyn Fn(Value) -> Value + Send + Sync>);

impl fmt::Debug for Projection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<part>")
    }
}

impl Projection {
    fn new<T: 'static, U: Data>(part: impl Fn(&T) -> &U + Send + Sync + 'static) -> Self {
        let part = Arc::new(part);
        Self(Arc::new(move |whole| {
            let part = Arc::clone(&part);
            derived::inner_value(whole, move |whole| part(whole))
        }))
    }

    pub(crate) fn of(&self, whole: Value) -> Value {
        (self.0)(whole)
    }
}

impl<T: 'static> Node<T> {
    /// A field of the output, which can be used like an output: as an input, or in a mapping. It is not a node of its own: it
    /// does not appear in the graph, nothing runs, and the field is looked up when the value is handed over. Options are set on
    /// the node itself.
    ///
    /// ```
    /// # use pipeline_runtime::prelude::*;
    /// # use serde::{Deserialize, Serialize};
    /// #[derive(Clone, Serialize, Deserialize)]
    /// struct Setup { folder: String, files: Vec<String> }
    ///
    /// #[task] async fn set_up() -> Result<Setup> { Ok(Setup { folder: "a".into(), files: vec![] }) }
    /// #[task] async fn copy_in(folder: String, file: String) -> Result<u64> { Ok((folder.len() + file.len()) as u64) }
    ///
    /// #[pipeline]
    /// fn nightly() {
    ///     let setup = set_up();
    ///     let folder = setup.field(|setup| &setup.folder);
    ///     setup.field(|setup| &setup.files).each(|file| copy_in(folder, file));
    /// }
    /// # nightly().check().unwrap();
    /// ```
    pub fn field<U: Data>(self, field: impl Fn(&T) -> &U + Send + Sync + 'static) -> Node<U> {
        Node::new(draft::part(self.handle(), Projection::new(field)))
    }

    /// The parts of a tuple, each of which can be used like an output. They are [fields](Self::field), not nodes of their own.
    ///
    /// ```
    /// # use pipeline_runtime::prelude::*;
    /// #[task] async fn divide(rows: Vec<u64>) -> Result<(Vec<u64>, u64)> { Ok((rows, 0)) }
    /// #[task] async fn load(rows: Vec<u64>) -> Result<u64> { Ok(rows.len() as u64) }
    /// #[task] async fn alert(bad: u64) -> Result<()> { println!("{bad} rows are bad"); Ok(()) }
    ///
    /// #[pipeline]
    /// fn nightly() {
    ///     let (good, bad) = divide(vec![1, 2]).split();
    ///     load(good);
    ///     alert(bad);
    /// }
    /// # nightly().check().unwrap();
    /// ```
    pub fn split(self) -> T::Parts
    where
        T: Tuple,
    {
        T::split(self)
    }
}

/// A tuple of two to eight, which [`Node::split`] divides. The trait is sealed.
#[diagnostic::on_unimplemented(
    message = "`.split` needs a task that returns a tuple, but this one returns `{Self}`",
    label = "`Node<{Self}>` is not a `Node` of a tuple",
    note = "a struct's fields are taken one by one, as in `node.field(|of| &of.name)`, and a list's elements with `.each(|item| task(item))`"
)]
pub trait Tuple: Sized {
    /// The nodes of its parts: `(Node<A>, Node<B>)`.
    type Parts;
    #[doc(hidden)]
    fn split(node: Node<Self>) -> Self::Parts;
}

macro_rules! tuple {
    ($($part:ident $index:tt),*) => {
        #[diagnostic::do_not_recommend]
        impl<$($part: Data),*> Tuple for ($($part,)*) {
            type Parts = ($(Node<$part>,)*);

            fn split(node: Node<Self>) -> Self::Parts {
                ($(node.field(|of| &of.$index),)*)
            }
        }
    };
}
tuple!(A 0, B 1);
tuple!(A 0, B 1, C 2);
tuple!(A 0, B 1, C 2, D 3);
tuple!(A 0, B 1, C 2, D 3, E 4);
tuple!(A 0, B 1, C 2, D 3, E 4, F 5);
tuple!(A 0, B 1, C 2, D 3, E 4, F 5, G 6);
tuple!(A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7);

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};

    #[test]
    fn a_part_is_looked_up_where_it_is_used() {
        static LOOKS: AtomicUsize = AtomicUsize::new(0);
        let part = Projection::new(|of: &(u64, String)| {
            LOOKS.fetch_add(1, Ordering::Relaxed);
            &of.1
        });
        let value = part.of(Value::new((1u64, "a".to_owned())));
        assert_eq!(LOOKS.load(Ordering::Relaxed), 0);
        let mut slot = None::<String>;
        assert!(value.as_ref().clone_into(&mut slot));
        assert_eq!((slot.as_deref(), LOOKS.load(Ordering::Relaxed)), (Some("a"), 1));
        let mut shared = (None::<Arc<String>>, None::<Arc<String>>);
        assert!(value.share_into(&mut shared.0) && value.share_into(&mut shared.1));
        assert!(Arc::ptr_eq(&shared.0.unwrap(), &shared.1.unwrap()));
        assert_eq!(value.encode(usize::MAX).unwrap(), b"\"a\"");
    }
}
