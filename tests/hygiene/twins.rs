//! Tasks that one macro makes several times: their definitions differ only in their identity.
#![allow(clippy::redundant_pub_crate, reason = "`unreachable_pub` wants it so")]

use ::pipeline_runtime::prelude::*;

macro_rules! regions {
    ($($region:ident = $rows:literal),*) => {$(
        mod $region {
            use ::pipeline_runtime::prelude::*;

            #[task]
            pub(super) async fn load() -> Result<u64> {
                ::std::result::Result::Ok($rows)
            }
        }
    )*};
}

regions!(eu = 1, us = 2);

#[pipeline]
pub(crate) fn twins() {
    let _ = eu::load().named("eu");
    let _ = us::load().named("us");
}
