use super::JournalError;
use crate::time::Clock;
use chrono::{DateTime, SecondsFormat, Utc};
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// The right of one process to write a journal. The operating system gives it back when the process ends, however it ends.
#[derive(Debug)]
pub(super) struct Lock {
    /// Dropped with the lock, which unlocks it.
    _file: File,
}

/// Who holds a journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    /// The process's number.
    pub process: u32,
    /// Since when, by the real time.
    pub since: DateTime<Utc>,
    /// Its command line.
    pub command: String,
}

/// How often the lock is tried.
const LOOKERS: u32 = 200;

fn path_of(journal: &Path) -> PathBuf {
    let mut path = journal.as_os_str().to_owned();
    path.push(".lock");
    path.into()
}

impl Lock {
    pub(super) fn take(journal: &Path) -> Result<Self, JournalError> {
        let failed = |error| JournalError::Lock { path: journal.to_owned(), error };
        let path = path_of(journal);
        let mut file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path).map_err(failed)?;
        // Whoever looks for the holder holds the lock for an instant; that is nobody to refuse for.
        let mut tries = (0..LOOKERS).map(|_| file.try_lock()).skip_while(|tried| {
            let taken = matches!(tried, Err(TryLockError::WouldBlock));
            if taken {
                std::thread::yield_now();
            }
            taken
        });
        match tries.next().unwrap_or(Err(TryLockError::WouldBlock)) {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(JournalError::Held { path: journal.to_owned(), holder: Holder::read(&mut file) });
            }
            Err(TryLockError::Error(error)) => return Err(failed(error)),
        }
        let command: Vec<String> = std::env::args_os().map(|arg| arg.to_string_lossy().into_owned()).collect();
        let since = Clock::system().now().to_utc().to_rfc3339_opts(SecondsFormat::Secs, true);
        let written = file
            .set_len(0)
            .and_then(|()| file.seek(SeekFrom::Start(0)))
            .and_then(|_| writeln!(file, "{}\n{since}\n{}", std::process::id(), command.join(" ")));
        written.map_err(failed)?;
        Ok(Self { _file: file })
    }
}

/// Whether any process holds the journal.
pub(super) fn is_held(journal: &Path) -> bool {
    let Ok(file) = File::open(path_of(journal)) else { return false };
    matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock))
}

impl Holder {
    /// Whoever holds the journal right now.
    pub(crate) fn of(journal: &Path) -> Option<Self> {
        let mut file = File::open(path_of(journal)).ok()?;
        match file.try_lock_shared() {
            Err(TryLockError::WouldBlock) => Self::read(&mut file),
            // Nobody; what the file says is of somebody before.
            _ => None,
        }
    }

    fn read(file: &mut File) -> Option<Self> {
        let mut text = String::new();
        file.read_to_string(&mut text).ok()?;
        let (process, rest) = text.split_once('\n')?;
        let (since, command) = rest.split_once('\n')?;
        Some(Self { process: process.trim().parse().ok()?, since: since.parse().ok()?, command: command.trim().to_owned() })
    }
}
