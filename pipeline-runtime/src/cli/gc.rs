//! `gc`: removes what killed processes left in buckets.

use super::output;
use crate::storage::{Bucket, BucketError};
use std::process::ExitCode;
use tokio::runtime::Builder;

pub(super) fn run(buckets: &[String]) -> Result<ExitCode, String> {
    let runtime = Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| format!("the runtime cannot be started: {error}"))?;
    for url in buckets {
        let collected = runtime.block_on(async {
            let bucket = Bucket::open(url)?;
            Ok::<_, BucketError>((bucket.gc().await?, bucket))
        });
        let (removed, bucket) = collected.map_err(|error| error.to_string())?;
        output::to_stdout(&format!("gc {bucket}: {removed} unfinished file(s) removed\n"));
    }
    Ok(ExitCode::SUCCESS)
}
