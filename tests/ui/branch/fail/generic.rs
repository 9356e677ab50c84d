//! Also: a generic branch

use pipeline_runtime::prelude::*;

#[derive(Clone, serde::Serialize, serde::Deserialize, Branch)]
pub enum Route<T> {
    Clean(T),
}

#[branch]
async fn route(n: u64) -> Result<Route<u64>> {
    Ok(Route::Clean(n))
}

#[task]
async fn archive(report: u64) -> Result<()> {
    let _ = report;
    Ok(())
}

#[pipeline]
pub fn daily() {
    let _ = route(1);
    archive(1);
}

fn main() {
    let _ = daily();
}
