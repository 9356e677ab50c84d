//! Also: a pipeline with `self`

use pipeline_runtime::prelude::*;

#[derive(Default, serde::Serialize, serde::Deserialize)]
pub struct Options {
    pub n: u64,
}

#[task]
async fn process(n: u64) -> Result<u64> {
    Ok(n)
}

impl Options {
    #[pipeline]
    fn daily(&self) {
        process(self.n);
    }
}
fn daily() {}

pub fn main() {
    let _ = daily();
}
