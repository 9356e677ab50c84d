//! [`Object`]: what a bucket reports about one key.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::meta::Meta;

/// One object of a [`Bucket`](super::Bucket): its key and its properties when it was read, without its contents.
///
/// It is plain data: it passes from task to task and comes back from the journal unchanged, nanoseconds included.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> std::result::Result<(), pipeline_runtime::BucketError> {
/// use pipeline_runtime::Bucket;
///
/// let bucket = Bucket::open("memory://docs-object")?;
/// let object = bucket.put("raw/a.json", "{}").await?;
/// assert_eq!((object.bucket.as_str(), object.key.as_str(), object.size), ("docs-object", "raw/a.json", 2));
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Object {
    /// The bucket's [name](super::Bucket::name).
    pub bucket: String,
    /// The whole key, from the bucket's root.
    pub key: String,
    /// The size in bytes.
    pub size: u64,
    /// When the object was last written. Stores differ in precision: nanoseconds in memory and on most disks, seconds on S3.
    pub last_modified: DateTime<Utc>,
    /// Changes whenever the object's contents change; [`put_if_match`](super::Bucket::put_if_match) compares it. It is opaque,
    /// and comparable within one store only.
    pub etag: Option<String>,
}

impl Object {
    /// An object as a bucket would report it: for calling a body with it in a test, or for a stub of a sensor that returns one.
    ///
    /// ```
    /// use pipeline_runtime::Object;
    ///
    /// let export = Object::new("data", "raw/export.json", 512, "2024-03-25T06:00:00Z".parse().unwrap());
    /// assert_eq!((export.key.as_str(), export.etag), ("raw/export.json", None));
    /// ```
    pub fn new(bucket: impl Into<String>, key: impl Into<String>, size: u64, last_modified: DateTime<Utc>) -> Self {
        Self { bucket: bucket.into(), key: key.into(), size, last_modified, etag: None }
    }

    /// Sets the `ETag`.
    pub fn with_etag(self, etag: impl Into<String>) -> Self {
        Self { etag: Some(etag.into()), ..self }
    }

    pub(super) fn of(bucket: &str, meta: Meta) -> Self {
        Self {
            bucket: bucket.to_owned(),
            key: meta.key.into(),
            size: meta.size,
            last_modified: meta.last_modified,
            etag: meta.etag,
        }
    }
}
