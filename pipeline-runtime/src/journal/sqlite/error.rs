//! [`JournalError`]: why a journal cannot be used, and what to do about it.

use super::{Holder, absolute};
use std::fmt;
use std::path::{Path, PathBuf};

/// A journal that cannot be used. What was committed before is never lost by that.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum JournalError {
    /// The folder for the file cannot be created.
    #[error("the folder {path:?} for the journal cannot be created: {error}; name another journal with `--journal FILE`")]
    Folder {
        /// The folder.
        path: PathBuf,
        /// The system's error.
        error: std::io::Error,
    },
    /// The lock file beside it cannot be used.
    #[error(
        "the journal {path:?} cannot be locked: {error}; {}, or name another journal with `--journal FILE`",
        lock_advice(error)
    )]
    Lock {
        /// The journal's file.
        path: PathBuf,
        /// The system's error.
        error: std::io::Error,
    },
    /// Another process writes it.
    #[error(
        "the journal {path:?} is in use by {who}; wait for it, stop it, or name another journal with `--journal FILE`",
        who = HolderText(holder)
    )]
    Held {
        /// The journal's file.
        path: PathBuf,
        /// The process, if it is known.
        holder: Option<Holder>,
    },
    /// Its file has a second name, under which `SQLite` would keep other commits.
    #[error(
        "the journal {path:?} cannot be used: {reason}. A journal has one name, since its newest commits are in a file called after it"
    )]
    SecondName {
        /// The journal's file.
        path: PathBuf,
        /// Which name, and what to do.
        reason: String,
    },
    /// Its file is no longer where it was.
    #[error(
        "the journal {path:?} is gone: {reason} while this process wrote it. The engine stops; what was committed is in the file that was \
         there and in the file `-wal` that was beside it, and unfinished runs are resumed once both are in their place again"
    )]
    Gone {
        /// The journal's file.
        path: PathBuf,
        /// What is there instead.
        reason: &'static str,
    },
    /// It was written by a newer version.
    #[error(
        "the journal {path:?} was written by a newer version (schema {found}, this one knows {known}): use that version, or name another journal with `--journal FILE`"
    )]
    Newer {
        /// The journal's file.
        path: PathBuf,
        /// The version that wrote it.
        found: i64,
        /// The newest version that this code reads.
        known: i64,
    },
    /// It was written by an older version, and no process has opened it for writing since.
    #[error(
        "the journal {path:?} was written by an older version (schema {found}, this one reads {known}); `resume` or any run brings it \
         forward"
    )]
    Older {
        /// The journal's file.
        path: PathBuf,
        /// The version that wrote it.
        found: i64,
        /// The version that this code reads.
        known: i64,
    },
    /// Runs of several pipelines have this id.
    #[error("{} have a run `{run_id}`: name the one that is meant, as in `{}/{run_id}`", several(pipelines), pipelines.first().map_or("PIPELINE", String::as_str))]
    Ambiguous {
        /// The id.
        run_id: String,
        /// The pipelines.
        pipelines: Vec<String>,
    },
    /// The file is not a journal.
    #[error("{path:?} is not a journal: {reason}; name another file with `--journal FILE`")]
    NotAJournal {
        /// The journal's file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// Its contents are damaged.
    #[error(
        "the journal {path:?} is damaged: {reason}; nothing was changed. Restore it from a backup, or move it away to begin a \
         new one, each time with the files `-wal` and `-shm` beside it"
    )]
    Damaged {
        /// The journal's file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// It cannot be opened for writing.
    #[error("the journal {path:?} cannot be opened: {reason}; fix that, or name another journal with `--journal FILE`")]
    Open {
        /// The journal's file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// It can no longer be written.
    #[error(
        "the journal {path:?} cannot be written: {reason}. The engine stops; what was committed is kept, and unfinished runs are resumed once that is fixed"
    )]
    Write {
        /// The journal's file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// It cannot be read.
    #[error("the journal {path:?} cannot be read: {reason}")]
    Read {
        /// The journal's file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// It does not exist.
    #[error(
        "there is no journal at {:?}; `run` or `serve` creates one there, and `--journal FILE` or the environment variable `PIPELINE_JOURNAL` \
         names another",
        absolute(path)
    )]
    Missing {
        /// The journal's file.
        path: PathBuf,
    },
    /// No copy of it can be made.
    #[error("no backup was made in {path:?}: {reason}")]
    Backup {
        /// The file for the copy.
        path: PathBuf,
        /// Why, and what to do.
        reason: String,
    },
    /// The system has no thread for the writer.
    #[error("no thread for the journal {path:?}: {error}")]
    Thread {
        /// The journal's file.
        path: PathBuf,
        /// The system's error.
        error: std::io::Error,
    },
}

