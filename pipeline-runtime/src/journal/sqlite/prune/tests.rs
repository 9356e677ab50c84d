use super::*;
use crate::engine::RunState;
use crate::journal::{Reader, RunKey, RunKind};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use rusqlite::params;
use std::collections::BTreeSet;
use std::path::PathBuf;

/// A stored run, with times in days. Its interval is a day, unless no schedule made the run.
#[derive(Debug, Clone, Copy)]
struct Run {
    kind: RunKind,
    state: RunState,
    start: i64,
    finished: i64,
}

const DAY: i64 = 86_400_000_000_000;

fn at(day: i64) -> Timestamp {
    Timestamp::from_nanos(day * DAY)
}

/// A journal with these runs of one pipeline, whose keys are 1, 2, ….
struct Fixture {
    _folder: tempfile::TempDir,
    path: PathBuf,
    connection: Connection,
}

impl Fixture {
    fn of(runs: &[Run]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal.db");
        let connection = connect::open(&path).unwrap();
        connection.execute("INSERT INTO skeletons (id, text) VALUES (1, '{}')", []).unwrap();
        let fixture = Self { _folder: folder, path, connection };
        for run in runs {
            fixture.add(run);
        }
        fixture
    }

    fn add(&self, run: &Run) {
        let insert = "INSERT INTO runs (run_id, pipeline, kind, interval_start, interval_end, params, state, created, sla_from, finished, seed, \
                      skeleton) SELECT 'run__' || (coalesce(max(key), 0) + 1), 'p', ?1, ?2, ?2 + ?3, 'null', ?4, 0, 0, ?5, 1, 1 FROM runs";
        let finished = run.state.is_end().then_some(run.finished * DAY);
        self.connection.execute(insert, params![run.kind.name(), run.start * DAY, DAY, run.state.name(), finished]).unwrap();
        let key = self.connection.last_insert_rowid();
        self.fill(key, 3, 10);
    }

    /// Adds more runs than a step reads, without records or log lines.
    fn add_many(&self, state: &str) {
        let counted = "WITH RECURSIVE n (n) AS (SELECT max(key) + 1 FROM runs UNION ALL SELECT n + 1 FROM n WHERE n < 320)";
        let insert = "INSERT INTO runs (run_id, pipeline, kind, interval_start, interval_end, params, state, created, sla_from, finished, \
                      seed, skeleton) SELECT 'run__' || n, 'p', 'manual', 0, 0, 'null', ?1, 0, 0, 0, 1, 1 FROM n";
        self.connection.execute(&format!("{counted} {insert}"), [state]).unwrap();
    }

    /// Adds records and log lines to a run.
    fn fill(&self, run: RunKey, rows: i64, bytes: i64) {
        let from: i64 = self
            .connection
            .query_row("SELECT coalesce(max(seq), 0) FROM records WHERE run = ?1", [run], |row| row.get(0))
            .unwrap();
        let counted = "WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < ?2)";
        let records =
            format!("{counted} INSERT INTO records (run, seq, at, kind, body) SELECT ?1, n + ?3, 0, 1, zeroblob(?4) FROM n");
        self.connection.execute(&records, params![run, rows, from, bytes]).unwrap();
        let lines = format!(
            "{counted} INSERT INTO logs (run, node, id, attempt, at, level, line) SELECT ?1, 'node' || (n % 7), n + ?3, 1, 0, 1, \
             printf('%.*c', ?4, 'x') FROM n"
        );
        self.connection.execute(&lines, params![run, rows, from, bytes]).unwrap();
    }

    fn keys(&self) -> BTreeSet<RunKey> {
        let mut keys = self.connection.prepare("SELECT key FROM runs").unwrap();
        keys.query_map([], |row| row.get(0)).unwrap().collect::<Result<_, _>>().unwrap()
    }

    fn count(&self, query: &str) -> i64 {
        self.connection.query_row(query, [], |row| row.get(0)).unwrap()
    }

    /// Deletes what ended before that day, by a schedule that is at another.
    fn prune(&self, before: i64, date: i64) -> Pruned {
        run(&self.connection, Pass::of_all(at(before), at(date))).unwrap()
    }

