//! Also: `#[derive(Branch)]` on a struct

use pipeline_runtime::prelude::*;

#[derive(Clone, serde::Serialize, serde::Deserialize, Branch)]
pub struct Route {
    pub n: u64,
}

#[branch]
async fn route(n: u64) -> Result<Route> {
    Ok(Route { n })
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
