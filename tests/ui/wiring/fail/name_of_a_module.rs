//! Also: a task imported over the module of its name

use pipeline_runtime::prelude::*;

mod process {
    use super::*;

    #[task]
    pub async fn process(rows: u64) -> Result<u64> {
        Ok(rows)
    }
}
use process::process;

fn main() {}
