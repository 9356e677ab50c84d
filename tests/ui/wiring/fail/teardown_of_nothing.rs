//! Also: a teardown whose closure returns no node

use pipeline_runtime::prelude::*;

#[task]
async fn machine() -> Result<String> {
    Ok("m-17".into())
}

#[task]
async fn delete(machine: String) -> Result<()> {
    drop(machine);
    Ok(())
}

#[pipeline]
fn nightly() {
    machine().teardown(
        |machine| {
            delete(machine);
        },
        |_| (),
    );
}

fn main() {
    let _ = nightly();
}
