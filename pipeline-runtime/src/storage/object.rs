//! [`Object`]: what a bucket says about one key.

use chrono::{DateTime, Utc};
use object_store::ObjectMeta;
use serde::{Deserialize, Serialize};

/// One object of a [`Bucket`](super::Bucket): where it is and how it was when somebody looked, but not its contents.
///
/// It is data, so it passes from task to task and comes back from the journal the same, nanoseconds included.
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
pub struct Object {
    /// The bucket's [name](super::Bucket::name).
    pub bucket: String,
    /// The whole key, from the bucket's root.
    pub key: String,
    /// The size in bytes.
    pub size: u64,
    /// When the object was last written. Stores differ in precision: nanoseconds in memory and on most disks, seconds on S3.
    pub last_modified: DateTime<Utc>,
    /// Changes whenever the object's contents change; what [`put_if_match`](super::Bucket::put_if_match) compares. Opaque, and
    /// comparable within one store only.
    pub etag: Option<String>,
}

impl Object {
    pub(super) fn new(bucket: &str, meta: ObjectMeta) -> Self {
        Self {
            bucket: bucket.to_owned(),
            key: meta.location.into(),
            size: meta.size,
            last_modified: meta.last_modified,
            etag: meta.e_tag,
        }
    }
}
