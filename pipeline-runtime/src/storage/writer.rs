//! [`ObjectWriter`]: an object written as a stream, and the operations that begin one.

use std::fmt;

use bytes::{Bytes, BytesMut};

use super::bucket::{Bucket, stamped};
use super::error::{BucketError, Failure};
use super::key::Key;
use super::object::Object;
use super::store::{Condition, Store};
use super::upload::Upload;

/// An object being written, chunk by chunk: returned by [`Bucket::put_stream`].
///
/// Nothing is visible until [`finish`](Self::finish) has put the object in place, whole and in one step. A writer that is dropped
/// before, by a `?`, a time limit or a panic, leaves nothing behind and the existing object untouched. It holds one part, not the
/// object: 256 KiB on `file://`, and on `s3://` 8 MiB, the size of the first parts of the multipart upload (later parts are
/// larger). A `memory://` bucket holds all of the object.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> std::result::Result<(), pipeline_runtime::BucketError> {
/// use pipeline_runtime::Bucket;
///
/// let bucket = Bucket::open("memory://docs-writer")?;
/// let mut writer = bucket.put_stream("archive/07.csv").await?;
/// for part in ["1,2\n", "3,4\n"] {
///     writer.write(part).await?;
/// }
/// assert!(bucket.head("archive/07.csv").await?.is_none(), "not yet");
/// assert_eq!(writer.finish().await?.size, 8);
/// # Ok(())
/// # }
/// ```
#[must_use = "an object that is not finished is not written"]
pub struct ObjectWriter {
    bucket: Bucket,
    key: Key,
    doing: String,
    /// Less than a part.
    gathered: BytesMut,
    /// `None` after a step failed or was dropped, which discards the object.
    upload: Option<Upload>,
}

impl Bucket {
    /// Writes an object as a stream, replacing an existing one: by a staged file that is renamed on `file://`, by a multipart
    /// upload on `s3://`. Nothing is visible before [`ObjectWriter::finish`].
    ///
    /// Fails like [`put`](Self::put).
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> std::result::Result<(), pipeline_runtime::BucketError> {
    /// use pipeline_runtime::Bucket;
    ///
    /// let bucket = Bucket::open("memory://docs-put-stream")?;
    /// let mut writer = bucket.put_stream("processed/a.csv").await?;
    /// writer.write("1,2\n").await?;
    /// writer.write(vec![b'x'; 1 << 20]).await?;
    /// let object = writer.finish().await?;
    /// assert_eq!(object.size, 4 + (1 << 20));
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "put_multipart")]
    pub async fn put_stream(&self, key: &str) -> Result<ObjectWriter, BucketError> {
        self.put_stream_on(key, Condition::Always).await
    }

    /// Like [`put_stream`](Self::put_stream), if the key is free both at the beginning and at the end of the stream.
    ///
    /// Fails with [`AlreadyExists`](super::BucketErrorKind::AlreadyExists) if it is taken, and like [`put`](Self::put).
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> std::result::Result<(), pipeline_runtime::BucketError> {
    /// use pipeline_runtime::{Bucket, BucketErrorKind};
    ///
    /// let bucket = Bucket::open("memory://docs-put-stream-if-absent")?;
    /// let (first, second) = (bucket.put_stream_if_absent("a").await?, bucket.put_stream_if_absent("a").await?);
    /// first.finish().await?;
    /// assert_eq!(second.finish().await.unwrap_err().kind(), BucketErrorKind::AlreadyExists);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn put_stream_if_absent(&self, key: &str) -> Result<ObjectWriter, BucketError> {
        self.put_stream_on(key, Condition::Absent).await
    }

    /// Like [`put_stream`](Self::put_stream), if the object still has the etag that was read, both at the beginning and at the
    /// end of the stream.
    ///
    /// Fails with [`PreconditionFailed`](super::BucketErrorKind::PreconditionFailed) if it changed or is gone, and like
    /// [`put`](Self::put).
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> std::result::Result<(), pipeline_runtime::BucketError> {
    /// use pipeline_runtime::Bucket;
    ///
    /// let bucket = Bucket::open("memory://docs-put-stream-if-match")?;
    /// bucket.put("hour.csv", "1\n").await?;
    /// let mut old = bucket.get_stream("hour.csv").await?;
    /// let etag = old.object().etag.clone().unwrap_or_default();
    /// let mut new = bucket.put_stream_if_match("hour.csv", &etag).await?;
    /// while let Some(chunk) = old.chunk().await? {
    ///     new.write(chunk).await?;
    /// }
    /// new.write("2\n").await?;
    /// new.finish().await?;
    /// assert_eq!(bucket.get("hour.csv").await?, "1\n2\n");
    /// # Ok(())
    /// # }
    /// ```
    pub async fn put_stream_if_match(&self, key: &str, etag: &str) -> Result<ObjectWriter, BucketError> {
        self.put_stream_on(key, Condition::Match(etag.to_owned())).await
    }

    async fn put_stream_on(&self, key: &str, condition: Condition) -> Result<ObjectWriter, BucketError> {
        let key = self.key(key)?;
        let doing = self.doing("write", &key);
        let begin = {
            let key = key.clone();
            |store: Store, _| async move { store.upload(&key, condition).await }
        };
        let upload = self.run(&doing, begin).await?;
        Ok(ObjectWriter::new(self.clone(), key, doing, upload))
    }
}

