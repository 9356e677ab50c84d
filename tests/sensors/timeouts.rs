//! What a sensor's timeout error says of the wait: the keys that its last poke did not find, or else what that poke saw.

use pipeline_runtime::cli::{Progress, Runner};
use pipeline_runtime::prelude::*;
use pipeline_runtime::sensors::{any_with_prefix, at_least_bytes, key_exists, keys_exist, keys_unchanged, time_reached};
use pipeline_runtime::{RunReport, Simulation};
use std::time::Duration;

const MINUTES: Duration = Duration::from_mins(3);

/// The error without the prefix that all of them share.
#[track_caller]
fn last_lookup<'a>(report: &'a RunReport, node: &str) -> &'a str {
    let error = report.node(node).error().expect("it timed out");
    error.strip_prefix("timed out: not ready within 3m (4 pokes)").unwrap_or_else(|| panic!("{error}"))
}

#[pipeline(schedule = "@daily")]
fn waiting() -> Result<()> {
    let bucket = Bucket::open("memory://b")?;
    let never = || template!("raw/{{ ds_nodash }}.json");
    key_exists(&bucket, never()).named("key").timeout(MINUTES);
    key_exists(&bucket, "raw/*/[0-9].json").named("glob").timeout(MINUTES);
    any_with_prefix(&bucket, "parts/dai").named("prefix").timeout(MINUTES);
    keys_exist(&bucket, [template!("there"), never()]).named("keys").timeout(MINUTES);
    at_least_bytes(&bucket, "there", 100u64).named("size").timeout(MINUTES);
    at_least_bytes(&bucket, "th*", 100u64).named("sizes").timeout(MINUTES);
    keys_unchanged(&bucket, "there", Duration::from_hours(1), 1usize).named("growing").timeout(MINUTES);
    time_reached("2025-01-01").named("time").timeout(MINUTES);
    Ok(())
}

#[test]
fn a_timeout_names_what_the_last_poke_looked_for() {
    let arrived = Simulation::new(waiting()).logical_date("2024-03-25").arrive("1m", "memory://b/there", "12");
    let report = arrived.arrive("2m", "memory://b/three", "123").run();
    assert_eq!(last_lookup(&report, "key"), "; it last looked for b/raw/20240325.json");
    assert_eq!(last_lookup(&report, "glob"), "; it last looked for b/raw/*/[0-9].json");
    assert_eq!(last_lookup(&report, "prefix"), "; it last looked for b/parts/dai*");
    assert_eq!(last_lookup(&report, "keys"), "; it last looked for b/raw/20240325.json");
    assert_eq!(last_lookup(&report, "size"), "; it last saw b/there (2 bytes)");
    assert_eq!(last_lookup(&report, "sizes"), "; it last saw b/th* (2 objects, 5 bytes)");
    assert_eq!(last_lookup(&report, "growing"), "; it last saw b/there* (2 bytes)");
    let time = report.node("time").error().unwrap();
    assert_eq!(time, "timed out: not ready within 3m (2 pokes); it was to be poked again at 2025-01-01T00:00:00Z");
}

/// Looks for that many keys, each twice, and then takes that many seconds.
#[sensor(timeout = "3m", poke = "1m")]
async fn many(bucket: Bucket, keys: u64, seconds: u64) -> Result<Poke<()>> {
    for key in 0..keys {
        bucket.head(&format!("{key}")).await?;
        bucket.head(&format!("{key}")).await?;
    }
    tokio::time::sleep(Duration::from_secs(seconds)).await;
    Ok(Poke::NotYet)
}

#[test]
fn it_names_three_of_many_and_says_that_there_are_others() {
    #[pipeline]
    fn looking() -> Result<()> {
        let bucket = Bucket::open("memory://b")?;
        many(&bucket, 2u64, 0u64).named("two");
        many(&bucket, 3u64, 0u64).named("three");
        many(&bucket, 5u64, 0u64).named("five");
        Ok(())
    }
    let report = Simulation::new(looking()).run();
    assert_eq!(last_lookup(&report, "two"), "; it last looked for b/0 and b/1");
    assert_eq!(last_lookup(&report, "three"), "; it last looked for b/0, b/1 and b/2");
    assert_eq!(last_lookup(&report, "five"), "; it last looked for b/0, b/1, b/2 and others");
}

#[test]
fn a_poke_that_ends_after_the_deadline_is_the_last_and_names_it_too() {
    #[pipeline]
    fn slow() -> Result<()> {
        // The second poke begins at 170 s.
        many(Bucket::open("memory://b")?, 1u64, 20u64).poke(Duration::from_secs(170)).named("slow");
        Ok(())
    }
    let report = Simulation::new(slow()).run();
    let expected = "timed out: not ready within 3m (2 pokes); it last looked for b/0";
    assert_eq!(report.node("slow").error(), Some(expected));
    assert_eq!(report.node("slow").finished(), Some(Duration::from_secs(190)));
}

#[derive(Clone, Default, serde::Serialize, serde::Deserialize)]
struct Params {
    url: String,
}

#[test]
fn a_real_run_says_it_too() {
    #[pipeline]
    fn real(params: Params) -> Result<()> {
        key_exists(Bucket::open(&params.url)?, "raw/late.json").named("late").timeout(MINUTES);
        Ok(())
    }
    let folder = tempfile::tempdir().unwrap();
    let params = Params { url: format!("file://{}", folder.path().display()) };
    // A virtual minute takes a twentieth of a second.
    let finished = Runner::new().pipeline(real(), params).speed(1200).progress(Progress::Silent).run().unwrap();
    let name = folder.path().file_name().unwrap().display();
    let error = finished.reports()[0].node("late").error().unwrap();
    assert!(error.ends_with(&format!("; it last looked for {name}/raw/late.json")), "{error}");
}
