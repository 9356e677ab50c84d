//! How a file is created: written beside its target under a name that is never listed, flushed to the disk, then put in place in
//! one step, after which the folder is flushed too. A reader sees the old file or the new one, even after a power failure.
//!
//! A file under such a name is locked while it is written. The lock ends with its process, however that ends. So an unlocked file
//! that has not been written to for long is the leftover of a killed process: [`leftovers`](super::leftovers).

use std::fs::{self, File, Metadata};
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::leftovers;
use super::lock::FolderLock;

/// The longest name on common file systems, in bytes.
const LONGEST_NAME: usize = 255;

/// True if a file of this name is internal (`name#1` while `name` is being written, the lock `.lock#0`) and hence neither listed
/// nor a key. Only the last `#` counts: for `a#b`, `a#b#1` is the staged file.
pub(super) fn is_staged(name: &str) -> bool {
    name.rsplit_once('#').is_some_and(|(_, digits)| !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()))
}

/// A file that is not in place yet, and is removed if it is dropped before.
#[derive(Debug)]
pub(super) struct Staged {
    file: File,
    path: PathBuf,
    /// False once the file has another name: `path` is free then, and may already belong to another writer.
    is_ours: bool,
    target: PathBuf,
}

impl Staged {
    /// Begins the file for `target`, and creates its folders.
    pub(super) fn new(target: PathBuf) -> io::Result<Self> {
        if let Some(folder) = target.parent() {
            create_folders(folder)?;
            leftovers::collect(folder);
        }
        Self::reserve(target)
    }

    /// The file to write the contents to.
    pub(super) fn file(&mut self) -> &mut File {
        &mut self.file
    }

    /// The path at which the file will be put in place.
    pub(super) fn target(&self) -> &Path {
        &self.target
    }

    fn reserve(target: PathBuf) -> io::Result<Self> {
        let mut number = 1_u64;
        loop {
            let path = beside(&target, number);
            match File::options().write(true).create_new(true).open(&path) {
                Ok(file) => {
                    // If the file system has no locks, no file is taken for a leftover either.
                    let _ = file.try_lock();
                    return Ok(Self { file, path, is_ours: true, target });
                }
                // It belongs to another writer, or was left by a crashed one.
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => number += 1,
                Err(error) => return Err(error),
            }
        }
    }

    /// Puts the file in place, replacing an existing one.
    pub(super) fn replace(mut self) -> io::Result<Metadata> {
        let metadata = self.finish()?;
        self.rename()?;
        Ok(metadata)
    }

    /// Puts the file in place unless one exists there. If the file system has no hard links, a lock excludes other writers of
    /// this library meanwhile, as for a put on an etag.
    pub(super) fn create(mut self) -> io::Result<Metadata> {
        let metadata = self.finish()?;
        let lock = FolderLock::join(&self.target)?;
        match fs::hard_link(&self.path, &self.target) {
            Ok(()) => {}
            Err(error) if has_no_links(&error) => {
                drop(lock);
                self.create_by_lock()?;
                return Ok(metadata);
            }
            Err(error) => return Err(error),
        }
        self.sync_folder()?;
        // Watchers of the folder see that a name was linked, which might be the beginning of a file, so they wait for the close
        // that this causes.
        drop(File::options().write(true).open(&self.target));
        Ok(metadata)
    }

