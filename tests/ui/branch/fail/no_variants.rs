//! Also: a branch without arms

use pipeline_runtime::prelude::*;

#[derive(Clone, serde::Serialize, serde::Deserialize, Branch)]
pub enum Route {}

#[branch]
async fn route(n: u64) -> Result<Route> {
    let _ = n;
    loop {}
}

#[task]
async fn archive(report: u64) -> Result<()> {
    let _ = report;
    Ok(())
}

#[pipeline]
pub fn daily() {
    let RouteArms {} = route(1);
    archive(1);
}

fn main() {
    let _ = daily();
}
