//! How a file comes into being: written beside its target under a name that nothing shows, flushed to the disk, then put in
//! place in one step, whose folder is flushed too. A reader sees the old file or the new one; after a power cut, as well.

use std::fs::{self, File, Metadata};
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// Whether a file of this name is unfinished business (`name#1` while `name` is being written, the lock `.lock#0`) and so
/// neither listed nor a key. Only the last `#` counts: of `a#b`, `a#b#1` is the staged file.
pub(super) fn is_staged(name: &str) -> bool {
    name.rsplit_once('#').is_some_and(|(_, digits)| !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()))
}

/// A file that is not there yet, and is removed when it never comes to be.
#[derive(Debug)]
pub(super) struct Staged {
    file: File,
    path: PathBuf,
    /// False once the file has another name: then `path` is free, and may be another writer's already.
    is_ours: bool,
    target: PathBuf,
}

impl Staged {
    /// Starts on `target`, making its folders.
    pub(super) fn new(target: PathBuf) -> io::Result<Self> {
        if let Some(folder) = target.parent() {
            create_folders(folder)?;
        }
        Self::reserve(target)
    }

    /// Where the contents are written to.
    pub(super) fn file(&mut self) -> &mut File {
        &mut self.file
    }

    /// What will come to be.
    pub(super) fn target(&self) -> &Path {
        &self.target
    }

    fn reserve(target: PathBuf) -> io::Result<Self> {
        let mut number = 1_u64;
        loop {
            let mut path = target.clone().into_os_string();
            path.push(format!("#{number}"));
            let path = PathBuf::from(path);
            match File::options().write(true).create_new(true).open(&path) {
                Ok(file) => {
                    return Ok(Self { file, path, is_ours: true, target });
                }
                // Another writer's, or left by one that crashed.
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => number += 1,
                Err(error) => return Err(error),
            }
        }
    }

    /// Puts the file in place, replacing what is there.
    pub(super) fn replace(mut self) -> io::Result<Metadata> {
        let metadata = self.finish()?;
        fs::rename(&self.path, &self.target)?;
        self.is_ours = false;
        self.sync_folder()?;
        Ok(metadata)
    }

    /// Puts the file in place unless something is there.
    pub(super) fn create(mut self) -> io::Result<Metadata> {
        let metadata = self.finish()?;
        fs::hard_link(&self.path, &self.target)?;
        self.sync_folder()?;
        // Who watches the folder is told that a name was linked, which may be the beginning of a file, and so waits for this.
        drop(File::options().write(true).open(&self.target));
        Ok(metadata)
    }

    fn finish(&mut self) -> io::Result<Metadata> {
        // By itself the kernel's file time stands still for some milliseconds: an etag, which has little else to go by,
        // could come back.
        self.file.set_modified(SystemTime::now())?;
        self.file.sync_all()?;
        // Who watches the folder would take the end of the writing for a change of the file that is in place by then.
        self.file = File::open(&self.path)?;
        self.file.metadata()
    }

    fn sync_folder(&self) -> io::Result<()> {
        sync_folder_of(&self.target)
    }
}

impl Drop for Staged {
    fn drop(&mut self) {
        if self.is_ours {
            // A leftover is not shown and in nobody's way.
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// Makes a folder and those above it, and flushes each to the disk.
pub(super) fn create_folders(folder: &Path) -> io::Result<()> {
    if folder.is_dir() {
        return Ok(());
    }
    if let Some(above) = folder.parent() {
        create_folders(above)?;
    }
    match fs::create_dir(folder) {
        // Somebody else made it meanwhile.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && folder.is_dir() => Ok(()),
        // A file is in the way: the system's own error for that says nothing about folders.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Err(io::ErrorKind::NotADirectory.into()),
        made => made.and_then(|()| sync_folder_of(folder)),
    }
}

/// Flushes the folder in which `path` came, went or changed its name.
pub(super) fn sync_folder_of(path: &Path) -> io::Result<()> {
    match path.parent() {
        // Elsewhere a folder cannot be opened to be flushed.
        Some(folder) if cfg!(unix) => File::open(folder)?.sync_all(),
        _ => Ok(()),
    }
}