    /// Returns the number of rows without a run.
    fn left_over(&self) -> i64 {
        let rows = |table: &str| self.count(&format!("SELECT count(*) FROM {table} WHERE run NOT IN (SELECT key FROM runs)"));
        rows("records") + rows("logs")
    }
}

const fn ended(kind: RunKind, state: RunState, start: i64, finished: i64) -> Run {
    Run { kind, state, start, finished }
}

const LATER: Run = ended(RunKind::Manual, RunState::Cancelled, 0, 99);
use RunKind::{Backfill, Manual, Scheduled};
use RunState::{Failed, Queued, Running, Success};

#[test]
fn what_is_looked_back_on_or_waited_for_stays_and_all_else_goes() {
    let fixture = Fixture::of(&[
        ended(Scheduled, Success, 1, 2),
        // 2: the last success.
        ended(Scheduled, Success, 2, 3),
        // 3: the last scheduled run that has ended. 4: the run of its interval that ended last. 5: one that ended before.
        ended(Scheduled, Failed, 3, 4),
        ended(Manual, Failed, 3, 6),
        ended(Manual, Failed, 3, 5),
        // 6: made by a wrong date.
        ended(Scheduled, Failed, 50, 5),
        // 7: the newest of a backfill. 8 and 9 are unfinished, and 9 depends on 10.
        ended(Backfill, Failed, -9, 3),
        Run { kind: Manual, state: Running, start: -8, finished: 0 },
        Run { kind: Manual, state: Queued, start: -6, finished: 0 },
        ended(Manual, Failed, -7, 3),
        ended(Manual, Failed, -20, 3),
        // 12: with a callback to deliver. 13: of a command without an answer. 14: of an answered one. 15: the newest manual run.
        ended(Manual, Failed, -20, 3),
        ended(Manual, Failed, -20, 3),
        ended(Manual, Failed, -20, 3),
        ended(Manual, Failed, -20, 3),
        // 16: not old enough.
        ended(Backfill, Success, -30, 8),
        LATER,
    ]);
    fixture.connection.execute_batch("INSERT INTO due VALUES (12, 1); INSERT INTO inbox (id, at, command, answer) VALUES (7, 0, '', NULL), (8, 0, '', 'done')").unwrap();
    fixture
        .connection
        .execute_batch("UPDATE runs SET ticket = 7 WHERE key = 13; UPDATE runs SET ticket = 8 WHERE key = 14")
        .unwrap();
    let pruned = fixture.prune(7, 10);
    assert_eq!(Vec::from_iter(fixture.keys()), [2, 3, 4, 6, 8, 9, 10, 12, 13, 16, 17]);
    assert_eq!((pruned.runs, pruned.kept, fixture.left_over()), (6, 9, 0));
    // Runs that were awaited go once they are not, and so do runs that have become the past.
    fixture.connection.execute_batch("DELETE FROM due; UPDATE inbox SET answer = 'done'; UPDATE runs SET state = 'failed', finished = 0 WHERE state = 'queued'").unwrap();
    fixture.prune(7, 60);
    assert_eq!(Vec::from_iter(fixture.keys()), [2, 6, 8, 16, 17]);
}

/// A node of an unfinished run may wait for a node of such a run.
#[test]
fn the_day_before_that_of_an_unfinished_run_stays_also_where_it_lies_far_behind() {
    let fixture = Fixture::of(&[
        ended(Scheduled, Failed, 1, 2),
        // 2 and 3: two runs of the last day before that of 4. A manual run of a day in between makes no difference.
        ended(Scheduled, Failed, 2, 3),
        ended(Manual, Failed, 2, 3),
        ended(Manual, Failed, 4, 5),
        Run { kind: Backfill, state: Running, start: 5, finished: 0 },
        ended(Scheduled, Success, 8, 9),
        LATER,
        ended(Backfill, Failed, 0, 1),
        ended(Manual, Failed, 9, 9),
    ]);
    fixture.prune(30, 20);
    assert!(fixture.keys().is_superset(&BTreeSet::from([2, 3, 5])) && !fixture.keys().contains(&1), "{:?}", fixture.keys());
}

