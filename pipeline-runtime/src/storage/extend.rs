//! Objects that grow at their end: [`Bucket::append_stream`] lets the store keep the existing bytes, and [`Bucket::get_tail`]
//! reads the end of an object.

use super::body::{Body, Span};
use super::bucket::Bucket;
use super::error::{BucketError, Failure};
use super::key::Key;
use super::meta::Meta;
use super::object::Object;
use super::reader::ObjectReader;
use super::store::{Condition, Store};
use super::upload::Upload;
use super::world::Timestamper;
use super::writer::ObjectWriter;

impl Bucket {
    /// Writes the next version of an object as a stream: it begins with the first `keep` bytes of the version with that etag, and
    /// continues with what is written. Nothing is visible before [`ObjectWriter::finish`], which succeeds only if the object is
    /// still that version.
    ///
    /// If possible, the kept bytes do not pass through this process:
    ///
    /// - On `s3://` the store copies them (`UploadPartCopy`) if they are 5 MiB or more. Fewer bytes are read and sent again; so
    ///   are all kept bytes with `?checksum=sha256`, or if the store cannot copy parts or does not support conditional uploads in
    ///   parts. `docs/storage.md` lists which stores do.
    /// - On `file://` the system copies them from file to file; a file system that shares blocks (btrfs, XFS) copies nothing.
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

    /// The last bytes of an object as a stream, `length` of them or all there are: for formats with their table of contents at
    /// the end. [`ObjectReader::object`] has the object's size, and hence where they begin. On `s3://` it is one request.
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
        let open = |store: Store, timestamper: Timestamper| async move {
            let (mut meta, body) = store.open_tail(&key, length).await?;
            timestamper.read(&store, std::slice::from_mut(&mut meta));
            Ok((meta, body))
        };
        let (meta, body) = self.run(&doing, open).await?;
        Ok(ObjectReader::new(self.clone(), Object::of(self.name(), meta), doing, body))
    }
}

pub(super) fn too_short(size: u64, keep: u64) -> Failure {
    let detail = format!("the object has {size} bytes, fewer than the {keep} to keep");
    Failure::new(super::error::BucketErrorKind::Other, detail)
}

impl Store {
    /// Begins an object that replaces the one with that etag and starts with its first bytes. `None` if these have to pass
    /// through this process.
    async fn extend(&self, key: &Key, etag: String, keep: u64) -> Result<Option<Upload>, Failure> {
        match self {
            // The object is in memory already.
            Self::Memory(_) => Ok(None),
            Self::Local(local) => local.extend(key, Condition::Match(etag), keep).await.map(Some),
            #[cfg(all(feature = "cloud", not(feature = "s3")))]
            Self::Cloud(_) => Ok(None),
            #[cfg(feature = "s3")]
            Self::Cloud(cloud) => cloud.extend(&key.into(), &etag, keep).await,
        }
    }

    /// The object as it is now, and at most `length` of its last bytes.
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
            // Another object has replaced it since its size was read.
            size = meta.size;
        }
    }
}
