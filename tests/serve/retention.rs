//! What a serving process deletes by itself, what it deletes on command, and copies of its journal.

use crate::process::Folder;
use rusqlite::Connection;
use std::fs;
use std::path::Path;

/// A folder with ended runs of half a megabyte each.
fn large() -> Folder {
    let folder = Folder::new();
    let params = serde_json::json!({ "name": "x".repeat(500_000) });
    fs::write(folder.path("large.json"), params.to_string()).expect("the folder is ours");
    folder.ok(&["backfill", "regional", "--from", "2024-03-01", "--to", "2024-03-09", "--params", "large.json"]);
    folder
}

fn size(folder: &Folder) -> u64 {
    fs::metadata(folder.path(".pipeline/journal.db")).expect("it is there").len()
}

#[test]
fn prune_beside_a_process_that_serves_deletes_what_is_old_and_the_file_shrinks() {
    let folder = large();
    let was = size(&folder);
    assert!(was > 4_000_000, "{was}");
    let mut serve = folder.serve(&[]);
    // The clock is sped up. In this process it starts at the time when the last of those runs was created, and they ended later.
    let newest = |column: &str| -> i64 {
        let journal = Connection::open(folder.path(".pipeline/journal.db")).unwrap();
        journal.query_row(&format!("SELECT max({column}) FROM runs"), [], |row| row.get(0)).unwrap()
    };
    let ended = newest("iif(pipeline = 'regional', finished, 0)");
    while newest("created") <= ended {
        serve.wait_for_line("of minutely: success");
    }
    // A dry run needs no holder.
    let counted = folder.ok(&["prune", "--older-than", "0s", "--dry-run"]);
    assert!(counted.contains("would be deleted") && folder.runs("regional").len() == 9, "{counted}");
    let said = folder.ok(&["prune", "--older-than", "0s"]);
    assert!(said.contains("deleted; ") && said.contains("\nthe file has shrunk from "), "{said}");
    serve.wait_for_line(&format!("answered a command: {}", said.lines().next().unwrap()));
    // The newest run stays, as templates may refer to it.
    assert_eq!(folder.runs("regional").len(), 1);
    assert!(size(&folder) < was / 2, "{} of {was} bytes", size(&folder));
    serve.wait_for_line("of minutely: success");
    assert_eq!(serve.ended_by("-TERM"), Some(0));
    is_whole(&folder.path(".pipeline/journal.db"));
}

#[test]
fn a_process_that_serves_keeps_runs_for_as_long_as_it_is_told_to() {
    let folder = large();
    // An hour takes six seconds here, and there are whole days between the backfill and the process.
    let mut serve = folder.serve(&["--keep", "1ms"]);
    assert!(serve.has_printed("serving minutely: next run at ") && serve.has_printed("runs are kept for 1ms"));
    serve.wait_for_line("runs deleted that are past their `keep`");
    assert_eq!(folder.runs("regional").len(), 1);
    // An hour later it deletes again, this time its own runs.
    serve.wait_for_line("deleted that are past their `keep`");
    let minutes: Vec<String> = folder.runs("minutely").iter().map(|run| run["logical_date"].to_string()).collect();
    assert_eq!(serve.ended_by("-TERM"), Some(0));
    let mut next = folder.serve(&["--keep", "1ms"]);
    next.wait_for_line("of minutely: success");
    next.wait_for_line("of minutely: success");
    let after: Vec<String> = folder.runs("minutely").iter().map(|run| run["logical_date"].to_string()).collect();
    let latest = minutes.iter().max();
    let earlier =
        after.iter().filter(|minute| latest.is_some_and(|latest| *minute < latest) && !minutes.contains(minute)).count();
    assert_eq!(earlier, 0, "nothing runs a second time: {minutes:?}, {after:?}");
    let refused = folder.refused(&["serve", "--keep", "0s"]);
    assert!(
        refused.contains("'0s' for '--keep <DURATION>': it must be longer than zero; without it runs are never deleted"),
        "{refused}"
    );
}

