//! A bucket that is a folder.
//!
//! Each operation is one closure on the blocking pool: it runs to its end there even if its future is dropped, and it holds a
//! lock only while it runs. `object_store`'s own `LocalFileSystem` does not allow that, because each of its calls moves to the
//! blocking pool by itself: a closure that waits for one needs a second thread while it holds the first, and a full pool
//! deadlocks. It also
//!
//! - answers for a missing folder as for a missing key;
//! - copies by hard link, so that the copy keeps the source's time, and a later rename between the two names does nothing;
//! - has no put that is conditional on an etag, and derives etags from file times, which the kernel updates only every few
//!   milliseconds;
//! - reads the metadata of every file in a folder before it matches a name.
//!
//! So only the form of its etags is used here.

use std::fs::{self, File, Metadata};
use std::io::{self, Read, Seek, SeekFrom, Take, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use bytes::Bytes;

use super::body::{Body, Span};
use super::error::{BucketErrorKind, Failure};
use super::extend::too_short;
use super::invalid_names::ReportedCount;
use super::key::{Key, Prefix};
use super::leftovers;
use super::lock::FolderLock;
use super::meta::Meta;
use super::staged::{Staged, create_folders, is_staged, sync_folder_of};
#[cfg(unix)]
use super::staged::{move_link, relative_link_from};
use super::store::{Condition, KeyFilter};
use super::upload::Upload;
use super::walk::{Walk, folders};
use super::watch::{self, Poke};

/// How much of a file is read at once.
const CHUNK: usize = 256 << 10;
/// What is read when the file is opened: another turn on the blocking pool would take longer.
const SMALL: u64 = 32 << 10;

/// A folder, which need not exist before the first operation.
#[derive(Debug)]
pub(super) struct Local {
    folder: PathBuf,
    /// The folder that the last operation found, links resolved.
    last: Mutex<Option<Arc<Path>>>,
    reported_count: ReportedCount,
}

/// The folder as one operation found it, links resolved. The whole operation uses it: if a link on the way changes meanwhile, a
/// listing still reads one folder, and a write does not end in another one.
#[derive(Debug, Clone)]
struct ResolvedRoot {
    path: Arc<Path>,
}

/// A listing of a folder, between two pages.
#[derive(Debug)]
pub(super) struct LocalPages(PagesState);

#[derive(Debug)]
enum PagesState {
    New(KeyFilter, Option<Poke>),
    Started(Box<FolderListing>),
}

#[derive(Debug)]
struct FolderListing {
    root: ResolvedRoot,
    walk: Walk,
    watched: Option<watch::Listing>,
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
                listing.root.is_still_there(listing.is_empty)?;
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
            root.is_still_there(found.is_empty())?;
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

    /// Opens the file: all of this file is read, even if another one replaces it meanwhile.
    pub(super) async fn open(self: &Arc<Self>, key: &Key, span: Span) -> Result<(Meta, Body), Failure> {
        let key = key.clone();
        self.blocking(move |local| {
            let root = local.resolve_root()?;
            root.present(&key)?;
            let mut file = File::open(root.file(&key)?)?;
            let meta = meta(key, &file.metadata()?)?;
            let span = span.within(meta.size);
            file.seek(SeekFrom::Start(span.start))?;
            let mut body = FileBody { local: Arc::clone(local), first: None, rest: Some(file.take(span.end - span.start)) };
            if span.end - span.start <= SMALL {
                body.read()?;
            }
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
        self.blocking(move |local| {
            let root = local.resolve_root()?;
            let staged = Some(root.stage(&key, &condition)?);
            Ok(Upload::File(FileUpload { local: Arc::clone(local), root, key, condition, staged }))
        })
        .await
    }

    /// Begins an object that replaces another and starts with its bytes, which the system copies from file to file.
    pub(super) async fn extend(self: &Arc<Self>, key: &Key, condition: Condition, keep: u64) -> Result<Upload, Failure> {
        let key = key.clone();
        self.blocking(move |local| {
            let root = local.resolve_root()?;
            let mut staged = root.stage(&key, &condition)?;
            // If another file has replaced it meanwhile, the condition fails when this one is put in place.
            let former = File::open(root.file(&key)?)?;
            let size = former.metadata()?.len();
            // Between two files, `io::copy` lets the system copy.
            if io::copy(&mut (&former).take(keep), staged.file())? < keep {
                return Err(too_short(size, keep));
            }
            Ok(Upload::File(FileUpload { local: Arc::clone(local), root, key, condition, staged: Some(staged) }))
        })
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
        let path: Arc<Path> = folder(&self.folder).and_then(|()| Ok(self.folder.canonicalize()?))?.into();
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if last.as_ref() != Some(&path) {
            *last = Some(Arc::clone(&path));
        }
        Ok(ResolvedRoot { path })
    }
}

/// Fails unless the bucket's folder exists.
fn folder(folder: &Path) -> Result<(), Failure> {
    use io::ErrorKind as K;
    let no_such_bucket = |detail| Failure::new(BucketErrorKind::NoSuchBucket, detail);
    match fs::metadata(folder) {
        Ok(metadata) if metadata.is_dir() => Ok(()),
        Ok(_) => Err(no_such_bucket("the bucket is not a folder")),
        Err(error) if matches!(error.kind(), K::NotFound | K::NotADirectory) => {
            let detail = "there is no such bucket; create the folder, or correct the URL";
            Err(no_such_bucket(detail).with_source(error))
        }
        Err(error) => Err(error.into()),
    }
}

impl ResolvedRoot {
    /// Called if nothing was found: the folder may have been removed since the operation began.
    fn is_still_there(&self, found_nothing: bool) -> Result<(), Failure> {
        if found_nothing { folder(&self.path) } else { Ok(()) }
    }

    fn file(&self, key: &Key) -> Result<PathBuf, Failure> {
        if is_staged(key.filename()) {
            let detail = "on `file://` a name that ends in `#` and digits is reserved for unfinished files";
            return Err(Failure::new(BucketErrorKind::InvalidKey, detail));
        }
        Ok(self.path.join(key.as_ref()))
    }

    /// The file of a key that is to be written or removed; it must lie in the bucket, links resolved. This catches mistakes, not
    /// attackers: a user who may change the folders meanwhile can still lead a write astray.
    fn target(&self, key: &Key) -> Result<PathBuf, Failure> {
        let file = self.file(key)?;
        for folder in file.ancestors().skip(1) {
            match folder.canonicalize() {
                Ok(real) if real.starts_with(&self.path) => break,
                Ok(_) => {
                    let detail = "a symbolic link leads out of the bucket, and writing does not follow it";
                    return Err(Failure::new(BucketErrorKind::PermissionDenied, detail));
                }
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(error.into()),
            }
        }
        match fs::symlink_metadata(&file).map(|found| found.file_type()) {
            // The process at the other end of a pipe would never see the file that replaces it.
            Ok(kind) if !kind.is_file() && !kind.is_dir() && !kind.is_symlink() => Err(Failure::new(
                BucketErrorKind::Other,
                "there is a pipe, a socket or a device of that name, which is left as it is",
            )),
            _ => Ok(file),
        }
    }

    fn stat(&self, key: &Key) -> Result<Option<Meta>, Failure> {
        use io::ErrorKind as K;
        match fs::metadata(self.file(key)?) {
            Ok(metadata) if metadata.is_file() => Ok(Some(meta(key.clone(), &metadata)?)),
            Ok(_) => Ok(None),
            Err(error) if matches!(error.kind(), K::NotFound | K::NotADirectory) => self.is_still_there(true).map(|()| None),
            Err(error) => Err(error.into()),
        }
    }

    fn present(&self, key: &Key) -> Result<Meta, Failure> {
        self.stat(key)?.ok_or_else(Failure::no_such_key)
    }

    /// Begins an object, unless its condition can no longer hold. The check precedes staging, which would create folders.
    fn stage(&self, key: &Key, condition: &Condition) -> Result<Staged, Failure> {
        let file = self.target(key)?;
        match condition {
            Condition::Always => {}
            Condition::Absent if self.stat(key)?.is_none() => {}
            Condition::Absent => return Err(Failure::already_exists()),
            Condition::Match(etag) => self.unchanged(key, etag)?,
        }
        Ok(Staged::new(file)?)
    }

    fn commit(&self, key: Key, staged: Staged, condition: &Condition) -> Result<Meta, Failure> {
        let metadata = match condition {
            Condition::Always => {
                let _lock = FolderLock::join(staged.target())?;
                staged.replace()?
            }
            Condition::Absent => staged.create()?,
            Condition::Match(etag) => {
                let _lock = FolderLock::take(staged.target())?;
                self.unchanged(&key, etag)?;
                staged.replace()?
            }
        };
        meta(key, &metadata)
    }

    fn unchanged(&self, key: &Key, etag: &str) -> Result<(), Failure> {
        let now = self.stat(key)?.and_then(|now| now.etag);
        if now.as_deref() == Some(etag) { Ok(()) } else { Err(Failure::precondition()) }
    }

    fn copy(&self, from: &Key, to: Key, condition: &Condition) -> Result<Meta, Failure> {
        self.present(from)?;
        let mut source = File::open(self.file(from)?)?;
        let mut staged = self.stage(&to, condition)?;
        io::copy(&mut source, staged.file())?;
        self.commit(to, staged, condition)
    }

    fn rename(&self, from: &Key, to: &Key) -> Result<Meta, Failure> {
        let (source, target) = (self.target(from)?, self.target(to)?);
        let _locks = FolderLock::join_both(&source, &target)?;
        self.present(from)?;
        if let Some(folder) = target.parent() {
            create_folders(folder)?;
        }
        // On the other stores a rename writes the new key, with the current time. A link's target is not written, and a file of
        // another user keeps its time.
        if fs::symlink_metadata(&source)?.is_file() {
            let _ = File::open(&source).and_then(|file| file.set_modified(SystemTime::now()));
        }
        let metadata = fs::metadata(&source)?;
        rename_or_link(&source, &target)?;
        sync_folder_of(&target)?;
        sync_folder_of(&source)?;
        meta(to.clone(), &metadata)
    }

    fn delete(&self, key: &Key) -> Result<(), Failure> {
        let file = self.target(key)?;
        let _lock = FolderLock::join(&file)?;
        if self.stat(key)?.is_none() {
            return Ok(());
        }
        match fs::remove_file(&file) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            removed => Ok(removed.and_then(|()| sync_folder_of(&file))?),
        }
    }
}

/// Moves a file. A relative link keeps its target in the new folder.
#[cfg(unix)]
fn rename_or_link(source: &Path, target: &Path) -> io::Result<()> {
    if let (Ok(link), Some(folder), Some(other)) = (fs::read_link(source), source.parent(), target.parent())
        && link.is_relative()
    {
        let (folder, other) = (folder.canonicalize()?, other.canonicalize()?);
        if folder != other {
            return move_link(source, target, &relative_link_from(&folder, &link, &other));
        }
    }
    fs::rename(source, target)
}

#[cfg(not(unix))]
fn rename_or_link(source: &Path, target: &Path) -> io::Result<()> {
    fs::rename(source, target)
}

/// The part of a file that is still to be read.
#[derive(Debug)]
pub(super) struct FileBody {
    local: Arc<Local>,
    /// A chunk that was read but not returned yet.
    first: Option<Bytes>,
    /// `None` after a read failed or was dropped.
    rest: Option<Take<File>>,
}

impl FileBody {
    pub(super) async fn next(&mut self) -> Result<Option<Bytes>, Failure> {
        if let Some(first) = self.first.take() {
            return Ok(Some(first));
        }
        let Some(rest) = self.rest.take() else {
            return Err(Failure::cut_off());
        };
        if rest.limit() == 0 {
            self.rest = Some(rest);
            return Ok(None);
        }
        let mut body = Self { local: Arc::clone(&self.local), first: None, rest: Some(rest) };
        *self = self.local.blocking(move |_| body.read().map(|()| body)).await?;
        Ok(self.first.take())
    }

    /// Reads the next chunk, if any is left.
    fn read(&mut self) -> Result<(), Failure> {
        let Some(rest) = self.rest.as_mut().filter(|rest| rest.limit() > 0) else { return Ok(()) };
        let mut chunk = Vec::with_capacity(usize::try_from(rest.limit()).unwrap_or(CHUNK).min(CHUNK));
        rest.by_ref().take(CHUNK as u64).read_to_end(&mut chunk)?;
        if chunk.is_empty() {
            // Another program truncated the file: what was read so far must not pass for the whole.
            return Err(Failure::new(BucketErrorKind::Other, "the file became shorter while it was read"));
        }
        self.first = Some(chunk.into());
        Ok(())
    }
}

/// A file that is being written.
#[derive(Debug)]
pub(super) struct FileUpload {
    local: Arc<Local>,
    root: ResolvedRoot,
    key: Key,
    condition: Condition,
    /// `None` after a write failed or was dropped.
    staged: Option<Staged>,
}

impl FileUpload {
    pub(super) async fn write(&mut self, part: Bytes) -> Result<(), Failure> {
        let mut staged = self.staged.take().ok_or_else(Failure::cut_off)?;
        let write = move |_: &Arc<Local>| {
            staged.file().write_all(&part)?;
            Ok(staged)
        };
        self.staged = Some(self.local.blocking(write).await?);
        Ok(())
    }

    pub(super) async fn finish(self, last: Bytes) -> Result<Meta, Failure> {
        let Self { local, root, key, condition, staged } = self;
        let mut staged = staged.ok_or_else(Failure::cut_off)?;
        local
            .blocking(move |_| {
                staged.file().write_all(&last)?;
                folder(&root.path)?;
                root.commit(key, staged, &condition)
            })
            .await
    }

    pub(super) async fn abort(self) -> Result<(), Failure> {
        let Self { local, staged, .. } = self;
        local
            .blocking(move |_| {
                drop(staged);
                Ok(())
            })
            .await
    }
}

/// What is reported about a file.
pub(super) fn meta(key: Key, metadata: &Metadata) -> Result<Meta, Failure> {
    let modified = metadata.modified()?;
    let micros = modified.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_micros();
    let size = metadata.len();
    let etag = Some(format!("\"{:x}-{micros:x}-{size:x}\"", inode(metadata)));
    Ok(Meta { key, last_modified: modified.into(), size, etag })
}

#[cfg(unix)]
fn inode(metadata: &Metadata) -> u64 {
    std::os::unix::fs::MetadataExt::ino(metadata)
}

#[cfg(not(unix))]
fn inode(_: &Metadata) -> u64 {
    0
}
