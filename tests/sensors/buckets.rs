use pipeline_runtime::prelude::*;
use pipeline_runtime::sensors::{any_with_prefix, at_least_bytes, key_exists, keys_exist, keys_unchanged};
use pipeline_runtime::{BucketError, Mode, NodeState, OnTimeout, RunReport, RunState, Simulation};
use std::time::Duration;

const MINUTE: Duration = Duration::from_mins(1);

fn finished(report: &RunReport, node: &str) -> Duration {
    report.node(node).finished().unwrap_or(Duration::MAX)
}

fn minutes(n: u64) -> Duration {
    Duration::from_mins(n)
}

fn keys(objects: &[Object]) -> Vec<&str> {
    objects.iter().map(|object| object.key.as_str()).collect()
}

#[pipeline(schedule = "@daily")]
fn keyed() -> Result<()> {
    let bucket = Bucket::open("memory://b")?;
    key_exists(&bucket, template!("raw/{{ ds_nodash }}.json")).named("templated");
    key_exists(&bucket, "raw/*/latest.json").named("glob").mode(Mode::Poke);
    key_exists(&bucket, "raw/never").named("never").timeout(MINUTE * 5).on_timeout(OnTimeout::Skip);
    keys_exist(&bucket, [template!("raw/{{ ds_nodash }}.json"), template!("raw/*/latest.json")]).named("both");
    keys_exist(&bucket, ["raw/eu/latest.json", "raw/us/latest.json"]).named("plain");
    keys_exist(&bucket, Vec::<String>::new()).named("none").allow_failure();
    Ok(())
}

#[test]
fn keys_are_waited_for_by_name_template_and_glob() {
    let report = Simulation::new(keyed())
        .logical_date("2024-03-25")
        .arrive("90s", "memory://b/raw/20240325.json", "{}")
        .arrive("3m", "memory://b/raw/us/latest.json", "{}")
        .arrive("7m", "memory://b/raw/eu/latest.json", "{}")
        .run();
    assert_eq!(report.state(), RunState::Success, "{}", report.timeline());
    assert_eq!(finished(&report, "templated"), minutes(2));
    assert_eq!(report.output::<Object>("templated").unwrap().key, "raw/20240325.json");
    assert_eq!(finished(&report, "glob"), minutes(3));
    assert_eq!(report.output::<Object>("glob").unwrap().key, "raw/us/latest.json");
    assert_eq!(report.node("never").state(), NodeState::Skipped);
    assert_eq!(finished(&report, "both"), minutes(3));
    assert_eq!(keys(&report.output::<Vec<Object>>("both").unwrap()), ["raw/20240325.json", "raw/us/latest.json"]);
    assert_eq!(finished(&report, "plain"), minutes(7));
    assert_eq!(keys(&report.output::<Vec<Object>>("plain").unwrap()), ["raw/eu/latest.json", "raw/us/latest.json"]);
    assert!(report.node("none").error().unwrap().contains("no key to wait for"));
}

#[pipeline]
fn sized() -> Result<()> {
    let bucket = Bucket::open("memory://b")?;
    any_with_prefix(&bucket, "parts/").named("any");
    at_least_bytes(&bucket, "parts/a", 4u64).named("grown");
    at_least_bytes(&bucket, "parts/*", 6u64).named("large");
    Ok(())
}

#[test]
fn prefixes_and_sizes() {
    let report = Simulation::new(sized())
        .arrive("1m", "memory://b/part", "not under the prefix")
        .arrive("2m", "memory://b/parts/b", "12")
        .arrive("2m", "memory://b/parts/a", "123")
        .arrive("4m", "memory://b/parts/a", "1234")
        .arrive("6m", "memory://b/parts/deep/c", "123456")
        .run();
    assert_eq!(report.state(), RunState::Success, "{}", report.timeline());
    assert_eq!(finished(&report, "any"), minutes(2));
    assert_eq!(keys(&report.output::<Vec<Object>>("any").unwrap()), ["parts/a", "parts/b"]);
    assert_eq!(finished(&report, "grown"), minutes(4));
    assert_eq!(finished(&report, "large"), minutes(6));
    assert_eq!(report.output::<Object>("large").unwrap().key, "parts/deep/c");
}

#[pipeline]
fn quiet(min_objects: Least) -> Result<()> {
    let bucket = Bucket::open("memory://b")?;
    keys_unchanged(&bucket, "parts/", MINUTE * 5, min_objects.0).named("quiet").retries(1).retry_delay(MINUTE);
    Ok(())
}

#[derive(serde::Serialize, serde::Deserialize, Default)]
struct Least(usize);

#[test]
fn keys_are_unchanged_once_nothing_happened_for_long_enough() {
    // A new key, a new content of the same size, and a failing attempt: the sensor's memory survives all of them.
    let report = Simulation::new(quiet())
        .params(Least(2))
        .arrive("0m", "memory://b/parts/a", "1")
        .arrive("2m", "memory://b/parts/b", "2")
        .arrive("6m", "memory://b/parts/a", "3")
        .run();
    assert_eq!(finished(&report, "quiet"), minutes(11), "{}", report.timeline());
    assert_eq!(keys(&report.output::<Vec<Object>>("quiet").unwrap()), ["parts/a", "parts/b"]);

    let few = Simulation::new(quiet()).params(Least(2)).arrive("0m", "memory://b/parts/a", "1").arrive(
        "30m",
        "memory://b/parts/b",
        "1",
    );
    assert_eq!(finished(&few.run(), "quiet"), minutes(35));
}

