//! A process dies at each stage of each commit, and another resumes: no update is lost, and none starts two runs.

use rusqlite::Connection;
use std::path::Path;
use std::process::Command;

fn drive(folder: &Path, kill: Option<&str>) -> bool {
    let mut command = Command::new(env!("CARGO_BIN_EXE_assets-pipelines"));
    command.arg("drive").arg(folder.join("journal.db")).args(kill).env("PIPELINE_LOG", "off");
    command.output().unwrap().status.success()
}

fn rows<T: rusqlite::types::FromSql>(folder: &Path, query: &str) -> Vec<T> {
    let journal = Connection::open(folder.join("journal.db")).unwrap();
    let mut statement = journal.prepare(query).unwrap();
    statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
}

/// Invariants of the journal at any time, also right after the process has died.
fn assert_whole(folder: &Path, kill: &str) {
    // An update is recorded if and only if the success that made it is.
    let successes =
        "SELECT count(*) FROM records JOIN runs ON runs.key = run WHERE pipeline = 'visits_export' AND records.kind = 6";
    assert_eq!(rows::<i64>(folder, successes), rows::<i64>(folder, "SELECT count(*) FROM updates"), "{kill}");
    // Every consumed update has a run that was started for it.
    let used = "SELECT coalesce(max(update_id), 0) FROM consumed WHERE pipeline = 'visits_model'";
    let begun = "SELECT coalesce(max(update_id), 0) FROM run_updates JOIN runs ON runs.key = run WHERE pipeline = 'visits_model'";
    assert_eq!(rows::<i64>(folder, used), rows::<i64>(folder, begun), "{kill}");
    let twice = "SELECT update_id FROM run_updates WHERE begins GROUP BY update_id HAVING count(*) > 1";
    assert_eq!(rows::<i64>(folder, twice), Vec::<i64>::new(), "{kill}");
}

#[test]
fn a_process_that_dies_at_any_commit_neither_loses_an_update_nor_begins_two_runs_for_it() {
    let mut deaths = 0;
    for commit in 1..=12 {
        for stage in ["begun", "written", "kept"] {
            let (folder, kill) = (tempfile::tempdir().unwrap(), format!("{stage}:{commit}"));
            let folder = folder.path();
            if !drive(folder, Some(&kill)) {
                deaths += 1;
                if folder.join("journal.db").exists() {
                    assert_whole(folder, &kill);
                }
                assert!(drive(folder, None), "{kill}");
            }
            assert_whole(folder, &kill);
            assert_eq!(rows::<i64>(folder, "SELECT count(*) FROM updates"), [2], "{kill}");
            let states = "SELECT DISTINCT state || ' ' || kind FROM runs WHERE pipeline = 'visits_model'";
            assert_eq!(rows::<String>(folder, states), ["success asset_triggered"], "{kill}");
            // Each was delivered to the model, alone or together with the next.
            let last = "SELECT max(update_id) FROM run_updates JOIN runs ON runs.key = run WHERE pipeline = 'visits_model'";
            assert_eq!(rows::<i64>(folder, last), [2], "{kill}");
            // Its runs have read what they were started for, whichever process they ended in.
            let read = "SELECT count(*) FROM records JOIN runs ON runs.key = run WHERE pipeline = 'visits_model' AND records.kind = 6 \
                        AND CAST(body AS TEXT) = '\"2024-01-02\"'";
            assert_eq!(rows::<i64>(folder, read), [1], "{kill}");
            let first = "SELECT min(interval_start) / 1000000000 FROM runs WHERE pipeline = 'visits_model'";
            assert_eq!(
                rows::<i64>(folder, first),
                [1_704_067_200],
                "{kill}: the first day's update is among what it was begun for"
            );
        }
    }
    assert!(deaths >= 30, "it died {deaths} times");
}
