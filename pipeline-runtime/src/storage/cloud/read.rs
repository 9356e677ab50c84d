//! [`CloudBody`]: an object read as a stream, which resumes where a connection broke.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::stream::BoxStream;
use object_store::path::Path;
use object_store::{GetOptions, GetRange, ObjectMeta, ObjectStore};

use super::super::body::Span;
use super::super::error::{BucketErrorKind, Failure};
use super::Cloud;

/// The part of one object that is still to be read.
pub(in super::super) struct CloudBody {
    cloud: Arc<Cloud>,
    key: Path,
    /// As it was when the object was opened.
    meta: ObjectMeta,
    /// The positions of the next byte and of the end.
    at: u64,
    end: u64,
    stream: Option<BoxStream<'static, object_store::Result<Bytes>>>,
    /// Consecutive failures; each byte that arrives resets the count.
    failures: usize,
}

const FIRST_WAIT: Duration = Duration::from_millis(100);

pub(super) async fn open(cloud: &Arc<Cloud>, key: &Path, span: Span) -> Result<(ObjectMeta, CloudBody), Failure> {
    let body = |meta: &ObjectMeta, span: Span, stream| CloudBody {
        cloud: Arc::clone(cloud),
        key: key.clone(),
        meta: meta.clone(),
        at: span.start,
        end: span.end,
        stream,
        failures: 0,
    };
    // Stores reject an empty range, so only the metadata is read.
    if span.start < span.end {
        let options = GetOptions { range: range(span), ..GetOptions::default() };
        match cloud.client().await?.store.get_opts(key, options).await {
            Ok(found) => {
                cloud.note_existence();
                let meta = found.meta.clone();
                return Ok((meta.clone(), body(&meta, span.within(meta.size), Some(found.into_stream()))));
            }
            // Stores also reject a range behind the object's end, with various errors.
            Err(error) => {
                let failure = cloud.failure(&error);
                if span.start == 0 && span.end == u64::MAX || failure.kind() != BucketErrorKind::Other {
                    return Err(failure);
                }
            }
        }
    }
    let meta = cloud.head(key).await?.ok_or_else(Failure::no_such_key)?;
    let span = span.within(meta.size);
    Ok((meta.clone(), body(&meta, span, None)))
}

/// `None` if the store cannot answer, as for an empty object.
pub(super) async fn open_tail(cloud: &Arc<Cloud>, key: &Path, length: u64) -> Result<Option<(ObjectMeta, CloudBody)>, Failure> {
    if length == 0 {
        return Ok(None);
    }
    let options = GetOptions { range: Some(GetRange::Suffix(length)), ..GetOptions::default() };
    let found = match cloud.client().await?.store.get_opts(key, options).await {
        Ok(found) => found,
        Err(error) => match cloud.failure(&error) {
            failure if failure.kind() == BucketErrorKind::Other => return Ok(None),
            failure => return Err(failure),
        },
    };
    cloud.note_existence();
    let (meta, range) = (found.meta.clone(), found.range.clone());
    let (cloud, key, stream) = (Arc::clone(cloud), key.clone(), Some(found.into_stream()));
    Ok(Some((meta.clone(), CloudBody { cloud, key, meta, at: range.start, end: range.end, stream, failures: 0 })))
}

fn range(span: Span) -> Option<GetRange> {
    match (span.start, span.end) {
        (0, u64::MAX) => None,
        (start, u64::MAX) => Some(GetRange::Offset(start)),
        (start, end) => Some(GetRange::Bounded(start..end)),
    }
}

impl CloudBody {
    pub(in super::super) async fn next(&mut self) -> Result<Option<Bytes>, Failure> {
        while self.at < self.end {
            let Some(stream) = &mut self.stream else {
                self.stream = Some(self.reopened().await?);
                continue;
            };
            let broken = match stream.next().await {
                Some(Ok(chunk)) if chunk.is_empty() => continue,
                Some(Ok(chunk)) => {
                    // Never more than was requested, whatever the store sends.
                    let missing = usize::try_from(self.end - self.at).unwrap_or(usize::MAX);
                    let chunk = chunk.slice(..chunk.len().min(missing));
                    self.at += chunk.len() as u64;
                    self.failures = 0;
                    return Ok(Some(chunk));
                }
                Some(Err(error)) => self.cloud.failure(&error),
                None => Failure::new(BucketErrorKind::Network, "the store ended its answer early"),
            };
            self.stream = None;
            let passes = matches!(broken.kind(), BucketErrorKind::Network | BucketErrorKind::Throttled);
            if self.failures >= self.cloud.settings.retries || !passes {
                let detail = format!("the connection broke at byte {} of {}, again and again", self.at, self.end);
                return Err(Failure::new(broken.kind(), detail).because(broken));
            }
            tokio::time::sleep(FIRST_WAIT * 2_u32.pow(u32::try_from(self.failures).unwrap_or(0).min(5))).await;
            self.failures += 1;
        }
        Ok(None)
    }

    /// The rest of the object, if it is still the same object.
    async fn reopened(&mut self) -> Result<BoxStream<'static, object_store::Result<Bytes>>, Failure> {
        let options = GetOptions {
            range: Some(GetRange::Bounded(self.at..self.end)),
            if_match: self.meta.e_tag.clone(),
            ..GetOptions::default()
        };
        let replaced = || {
            let detail = "the object was replaced while it was read, and a connection broke; read it again";
            Failure::new(BucketErrorKind::PreconditionFailed, detail)
        };
        match self.cloud.client().await?.store.get_opts(&self.key, options).await {
            // Not every store checks the condition.
            Ok(found) if found.meta == self.meta && found.range == (self.at..self.end) => Ok(found.into_stream()),
            Ok(_) => Err(replaced()),
            Err(error) => match self.cloud.failure(&error) {
                failure if matches!(failure.kind(), BucketErrorKind::PreconditionFailed | BucketErrorKind::NoSuchKey) => {
                    Err(replaced())
                }
                failure => Err(failure),
            },
        }
    }
}
