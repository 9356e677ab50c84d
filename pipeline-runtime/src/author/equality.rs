//! Whether a type's values can be compared, asked in the expansion, where the type is known.
//!
//! JSON does not show what is not written, such as a field under `#[serde(skip)]`. The type's own `==` does, but
//! [`Data`](super::value::Data) does not ask for one: a client's response or a table of somebody else's may have none. So the
//! expansion asks whether there is one. `Equality::<T>::ask().answer()` finds the method that needs `T: PartialEq`, or else,
//! one dereference further, the one that needs nothing.

use std::any::Any;
use std::marker::PhantomData;
use std::ops::Deref;

/// Compares two values of one erased type. Both are of that type, or they are not equal.
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
    /// How two of them are compared.
    pub fn answer(&self) -> Option<Compare> {
        Some(|one, other| match (one.downcast_ref::<T>(), other.downcast_ref::<T>()) {
            (Some(one), Some(other)) => one == other,
            _ => false,
        })
    }
}

/// The answer for a type without `==`: none.
#[derive(Debug)]
pub struct Incomparable(Option<Compare>);

impl<T> Deref for Equality<T> {
    type Target = Incomparable;
    fn deref(&self) -> &Incomparable {
        &Incomparable(None)
    }
}

impl Incomparable {
    /// There is no way to compare two of them.
    pub fn answer(&self) -> Option<Compare> {
        self.0
    }
}
