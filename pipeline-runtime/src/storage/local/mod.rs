//! A bucket that is a folder.
//!
//! | file | subject |
//! |---|---|
//! | `root` | the folder's operations, each as one blocking step |
//! | `stream` | files that are read or written as streams |
//!
//! # Why not `object_store`'s `LocalFileSystem`
//!
//! Each operation is one closure on the blocking pool: it runs to its end there even if its future is dropped, and it holds a
//! lock only while it runs. `LocalFileSystem` does not allow that, because each of its calls moves to the blocking pool by
//! itself: a closure that waits for one needs a second thread while it holds the first, and a full pool deadlocks. It also
//!
//! - answers for a missing folder as for a missing key;
//! - copies by hard link, so that the copy keeps the source's time, and a later rename between the two names does nothing;
//! - has no put that is conditional on an etag, and derives etags from file times, which the kernel updates only every few
//!   milliseconds;
//! - reads the metadata of every file in a folder before it matches a name.
//!
//! So only the form of its etags is used here.

mod root;
mod stream;

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;

pub(super) use self::root::meta;
use self::root::{ResolvedRoot, require_folder};
pub(super) use self::stream::{FileBody, FileUpload};
use super::body::{Body, Span};
use super::error::{BucketErrorKind, Failure};
use super::invalid_names::ReportedCount;
use super::key::{Key, Prefix};
use super::leftovers;
use super::meta::Meta;
use super::staged::create_folders;
use super::store::{Condition, KeyFilter};
use super::upload::Upload;
use super::walk::{Walk, folders};
use super::watch::{self, Poke};

/// A folder, which need not exist before the first operation.
#[derive(Debug)]
pub(super) struct Local {
    folder: PathBuf,
    /// The folder that the last operation found, links resolved.
    last: Mutex<Option<Arc<Path>>>,
    reported_count: ReportedCount,
}

/// A listing of a folder, between two pages.
#[derive(Debug)]
pub(super) struct LocalPages(PagesState);

#[derive(Debug)]
enum PagesState {
    New(KeyFilter, Option<Poke>),
    Started(Box<FolderListing>),
}

/// A listing that has begun.
#[derive(Debug)]
struct FolderListing {
    root: ResolvedRoot,
    walk: Walk,
    watched: Option<watch::WatchedListing>,
    /// True if nothing has been found so far.
    is_empty: bool,
}

impl LocalPages {
    pub(super) fn begin(filter: KeyFilter, poke: Option<Poke>) -> Self {
        Self(PagesState::New(filter, poke))
    }
}

impl FolderListing {
    fn begin(root: ResolvedRoot, filter: KeyFilter, poke: Option<Poke>) -> Self {
        let watched = poke.and_then(|poke| poke.watch_listing(&root.path, &filter));
        Self { walk: Walk::below(&root.path, filter), root, watched, is_empty: true }
    }
}

impl Local {
    pub(super) fn new(folder: PathBuf) -> Self {
        Self { folder, last: Mutex::new(None), reported_count: ReportedCount::default() }
    }

    /// The key's file: the same whichever of its parent folders is the bucket.
    pub(super) fn object_id(&self, key: &Key) -> String {
        let last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        format!("{}/{key}", last.as_deref().unwrap_or(&self.folder).display())
    }

    /// Creates the bucket's folder.
    pub(super) async fn create(self: &Arc<Self>) -> Result<(), Failure> {
        self.blocking(|local| Ok(create_folders(&local.folder)?)).await
    }

    pub(super) async fn head(self: &Arc<Self>, key: &Key, poke: Option<Poke>) -> Result<Option<Meta>, Failure> {
        let key = key.clone();
        self.blocking(move |local| {
            let root = local.resolve_root()?;
            if let Some(poke) = &poke {
                poke.watch_key(&root.path, &key);
            }
            root.stat(&key)
        })
        .await
    }

    pub(super) async fn list(self: &Arc<Self>, filter: KeyFilter, poke: Option<Poke>) -> Result<Vec<Meta>, Failure> {
        // Without a limit there is one page.
        self.page(LocalPages::begin(filter, poke), usize::MAX).await.map(|(found, _)| found)
    }

