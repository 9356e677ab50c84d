use crate::{Bucket, Object, Poke, Result, sensor};

/// Waits until a key is there, or any key that matches a glob.
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
/// - Airflow pushes no value; here the object flows on.
/// - `wildcard_match=True` is not said: a key with `*`, `?` or `[` is a glob. There is no `use_regex`: it lists the whole bucket.
/// - A `check_fn` is a sensor of your own, or [`at_least_bytes`].
/// - A missing bucket fails at once. In Airflow it looks like a missing key, until the timeout.
#[sensor]
pub async fn key_exists(bucket: Bucket, key: String) -> Result<Poke<Object>> {
    Ok(bucket.find_first(&key).await?.into())
}

/// Waits until all of several keys are there; a glob among them needs at least one match.
///
/// The value is one object for each key, in the order given; of a glob's matches the first by key.
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
/// - The rule is Airflow's: all of them, in one poke. What was there at an earlier poke is looked for again.
/// - As for [`key_exists`]: the objects flow on, globs need no flag, and a missing bucket fails at once.
/// - No keys at all is an error; Airflow takes it for success.
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

/// Waits until an object has at least that many bytes, or any object whose key matches a glob.
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
/// - It is what `check_fn=lambda files: all(f["Size"] >= n for f in files)` is written for, and the former `S3KeySizeSensor`. Where a
///   glob has several matches, Airflow's line asks it of all; here one that is large enough suffices, and it is the value.
/// - A size is no sign that a writer is done. Where writers append, wait with [`keys_unchanged`](super::keys_unchanged) too.
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