/// Returns what to do if a journal cannot be locked.
fn lock_advice(error: &std::io::Error) -> &'static str {
    use std::io::ErrorKind::{FileTooLarge, QuotaExceeded, StorageFull};
    match error.kind() {
        StorageFull => "the disk is full: make room on it",
        QuotaExceeded | FileTooLarge => "a quota or a limit on the size of files is used up: raise it, or delete files",
        _ => "make its folder and the file `.lock` beside it writable",
    }
}

fn several(pipelines: &[String]) -> String {
    let names: Vec<String> = pipelines.iter().map(|pipeline| format!("`{pipeline}`")).collect();
    format!("the pipelines {}", names.join(", "))
}

struct HolderText<'a>(&'a Option<Holder>);

impl fmt::Display for HolderText<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(Holder { process, since: Some(since), command }) => {
                let since = since.to_rfc3339_opts(chrono::SecondsFormat::Secs, true);
                write!(f, "process {process} since {since} (`{command}`)")
            }
            Some(Holder { process, since: None, .. }) => write!(f, "process {process}"),
            None => f.write_str("another process"),
        }
    }
}

impl JournalError {
    pub(super) fn folder(path: &Path, error: std::io::Error) -> Self {
        Self::Folder { path: path.to_owned(), error }
    }

    pub(super) fn read(path: &Path, error: &rusqlite::Error) -> Self {
        use rusqlite::ErrorCode::{DatabaseCorrupt, DiskFull, NotADatabase, SystemIoFailure};
        let (path, reason) = (path.to_owned(), error.to_string());
        match error.sqlite_error_code() {
            Some(NotADatabase) => Self::NotAJournal { path, reason },
            Some(DatabaseCorrupt) => Self::Damaged { path, reason },
            // To read it, SQLite creates a file beside it.
            Some(DiskFull | SystemIoFailure) => Self::Read { path, reason: Self::reason(error) },
            _ => Self::Read { path, reason },
        }
    }

    /// The writer's thread has panicked.
    pub(super) fn writer_panicked(path: &Path, panic: &(dyn std::any::Any + Send)) -> Self {
        let text = panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str));
        let reason =
            format!("the thread that writes it panicked ({}), which is a bug in this library", text.unwrap_or("no text"));
        Self::Write { path: path.to_owned(), reason }
    }

    /// Too much waits to be written.
    pub(super) fn overrun(path: &Path) -> Self {
        let reason = format!("more than {} GiB wait to be written, as the disk does not keep up", super::queue::MOST >> 30);
        Self::Write { path: path.to_owned(), reason }
    }

    /// A new journal cannot be put in its place.
    pub(super) fn create(path: &Path, error: &std::io::Error) -> Self {
        Self::Open { path: path.to_owned(), reason: format!("it cannot be created: {error}") }
    }

    /// It cannot be opened for writing.
    pub(super) fn open(path: &Path, error: &rusqlite::Error) -> Self {
        match Self::write(path, error) {
            Self::Write { path, reason } => Self::Open { path, reason },
            other => other,
        }
    }

    pub(super) fn write(path: &Path, error: &rusqlite::Error) -> Self {
        use rusqlite::ErrorCode::{DatabaseCorrupt, NotADatabase};
        match error.sqlite_error_code() {
            Some(DatabaseCorrupt | NotADatabase) => Self::read(path, error),
            _ => Self::Write { path: path.to_owned(), reason: Self::reason(error) },
        }
    }

    /// Returns why something could not be written.
    pub(super) fn reason(error: &rusqlite::Error) -> String {
        use rusqlite::ErrorCode::{DiskFull, ReadOnly, SystemIoFailure};
        match error.sqlite_error_code() {
            Some(DiskFull) => "the disk is full".to_owned(),
            Some(ReadOnly) => READ_ONLY.to_owned(),
            Some(SystemIoFailure) => {
                format!("the system refused to ({error}): the disk, a quota or a limit on the size of files may be full")
            }
            _ => error.to_string(),
        }
    }

    pub(super) fn backup(path: &Path, reason: impl Into<String>) -> Self {
        Self::Backup { path: path.to_owned(), reason: reason.into() }
    }
}

pub(super) const READ_ONLY: &str = "the file, its folder or its file system is read-only";