/// What the journal reports about the past to a scheduler at that date, and to nodes that depend on theirs:
/// `host/dispatch/calendar.rs`, `host/dispatch/begin.rs` and `host/other_runs.rs` send the same queries.
fn past(reader: &Reader, date: i64, queued: &[i64], depending: &[i64]) -> String {
    let outcome = |start: Timestamp| reader.outcome("p", start).unwrap();
    let last = reader.last_scheduled("p", at(date)).unwrap();
    let ahead: BTreeSet<Timestamp> = reader.scheduled_after("p", last).unwrap().into_iter().collect();
    let of_last =
        last.map(|last| (last.start, outcome(last.start.into()), reader.previous_success("p", last.end.into()).unwrap()));
    let of_ahead: Vec<_> = ahead.iter().map(|start| (start.to_utc(), outcome(*start))).collect();
    let of_queued: Vec<_> = queued.iter().map(|start| outcome(at(start - 1))).collect();
    let of_nodes: Vec<_> = depending.iter().map(|start| reader.runs_of_interval_before("p", at(*start)).unwrap()).collect();
    format!("{of_last:?} {of_ahead:?} {of_queued:?} {of_nodes:?} {:?}", reader.unfinished_intervals("p").unwrap())
}

/// `PRUNE_SEED` repeats a case.
#[test]
fn a_schedule_is_told_the_same_of_the_past_after_a_prune() {
    let given = std::env::var("PRUNE_SEED").ok().map(|seed| seed.parse().unwrap());
    for _ in 0..40 {
        let seed: u64 = given.unwrap_or_else(rand::random);
        let mut random = StdRng::seed_from_u64(seed);
        let mut some = |from: i64, to: i64| random.random_range(from..=to);
        let runs: Vec<Run> = (0..some(1, 30))
            .map(|_| Run {
                kind: RunKind::ALL[usize::try_from(some(0, 2)).unwrap()],
                state: RunState::ALL[usize::try_from(some(0, 9).min(4)).unwrap()],
                start: some(0, 12),
                finished: some(1, 20),
            })
            .collect();
        let queued: Vec<i64> = runs.iter().filter(|run| run.state == Queued).map(|run| run.start).collect();
        let depends = |run: &&Run| !run.state.is_end() && matches!(run.kind, RunKind::Scheduled | RunKind::Backfill);
        let depending: Vec<i64> = runs.iter().filter(depends).map(|run| run.start).collect();
        let fixture = Fixture::of(&runs);
        let (before, date) = (some(1, 21), some(0, 14));
        let reader = Reader::open(&fixture.path).unwrap();
        let before_prune = past(&reader, date, &queued, &depending);
        let pruned = fixture.prune(before, date);
        assert_eq!(past(&reader, date, &queued, &depending), before_prune, "seed {seed}: {runs:?}, before {before}, by {date}");
        let newer = runs.iter().filter(|run| !run.state.is_end() || run.finished >= before).count();
        assert!(fixture.keys().len() >= newer && fixture.left_over() == 0, "seed {seed}");
        assert_eq!(fixture.keys().len() + usize::try_from(pruned.runs).unwrap(), runs.len(), "seed {seed}");
        let again = fixture.prune(before, date);
        assert_eq!(again.runs, 0, "seed {seed}: once is enough");
    }
}

/// True if every existing run has all its rows.
fn are_whole(fixture: &Fixture) -> bool {
    let rows = |table: &str, run: RunKey| fixture.count(&format!("SELECT count(*) FROM {table} WHERE run = {run}"));
    let has = |run: RunKey, expected: i64| rows("records", run) == expected && rows("logs", run) == expected;
    [(1, 3), (2, 3), (3, 2_003), (4, 4), (5, 43), (321, 3)]
        .into_iter()
        .all(|(run, expected)| !fixture.keys().contains(&run) || has(run, expected))
}

/// Runs of very different sizes, all of which are deleted but the last.
fn large() -> Fixture {
    let fixture = Fixture::of(&[ended(Manual, Failed, 1, 1); 5]);
    fixture.add_many("failed");
    fixture.fill(3, 2_000, 10);
    fixture.fill(4, 1, 3 << 20);
    fixture.fill(5, 40, 200_000);
    fixture.add(&LATER);
    fixture
}

