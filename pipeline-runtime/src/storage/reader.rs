//! [`ObjectReader`]: an object's contents as a stream, and the operations that open one.

use std::fmt;
use std::io;
use std::ops::RangeBounds;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes, BytesMut};
use futures_util::future::BoxFuture;
use futures_util::{Stream, StreamExt};
use tokio::io::{AsyncRead, ReadBuf};

use super::body::{Body, Span};
use super::bucket::Bucket;
use super::error::BucketError;
use super::object::Object;
use super::store::Store;
use super::world::Timestamper;

/// An object being read, chunk by chunk: returned by [`Bucket::get_stream`].
///
/// It is a [`Stream`] of chunks and an [`AsyncRead`]; [`chunk`](Self::chunk) needs neither trait. It holds one chunk, of at most
/// a few hundred KiB, however large the object is. All chunks are of the object that existed when it was opened, even if that is
/// replaced meanwhile. It ends after the last byte or with an error: a part never passes for the whole.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> std::result::Result<(), pipeline_runtime::BucketError> {
/// use pipeline_runtime::Bucket;
///
/// let bucket = Bucket::open("memory://docs-reader")?;
/// bucket.put("raw/a.csv", "1,2\n3,4\n").await?;
/// let mut reader = bucket.get_stream("raw/a.csv").await?;
/// let mut lines = 0;
/// while let Some(chunk) = reader.chunk().await? {
///     lines += chunk.iter().filter(|byte| **byte == b'\n').count();
/// }
/// assert_eq!((lines, reader.object().size), (2, 8));
/// # Ok(())
/// # }
/// ```
pub struct ObjectReader {
    bucket: Bucket,
    object: Object,
    doing: String,
    state: State,
    /// What [`AsyncRead`] has not handed out yet.
    chunk: Bytes,
}

