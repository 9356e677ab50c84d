//! Also: a branch that is not `async`

use pipeline_runtime::prelude::*;

#[derive(Clone, serde::Serialize, serde::Deserialize, Branch)]
pub enum Route {
    A(u64),
    B,
}
#[branch]
fn process(n: u64) -> Result<Route> {
    Ok(Route::A(n))
}

#[task]
async fn archive(report: u64) -> Result<()> {
    let _ = report;
    Ok(())
}

#[pipeline]
pub fn daily() {
    let RouteArms { a, b: _ } = process(1);
    archive(a);
}

fn main() {
    let _ = daily();
}
