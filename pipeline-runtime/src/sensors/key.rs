use crate::{Bucket, Object, Poke, Result, sensor};

/// Waits until a key exists, or any key that matches a glob.
///
/// Of several matches the value is the first by key.
///
/// ```
/// use pipeline_runtime::prelude::*;
/// use pipeline_runtime::sensors::key_exists;
///
/// #[task] async fn load(export: Object) -> Result<String> { Ok(export.key) }
///
/// #[pipeline(schedule = "@daily")]
/// fn nightly() -> Result<()> {
///     let bucket = Bucket::open("memory://data-bucket")?;
///     load(key_exists(&bucket, template!("raw/daily_export_{{ ds_nodash }}.json")));
///     load(key_exists(&bucket, "raw/*/latest.json").named("latest"));
///     Ok(())
/// }
/// # nightly().check().unwrap();
/// ```
///
/// # In Airflow: `S3KeySensor`, `GCSObjectExistenceSensor`
///
/// - Airflow pushes no value; here the object is passed on.
/// - `wildcard_match=True` is not needed: a key with `*`, `?` or `[` is a glob. There is no `use_regex`, because it would list
///   the whole bucket.
/// - Instead of a `check_fn` write a sensor of your own, or use [`at_least_bytes`].
/// - A missing bucket fails at once. In Airflow it looks like a missing key until the timeout.
#[sensor]
pub async fn key_exists(bucket: Bucket, key: String) -> Result<Poke<Object>> {
    Ok(bucket.find_first(&key).await?.into())
}

/// Waits until all of several keys exist; a glob among them needs at least one match.
///
/// The value is one object for each key, in the given order; for a glob it is the first match by key.
///
/// ```
/// use pipeline_runtime::prelude::*;
/// use pipeline_runtime::sensors::keys_exist;
///
/// #[task] async fn join(files: Vec<Object>) -> Result<usize> { Ok(files.len()) }
///
/// #[pipeline(schedule = "@daily")]
/// fn nightly() -> Result<()> {
///     let bucket = Bucket::open("memory://data-bucket")?;
///     join(keys_exist(&bucket, ["config/schema.json", "config/rules*.json"]));
///     join(keys_exist(&bucket, [template!("raw/{{ ds }}/orders.csv"), template!("raw/{{ ds }}/_SUCCESS")]));
///     Ok(())
/// }
/// # nightly().check().unwrap();
/// ```
///
/// # In Airflow: `S3KeySensor` with a list as `bucket_key`
///
/// - The rule is Airflow's: all keys in one poke. Keys that were found by an earlier poke are looked up again.
/// - As for [`key_exists`]: the objects are passed on, globs need no flag, and a missing bucket fails at once.
/// - An empty list is an error; Airflow treats it as success.
#[sensor]
pub async fn keys_exist(bucket: Bucket, keys: Vec<String>) -> Result<Poke<Vec<Object>>> {
    if keys.is_empty() {
        return Err(crate::TaskError::fatal("there is no key to wait for"));
    }
    let mut found = Vec::with_capacity(keys.len());
    for key in &keys {
        match bucket.find_first(key).await? {
            Some(object) => found.push(object),
            None => return Ok(Poke::NotYet),
        }
    }
    Ok(Poke::Ready(found))
}

/// Waits until an object, or any object whose key matches a glob, has at least this many bytes.
///
/// ```
/// use pipeline_runtime::prelude::*;
/// use pipeline_runtime::sensors::at_least_bytes;
///
/// #[task] async fn load(export: Object) -> Result<u64> { Ok(export.size) }
///
/// #[pipeline(schedule = "@daily")]
/// fn nightly() -> Result<()> {
///     let bucket = Bucket::open("memory://data-bucket")?;
///     load(at_least_bytes(&bucket, template!("raw/{{ ds }}.csv"), 1024u64));
///     Ok(())
/// }
/// # nightly().check().unwrap();
/// ```
///
/// # In Airflow: `S3KeySensor` with a `check_fn`
///
/// - It replaces `check_fn=lambda files: all(f["Size"] >= n for f in files)`, and the former `S3KeySizeSensor`. If a glob has
///   several matches, Airflow's line requires it of all of them; here one that is large enough suffices, and it is the value.
/// - The size does not show that a writer is done. If writers append, wait with [`keys_unchanged`](super::keys_unchanged) too.
#[sensor]
pub async fn at_least_bytes(bucket: Bucket, key: String, bytes: u64) -> Result<Poke<Object>> {
    let mut objects = bucket.find_stream(&key)?;
    while let Some(object) = objects.try_next().await? {
        if object.size >= bytes {
            return Ok(Poke::Ready(object));
        }
    }
    Ok(Poke::NotYet)
}
