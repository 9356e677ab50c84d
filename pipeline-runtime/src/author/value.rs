//! Values as the engine sees them: erased, shared, and with the means to write them as JSON and read them back.
//!
//! # Why JSON preserves every bit of a float
//!
//! `serde_json` is built with `float_roundtrip`: without it the last bit of some floats changes, and a resumed run would continue
//! with another value than an uninterrupted one.

use super::bounded::{self, Unwritten};
use super::equality::Compare;
use super::pipeline::panic_message;
use super::small::Small;
use super::type_name;
use serde::{Serialize, de::DeserializeOwned};
use std::any::{Any, TypeId};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

/// A value that can cross a task boundary: what a task may return.
///
/// It is implemented for every type that has the traits it names; there is nothing to write beyond the derives.
///
/// A resumed run reads it back from JSON. So simulations and debug builds pass every output through JSON and fail the node whose
/// value comes back different: a NaN, `Some(None)`, a map whose keys are not strings. A field that is not written, as under
/// `#[serde(skip)]`, is detected only if the type has an `==`: derive `PartialEq`, too.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot cross a task boundary",
    label = "not `Serialize + DeserializeOwned + Clone + Send + Sync + 'static`",
    note = "a task's output is written to the run's journal: to a type of your own add `#[derive(Clone, serde::Serialize, serde::Deserialize)]`",
    note = "a type of another crate without them, such as a client, a connection or an `Instant`, cannot be stored: return a struct of your own with \
            what the next task needs, and recreate the rest in its body",
    note = "no output holds a `Secret`: give it to each task that needs it, as an input of its own"
)]
pub trait Data: Storable + Serialize + DeserializeOwned + Clone + Send + Sync + 'static {}

#[diagnostic::do_not_recommend]
impl<T: Storable + Serialize + DeserializeOwned + Clone + Send + Sync + 'static> Data for T {}

/// A value that may be stored: any that contains no [`Secret`](crate::Secret). Implemented for all such types; there is nothing
/// to write.
pub trait Storable: Unpin {}

// See `secret.rs`, which has the one type that is not `Unpin`.
#[diagnostic::do_not_recommend]
impl<T: Unpin> Storable for T {}

/// A task's output in memory. It is passed on as it is, without encoding it.
///
/// Its type's `Drop` is the user's code, and the last reference may be dropped by the engine, a journal's writer or a command
/// that read a run. So a panic of that `Drop` is caught here, for each value separately: two values of one list cannot abort the
/// process.
#[derive(Clone)]
pub struct Value(Repr);

#[derive(Clone)]
enum Repr {
    /// Within an [`OptionalValue`], and while the value is dropped.
    None,
    Small(Small),
    Shared(Arc<dyn Datum>),
}

impl Value {
    /// Erases the type of a value.
    #[inline]
    pub(crate) fn new<T: Datum>(value: T) -> Self {
        match Small::of(&value) {
            Some(small) => Self(Repr::Small(small)),
            None => Self::shared(Arc::new(value)),
        }
    }

    /// Erases the type of a value that is already shared.
    pub(crate) fn shared<T: Datum>(value: Arc<T>) -> Self {
        Self(Repr::Shared(value))
    }

    /// Shares the value into `slot`, which must be an `Option<Arc<T>>`. Returns whether it was one.
    pub(crate) fn share_into(&self, slot: &mut dyn Any) -> bool {
        match &self.0 {
            Repr::Shared(value) => Arc::clone(value).share_into(slot),
            Repr::Small(small) => small.share_into(slot),
            Repr::None => false,
        }
    }

    /// True if both are the same value in memory.
    #[cfg(test)]
    pub(crate) fn is(&self, other: &Self) -> bool {
        matches!((&self.0, &other.0), (Repr::Shared(one), Repr::Shared(other)) if Arc::ptr_eq(one, other))
    }
}

impl Drop for Value {
    #[inline]
    fn drop(&mut self) {
        if matches!(self.0, Repr::Shared(_)) {
            release(self);
        }
    }
}

// Not inlined, so that dropping a small or empty value costs only the check.
#[inline(never)]
fn release(value: &mut Value) {
    let repr = std::mem::replace(&mut value.0, Repr::None);
    let _ = catch_unwind(AssertUnwindSafe(move || drop(repr)));
}

impl std::ops::Deref for Value {
    type Target = dyn Datum;

    #[inline]
    fn deref(&self) -> &Self::Target {
        match &self.0 {
            Repr::Small(small) => small.as_datum(),
            Repr::Shared(value) => &**value,
            Repr::None => unreachable!("only an `OptionalValue` holds an empty value"),
        }
    }
}

impl AsRef<dyn Datum> for Value {
    fn as_ref(&self) -> &dyn Datum {
        &**self
    }
}

