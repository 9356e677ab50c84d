//! Also: an enum and its arm's value without serde's derives

use pipeline_runtime::prelude::*;

struct Report;

#[derive(Branch)]
enum Route {
    Clean(Report),
    Nothing,
}

#[branch]
async fn route(rows: u64) -> Result<Route> {
    Ok(if rows > 0 { Route::Clean(Report) } else { Route::Nothing })
}

#[pipeline]
fn nightly() {
    let RouteArms { clean: _, nothing: _ } = route(3u64);
}

fn main() {
    let _ = nightly();
}
