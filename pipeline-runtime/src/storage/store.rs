//! The operations of every store, and the dispatch to the stores.

use std::sync::Arc;

use bytes::Bytes;
use chrono::{DateTime, Utc};

use super::body::{Body, Span};
#[cfg(feature = "cloud")]
use super::cloud::Cloud;
use super::error::Failure;
use super::key::{Key, Prefix};
use super::local::{Local, LocalPages};
use super::memory::Memory;
use super::meta::Meta;
use super::pattern::Pattern;
use super::upload::Upload;
use super::watch::Poke;

/// The condition under which a put replaces an existing object.
#[derive(Debug, Clone)]
pub(super) enum Condition {
    Always,
    Absent,
    /// The object still has this etag.
    Match(String),
}

/// Which keys a listing looks for.
#[derive(Debug, Clone)]
pub(super) enum KeyFilter {
    Prefix(Prefix),
    Pattern(Pattern),
}

impl KeyFilter {
    pub(super) fn prefix(&self) -> &Prefix {
        match self {
            Self::Prefix(prefix) => prefix,
            Self::Pattern(pattern) => pattern.prefix(),
        }
    }

    pub(super) fn contains(&self, key: &str) -> bool {
        match self {
            Self::Prefix(prefix) => key.starts_with(prefix.as_str()),
            Self::Pattern(pattern) => pattern.matches(key),
        }
    }
}

/// One bucket's store. It is cheap to clone, so that each operation can own one.
#[derive(Debug, Clone)]
pub(super) enum Store {
    Memory(Memory),
    Local(Arc<Local>),
    #[cfg(feature = "cloud")]
    Cloud(Arc<Cloud>),
}

impl Store {
    /// True if operations end within their first poll, without a thread or a socket.
    pub(super) fn is_immediate(&self) -> bool {
        matches!(self, Self::Memory(_))
    }

    /// True if changes made by others can be watched.
    pub(super) fn is_watched(&self) -> bool {
        matches!(self, Self::Local(_))
    }

    /// Identifies the key's object, whichever bucket it is reached through. To be called after an operation on the key.
    pub(super) fn object_id(&self, key: &Key) -> String {
        match self {
            Self::Memory(memory) => memory.object_id(key),
            Self::Local(local) => local.object_id(key),
            #[cfg(feature = "cloud")]
            Self::Cloud(cloud) => cloud.object_id(&key.into()),
        }
    }

    /// Creates the bucket itself if it does not exist. A bucket in a cloud is never created.
    pub(super) async fn create(&self) -> Result<(), Failure> {
        match self {
            Self::Memory(_) => Ok(()),
            Self::Local(local) => local.create().await,
            #[cfg(feature = "cloud")]
            Self::Cloud(_) => Ok(()),
        }
    }

    /// Looks up one key. A store that can watch starts to watch the key for `poke` before it reads.
    pub(super) async fn head(&self, key: &Key, poke: Option<Poke>) -> Result<Option<Meta>, Failure> {
        match self {
            Self::Memory(memory) => Ok(memory.head(key)),
            Self::Local(local) => local.head(key, poke).await,
            #[cfg(feature = "cloud")]
            Self::Cloud(cloud) => Ok(cloud.head(&key.into()).await?.map(Meta::from)),
        }
    }

    /// All wanted objects, sorted by key. Watched as with [`head`](Self::head).
    pub(super) async fn list(&self, filter: KeyFilter, poke: Option<Poke>) -> Result<Vec<Meta>, Failure> {
        match self {
            Self::Memory(memory) => Ok(memory.list(&filter)),
            Self::Local(local) => local.list(filter, poke).await,
            #[cfg(feature = "cloud")]
            Self::Cloud(cloud) => Ok(cloud.list(&filter).await?.into_iter().map(Meta::from).collect()),
        }
    }

    /// The first wanted object by key. Watched as with [`head`](Self::head).
    pub(super) async fn first(&self, filter: KeyFilter, poke: Option<Poke>) -> Result<Option<Meta>, Failure> {
        match self {
            #[cfg(feature = "cloud")]
            Self::Cloud(cloud) => Ok(cloud.first(&filter).await?.map(Meta::from)),
            Self::Memory(memory) => Ok(memory.page(&filter, None, 1).pop()),
            // The walk ends with the first match, because keys come in order.
            Self::Local(local) => Ok(local.page(LocalPages::begin(filter, poke), 1).await?.0.pop()),
        }
    }

