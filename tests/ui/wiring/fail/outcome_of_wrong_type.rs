//! Row: `Outcome<T>` fed by the wrong `T`

use pipeline_runtime::prelude::*;

#[task]
async fn export() -> Result<Object> {
    Err(TaskError::skip("nothing today"))
}

#[task]
async fn process(export: Object) -> Result<u64> {
    Ok(export.size)
}


#[task]
async fn notify(rows: Outcome<u64>) -> Result<()> {
    println!("{rows:?}");
    Ok(())
}

#[pipeline]
fn nightly() {
    notify(export());
}

fn main() {
    let _ = nightly();
}
