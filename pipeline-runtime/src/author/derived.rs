//! Values that are derived from other values: an element of a list, the results of a mapping, the value that a branch's arm
//! carries.
//!
//! Deriving a value does not call the user's code. Its `Clone` is called when the value is moved into a parameter, within the
//! attempt, where a panic fails only that attempt. So the engine may derive values while it holds its lock, and recovery may
//! derive them without the type's code.

use super::bounded::Unwritten;
use super::branch::Branch;
use super::input::Upstream;
use super::value::{Data, Datum, Value};
use std::any::Any;
use std::marker::PhantomData;
use std::sync::{Arc, OnceLock};

/// The number of elements of a `Vec<T>`.
pub(crate) fn len<T: Data>(list: &Value) -> usize {
    match list.items() {
        Some(items) => items.len(),
        None => list.as_any().downcast_ref::<Vec<T>>().map_or(0, Vec::len),
    }
}

/// An element of a `Vec<T>`.
pub(crate) fn item<T: Data>(list: &Value, index: usize) -> Value {
    match list.items().and_then(|items| items.get(index)) {
        Some(item) => item.clone(),
        // The caller has asked for the list's length, and a list does not change.
        None => inner_value(list.clone(), move |list: &Vec<T>| {
            list.get(index).unwrap_or_else(|| unreachable!("an element outside of its list"))
        }),
    }
}

/// The results of a mapping's elements as a `Vec<U>`; `None` unless all succeeded.
pub(crate) fn join<U: Data>(results: &[Upstream]) -> Option<Value> {
    let item = |upstream: &Upstream| match upstream {
        Upstream::Success(value) => Some(value.clone()),
        Upstream::Skipped | Upstream::Failed(_) => None,
    };
    let items = results.iter().map(item).collect::<Option<Box<[Value]>>>()?;
    Some(Value::new(JoinedList::<U> { items, list: OnceLock::new() }))
}

/// The index of the arm that a branch's output takes.
pub(crate) fn arm<B: Branch + 'static>(output: &Value) -> Option<usize> {
    output.as_any().downcast_ref::<B>().map(|output| output.split().0)
}

/// The value of the arm that a branch's output takes.
pub(crate) fn arm_value<B: Branch + 'static>(output: &Value) -> Value {
    Value::new(ArmValue::<B> { output: output.clone(), shared: OnceLock::new(), of: PhantomData })
}

/// A value inside another. It is looked up at each access, which is the first time that the user's code is called.
struct InnerValue<T, U, F> {
    whole: Value,
    find: F,
    shared: OnceLock<Arc<U>>,
    of: PhantomData<fn() -> T>,
}

/// The value that `find` finds within a `T`.
pub(super) fn inner_value<T: 'static, U: Data>(whole: Value, find: impl Fn(&T) -> &U + Send + Sync + 'static) -> Value {
    Value::new(InnerValue { whole, find, shared: OnceLock::new(), of: PhantomData })
}

impl<T: 'static, U: Data, F: Fn(&T) -> &U> InnerValue<T, U, F> {
    fn get(&self) -> &U {
        // The types of nodes determine the types of values.
        let whole = self.whole.as_any().downcast_ref::<T>();
        (self.find)(whole.unwrap_or_else(|| unreachable!("within a value of another type")))
    }
}

impl<T: 'static, U: Data, F: Fn(&T) -> &U + Send + Sync + 'static> Datum for InnerValue<T, U, F> {
    fn clone_into(&self, slot: &mut dyn Any) -> bool {
        Datum::clone_into(self.get(), slot)
    }

    fn share_into(self: Arc<Self>, slot: &mut dyn Any) -> bool {
        Arc::clone(self.shared.get_or_init(|| Arc::new(self.get().clone()))).share_into(slot)
    }

    fn as_any(&self) -> &dyn Any {
        self.get()
    }

    fn to_value(&self) -> Value {
        self.get().to_value()
    }

    fn encode(&self, limit: usize) -> Result<Vec<u8>, Unwritten> {
        self.get().encode(limit)
    }
}

struct JoinedList<U> {
    items: Box<[Value]>,
    list: OnceLock<Arc<Vec<U>>>,
}

