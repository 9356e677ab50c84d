//! Failures of a journal, of the data in it and of the code that resumes it: what is printed, and the exit code.

use crate::folder::{Folder, RUN, RunningProcess};
use expect_test::expect;
use std::fs;
use std::process::Command;

const JOURNAL: &str = ".pipeline/journal.db";
const DATE: [&str; 2] = ["--logical-date", "2024-03-25"];

/// A folder with a journal that has a finished run.
fn finished() -> Folder {
    let folder = Folder::new();
    assert!(folder.call(&[&["run", "mapped"], &DATE[..]].concat()).status.success());
    folder
}

impl Folder {
    fn damage(&self, how: impl FnOnce(&mut Vec<u8>)) {
        let path = self.path().join(JOURNAL);
        let mut bytes = fs::read(&path).unwrap();
        how(&mut bytes);
        fs::write(&path, bytes).unwrap();
    }

    fn bytes(&self) -> Vec<u8> {
        fs::read(self.path().join(JOURNAL)).unwrap()
    }

    /// A run whose `number` has succeeded and that waits to be approved; its process is dead.
    pub(crate) fn changing(&self, code: &str) {
        let mut command = self.command(&[&["run", "changing"], &DATE[..]].concat());
        let run = RunningProcess::spawn(command.env("CODE", code), &["approval  up_for_reschedule"]);
        // Events are printed a moment before they are durable.
        let shown = || String::from_utf8(self.command(&["show", RUN]).env("CODE", code).output().unwrap().stdout).unwrap();
        while !(shown().contains("number") && shown().contains("approval: next poke")) {}
        run.kill();
    }

    fn resumed_with(&self, code: &str) -> String {
        crate::folder::transcript(&self.command(&["resume"]).env("CODE", code).output().unwrap())
    }
}