enum State {
    Idle(Body),
    Reading(BoxFuture<'static, Result<(Body, Option<Bytes>), BucketError>>),
    Ended,
}

impl Bucket {
    /// A part of the object's contents: the bytes of the range that exist, none if the range lies behind the end.
    ///
    /// Fails like [`get`](Self::get).
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> std::result::Result<(), pipeline_runtime::BucketError> {
    /// use pipeline_runtime::Bucket;
    ///
    /// let bucket = Bucket::open("memory://docs-range")?;
    /// bucket.put("raw/a.csv", "id,total\n1,2\n").await?;
    /// assert_eq!(bucket.get_range("raw/a.csv", ..8).await?, "id,total");
    /// assert_eq!(bucket.get_range("raw/a.csv", 9..100).await?, "1,2\n");
    /// # Ok(())
    /// # }
    /// ```
    pub async fn get_range(&self, key: &str, range: impl RangeBounds<u64>) -> Result<Bytes, BucketError> {
        let mut reader = self.get_stream_range(key, range).await?;
        let mut contents = BytesMut::new();
        while let Some(chunk) = reader.chunk().await? {
            contents.extend_from_slice(&chunk);
        }
        Ok(contents.freeze())
    }

    /// The object's contents as a stream, for objects that are too large for memory.
    ///
    /// Fails like [`get`](Self::get).
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> std::result::Result<(), pipeline_runtime::BucketError> {
    /// use pipeline_runtime::Bucket;
    ///
    /// let bucket = Bucket::open("memory://docs-get-stream")?;
    /// bucket.put("raw/a.csv", "1,2").await?;
    /// let (mut from, mut to) = (bucket.get_stream("raw/a.csv").await?, bucket.put_stream("archive/a.csv").await?);
    /// while let Some(chunk) = from.chunk().await? {
    ///     to.write(chunk).await?;
    /// }
    /// assert_eq!(to.finish().await?.size, from.object().size);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn get_stream(&self, key: &str) -> Result<ObjectReader, BucketError> {
        self.get_stream_range(key, ..).await
    }

    /// A part of the object's contents as a stream, such as the rest of an object that was partly read. Compare the etag of
    /// [`ObjectReader::object`] to see that it is still the same object.
    ///
    /// Fails like [`get`](Self::get).
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> std::result::Result<(), pipeline_runtime::BucketError> {
    /// use pipeline_runtime::Bucket;
    ///
    /// let bucket = Bucket::open("memory://docs-get-stream-range")?;
    /// let before = bucket.put("raw/a.csv", "1,2,3").await?;
    /// let mut rest = bucket.get_stream_range("raw/a.csv", 4..).await?;
    /// assert_eq!(rest.object().etag, before.etag);
    /// assert_eq!(rest.chunk().await?.unwrap_or_default(), "3");
    /// # Ok(())
    /// # }
    /// ```
    pub async fn get_stream_range(&self, key: &str, range: impl RangeBounds<u64>) -> Result<ObjectReader, BucketError> {
        let key = self.key(key)?;
        let span = Span::of(&range);
        let doing = self.doing("read", &key);
        let open = |store: Store, timestamper: Timestamper| async move {
            let (mut meta, body) = store.open(&key, span).await?;
            timestamper.read(&store, std::slice::from_mut(&mut meta));
            Ok((meta, body))
        };
        let (meta, body) = self.run(&doing, open).await?;
        Ok(ObjectReader::new(self.clone(), Object::of(self.name(), meta), doing, body))
    }
}

impl ObjectReader {
    pub(super) fn new(bucket: Bucket, object: Object, doing: String, body: Body) -> Self {
        Self { bucket, object, doing, state: State::Idle(body), chunk: Bytes::new() }
    }

    /// The object as it was when it was opened: its etag belongs to the bytes that are read.
    pub fn object(&self) -> &Object {
        &self.object
    }

    /// The next bytes, at least one; `None` at the end, and after an error.
    ///
    /// Fails if the store does, after the retries of its settings. Dropping the future loses nothing.
    pub async fn chunk(&mut self) -> Result<Option<Bytes>, BucketError> {
        self.next().await.transpose()
    }

    fn poll_chunk(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, BucketError>>> {
        loop {
            match std::mem::replace(&mut self.state, State::Ended) {
                State::Ended => return Poll::Ready(None),
                State::Idle(body) => self.state = State::Reading(read(self.bucket.clone(), self.doing.clone(), body)),
                State::Reading(mut reading) => match reading.as_mut().poll(cx) {
                    Poll::Pending => {
                        self.state = State::Reading(reading);
                        return Poll::Pending;
                    }
                    Poll::Ready(Ok((body, Some(chunk)))) => {
                        self.state = State::Idle(body);
                        return Poll::Ready(Some(Ok(chunk)));
                    }
                    Poll::Ready(Ok((_, None))) => return Poll::Ready(None),
                    Poll::Ready(Err(error)) => return Poll::Ready(Some(Err(error))),
                },
            }
        }
    }
}

fn read(bucket: Bucket, doing: String, mut body: Body) -> BoxFuture<'static, Result<(Body, Option<Bytes>), BucketError>> {
    Box::pin(async move {
        let next = |_, _| async move {
            let chunk = body.next().await?;
            Ok((body, chunk))
        };
        bucket.perform(next).await.map_err(|failure| failure.at(&doing))
    })
}

impl Stream for ObjectReader {
    type Item = Result<Bytes, BucketError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.chunk.is_empty() {
            return self.poll_chunk(cx);
        }
        Poll::Ready(Some(Ok(std::mem::take(&mut self.chunk))))
    }
}

impl AsyncRead for ObjectReader {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if self.chunk.is_empty() {
            match ready!(self.poll_chunk(cx)) {
                None => return Poll::Ready(Ok(())),
                Some(Ok(chunk)) => self.chunk = chunk,
                Some(Err(error)) => return Poll::Ready(Err(io::Error::other(error))),
            }
        }
        let length = self.chunk.len().min(into.remaining());
        into.put_slice(&self.chunk[..length]);
        self.chunk.advance(length);
        Poll::Ready(Ok(()))
    }
}

impl fmt::Debug for ObjectReader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ObjectReader").field(&self.object).finish()
    }
}
