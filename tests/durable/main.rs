//! A run that started, finishes: killed at random points, inside bodies and inside commits, and gone on with.
//!
//! Promises are checked against the file of side effects, not against the journal that makes them.

#![allow(clippy::unwrap_used, reason = "a test's own means are there or it fails")]

use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};

/// The chain's length, as in `pipeline.rs`.
const STEPS: usize = 25;

fn run(folder: &Path, dies: Option<&str>) -> (ExitStatus, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_durable-pipeline"));
    command.arg(folder.join("journal.db")).arg(folder.join("effects")).args(dies);
    let output = command.env("PIPELINE_LOG", "off").stdin(Stdio::null()).output().unwrap();
    (output.status, String::from_utf8_lossy(&output.stderr).into_owned())
}

/// A xorshift generator: the seed is all there is to know.
struct Random(u64);

impl Random {
    fn below(&mut self, n: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % n
    }
}

fn effects(folder: &Path) -> Vec<String> {
    std::fs::read_to_string(folder.join("effects")).unwrap_or_default().lines().map(str::to_owned).collect()
}

/// Which step a line is of.
fn step(line: &str) -> usize {
    match line.split(' ').nth(1).and_then(|id| id.strip_prefix("step_")).and_then(|n| n.parse().ok()) {
        Some(n) if !line.starts_with("total") => n,
        _ => STEPS,
    }
}

/// The last step that has begun.
fn furthest(lines: &[String]) -> usize {
    lines.iter().map(|line| step(line)).max().unwrap_or(0)
}

/// A run may end in failure for one reason alone: its process died three times in a row while the same attempt was under way.
/// An attempt that is journaled as started may die before its first line, so the step before it is then the last one seen.
fn assert_third_death(said: &str, deaths: &[usize], seed: u64) {
    let of = said.lines().find_map(|line| line.strip_prefix("step_")?.split_once(' ')).and_then(|(n, _)| n.parse::<usize>().ok());
    let step = of.unwrap_or(STEPS);
    let last = &deaths[deaths.len().saturating_sub(3)..];
    let all_in_it = last.len() == 3 && last.iter().all(|seen| *seen == step || *seen + 1 == step);
    assert!(said.contains("the process ended 3 times in a row") && all_in_it, "seed {seed}: {said}; deaths in steps {deaths:?}");
}

/// A finished node never runs again: once a step has begun, the one before it has been committed, and no line of it follows.
fn assert_no_finished_node_ran_again(lines: &[String], seed: u64) {
    let mut furthest = 0;
    for (at, line) in lines.iter().enumerate() {
        let step = step(line);
        assert!(step >= furthest, "seed {seed}: line {at} is {line:?}, after step {furthest} had begun:\n{}", lines.join("\n"));
        furthest = furthest.max(step);
    }
}

#[test]
fn a_run_that_is_killed_at_random_is_gone_on_with_and_ends_as_one_that_is_not() {
    let seed = std::env::var("SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or_else(|| {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
        u64::from(now.subsec_nanos()) | 1
    });
    println!("SEED={seed}");
    let kills: usize = std::env::var("KILLS").ok().and_then(|kills| kills.parse().ok()).unwrap_or(12);
    let mut random = Random(seed);
    let (mut killed, mut runs) = (0, 0);
    while killed < kills {
        let folder = tempfile::tempdir().unwrap();
        runs += 1;
        // The third death in a row of one attempt is its failure, so after two the process may go further.
        let mut stuck = 0;
        let mut deaths = Vec::new();
        loop {
            let before = effects(folder.path());
            let further = if stuck == 2 { 6 } else { 1 };
            let dies = match random.below(3) {
                0 if stuck < 2 => format!("commit:{}", 4096 + random.below(200_000)),
                _ => format!("body:{}", before.len() as u64 + further + random.below(12)),
            };
            let dies = (killed < kills).then_some(dies);
            let (status, said) = run(folder.path(), dies.as_deref());
            let lines = effects(folder.path());
            assert_no_finished_node_ran_again(&lines, seed);
            if status.success() {
                break;
            }
            if status.code() == Some(1) {
                assert_third_death(&said, &deaths, seed);
                break;
            }
            assert!(status.code().is_none(), "seed {seed}: it ended by itself with {status}: {said}\n{}", lines.join("\n"));
            killed += 1;
            deaths.push(furthest(&lines));
            stuck = if furthest(&lines) > furthest(&before) { 0 } else { stuck + 1 };
            if furthest(&lines) == STEPS {
                // Its last node has begun: whether the run has ended only the journal knows, and a run that has is over.
                break;
            }
        }
        let lines = effects(folder.path());
        if furthest(&lines) < STEPS {
            continue;
        }
        assert!(lines.last().is_some_and(|line| line.starts_with(&format!("total {STEPS} "))), "seed {seed}: {lines:?}");
        // An attempt that was cut off uses up no retry: each begins as the first.
        assert!(lines.iter().filter(|line| line.starts_with("start")).all(|line| line.ends_with(" 1")), "seed {seed}: {lines:?}");
    }
    println!("{killed} kills in {runs} runs");
}

#[test]
fn the_third_attempt_in_a_row_that_the_process_does_not_outlive_counts_as_failed() {
    let folder = tempfile::tempdir().unwrap();
    for _ in 0..3 {
        // Each begins the fourth line and dies of it.
        let (status, said) = run(folder.path(), Some("body:3"));
        assert!(status.code().is_none(), "{status}: {said}");
    }
    let (status, _) = run(folder.path(), None);
    assert_eq!(status.code(), Some(1), "{:?}", effects(folder.path()));
    assert_eq!(effects(folder.path()).iter().filter(|line| line.starts_with("total")).count(), 0);
}

#[test]
fn a_finished_run_is_not_gone_on_with_and_the_next_is_a_new_one() {
    let folder = tempfile::tempdir().unwrap();
    assert!(run(folder.path(), None).0.success());
    assert!(run(folder.path(), None).0.success());
    assert_eq!(effects(folder.path()).iter().filter(|line| line.starts_with("total")).count(), 2);
}

#[test]
fn a_journal_that_is_none_is_refused_and_left_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let journal = folder.path().join("journal.db");
    std::fs::write(&journal, "not a database, but long enough to be looked at as one".repeat(100)).unwrap();
    let before = std::fs::read(&journal).unwrap();
    let (status, said) = run(folder.path(), None);
    assert_eq!(status.code(), Some(2));
    assert!(said.contains("is no journal"), "{said}");
    assert_eq!(std::fs::read(&journal).unwrap(), before);
}
