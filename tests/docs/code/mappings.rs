//! `docs/mappings.md`

use pipeline_runtime::prelude::*;

#[derive(Clone, serde::Serialize, serde::Deserialize)]
struct Feed {
    name: String,
}

#[task]
async fn feeds() -> Result<Vec<Feed>> {
    Ok(vec![Feed { name: "bart".to_owned() }])
}
#[task]
async fn check(feed: Feed) -> Result<String> {
    Ok(feed.name)
}
#[task]
async fn load(checked: String) -> Result<u64> {
    Ok(checked.len() as u64)
}
#[task]
async fn count_rejected(checked: String) -> Result<u64> {
    Ok(checked.len() as u64)
}
#[task]
async fn report(loaded: Vec<u64>) -> Result<u64> {
    Ok(loaded.iter().sum())
}
#[task]
async fn total(rejected: Vec<u64>) -> Result<u64> {
    Ok(rejected.iter().sum())
}

#[pipeline(schedule = "@daily")]
fn feeds_daily() {
    let feeds = feeds().keyed(|feed| feed.name.clone());
    let (loaded, rejected) = feeds.each(|feed| {
        let checked = check(feed);
        (load(checked), count_rejected(checked))
    });
    report(loaded.max_active(4));
    total(rejected);
}

#[test]
fn each_feed_is_loaded() {
    let report = pipeline_runtime::Simulation::new(feeds_daily()).run();
    assert_eq!(report.output::<u64>("report"), Some(4), "{}", report.timeline());
}
