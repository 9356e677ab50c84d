//! Row: unknown branch arm

use pipeline_runtime::prelude::*;

#[derive(Clone, serde::Serialize, serde::Deserialize, Branch)]
enum Route {
    Clean(u64),
    Quarantine(String),
    Nothing,
}

#[branch]
async fn route(rows: u64) -> Result<Route> {
    Ok(if rows > 0 { Route::Clean(rows) } else { Route::Nothing })
}

#[task]
async fn publish(rows: u64) -> Result<()> {
    println!("{rows}");
    Ok(())
}

#[pipeline]
fn nightly() {
    let RouteArms { cleen, quarantine: _, nothing: _, .. } = route(3u64);
    publish(cleen);
}

fn main() {
    let _ = nightly();
}
