//! What every store can do, and which store does it.

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

/// Under which condition a put replaces what is there.
#[derive(Debug, Clone)]
pub(super) enum Condition {
    Always,
    Absent,
    /// The object still has this etag.
    Match(String),
}

/// Which keys a listing is after.
#[derive(Debug, Clone)]
pub(super) enum Wanted {
    Prefix(Prefix),
    Pattern(Pattern),
}

impl Wanted {
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

/// One bucket's store. Cheap to clone, so that an operation owns what it works on.
#[derive(Debug, Clone)]
pub(super) enum Store {
    Memory(Memory),
    Local(Arc<Local>),
    #[cfg(feature = "cloud")]
    Cloud(Arc<Cloud>),
}

impl Store {
    /// Whether operations end within their first poll, without a thread or a socket.
    pub(super) fn is_immediate(&self) -> bool {
        matches!(self, Self::Memory(_))
    }

    /// Whether changes that others make can be watched.
    pub(super) fn is_watched(&self) -> bool {
        matches!(self, Self::Local(_))
    }

    /// Where the key is, whichever bucket it is reached through. To be asked after an operation on the key.
    pub(super) fn place(&self, key: &Key) -> String {
        match self {
            Self::Memory(memory) => memory.place(key),
            Self::Local(local) => local.place(key),
            #[cfg(feature = "cloud")]
            Self::Cloud(cloud) => cloud.place(&key.into()),
        }
    }

    /// Makes the bucket itself, if it does not exist and that is for us to do.
    pub(super) async fn create(&self) -> Result<(), Failure> {
        match self {
            Self::Memory(_) => Ok(()),
            Self::Local(local) => local.create().await,
            #[cfg(feature = "cloud")]
            Self::Cloud(_) => Ok(()),
        }
    }

    /// One look at one key. A store that can watches it for the poke that looks, from before it does.
    pub(super) async fn head(&self, key: &Key, poke: Option<Poke>) -> Result<Option<Meta>, Failure> {
        match self {
            Self::Memory(memory) => Ok(memory.head(key)),
            Self::Local(local) => local.head(key, poke).await,
            #[cfg(feature = "cloud")]
            Self::Cloud(cloud) => Ok(cloud.head(&key.into()).await?.map(Meta::from)),
        }
    }

    /// All wanted objects, sorted by key. Watched as with [`head`](Self::head).
    pub(super) async fn list(&self, wanted: Wanted, poke: Option<Poke>) -> Result<Vec<Meta>, Failure> {
        match self {
            Self::Memory(memory) => Ok(memory.list(&wanted)),
            Self::Local(local) => local.list(wanted, poke).await,
            #[cfg(feature = "cloud")]
            Self::Cloud(cloud) => Ok(cloud.list(&wanted).await?.into_iter().map(Meta::from).collect()),
        }
    }

    /// The first wanted object by key. Watched as with [`head`](Self::head).
    pub(super) async fn first(&self, wanted: Wanted, poke: Option<Poke>) -> Result<Option<Meta>, Failure> {
        match self {
            #[cfg(feature = "cloud")]
            Self::Cloud(cloud) => Ok(cloud.first(&wanted).await?.map(Meta::from)),
            Self::Memory(memory) => Ok(memory.page(&wanted, None, 1).pop()),
            // The walk ends there: nothing behind it can come to be the first.
            Self::Local(local) => Ok(local.page(LocalPages::begin(wanted, poke), 1).await?.0.pop()),
        }
    }

    /// The earliest time that an object may have, by a listing that was just made, which was written at `since` or later.
    pub(super) fn earliest(&self, since: DateTime<Utc>) -> DateTime<Utc> {
        match self {
            #[cfg(feature = "cloud")]
            Self::Cloud(cloud) => cloud.earliest(since),
            _ => since,
        }
    }

    /// The folders whose names begin with the prefix, and that are right under its own folder; sorted, without the last `/`.
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

    /// The object as it is now, and what of it is in the span.
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

    /// Begins an object, unless its condition cannot hold any more.
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

    /// The copy is a new object of its own.
    pub(super) async fn copy(&self, from: &Key, to: &Key, condition: Condition) -> Result<Meta, Failure> {
        match self {
            Self::Memory(memory) => memory.copy(from, to, &condition),
            Self::Local(local) => local.copy(from, to, condition).await,
            #[cfg(feature = "cloud")]
            Self::Cloud(cloud) => Ok(cloud.copy(&from.into(), &to.into(), condition).await?.into()),
        }
    }

    /// Replaces `to`, which is another key than `from`.
    pub(super) async fn rename(&self, from: &Key, to: &Key) -> Result<Meta, Failure> {
        match self {
            Self::Memory(memory) => memory.rename(from, to),
            Self::Local(local) => local.rename(from, to).await,
            #[cfg(feature = "cloud")]
            Self::Cloud(cloud) => Ok(cloud.rename(&from.into(), &to.into()).await?.into()),
        }
    }

    /// Removes what killed processes have left; how much it was.
    pub(super) async fn collect(&self) -> Result<usize, Failure> {
        match self {
            Self::Memory(_) => Ok(0),
            Self::Local(local) => local.collect().await,
            #[cfg(feature = "cloud")]
            Self::Cloud(_) => Ok(0),
        }
    }

    /// A missing key is no error.
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
