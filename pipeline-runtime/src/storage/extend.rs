//! What an object costs that grows at its end: [`Bucket::append_stream`], by which the store keeps what was there, and
//! [`Bucket::get_tail`], which reads where it ends.

use super::body::{Body, Span};
use super::bucket::Bucket;
use super::error::{BucketError, Failure};
use super::key::Key;
use super::meta::Meta;
use super::object::Object;
use super::reader::ObjectReader;
use super::store::{Condition, Store};
use super::upload::Upload;
use super::world::Scribe;
use super::writer::ObjectWriter;

impl Bucket {
    /// Writes the next version of an object as a stream: it begins with the first `keep` bytes of the version with that etag, and goes on with
    /// what is written. Nothing shows until [`ObjectWriter::finish`] was called, which succeeds only if the object is still that version.
    ///
    /// What is kept does not pass through this process where that can be avoided:
    ///
    /// - On `s3://` the store copies it (`UploadPartCopy`) if it is 5 MiB or more. Less is read and sent again, and so is all of it with
    ///   `?checksum=sha256`, or if the store copies no parts or keeps no condition of an upload in parts. `docs/storage.md` has which stores do.
    /// - On `file://` the system copies it from file to file, which on a file system that shares blocks (btrfs, XFS) copies nothing.
    ///
    /// Fails with [`PreconditionFailed`](super::BucketErrorKind::PreconditionFailed) if the object changed or is gone, with
    /// [`Other`](super::BucketErrorKind::Other) if it has less than `keep` bytes, and like [`put`](Self::put).
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> std::result::Result<(), pipeline_runtime::BucketError> {
    /// use pipeline_runtime::Bucket;
    ///
    /// let bucket = Bucket::open("memory://docs-append-stream")?;
    /// let log = bucket.put("day.csv", "1\n2\n").await?;
    /// let mut next = bucket.append_stream("day.csv", log.etag.as_deref().unwrap_or_default(), log.size).await?;
    /// next.write("3\n").await?;
    /// next.finish().await?;
    /// assert_eq!(bucket.get("day.csv").await?, "1\n2\n3\n");
    /// # Ok(())
    /// # }
    /// ```
    pub async fn append_stream(&self, key: &str, etag: &str, keep: u64) -> Result<ObjectWriter, BucketError> {
        let parsed = self.key(key)?;
        let doing = self.doing("append to", &parsed);
        let begin = {
            let (key, etag) = (parsed.clone(), etag.to_owned());
            |store: Store, _| async move { store.extend(&key, etag, keep).await }
        };
        if let Some(upload) = self.run(&doing, begin).await? {
            return Ok(ObjectWriter::new(self.clone(), parsed, doing, upload));
        }
        let mut writer = self.put_stream_if_match(key, etag).await?;
        let mut former = self.get_stream_range(key, ..keep).await?;
        if former.object().etag.as_deref() != Some(etag) {
            return Err(Failure::precondition().at(&doing));
        }
        if former.object().size < keep {
            return Err(too_short(former.object().size, keep).at(&doing));
        }
        while let Some(chunk) = former.chunk().await? {
            writer.write(chunk).await?;
        }
        Ok(writer)
    }

    /// The last bytes of an object as a stream, as many as asked for or all there are: for formats whose table of contents stands at the end.
    /// [`ObjectReader::object`] has the object's size, and so where they begin. On `s3://` it is one request.
    ///
    /// Fails like [`get`](Self::get).
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> std::result::Result<(), pipeline_runtime::BucketError> {
    /// use pipeline_runtime::Bucket;
    ///
    /// let bucket = Bucket::open("memory://docs-get-tail")?;
    /// bucket.put("raw/a.csv", "1,2,3").await?;
    /// let mut tail = bucket.get_tail("raw/a.csv", 2).await?;
    /// assert_eq!(tail.object().size, 5);
    /// assert_eq!(tail.chunk().await?.unwrap_or_default(), ",3");
    /// # Ok(())
    /// # }
    /// ```
    pub async fn get_tail(&self, key: &str, length: u64) -> Result<ObjectReader, BucketError> {
        let key = self.key(key)?;
        let doing = self.doing("read", &key);
        let open = |store: Store, scribe: Scribe| async move {
            let (mut meta, body) = store.open_tail(&key, length).await?;
            scribe.read(&store, std::slice::from_mut(&mut meta));
            Ok((meta, body))
        };
        let (meta, body) = self.run(&doing, open).await?;
        Ok(ObjectReader::new(self.clone(), Object::of(self.name(), meta), doing, body))
    }
}

pub(super) fn too_short(size: u64, keep: u64) -> Failure {
    let detail = format!("the object has {size} bytes, of which {keep} were to be kept");
    Failure::new(super::error::BucketErrorKind::Other, detail)
}

impl Store {
    /// Begins an object that is to replace the one with that etag and starts as it does. `None` where what is kept has to pass through this process.
    async fn extend(&self, key: &Key, etag: String, keep: u64) -> Result<Option<Upload>, Failure> {
        match self {
            // It is in memory already.
            Self::Memory(_) => Ok(None),
            Self::Local(local) => local.extend(key, Condition::Match(etag), keep).await.map(Some),
            #[cfg(all(feature = "cloud", not(feature = "s3")))]
            Self::Cloud(_) => Ok(None),
            #[cfg(feature = "s3")]
            Self::Cloud(cloud) => cloud.extend(&key.into(), &etag, keep).await,
        }
    }

    /// The object as it is now, and at most that many of its last bytes.
    async fn open_tail(&self, key: &Key, length: u64) -> Result<(Meta, Body), Failure> {
        #[cfg(feature = "cloud")]
        if let Self::Cloud(cloud) = self
            && let Some((meta, body)) = cloud.open_tail(&key.into(), length).await?
        {
            return Ok((meta.into(), body));
        }
        let mut size = self.head(key, None).await?.ok_or_else(Failure::no_such_key)?.size;
        loop {
            let (meta, body) = self.open(key, Span { start: size.saturating_sub(length), end: u64::MAX }).await?;
            if meta.size == size {
                return Ok((meta, body));
            }
            // Another has taken its place since it was looked at.
            size = meta.size;
        }
    }
}
