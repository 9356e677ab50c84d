//! Also: an arm with named fields

use pipeline_runtime::prelude::*;

#[derive(Clone, serde::Serialize, serde::Deserialize, Branch)]
pub enum Route {
    Clean { n: u64 },
    Nothing,
}

#[branch]
async fn route(n: u64) -> Result<Route> {
    Ok(if n > 1 { Route::Clean { n } } else { Route::Nothing })
}

#[task]
async fn archive(report: u64) -> Result<()> {
    let _ = report;
    Ok(())
}

#[pipeline]
pub fn daily() {
    let RouteArms { clean, nothing: _ } = route(1);
    archive(clean);
}

fn main() {
    let _ = daily();
}