impl std::fmt::Debug for Value {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Debug::fmt(&**self, f)
    }
}

/// An `Option<Value>` in the space of a [`Value`], because there are millions of them.
#[derive(Clone)]
pub(crate) struct OptionalValue(Value);

impl OptionalValue {
    /// No value.
    pub(crate) const NONE: Self = Self(Value(Repr::None));

    #[inline]
    pub(crate) fn get(&self) -> Option<&Value> {
        (!matches!(self.0.0, Repr::None)).then_some(&self.0)
    }

    pub(crate) fn into_option(self) -> Option<Value> {
        (!matches!(self.0.0, Repr::None)).then_some(self.0)
    }
}

impl From<Option<Value>> for OptionalValue {
    fn from(value: Option<Value>) -> Self {
        value.map_or(Self::NONE, Self)
    }
}

impl std::fmt::Debug for OptionalValue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.get().fmt(f)
    }
}

/// An erased [`Data`] value. Consumers that know the type fill an `Option` of it. So wiring a node needs no bound on the type,
/// and a type that is not `Data` is reported once, where its task is defined.
pub trait Datum: Any + Send + Sync {
    /// Clones the value into `slot`, which must be an `Option<T>`. Returns whether it was one.
    fn clone_into(&self, slot: &mut dyn Any) -> bool;
    /// Shares the value into `slot`, which must be an `Option<Arc<T>>`. Returns whether it was one.
    fn share_into(self: Arc<Self>, slot: &mut dyn Any) -> bool;
    /// The value itself, for a downcast.
    fn as_any(&self) -> &dyn Any;
    /// The elements, without a clone, if this is a list that was joined from results.
    fn items(&self) -> Option<&[Value]> {
        None
    }
    /// Clones the value into a new `Value`.
    fn to_value(&self) -> Value;
    /// The value as JSON of at most `limit` bytes.
    fn encode(&self, limit: usize) -> Result<Vec<u8>, Unwritten>;
}

impl<T: Data> Datum for T {
    fn clone_into(&self, slot: &mut dyn Any) -> bool {
        let Some(slot) = slot.downcast_mut::<Option<T>>() else { return false };
        *slot = Some(self.clone());
        true
    }

    fn share_into(self: Arc<Self>, slot: &mut dyn Any) -> bool {
        let Some(slot) = slot.downcast_mut::<Option<Arc<T>>>() else { return false };
        *slot = Some(self);
        true
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    fn to_value(&self) -> Value {
        Value::new(self.clone())
    }

    fn encode(&self, limit: usize) -> Result<Vec<u8>, Unwritten> {
        bounded::to_vec(self, limit)
    }
}

impl std::fmt::Debug for dyn Datum {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.encode(usize::MAX) {
            Ok(json) => f.write_str(&String::from_utf8_lossy(&json)),
            Err(error) => write!(f, "<{error}>"),
        }
    }
}

/// How values of one type are read back, and the type's name.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Codec {
    /// The type's id.
    pub(crate) type_id: fn() -> TypeId,
    /// The type's name as the compiler gives it, used only in messages.
    pub(crate) type_name: fn() -> &'static str,
    /// Reads a value that [`Datum::encode`] wrote.
    pub(crate) decode: fn(&[u8]) -> Result<Value, serde_json::Error>,
    /// Fails if a value does not survive a round trip through JSON.
    pub(crate) round_trip: fn(&dyn Datum, Option<Compare>) -> Result<(), RoundTripError>,
}

impl Codec {
    /// The codec of `T`.
    pub(crate) const fn of<T: Data>() -> &'static Self {
        &Self {
            type_id: TypeId::of::<T>,
            type_name: std::any::type_name::<T>,
            decode: |json| Ok(Value::new(serde_json::from_slice::<T>(json)?)),
            round_trip: round_trip::<T>,
        }
    }

    /// The type's name without paths, for a user who provides a value of it.
    pub(crate) fn shown(&self) -> String {
        type_name::shown((self.type_name)())
    }

    /// Reads a value that a user provides as JSON; the error says why it is not of this type. The user's `Deserialize` runs here,
    /// and may panic.
    pub(crate) fn read(&self, json: &[u8]) -> Result<Value, String> {
        let read = catch_unwind(AssertUnwindSafe(|| (self.decode)(json).map_err(|error| error.to_string())));
        read.unwrap_or_else(|panic| Err(format!("reading it panicked: {}", panic_message(&*panic))))
    }
}

