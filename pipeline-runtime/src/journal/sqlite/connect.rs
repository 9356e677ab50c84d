//! How the journal's file is opened: for writing, for reading beside the writer, and to be copied. What does not look like a
//! journal, or is damaged, is refused here.

use super::schema::{APPLICATION, VERSION, migrate};
use super::{JournalError, create, file, immutable, lock, wal};
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags, OptionalExtension};
use std::ffi::OsStr;
use std::path::Path;

/// Opens the file for writing, and creates or migrates it.
pub(super) fn open(path: &Path) -> Result<Connection, JournalError> {
    // A link whose target is missing counts as existing: SQLite creates the file at the target.
    if path.symlink_metadata().is_err_and(|error| error.kind() == std::io::ErrorKind::NotFound) {
        create::create(path)?;
    }
    refuse_empty(path)?;
    wal::refuse_damaged(path)?;
    let connection = Connection::open(path).map_err(|error| JournalError::open(path, &error))?;
    let failed = |error: rusqlite::Error| JournalError::open(path, &error);
    leave_as_it_is(&connection, true).map_err(failed)?;
    prepare_once(&connection).map_err(failed)?;
    connection.busy_timeout(std::time::Duration::from_secs(5)).map_err(failed)?;
    // Reading the header comes first: it detects a damaged or foreign file before anything is written to it.
    let version = check(&connection, path).map_err(|failure| failure.of(path))?;
    integrity(&connection, path)?;
    // SQLite opens a read-only file without an error and fails at the first write, when a run may have begun. So something is
    // written here and taken back: `Connection::is_readonly` takes another type in each of the releases that are supported, and
    // `BEGIN IMMEDIATE` alone succeeds.
    let write = format!("BEGIN IMMEDIATE; PRAGMA user_version = {version}; ROLLBACK");
    connection.execute_batch(&write).map_err(failed)?;
    leave_as_it_is(&connection, false).map_err(failed)?;
    connection.pragma_update(None, "journal_mode", "WAL").map_err(failed)?;
    connection.pragma_update(None, "synchronous", "FULL").map_err(failed)?;
    migrate(&connection, version).map_err(failed)?;
    Ok(connection)
}

/// A new journal is completed and then put in its place, so an empty file is the result of a full disk or of an interrupted copy.
/// To take it for a new journal, and run again what had finished, would be no repair.
fn refuse_empty(path: &Path) -> Result<(), JournalError> {
    // The smallest file that SQLite writes.
    const HEADER: u64 = 512;
    match std::fs::metadata(path) {
        Ok(file) if file.is_file() && file.len() < HEADER => {
            let reason = format!("it has {} bytes, and a new one is never so short", file.len());
            Err(JournalError::Damaged { path: path.to_owned(), reason })
        }
        _ => Ok(()),
    }
}

/// Sets whether closing the last connection leaves the newest commits in their own file, as they were found. Otherwise `SQLite`
/// copies them into the journal, even if it was found damaged or they do not belong to it.
fn leave_as_it_is(connection: &Connection, leave: bool) -> rusqlite::Result<bool> {
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, leave)
}

/// Makes query plans independent of bound values. Otherwise `SQLite` prepares a statement again whenever a `LIMIT` is bound, or a
/// column that a partial index compares with a text, and that takes longer than most queries.
fn prepare_once(connection: &Connection) -> rusqlite::Result<bool> {
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)
}

/// Opens the file for reading while another process may write it.
pub(super) fn open_reader(path: &Path) -> Result<Connection, JournalError> {
    refuse_to_read(path)?;
    let connection = open_beside(path)?;
    integrity(&connection, path)?;
    Ok(connection)
}

fn refuse_to_read(path: &Path) -> Result<(), JournalError> {
    if !path.exists() {
        return Err(JournalError::Missing { path: path.to_owned() });
    }
    file::refuse_irregular(path)?;
    file::refuse_second_name(&file::resolve(path))?;
    refuse_empty(path)?;
    // A half-written frame of a process that writes is complete a moment later.
    if !lock::is_held(path) {
        wal::refuse_damaged(path)?;
    }
    Ok(())
}

