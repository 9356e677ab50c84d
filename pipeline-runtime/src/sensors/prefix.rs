use crate::hash::Fnv1a;
use crate::{Bucket, Context, Object, Poke, Result, sensor};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Waits until any key begins with a prefix, byte for byte.
///
/// The value is all objects with that prefix, sorted by key. The empty prefix is the whole bucket.
///
/// On `s3://` a poke that finds nothing is one request; the one that ends the wait makes one for each 1,000 keys of its value. If
/// there are very many and one suffices, wait with [`key_exists`](super::key_exists) for `PREFIX*`, which requests only the first
/// page.
///
/// ```
/// use pipeline_runtime::prelude::*;
/// use pipeline_runtime::sensors::any_with_prefix;
///
/// #[task] async fn load(part: Object) -> Result<u64> { Ok(part.size) }
///
/// #[pipeline(schedule = "@daily")]
/// fn nightly() -> Result<()> {
///     let bucket = Bucket::open("memory://data-bucket")?;
///     any_with_prefix(&bucket, template!("raw/{{ ds }}/")).each(|part| load(part));
///     Ok(())
/// }
/// # nightly().check().unwrap();
/// ```
///
/// # In Airflow: `S3PrefixSensor`, `GCSObjectsWithPrefixExistenceSensor`
///
/// - `S3PrefixSensor` no longer exists; its replacement is `S3KeySensor` with a wildcard. There is no `delimiter`: objects in
///   folders below count as well.
/// - The objects are passed on; over S3, Airflow pushes no value.
/// - The first poke that finds something ends the wait, even if more objects are still to come: see [`keys_unchanged`].
#[sensor]
pub async fn any_with_prefix(bucket: Bucket, prefix: String) -> Result<Poke<Vec<Object>>> {
    let found = bucket.list(&prefix).await?;
    Ok(if found.is_empty() { Poke::NotYet } else { Poke::Ready(found) })
}

/// Waits until at least `min_objects` keys begin with a prefix and none of them has changed for the duration `inactivity`.
///
/// An upload, a deletion and new contents are changes. The value is the objects, sorted by key.
///
/// ```
/// use pipeline_runtime::prelude::*;
/// use pipeline_runtime::sensors::keys_unchanged;
/// use std::time::Duration;
///
/// #[task] async fn load(parts: Vec<Object>) -> Result<usize> { Ok(parts.len()) }
///
/// #[pipeline(schedule = "@daily")]
/// fn nightly() -> Result<()> {
///     let bucket = Bucket::open("memory://data-bucket")?;
///     load(keys_unchanged(&bucket, template!("raw/{{ ds }}/"), Duration::from_secs(600), 1usize));
///     Ok(())
/// }
/// # nightly().check().unwrap();
/// ```
///
/// The quiet period begins with the poke that first saw the current state, and it is checked by pokes: its end is noticed up to
/// one poke interval late, and a change that is undone between two pokes is not noticed.
///
/// # In Airflow: `S3KeysUnchangedSensor`, `GCSUploadSessionCompleteSensor`
///
/// - Airflow's sensor keeps its state in the process, so it only supports mode `poke`, and starts again with each retry. Here the
///   state is recorded with the poke: it works in mode `reschedule` and survives retries and restarts.
/// - Airflow's sensor compares only the keys. Here an object that was written again is a change, too.
/// - A deletion restarts the quiet period, as with `allow_delete=True`; there is no `allow_delete=False`.
/// - Airflow's defaults are an `inactivity_period` of an hour and one object; here both have to be given.
#[sensor]
pub async fn keys_unchanged(
    ctx: Context,
    bucket: Bucket,
    prefix: String,
    inactivity: Duration,
    min_objects: usize,
) -> Result<Poke<Vec<Object>>> {
    let (now, before) = (ctx.started(), ctx.recall::<QuietPeriod>()?);
    // Negative if the wall clock was set back between two processes.
    let has_lasted = |quiet: &QuietPeriod| (now - quiet.since).to_std().unwrap_or_default() >= inactivity;
    let (mut found, mut count, mut print) = (Vec::new(), 0, ListingHash::default());
    // Most pokes are too early to end the wait, so they hold no objects.
    let may_be_ready = before.as_ref().is_some_and(has_lasted) || inactivity.is_zero();
    let mut listing = bucket.list_stream(&prefix)?;
    while let Some(object) = listing.try_next().await? {
        print.add(&object);
        count += 1;
        if may_be_ready {
            found.push(object);
        }
    }
    let print = print.0.value();
    let quiet = before.filter(|quiet| quiet.print == print).unwrap_or(QuietPeriod { print, since: now });
    ctx.remember(&quiet)?;
    found.sort_unstable_by(|a: &Object, b| a.key.cmp(&b.key));
    Ok(if count >= min_objects && has_lasted(&quiet) { Poke::Ready(found) } else { Poke::NotYet })
}

/// The state that is remembered between pokes: a hash instead of the listing, which may be long.
#[derive(Debug, Serialize, Deserialize)]
struct QuietPeriod {
    print: u64,
    since: DateTime<Utc>,
}

/// A hash of a listing.
#[derive(Default)]
struct ListingHash(Fnv1a);

impl ListingHash {
    fn add(&mut self, object: &Object) {
        self.add_bytes(object.key.as_bytes());
        self.add_bytes(&object.size.to_le_bytes());
        // On S3 the etag depends only on the contents, so only the time shows that the same bytes were written again.
        self.add_bytes(object.etag.as_deref().unwrap_or_default().as_bytes());
        self.add_bytes(object.last_modified.to_rfc3339().as_bytes());
    }

    fn add_bytes(&mut self, bytes: &[u8]) {
        self.0.add(&(bytes.len() as u64).to_le_bytes());
        self.0.add(bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fingerprint(objects: &[Object]) -> u64 {
        let mut print = ListingHash::default();
        for object in objects {
            print.add(object);
        }
        print.0.value()
    }

    fn object(key: &str, size: u64, etag: &str) -> Object {
        Object { bucket: "b".into(), key: key.into(), size, last_modified: DateTime::UNIX_EPOCH, etag: Some(etag.into()) }
    }

    #[test]
    fn every_change_shows_in_the_fingerprint() {
        let listings = [
            vec![],
            vec![object("a", 1, "x")],
            vec![object("b", 1, "x")],
            vec![object("a", 2, "x")],
            vec![object("a", 1, "y")],
            vec![object("a", 1, "x"), object("b", 1, "x")],
            vec![object("ab", 1, "x")],
            vec![Object { last_modified: DateTime::UNIX_EPOCH + chrono::TimeDelta::seconds(1), ..object("a", 1, "x") }],
        ];
        let prints: std::collections::BTreeSet<u64> = listings.iter().map(|listing| fingerprint(listing)).collect();
        assert_eq!(prints.len(), listings.len());
        // It is recorded in journals: another value would restart every wait.
        assert_eq!(fingerprint(&[object("a", 1, "x")]), 16_738_826_181_239_351_286);
    }
}
