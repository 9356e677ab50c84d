//! Files that `SQLite` locks, opened beside it.
//!
//! `SQLite` locks ranges of the journal and of its `-shm` with POSIX locks, and a process loses all of its own on a file as soon
//! as it closes any descriptor of that file. Without them another program that closes the journal takes itself for the last one,
//! and removes the `-wal` below this process. So a descriptor that was opened here stays open for as long as the file has a name,
//! and is used again. There is one a file, for as many files as the process has had to do with.
//!
//! Only this module and `SQLite` open these files. (`tests/serve/one_file.rs`: after each way to open a journal, another program
//! reads it and closes it.)

use super::file::Identity;
use std::fs::{self, File};
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

static FILES: Mutex<Vec<(Option<Identity>, Arc<File>)>> = Mutex::new(Vec::new());

/// Opens a file for reading, or returns the descriptor that this process already has.
///
/// # Errors
///
/// If it is missing or may not be read.
pub(super) fn open(path: &Path) -> io::Result<Arc<File>> {
    let mut files = FILES.lock().unwrap_or_else(PoisonError::into_inner);
    files.retain(|(_, file)| Arc::strong_count(file) > 1 || has_name(file));
    let identity = Identity::of(&fs::metadata(path)?);
    if let Some((_, file)) = files.iter().find(|(of, _)| of.is_some() && *of == identity) {
        return Ok(Arc::clone(file));
    }
    let file = Arc::new(File::open(path)?);
    // Another file may have taken the name since.
    let identity = file.metadata().ok().and_then(|opened| Identity::of(&opened));
    files.push((identity, Arc::clone(&file)));
    Ok(file)
}

#[cfg(unix)]
fn has_name(file: &File) -> bool {
    use std::os::unix::fs::MetadataExt;
    file.metadata().is_ok_and(|file| file.nlink() > 0)
}

/// Elsewhere closing a descriptor releases no other lock.
#[cfg(not(unix))]
fn has_name(_: &File) -> bool {
    false
}

/// Reads the first bytes of a file, wherever its other users have read to.
#[cfg(unix)]
pub(super) fn read_start(file: &File, bytes: &mut [u8]) -> io::Result<()> {
    std::os::unix::fs::FileExt::read_exact_at(file, bytes, 0)
}

/// Reads the first bytes of a file.
#[cfg(not(unix))]
pub(super) fn read_start(mut file: &File, bytes: &mut [u8]) -> io::Result<()> {
    use std::io::{Read, Seek, SeekFrom};
    file.seek(SeekFrom::Start(0))?;
    file.read_exact(bytes)
}

/// Returns why this process may not write a file, without opening it.
#[cfg(feature = "dashboard")]
pub(crate) fn unwritable(path: &Path) -> Option<io::Error> {
    #[cfg(unix)]
    return rustix::fs::access(path, rustix::fs::Access::WRITE_OK).err().map(io::Error::from);
    #[cfg(not(unix))]
    return match fs::metadata(path) {
        Ok(file) if file.permissions().readonly() => Some(io::ErrorKind::PermissionDenied.into()),
        Ok(_) => None,
        Err(error) => Some(error),
    };
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_opened_once_for_as_long_as_it_has_a_name() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        fs::write(&path, "first").unwrap();
        let first = open(&path).unwrap();
        assert!(Arc::ptr_eq(&first, &open(&path).unwrap()));
        fs::hard_link(&path, folder.path().join("b")).unwrap();
        assert!(Arc::ptr_eq(&first, &open(&folder.path().join("b")).unwrap()), "it is the file that counts, not its name");
        let mut bytes = [0; 5];
        for _ in 0..2 {
            read_start(&first, &mut bytes).unwrap();
            assert_eq!(&bytes, b"first");
        }
        fs::remove_file(&path).unwrap();
        fs::remove_file(folder.path().join("b")).unwrap();
        fs::write(&path, "other").unwrap();
        read_start(&open(&path).unwrap(), &mut bytes).unwrap();
        assert_eq!(&bytes, b"other");
    }
}