    /// The earliest `last_modified` that an object written at `since` or later may have, according to a listing that was just
    /// made.
    pub(super) fn earliest(&self, since: DateTime<Utc>) -> DateTime<Utc> {
        match self {
            #[cfg(feature = "cloud")]
            Self::Cloud(cloud) => cloud.earliest(since),
            _ => since,
        }
    }

    /// The folders directly under the prefix's folder whose names begin with the prefix; sorted, without the trailing `/`.
    pub(super) async fn folders(&self, prefix: Prefix) -> Result<Vec<Key>, Failure> {
        match self {
            Self::Memory(memory) => Ok(memory.folders(&prefix)),
            Self::Local(local) => local.folders(prefix).await,
            #[cfg(feature = "cloud")]
            Self::Cloud(cloud) => Ok(cloud.folders(&prefix).await?.into_iter().map(Key::from).collect()),
        }
    }

    pub(super) async fn get(&self, key: &Key) -> Result<Bytes, Failure> {
        match self {
            Self::Memory(memory) => memory.get(key),
            Self::Local(local) => local.get(key).await,
            #[cfg(feature = "cloud")]
            Self::Cloud(cloud) => cloud.get(&key.into()).await,
        }
    }

    /// The object as it is now, and its bytes in the span.
    pub(super) async fn open(&self, key: &Key, span: Span) -> Result<(Meta, Body), Failure> {
        match self {
            Self::Memory(memory) => memory.open(key, span),
            Self::Local(local) => local.open(key, span).await,
            #[cfg(feature = "cloud")]
            Self::Cloud(cloud) => {
                let (meta, body) = cloud.open(&key.into(), span).await?;
                Ok((meta.into(), body))
            }
        }
    }

    /// Begins an object, unless its condition can no longer hold.
    pub(super) async fn upload(&self, key: &Key, condition: Condition) -> Result<Upload, Failure> {
        match self {
            Self::Memory(memory) => memory.upload(key, condition),
            Self::Local(local) => local.upload(key, condition).await,
            #[cfg(feature = "cloud")]
            Self::Cloud(cloud) => cloud.upload(&key.into(), condition).await,
        }
    }

    pub(super) async fn put(&self, key: &Key, body: Bytes, condition: Condition) -> Result<Meta, Failure> {
        match self {
            Self::Memory(memory) => memory.put(key, body, &condition),
            Self::Local(local) => local.put(key, body, condition).await,
            #[cfg(feature = "cloud")]
            Self::Cloud(cloud) => Ok(cloud.put(&key.into(), body, condition).await?.into()),
        }
    }

    /// The copy is a new, independent object.
    pub(super) async fn copy(&self, from: &Key, to: &Key, condition: Condition) -> Result<Meta, Failure> {
        match self {
            Self::Memory(memory) => memory.copy(from, to, &condition),
            Self::Local(local) => local.copy(from, to, condition).await,
            #[cfg(feature = "cloud")]
            Self::Cloud(cloud) => Ok(cloud.copy(&from.into(), &to.into(), condition).await?.into()),
        }
    }

    /// Replaces `to`, which differs from `from`.
    pub(super) async fn rename(&self, from: &Key, to: &Key) -> Result<Meta, Failure> {
        match self {
            Self::Memory(memory) => memory.rename(from, to),
            Self::Local(local) => local.rename(from, to).await,
            #[cfg(feature = "cloud")]
            Self::Cloud(cloud) => Ok(cloud.rename(&from.into(), &to.into()).await?.into()),
        }
    }

    /// Removes the unfinished files of killed processes, and returns their number.
    pub(super) async fn collect(&self) -> Result<usize, Failure> {
        match self {
            Self::Memory(_) => Ok(0),
            Self::Local(local) => local.collect().await,
            #[cfg(feature = "cloud")]
            Self::Cloud(_) => Ok(0),
        }
    }

    /// A missing key is not an error.
    pub(super) async fn delete(&self, key: &Key) -> Result<(), Failure> {
        match self {
            Self::Memory(memory) => {
                memory.delete(key);
                Ok(())
            }
            Self::Local(local) => local.delete(key).await,
            #[cfg(feature = "cloud")]
            Self::Cloud(cloud) => cloud.delete(&key.into()).await,
        }
    }
}
