//! How a file comes into being: written beside its target under a name that nothing shows, flushed to the disk, then put in
//! place in one step, whose folder is flushed too. A reader sees the old file or the new one; after a power cut, as well.
//!
//! A file under such a name is locked for as long as it is written, which ends with its process however that ends. So one that is locked
//! by nobody, and has not been written to for long, is what a killed process left: [`leftovers`](super::leftovers).

use std::fs::{self, File, Metadata};
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::leftovers;
use super::lock::FolderLock;

/// The longest name that file systems have, in bytes.
const LONGEST_NAME: usize = 255;

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
            leftovers::collect(folder);
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
            let path = beside(&target, number);
            match File::options().write(true).create_new(true).open(&path) {
                Ok(file) => {
                    // Where the file system has no locks, nothing is taken for a leftover either.
                    let _ = file.try_lock();
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
        self.rename()?;
        Ok(metadata)
    }

    /// Puts the file in place unless something is there. Where the file system has no hard links, a lock keeps other writers of this library
    /// out meanwhile, as for a put on an etag.
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
        // Who watches the folder is told that a name was linked, which may be the beginning of a file, and so waits for this.
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
        // By itself the kernel's file time stands still for some milliseconds: an etag, which has little else to go by,
        // could come back.
        self.file.set_modified(SystemTime::now())?;
        // Who watches the folder would take the end of the writing for a change of the file that is in place by then.
        let written = File::open(&self.path)?;
        self.take_over(&written)?;
        written.sync_all()?;
        self.file = written;
        self.file.metadata()
    }

    /// Gives the file the owner, where this process may, and the mode of the one that it takes the place of: who could read that is to
    /// read this, and nobody else.
    #[cfg(unix)]
    fn take_over(&self, written: &File) -> io::Result<()> {
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
            // A group of which the process is, at least.
            let _ = fchown(written, None, Some(former.gid()));
            // What runs as its owner was another's.
            mode &= 0o777;
        }
        if now.mode() & 0o7777 == mode { Ok(()) } else { written.set_permissions(fs::Permissions::from_mode(mode)) }
    }

    #[cfg(not(unix))]
    #[expect(clippy::unused_self, clippy::unnecessary_wraps, reason = "as elsewhere")]
    fn take_over(&self, _: &File) -> io::Result<()> {
        Ok(())
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

/// Moves a symbolic link to another folder, so that it leads where it led. One step for who looks for the new name; a process that is killed behind it leaves
/// the old one, too.
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

/// The way to what a relative link in one folder leads to, from another folder; both without links themselves.
pub(super) fn led_from(folder: &Path, link: &Path, other: &Path) -> PathBuf {
    let mut from = folder.components().peekable();
    let mut to = other.components().peekable();
    while from.peek().is_some() && from.peek() == to.peek() {
        from.next();
        to.next();
    }
    let up: PathBuf = to.map(|_| "..").collect();
    up.join(from.collect::<PathBuf>()).join(link)
}

/// The name under which a file is written: the target's with a number, cut where that would be too long.
fn beside(target: &Path, number: u64) -> PathBuf {
    let suffix = format!("#{number}");
    let name = target.file_name().unwrap_or_default().to_string_lossy();
    let end = name.floor_char_boundary(LONGEST_NAME - suffix.len());
    target.with_file_name(format!("{}{suffix}", &name[..end]))
}

/// Whether a link was refused since the file system has none: FAT, exFAT, and many that are mounted from elsewhere.
fn has_no_links(error: &io::Error) -> bool {
    // Linux says EPERM (`PermissionDenied`) of a file system that knows no links. Where the folder may not be written, the rename fails alike.
    matches!(error.kind(), io::ErrorKind::Unsupported | io::ErrorKind::PermissionDenied | io::ErrorKind::TooManyLinks)
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
        // What a file system without links answers, and what it does not.
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
            assert_eq!(led_from(Path::new(folder), Path::new(link), Path::new(other)), Path::new(expected));
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
