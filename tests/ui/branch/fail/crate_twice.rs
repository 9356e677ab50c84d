//! Also: `crate` of the arms twice, the first with a trailing comma

use pipeline_runtime::prelude::*;

#[derive(Clone, serde::Serialize, serde::Deserialize, Branch)]
#[branch(crate = pipeline_runtime,)]
#[branch(crate = pipeline_runtime)]
enum Route {
    Clean(u64),
    Nothing,
}

fn main() {
    let _ = (Route::Clean(1), Route::Nothing);
}
