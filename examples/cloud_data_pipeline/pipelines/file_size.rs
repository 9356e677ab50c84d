//! Extension challenge 2: a file that is large enough, and no longer being written.

use super::Options;
use pipeline_runtime::prelude::*;
use pipeline_runtime::sensors::{at_least_bytes, keys_unchanged};
use std::time::Duration;

/// The minimum size of a complete file.
pub const MIN_BYTES: u64 = 1024;
/// How long a file must stay unchanged before it counts as complete.
pub const QUIET: Duration = Duration::from_mins(2);

/// Takes the file as it is once it is stable.
#[task]
pub async fn take_whole(files: Vec<Object>) -> Result<Object> {
    match <[Object; 1]>::try_from(files) {
        Ok([file]) if file.size >= MIN_BYTES => Ok(file),
        Ok([file]) => Err(format!("{}/{} has shrunk to {} bytes", file.bucket, file.key, file.size).into()),
        Err(files) => Err(format!("there are {} files where one is expected", files.len()).into()),
    }
}

/// Waits until a large upload is complete: first for its size, then until it stays unchanged.
#[pipeline(schedule = "@daily", start = "2024-01-01", tags = ["exercise-2", "extension"])]
pub fn file_size_pipeline(options: Options) -> Result<()> {
    let bucket = options.bucket("data-bucket")?;
    let large_enough = at_least_bytes(&bucket, template!("raw/upload_{{ ds_nodash }}.bin"), MIN_BYTES)
        .named("large_enough")
        .poke(Duration::from_secs(30))
        .timeout(Duration::from_mins(15));
    let unchanged = keys_unchanged(&bucket, template!("raw/upload_{{ ds_nodash }}.bin"), QUIET, 1usize)
        .named("unchanged")
        .poke(Duration::from_secs(30))
        .timeout(Duration::from_mins(15))
        .after(large_enough);
    take_whole(unchanged);
    Ok(())
}
