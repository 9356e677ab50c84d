//! Also: a callback that can be called once

use pipeline_runtime::prelude::*;

#[task]
async fn rows() -> Result<u64> {
    Ok(1)
}

#[task]
async fn announce(text: String) -> Result<()> {
    println!("{text}");
    Ok(())
}

#[pipeline]
fn nightly() {
    let channel = String::from("ops");
    announce("done").on_failure(move |_: Notification| async move {
        drop(channel);
        Ok::<(), TaskError>(())
    });
}


fn main() {
    let _ = nightly();
}