#[test]
fn no_step_does_much_and_no_run_is_half_deleted_after_one() {
    let fixture = large();
    let mut pass = Pass::of_all(at(7), at(7));
    let (mut steps, mut in_use) = (0, None);
    while !pass.is_over() {
        let before = fixture.connection.total_changes();
        let bytes = |fixture: &Fixture| fixture.count("SELECT coalesce(sum(octet_length(body)), 0) FROM records");
        let bytes_before = bytes(&fixture);
        pass.step(&fixture.connection, &mut in_use, &mut || ()).unwrap();
        steps += 1;
        // A run that is deleted completely has one more change, for its row in `due`.
        assert!(fixture.connection.total_changes() - before <= 1_000, "step {steps}");
        assert!(bytes_before - bytes(&fixture) <= (1 << 20) + (3 << 20), "step {steps}");
        assert!(are_whole(&fixture), "step {steps}");
    }
    assert!(steps > 15, "{steps}");
    assert_eq!((pass.pruned().runs, fixture.keys().len(), fixture.left_over()), (320, 1, 0));
    assert!(in_use.is_none(), "nobody asks for plans any more");
}

#[test]
fn what_a_process_that_died_in_a_pass_has_left_is_swept_up_by_the_next() {
    let mut left_over = 0;
    for died_after in (1..).step_by(4) {
        let fixture = large();
        let mut pass = Pass::of_all(at(7), at(7));
        (0..died_after).for_each(|_| pass.step(&fixture.connection, &mut None, &mut || ()).unwrap());
        let has_died = !pass.is_over();
        assert!(are_whole(&fixture), "died after {died_after} steps");
        left_over += fixture.left_over();
        let pipelines = vec![("p".to_owned(), at(7))];
        run(&fixture.connection, Pass::of(pipelines, at(7), true)).unwrap();
        assert_eq!((fixture.keys().len(), fixture.left_over()), (1, 0), "died after {died_after} steps");
        if !has_died {
            assert!(left_over > 0, "none died in the middle");
            return;
        }
    }
}

#[test]
fn a_process_leaves_its_own_runs_and_those_of_other_pipelines() {
    let fixture = Fixture::of(&[ended(Manual, Failed, 1, 1); 4]);
    fixture.connection.execute("UPDATE runs SET pipeline = 'other' WHERE key = 3", []).unwrap();
    let mut pass = Pass::of(vec![("p".to_owned(), at(7))], at(7), false);
    pass.spare([1].into());
    assert_eq!(run(&fixture.connection, pass).unwrap().runs, 1);
    assert_eq!(Vec::from_iter(fixture.keys()), [1, 3, 4]);
}

#[test]
fn plans_that_no_run_has_go_and_those_that_are_used_meanwhile_stay() {
    let fixture = Fixture::of(&[ended(Manual, Failed, 1, 1)]);
    fixture.add_many("running");
    fixture
        .connection
        .execute_batch(
            "INSERT INTO skeletons (id, text) VALUES (2, 'old'), (3, 'used again'); UPDATE runs SET skeleton = 2 WHERE key = 1",
        )
        .unwrap();
    let (mut pass, mut in_use) = (Pass::of_all(at(7), at(7)), None);
    while !pass.is_over() {
        pass.step(&fixture.connection, &mut in_use, &mut || ()).unwrap();
        // The writer records the plans in use from the time that it is asked to.
        in_use.as_mut().map(|in_use| in_use.insert(3));
    }
    assert_eq!((fixture.count("SELECT count(*) FROM skeletons"), fixture.count("SELECT sum(id) FROM skeletons")), (2, 4));
}

#[test]
fn a_file_that_cannot_shrink_as_somebody_reads_is_not_said_to_have_shrunk() {
    let fixture = large();
    fixture.connection.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)").unwrap();
    let size = || std::fs::metadata(&fixture.path).unwrap().len();
    let was = size();
    let reader = connect::open_beside(&fixture.path).unwrap();
    reader.execute_batch("BEGIN; SELECT count(*) FROM runs").unwrap();
    let beside = run(&fixture.connection, Pass::of_all(at(7), at(7))).unwrap();
    assert_eq!((beside.was, beside.file, size()), (was, was, was));
    assert!(beside.to_string().contains("the file has ") && !beside.to_string().contains("shrunk"), "{beside}");
    reader.execute_batch("COMMIT").unwrap();
    let alone = prune(&fixture.connection, at(7), at(7)).unwrap();
    assert!(alone.file == size() && size() < was / 10, "{alone}");
}