impl<U: Data> JoinedList<U> {
    fn get(&self) -> &Arc<Vec<U>> {
        let item = |item: &Value| {
            let mut slot = None::<U>;
            item.as_ref().clone_into(&mut slot);
            slot
        };
        // The plan's types ensure that every result is a `U`.
        self.list.get_or_init(|| Arc::new(self.items.iter().filter_map(item).collect()))
    }
}

impl<U: Data> Datum for JoinedList<U> {
    fn clone_into(&self, slot: &mut dyn Any) -> bool {
        Datum::clone_into(self.get().as_ref(), slot)
    }

    fn share_into(self: Arc<Self>, slot: &mut dyn Any) -> bool {
        Arc::clone(self.get()).share_into(slot)
    }

    fn as_any(&self) -> &dyn Any {
        self.get().as_ref()
    }

    fn items(&self) -> Option<&[Value]> {
        Some(&self.items)
    }

    fn to_value(&self) -> Value {
        Value::shared(Arc::clone(self.get()))
    }

    fn encode(&self, limit: usize) -> Result<Vec<u8>, Unwritten> {
        self.get().as_ref().encode(limit)
    }
}

struct ArmValue<B> {
    output: Value,
    shared: OnceLock<Value>,
    of: PhantomData<fn() -> B>,
}

impl<B: Branch + 'static> ArmValue<B> {
    fn get(&self) -> &dyn Datum {
        // The plan's types ensure that a branch's output is a `B`.
        let output = self.output.as_any().downcast_ref::<B>();
        output.map_or_else(|| unreachable!("the output of a branch is of another type"), |output| output.split().1)
    }
}

impl<B: Branch + 'static> Datum for ArmValue<B> {
    fn clone_into(&self, slot: &mut dyn Any) -> bool {
        self.get().clone_into(slot)
    }

    fn share_into(self: Arc<Self>, slot: &mut dyn Any) -> bool {
        self.shared.get_or_init(|| self.get().to_value()).share_into(slot)
    }

    fn as_any(&self) -> &dyn Any {
        self.get().as_any()
    }

    fn items(&self) -> Option<&[Value]> {
        self.get().items()
    }

    fn to_value(&self) -> Value {
        self.get().to_value()
    }

    fn encode(&self, limit: usize) -> Result<Vec<u8>, Unwritten> {
        self.get().encode(limit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shared<T: 'static>(value: &Value) -> Arc<T> {
        let mut slot = None::<Arc<T>>;
        assert!(value.share_into(&mut slot), "another type");
        slot.unwrap()
    }

    #[test]
    fn an_element_is_cloned_where_it_is_used_and_shared_once() {
        #[derive(serde::Serialize, serde::Deserialize)]
        struct Counted(u64);
        static CLONES: std::sync::atomic::AtomicUsize = std::sync::atomic::AtomicUsize::new(0);
        impl Clone for Counted {
            fn clone(&self) -> Self {
                CLONES.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                Self(self.0)
            }
        }
        let clones = || CLONES.load(std::sync::atomic::Ordering::Relaxed);
        let list = Value::new(vec![Counted(7), Counted(8)]);
        assert_eq!(len::<Counted>(&list), 2);
        let second = item::<Counted>(&list, 1);
        assert_eq!((clones(), second.encode(usize::MAX).unwrap().as_slice()), (0, b"8".as_slice()));
        let (one, other) = (shared::<Counted>(&second), shared::<Counted>(&second));
        assert_eq!((clones(), Arc::ptr_eq(&one, &other), one.0), (1, true, 8));
        let joined = join::<Counted>(&[Upstream::Success(second.clone()), Upstream::Success(item::<Counted>(&list, 0))]);
        let joined = joined.unwrap();
        // The elements of joined results are the results themselves.
        assert_eq!((len::<Counted>(&joined), clones()), (2, 1));
        assert!(item::<Counted>(&joined, 0).is(&second));
        assert_eq!((joined.encode(usize::MAX).unwrap().as_slice(), clones()), (b"[8,7]".as_slice(), 3));
        assert!(join::<Counted>(&[Upstream::Skipped]).is_none());
    }
}
