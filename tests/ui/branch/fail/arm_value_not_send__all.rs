//! Also: an arm whose value is not `Send`, and with it the branch

use pipeline_runtime::prelude::*;

use std::rc::Rc;

#[derive(Clone, serde::Serialize, serde::Deserialize, Branch)]
enum Route {
    Clean(Rc<String>),
    Nothing,
}

#[branch]
async fn route(rows: u64) -> Result<Route> {
    Ok(if rows > 0 { Route::Clean(Rc::new("clean".to_owned())) } else { Route::Nothing })
}

#[pipeline]
fn nightly() {
    let RouteArms { clean: _, nothing: _ } = route(3u64);
}

fn main() {
    let _ = nightly();
}
