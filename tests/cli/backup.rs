//! `backup`, `prune` and `serve --keep`, with their exact output.

use crate::command::{call, transcript};
use crate::recorded_runs::Folder;
use expect_test::{Expect, expect};

/// A journal's size may change with each version, so sizes are replaced.
fn expect_transcript(folder: &Folder, args: &[&str], expected: &Expect) {
    let text = transcript(&folder.command(args).output().expect("it was built"));
    let words: Vec<&str> = text.split(' ').collect();
    let is_size = |at: usize| words.get(at + 1).is_some_and(|unit| unit.starts_with("kB"));
    let words: Vec<&str> = words.iter().enumerate().map(|(at, word)| if is_size(at) { "_" } else { word }).collect();
    let folder = folder.command(&[]).get_current_dir().expect("each call has one").display().to_string();
    expected.assert_eq(&words.join(" ").replace(&folder, "FOLDER"));
}

#[test]
#[expect(clippy::too_many_lines, reason = "one story, most of it goldens")]
fn a_copy_is_a_journal_and_what_is_there_is_replaced_by_force_alone() {
    let folder = Folder::new();
    expect_transcript(
        &folder,
        &["backup", "copy.db"],
        &expect![[r#"
        [exit 2]
        [stderr]
        error: there is no journal at "FOLDER/.pipeline/journal.db"; `run` or `serve` creates one there, and `--journal FILE` or the environment variable `PIPELINE_JOURNAL` names another
    "#]],
    );
    let ran = folder.command(&["run", "mendable", "--logical-date", "2024-03-25"]).output().expect("it was built");
    assert_eq!(ran.status.code(), Some(1));
    expect_transcript(
        &folder,
        &["backup", "copy.db"],
        &expect![[r#"
        backup copy.db: 1 run, _ kB
        [exit 0]
    "#]],
    );
    expect_transcript(
        &folder,
        &["backup", "copy.db"],
        &expect![[r#"
        [exit 2]
        [stderr]
        error: no backup was made in "copy.db": it exists already; name another file, or replace it with `--force`
    "#]],
    );
    expect_transcript(
        &folder,
        &["backup", "nowhere/copy.db"],
        &expect![[r#"
        [exit 2]
        [stderr]
        error: no backup was made in "nowhere/copy.db": No such file or directory (os error 2)
    "#]],
    );
    expect_transcript(
        &folder,
        &["backup", "."],
        &expect![[r#"
        [exit 2]
        [stderr]
        error: no backup was made in ".": it is a folder; name a file in it
    "#]],
    );
    expect_transcript(
        &folder,
        &["backup", "copy.db", "--force"],
        &expect![[r#"
        backup copy.db: 1 run, _ kB
        [exit 0]
    "#]],
    );
    let shown = folder.command(&["--journal", "copy.db", "show", "manual__2024-03-25T00:00:00Z"]).output().expect("it was built");
    assert!(String::from_utf8_lossy(&shown.stdout).contains("it is not mended yet"));
    expect_transcript(
        &folder,
        &["prune", "--older-than", "0s", "--dry-run"],
        &expect![[r#"
        0 runs would be deleted; 1 old run kept, unfinished or still needed
        [exit 0]
    "#]],
    );
    expect_transcript(
        &folder,
        &["prune", "--older-than", "0s"],
        &expect![[r#"
        0 runs deleted; 1 old run kept, unfinished or still needed
        the file has _ kB
        [exit 0]
    "#]],
    );
}

#[test]
fn what_killed_backups_left_is_removed_and_a_file_of_another_database_is_in_the_way() {
    let folder = Folder::new();
    let ran = folder.command(&["run", "mendable", "--logical-date", "2024-03-25"]).output().expect("it was built");
    assert_eq!(ran.status.code(), Some(1));
    let journal = folder.command(&[]).get_current_dir().expect("each call has one").to_owned();
    // No system gives a process the first id; the second is this process's own.
    let (gone, alive) = (u32::MAX, std::process::id());
    let names = [
        format!("copy.db-{gone}.tmp"),
        format!("copy.db-{}.tmp", gone - 1),
        format!("copy.db-{alive}.tmp"),
        format!("other.db-{gone}.tmp"),
        "copy.db-old.tmp".to_owned(),
    ];
    for name in &names {
        let file = std::fs::File::create(journal.join(name)).expect("the folder is there");
        let age = if *name == names[1] { 0 } else { 3600 };
        file.set_modified(std::time::SystemTime::now() - std::time::Duration::from_secs(age)).expect("it is ours");
    }
    std::fs::write(journal.join("copy.db-journal"), "").expect("the folder is there");
    expect_transcript(
        &folder,
        &["backup", "copy.db"],
        &expect![[r#"
        [exit 2]
        [stderr]
        error: no backup was made in "copy.db": copy.db-journal is there, which belongs to a database of that name: name another file, or remove that first
    "#]],
    );
    std::fs::remove_file(journal.join("copy.db-journal")).expect("it is there");
    expect_transcript(
        &folder,
        &["backup", "copy.db"],
        &expect![[r#"
        backup copy.db: 1 run, _ kB
        [exit 0]
    "#]],
    );
    // A recent file may belong to a process that is not visible from here.
    let left: Vec<_> = names.iter().filter(|name| journal.join(name).exists()).collect();
    assert_eq!(left, [&names[1], &names[2], &names[3], &names[4]]);
}

#[test]
fn what_they_take_stands_in_their_help() {
    expect![[r#"
        Copy the journal to FILE, even while another process writes it

        FILE is a complete journal as of one moment, and appears atomically. No writer is blocked meanwhile.

        Usage: cli-pipelines backup [OPTIONS] <FILE>

        Arguments:
          <FILE>
                  The copy; its folder must exist

        Options:
              --force
                  Replace FILE if it exists and is a regular file

          -h, --help
                  Print help (see a summary with '-h')

        Logging:
              --log <LEVEL>
                  Minimum level of log lines written to stderr: off, error, warn, info, debug, trace

                  The default is the environment variable PIPELINE_LOG, else info.

              --log-format <FORMAT>
                  Format of log lines: text, or json for one JSON object per line with the run, the node and the attempt

                  The default is the environment variable PIPELINE_LOG_FORMAT, else text.

        Journal:
              --journal <FILE>
                  The journal file that stores all runs; defaults to PIPELINE_JOURNAL, else .pipeline/journal.db

                  PIPELINE_JOURNAL is an environment variable. `run`, `serve` and `backfill` create the file if it is missing; all other commands fail and print its path.
        [exit 0]
    "#]].assert_eq(&call(&["backup", "--help"]));
    expect![[r#"
        Delete old runs from the journal, in the process that holds it if there is one

        Unfinished runs and runs with pending notifications are kept, and so is everything that schedules, templates and queued runs depend on, such as the newest run of each pipeline and kind and its newest success. The file shrinks. A journal of an earlier version is rewritten for that if no process holds it, which takes free space of twice its size.

        Usage: cli-pipelines prune [OPTIONS] --older-than <DURATION>

        Options:
              --older-than <DURATION>
                  Delete runs that ended longer ago: 30d, 12h

              --dry-run
                  Print what would be deleted, and delete nothing

          -h, --help
                  Print help (see a summary with '-h')

        Logging:
              --log <LEVEL>
                  Minimum level of log lines written to stderr: off, error, warn, info, debug, trace

                  The default is the environment variable PIPELINE_LOG, else info.

              --log-format <FORMAT>
                  Format of log lines: text, or json for one JSON object per line with the run, the node and the attempt

                  The default is the environment variable PIPELINE_LOG_FORMAT, else text.

        Journal:
              --journal <FILE>
                  The journal file that stores all runs; defaults to PIPELINE_JOURNAL, else .pipeline/journal.db

                  PIPELINE_JOURNAL is an environment variable. `run`, `serve` and `backfill` create the file if it is missing; all other commands fail and print its path.
        [exit 0]
    "#]].assert_eq(&call(&["prune", "--help"]));
    expect![[r#"
        [exit 2]
        [stderr]
        error: the following required arguments were not provided:
          <FILE>

        Usage: cli-pipelines backup <FILE>

        For more information, try '--help'.
    "#]]
    .assert_eq(&call(&["backup"]));
    expect![[r#"
        [exit 2]
        [stderr]
        error: invalid value '0s' for '--keep <DURATION>': it must be longer than zero; without it runs are never deleted

        For more information, try '--help'.
    "#]]
    .assert_eq(&call(&["serve", "--keep", "0s"]));
}