    /// The next objects of a listing, `size` of them unless fewer are left, and the rest of the listing.
    pub(super) async fn page(
        self: &Arc<Self>,
        pages: LocalPages,
        size: usize,
    ) -> Result<(Vec<Meta>, Option<LocalPages>), Failure> {
        let read = move |local: &Arc<Self>| {
            let mut listing = match pages.0 {
                PagesState::New(filter, poke) => FolderListing::begin(local.resolve_root()?, filter, poke),
                PagesState::Started(listing) => *listing,
            };
            let (walk, watched) = (&mut listing.walk, &listing.watched);
            let found = walk.page(size, &mut |folder, below| {
                if let Some(watched) = watched {
                    watched.visit(folder, below);
                }
            })?;
            listing.is_empty &= found.is_empty();
            if walk.is_over() {
                listing.root.require_present(listing.is_empty)?;
            }
            Ok((found, listing))
        };
        let (found, listing) = self.blocking(read).await?;
        let walk = &listing.walk;
        if !walk.is_over() {
            return Ok((found, Some(LocalPages(PagesState::Started(Box::new(listing))))));
        }
        walk.invalid_names().report(
            &self.reported_count,
            &format!("file://{}", self.folder.display()),
            walk.key_filter().prefix().as_str(),
        );
        Ok((found, None))
    }

    pub(super) async fn folders(self: &Arc<Self>, prefix: Prefix) -> Result<Vec<Key>, Failure> {
        self.blocking(move |local| {
            let root = local.resolve_root()?;
            let found = folders(&root.path, &prefix)?;
            root.require_present(found.is_empty())?;
            Ok(found)
        })
        .await
    }

    pub(super) async fn get(self: &Arc<Self>, key: &Key) -> Result<Bytes, Failure> {
        let key = key.clone();
        self.blocking(move |local| {
            let root = local.resolve_root()?;
            root.present(&key)?;
            Ok(fs::read(root.file(&key)?)?.into())
        })
        .await
    }

    pub(super) async fn open(self: &Arc<Self>, key: &Key, span: Span) -> Result<(Meta, Body), Failure> {
        let key = key.clone();
        self.blocking(move |local| {
            let (meta, body) = FileBody::open(local, &local.resolve_root()?, key, span)?;
            Ok((meta, Body::File(body)))
        })
        .await
    }

    pub(super) async fn put(self: &Arc<Self>, key: &Key, body: Bytes, condition: Condition) -> Result<Meta, Failure> {
        let key = key.clone();
        self.blocking(move |local| {
            let root = local.resolve_root()?;
            let mut staged = root.stage(&key, &condition)?;
            staged.file().write_all(&body)?;
            root.commit(key, staged, &condition)
        })
        .await
    }

    pub(super) async fn upload(self: &Arc<Self>, key: &Key, condition: Condition) -> Result<Upload, Failure> {
        let key = key.clone();
        self.blocking(move |local| Ok(Upload::File(FileUpload::begin(local, local.resolve_root()?, key, condition)?))).await
    }

    /// Begins an object that replaces another and starts with its bytes.
    pub(super) async fn extend(self: &Arc<Self>, key: &Key, condition: Condition, keep: u64) -> Result<Upload, Failure> {
        let key = key.clone();
        self.blocking(move |local| Ok(Upload::File(FileUpload::extend(local, local.resolve_root()?, key, condition, keep)?)))
            .await
    }

    pub(super) async fn copy(self: &Arc<Self>, from: &Key, to: &Key, condition: Condition) -> Result<Meta, Failure> {
        let (from, to) = (from.clone(), to.clone());
        self.blocking(move |local| local.resolve_root()?.copy(&from, to, &condition)).await
    }

    pub(super) async fn rename(self: &Arc<Self>, from: &Key, to: &Key) -> Result<Meta, Failure> {
        let (from, to) = (from.clone(), to.clone());
        self.blocking(move |local| local.resolve_root()?.rename(&from, &to)).await
    }

    pub(super) async fn delete(self: &Arc<Self>, key: &Key) -> Result<(), Failure> {
        let key = key.clone();
        self.blocking(move |local| local.resolve_root()?.delete(&key)).await
    }

    /// Removes the unfinished files of killed processes in all folders of the bucket, and returns their number.
    pub(super) async fn collect(self: &Arc<Self>) -> Result<usize, Failure> {
        self.blocking(|local| Ok(leftovers::collect_below(&local.resolve_root()?.path)?)).await
    }

    async fn blocking<T: Send + 'static>(
        self: &Arc<Self>,
        work: impl FnOnce(&Arc<Self>) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, Failure> {
        let local = Arc::clone(self);
        match tokio::task::spawn_blocking(move || work(&local)).await {
            Ok(result) => result,
            Err(error) => Err(Failure::new(BucketErrorKind::Other, "the process is shutting down").with_source(error)),
        }
    }

    /// Resolves the folder for each operation. If it has vanished (an unmounted disk), that must not look like a missing key, and
    /// a put must not create it again. If a link has changed, the bucket is where the link leads now.
    fn resolve_root(&self) -> Result<ResolvedRoot, Failure> {
        let path: Arc<Path> = require_folder(&self.folder).and_then(|()| Ok(self.folder.canonicalize()?))?.into();
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if last.as_ref() != Some(&path) {
            *last = Some(Arc::clone(&path));
        }
        Ok(ResolvedRoot { path })
    }
}
