use crate::{Bucket, Context, Object, Poke, Result, sensor};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Waits until any key begins with a prefix, byte for byte.
///
/// The value is all that do, sorted by key. The empty prefix is the whole bucket.
///
/// On `s3://` a poke that finds nothing is one request; the one that ends the wait makes one for each 1,000 keys of its value. Where
/// these are very many and one will do, wait with [`key_exists`](super::key_exists) for `PREFIX*`: that asks for the first page alone.
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
/// - `S3PrefixSensor` is gone; its replacement is `S3KeySensor` with a wildcard. There is no `delimiter`: what lies in folders below
///   counts as well.
/// - The objects flow on; over S3, Airflow pushes no value.
/// - The first poke that finds something ends the wait, however many more are to come: see [`keys_unchanged`].
#[sensor]
pub async fn any_with_prefix(bucket: Bucket, prefix: String) -> Result<Poke<Vec<Object>>> {
    let found = bucket.list(&prefix).await?;
    Ok(if found.is_empty() { Poke::NotYet } else { Poke::Ready(found) })
}

/// Waits until at least `min_objects` keys begin with a prefix and nothing about them has changed for as long as `inactivity`.
///
/// An upload, a deletion and a new content all are changes. The value is the objects, sorted by key.
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
/// The quiet counts from the poke that first saw the present state, and it is judged at pokes: it is noticed up to one poke interval
/// late, and what happens and is undone between two pokes is not seen.
///
/// # In Airflow: `S3KeysUnchangedSensor`, `GCSUploadSessionCompleteSensor`
///
/// - Airflow's keeps its state in the process and therefore only knows mode `poke`, and starts anew with each retry. Here the state is
///   kept with the poke: it works in mode `reschedule` and survives retries and restarts.
/// - Airflow's looks at the keys alone. Here an object that was written again is a change, too.
/// - A deletion starts the quiet anew, as with `allow_delete=True`; there is no `allow_delete=False`.
/// - Airflow's defaults are an `inactivity_period` of an hour and one object; here both are said.
#[sensor]
pub async fn keys_unchanged(
    ctx: Context,
    bucket: Bucket,
    prefix: String,
    inactivity: Duration,
    min_objects: usize,
) -> Result<Poke<Vec<Object>>> {
    let (now, before) = (ctx.started(), ctx.recall::<Quiet>()?);
    // Negative where the wall clock was set back between two processes.
    let has_lasted = |quiet: &Quiet| (now - quiet.since).to_std().unwrap_or_default() >= inactivity;
    let (mut found, mut count, mut print) = (Vec::new(), 0, Print::default());
    // Most pokes come too early to end the wait, and hold nothing of what they see.
    let may_be_ready = before.as_ref().is_some_and(has_lasted) || inactivity.is_zero();
    let mut listing = bucket.list_stream(&prefix)?;
    while let Some(object) = listing.try_next().await? {
        print.add(&object);
        count += 1;
        if may_be_ready {
            found.push(object);
        }
    }
    let Print(print) = print;
    let quiet = before.filter(|quiet| quiet.print == print).unwrap_or(Quiet { print, since: now });
    ctx.remember(&quiet)?;
    found.sort_unstable_by(|a: &Object, b| a.key.cmp(&b.key));
    Ok(if count >= min_objects && has_lasted(&quiet) { Poke::Ready(found) } else { Poke::NotYet })
}

/// What is remembered from poke to poke: not the listing, which may be long.
#[derive(Debug, Serialize, Deserialize)]
struct Quiet {
    print: u64,
    since: DateTime<Utc>,
}

/// A number that another listing does not have. FNV-1a, as it is kept in journals and must mean the same to the next build.
struct Print(u64);

impl Default for Print {
    fn default() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }
}

impl Print {
    fn add(&mut self, object: &Object) {
        self.add_bytes(object.key.as_bytes());
        self.add_bytes(&object.size.to_le_bytes());
        // On S3 the etag is one of the contents, so that of the same bytes written again the time alone tells.
        self.add_bytes(object.etag.as_deref().unwrap_or_default().as_bytes());
        self.add_bytes(object.last_modified.to_rfc3339().as_bytes());
    }

    fn add_bytes(&mut self, bytes: &[u8]) {
        let length = (bytes.len() as u64).to_le_bytes();
        for byte in length.iter().chain(bytes) {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fingerprint(objects: &[Object]) -> u64 {
        let mut print = Print::default();
        for object in objects {
            print.add(object);
        }
        print.0
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
        // Kept in journals: another number would start every wait anew.
        assert_eq!(fingerprint(&[object("a", 1, "x")]), 16_738_826_181_239_351_286);
    }
}