#[test]
fn a_new_journals_file_shrinks_and_one_of_an_earlier_version_is_written_anew_once() {
    for is_new in [true, false] {
        let fixture = large();
        if !is_new {
            fixture.connection.execute_batch("PRAGMA auto_vacuum = NONE; VACUUM").unwrap();
        }
        fixture.connection.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)").unwrap();
        let size = || std::fs::metadata(&fixture.path).unwrap().len();
        let was = size();
        assert!(was > 10 << 20, "{was}");
        let apart = run(&fixture.connection, Pass::of_all(at(7), at(7))).unwrap();
        assert_eq!((apart.was, apart.file), (was, size()));
        // While another process continues runs, the file of an earlier version keeps its size.
        assert_eq!((size() < was / 10, apart.free < was / 2), (is_new, is_new), "{apart}");
        let alone = prune(&fixture.connection, at(7), at(7)).unwrap();
        assert_eq!((alone.free, alone.not_rewritten.clone()), (0, None), "{alone}");
        assert!(size() < was / 10 && can_shrink(&fixture.connection).unwrap());
        let checked: String = fixture.connection.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
        assert_eq!(checked, "ok");
    }
}

#[test]
fn an_update_stays_as_long_as_it_is_the_newest_its_run_is_kept_or_a_run_that_is_kept_reads_it() {
    let old = || ended(Manual, Failed, 0, 1);
    // Runs 1 to 5 are old. Run 6 is not, and is the newest of all.
    let fixture = Fixture::of(&[old(), old(), old(), old(), old(), LATER]);
    let update = |id: i64, asset: &str, run: Option<i64>, day: i64| {
        let insert =
            "INSERT INTO updates (id, asset, at, run, interval_start, interval_end, value) VALUES (?1, ?2, ?3, ?4, 0, 0, x'37')";
        fixture.connection.execute(insert, params![id, asset, day * DAY, run]).unwrap();
    };
    update(1, "visits", Some(1), 1);
    // Run 6 reads it.
    update(2, "visits", Some(2), 1);
    update(3, "visits", Some(3), 1);
    // From outside: an old one, and a new one.
    update(4, "visits", None, 1);
    update(5, "visits", None, 60);
    // Of the run that stays, and the newest of its asset.
    update(6, "visits", Some(6), 99);
    update(7, "processes", Some(4), 1);
    let reads = "INSERT INTO run_updates (run, asset, update_id, begins) VALUES (?1, 'visits', ?2, 1)";
    fixture.connection.execute(reads, [5, 1]).unwrap();
    fixture.connection.execute(reads, [6, 2]).unwrap();
    fixture.prune(50, 99);
    assert_eq!(fixture.keys(), BTreeSet::from([6]));
    let ids = |query: &str| -> Vec<i64> {
        let mut ids = fixture.connection.prepare(query).unwrap();
        ids.query_map([], |row| row.get(0)).unwrap().collect::<Result<_, _>>().unwrap()
    };
    assert_eq!(ids("SELECT id FROM updates ORDER BY id"), [2, 5, 6, 7]);
    assert_eq!(ids("SELECT run FROM run_updates"), [6]);
}

#[test]
fn more_updates_than_a_step_looks_at_go_in_several() {
    let fixture = Fixture::of(&[LATER]);
    let counted = "WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 1200)";
    let insert =
        "INSERT INTO updates (asset, at, interval_start, interval_end, value) SELECT 'visits', n, 0, 0, zeroblob(2000) FROM n";
    fixture.connection.execute(&format!("{counted} {insert}"), []).unwrap();
    let mut pass = Pass::of_all(at(50), at(99));
    let mut most = 0;
    while !pass.is_over() {
        let before = fixture.count("SELECT count(*) FROM updates");
        pass.step(&fixture.connection, &mut None, &mut || ()).unwrap();
        most = most.max(before - fixture.count("SELECT count(*) FROM updates"));
    }
    assert_eq!(fixture.count("SELECT count(*) FROM updates"), 1);
    assert!((1..=500).contains(&most), "{most} at once");
}
