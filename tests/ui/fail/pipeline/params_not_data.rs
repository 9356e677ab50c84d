use pipeline_runtime::prelude::*;

#[derive(Default, serde::Serialize, serde::Deserialize)]
pub struct Options {
    pub n: u64,
}

#[task]
async fn process(n: u64) -> Result<u64> {
    Ok(n)
}

pub struct Plain;
#[pipeline]
fn daily(options: Plain) {
    let _ = options;
    process(1);
}

pub fn main() {
    let _ = daily();
}
