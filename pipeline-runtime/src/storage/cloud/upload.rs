//! [`CloudUpload`]: an object written as a stream, which becomes a multipart upload once it is larger than one part.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use object_store::multipart::PartId;
use object_store::path::Path;
use object_store::{ObjectMeta, PutMultipartOptions, PutResult};

use super::super::error::{BucketErrorKind, Failure};
use super::super::store::Condition;
use super::Cloud;
use super::client::{Client, Objects};
use super::conditions::WriteMethod;
use super::put::Refusals;
use super::vendor::Vendor;
use super::write_outcome::{ConditionHeader, Mark, WriteOutcome};

/// After this many parts their size doubles, repeatedly, up to the largest: AWS allows 10,000 parts, Swift 1,000.
const PARTS_OF_ONE_SIZE: usize = 250;
/// A part is held in memory.
const LARGEST_PART: usize = 1 << 30;

pub(in super::super) struct CloudUpload {
    cloud: Arc<Cloud>,
    key: Path,
    condition: Condition,
    /// Identifies the write, and carries the condition that the store has to enforce.
    mark: Mark,
    written: u64,
    parts: Vec<PartId>,
    /// `Some` once the first full part has been written.
    multipart: Option<MultipartUpload>,
}

/// A multipart upload at the store, aborted when it is dropped.
struct MultipartUpload {
    store: Arc<dyn Objects>,
    key: Path,
    id: String,
    is_ours: bool,
}

impl CloudUpload {
    /// Fails if the condition can no longer hold, before anything is sent.
    pub(in super::super) async fn begin(cloud: &Arc<Cloud>, key: &Path, condition: Condition) -> Result<Self, Failure> {
        // Whether the store supports the condition is only probed with the first full part.
        cloud.check_condition(key, &condition).await?;
        Ok(Self::not_begun(cloud, key, condition))
    }

    pub(super) fn not_begun(cloud: &Arc<Cloud>, key: &Path, condition: Condition) -> Self {
        let mark = Mark::new(if cloud.settings.has_conditions { &condition } else { &Condition::Always });
        let (cloud, key) = (Arc::clone(cloud), key.clone());
        Self { cloud, key, condition, mark, written: 0, parts: Vec::new(), multipart: None }
    }

    pub(in super::super) fn part_size(&self) -> usize {
        part_size(self.cloud.settings.part_size, self.parts.len())
    }

    pub(in super::super) async fn write(&mut self, part: Bytes) -> Result<(), Failure> {
        if self.multipart.is_none() {
            if self.cloud.settings.has_conditions {
                self.cloud.require_enforced(WriteMethod::Complete, &self.key, &self.condition).await?;
            }
            self.create().await?;
        }
        let client = self.cloud.client().await?;
        let Some(multipart) = &self.multipart else { return Err(Failure::cut_off()) };
        let size = part.len() as u64;
        let put = client.store.put_part(&self.key, &multipart.id, self.parts.len(), part.into()).await;
        self.add(put.map_err(|error| self.cloud.failure(&error))?, size);
        Ok(())
    }

    /// Begins the upload at the store.
    pub(super) async fn create(&mut self) -> Result<String, Failure> {
        let client = self.cloud.client().await?;
        let id = self.cloud.begin_parts(client, &self.key, &self.mark).await.map_err(|error| self.cloud.failure(&error))?;
        self.multipart =
            Some(MultipartUpload { store: Arc::clone(&client.store), key: self.key.clone(), id: id.clone(), is_ours: true });
        Ok(id)
    }

    /// Adds a part that the store has.
    pub(super) fn add(&mut self, part: PartId, size: u64) {
        self.parts.push(part);
        self.written += size;
    }

