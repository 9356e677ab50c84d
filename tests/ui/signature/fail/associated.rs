//! Also: a function of an `impl`, without `self`

use pipeline_runtime::prelude::*;

struct Warehouse;

impl Warehouse {
    #[task]
    async fn load(rows: u64) -> Result<u64> {
        Ok(rows)
    }
}

fn main() {
    let _ = Warehouse;
}
