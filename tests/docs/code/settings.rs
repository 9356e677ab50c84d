//! `docs/settings.md`

use pipeline_runtime::prelude::*;

/// The most rows that are read.
static LIMIT: Setting<u64> = Setting::new("limit", 500);
static FOLDER: Setting<String> = Setting::from_fn("folder", || "raw/new".to_owned());

#[task]
async fn read(limit: u64, folder: String) -> Result<u64> {
    Ok(limit.min(folder.len() as u64))
}

#[pipeline(schedule = "@daily", start = "2026-01-01")]
fn nightly() {
    read(&LIMIT, &FOLDER);
}

#[test]
fn the_limit_is_given() {
    let report = pipeline_runtime::Simulation::new(nightly()).setting(&LIMIT, 3).run();
    assert_eq!(report.output::<u64>("read"), Some(3), "{}", report.timeline());
}
