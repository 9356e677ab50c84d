//! Row: enum that is not `Branch`

use pipeline_runtime::prelude::*;

#[derive(Clone, serde::Serialize, serde::Deserialize)]
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
    route(3u64);
}

fn main() {
    let _ = nightly();
}
