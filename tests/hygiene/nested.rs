//! Items that a user's macro makes.
#![allow(clippy::redundant_pub_crate, reason = "`unreachable_pub` wants it so")]

use ::pipeline_runtime::{Result, pipeline, task};

macro_rules! adding {
    ($name:ident, $more:expr, $kind:ty) => {
        /// Adds.
        #[task]
        async fn $name(number: $kind) -> Result<$kind> {
            ::std::result::Result::Ok(number + $more)
        }
    };
}

adding!(first, 1, u64);
adding!(second, 1, u64);

macro_rules! one_pipeline {
    ($name:ident { $($body:tt)* }) => {
        /// Wires.
        #[pipeline]
        pub(crate) fn $name() { $($body)* }
    };
}

one_pipeline!(nested {
    let _ = second(first(40u64));
});
