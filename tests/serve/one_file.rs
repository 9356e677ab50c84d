//! A journal is identified by its file, whatever path leads to it: one process holds it, and notices when it is gone.

use crate::process::Folder;
use std::fs;
use std::os::unix::fs::symlink;

const JOURNAL: &str = ".pipeline/journal.db";
const WAL: &str = ".pipeline/journal.db-wal";
const LOCK: &str = ".pipeline/journal.db.lock";

#[test]
fn a_second_process_is_refused_by_whatever_name_it_comes() {
    let folder = Folder::new();
    let serve = folder.serve(&[]);
    fs::create_dir(folder.path("elsewhere")).unwrap();
    symlink(folder.path(JOURNAL), folder.path("elsewhere/linked.db")).unwrap();
    symlink("elsewhere/linked.db", folder.path("twice.db")).unwrap();
    symlink(".pipeline", folder.path("folder")).unwrap();
    let names = ["elsewhere/linked.db", "twice.db", "folder/journal.db", "elsewhere/../.pipeline/./journal.db"];
    for name in names {
        let said = folder.refused(&["--journal", name, "serve"]);
        let holder = format!("is in use by process {} since 20", serve.id());
        assert!(said.contains(&holder) && said.contains("served-pipelines serve`)"), "{name}: {said}");
        // Commands to the holder reach it by this path.
        let told = folder.ok(&["--journal", name, "trigger", "daily", "--logical-date", "2024-03-01"]);
        assert!(told.contains("run manual__2024-03-01T00:00:00Z") && told.contains("of daily has started"), "{name}: {told}");
    }
}

/// Another program that closes the journal takes itself for the last one, and removes the `-wal`, unless each process that has it
/// open still has its locks on it.
#[test]
fn a_program_that_reads_the_journal_takes_nothing_from_the_process_that_serves() {
    let folder = Folder::new();
    for args in [&["--dashboard", "0"][..], &["--no-dashboard"]] {
        let mut serve = folder.serve(args);
        for day in ["2024-03-01", "2024-03-02"] {
            folder.ok(&["trigger", "daily", "--logical-date", day]);
            folder.ok(&["runs"]);
            let other = rusqlite::Connection::open(folder.path(JOURNAL)).unwrap();
            let runs: i64 = other.query_row("SELECT count(*) FROM runs", [], |row| row.get(0)).unwrap();
            assert!(runs > 0);
            drop(other);
            assert!(folder.path(WAL).exists(), "{args:?}: its newest commits are gone");
        }
        assert_eq!(serve.ended_by("-TERM"), Some(0));
    }
    assert_eq!(folder.runs("daily").len(), 4);
}

#[test]
fn a_process_that_serves_notices_that_its_newest_commits_are_removed() {
    let folder = Folder::new();
    let mut serve = folder.serve(&[]);
    folder.ok(&["trigger", "daily", "--logical-date", "2024-03-01"]);
    fs::remove_file(folder.path(WAL)).unwrap();
    serve.wait_for_line("its `-wal`, which has the newest commits, was removed or replaced by another program");
    assert_eq!(serve.wait_for_exit().code(), Some(1));
    // Closing the file saved them.
    assert_eq!(folder.runs("daily").len(), 1);
}

#[test]
fn a_lock_file_that_is_removed_lets_nobody_in_and_is_made_again() {
    let folder = Folder::new();
    let mut serve = folder.serve(&[]);
    fs::remove_file(folder.path(LOCK)).unwrap();
    let said = folder.refused(&["serve"]);
    assert!(said.contains(&format!("is in use by process {}", serve.id())), "{said}");
    serve.wait_for_line("was removed; it has been recreated");
    let said = folder.refused(&["serve"]);
    assert!(said.contains(&format!("is in use by process {} since 20", serve.id())), "{said}");
    assert_eq!(serve.ended_by("-TERM"), Some(0));
    // A new process can hold the journal, so the lock was released.
    folder.serve(&[]);
}

#[test]
fn a_journal_with_a_hard_link_is_refused() {
    let folder = Folder::new();
    folder.ok(&["run", "daily", "--logical-date", "2024-03-01"]);
    fs::hard_link(folder.path(JOURNAL), folder.path("other.db")).unwrap();
    for args in [&["serve"][..], &["runs"], &["--journal", "other.db", "serve"], &["--journal", "other.db", "runs"]] {
        let said = folder.refused(args);
        assert!(said.contains("cannot be used: it has 2 names (hard links): remove all but one; `find "), "{args:?}: {said}");
    }
    fs::remove_file(folder.path("other.db")).unwrap();
    assert_eq!(folder.runs("daily").len(), 1);
}

#[test]
fn a_link_to_no_journal_makes_one_where_it_leads() {
    let folder = Folder::new();
    symlink("there.db", folder.path("linked.db")).unwrap();
    folder.ok(&["--journal", "linked.db", "run", "daily", "--logical-date", "2024-03-01"]);
    assert!(fs::symlink_metadata(folder.path("linked.db")).unwrap().is_symlink());
    assert!(folder.ok(&["--journal", "there.db", "runs"]).contains("manual__2024-03-01"));
}

#[test]
fn the_lock_file_has_no_params() {
    let folder = Folder::new();
    let given = ["run", "daily", "--logical-date", "2024-03-01", "--log", "warn"];
    folder.ok(&given);
    let kept = fs::read_to_string(folder.path(LOCK)).unwrap();
    assert!(kept.trim_end().ends_with("served-pipelines run daily --logical-date 2024-03-01 --log warn"), "{kept}");
    // This pipeline takes no params, so the run is refused, but by then the process has held the journal.
    let (code, ..) = folder.call(&["run", "daily", "--param", "password=hunter2", "--param=token=hunter2"]);
    assert_eq!(code, 2);
    assert!(!fs::read_to_string(folder.path(LOCK)).unwrap().contains("hunter2"));
}

#[test]
fn a_process_whose_journal_is_taken_away_stops_and_says_so() {
    for is_replaced in [false, true] {
        let folder = Folder::new();
        let mut serve = folder.serve(&[]);
        folder.ok(&["trigger", "waiting", "--logical-date", "2024-03-01"]);
        serve.wait_for_line("arrival  up_for_reschedule");
        fs::rename(folder.path(JOURNAL), folder.path(".pipeline/moved.db")).unwrap();
        if is_replaced {
            fs::copy(folder.path(".pipeline/moved.db"), folder.path(JOURNAL)).unwrap();
        }
        assert_eq!(serve.wait_for_exit().code(), Some(1));
        let reason = if is_replaced { "another file is in its place" } else { "it was removed or moved away" };
        let told =
            format!("the journal \".pipeline/journal.db\" is gone: {reason} while this process wrote it. The engine stops;");
        assert!(serve.has_printed(&told), "{told}");
        // When the file is put back, it has all that was committed.
        fs::rename(folder.path(".pipeline/moved.db"), folder.path(JOURNAL)).unwrap();
        assert_eq!(folder.runs("waiting")[0]["state"], "running");
    }
}
