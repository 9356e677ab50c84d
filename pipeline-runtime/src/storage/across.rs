//! Copies from one bucket to another, whatever their stores.

use super::bucket::Bucket;
use super::error::BucketError;
use super::object::Object;

impl Bucket {
    /// Copies an object to the same key of another bucket, possibly of another store, replacing an existing object. The bytes
    /// pass through this process as a stream, part by part, however large the object is; nothing is visible in the other bucket
    /// before the copy is complete. The copy is of the object as it was when it was opened.
    ///
    /// Fails with [`NoSuchKey`](super::BucketErrorKind::NoSuchKey) if this bucket has no such key, and like [`get`](Self::get) of
    /// this bucket and [`put`](Self::put) of the other. The error names the bucket that it concerns.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> std::result::Result<(), pipeline_runtime::BucketError> {
    /// use pipeline_runtime::Bucket;
    ///
    /// let (exports, archive) = (Bucket::open("memory://docs-exports")?, Bucket::open("memory://docs-archive")?);
    /// exports.put("raw/a.csv", "1,2").await?;
    /// assert_eq!(exports.copy_to(&archive, "raw/a.csv").await?.bucket, "docs-archive");
    /// assert_eq!(archive.get("raw/a.csv").await?, "1,2");
    /// # Ok(())
    /// # }
    /// ```
    pub async fn copy_to(&self, other: &Self, key: &str) -> Result<Object, BucketError> {
        let mut from = self.get_stream(key).await?;
        let mut to = other.put_stream(key).await?;
        while let Some(chunk) = from.chunk().await? {
            to.write(chunk).await?;
        }
        to.finish().await
    }
}
