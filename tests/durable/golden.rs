//! Journals of every schema so far, written by code of that version: the present code resumes each.
//!
//! `golden/README.md` says how they were made, and how to add one. Each has a run of `ended` that has ended and was notified (the
//! 25th), one that has ended and has a callback due (the 26th), and a run of `unfinished` that was cut off between two pokes of
//! its sensor, before a retry and in a body (the 27th). From the third version on there is also a queued run of it (the 28th).

use crate::folder::{Folder, transcript};
use crate::kills::effects;
use std::path::Path;
use std::process::Command;

const ENDED: &str = "manual__2024-03-25T00:00:00Z";
/// The callback of this run is due.
const DUE: &str = "manual__2024-03-26T00:00:00Z";
const CUT_OFF: &str = "manual__2024-03-27T00:00:00Z";
const QUEUED: &str = "manual__2024-03-28T00:00:00Z";

/// A folder with a copy of the journal of that version.
fn folder(version: u32) -> Folder {
    let folder = Folder::new();
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("durable/golden/v{version}.db"));
    std::fs::create_dir(folder.path().join(".pipeline")).unwrap();
    std::fs::copy(golden, folder.path().join(".pipeline/journal.db")).unwrap();
    assert_eq!(schema(&folder), version);
    std::fs::write(folder.path().join("late.json"), "{}").unwrap();
    folder
}

/// The schema version of the folder's journal.
fn schema(folder: &Folder) -> u32 {
    let journal = std::fs::read(folder.path().join(".pipeline/journal.db")).unwrap();
    // The place of `user_version` in a SQLite file.
    u32::from_be_bytes(journal[60..64].try_into().unwrap())
}

fn call(folder: &Folder, args: &[&str]) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_durable-golden"));
    command.args(args).current_dir(folder.path()).env_remove("PIPELINE_LOG").env_remove("RUST_BACKTRACE");
    transcript(&command.output().unwrap())
}

/// The runs and their states, oldest first.
fn states(folder: &Folder) -> Vec<String> {
    let listed = call(folder, &["runs", "--json"]);
    let read = |line: &str| {
        let run: serde_json::Value = serde_json::from_str(line).unwrap();
        let text = |name: &str| run[name].as_str().unwrap().to_owned();
        format!("{} {} {}", text("pipeline"), &text("run_id")[8..18], text("state"))
    };
    let mut states: Vec<String> = listed.lines().filter(|line| line.starts_with('{')).map(read).collect();
    states.reverse();
    states
}

fn sorted(mut lines: Vec<String>) -> Vec<String> {
    lines.sort();
    lines
}

fn is_resumed(version: u32) {
    let has_queued = version >= 3;
    let journal = folder(version);
    assert!(call(&journal, &["resume"]).ends_with("[exit 0]\n"), "version {version}");

    // Only unfinished work is done.
    let of = |run: &'static str| move |line: &&str| line.replace("RUN", run);
    let unfinished = ["delicate RUN 2", "hangs RUN 1", "publish RUN 1"];
    let mut expected: Vec<String> = unfinished.iter().map(of(CUT_OFF)).collect();
    expected.push(format!("told {DUE}"));
    if has_queued {
        let begun = ["names RUN 1", "upload[0] RUN 1", "upload[1] RUN 1", "upload[1] RUN 2", "total RUN 1", "delicate RUN 1"];
        expected.extend(begun.iter().chain(&unfinished).map(of(QUEUED)));
    }
    let before = effects(journal.path());
    assert_eq!(sorted(before.clone()), sorted(expected), "version {version}");

    let mut all = vec!["ended 2024-03-25 success", "ended 2024-03-26 success", "unfinished 2024-03-27 success"];
    all.extend(has_queued.then_some("unfinished 2024-03-28 success"));
    assert_eq!(states(&journal), all, "version {version}");

    let shown = call(&journal, &["show", &format!("unfinished/{CUT_OFF}")]);
    for part in [
        "upload[1]#1 after _  failed: 503",
        "delicate#1 after _  failed: 503",
        "hangs#1 after _  cut off by the end of its process",
    ] {
        assert!(shown.contains(part), "version {version}: {part}\n{shown}");
    }
    assert!(call(&journal, &["resume"]).starts_with("nothing to resume"), "version {version}");

    // An ended run can be retried.
    assert!(call(&journal, &["retry", &format!("ended/{ENDED}"), "upload[1]", "--downstream"]).ends_with("[exit 0]\n"));
    let again: Vec<String> = effects(journal.path()).split_off(before.len());
    let ran = |line: &String| line.starts_with("upload[1] ") || line.starts_with("total ") || line.starts_with("told ");
    assert!(again.iter().all(ran) && again.iter().any(|line| line.starts_with("total ")), "version {version}: {again:?}");
}

#[test]
fn a_journal_of_each_version_is_brought_forward_and_resumed() {
    let mut version = 0;
    while Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("durable/golden/v{}.db", version + 1)).exists() {
        version += 1;
        is_resumed(version);
    }
    // The version that this code writes is among them.
    let journal = Folder::new();
    call(&journal, &["run", "ended"]);
    assert_eq!(version, schema(&journal), "a journal of the present schema is missing: see durable/golden/README.md");
}

/// Only a process that writes to a journal upgrades it.
#[test]
fn a_journal_of_an_older_version_is_not_read_and_left_as_it_is() {
    let journal = folder(1);
    let path = journal.path().join(".pipeline/journal.db");
    let before = std::fs::read(&path).unwrap();
    let said = call(&journal, &["runs"]);
    assert!(said.contains("was written by an older version (schema 1,") && said.contains("[exit 2]"), "{said}");
    assert_eq!(std::fs::read(&path).unwrap(), before);
}

#[test]
fn a_journal_of_an_older_version_is_copied_as_it_is_and_shrinks_from_the_first_prune_on() {
    let journal = folder(1);
    let path = journal.path().join(".pipeline/journal.db");
    let before = std::fs::read(&path).unwrap();
    let said = call(&journal, &["backup", "copy.db"]);
    assert!(said.starts_with("backup copy.db: 3 runs, ") && said.ends_with("[exit 0]\n"), "{said}");
    assert_eq!(std::fs::read(&path).unwrap(), before);
    // The place in a SQLite file that says whether free pages are given back.
    let shrinks = || std::fs::read(&path).unwrap()[64..68] == [0, 0, 0, 1];
    assert!(!shrinks());
    assert!(call(&journal, &["prune", "--older-than", "0s"]).ends_with("[exit 0]\n"));
    assert!(shrinks() && schema(&journal) > 1);
    assert!(call(&journal, &["resume"]).ends_with("[exit 0]\n"));
    // The copy has the old contents.
    std::fs::remove_file(journal.path().join("effects")).unwrap();
    for suffix in ["-wal", "-shm"] {
        assert!(!path.with_extension(format!("db{suffix}")).exists(), "no process has it open");
    }
    std::fs::copy(journal.path().join("copy.db"), &path).unwrap();
    assert_eq!(schema(&journal), 1);
    assert!(call(&journal, &["resume"]).ends_with("[exit 0]\n"));
    assert!(effects(journal.path()).contains(&format!("publish {CUT_OFF} 1")));
}
