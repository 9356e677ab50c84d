//! Detects whether values of a type can be compared. The expansion asks, because there the type is known.
//!
//! JSON does not show a field that is not written, such as one under `#[serde(skip)]`. The type's own `==` does, but
//! [`Data`](super::value::Data) does not require it: a client's response or another crate's table may have none.
//! `Equality::<T>::ask().answer()` resolves to the method that needs `T: PartialEq`, or else, one dereference further, to the one
//! that needs nothing.

use std::any::Any;
use std::marker::PhantomData;
use std::ops::Deref;

/// Compares two values of one erased type. If one of them is of another type, they are unequal.
pub type Compare = fn(&dyn Any, &dyn Any) -> bool;

/// Asks whether `T` has an `==`.
#[derive(Debug)]
pub struct Equality<T>(PhantomData<fn() -> T>);

impl<T> Equality<T> {
    /// The question.
    pub const fn ask() -> Self {
        Self(PhantomData)
    }
}

impl<T: PartialEq + 'static> Equality<T> {
    /// Returns the comparison of two values.
    pub fn answer(&self) -> Option<Compare> {
        Some(|one, other| match (one.downcast_ref::<T>(), other.downcast_ref::<T>()) {
            (Some(one), Some(other)) => one == other,
            _ => false,
        })
    }
}

/// The answer for a type without `==`: `None`.
#[derive(Debug)]
pub struct Incomparable(Option<Compare>);

impl<T> Deref for Equality<T> {
    type Target = Incomparable;
    fn deref(&self) -> &Incomparable {
        &Incomparable(None)
    }
}

impl Incomparable {
    /// Returns `None`, as two values cannot be compared.
    pub fn answer(&self) -> Option<Compare> {
        self.0
    }
}
