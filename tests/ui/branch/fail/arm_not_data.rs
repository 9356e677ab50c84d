//! Also: a branch whose enum lacks serde's derives

use pipeline_runtime::prelude::*;

#[derive(Clone, Branch)]
enum Route {
    Clean(u64),
    Nothing,
}

#[branch]
async fn route(rows: u64) -> Result<Route> {
    Ok(if rows > 0 { Route::Clean(rows) } else { Route::Nothing })
}

#[pipeline]
fn nightly() {
    let RouteArms { clean: _, nothing: _ } = route(3u64);
}

fn main() {
    let _ = nightly();
}
