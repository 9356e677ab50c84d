//! [`ResolvedRoot`]: the operations on a bucket's folder, each as one blocking step.
//!
//! It is apart from [`Local`](super::Local), which only moves these steps to the blocking pool, so that nothing here can wait for
//! another task.
//!
//! # Symbolic links
//!
//! Links are followed for reading. Writing, renaming and deleting refuse a folder to which a link leads out of the bucket
//! ([`ResolvedRoot::target`]), and replace or remove a linked file instead of its target.

use std::fs::{self, File, Metadata};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use super::super::error::{BucketErrorKind, Failure};
use super::super::key::Key;
use super::super::lock::FolderLock;
use super::super::meta::Meta;
use super::super::staged::{Staged, create_folders, is_staged, sync_folder_of};
#[cfg(unix)]
use super::super::staged::{move_link, relative_link_from};
use super::super::store::Condition;

/// The folder as one operation found it, links resolved. The whole operation uses it: if a link on the way changes meanwhile, a
/// listing still reads one folder, and a write does not end in another one.
#[derive(Debug, Clone)]
pub(super) struct ResolvedRoot {
    pub(super) path: Arc<Path>,
}

/// Fails unless the bucket's folder exists.
pub(super) fn require_folder(folder: &Path) -> Result<(), Failure> {
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
    pub(super) fn require_present(&self, found_nothing: bool) -> Result<(), Failure> {
        if found_nothing { require_folder(&self.path) } else { Ok(()) }
    }

    pub(super) fn file(&self, key: &Key) -> Result<PathBuf, Failure> {
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

    pub(super) fn stat(&self, key: &Key) -> Result<Option<Meta>, Failure> {
        use io::ErrorKind as K;
        match fs::metadata(self.file(key)?) {
            Ok(metadata) if metadata.is_file() => Ok(Some(meta(key.clone(), &metadata)?)),
            Ok(_) => Ok(None),
            Err(error) if matches!(error.kind(), K::NotFound | K::NotADirectory) => self.require_present(true).map(|()| None),
            Err(error) => Err(error.into()),
        }
    }

    pub(super) fn present(&self, key: &Key) -> Result<Meta, Failure> {
        self.stat(key)?.ok_or_else(Failure::no_such_key)
    }

    /// Begins an object, unless its condition can no longer hold. The check precedes staging, which would create folders.
    pub(super) fn stage(&self, key: &Key, condition: &Condition) -> Result<Staged, Failure> {
        let file = self.target(key)?;
        match condition {
            Condition::Always => {}
            Condition::Absent if self.stat(key)?.is_none() => {}
            Condition::Absent => return Err(Failure::already_exists()),
            Condition::Match(etag) => self.unchanged(key, etag)?,
        }
        Ok(Staged::new(file)?)
    }

    pub(super) fn commit(&self, key: Key, staged: Staged, condition: &Condition) -> Result<Meta, Failure> {
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

    pub(super) fn copy(&self, from: &Key, to: Key, condition: &Condition) -> Result<Meta, Failure> {
        self.present(from)?;
        let mut source = File::open(self.file(from)?)?;
        let mut staged = self.stage(&to, condition)?;
        io::copy(&mut source, staged.file())?;
        self.commit(to, staged, condition)
    }

    pub(super) fn rename(&self, from: &Key, to: &Key) -> Result<Meta, Failure> {
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

    pub(super) fn delete(&self, key: &Key) -> Result<(), Failure> {
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

/// What is reported about a file.
pub(in super::super) fn meta(key: Key, metadata: &Metadata) -> Result<Meta, Failure> {
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
