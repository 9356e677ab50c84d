//! The files of a journal: which one a path names, whether it still does, and how the files beside it are named, created and
//! synced.
//!
//! `SQLite` keeps the newest commits in a second file that is named after the first. So a journal has one name: under two names
//! it would have two such files, each with commits that the other lacks. Symbolic links to it are followed, since the result is
//! one name. A hard link, or a file that is mounted on its own, gives it a second name and is refused.

use super::JournalError;
use std::fs::{self, File, Metadata};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

/// As many links are followed as on Linux.
const MOST_LINKS: usize = 40;

/// Returns an absolute path, because a body may change the process's working directory.
pub(crate) fn absolute(path: &Path) -> PathBuf {
    // There is none for an empty path, or if the working directory was removed: opening the file reports that.
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}

/// Returns the file that a path leads to, through symbolic links. It need not exist.
///
/// Folders on the way may be links as well: every way to a folder leads to the same files.
pub(super) fn resolve(path: &Path) -> PathBuf {
    let mut file = path.to_owned();
    for _ in 0..MOST_LINKS {
        let Ok(target) = fs::read_link(&file) else { break };
        file = match file.parent() {
            Some(folder) => folder.join(target),
            None => target,
        };
    }
    file
}

/// Returns the file beside the journal that is named after it.
pub(super) fn beside(journal: &Path, suffix: &str) -> PathBuf {
    let mut name = journal.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

/// Returns the folder of a file.
pub(super) fn folder_of(file: &Path) -> &Path {
    file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Syncs the folder of a file, so that the file's name is durable. This is impossible if the folder cannot be opened, because it
/// may be entered but not read, or because the system does not open folders.
pub(super) fn sync_folder_of(file: &Path) {
    let _ = File::open(folder_of(file)).and_then(|folder| folder.sync_all());
}

/// The permissions of new files: a journal has params, outputs and log lines, which only its owner may read.
#[cfg(unix)]
pub(super) const OWNER: u32 = 0o600;

/// Creates a file that only its owner may read, if it does not exist.
pub(super) fn new_of_owner(path: &Path) -> io::Result<File> {
    let mut options = File::options();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, OWNER);
    options.open(path)
}

/// Removes a file, if it exists.
pub(super) fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// What identifies a file as long as it exists: its device and its number there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Identity {
    pub(super) device: u64,
    pub(super) number: u64,
}

impl Identity {
    /// Returns `None` if the system has no such numbers.
    #[cfg(unix)]
    #[expect(clippy::unnecessary_wraps, reason = "elsewhere there is none")]
    pub(super) fn of(file: &Metadata) -> Option<Self> {
        use std::os::unix::fs::MetadataExt;
        Some(Self { device: file.dev(), number: file.ino() })
    }

    /// Returns `None` if the system has no such numbers.
    #[cfg(not(unix))]
    pub(super) fn of(_: &Metadata) -> Option<Self> {
        None
    }
}

/// Returns what a path names instead of the file of that identity, if that is certain.
pub(super) fn moved(path: &Path, identity: Option<Identity>) -> Option<&'static str> {
    match fs::metadata(path) {
        Ok(found) if Identity::of(&found) != identity => Some("another file is in its place"),
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            Some("it was removed or moved away")
        }
        _ => None,
    }
}

/// Refuses a file that is not a regular file: `SQLite` cannot read a folder, and would wait for ever for a pipe. A missing file
/// is a journal that can be created.
pub(super) fn refuse_irregular(path: &Path) -> Result<(), JournalError> {
    let reason = match fs::metadata(path) {
        Ok(found) if found.is_dir() => "it is a folder",
        Ok(found) if !found.is_file() => "it is no regular file",
        _ => return Ok(()),
    };
    Err(JournalError::NotAJournal { path: path.to_owned(), reason: reason.to_owned() })
}

/// True if a file belongs to the journal, under any name.
pub(super) fn is_of_journal(journal: &Path, file: &Path) -> bool {
    // A file's name is the same on every way to its folder.
    let place = |path: &Path| match (path.canonicalize(), folder_of(path).canonicalize(), path.file_name()) {
        (Ok(path), ..) => path,
        (Err(_), Ok(folder), Some(name)) => folder.join(name),
        _ => absolute(path),
    };
    let (journal, file) = (place(&resolve(journal)), place(&resolve(file)));
    let identity = |path: &Path| fs::metadata(path).ok().and_then(|found| Identity::of(&found));
    let own = ["", "-wal", "-shm", "-new", ".lock"].map(|suffix| beside(&journal, suffix));
    own.iter().any(|own| *own == file || identity(own).is_some_and(|own| identity(&file) == Some(own)))
}

