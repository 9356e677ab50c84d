//! Also: an output that borrows

use pipeline_runtime::prelude::*;

#[derive(Clone, serde::Serialize, serde::Deserialize)]
struct Found<'a> {
    name: &'a str,
}

#[task]
async fn find() -> Result<Found<'static>> {
    Ok(Found { name: "today" })
}

#[pipeline]
fn nightly() {
    find();
}

fn main() {
    let _ = nightly();
}