/// Opens the file to copy it, whatever its version.
pub(super) fn open_to_copy(path: &Path) -> Result<Connection, JournalError> {
    refuse_to_read(path)?;
    let (connection, _) = open_any_version(path)?;
    integrity(&connection, path)?;
    Ok(connection)
}

/// Opens the file for reading, after this process has opened it for writing and checked it.
pub(super) fn open_beside(path: &Path) -> Result<Connection, JournalError> {
    match open_any_version(path)? {
        (connection, VERSION) => Ok(connection),
        (_, found) => Err(JournalError::Older { path: path.to_owned(), found, known: VERSION }),
    }
}

fn open_any_version(path: &Path) -> Result<(Connection, i64), JournalError> {
    if !path.exists() {
        return Err(JournalError::Missing { path: path.to_owned() });
    }
    let opened = match open_to_read(path, path.as_os_str(), OpenFlags::SQLITE_OPEN_READ_WRITE) {
        Err(ReadFailure::Sqlite(error)) if immutable::is_for(&error) => {
            immutable::open(path).unwrap_or(Err(ReadFailure::Sqlite(error)))
        }
        opened => opened,
    };
    opened.map_err(|failure| failure.of(path))
}

pub(super) fn open_to_read(path: &Path, name: &OsStr, how: OpenFlags) -> Result<(Connection, i64), ReadFailure> {
    let open = |how| Connection::open_with_flags(name, how | OpenFlags::SQLITE_OPEN_NO_MUTEX);
    // Not read-only, because a reader of a WAL file takes part in its shared memory.
    let connection = open(how).or_else(|_| open((how - OpenFlags::SQLITE_OPEN_READ_WRITE) | OpenFlags::SQLITE_OPEN_READ_ONLY))?;
    // A reader changes nothing.
    leave_as_it_is(&connection, true)?;
    prepare_once(&connection)?;
    connection.busy_timeout(std::time::Duration::from_secs(5))?;
    let version = check(&connection, path)?;
    Ok((connection, version))
}

/// The reason why a file cannot be read.
#[derive(Debug)]
pub(super) enum ReadFailure {
    Sqlite(rusqlite::Error),
    Refused(JournalError),
}

impl ReadFailure {
    fn of(self, path: &Path) -> JournalError {
        match self {
            Self::Sqlite(error) => JournalError::read(path, &error),
            Self::Refused(error) => error,
        }
    }
}

impl From<rusqlite::Error> for ReadFailure {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}

/// Returns the file's version.
fn check(connection: &Connection, path: &Path) -> Result<i64, ReadFailure> {
    let pragma = |name: &str| connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
    let (application, version) = (pragma("application_id")?, pragma("user_version")?);
    let tables: i64 = connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    let path = || path.to_owned();
    Err(ReadFailure::Refused(match (tables, application, version) {
        (0, ..) => JournalError::Damaged { path: path(), reason: "it has no tables".into() },
        (_, APPLICATION, version) if version > VERSION => JournalError::Newer { path: path(), found: version, known: VERSION },
        (_, APPLICATION, version) => return Ok(version),
        _ => JournalError::NotAJournal { path: path(), reason: "it is a database of another program".into() },
    }))
}

/// Up to this size a file is checked completely when it is opened, which takes a few milliseconds. Damage in a larger one is
/// found when the page is read.
const CHECKED_WHOLE: u64 = 8 << 20;

fn integrity(connection: &Connection, path: &Path) -> Result<(), JournalError> {
    if std::fs::metadata(path).is_ok_and(|file| file.len() > CHECKED_WHOLE) {
        return Ok(());
    }
    let failed = |error: rusqlite::Error| JournalError::read(path, &error);
    let first = connection.query_row("PRAGMA quick_check(1)", [], |row| row.get::<_, String>(0)).optional().map_err(failed)?;
    match first.as_deref() {
        None | Some("ok") => Ok(()),
        Some(reason) => {
            // The line before it names the connection's database, of which there is only one.
            let reason = reason.lines().last().unwrap_or(reason).to_owned();
            Err(JournalError::Damaged { path: path.to_owned(), reason })
        }
    }
}
