//! Also: an option of the branch on its enum

use pipeline_runtime::prelude::*;

#[derive(Clone, serde::Serialize, serde::Deserialize, Branch)]
#[branch(retries = 2)]
enum Route {
    Clean(u64),
    Nothing,
}

#[branch]
async fn route(rows: u64) -> Result<Route> {
    Ok(Route::Clean(rows))
}

#[pipeline]
fn nightly() {
    let RouteArms { clean: _, nothing: _ } = route(1u64);
}

fn main() {
    let _ = nightly();
}