/// Asserts that a journal's pages are sound and its runs and records agree. Returns the number of runs.
fn is_whole(journal: &Path) -> i64 {
    let journal = Connection::open(journal).expect("it is there");
    let count = |query: &str| journal.query_row(query, [], |row| row.get::<_, i64>(0)).expect("a number");
    let checked: String = journal.query_row("PRAGMA integrity_check", [], |row| row.get(0)).expect("a text");
    assert_eq!(checked, "ok");
    // Kind 10 is the end of a run, which is committed with the run's row. The start of a run is committed no later than its first
    // records.
    let ended = "SELECT count(*) FROM runs WHERE (state IN ('success', 'failed', 'cancelled')) \
                 <> EXISTS (SELECT 1 FROM records WHERE run = key AND kind = 10)";
    assert_eq!(count(ended), 0, "runs that have ended have all their records, and others have no end");
    let begun = "SELECT count(*) FROM runs WHERE state = 'queued' AND EXISTS (SELECT 1 FROM records WHERE run = key)";
    assert_eq!(count(begun), 0, "what has records has begun");
    let gaps = "SELECT count(*) FROM (SELECT 1 FROM records WHERE run IN (SELECT key FROM runs) GROUP BY run \
                HAVING min(seq) <> 1 OR max(seq) <> count(*))";
    assert_eq!(count(gaps), 0);
    count("SELECT count(*) FROM runs")
}

#[test]
fn copies_that_are_made_in_the_middle_of_a_load_are_whole_journals() {
    let folder = large();
    let mut serve = folder.serve(&[]);
    // Six hundred runs, while others are deleted.
    let told = folder.ok(&["backfill", "minutely", "--from", "2024-03-01", "--to", "2024-03-01T09:59"]);
    assert!(told.starts_with("600 intervals of minutely are run"), "{told}");
    let pruned = std::thread::scope(|threads| {
        let pruned = threads.spawn(|| folder.ok(&["prune", "--older-than", "0s"]));
        for copy in 0..5 {
            let said = folder.ok(&["backup", "copy.db", "--force"]);
            assert!(said.starts_with("backup copy.db: ") && said.contains(" runs, "), "{said}");
            let runs = is_whole(&folder.path("copy.db"));
            assert!(said.contains(&format!(": {runs} runs, ")), "{said}: {runs}");
            if copy == 0 {
                fs::copy(folder.path("copy.db"), folder.path("first.db")).unwrap();
            }
        }
        pruned.join().unwrap()
    });
    assert!(pruned.contains("deleted"), "{pruned}");
    serve.signal("-KILL");
    serve.wait_for_exit();
    let unfinished = |journal: &str| {
        let listed = folder.ok(&["--journal", journal, "runs", "--limit", "1000", "--json"]);
        let runs = listed.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
        runs.filter(|run| run["state"] != "success").count()
    };
    assert!(unfinished("first.db") > 0, "it was made in the middle");
    let shown = folder.ok(&["--journal", "first.db", "show", "regional/backfill__2024-03-09T00:00:00Z"]);
    assert!(shown.contains("of regional: success"), "{shown}");
    folder.ok(&["--journal", "first.db", "resume"]);
    assert_eq!(unfinished("first.db"), 0);
    // The journal whose process was killed is sound as well. Then the copy takes its place.
    folder.ok(&["resume"]);
    is_whole(&folder.path(".pipeline/journal.db"));
    for suffix in ["-wal", "-shm"] {
        let _ = fs::remove_file(folder.path(&format!(".pipeline/journal.db{suffix}")));
    }
    fs::copy(folder.path("first.db"), folder.path(".pipeline/journal.db")).unwrap();
    let mut serve = folder.serve(&[]);
    serve.wait_for_line("of minutely: success");
    assert_eq!(serve.ended_by("-TERM"), Some(0));
}

#[test]
fn what_is_in_use_is_not_replaced_by_a_copy() {
    let folder = large();
    let _serve = folder.serve(&[]);
    let refused = |file: &str| folder.refused(&["--journal", "other.db", "backup", file, "--force"]);
    folder.ok(&["--journal", "other.db", "run", "daily", "--logical-date", "2024-03-01"]);
    let said = refused(".pipeline/journal.db");
    assert!(said.contains("journal.db-wal is there, which belongs to a database of that name"), "{said}");
    for own in ["other.db", "./other.db", "other.db.lock"] {
        let said = refused(own);
        assert!(said.contains("it is a file of the journal itself; name another one"), "{said}");
    }
    std::os::unix::fs::symlink("other.db", folder.path("link.db")).unwrap();
    assert!(refused("link.db").contains("it is a file of the journal itself"));
    let mode = |file: &str| std::os::unix::fs::PermissionsExt::mode(&fs::metadata(folder.path(file)).unwrap().permissions());
    let private = std::os::unix::fs::PermissionsExt::from_mode(0o600);
    fs::set_permissions(folder.path("other.db"), private).unwrap();
    folder.ok(&["--journal", "other.db", "backup", "copy.db"]);
    assert_eq!(mode("copy.db") & 0o777, 0o600);
    let left: Vec<_> = fs::read_dir(folder.path(".")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(!left.iter().any(|name| name.to_string_lossy().ends_with(".tmp")), "{left:?}");
}
