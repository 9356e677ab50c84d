//! Copies from one bucket to another, of whatever stores the two are.

use super::bucket::Bucket;
use super::error::BucketError;
use super::object::Object;

impl Bucket {
    /// Copies an object to the same key of another bucket, which may be of another store, replacing what is there. It goes through this process as a stream, a
    /// part at a time, however large it is; nothing shows at the other bucket before it is whole. What is copied is the object that was there as it was
    /// opened.
    ///
    /// Fails with [`NoSuchKey`](super::BucketErrorKind::NoSuchKey) if this bucket has no such key, and like [`get`](Self::get) of this bucket and
    /// [`put`](Self::put) of the other. The error names the bucket that it is about.
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
