//! The files of a journal: which one a path names, whether it still does, and how those beside it are named, made and synced.
//!
//! `SQLite` keeps the newest commits in a second file that is called after the first. So a journal has one name: under two, it
//! would have two such files, each with commits that the other lacks. Links to it are followed, since then it has one name after
//! all; a hard link, or a file that is mounted on its own, gives it a second one and is refused.

use super::JournalError;
use std::fs::{self, File, Metadata};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

/// As many links are followed as Linux does.
const MOST_LINKS: usize = 40;

/// A path that leads to the same file from whichever folder: a body may change the process's own.
pub(crate) fn absolute(path: &Path) -> PathBuf {
    // Of an empty path, and where the present folder was removed, there is none: what is opened says so.
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}

/// The file that a path leads to, through symbolic links. It need not exist.
///
/// Folders on the way may be links as well: whichever way leads to a folder, it holds the same files.
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

/// A file beside the journal that is called after it.
pub(super) fn beside(journal: &Path, suffix: &str) -> PathBuf {
    let mut name = journal.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

/// The folder that a file is in.
pub(super) fn folder_of(file: &Path) -> &Path {
    file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Syncs the folder that something is in, so that its name is on the disk. Where that folder cannot be opened, as it may be entered and not
/// read, or the system opens no folders, nobody can.
pub(super) fn sync_folder_of(file: &Path) {
    let _ = File::open(folder_of(file)).and_then(|folder| folder.sync_all());
}

/// The permissions of what is made: a journal has params, outputs and log lines, which are nobody's affair but its owner's.
#[cfg(unix)]
pub(super) const OWNER: u32 = 0o600;

/// Makes a file that nobody else may read, and that is not there yet.
pub(super) fn new_of_owner(path: &Path) -> io::Result<File> {
    let mut options = File::options();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, OWNER);
    options.open(path)
}

/// Removes a file, if it is there.
pub(super) fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// What the system tells files apart by, as long as they exist: the device and the number on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Identity {
    pub(super) device: u64,
    pub(super) number: u64,
}

impl Identity {
    /// None where the system has no such numbers.
    #[cfg(unix)]
    #[expect(clippy::unnecessary_wraps, reason = "elsewhere there is none")]
    pub(super) fn of(file: &Metadata) -> Option<Self> {
        use std::os::unix::fs::MetadataExt;
        Some(Self { device: file.dev(), number: file.ino() })
    }

    /// None where the system has no such numbers.
    #[cfg(not(unix))]
    pub(super) fn of(_: &Metadata) -> Option<Self> {
        None
    }
}

/// Whether a path no longer names the file of that identity, and what it names instead. Where the system does not say, it does.
pub(super) fn moved(path: &Path, identity: Option<Identity>) -> Option<&'static str> {
    match fs::metadata(path) {
        Ok(found) if Identity::of(&found) != identity => Some("another file is in its place"),
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            Some("it was removed or moved away")
        }
        _ => None,
    }
}

/// Refuses what is no regular file: a folder holds nothing that `SQLite` could read, and a pipe would be waited for without an end. What is not
/// there is a journal that can be made.
pub(super) fn refuse_irregular(path: &Path) -> Result<(), JournalError> {
    let reason = match fs::metadata(path) {
        Ok(found) if found.is_dir() => "it is a folder",
        Ok(found) if !found.is_file() => "it is no regular file",
        _ => return Ok(()),
    };
    Err(JournalError::NotAJournal { path: path.to_owned(), reason: reason.to_owned() })
}

/// Whether a file belongs to the journal, under whichever name.
pub(super) fn is_of_journal(journal: &Path, file: &Path) -> bool {
    // A name is the same whichever way leads to its folder.
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

/// Whether the system emulates locks of whole files with the byte ranges that `SQLite` locks, as it does on files of other
/// machines: there the one would be in the way of the other.
pub(super) fn is_on_a_network(identity: Identity) -> bool {
    const NETWORK: [&str; 6] = ["nfs", "nfs4", "cifs", "smb3", "smbfs", "9p"];
    let device = device_name(identity.device);
    mounts().iter().any(|mount| mount.device == device && NETWORK.contains(&mount.kind.as_str()))
}

/// A device as Linux writes it in its table of mounts.
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

/// None where there is no such table.
fn mounts() -> Vec<Mount> {
    let table = fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
    table.lines().filter_map(mount).collect()
}

fn mount(line: &str) -> Option<Mount> {
    let (before, after) = line.split_once(" - ")?;
    let mut fields = before.split(' ').skip(2);
    let (device, point) = (fields.next()?, fields.nth(1)?);
    // The characters that separate fields and lines are written in octal.
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