#[test]
fn what_a_sensor_has_seen_survives_a_failed_attempt() {
    let report = Simulation::new(quiet())
        .params(Least(1))
        .arrive("0m", "memory://b/parts/a", "1")
        .outage("memory://b", "2m30s", "3m30s")
        .run();
    assert_eq!(report.node("quiet").attempts(), 2);
    assert_eq!(finished(&report, "quiet"), minutes(5), "{}", report.timeline());
}

#[derive(serde::Serialize, serde::Deserialize, Default)]
struct Params {
    url: String,
}

#[pipeline]
fn nowhere(params: Params) -> Result<()> {
    let bucket = Bucket::open(&params.url)?;
    key_exists(&bucket, "a").named("key").retries(3);
    key_exists(&bucket, "a*").named("glob").retries(3);
    keys_exist(&bucket, ["a"]).named("keys").retries(3);
    any_with_prefix(&bucket, "a").named("prefix").retries(3);
    at_least_bytes(&bucket, "a", 1u64).named("size").retries(3);
    keys_unchanged(&bucket, "a", MINUTE, 0usize).named("unchanged").retries(3);
    key_exists(&bucket, "../a").named("escape").retries(3);
    Ok(())
}

#[test]
fn a_missing_bucket_is_an_error_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("file://{}/no-such-bucket", folder.path().display());
    let report = Simulation::new(nowhere()).params(Params { url }).run();
    for node in report.nodes() {
        let (state, attempts, pokes) = (node.state(), node.attempts(), node.pokes());
        assert_eq!((state, attempts, pokes, node.finished()), (NodeState::Failed, 1, 1, Some(Duration::ZERO)), "{}", node.id());
        let error = node.error().unwrap();
        let expected = if node.id() == "escape" { "a key cannot lead out of its bucket" } else { "no-such-bucket" };
        assert!(error.contains(expected), "{}: {error}", node.id());
    }
}

/// An error of a task or a sensor, with a storage error as its source.
#[derive(Debug, thiserror::Error)]
#[error("the export is out of reach")]
struct OutOfReach(#[from] BucketError);

#[sensor(retries = 3)]
async fn own(bucket: Bucket, key: String) -> Result<Poke<Object>> {
    Ok(bucket.head(&key).await?.into())
}

#[sensor(retries = 3)]
async fn own_error(bucket: Bucket, key: String) -> Result<Poke<Object>, OutOfReach> {
    Ok(bucket.head(&key).await?.into())
}

#[task(retries = 3)]
async fn own_task(bucket: Bucket, key: String) -> Result<u64> {
    Ok(bucket.get(&key).await?.len() as u64)
}

#[task(retries = 3)]
async fn insists(bucket: Bucket, key: String) -> Result<u64> {
    Ok(bucket.get(&key).await.map_err(|error| error.to_string())?.len() as u64)
}

#[pipeline]
fn own_ones_nowhere(params: Params) -> Result<()> {
    let bucket = Bucket::open(&params.url)?;
    own(&bucket, "a");
    own(&bucket, "../a").named("escape");
    own_error(&bucket, "a");
    own_task(&bucket, "a");
    insists(&bucket, "a");
    Ok(())
}

#[test]
fn a_missing_bucket_is_not_retried_in_ones_own_bodies_either() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("file://{}/no-such-bucket", folder.path().display());
    let report = Simulation::new(own_ones_nowhere()).params(Params { url: url.clone() }).run();
    for node in report.nodes() {
        let expected = if node.id() == "insists" { 4 } else { 1 };
        assert_eq!((node.state(), node.attempts()), (NodeState::Failed, expected), "{}", node.id());
    }
    let missing = "there is no such bucket; create the folder, or correct the URL: No such file or directory (os error 2)";
    let error = |id: &str| report.node(id).error().unwrap().to_owned();
    assert_eq!(error("own"), format!("could not look for `a` in `{url}`: {missing}"));
    assert_eq!(error("own_error"), format!("the export is out of reach: could not look for `a` in `{url}`: {missing}"));
    let escape =
        format!("\"../a\" is not a valid key in `{url}`: it contains a `.` or `..` segment: a key cannot lead out of its bucket");
    assert_eq!(error("escape"), escape, "said once");
}

#[cfg(unix)]
#[test]
fn what_may_not_be_read_is_not_retried_either() {
    use std::os::unix::fs::PermissionsExt;
    #[pipeline]
    fn locked_out(params: Params) -> Result<()> {
        own(Bucket::open(&params.url)?, "raw/a");
        Ok(())
    }
    let folder = tempfile::tempdir().unwrap();
    let locked = folder.path().join("raw");
    std::fs::create_dir(&locked).unwrap();
    std::fs::set_permissions(&locked, std::fs::Permissions::from_mode(0o000)).unwrap();
    if std::fs::read_dir(&locked).is_ok() {
        return; // the superuser may do everything
    }
    let url = format!("file://{}", folder.path().display());
    let report = Simulation::new(locked_out()).params(Params { url }).run();
    assert_eq!((report.node("own").state(), report.node("own").attempts()), (NodeState::Failed, 1));
}

#[sensor]
async fn opened_within(url: String) -> Result<Poke<Object>> {
    Ok(Bucket::open(&url)?.head("a").await?.into())
}

#[task]
fn opened_while_blocking(found: Object) -> Result<String> {
    Ok(Bucket::open(&format!("memory://{}", found.bucket))?.name().to_owned())
}

#[pipeline]
fn opens() {
    opened_while_blocking(opened_within("memory://within"));
}

#[test]
fn a_bucket_that_a_body_opens_is_the_simulations_own() {
    for _ in 0..2 {
        let report = Simulation::new(opens()).arrive("1m", "memory://within/a", "1").run();
        assert_eq!(finished(&report, "opened_within"), minutes(1), "{}", report.timeline());
    }
}
