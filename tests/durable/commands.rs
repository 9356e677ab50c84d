//! A command is carried out exactly once: its holder dies at each stage of each commit that results from it, and another process
//! takes over, with or without the caller.

use crate::folder::{Folder, RUN, RunningProcess};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

/// A command, and how to count its executions.
struct Case {
    /// Calls before that process starts.
    earlier: &'static [&'static [&'static str]],
    /// Calls made while the process that is going to die serves.
    before: &'static [&'static [&'static str]],
    /// True if the runs made before fail.
    is_broken: bool,
    command: &'static [&'static str],
    /// A query, and its result if the command was carried out exactly once.
    once: (&'static str, i64),
}

const TRIGGER: Case =
    Case { earlier: &[], before: &[], is_broken: false, command: &["trigger", "quick"], once: ("SELECT count(*) FROM runs", 1) };
const RETRY: Case = Case {
    earlier: &[],
    before: &[&["trigger", "quick", "--logical-date", "2024-03-25"]],
    is_broken: true,
    // The node is named: a second `retry` would then clear it again even if it has succeeded.
    command: &["retry", RUN, "work"],
    // Kind 14 records that nodes are cleared.
    once: ("SELECT count(*) FROM records WHERE kind = 14", 1),
};
const CANCEL: Case = Case {
    earlier: &[],
    before: &[&["trigger", "waiting", "--logical-date", "2024-03-25"]],
    is_broken: false,
    command: &["cancel", RUN],
    // Kind 10 records the end of a run; it must be the cancelled run's.
    once: ("SELECT count(*) FROM records WHERE kind = 10 AND (SELECT count(*) FROM runs WHERE state = 'cancelled') = 1", 1),
};
const BACKFILL: Case = Case {
    earlier: &[],
    before: &[],
    is_broken: false,
    // `--reprocess all` would run each interval again.
    command: &["backfill", "daily", "--from", "2024-01-01", "--to", "2024-01-04", "--reprocess", "all"],
    once: ("SELECT count(*) FROM runs WHERE kind = 'backfill'", 4),
};
const PAUSE: Case =
    Case { earlier: &[], before: &[], is_broken: false, command: &["pause", "daily"], once: ("SELECT count(*) FROM paused", 1) };
const PRUNE: Case = Case {
    earlier: &[
        &["run", "quick", "--logical-date", "2024-03-23"],
        &["run", "quick", "--logical-date", "2024-03-24"],
        &["run", "quick", "--logical-date", "2024-03-25"],
    ],
    before: &[],
    is_broken: false,
    command: &["prune", "--older-than", "0s"],
    // The newest run stays; of the others not even a record is left.
    once: ("SELECT count(*) + 100 * (SELECT count(*) FROM records WHERE run NOT IN (SELECT key FROM runs)) FROM runs", 1),
};

fn command(folder: &Folder, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_durable-commands"));
    command.args(args).current_dir(folder.path()).stdin(Stdio::null());
    command.env_remove("DIE_AT").env_remove("PIPELINE_LOG").env_remove("RUST_BACKTRACE").env("PIPELINE_DASHBOARD", "off");
    command
}

fn call(folder: &Folder, args: &[&str]) -> (Option<i32>, String) {
    let output = command(folder, args).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    (output.status.code(), said)
}

fn count(folder: &Folder, query: &str) -> i64 {
    let journal = rusqlite::Connection::open(folder.path().join(".pipeline/journal.db")).unwrap();
    journal.query_row(query, [], |row| row.get(0)).unwrap()
}

fn serve(folder: &Folder, die_at: Option<&str>) -> RunningProcess {
    let mut serve = command(folder, &["serve"]);
    if let Some(at) = die_at {
        serve.env("DIE_AT", at);
    }
    RunningProcess::spawn(&mut serve, &["serving daily"])
}

/// Sends the command, and returns once it is answered or the serving process has died. Returns the caller, and whether the
/// serving process died.
fn ask(folder: &Folder, case: &Case, at: &str) -> (Child, bool) {
    let mut serving = serve(folder, Some(at));
    if case.is_broken {
        std::fs::write(folder.path().join("broken"), "").unwrap();
    }
    for before in case.before {
        let (code, said) = call(folder, before);
        assert_eq!(code, Some(0), "{said}");
    }
    match case.command {
        ["retry", ..] => serving.wait_for_line("of quick: failed"),
        ["cancel", ..] => serving.wait_for_line("up_for_reschedule"),
        _ => {}
    }
    if case.is_broken {
        std::fs::remove_file(folder.path().join("broken")).unwrap();
    }
    std::fs::write(folder.path().join("armed"), "").unwrap();
    let mut asking = command(folder, case.command).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let (id, stdout) = (serving.child.id(), asking.stdout.take().unwrap());
    let (tell, told) = channel();
    let answered = tell.clone();
    // The receiver takes only the first message, so a later one may fail.
    std::thread::spawn(move || answered.send(std::io::read_to_string(stdout).is_ok()));
    let serving = std::thread::spawn(move || {
        let (code, _) = serving.finish();
        let _ = tell.send(false);
        code.is_none()
    });
    if told.recv().unwrap() {
        // Lets the consequences of the command end, or kill the process if they have not yet.
        let _ = Command::new("kill").args(["-TERM", &id.to_string()]).stderr(Stdio::null()).status().unwrap();
    }
    (asking, serving.join().unwrap())
}

/// Dies at each stage of each commit, until no commit is left.
fn dies_everywhere(case: &Case, asks_on: bool) {
    for commit in 1.. {
        let mut has_died = false;
        for stage in ["begun", "written", "kept"] {
            let folder = Folder::new();
            case.earlier.iter().for_each(|earlier| assert_eq!(call(&folder, earlier).0, Some(0)));
            let at = format!("{stage}:{commit}");
            let (mut asking, died) = ask(&folder, case, &at);
            has_died |= died;
            if !asks_on {
                // The caller may have had its answer.
                let _ = asking.kill();
            }
            // If the caller is left, it carries the command out itself, unless its answer is recorded.
            asking.wait().unwrap();
            if !asks_on {
                let serving = serve(&folder, None);
                // Commands are carried out in order, so those before this one are done.
                assert_eq!(call(&folder, &["unpause", "daily"]).0, Some(0));
                // `prune` is the exception: it is answered later.
                let deadline = Instant::now() + Duration::from_mins(1);
                while case.command[0] == "prune" && count(&folder, "SELECT count(*) FROM inbox WHERE answer IS NULL") > 0 {
                    assert!(Instant::now() < deadline, "{at}: it is not answered");
                }
                if case.command[0] == "pause" {
                    assert_eq!(call(&folder, &["pause", "daily"]).0, Some(0));
                }
                serving.kill();
            }
            let (code, said) = call(&folder, &["resume"]);
            assert_eq!(code, Some(0), "{at}: {said}");
            let (query, once) = case.once;
            assert_eq!(count(&folder, query), once, "{:?} {at}, died: {died}", case.command);
            let unfinished = "SELECT count(*) FROM runs WHERE state NOT IN ('success', 'cancelled')";
            assert_eq!(count(&folder, unfinished), 0, "{:?} {at}", case.command);
        }
        if !has_died {
            assert!(commit > 1, "{:?}: no commit followed from it", case.command);
            return;
        }
    }
}

#[test]
fn a_retry_whose_run_somebody_cancels_has_not_succeeded() {
    let folder = Folder::new();
    folder.changing("");
    assert!(folder.transcript(&["cancel", RUN]).contains("[exit 0]"));
    let retry = RunningProcess::spawn(&mut folder.command(&["retry", RUN]), &["approval  up_for_reschedule"]);
    assert!(folder.transcript(&["cancel", RUN]).contains("[exit 0]"));
    assert_eq!(retry.finish().0, Some(1));
}

#[test]
fn a_trigger_makes_one_run() {
    dies_everywhere(&TRIGGER, true);
    dies_everywhere(&TRIGGER, false);
}

#[test]
fn a_retry_clears_once() {
    dies_everywhere(&RETRY, true);
    dies_everywhere(&RETRY, false);
}

#[test]
fn a_cancel_ends_a_run_once() {
    dies_everywhere(&CANCEL, true);
    dies_everywhere(&CANCEL, false);
}

#[test]
fn a_backfill_runs_each_interval_once() {
    dies_everywhere(&BACKFILL, true);
    dies_everywhere(&BACKFILL, false);
}

#[test]
fn a_prune_is_done_whole() {
    dies_everywhere(&PRUNE, true);
    dies_everywhere(&PRUNE, false);
}

#[test]
fn a_pause_is_kept() {
    dies_everywhere(&PAUSE, true);
}
