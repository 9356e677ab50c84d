//! Also: two arms of one name
#![allow(non_camel_case_types)]

use pipeline_runtime::prelude::*;

#[derive(Clone, serde::Serialize, serde::Deserialize, Branch)]
pub enum Route {
    AbC,
    Ab_C,
}

#[branch]
async fn route(n: u64) -> Result<Route> {
    Ok(if n > 1 { Route::AbC } else { Route::Ab_C })
}

#[task]
async fn archive(report: u64) -> Result<()> {
    let _ = report;
    Ok(())
}

#[pipeline]
pub fn daily() {
    let RouteArms { ab_c: _ } = route(1);
    archive(1);
}

fn main() {
    let _ = daily();
}
