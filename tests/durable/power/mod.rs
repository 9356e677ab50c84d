//! Power failures: the disk then has less than the processes wrote, and other contents than after a kill.
//!
//! All operations of real processes on their files are recorded (`record.c`, for Linux with glibc). The power fails before a
//! random operation; of unsynced writes anything may be left (`disk.rs`). `resume` starts from that state: outputs that had been
//! passed on must still exist, and their nodes must not run again (`check.rs`). Side effects are in the same log, so their order
//! relative to the writes is known.
//!
//! `CUTS=1200 SEED=7 cargo test -p pipeline-tests --test durable power -- --nocapture` is a longer form, which
//! `scripts/power-cuts` runs.

mod check;
mod disk;
mod log;
mod recorder;

use crate::folder::RunningProcess;
use crate::kills::Random;
use check::{OVER, PAUSED, PRUNED, PRUNING, STARTED, STAYS};
use disk::{Disk, Files};
use log::Op;
use recorder::{Recorder, Recording};
use std::process::Command;

/// The number of cuts per recording.
const EACH: usize = 10;

fn run() -> Recording {
    let recorder = Recorder::new(Files::new(), 1);
    recorder.call(&["run", "mixed"]);
    recorder.note(OVER);
    recorder.finish("run")
}

/// `SQLite` copies a thousand pages of newest commits into the journal's file, and starts their own file over.
fn large() -> Recording {
    let recorder = Recorder::new(Files::new(), 1);
    recorder.call(&["run", "large"]);
    recorder.note(OVER);
    let recording = recorder.finish("a large run");
    let copied = recording.syncs_of("journal.db");
    // One sync happens at the end anyway.
    assert!(copied >= 2, "the newest commits were copied {copied} times");
    recording
}

fn killed(random: &mut Random) -> Recording {
    let recorder = Recorder::new(Files::new(), 1);
    recorder.kill(&["run", "mixed"], 1 + random.below(200));
    // It resumes what is unfinished, or starts over if there is no journal yet.
    recorder.call(&["run", "mixed"]);
    recorder.note(OVER);
    recorder.finish("run, kill, run")
}

fn served() -> Recording {
    let recorder = Recorder::new(Files::new(), 600);
    let mut serve = RunningProcess::spawn(&mut recorder.command(&["serve"]), &["serving m00"]);
    for day in ["2024-03-01", "2024-03-02", "2024-03-03"] {
        let said = recorder.call(&["trigger", "on_command", "--logical-date", day]);
        assert!(said.contains("has started"), "{said}");
        recorder.note(&format!("{STARTED}on_command/manual__{day}T00:00:00Z"));
    }
    recorder.call(&["pause", "mixed"]);
    recorder.note(&format!("{PAUSED}mixed"));
    (0..4).for_each(|_| serve.wait_for_line("of m00: success"));
    let ended = Command::new("kill").args(["-TERM", &serve.child.id().to_string()]).status().unwrap();
    assert!(ended.success());
    assert_eq!(serve.finish().0, Some(0));
    recorder.finish("serve, trigger, pause")
}

const BACKFILL: [&str; 6] = ["backfill", "mixed", "--from", "2024-01-01", "--to", "2024-01-04"];

fn backfilled() -> Recording {
    let recorder = Recorder::new(Files::new(), 1);
    recorder.call(&BACKFILL);
    recorder.note(OVER);
    recorder.finish("backfill")
}

fn pruned() -> Recording {
    let recorder = Recorder::new(Files::new(), 1);
    recorder.call(&BACKFILL);
    recorder.note(PRUNING);
    let said = recorder.call(&["prune", "--older-than", "0s"]);
    assert!(said.contains("3 runs deleted; 1 old run kept"), "{said}");
    recorder.note(PRUNED);
    recorder.note(&format!("{STAYS}mixed/backfill__2024-01-04T00:00:00Z"));
    recorder.call(&["run", "on_command", "--logical-date", "2024-03-01"]);
    recorder.note(&format!("{STAYS}on_command/manual__2024-03-01T00:00:00Z"));
    recorder.note(OVER);
    recorder.finish("backfill, prune, run")
}