    fn create_by_lock(&mut self) -> io::Result<()> {
        let _lock = FolderLock::take(&self.target)?;
        match fs::symlink_metadata(&self.target) {
            Ok(_) => Err(io::ErrorKind::AlreadyExists.into()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => self.rename(),
            Err(error) => Err(error),
        }
    }

    fn rename(&mut self) -> io::Result<()> {
        fs::rename(&self.path, &self.target)?;
        self.is_ours = false;
        self.sync_folder()
    }

    fn finish(&mut self) -> io::Result<Metadata> {
        // On its own, the kernel's file time can stay the same for some milliseconds, and an etag, which contains little else,
        // could repeat.
        self.file.set_modified(SystemTime::now())?;
        // Closes the writable handle now: watchers of the folder would take a later close for a change of the file that is in
        // place by then.
        let written = File::open(&self.path)?;
        self.copy_mode_and_owner(&written)?;
        written.sync_all()?;
        self.file = written;
        self.file.metadata()
    }

    /// Gives the file the mode of the one that it replaces, and its owner if this process may, so that the same users can read it
    /// and no others.
    #[cfg(unix)]
    fn copy_mode_and_owner(&self, written: &File) -> io::Result<()> {
        use std::os::unix::fs::{MetadataExt, PermissionsExt, fchown};

        let former = match fs::symlink_metadata(&self.target) {
            Ok(former) if former.is_file() => former,
            Ok(_) => return Ok(()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(error),
        };
        let now = written.metadata()?;
        let mut mode = former.mode() & 0o7777;
        if (now.uid(), now.gid()) != (former.uid(), former.gid())
            && fchown(written, Some(former.uid()), Some(former.gid())).is_err()
        {
            // Try at least the group: the process may be a member of it.
            let _ = fchown(written, None, Some(former.gid()));
            // The set-user-ID and set-group-ID bits belonged to another owner.
            mode &= 0o777;
        }
        if now.mode() & 0o7777 == mode { Ok(()) } else { written.set_permissions(fs::Permissions::from_mode(mode)) }
    }

    #[cfg(not(unix))]
    #[expect(clippy::unused_self, clippy::unnecessary_wraps, reason = "as elsewhere")]
    fn copy_mode_and_owner(&self, _: &File) -> io::Result<()> {
        Ok(())
    }

    fn sync_folder(&self) -> io::Result<()> {
        sync_folder_of(&self.target)
    }
}

impl Drop for Staged {
    fn drop(&mut self) {
        if self.is_ours {
            // A leftover is not listed, and is in nobody's way.
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// Moves a symbolic link to another folder, keeping its target. For readers of the new name it is one step; a process that is
/// killed after it leaves the old name as well.
#[cfg(unix)]
pub(super) fn move_link(source: &Path, target: &Path, leads_to: &Path) -> io::Result<()> {
    let mut number = 1_u64;
    let path = loop {
        let path = beside(target, number);
        match std::os::unix::fs::symlink(leads_to, &path) {
            Ok(()) => break path,
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => number += 1,
            Err(error) => return Err(error),
        }
    };
    fs::rename(&path, target).inspect_err(|_| drop(fs::remove_file(&path)))?;
    fs::remove_file(source)
}

/// The path that a relative link in `folder` has to have in the folder `other`; both folders are given without links.
pub(super) fn relative_link_from(folder: &Path, link: &Path, other: &Path) -> PathBuf {
    let mut from = folder.components().peekable();
    let mut to = other.components().peekable();
    while from.peek().is_some() && from.peek() == to.peek() {
        from.next();
        to.next();
    }
    let up: PathBuf = to.map(|_| "..").collect();
    up.join(from.collect::<PathBuf>()).join(link)
}

/// The name under which a file is written: the target's name with a number, shortened if it would be too long.
fn beside(target: &Path, number: u64) -> PathBuf {
    let suffix = format!("#{number}");
    let name = target.file_name().unwrap_or_default().to_string_lossy();
    let end = name.floor_char_boundary(LONGEST_NAME - suffix.len());
    target.with_file_name(format!("{}{suffix}", &name[..end]))
}

/// True if a link was refused because the file system has none: FAT, exFAT, and many network mounts.
fn has_no_links(error: &io::Error) -> bool {
    // Linux reports EPERM (`PermissionDenied`) for a file system without links. If the folder may not be written, the rename
    // fails in the same way.
    matches!(error.kind(), io::ErrorKind::Unsupported | io::ErrorKind::PermissionDenied | io::ErrorKind::TooManyLinks)
}

/// Creates a folder and its parents, and flushes each to the disk.
pub(super) fn create_folders(folder: &Path) -> io::Result<()> {
    if folder.is_dir() {
        return Ok(());
    }
    if let Some(above) = folder.parent() {
        create_folders(above)?;
    }
    match fs::create_dir(folder) {
        // Another process has created it meanwhile.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && folder.is_dir() => Ok(()),
        // A file is in the way: the system's own error does not mention folders.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Err(io::ErrorKind::NotADirectory.into()),
        made => made.and_then(|()| sync_folder_of(folder)),
    }
}

/// Flushes the folder in which `path` was created, removed or renamed.
pub(super) fn sync_folder_of(path: &Path) -> io::Result<()> {
    match path.parent() {
        // Other systems cannot open a folder to flush it.
        Some(folder) if cfg!(unix) => File::open(folder)?.sync_all(),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write as _;

    fn staged(target: &Path, text: &str) -> Staged {
        let mut staged = Staged::new(target.to_owned()).unwrap();
        staged.file().write_all(text.as_bytes()).unwrap();
        staged
    }

    #[test]
    fn without_hard_links_a_file_is_put_where_nothing_is() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("a");
        staged(&target, "first").create_by_lock().unwrap();
        let refused = staged(&target, "second").create_by_lock().unwrap_err();
        assert_eq!(refused.kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(fs::read_to_string(&target).unwrap(), "first");
        let mut left: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        left.sort();
        assert_eq!(left, [".lock#0", "a"]);
        // The answers of a file system without links, and one with another meaning.
        assert!(has_no_links(&io::Error::from(io::ErrorKind::Unsupported)));
        assert!(has_no_links(&io::Error::from(io::ErrorKind::PermissionDenied)));
        assert!(!has_no_links(&io::Error::from(io::ErrorKind::AlreadyExists)));
    }

    #[test]
    fn a_link_leads_where_it_led_from_another_folder() {
        for (folder, link, other, expected) in [
            ("/b", "real", "/b/sub", "../real"),
            ("/b/sub", "../real", "/b", "sub/../real"),
            ("/b/x/y", "z", "/b/a", "../x/y/z"),
            ("/b", "real", "/b", "real"),
        ] {
            assert_eq!(relative_link_from(Path::new(folder), Path::new(link), Path::new(other)), Path::new(expected));
        }
    }

    #[test]
    fn a_name_that_is_as_long_as_names_may_be_is_cut_between_characters() {
        let long = format!("{}é", "x".repeat(252));
        let name =
            |number| beside(Path::new("/f").join(&long).as_path(), number).file_name().unwrap().to_str().unwrap().to_owned();
        assert_eq!(name(1), format!("{}#1", "x".repeat(252)));
        assert_eq!(name(1234), format!("{}#1234", "x".repeat(250)));
        assert!(is_staged(&name(7)));
    }
}