    pub(in super::super) async fn finish(mut self, last: Bytes) -> Result<ObjectMeta, Failure> {
        if self.multipart.is_none() {
            return self.cloud.put(&self.key, last, self.condition.clone()).await;
        }
        if !last.is_empty() {
            self.write(last).await?;
        }
        let Some(mut multipart) = self.multipart.take() else { return Err(Failure::cut_off()) };
        let client = self.cloud.client().await?;
        let condition = self.cloud.enforced_condition(&self.key, self.condition.clone()).await?;
        let mut refusals = Refusals::new(WriteMethod::Complete, client.facts.spelling(WriteMethod::Complete));
        let mut refused = None;
        let outcome = loop {
            let condition_header = self.mark.condition_header(refusals.spelling);
            let write = client.pending_writes.watch(&multipart.id, condition_header.clone());
            let error = match self
                .cloud
                .end_parts(client, &self.key, &multipart.id, self.parts.clone(), (&self.mark, condition_header))
                .await
            {
                Ok(put) => {
                    multipart.is_ours = false;
                    return self
                        .cloud
                        .written(&self.key, self.written, self.cloud.settings.vendor.etag(put), Some(&self.mark))
                        .await;
                }
                Err(error) => error,
            };
            let failure = self.cloud.conflict(&error, &condition);
            match (self.cloud.outcome_of(&self.key, &self.mark, &write, failure).await, refused.take()) {
                (WriteOutcome::Refused(failure), _) => match refusals.may_be_retried(&self.cloud, &self.key, &condition).await {
                    Ok(true) => refused = Some(failure),
                    Ok(false) => break Err(failure),
                    Err(unsupported) => break Err(unsupported),
                },
                // The store drops the upload when it refuses its completion.
                (WriteOutcome::Failed(gone), Some(refused)) if gone.kind() == BucketErrorKind::NoSuchKey => break Err(refused),
                (outcome, _) => break outcome.into_result(),
            }
        };
        multipart.is_ours = outcome.is_err();
        outcome
    }

    pub(in super::super) async fn abort(mut self) -> Result<(), Failure> {
        let Some(mut multipart) = self.multipart.take() else { return Ok(()) };
        multipart.is_ours = false;
        match multipart.store.abort_multipart(&multipart.key, &multipart.id).await {
            Ok(()) => Ok(()),
            Err(error) => match self.cloud.failure(&error) {
                failure if failure.kind() == BucketErrorKind::NoSuchKey => Ok(()),
                failure => Err(failure),
            },
        }
    }
}

impl Cloud {
    /// Begins an upload in parts. On Azure nothing has to be begun; its id is the mark's number.
    pub(super) async fn begin_parts(&self, client: &Client, key: &Path, mark: &Mark) -> object_store::Result<String> {
        if self.settings.vendor == Vendor::Azure {
            return Ok(mark.number().to_owned());
        }
        let options = PutMultipartOptions { attributes: mark.attributes(self.settings.vendor), ..PutMultipartOptions::default() };
        client.store.create_multipart_opts(key, options).await
    }

    /// Combines the parts into the object.
    pub(super) async fn end_parts(
        &self,
        client: &Client,
        key: &Path,
        id: &str,
        parts: Vec<PartId>,
        (mark, condition_header): (&Mark, Option<ConditionHeader>),
    ) -> object_store::Result<PutResult> {
        #[cfg(feature = "azure")]
        if let Some(azure) = &client.azure {
            return azure.put_block_list(client, key, &parts, mark, condition_header).await;
        }
        // The HTTP layer adds both.
        let _ = (mark, condition_header);
        client.store.complete_multipart(key, &id.to_owned(), parts).await
    }
}

/// The size of the part with this number, given the first part's size.
fn part_size(first: usize, parts: usize) -> usize {
    let doublings = (parts / PARTS_OF_ONE_SIZE).min(7);
    first.saturating_mul(1 << doublings).min(LARGEST_PART.max(first))
}

impl Drop for MultipartUpload {
    fn drop(&mut self) {
        // Without a runtime it cannot be aborted; the bucket's lifecycle rule does it.
        if self.is_ours
            && let Ok(runtime) = tokio::runtime::Handle::try_current()
        {
            let (store, key, id) = (Arc::clone(&self.store), self.key.clone(), self.id.clone());
            runtime.spawn(async move {
                // Nothing waits for it, and the lifecycle rule covers a failure, too.
                let _ = store.abort_multipart(&key, &id).await;
            });
        }
    }
}

impl fmt::Debug for CloudUpload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CloudUpload").field("key", &self.key).field("written", &self.written).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_grow_so_that_their_number_is_enough() {
        const FIRST: usize = 8 << 20;
        let all = |parts: usize| (0..parts).map(|number| part_size(FIRST, number) as u64).sum::<u64>();
        assert_eq!([0, 249, 250].map(|number| part_size(FIRST, number)), [FIRST, FIRST, 2 * FIRST]);
        assert!(all(1000) > 29 << 30, "Swift's most");
        assert!(all(10_000) > 5 << 40, "AWS's largest object");
        assert_eq!(part_size(FIRST, 9_999), LARGEST_PART);
        assert_eq!(part_size(3 << 30, 9_999), 3 << 30);
    }
}
