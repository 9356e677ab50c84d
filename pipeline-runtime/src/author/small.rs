//! Outputs that need no allocation: a number, a flag, or just the fact that a task has ended.

use super::value::Datum;
use std::any::Any;
use std::sync::Arc;

macro_rules! small {
    ($($kind:ident of $plain:ty),* $(,)?) => {
        /// A value of at most eight bytes, of a type whose copy and drop run no code.
        #[derive(Clone, Copy)]
        pub(super) enum Small {
            $($kind($plain)),*
        }

        impl Small {
            /// The value, if its type is one of these. The compiler resolves the type checks; none are left at run time.
            #[inline]
            pub(super) fn of<T: Any>(value: &T) -> Option<Self> {
                $(if let Some(small) = (value as &dyn Any).downcast_ref::<$plain>() {
                    return Some(Self::$kind(*small));
                })*
                None
            }

            #[inline]
            pub(super) fn as_datum(&self) -> &dyn Datum {
                match self {
                    $(Self::$kind(small) => small),*
                }
            }

            /// Like [`Datum::share_into`]: each consumer that takes an `Arc` gets an `Arc` of its own.
            pub(super) fn share_into(self, slot: &mut dyn Any) -> bool {
                match self {
                    $(Self::$kind(small) => Arc::new(small).share_into(slot)),*
                }
            }
        }
    };
}

small!(
    Nothing of (),
    Flag of bool,
    U8 of u8,
    U16 of u16,
    U32 of u32,
    U64 of u64,
    Usize of usize,
    I8 of i8,
    I16 of i16,
    I32 of i32,
    I64 of i64,
    Isize of isize,
    F32 of f32,
    F64 of f64,
    Char of char,
);

#[cfg(test)]
mod tests {
    use super::super::value::Value;
    use std::sync::Arc;

    #[test]
    fn a_number_is_what_it_was_whoever_takes_it() {
        let value = Value::new(7u64);
        let (mut own, mut shared, mut other) = (None::<u64>, None::<Arc<u64>>, None::<u32>);
        assert!(value.as_ref().clone_into(&mut own) && value.share_into(&mut shared));
        assert_eq!((own, shared), (Some(7), Some(Arc::new(7))));
        assert!(!value.as_ref().clone_into(&mut other), "another type");
        assert_eq!(value.as_any().downcast_ref::<u64>(), Some(&7));
        assert_eq!((format!("{value:?}"), format!("{:?}", Value::new(()))), ("7".into(), "null".into()));
    }
}
