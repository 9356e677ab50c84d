//! Also: an arm wired where another type is taken

use pipeline_runtime::prelude::*;

#[derive(Clone, serde::Serialize, serde::Deserialize, Branch)]
pub enum Route {
    Clean(u64),
    Quarantine(String),
    Nothing,
}

#[branch]
async fn route(n: u64) -> Result<Route> {
    Ok(if n > 1 { Route::Clean(n) } else { Route::Nothing })
}

#[task]
async fn archive(report: u64) -> Result<()> {
    let _ = report;
    Ok(())
}

#[pipeline]
pub fn daily() {
    let RouteArms { clean: _, quarantine, nothing: _ } = route(1);
    archive(quarantine);
}

fn main() {
    let _ = daily();
}
