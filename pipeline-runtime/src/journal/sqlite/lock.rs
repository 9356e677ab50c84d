//! The right of one process to write a journal. The operating system revokes it when the process ends, however it ends.
//!
//! There are two locks. The one on the file beside the journal (`FILE.lock`) tells others who holds the journal, and they may
//! read it at any time. But it is found by name, and a file can be removed and recreated. So on Linux the journal's own file is
//! locked as well, whatever names lead to it.
//!
//! The second lock uses `flock`, which on Linux is independent of the byte ranges that `SQLite` locks by `fcntl`. On network file
//! systems it is not, and the lock is not taken there. The file is opened by [`open_files`], which never closes it while it has a
//! name: that would release `SQLite`'s locks on it. A process that only asks who holds the journal opens the file beside it.

use super::JournalError;
use super::create;
use super::file::{self, Identity};
pub(super) use super::holder::is_held;
use super::holder::{self, Holder};
use super::open_files;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// The right to write a journal.
#[derive(Debug)]
pub(super) struct Lock {
    /// The path as given.
    named: PathBuf,
    /// The file that it leads to.
    journal: PathBuf,
    /// Both as absolute paths, because a body may change the process's working directory.
    absolute: [PathBuf; 2],
    identity: Option<Identity>,
    /// The `-wal`, once it was seen. It is there for as long as a connection of this process is open.
    wal: OnceLock<Identity>,
    holder: Holder,
    /// The file beside the journal. Dropped with the lock, which unlocks it.
    beside: Mutex<File>,
    _own: Option<OwnFile>,
}

/// How often locking the file beside it is tried. A process that reads the holder has it locked for an instant.
const MOST_TRIES: u32 = 10_000;

impl Lock {
    /// Takes the lock for this process, and creates the journal if there is none.
    pub(super) fn take(named: &Path) -> Result<Self, JournalError> {
        let journal = file::resolve(named);
        let absolute = [file::absolute(named), file::absolute(&journal)];
        file::refuse_irregular(&journal)?;
        let failed = |error| JournalError::Lock { path: journal.clone(), error };
        let mut beside = open_beside(&journal).map_err(failed)?;
        let held = |holder| JournalError::Held { path: journal.clone(), holder };
        match try_patiently(&beside) {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(held(Holder::read(&mut beside))),
            Err(TryLockError::Error(error)) => return Err(failed(error)),
        }
        if !journal.exists() {
            create::create(&journal)?;
        }
        file::refuse_second_name(&journal)?;
        let identity = fs::metadata(&journal).ok().and_then(|file| Identity::of(&file));
        let own = match OwnFile::lock(&journal, identity) {
            Ok(own) => own,
            Err(TryLockError::WouldBlock) => return Err(held(identity.and_then(of_system))),
            Err(TryLockError::Error(error)) => {
                return Err(JournalError::Open { path: journal, reason: error.to_string() });
            }
        };
        let holder = Holder::this();
        holder.write(&mut beside).map_err(failed)?;
        let (wal, beside) = (OnceLock::new(), Mutex::new(beside));
        Ok(Self { named: named.to_owned(), journal, absolute, identity, wal, holder, beside, _own: own })
    }

    /// The journal's file.
    pub(super) fn journal(&self) -> &Path {
        &self.journal
    }

    /// Checks that the journal is still in its place, and recreates the file beside it if that was removed: otherwise other
    /// processes would not know that the journal is held.
    pub(super) fn check(&self) -> Result<(), JournalError> {
        let [named, journal] = &self.absolute;
        if let Some(reason) = file::moved(named, self.identity) {
            return Err(JournalError::Gone { path: self.named.clone(), reason });
        }
        let newest = file::beside(journal, "-wal");
        match self.wal.get() {
            Some(known) if file::moved(&newest, Some(*known)).is_some() => {
                let reason = "its `-wal`, which has the newest commits, was removed or replaced by another program";
                return Err(JournalError::Gone { path: self.named.clone(), reason });
            }
            Some(_) => {}
            None => {
                let found = fs::metadata(&newest).ok().and_then(|file| Identity::of(&file));
                let _ = found.map(|identity| self.wal.set(identity));
            }
        }
        let mut beside = self.beside.lock().unwrap_or_else(PoisonError::into_inner);
        let of_own = beside.metadata().ok().and_then(|file| Identity::of(&file));
        if file::moved(&holder::beside(journal), of_own).is_some() {
            let again = open_beside(journal).and_then(|mut file| match file.try_lock() {
                Ok(()) => self.holder.write(&mut file).map(|()| Some(file)),
                // Another process tries to take it, and will fail. The next check comes soon.
                Err(_) => Ok(None),
            });
            match again {
                Ok(Some(file)) => {
                    *beside = file;
                    tracing::warn!("the lock file of the journal {:?} was removed; it has been recreated", self.journal);
                }
                Ok(None) => {}
                Err(error) => tracing::warn!("the lock file of the journal {:?} was removed: {error}", self.journal),
            }
        }
        Ok(())
    }
}

fn open_beside(journal: &Path) -> std::io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    // Anybody who could open it could lock the journal's owner out.
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, file::OWNER);
    options.open(holder::beside(journal))
}

fn try_patiently(file: &File) -> Result<(), TryLockError> {
    for _ in 1..MOST_TRIES {
        match file.try_lock() {
            Err(TryLockError::WouldBlock) => std::thread::yield_now(),
            tried => return tried,
        }
    }
    file.try_lock()
}

/// The journals that this process itself has locked.
static OWN: Mutex<Vec<Identity>> = Mutex::new(Vec::new());

/// The lock on the journal's own file.
#[derive(Debug)]
struct OwnFile {
    identity: Identity,
    file: Arc<File>,
}

impl OwnFile {
    /// Returns `None` if the system has no such lock.
    fn lock(journal: &Path, identity: Option<Identity>) -> Result<Option<Self>, TryLockError> {
        let Some(identity) = identity.filter(|identity| cfg!(target_os = "linux") && !file::is_on_a_network(*identity)) else {
            return Ok(None);
        };
        let mut own = OWN.lock().unwrap_or_else(PoisonError::into_inner);
        if own.contains(&identity) {
            return Err(TryLockError::WouldBlock);
        }
        let file = open_files::open(journal).map_err(TryLockError::Error)?;
        file.try_lock()?;
        own.push(identity);
        Ok(Some(Self { identity, file }))
    }
}

impl Drop for OwnFile {
    fn drop(&mut self) {
        // Not by closing the file, which stays open. An error would leave it locked until the process ends.
        let _ = self.file.unlock();
        OWN.lock().unwrap_or_else(PoisonError::into_inner).retain(|identity| *identity != self.identity);
    }
}

/// Returns the process that has locked a file, as far as the system knows: for a file beside the journal that was just removed.
fn of_system(identity: Identity) -> Option<Holder> {
    let locks = fs::read_to_string("/proc/locks").ok()?;
    let file = format!(":{}", identity.number);
    let process = locks.lines().find_map(|line| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let is_it = fields.get(1) == Some(&"FLOCK") && fields.get(5).is_some_and(|of| of.ends_with(&file));
        fields.get(4).filter(|_| is_it)?.parse::<u32>().ok()
    });
    let process = process.filter(|process| *process != 0)?;
    Some(Holder { process, since: None, command: String::new() })
}