/// The power fails again, while the process resumes from what the first failure left.
fn cut_before(random: &mut Random) -> Recording {
    let first = run();
    let left = loop {
        let ops = first.ops();
        let mut disk = Disk::new(&first.root, &first.before, None);
        let at = usize::try_from(random.below(ops.len() as u64)).unwrap();
        disk.apply(&ops[..at]);
        let (left, _) = check::files_after_cut(&disk, random);
        if left.keys().any(|path| path.ends_with("journal.db")) {
            break left;
        }
    };
    let recorder = Recorder::new(left, 1);
    recorder.call(&["resume"]);
    recorder.note(OVER);
    recorder.finish("run, power failure, resume")
}

fn record(which: usize, random: &mut Random) -> Recording {
    match which % 7 {
        0 => run(),
        1 => killed(random),
        2 => served(),
        3 => backfilled(),
        4 => pruned(),
        5 => large(),
        _ => cut_before(random),
    }
}

#[test]
fn what_somebody_was_given_before_the_power_failed_is_there_and_does_not_run_again() {
    let mut random = Random::new();
    let seed = random.0;
    let cuts: usize = std::env::var("CUTS").ok().and_then(|cuts| cuts.parse().ok()).unwrap_or(7 * EACH);
    let (mut done, mut recordings, mut operations, mut received, mut without) = (0, 0, 0, 0, 0);
    while done < cuts {
        let recording = record(recordings, &mut random);
        let length = recording.ops().len();
        for _ in 0..EACH.min(cuts - done) {
            let at = usize::try_from(random.below(length as u64 + 1)).unwrap();
            let findings = check::cut(&recording, at, &mut random, None).unwrap_or_else(|wrong| panic!("SEED={seed}: {wrong}"));
            received += findings.received;
            without += usize::from(!findings.has_journal);
            done += 1;
        }
        recordings += 1;
        operations += length;
    }
    println!(
        "SEED={seed} CUTS={cuts}: {recordings} recordings of {operations} operations; {received} outputs that somebody had been given, 0 lost, 0 \
         finished nodes run again; {without} cuts before there was a journal"
    );
    assert!(received > 15 * cuts, "SEED={seed}: only {received} outputs had been passed on");
}

/// The folder itself, its file and the first commits are all new, and only their names lead to them. Also if a process was killed
/// while it created them, and the next one found them there.
#[test]
fn a_new_journal_is_there_once_its_first_body_has_begun() {
    let mut random = Random::new();
    let seed = random.0;
    for killed_at in [1, 2, 3, 4, 12, 40] {
        let recorder = Recorder::new(Files::new(), 1);
        recorder.kill(&["run", "mixed"], killed_at);
        recorder.call(&["run", "mixed"]);
        is_there_once_a_body_has_begun(&recorder.finish("a new journal"), &mut random, seed);
    }
}

fn is_there_once_a_body_has_begun(recording: &Recording, random: &mut Random, seed: u64) {
    let is_effect = |op: &Op<'_>| matches!(op, Op::Open { path, .. } if path.ends_with("effects"));
    let opened = recording.ops().iter().position(is_effect).unwrap();
    for _ in 0..6 {
        let findings = check::cut(recording, opened + 2, random, None).unwrap_or_else(|wrong| panic!("SEED={seed}: {wrong}"));
        assert!(findings.has_journal, "SEED={seed}: the first body had not begun");
    }
}

/// Shows that these tests can fail: the disk ignores syncs of the newest commits.
#[test]
fn a_journal_that_is_not_synced_is_found_out() {
    let mut random = Random::new();
    let seed = random.0;
    let recording = run();
    let length = recording.ops().len() as u64;
    let mut wrong = Vec::new();
    for _ in 0..15 {
        let at = usize::try_from(length / 2 + random.below(length / 2)).unwrap();
        check::cut(&recording, at, &mut random, None).unwrap_or_else(|wrong| panic!("SEED={seed}: {wrong}"));
        wrong.extend(check::cut(&recording, at, &mut random, Some("-wal")).err());
    }
    let is_loss = |wrong: &String| ["is lost", "is gone", "ran again", "and yet"].iter().any(|loss| wrong.contains(loss));
    assert!(wrong.iter().any(is_loss), "SEED={seed}: {wrong:?}");
}
