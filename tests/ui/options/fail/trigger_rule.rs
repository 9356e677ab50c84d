//! Also: `trigger_rule`

use pipeline_runtime::prelude::*;

#[task(trigger_rule = "all_done")]
async fn notify(rows: u64) -> Result<()> {
    println!("{rows}");
    Ok(())
}

fn main() {}