#[cfg(unix)]
#[test]
fn a_disk_that_is_full_stops_the_engine_and_loses_nothing() {
    let folder = Folder::new();
    // A limit on the size of files simulates a full disk: it needs neither a disk of its own nor privileges.
    let script = format!("ulimit -f 600; exec {} run writing --logical-date 2024-03-25", crate::folder::RUNS);
    let stopped = Command::new("bash").args(["-c", &script]).current_dir(folder.path()).output().unwrap();
    let said = crate::folder::transcript(&stopped);
    let (_, end) = said.split_once("[exit").expect("it ends");
    expect![[r#"
         1]
        [stderr]
        error: the journal ".pipeline/journal.db" cannot be written: the system refused to (disk I/O error): the disk, a quota or a limit on the size of files may be full. The engine stops; what was committed is kept, and unfinished runs are resumed once that is fixed
    "#]].assert_eq(end);
    let kept = String::from_utf8(folder.call(&["show", RUN]).stdout).unwrap();
    let kept: Vec<&str> =
        kept.lines().filter(|line| line.contains("  success ")).filter_map(|line| line.split(' ').next()).collect();
    assert!(kept.len() > 3, "{kept:?}");
    let resumed = String::from_utf8(folder.call(&["resume"]).stdout).unwrap();
    for node in kept {
        assert!(!resumed.contains(&format!("  {node}  running")), "`{node}` had finished, and ran again:\n{resumed}");
    }
    assert!(resumed.contains("run: success"), "{resumed}");
}

#[cfg(unix)]
#[test]
fn a_copy_or_a_smaller_file_that_the_disk_has_no_room_for_is_left_out_and_nothing_is_lost() {
    let folder = Folder::new();
    assert!(folder.call(&["run", "writing", "--logical-date", "2024-03-25"]).status.success());
    // Sets the journal up as an earlier version did.
    let journal = rusqlite::Connection::open(folder.path().join(".pipeline/journal.db")).unwrap();
    journal.execute_batch("PRAGMA auto_vacuum = NONE; VACUUM").unwrap();
    drop(journal);
    let within = |kilobytes: u32, args: &str| {
        let script = format!("trap '' XFSZ; ulimit -f {kilobytes}; exec {} {args}", crate::folder::RUNS);
        crate::folder::transcript(&Command::new("bash").args(["-c", &script]).current_dir(folder.path()).output().unwrap())
    };
    expect![[r#"
        [exit 2]
        [stderr]
        error: no backup was made in "copy.db": the system refused to (disk I/O error): the disk, a quota or a limit on the size of files may be full
    "#]].assert_eq(&within(200, "backup copy.db"));
    let said = within(200, "prune --older-than 0s");
    expect![[r#"
        0 runs deleted; 1 old run kept, unfinished or still needed
        the file has 2.0 MB; it could not be rewritten, so it does not shrink: the system refused to (disk I/O error): the disk, a quota or a limit on the size of files may be full
        [exit 0]
    "#]]
    .assert_eq(&said);
    let names = std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    assert!(names.into_iter().all(|name| !name.starts_with("copy")), "nothing of the copy is left");
    // Now there is room.
    let said = folder.transcript(&["prune", "--older-than", "0s"]);
    assert!(!said.contains("free") && said.contains("[exit 0]"), "{said}");
    assert!(folder.transcript(&["backup", "copy.db"]).starts_with("backup copy.db: 1 run, "));
    assert!(folder.transcript(&["show", RUN]).contains("of writing: success"));
}

#[test]
fn a_file_cut_short_is_refused_and_left_as_it_is() {
    let folder = finished();
    folder.damage(|bytes| bytes.truncate(bytes.len() / 2));
    let before = folder.bytes();
    folder.expect_transcript(&["run", "mapped"], &expect![[r#"
        [exit 2]
        [stderr]
        error: the journal ".pipeline/journal.db" is damaged: database disk image is malformed; nothing was changed. Restore it from a backup, or move it away to begin a new one, each time with the files `-wal` and `-shm` beside it
    "#]]);
    folder.expect_transcript(&["runs"], &expect![[r#"
        [exit 2]
        [stderr]
        error: the journal ".pipeline/journal.db" is damaged: database disk image is malformed; nothing was changed. Restore it from a backup, or move it away to begin a new one, each time with the files `-wal` and `-shm` beside it
    "#]]);
    assert_eq!(folder.bytes(), before);
}

#[test]
fn a_file_with_a_damaged_page_is_refused_and_left_as_it_is() {
    let folder = finished();
    // Damages the second page, which is a table's.
    folder.damage(|bytes| bytes[4096..4200].fill(0xff));
    let before = folder.bytes();
    folder.expect_transcript(&["run", "mapped"], &expect![[r#"
        [exit 2]
        [stderr]
        error: the journal ".pipeline/journal.db" is damaged: Failed to read ptrmap key=7; nothing was changed. Restore it from a backup, or move it away to begin a new one, each time with the files `-wal` and `-shm` beside it
    "#]]);
    assert_eq!(folder.bytes(), before);
}

#[test]
fn a_file_that_is_no_journal_is_refused_and_left_as_it_is() {
    let folder = finished();
    folder.damage(|bytes| bytes[..16].fill(b'x'));
    let before = folder.bytes();
    folder.expect_transcript(
        &["run", "mapped"],
        &expect![[r#"
        [exit 2]
        [stderr]
        error: ".pipeline/journal.db" is not a journal: file is not a database; name another file with `--journal FILE`
    "#]],
    );
    assert_eq!(folder.bytes(), before);
}

#[test]
fn a_journal_of_a_newer_version_is_refused_and_left_as_it_is() {
    let folder = finished();
    // The place of `user_version` in a SQLite file.
    folder.damage(|bytes| bytes[60..64].copy_from_slice(&99_u32.to_be_bytes()));
    let before = folder.bytes();
    let said = folder.transcript(&["run", "mapped"]);
    let known = said.split("this one knows ").nth(1).and_then(|rest| rest.split(')').next()).unwrap_or_default();
    expect![[r#"
        [exit 2]
        [stderr]
        error: the journal ".pipeline/journal.db" was written by a newer version (schema 99, this one knows _): use that version, or name another journal with `--journal FILE`
    "#]]
    .assert_eq(&said.replace(&format!("knows {known})"), "knows _)"));
    assert_eq!(folder.transcript(&["runs"]), said);
    assert_eq!(folder.bytes(), before);
}

/// Permissions do not restrict root, so root makes the calls as another user.
#[cfg(unix)]
mod rights {
    use super::*;
    use std::os::unix::fs::PermissionsExt;
    use std::os::unix::process::CommandExt;
    use std::path::Path;

    fn allow(path: &Path, mode: u32) {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }

    fn transcript(folder: &Folder, args: &[&str]) -> String {
        let is_root = Command::new("id").arg("-u").output().unwrap().stdout == b"0\n";
        let binary = folder.path().join("durable-runs");
        if is_root {
            // Another user may not be able to read the folder of the binary.
            fs::copy(crate::folder::RUNS, &binary).unwrap();
        }
        let mut command = Command::new(if is_root { binary.as_path() } else { Path::new(crate::folder::RUNS) });
        if is_root {
            command.uid(65_534);
        }
        crate::folder::transcript(&command.args(args).current_dir(folder.path()).output().unwrap())
    }

    #[test]
    fn a_folder_that_cannot_be_written_is_named() {
        let folder = Folder::new();
        allow(folder.path(), 0o555);
        expect![[r#"
            [exit 2]
            [stderr]
            error: the folder ".pipeline" for the journal cannot be created: Permission denied (os error 13); name another journal with `--journal FILE`
        "#]].assert_eq(&transcript(&folder, &["run", "mapped"]));
        allow(folder.path(), 0o755);
    }

    #[test]
    fn a_file_that_cannot_be_written_is_named_and_can_still_be_read() {
        let folder = finished();
        allow(folder.path(), 0o755);
        allow(&folder.path().join(".pipeline"), 0o777);
        allow(&folder.path().join(".pipeline/journal.db.lock"), 0o666);
        allow(&folder.path().join(JOURNAL), 0o444);
        expect![[r#"
            [exit 2]
            [stderr]
            error: the journal ".pipeline/journal.db" cannot be opened: the file, its folder or its file system is read-only; fix that, or name another journal with `--journal FILE`
        "#]].assert_eq(&transcript(&folder, &["run", "mapped"]));
        assert!(transcript(&folder, &["runs"]).contains(RUN));
    }
}

#[test]
fn an_output_over_the_limit_fails_its_node() {
    let folder = Folder::new();
    let said = folder.transcript(&[&["run", "large"], &DATE[..]].concat());
    let (_, end) = said.split_once("[exit").expect("it ends");
    expect![[r#"
         1]
        [stderr]

        error: node `heavy` failed: the output has more than 16 MiB as JSON, which is the limit: put it in a bucket and return its key
          --> tests/durable/runs/main.rs:83:5: wired here

        help: fix the cause; `retry manual__2024-03-25T00:00:00Z` then runs the failed nodes and those that did not run because of them
    "#]].assert_eq(end);
}

#[test]
fn an_output_that_no_longer_decodes_is_named() {
    let folder = Folder::new();
    folder.changing("");
    expect![[r#"
        [exit 2]
        [stderr]
        error: run `manual__2024-03-25T00:00:00Z` cannot be resumed: the output of `number` in the journal is not a valid `durable_runs::changing::Number` any more (-1 is negative); it was written by other code. Let the type also read the old form (`#[serde(default)]`), or start again with `--new`
    "#]].assert_eq(&folder.resumed_with("positive"));
    // The code that wrote it can still resume it.
    folder.put("approved");
    assert!(folder.resumed_with("").contains("run: success"));
}

#[test]
fn a_plan_that_changed_is_matched_by_id_or_refused_with_the_node_and_both() {
    let folder = Folder::new();
    folder.changing("");
    expect![[r#"
        [exit 2]
        [stderr]
        error: the plan of pipeline `changing` has changed since this run began:
          - `number` returned `Number` and now returns `String`
            at tests/durable/runs/changing.rs:60:21
          = help: finish the run with the code that began it, or cancel it and begin a new one
    "#]]
    .assert_eq(&folder.resumed_with("type"));
    expect![[r#"
        [exit 2]
        [stderr]
        error: the plan of pipeline `changing` has changed since this run began:
          - `report` took `approval` (all_success), `number` (all_success) and now takes `approval` (all_success), `other` (all_success)
            at tests/durable/runs/changing.rs:65:13
          = help: finish the run with the code that began it, resume it with the current plan by `resume --accept-removed`, or cancel it and begin a new one
    "#]].assert_eq(&folder.resumed_with("edge"));
    expect![[r#"
        [exit 2]
        [stderr]
        error: the plan of pipeline `changing` has changed since this run began:
          - `number` is not in it any more
          - `report` took `approval` (all_success), `number` (all_success) and now takes `approval` (all_success), `count` (all_success)
            at tests/durable/runs/changing.rs:68:13
          = help: finish the run with the code that began it, resume it with the current plan by `resume --accept-removed`, or cancel it and begin a new one
    "#]].assert_eq(&folder.resumed_with("gone"));
    folder.put("approved");
    let added = folder.resumed_with("added");
    assert!(added.contains("run: success") && added.contains("first  success"), "{added}");
    assert!(!added.contains("  number  running"), "it had finished: {added}");
}

#[test]
fn a_node_that_wiring_order_named_matches_nothing_in_another_plan() {
    let folder = Folder::new();
    folder.changing("twice");
    expect![[r#"
        [exit 2]
        [stderr]
        error: the plan of pipeline `changing` has changed since this run began:
          - `number__2` is called so by wiring order alone: name it, as in `.named("east")`
          = help: finish the run with the code that began it, or cancel it and begin a new one
    "#]]
    .assert_eq(&folder.resumed_with("added"));
}

/// A journal contains params, outputs and log lines.
#[cfg(unix)]
#[test]
fn what_is_kept_is_its_owners_alone() {
    use std::os::unix::fs::PermissionsExt;
    let folder = Folder::new();
    // While it is being written, all of its files exist.
    let mut serve = crate::folder::RunningProcess::spawn(&mut folder.command(&["serve"]), &["serving promised"]);
    for (name, mode) in [
        (".pipeline", 0o700),
        (".pipeline/journal.db", 0o600),
        (".pipeline/journal.db-wal", 0o600),
        (".pipeline/journal.db-shm", 0o600),
        (".pipeline/journal.db.lock", 0o600),
    ] {
        let found = std::fs::metadata(folder.path().join(name)).unwrap().permissions().mode() & 0o777;
        assert_eq!(found, mode, "{name} has {found:o}");
    }
    serve.child.kill().unwrap();
    serve.wait_for_end();
}

#[test]
fn an_errors_text_does_nothing_to_a_terminal() {
    let folder = Folder::new();
    let shown = folder.call(&["run", "rude", "--logical-date", "2024-03-25"]);
    let all = [shown.stdout, shown.stderr, folder.call(&["show", "rude/manual__2024-03-25T00:00:00Z"]).stdout].concat();
    let all = String::from_utf8(all).unwrap();
    assert!(all.contains("\\u{1b}]0;owned\\u{7}") && !all.contains('\u{1b}'), "{all}");
    // None of its lines looks like the engine's.
    assert!(all.contains("2024-03-25T00:00:00Z ERROR engine: all is lost"), "{all}");
    assert!(!all.lines().any(|line| line.starts_with("2024-03-25T00:00:00Z ERROR")), "{all}");
}

#[test]
fn json_says_what_was_said_whatever_a_terminal_would_do() {
    let folder = Folder::new();
    let run = folder.call(&["run", "rude", "--logical-date", "2024-03-25", "--json", "--log-format", "json"]);
    let logs = folder.call(&["logs", "rude/manual__2024-03-25T00:00:00Z", "insult", "--json"]);
    let insult = "\u{1b}]0;owned\u{7}\n2024-03-25T00:00:00Z ERROR engine: all is lost\u{7f}\u{202e}";
    let objects = |bytes: &[u8]| -> Vec<serde_json::Value> {
        let text = std::str::from_utf8(bytes).unwrap();
        assert!(!text.contains(['\u{7f}', '\u{202e}', '\u{1b}']), "{text}");
        let read = |line: &str| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        text.lines().filter(|line| line.starts_with('{')).map(read).collect()
    };
    let said = |objects: &[serde_json::Value], field: &str| objects.iter().any(|object| object[field] == insult);
    assert!(said(&objects(&run.stdout), "error"), "{run:?}");
    assert!(said(&objects(&run.stderr), "message"), "{run:?}");
    assert!(said(&objects(&logs.stdout), "line"), "{logs:?}");
}
