//! Row: `self`

use pipeline_runtime::prelude::*;

struct Warehouse;

impl Warehouse {
    #[task]
    async fn load(&self, rows: u64) -> Result<u64> {
        Ok(rows)
    }
}

fn main() {}
