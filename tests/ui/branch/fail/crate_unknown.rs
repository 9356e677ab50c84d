//! Also: `crate` of the arms with a path that leads nowhere

use pipeline_runtime::prelude::*;

#[derive(Clone, serde::Serialize, serde::Deserialize, Branch)]
#[branch(crate = my_facade::pipeline)]
enum Route {
    Clean(u64),
    Nothing,
}

fn main() {
    let _ = Route::Nothing;
}
