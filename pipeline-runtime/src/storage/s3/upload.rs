//! [`S3Upload`]: an object written as a stream, which becomes a multipart upload once it is larger than a part.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use object_store::aws::AmazonS3;
use object_store::multipart::{MultipartStore, PartId};
use object_store::path::Path;
use object_store::{ObjectMeta, PutMultipartOptions};

use super::super::error::{BucketErrorKind, Failure};
use super::super::store::Condition;
use super::S3;
use super::settle::Mark;

/// The size of the first parts. S3 takes no smaller ones than 5 MiB, but the last.
const PART: usize = 8 << 20;
/// After that many parts they become twice as large, as there may be 10,000 of them: 8 GiB in parts of 8 MiB, 5 TiB in all.
const PARTS_OF_ONE_SIZE: usize = 1000;

pub(in super::super) struct S3Upload {
    s3: Arc<S3>,
    key: Path,
    condition: Condition,
    mark: Mark,
    written: u64,
    parts: Vec<PartId>,
    /// Begun with the first full part.
    begun: Option<Begun>,
}

/// A multipart upload at the store, aborted when it is dropped.
struct Begun {
    s3: Arc<AmazonS3>,
    key: Path,
    id: String,
    is_ours: bool,
}

impl S3Upload {
    /// Fails if the condition cannot hold any more, before anything is sent.
    pub(in super::super) async fn begin(s3: &Arc<S3>, key: &Path, condition: Condition) -> Result<Self, Failure> {
        match &condition {
            // It shows at the end, and costs nothing until then.
            Condition::Always => {}
            Condition::Absent => {
                if s3.head(key).await?.is_some() {
                    return Err(Failure::already_exists());
                }
            }
            Condition::Match(etag) => {
                if s3.head(key).await?.and_then(|now| now.e_tag).as_ref() != Some(etag) {
                    return Err(Failure::precondition());
                }
            }
        }
        let (s3, key, mark) = (Arc::clone(s3), key.clone(), Mark::new(&condition));
        Ok(Self { s3, key, condition, mark, written: 0, parts: Vec::new(), begun: None })
    }

    pub(in super::super) fn part_size(&self) -> usize {
        PART << (self.parts.len() / PARTS_OF_ONE_SIZE)
    }

    pub(in super::super) async fn write(&mut self, part: Bytes) -> Result<(), Failure> {
        let client = self.s3.client().await?;
        if self.begun.is_none() {
            let options = PutMultipartOptions { attributes: self.mark.attributes(), ..PutMultipartOptions::default() };
            let id = client.s3.create_multipart_opts(&self.key, options).await.map_err(|error| self.s3.failure(&error))?;
            self.begun = Some(Begun { s3: Arc::clone(&client.s3), key: self.key.clone(), id, is_ours: true });
        }
        let Some(begun) = &self.begun else { return Err(Failure::cut_off()) };
        let size = part.len() as u64;
        let put = client.s3.put_part(&self.key, &begun.id, self.parts.len(), part.into()).await;
        self.parts.push(put.map_err(|error| self.s3.failure(&error))?);
        self.written += size;
        Ok(())
    }

    pub(in super::super) async fn finish(mut self, last: Bytes) -> Result<ObjectMeta, Failure> {
        if self.begun.is_none() {
            return self.s3.put(&self.key, last, self.condition.clone()).await;
        }
        if !last.is_empty() {
            self.write(last).await?;
        }
        let Some(mut begun) = self.begun.take() else { return Err(Failure::cut_off()) };
        let client = self.s3.client().await?;
        let write = client.under_way.watch(&begun.id, self.mark.demand());
        let completed = client.s3.complete_multipart(&self.key, &begun.id, std::mem::take(&mut self.parts)).await;
        match completed {
            Ok(put) => {
                begun.is_ours = false;
                self.s3.written(&self.key, self.written, put.e_tag).await
            }
            Err(error) => {
                let failure = self.s3.conflict(&error, &self.condition);
                let settled = self.s3.settle(&self.key, &self.mark, &write, failure).await.finally();
                begun.is_ours = settled.is_err();
                settled
            }
        }
    }

    pub(in super::super) async fn abort(mut self) -> Result<(), Failure> {
        let Some(mut begun) = self.begun.take() else { return Ok(()) };
        begun.is_ours = false;
        match begun.s3.abort_multipart(&begun.key, &begun.id).await {
            Ok(()) => Ok(()),
            Err(error) => match self.s3.failure(&error) {
                failure if failure.kind() == BucketErrorKind::NoSuchKey => Ok(()),
                failure => Err(failure),
            },
        }
    }
}

impl Drop for Begun {
    fn drop(&mut self) {
        // Without a runtime there is nobody to do it; the bucket's lifecycle rule will.
        if self.is_ours
            && let Ok(runtime) = tokio::runtime::Handle::try_current()
        {
            let (s3, key, id) = (Arc::clone(&self.s3), self.key.clone(), self.id.clone());
            runtime.spawn(async move {
                // Nobody waits for it, and the rule is there for this as well.
                let _ = s3.abort_multipart(&key, &id).await;
            });
        }
    }
}

impl fmt::Debug for S3Upload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("S3Upload").field("key", &self.key).field("written", &self.written).finish_non_exhaustive()
    }
}
