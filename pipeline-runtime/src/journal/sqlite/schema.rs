//! The tables of the journal, as the migrations from version to version.

use rusqlite::Connection;

/// The migrations: each makes one version of the one before it. A file has the version of the last one applied. An older file is
/// migrated when it is opened for writing, all or nothing. A committed migration is never changed; new ones are only added.
const MIGRATIONS: &[&str] = &[V1, V2, V3, V4, V5, V6, V7, V8, V9, V10];
/// The version this code writes.
#[expect(clippy::cast_possible_wrap, reason = "they are counted by hand")]
pub(super) const VERSION: i64 = MIGRATIONS.len() as i64;
/// How many free pages a migration gives back.
const FEW_PAGES: i64 = 16;
/// Identifies the file as a journal: "PIPE".
pub(super) const APPLICATION: i64 = 0x5049_5045;

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

/// A skeleton is found by its hash: an index of the texts was a second copy of each. Those of earlier versions have no hash, as their
/// texts have more fields than the same plan's now, so none is looked for. They are copied within the file, not by way of a temporary
/// table: the folder for temporary files is often small, or there is none.
const V10: &str = "
    CREATE TABLE skeletons_10 (id INTEGER PRIMARY KEY, text TEXT NOT NULL, hash INTEGER) STRICT;
    INSERT INTO skeletons_10 (id, text) SELECT id, text FROM skeletons;
    DROP TABLE skeletons;
    ALTER TABLE skeletons_10 RENAME TO skeletons;
    CREATE INDEX skeletons_by_hash ON skeletons (hash);
";

/// Brings a file of that version to the present one, all or nothing.
///
/// From then on the connection does not enforce references. A migration may replace a table that others refer to, a deletion of a plan
/// would search all runs for references to it, and builds of `SQLite` differ in whether they enforce them.
pub(super) fn migrate(connection: &Connection, version: i64) -> rusqlite::Result<()> {
    connection.pragma_update(None, "foreign_keys", false)?;
    let steps = MIGRATIONS.get(usize::try_from(version).unwrap_or(0)..).unwrap_or_default();
    if steps.is_empty() {
        return Ok(());
    }
    let steps = steps.concat();
    let all = format!("BEGIN IMMEDIATE; {steps} PRAGMA application_id = {APPLICATION}; PRAGMA user_version = {VERSION}; COMMIT;");
    connection.execute_batch(&all)?;
    // The pages of replaced tables, so that a new file has no free ones. What a large file has more is left to `prune`.
    connection.pragma(None, "incremental_vacuum", FEW_PAGES, |_| Ok(()))
}

#[cfg(test)]
mod tests {
    use super::super::connect::{open, open_reader};
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
        assert!(error.contains("(schema 1, this one reads 10); `resume` or any run brings it forward"), "{error}");
        drop(open(&path).unwrap());
        let reader = crate::journal::Reader::open(&path).unwrap();
        let run = reader.run("manual__1").unwrap().unwrap();
        assert_eq!((run.key, run.pipeline.as_str(), run.seed, &*run.skeleton), (7, "nightly", 5, "{\"nodes\":[]}"));
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