/// Refuses a file with a second name.
pub(super) fn refuse_second_name(path: &Path) -> Result<(), JournalError> {
    let links = links(path);
    if links > 1 {
        let folder = folder_of(path);
        let reason = format!(
            "it has {links} names (hard links): remove all but one; `find {} -samefile {}` lists them",
            folder.display(),
            path.display()
        );
        return Err(JournalError::SecondName { path: path.to_owned(), reason });
    }
    if is_mounted_alone(path) {
        let reason = "it is mounted on its own, as by `docker run -v FILE:FILE`: mount its folder instead".to_owned();
        return Err(JournalError::SecondName { path: path.to_owned(), reason });
    }
    Ok(())
}

#[cfg(unix)]
fn links(path: &Path) -> u64 {
    use std::os::unix::fs::MetadataExt;
    fs::metadata(path).map_or(1, |file| file.nlink())
}

#[cfg(not(unix))]
fn links(_: &Path) -> u64 {
    1
}

fn is_mounted_alone(path: &Path) -> bool {
    let Ok(path) = path.canonicalize() else { return false };
    mounts().iter().any(|mount| Path::new(&mount.point) == path)
}

/// True if the system emulates locks of whole files by the byte ranges that `SQLite` locks, as for files of other machines: the
/// two kinds of locks would conflict.
pub(super) fn is_on_a_network(identity: Identity) -> bool {
    const NETWORK: [&str; 6] = ["nfs", "nfs4", "cifs", "smb3", "smbfs", "9p"];
    let device = device_name(identity.device);
    mounts().iter().any(|mount| mount.device == device && NETWORK.contains(&mount.kind.as_str()))
}

/// Returns a device as Linux writes it in its table of mounts.
fn device_name(device: u64) -> String {
    let major = ((device >> 8) & 0xfff) | ((device >> 32) & !0xfff);
    let minor = (device & 0xff) | ((device >> 12) & !0xff);
    format!("{major}:{}", minor & 0xffff_ffff)
}

/// A line of Linux's table of mounts.
#[derive(Debug, PartialEq, Eq)]
struct Mount {
    device: String,
    point: String,
    kind: String,
}

/// Returns no mounts if there is no such table.
fn mounts() -> Vec<Mount> {
    let table = fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
    table.lines().filter_map(mount).collect()
}

fn mount(line: &str) -> Option<Mount> {
    let (before, after) = line.split_once(" - ")?;
    let mut fields = before.split(' ').skip(2);
    let (device, point) = (fields.next()?, fields.nth(1)?);
    // Characters that separate fields and lines are written in octal.
    let point = point.replace("\\040", " ").replace("\\011", "\t").replace("\\012", "\n").replace("\\134", "\\");
    Some(Mount { device: device.to_owned(), point, kind: after.split(' ').next()?.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_the_table_of_mounts_is_read() {
        let read = mount("36 35 98:17 /sub /mnt/a\\040b rw,noatime master:1 - nfs4 host:/x rw");
        let expected = Mount { device: "98:17".into(), point: "/mnt/a b".into(), kind: "nfs4".into() };
        assert_eq!(read, Some(expected));
        assert_eq!(mount("nonsense"), None);
        assert_eq!(device_name(0xfe00), "254:0");
        assert_eq!(device_name(0x10_0305), "3:261");
    }

    #[cfg(unix)]
    #[test]
    fn links_are_followed_also_where_they_lead_to_nothing_yet() {
        use std::os::unix::fs::symlink;
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        symlink("b.db", at("a.db")).unwrap();
        symlink(at("c.db"), at("b.db")).unwrap();
        assert_eq!(resolve(&at("a.db")), at("c.db"));
        assert_eq!(resolve(&at("c.db")), at("c.db"));
        symlink("round.db", at("round.db")).unwrap();
        assert_eq!(resolve(&at("round.db")), at("round.db"));
    }
}
