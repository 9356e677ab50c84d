use super::JournalError;
use super::create;
use super::{file, immutable, lock, wal};
use crate::journal::RunKey;
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags, OptionalExtension};
use std::ffi::OsStr;
use std::path::Path;

/// The migrations: each makes one version of the one before it. A file has the version of the last one applied. An older file is
/// migrated when it is opened for writing, all or nothing. A committed migration is never changed; new ones are only added.
const MIGRATIONS: &[&str] = &[V1, V2, V3, V4, V5, V6, V7, V8, V9];
/// The version this code writes.
#[expect(clippy::cast_possible_wrap, reason = "they are counted by hand")]
const VERSION: i64 = MIGRATIONS.len() as i64;
/// Identifies the file as a journal: "PIPE".
const APPLICATION: i64 = 0x5049_5045;

const V1: &str = "
    CREATE TABLE runs (
        key INTEGER PRIMARY KEY,
        run_id TEXT NOT NULL UNIQUE,
        pipeline TEXT NOT NULL,
        kind TEXT NOT NULL,
        interval_start INTEGER NOT NULL,
        interval_end INTEGER NOT NULL,
        previous_start INTEGER,
        previous_end INTEGER,
        params TEXT NOT NULL,
        state TEXT NOT NULL,
        created INTEGER NOT NULL,
        sla_from INTEGER NOT NULL,
        finished INTEGER,
        seed INTEGER NOT NULL,
        skeleton INTEGER NOT NULL REFERENCES skeletons (id)
    ) STRICT;
    CREATE INDEX runs_by_pipeline ON runs (pipeline, interval_start, kind);
    CREATE INDEX runs_by_state ON runs (state, pipeline);
    CREATE TABLE skeletons (id INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE) STRICT;
    CREATE TABLE records (
        run INTEGER NOT NULL,
        seq INTEGER NOT NULL,
        at INTEGER NOT NULL,
        kind INTEGER NOT NULL,
        slot INTEGER,
        number INTEGER,
        time INTEGER,
        text TEXT,
        body BLOB,
        PRIMARY KEY (run, seq)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE due (run INTEGER NOT NULL, id INTEGER NOT NULL, PRIMARY KEY (run, id)) STRICT, WITHOUT ROWID;
    CREATE TABLE logs (
        id INTEGER PRIMARY KEY,
        run INTEGER NOT NULL,
        slot INTEGER NOT NULL,
        attempt INTEGER NOT NULL,
        at INTEGER NOT NULL,
        level INTEGER NOT NULL,
        line TEXT NOT NULL
    ) STRICT;
    CREATE INDEX logs_by_node ON logs (run, slot, id);
    CREATE TABLE inbox (id INTEGER PRIMARY KEY, at INTEGER NOT NULL, command TEXT NOT NULL, answer TEXT) STRICT;
    CREATE TABLE paused (pipeline TEXT PRIMARY KEY) STRICT, WITHOUT ROWID;
";

/// A run's id is unique within its pipeline, as in Airflow. Each filter of `runs` is a range of an index, in the order of its
/// keys. Log lines are grouped by node, which is stored by its id: so a changed plan never assigns a line to another node.
const V2: &str = "
    CREATE TABLE runs_2 (
        key INTEGER PRIMARY KEY,
        run_id TEXT NOT NULL,
        pipeline TEXT NOT NULL,
        kind TEXT NOT NULL,
        interval_start INTEGER NOT NULL,
        interval_end INTEGER NOT NULL,
        previous_start INTEGER,
        previous_end INTEGER,
        params TEXT NOT NULL,
        state TEXT NOT NULL,
        created INTEGER NOT NULL,
        sla_from INTEGER NOT NULL,
        finished INTEGER,
        seed INTEGER NOT NULL,
        skeleton INTEGER NOT NULL REFERENCES skeletons (id),
        UNIQUE (run_id, pipeline)
    ) STRICT;
    INSERT INTO runs_2 SELECT key, run_id, pipeline, kind, interval_start, interval_end, previous_start, previous_end, params,
        state, created, sla_from, finished, seed, skeleton FROM runs;
    DROP TABLE runs;
    ALTER TABLE runs_2 RENAME TO runs;
    CREATE INDEX runs_by_interval ON runs (pipeline, interval_start, kind);
    CREATE INDEX runs_by_state ON runs (state, kind);
    CREATE INDEX runs_of_pipeline ON runs (pipeline, state, kind);
    DROP TABLE logs;
    CREATE TABLE logs (
        run INTEGER NOT NULL,
        node TEXT NOT NULL,
        id INTEGER NOT NULL,
        attempt INTEGER NOT NULL,
        at INTEGER NOT NULL,
        level INTEGER NOT NULL,
        line TEXT NOT NULL,
        PRIMARY KEY (run, node, id)
    ) STRICT, WITHOUT ROWID;
";

/// A run that waited knows when it began; a backfill's run knows how many of them may be active at once. A command's number is
/// never reused, so that no command gets another's answer.
const V3: &str = "
    ALTER TABLE runs ADD COLUMN begun INTEGER;
    ALTER TABLE runs ADD COLUMN max_active INTEGER;
    DROP TABLE inbox;
    CREATE TABLE inbox (id INTEGER PRIMARY KEY AUTOINCREMENT, at INTEGER NOT NULL, command TEXT NOT NULL, answer TEXT) STRICT;
    CREATE INDEX unanswered ON inbox (id) WHERE answer IS NULL;
";

/// Each run that begins looks up the last success, however many runs wait or have failed in between.
const V4: &str = "CREATE INDEX successes ON runs (pipeline, interval_start) WHERE state = 'success';";

/// A command is taken by the process that will carry it out, and marked as carried in the commit of its effect; the runs that it
/// makes have its number. So it is carried out once, whichever process ends in between. A run that has records has begun: earlier
/// versions left such runs queued if a process began them by name and was killed, and would begin them again.
const V5: &str = "
    ALTER TABLE inbox ADD COLUMN taken INTEGER;
    ALTER TABLE inbox ADD COLUMN carried INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE runs ADD COLUMN ticket INTEGER;
    CREATE INDEX runs_of_ticket ON runs (ticket) WHERE ticket IS NOT NULL;
    UPDATE runs SET state = 'running' WHERE state = 'queued' AND key IN (SELECT run FROM records);
";

/// A run that a process could not resume is found by its reason, and scheduled runs are found among any number of others. Who
/// asked for what is stored, because the inbox is emptied.
const V6: &str = "
    ALTER TABLE runs ADD COLUMN blocked TEXT;
    CREATE INDEX blocked_runs ON runs (key) WHERE blocked IS NOT NULL;
    CREATE INDEX scheduled_runs ON runs (pipeline, interval_start, interval_end) WHERE kind = 'scheduled';
    ALTER TABLE inbox ADD COLUMN who TEXT;
    CREATE TABLE acts (
        id INTEGER PRIMARY KEY,
        at INTEGER NOT NULL,
        who TEXT,
        command TEXT NOT NULL,
        done INTEGER NOT NULL,
        answer TEXT NOT NULL
    ) STRICT;
";

/// The intervals that the schedule has run remain known after their runs are deleted. Otherwise they would run again if the clock
/// was ahead during the deletion and is set back later.
const V7: &str = "
    CREATE TABLE pruned (
        pipeline TEXT NOT NULL,
        interval_start INTEGER NOT NULL,
        interval_end INTEGER NOT NULL,
        PRIMARY KEY (pipeline, interval_start)
    ) STRICT, WITHOUT ROWID;
";

/// A run that has ended is not blocked: earlier versions could leave the reason. Assets are updated, and updates start runs and
/// are read by them. Which updates a pipeline has used up outlives those runs.
const V8: &str = "
    UPDATE runs SET blocked = NULL WHERE state NOT IN ('queued', 'running');
    ALTER TABLE runs ADD COLUMN previous_began INTEGER;
    CREATE TABLE updates (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        asset TEXT NOT NULL,
        at INTEGER NOT NULL,
        run INTEGER,
        pipeline TEXT,
        run_id TEXT,
        node TEXT,
        interval_start INTEGER NOT NULL,
        interval_end INTEGER NOT NULL,
        value BLOB NOT NULL
    ) STRICT;
    CREATE INDEX updates_of_asset ON updates (asset, id);
    CREATE INDEX updates_of_run ON updates (run);
    CREATE TABLE run_updates (
        run INTEGER NOT NULL,
        asset TEXT NOT NULL,
        update_id INTEGER NOT NULL,
        begins INTEGER NOT NULL,
        PRIMARY KEY (run, asset)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX runs_of_update ON run_updates (update_id);
    CREATE TABLE consumed (
        pipeline TEXT NOT NULL,
        asset TEXT NOT NULL,
        update_id INTEGER NOT NULL,
        PRIMARY KEY (pipeline, asset)
    ) STRICT, WITHOUT ROWID;
";

/// A setting applies to runs that begin after it was set: each run stores the settings that it began with in its row.
const V9: &str = "
    CREATE TABLE settings (name TEXT PRIMARY KEY, value TEXT NOT NULL, at INTEGER NOT NULL) STRICT, WITHOUT ROWID;
    ALTER TABLE runs ADD COLUMN settings TEXT;
";

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

pub(super) fn migrate(connection: &Connection, version: i64) -> rusqlite::Result<()> {
    let steps = MIGRATIONS.get(usize::try_from(version).unwrap_or(0)..).unwrap_or_default();
    if steps.is_empty() {
        return Ok(());
    }
    let steps = steps.concat();
    let all = format!("BEGIN IMMEDIATE; {steps} PRAGMA application_id = {APPLICATION}; PRAGMA user_version = {VERSION}; COMMIT;");
    connection.execute_batch(&all)
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

/// Returns the key of the next run.
pub(super) fn next_key(connection: &Connection, path: &Path) -> Result<RunKey, JournalError> {
    let last: Option<RunKey> = connection
        .query_row("SELECT max(key) FROM runs", [], |row| row.get(0))
        .map_err(|error| JournalError::read(path, &error))?;
    Ok(last.unwrap_or(0) + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_of_the_first_version_is_brought_forward_with_what_it_has() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal.db");
        let first = Connection::open(&path).unwrap();
        first.execute_batch(&format!("{V1} PRAGMA application_id = {APPLICATION}; PRAGMA user_version = 1;")).unwrap();
        let run = "INSERT INTO skeletons VALUES (1, '{\"nodes\":[]}'); INSERT INTO runs VALUES (7, 'manual__1', 'nightly', 'manual', 1, 2, \
                   NULL, NULL, 'null', 'running', 3, 4, NULL, 5, 1); INSERT INTO records (run, seq, at, kind, text) VALUES (7, 1, 6, 10, 'success');";
        first.execute_batch(run).unwrap();
        drop(first);
        let error = open_reader(&path).unwrap_err().to_string();
        assert!(error.contains("(schema 1, this one reads 9); `resume` or any run brings it forward"), "{error}");
        drop(open(&path).unwrap());
        let reader = crate::journal::Reader::open(&path).unwrap();
        let run = reader.run("manual__1").unwrap().unwrap();
        assert_eq!((run.key, run.pipeline.as_str(), run.seed), (7, "nightly", 5));
        assert_eq!(reader.entries(7).unwrap().len(), 1);
        // The second time there is nothing to do.
        drop(open(&path).unwrap());
    }

    #[test]
    fn a_run_that_an_earlier_version_left_queued_with_records_has_begun() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal.db");
        let fourth = Connection::open(&path).unwrap();
        fourth.execute_batch(&[V1, V2, V3, V4].concat()).unwrap();
        fourth.execute_batch(&format!("PRAGMA application_id = {APPLICATION}; PRAGMA user_version = 4;")).unwrap();
        let runs = "INSERT INTO skeletons VALUES (1, '{\"nodes\":[]}');
                    INSERT INTO runs (key, run_id, pipeline, kind, interval_start, interval_end, params, state, created, sla_from, seed, \
                    skeleton) VALUES (1, 'begun', 'p', 'manual', 1, 1, 'null', 'queued', 1, 1, 1, 1), \
                    (2, 'waits', 'p', 'manual', 2, 2, 'null', 'queued', 1, 1, 1, 1);
                    INSERT INTO records (run, seq, at, kind, slot, number) VALUES (1, 1, 6, 1, 0, 1);";
        fourth.execute_batch(runs).unwrap();
        drop(fourth);
        drop(open(&path).unwrap());
        let reader = crate::journal::Reader::open(&path).unwrap();
        let state = |run: &str| reader.run(run).unwrap().unwrap().state;
        assert_eq!((state("begun"), state("waits")), (crate::RunState::Running, crate::RunState::Queued));
    }

    #[test]
    fn a_run_that_an_earlier_version_left_blocked_as_it_ended_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal.db");
        let seventh = Connection::open(&path).unwrap();
        seventh.execute_batch(&MIGRATIONS[..7].concat()).unwrap();
        seventh.execute_batch(&format!("PRAGMA application_id = {APPLICATION}; PRAGMA user_version = 7;")).unwrap();
        let runs = "INSERT INTO skeletons VALUES (1, '{\"nodes\":[]}');
                    INSERT INTO runs (key, run_id, pipeline, kind, interval_start, interval_end, params, state, created, sla_from, seed, \
                    skeleton, blocked) VALUES (1, 'ended', 'p', 'manual', 1, 1, 'null', 'cancelled', 1, 1, 1, 1, 'why'), \
                    (2, 'waits', 'p', 'manual', 2, 2, 'null', 'queued', 1, 1, 1, 1, 'why');";
        seventh.execute_batch(runs).unwrap();
        drop(seventh);
        drop(open(&path).unwrap());
        let reader = crate::journal::Reader::open(&path).unwrap();
        let is_blocked = |run: &str| reader.run(run).unwrap().unwrap().blocked.is_some();
        assert_eq!((is_blocked("ended"), is_blocked("waits")), (false, true));
    }
}
