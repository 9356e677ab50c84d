//! A bucket in memory: `object_store`'s, with listing by bytes.

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use chrono::Utc;
use futures_util::TryStreamExt;
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{ObjectMeta, ObjectStore, ObjectStoreExt, PutMode, UpdateVersion};

use super::body::{Body, Span};
use super::error::{BucketErrorKind, Failure};
use super::key::Prefix;
use super::store::{Condition, Wanted};
use super::upload::{MemoryUpload, Upload};

/// Clones share their objects.
#[derive(Debug, Clone)]
pub(super) struct Memory {
    url: Arc<str>,
    objects: InMemory,
}

impl Memory {
    pub(super) fn new(url: String) -> Self {
        Self { url: url.into(), objects: InMemory::new() }
    }

    pub(super) fn place(&self, key: &Path) -> String {
        format!("{}/{key}", self.url)
    }

    pub(super) async fn head(&self, key: &Path) -> Result<Option<ObjectMeta>, Failure> {
        match self.objects.head(key).await {
            Ok(meta) => Ok(Some(meta)),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    pub(super) async fn list(&self, wanted: &Wanted) -> Result<Vec<ObjectMeta>, Failure> {
        let folder = Path::parse(wanted.prefix().folder()).map_err(object_store::Error::from)?;
        let listed = self.objects.list(Some(&folder)).try_filter(|meta| {
            let found = wanted.contains(meta.location.as_ref());
            async move { found }
        });
        let mut found: Vec<_> = listed.try_collect().await?;
        found.sort_unstable_by(|a, b| a.location.cmp(&b.location));
        Ok(found)
    }

    pub(super) async fn folders(&self, prefix: &Prefix) -> Result<Vec<Path>, Failure> {
        let folder = Path::parse(prefix.folder()).map_err(object_store::Error::from)?;
        let mut folders = self.objects.list_with_delimiter(Some(&folder)).await?.common_prefixes;
        folders.retain(|folder| folder.as_ref().starts_with(prefix.as_str()));
        folders.sort_unstable();
        Ok(folders)
    }

    pub(super) async fn get(&self, key: &Path) -> Result<Bytes, Failure> {
        Ok(self.objects.get(key).await?.bytes().await?)
    }

    pub(super) async fn open(&self, key: &Path, span: Span) -> Result<(ObjectMeta, Body), Failure> {
        let found = self.objects.get(key).await?;
        let meta = found.meta.clone();
        let whole = found.bytes().await?;
        let span = span.within(meta.size);
        // It is in memory, so its size is a `usize`.
        let at = |place: u64| usize::try_from(place).unwrap_or(usize::MAX);
        Ok((meta, Body::Memory(whole.slice(at(span.start)..at(span.end)))))
    }

    pub(super) async fn upload(&self, key: &Path, condition: Condition) -> Result<Upload, Failure> {
        let now = self.head(key).await?;
        match (&condition, now) {
            (Condition::Absent, Some(_)) => return Err(Failure::already_exists()),
            (Condition::Match(etag), now) if now.as_ref().and_then(|now| now.e_tag.as_ref()) != Some(etag) => {
                return Err(Failure::precondition());
            }
            _ => {}
        }
        let (memory, key) = (self.clone(), key.clone());
        Ok(Upload::Memory(MemoryUpload { memory, key, condition, written: BytesMut::new() }))
    }

    pub(super) async fn put(&self, key: &Path, body: Bytes, condition: Condition) -> Result<ObjectMeta, Failure> {
        let size = body.len() as u64;
        let mode = match condition {
            Condition::Always => PutMode::Overwrite,
            Condition::Absent => PutMode::Create,
            Condition::Match(etag) => PutMode::Update(UpdateVersion { e_tag: Some(etag), version: None }),
        };
        let put = self.objects.put_opts(key, body.into(), mode.into()).await?;
        // Somebody may have replaced the object since; another's etag must not pass for ours.
        let seen = self.head(key).await?.filter(|seen| seen.e_tag == put.e_tag);
        Ok(seen.unwrap_or_else(|| ObjectMeta {
            location: key.clone(),
            last_modified: Utc::now(),
            size,
            e_tag: put.e_tag,
            version: put.version,
        }))
    }

    pub(super) async fn copy(&self, from: &Path, to: &Path, condition: Condition) -> Result<ObjectMeta, Failure> {
        if matches!(condition, Condition::Always) {
            self.objects.copy(from, to).await?;
            return self.arrived(to).await;
        }
        let body = self.get(from).await?;
        self.put(to, body, condition).await
    }

    pub(super) async fn rename(&self, from: &Path, to: &Path) -> Result<ObjectMeta, Failure> {
        self.objects.rename(from, to).await?;
        self.arrived(to).await
    }

    pub(super) async fn delete(&self, key: &Path) -> Result<(), Failure> {
        Ok(self.objects.delete(key).await?)
    }

    async fn arrived(&self, to: &Path) -> Result<ObjectMeta, Failure> {
        let vanished = "it was done, and somebody deleted the new key right away";
        self.head(to).await?.ok_or_else(|| Failure::new(BucketErrorKind::NoSuchKey, vanished))
    }
}
