//! Also: a branch that returns its enum without a `Result`

use pipeline_runtime::prelude::*;

#[derive(Clone, serde::Serialize, serde::Deserialize, Branch)]
pub enum Route {
    Clean(u64),
    Quarantine(String),
    Nothing,
}

#[branch]
async fn route(n: u64) -> Route {
    Route::Clean(n)
}

#[task]
async fn archive(report: u64) -> Result<()> {
    let _ = report;
    Ok(())
}

#[pipeline]
pub fn daily() {
    let RouteArms { clean, quarantine: _, nothing: _ } = route(1);
    archive(clean);
}

fn main() {
    let _ = daily();
}
