//! Row: enum that is not `Branch`

use pipeline_runtime::prelude::*;

#[derive(Clone, serde::Serialize, serde::Deserialize, Branch)]
enum Route {
    Clean(u64, String),
    Nothing,
}

#[branch]
async fn route(rows: u64) -> Result<Route> {
    Ok(if rows > 0 { Route::Clean(rows, "a".to_owned()) } else { Route::Nothing })
}

#[pipeline]
fn nightly() {
    let RouteArms { clean: _, nothing: _ } = route(3u64);
}

fn main() {
    let _ = nightly();
}
