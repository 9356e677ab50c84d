//! Objects that are written in one request, and copies that go through this process.

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use chrono::Utc;
use object_store::path::Path;
use object_store::{ObjectMeta, ObjectStoreExt, PutMode, PutOptions, UpdateVersion};

use super::super::body::Span;
use super::super::error::{BucketErrorKind, Failure};
use super::super::store::Condition;
use super::conditions::{Spelling, WriteMethod};
use super::retries::LostAnswerRetries;
use super::write_outcome::{Mark, WriteOutcome};
use super::{Cloud, CloudUpload, read};

/// How often a refused write is sent again although its condition holds. A race of several writers is over by then.
const MOST_REFUSALS: usize = 3;

/// For one write: how often it was refused although its condition holds, and how the store expects the etag to be spelled.
pub(super) struct Refusals {
    method: WriteMethod,
    count: usize,
    pub(super) spelling: Spelling,
}

impl Refusals {
    pub(super) fn new(method: WriteMethod, spelling: Spelling) -> Self {
        Self { method, count: 0, spelling }
    }

    /// Returns whether to send a refused write again; fails if no spelling of its condition is accepted.
    pub(super) async fn may_be_retried(
        &mut self,
        cloud: &Arc<Cloud>,
        key: &Path,
        condition: &Condition,
    ) -> Result<bool, Failure> {
        self.count += 1;
        if self.count <= MOST_REFUSALS {
            return Ok(true);
        }
        if self.count > MOST_REFUSALS + 1 || !matches!(condition, Condition::Match(_)) {
            return Ok(false);
        }
        let spelling = cloud.etag_spelling(self.method, key).await?;
        Ok(std::mem::replace(&mut self.spelling, spelling) != spelling)
    }
}

impl Cloud {
    pub(in super::super) async fn put(
        self: &Arc<Self>,
        key: &Path,
        body: Bytes,
        condition: Condition,
    ) -> Result<ObjectMeta, Failure> {
        let client = self.client().await?;
        let size = body.len() as u64;
        let condition = self.enforced_condition(key, condition).await?;
        if matches!(condition, Condition::Always) {
            // It is idempotent, so `object_store` retries it freely.
            let put = client.store.put(key, body.into()).await.map_err(|error| self.failure(&error))?;
            return self.written(key, size, self.settings.vendor.etag(put), None).await;
        }
        self.require_enforced(WriteMethod::Put, key, &condition).await?;
        let mark = Mark::new(&condition);
        let write = client.pending_writes.watch(mark.number(), None);
        let mut retries = LostAnswerRetries::within(&self.settings);
        let mut refusals = Refusals::new(WriteMethod::Put, client.facts.spelling(WriteMethod::Put));
        loop {
            let mode = match &condition {
                Condition::Match(etag) => {
                    let version = self.settings.vendor.version(etag);
                    PutMode::Update(UpdateVersion { e_tag: Some(refusals.spelling.of(etag).to_owned()), version })
                }
                _ => PutMode::Create,
            };
            let options = PutOptions { mode, attributes: mark.attributes(self.settings.vendor), ..PutOptions::default() };
            let error = match client.store.put_opts(key, body.clone().into(), options).await {
                Ok(put) => return self.written(key, size, self.settings.vendor.etag(put), Some(&mark)).await,
                Err(error) => error,
            };
            match self.outcome_of(key, &mark, &write, self.conflict(&error, &condition)).await {
                WriteOutcome::NotYet(_) if retries.after(&error).await => {}
                WriteOutcome::Refused(failure) => {
                    if !refusals.may_be_retried(self, key, &condition).await? {
                        return Err(failure);
                    }
                }
                outcome => return outcome.into_result(),
            }
        }
    }

    /// The condition that the store has to enforce. If its conditions cannot be relied upon, checks the condition now instead.
    pub(super) async fn enforced_condition(&self, key: &Path, condition: Condition) -> Result<Condition, Failure> {
        if self.settings.has_conditions {
            return Ok(condition);
        }
        self.check_condition(key, &condition).await?;
        Ok(Condition::Always)
    }

    /// Fails if the condition does not hold now.
    pub(super) async fn check_condition(&self, key: &Path, condition: &Condition) -> Result<(), Failure> {
        match condition {
            Condition::Absent if self.head(key).await?.is_some() => Err(Failure::already_exists()),
            Condition::Match(etag) if self.head(key).await?.and_then(|now| now.e_tag).as_ref() != Some(etag) => {
                Err(Failure::precondition())
            }
            _ => Ok(()),
        }
    }

    /// Copies through this process: the store's own copy carries no mark, so that after a lost answer its origin would be
    /// unknown.
    pub(super) async fn copy_through_process(
        self: &Arc<Self>,
        from: &Path,
        to: &Path,
        condition: Condition,
    ) -> Result<ObjectMeta, Failure> {
        let (_, mut body) = read::open(self, from, Span::of(&..)).await?;
        let mut upload = CloudUpload::begin(self, to, condition).await?;
        let mut gathered = BytesMut::new();
        while let Some(mut chunk) = body.next().await? {
            while gathered.len() + chunk.len() >= upload.part_size() {
                gathered.extend_from_slice(&chunk.split_to(upload.part_size() - gathered.len()));
                upload.write(gathered.split().freeze()).await?;
            }
            gathered.extend_from_slice(&chunk);
        }
        upload.finish(gathered.freeze()).await
    }

    /// The failure of a write, in terms of its condition.
    pub(super) fn conflict(&self, error: &object_store::Error, condition: &Condition) -> Failure {
        let failure = self.failure(error);
        match (condition, failure.kind()) {
            (Condition::Absent, BucketErrorKind::PreconditionFailed) => Failure::already_exists(),
            (Condition::Match(_), BucketErrorKind::NoSuchKey) => Failure::precondition(),
            _ => failure,
        }
    }

    /// The object just written, with the store's own time. An object that has replaced it since must not be returned.
    pub(super) async fn written(
        &self,
        key: &Path,
        size: u64,
        e_tag: Option<String>,
        mark: Option<&Mark>,
    ) -> Result<ObjectMeta, Failure> {
        // Ceph 16 returns no etag when an upload in parts is completed. Then its mark identifies the object; without a mark the
        // current object is taken for it if the size is the same.
        let e_tag = e_tag.filter(|etag| !etag.trim_matches('"').is_empty());
        let current = match (mark, &e_tag) {
            (Some(mark), None) => {
                self.limited(self.get_meta(key)).await?.filter(|found| mark.is_on(found)).map(|found| found.meta)
            }
            (None, None) => self.head(key).await?.filter(|current| current.size == size),
            (_, Some(_)) => self.head(key).await?.filter(|current| current.e_tag == e_tag),
        };
        let last_modified = || self.client.get().map_or_else(Utc::now, |client| client.facts.clock.now());
        Ok(current.unwrap_or_else(|| ObjectMeta {
            location: key.clone(),
            last_modified: last_modified(),
            size,
            e_tag,
            version: None,
        }))
    }
}
