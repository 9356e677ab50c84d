//! Also: two mistakes of one template

use pipeline_runtime::prelude::*;

#[task]
async fn archive(key: String) -> Result<()> {
    let _ = key;
    Ok(())
}

#[pipeline]
pub fn daily() {
    archive(template!("{{ dss }}{{ tss }}"));
}

fn main() {
    let _ = daily();
}
