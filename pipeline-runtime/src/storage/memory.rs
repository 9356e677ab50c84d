//! A bucket in memory: `object_store`'s, with listing by bytes.

use std::sync::Arc;

use bytes::Bytes;
use chrono::Utc;
use futures_util::TryStreamExt;
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{ObjectMeta, ObjectStore, ObjectStoreExt, PutMode, UpdateVersion};

use super::error::{BucketErrorKind, Failure};
use super::store::{Condition, Wanted};

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

    pub(super) async fn get(&self, key: &Path) -> Result<Bytes, Failure> {
        Ok(self.objects.get(key).await?.bytes().await?)
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

    pub(super) async fn copy(&self, from: &Path, to: &Path) -> Result<ObjectMeta, Failure> {
        self.objects.copy(from, to).await?;
        self.arrived(to).await
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