/// A value changed in a round trip through the journal's JSON, so that a resumed run would differ from an uninterrupted one.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RoundTripError {
    /// It cannot be written.
    #[error("the output of type `{type_name}` cannot be written as JSON ({error}); a resumed run could not continue from it")]
    Encode {
        /// The type's name.
        type_name: &'static str,
        /// The error from serde.
        error: String,
    },
    /// It cannot be read back.
    #[error(
        "the output of type `{type_name}` does not come back from JSON ({error}), as with a NaN; a resumed run could not continue \
         from it: return a value that JSON can hold"
    )]
    Decode {
        /// The type's name.
        type_name: &'static str,
        /// The error from serde.
        error: String,
    },
    /// It comes back as something else.
    #[error(
        "the output of type `{type_name}` comes back from JSON as a different value, as with `Some(None)`; a resumed run would \
         differ from this one: return a value that JSON can hold"
    )]
    Different {
        /// The type's name.
        type_name: &'static str,
    },
    /// The JSON is the same, but the value is not equal to what was returned.
    #[error(
        "the output of type `{type_name}` comes back from JSON unequal (`!=`) to what was returned, as with a field that \
         `#[serde(skip)]` leaves out; a resumed run would differ from this one: write all that its `==` compares, or \
         compare only what is written"
    )]
    Unequal {
        /// The type's name.
        type_name: &'static str,
    },
}

fn round_trip<T: Data>(value: &dyn Datum, compare: Option<Compare>) -> Result<(), RoundTripError> {
    let type_name = std::any::type_name::<T>();
    let Some(value) = value.as_any().downcast_ref::<T>() else { return Ok(()) };
    let json = serde_json::to_vec(value).map_err(|e| RoundTripError::Encode { type_name, error: e.to_string() })?;
    let read = || serde_json::from_slice::<T>(&json).map_err(|e| RoundTripError::Decode { type_name, error: e.to_string() });
    let back = read()?;
    if shape_of(value) != shape_of(&back) {
        return Err(RoundTripError::Different { type_name });
    }
    // An `==` proves nothing if a value is not equal to itself, as with a NaN, or if two readings of one text are unequal, as
    // when it compares addresses.
    if let Some(equal) = compare
        && !equal(value, &back)
        && equal(value, value)
        && equal(&back, &read()?)
    {
        return Err(RoundTripError::Unequal { type_name });
    }
    Ok(())
}

/// The value's structure as serde shows it, which unlike JSON distinguishes `Some(None)` from `None`. Sets have no order, so
/// sequences are compared without theirs.
fn shape_of<T: Serialize>(value: &T) -> Option<serde_value::Value> {
    let mut shape = serde_value::to_value(value).ok()?;
    sort(&mut shape);
    Some(shape)
}

fn sort(shape: &mut serde_value::Value) {
    use serde_value::Value as Shape;
    match shape {
        Shape::Seq(items) => {
            items.iter_mut().for_each(sort);
            items.sort();
        }
        Shape::Map(entries) => entries.values_mut().for_each(sort),
        Shape::Option(Some(inner)) | Shape::Newtype(inner) => sort(inner),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check<T: Data>(value: &T) -> Result<(), RoundTripError> {
        (Codec::of::<T>().round_trip)(value, None)
    }

    #[test]
    fn plain_values_come_back() {
        check(&7u64).unwrap();
        check(&Some(vec!["a".to_owned()])).unwrap();
        check(&std::collections::HashSet::from([1, 2, 3, 4, 5])).unwrap();
    }

    /// A type whose `Drop` panics.
    #[derive(Clone, Serialize, serde::Deserialize)]
    struct Delicate;

    impl Drop for Delicate {
        fn drop(&mut self) {
            panic!("dropped");
        }
    }

    #[test]
    fn a_drop_that_panics_ends_with_its_value() {
        drop([Value::new(Delicate), Value::new(Delicate)]);
        drop(OptionalValue::from(Some(Value::new(Delicate))));
        let list = Value::new(7);
        // Also while another panic is unwinding.
        let both = std::panic::catch_unwind(AssertUnwindSafe(|| {
            let _delicate = Value::new(Delicate);
            panic!("{list:?}");
        }));
        both.unwrap_err();
    }

    #[test]
    fn a_value_that_may_be_none_takes_no_more_than_one() {
        assert_eq!((size_of::<Value>(), size_of::<OptionalValue>()), (24, 24));
        assert!(OptionalValue::NONE.get().is_none() && OptionalValue::from(None).into_option().is_none());
        assert_eq!(format!("{:?}", OptionalValue::from(Some(Value::new(7)))), "Some(7)");
    }

    #[test]
    fn values_that_json_changes_are_refused() {
        assert!(matches!(check(&f64::NAN), Err(RoundTripError::Decode { .. })));
        assert!(matches!(check(&Some(None::<u8>)), Err(RoundTripError::Different { .. })));
    }
}
