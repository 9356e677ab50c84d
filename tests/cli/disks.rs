//! Full disks, and paths that are not files: what is printed, and what is left unchanged.

use crate::command::{PIPELINES, command, transcript};
use crate::recorded_runs::Folder;
use std::fs;
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

const SALES: [&str; 5] = ["run", "sales", "--logical-date", "2024-03-25", "--log=off"];

fn pipe(folder: &Path) -> PathBuf {
    let path = folder.join("pipe");
    assert!(Command::new("mkfifo").arg(&path).status().expect("there is one").success());
    path
}

fn folder_of(folder: &Folder) -> PathBuf {
    folder.command(&[]).get_current_dir().expect("each call has one").to_owned()
}

fn call(folder: &Folder, args: &[&str]) -> Output {
    folder.command(args).output().expect("it was built")
}

/// A call that cannot write to any file, as on a full disk.
fn without_room(folder: &Folder, args: &str) -> String {
    let script = format!("ulimit -f 0; exec {PIPELINES} {args}");
    let mut call = Command::new("sh");
    call.args(["-c", &script])
        .current_dir(folder_of(folder))
        .env_remove("PIPELINE_JOURNAL")
        .env("PIPELINE_DASHBOARD", "off")
        .env_remove("PIPELINE_LOG");
    transcript(&call.output().expect("there is a shell"))
}

#[test]
fn metrics_and_backups_replace_no_pipe_and_no_journal() {
    let folder = Folder::new();
    let pipe = pipe(&folder_of(&folder));
    assert!(call(&folder, &SALES).status.success());
    let is_pipe = || fs::symlink_metadata(&pipe).expect("it is there").file_type().is_fifo();
    for metrics in ["pipe", ".pipeline/journal.db", ".pipeline/journal.db.lock", "./.pipeline/../.pipeline/journal.db-wal"] {
        let said = transcript(&call(&folder, &[&SALES[..], &["--new", "--metrics", metrics]].concat()));
        let why = if metrics == "pipe" { "it is not a regular file" } else { "it belongs to the journal" };
        let wanted = format!("error: --metrics: `{metrics}` is not replaced, since {why}; name another file\n");
        assert!(said.contains("[exit 2]") && said.contains(&wanted), "{said}");
    }
    let said = transcript(&call(&folder, &["backup", "pipe", "--force"]));
    assert!(said.contains("[exit 2]") && said.contains("it is no regular file, and is not replaced"), "{said}");
    assert!(is_pipe());
    // The journal has only the one run.
    let runs = transcript(&call(&folder, &["runs", "--json"]));
    assert_eq!(runs.lines().filter(|line| line.contains("\"success\"")).count(), 1, "{runs}");
}

#[test]
fn what_is_no_file_is_no_journal() {
    let folder = Folder::new();
    pipe(&folder_of(&folder));
    fs::create_dir(folder_of(&folder).join("folder")).expect("the folder is ours");
    for (journal, why) in [("folder", "it is a folder"), ("pipe", "it is no regular file")] {
        for args in [&["runs", "--journal", journal][..], &[&SALES[..], &["--journal", journal]].concat()] {
            let said = transcript(&call(&folder, args));
            assert!(said.contains("[exit 2]") && said.contains(&format!("is not a journal: {why}; name another")), "{said}");
        }
    }
}

#[test]
fn a_journal_is_read_on_a_full_disk_and_who_writes_is_told_so() {
    let folder = Folder::new();
    assert!(call(&folder, &SALES).status.success());
    let run = "manual__2024-03-25T05:00:00Z";
    for (args, wanted) in [
        ("runs".to_owned(), run),
        (format!("show {run}"), "run: success"),
        (format!("logs {run}"), "[exit 0]"),
        ("list".to_owned(), "sales"),
        ("acts".to_owned(), "[exit 0]"),
    ] {
        let said = without_room(&folder, &args);
        assert!(said.contains("[exit 0]") && said.contains(wanted), "{args}: {said}");
    }
    let said = without_room(&folder, "run sales --logical-date 2024-03-25 --new");
    assert!(
        said.contains("[exit 2]") && said.contains("a limit on the size of files is used up") && !said.contains("writable"),
        "{said}"
    );
}

#[test]
fn what_could_not_be_printed_is_an_error_and_a_closed_pipe_is_none() {
    let folder = Folder::new();
    let said = without_room(&folder, "list > listed");
    assert!(said.contains("[exit 1]") && said.contains("error: not all of this could be written to stdout: "), "{said}");
    let script = format!("{PIPELINES} check | true; exec {PIPELINES} list | head -n 1");
    let closed = Command::new("sh").args(["-c", &script]).current_dir(folder_of(&folder)).output().expect("there is a shell");
    assert!(closed.status.success() && closed.stderr.is_empty(), "{}", transcript(&closed));
    let mut check = command(PIPELINES, &["check"]);
    let mut check = check.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::null()).spawn().expect("it was built");
    drop(check.stdout.take());
    assert!(check.wait().expect("it ends").success());
}
