//! Also: arms wired where one node is taken

use pipeline_runtime::prelude::*;

#[derive(Clone, serde::Serialize, serde::Deserialize, Branch)]
enum Route {
    Clean(u64),
    Nothing,
}

#[branch]
async fn route(rows: u64) -> Result<Route> {
    Ok(if rows > 0 { Route::Clean(rows) } else { Route::Nothing })
}

#[task]
async fn publish(rows: u64) -> Result<u64> {
    Ok(rows)
}

#[pipeline]
fn nightly() {
    let arms = route(3u64);
    publish(arms);
}

fn main() {
    let _ = nightly();
}
