//! Also: two arms with several values each

use pipeline_runtime::prelude::*;

#[derive(Clone, serde::Serialize, serde::Deserialize, Branch)]
enum Route {
    Clean(u64, String),
    Quarantine { why: String },
    Nothing,
}

#[branch]
async fn route(rows: u64) -> Result<Route> {
    Ok(match rows {
        0 => Route::Nothing,
        1 => Route::Clean(rows, String::new()),
        _ => Route::Quarantine { why: "many".to_owned() },
    })
}

#[pipeline]
fn nightly() {
    let RouteArms { clean: _, quarantine: _, nothing: _ } = route(1u64);
}

fn main() {
    let _ = nightly();
}