impl ObjectWriter {
    pub(super) fn new(bucket: Bucket, key: Key, doing: String, upload: Upload) -> Self {
        Self { bucket, key, doing, gathered: BytesMut::new(), upload: Some(upload) }
    }

    /// The key of the object.
    pub fn key(&self) -> &str {
        self.key.as_ref()
    }

    /// Appends bytes. Waits until each part that they fill is written.
    ///
    /// Fails if the store does. After an error, or if the future is dropped, the object is discarded and all further calls fail.
    pub async fn write(&mut self, bytes: impl Into<Bytes>) -> Result<(), BucketError> {
        let mut bytes = bytes.into();
        let mut upload = self.take()?;
        loop {
            let missing = upload.part_size() - self.gathered.len();
            if bytes.len() < missing {
                self.gathered.extend_from_slice(&bytes);
                self.upload = Some(upload);
                return Ok(());
            }
            let rest = bytes.split_to(missing);
            let part = if self.gathered.is_empty() {
                rest
            } else {
                self.gathered.extend_from_slice(&rest);
                self.gathered.split().freeze()
            };
            let write = |_, _| async move {
                upload.write(part).await?;
                Ok(upload)
            };
            upload = self.bucket.perform(write).await.map_err(|failure| failure.at(&self.doing))?;
        }
    }

    /// Puts the object in place, if its condition still holds. Then it is as durable as the store makes it.
    ///
    /// Fails with [`AlreadyExists`](super::BucketErrorKind::AlreadyExists) or
    /// [`PreconditionFailed`](super::BucketErrorKind::PreconditionFailed) if the condition does not hold, and if the store fails;
    /// the existing object is untouched then.
    pub async fn finish(mut self) -> Result<Object, BucketError> {
        let (upload, last) = (self.take()?, self.gathered.split().freeze());
        let meta = self.bucket.run(&self.doing, stamped(|_| upload.finish(last))).await?;
        Ok(Object::of(self.bucket.name(), meta))
    }

    /// Discards the object, and waits until nothing of it is left. Dropping the writer does this in the background.
    ///
    /// Fails if the store does: invisible parts may be left then.
    pub async fn abort(mut self) -> Result<(), BucketError> {
        let Some(upload) = self.upload.take() else { return Ok(()) };
        self.bucket.perform(|_, _| upload.abort()).await.map_err(|failure| failure.at(&self.doing))
    }

    fn take(&mut self) -> Result<Upload, BucketError> {
        self.upload.take().ok_or_else(|| Failure::cut_off().at(&self.doing))
    }
}

impl fmt::Debug for ObjectWriter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ObjectWriter").field("bucket", &self.bucket).field("key", &self.key()).finish_non_exhaustive()
    }
}
