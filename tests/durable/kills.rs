//! The kill loop: a run is killed with SIGKILL at random times, inside bodies and before, in and after commits; and it is
//! resumed.
//!
//! Promises are checked against the file of side effects, not against the journal that makes them. The killed process keeps a
//! file up to date (`pipeline.rs`) that says whether it is inside a commit; the test reads it once the process is dead.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::time::{Duration, Instant};

/// The chain's length, as in `pipeline.rs`.
pub(crate) const STEPS: usize = 25;

/// The place at which a process is killed.
#[derive(Debug, Clone)]
pub(crate) enum Kill {
    Never,
    /// In the body that would write line N.
    Body(usize),
    /// At that stage of its N-th commit; with `during`, the commit continues while the signal is on its way.
    Commit(&'static str, u64),
    /// This long after its start.
    Time(Duration),
}

/// How a process ended.
pub(crate) struct ProcessEnd {
    pub(crate) status: ExitStatus,
    pub(crate) said: String,
    /// From its start to its first body.
    began: Option<Duration>,
}

pub(crate) fn run(folder: &Path, kill: &Kill) -> ProcessEnd {
    let mut command = Command::new(env!("CARGO_BIN_EXE_durable-pipeline"));
    let files = ["journal.db", "effects", "stage"].map(|file| folder.join(file));
    command.args(files).env("PIPELINE_LOG", "off").stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    match kill {
        Kill::Body(line) => drop(command.arg(format!("body:{line}"))),
        Kill::Commit(stage, commit) => drop(command.arg(format!("{stage}:{commit}"))),
        Kill::Never | Kill::Time(_) => {}
    }
    let started = Instant::now();
    let mut child = command.spawn().unwrap();
    let lines = lines(&mut child);
    let deadline = if let Kill::Time(after) = kill { started + *after } else { started + Duration::from_mins(2) };
    let mut began = None;
    loop {
        match lines.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
            Ok(line) if line == "on" => began = Some(started.elapsed()),
            // The process has reached the place at which it is to be killed.
            Ok(_) => child.kill().unwrap(),
            Err(mpsc::RecvTimeoutError::Timeout) => {
                assert!(matches!(kill, Kill::Time(_)), "it hangs");
                child.kill().unwrap();
                break;
            }
            Err(mpsc::RecvTimeoutError::Disconnected) => break,
        }
    }
    let mut said = String::new();
    child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    ProcessEnd { status: child.wait().unwrap(), said, began }
}

fn lines(child: &mut Child) -> Receiver<String> {
    let stdout = BufReader::new(child.stdout.take().unwrap());
    let (send, lines) = mpsc::channel();
    std::thread::spawn(move || stdout.lines().map_while(Result::ok).try_for_each(|line| send.send(line)));
    lines
}

/// A xorshift generator: the seed determines everything.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    /// The seed is that of the variable `SEED`, or else a new one. It is printed, so that a failure can be reproduced.
    pub(crate) fn new() -> Self {
        let seed = std::env::var("SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or_else(|| {
            let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
            u64::from(now.subsec_nanos()) | 1
        });
        println!("SEED={seed}");
        Self(seed)
    }

    pub(crate) fn below(&mut self, n: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % n
    }
}

pub(crate) fn effects(folder: &Path) -> Vec<String> {
    std::fs::read_to_string(folder.join("effects")).unwrap_or_default().lines().map(str::to_owned).collect()
}

/// The step of a line.
fn step(line: &str) -> usize {
    match line.split(' ').nth(1).and_then(|id| id.strip_prefix("step_")).and_then(|n| n.parse().ok()) {
        Some(n) if !line.starts_with("total") => n,
        _ => STEPS,
    }
}

/// The last step that has started.
fn furthest(lines: &[String]) -> usize {
    lines.iter().map(|line| step(line)).max().unwrap_or(0)
}

/// True if a killed process was inside a commit.
fn was_in_commit(folder: &Path) -> bool {
    std::fs::read(folder.join("stage")).unwrap_or_default().first().is_some_and(|stage| b"bw".contains(stage))
}

/// A run may fail for only one reason: its process died three times in a row while the same attempt was running.
///
/// An attempt counts as started from the commit that records its start, which also records the end of the step before. So it may
/// die before its first line, and the step before it is then the last one seen. A process that dies before that commit, or after
/// a restart before it has recorded that the attempt starts again, does not add to the count.
fn assert_third_death(said: Option<&str>, deaths: &[usize], seed: u64) {
    let last = &deaths[deaths.len().saturating_sub(3)..];
    let step = match said {
        Some(said) => {
            assert!(said.contains("the process ended 3 times in a row"), "seed {seed}: {said}");
            let id = said.lines().find_map(|line| line.strip_prefix("step_")?.split_once(' '));
            id.and_then(|(n, _)| n.parse::<usize>().ok()).unwrap_or(STEPS)
        }
        // The process that reported it was killed while it did.
        None => last.iter().copied().max().unwrap_or(STEPS),
    };
    let all_in_it = last.len() == 3 && last.iter().all(|seen| *seen == step || *seen + 1 == step);
    assert!(all_in_it, "seed {seed}: {said:?}; deaths in steps {deaths:?}");
}

/// The index of the first line of a second run: the first run had ended, and its process was killed before it could report that.
fn second_run(lines: &[String]) -> Option<usize> {
    let run = |line: &String| line.split('/').nth(1).map(str::to_owned);
    let first = lines.iter().find_map(run)?;
    lines.iter().position(|line| run(line).is_some_and(|run| run != first))
}

/// Counts lines of steps that had finished, as a later one had started. A finished node never runs again, so there must be none.
fn run_again(lines: &[String]) -> usize {
    let mut furthest = 0;
    let again = |line: &&String| {
        let step = step(line);
        let is_again = step < furthest;
        furthest = furthest.max(step);
        is_again
    };
    lines.iter().filter(again).count()
}

/// An interrupted attempt uses up no retry, so each start is of the first attempt. It keeps its key, which no other node has.
fn assert_same_attempt(lines: &[String], seed: u64) {
    let mut keys = BTreeMap::new();
    for line in lines.iter().filter(|line| !line.starts_with("end")) {
        let [_, _, key, attempt] = line.split(' ').collect::<Vec<_>>()[..] else { panic!("seed {seed}: {line}") };
        assert_eq!(attempt, "1", "seed {seed}: {line}");
        assert_eq!(*keys.entry(step(line)).or_insert(key), key, "seed {seed}: {line}");
    }
    assert_eq!(keys.values().collect::<BTreeSet<_>>().len(), keys.len(), "seed {seed}: {keys:?}");
}

/// Counters of the loop.
#[derive(Debug, Default)]
struct Figures {
    kills: usize,
    in_commit: usize,
    runs: usize,
    failed: usize,
    nodes: usize,
    redone: usize,
    lost: usize,
    run_again: usize,
    restarts: Vec<Duration>,
}

impl Figures {
    fn count(&mut self, lines: &[String], succeeded: bool) {
        self.runs += 1;
        self.run_again += run_again(lines);
        let starts = |n: usize| lines.iter().filter(|line| line.starts_with("start") && step(line) == n).count();
        self.redone += (0..STEPS).map(|n| starts(n).saturating_sub(1)).sum::<usize>();
        self.nodes += (0..STEPS).filter(|n| starts(*n) > 0).count();
        if succeeded {
            let totals = lines.iter().filter(|line| line.starts_with(&format!("total {STEPS} "))).count();
            self.nodes += 1;
            // Steps without an end, and a run without a total.
            let ends = |n: &usize| lines.iter().any(|line| *line == format!("end step_{n}"));
            self.lost += (1..STEPS).filter(|n| !ends(n)).count() + usize::from(totals == 0);
        }
    }

    fn summary(&self, seed: u64) -> String {
        let mut restarts = self.restarts.clone();
        restarts.sort_unstable();
        let at = |share: usize| restarts.get(restarts.len() * share / 100).copied().unwrap_or_default().as_millis();
        format!(
            "SEED={seed} KILLS={}: {} % inside a commit; {} runs ({} failed of three deaths of one attempt), {} nodes, {} attempts redone, {} lost, \
             {} finished nodes run again; restart to the first body: median {} ms, max {} ms",
            self.kills,
            self.in_commit * 100 / self.kills.max(1),
            self.runs,
            self.failed,
            self.nodes,
            self.redone,
            self.lost,
            self.run_again,
            at(50),
            restarts.last().copied().unwrap_or_default().as_millis(),
        )
    }
}

fn choose(random: &mut Random, lines: usize, stuck: u32) -> Kill {
    // The third death in a row of one attempt is its failure, so after two the process may get further.
    let further = if stuck >= 2 { 6 } else { 0 };
    match random.below(8) {
        0 => Kill::Body(lines + 1 + further + usize::try_from(random.below(12)).unwrap()),
        1 if stuck < 2 => Kill::Time(Duration::from_micros(random.below(80_000))),
        n => {
            let stage = ["before", "middle", "during", "during", "after"][usize::try_from(n % 5).unwrap()];
            Kill::Commit(stage, 1 + further as u64 + random.below(10))
        }
    }
}

#[test]
fn a_run_that_is_killed_at_random_is_gone_on_with_and_ends_as_one_that_is_not() {
    let mut random = Random::new();
    let seed = random.0;
    let kills: usize = std::env::var("KILLS").ok().and_then(|kills| kills.parse().ok()).unwrap_or(40);
    let mut figures = Figures::default();
    while figures.kills < kills {
        let folder = tempfile::tempdir().unwrap();
        let (mut stuck, mut deaths) = (0, Vec::new());
        let succeeded = loop {
            let before = effects(folder.path());
            let kill = if figures.kills < kills { choose(&mut random, before.len(), stuck) } else { Kill::Never };
            let ended = run(folder.path(), &kill);
            let lines = effects(folder.path());
            if !deaths.is_empty() {
                figures.restarts.extend(ended.began);
            }
            if second_run(&lines).is_some() {
                // The previous process was killed while it recorded that the run had failed.
                assert_third_death(None, &deaths[..deaths.len() - 1], seed);
                break false;
            }
            match ended.status.code() {
                Some(0) => break true,
                Some(1) => {
                    assert_third_death(Some(&ended.said), &deaths, seed);
                    break false;
                }
                Some(_) => panic!("seed {seed}: it ended by itself with {}: {}\n{}", ended.status, ended.said, lines.join("\n")),
                None => {}
            }
            figures.kills += 1;
            figures.in_commit += usize::from(was_in_commit(folder.path()));
            deaths.push(furthest(&lines));
            stuck = if furthest(&lines) > furthest(&before) { 0 } else { stuck + 1 };
            if furthest(&lines) == STEPS {
                // Its last node has started. Only the journal knows whether the run has ended, and an ended run is not resumed.
                break lines.last().is_some_and(|line| line.starts_with("total"));
            }
        };
        let mut lines = effects(folder.path());
        lines.truncate(second_run(&lines).unwrap_or(lines.len()));
        figures.failed += usize::from(!succeeded);
        figures.count(&lines, succeeded);
        assert_eq!((figures.run_again, figures.lost), (0, 0), "seed {seed}:\n{}", lines.join("\n"));
        assert_same_attempt(&lines, seed);
    }
    println!("{}", figures.summary(seed));
    assert!(figures.in_commit * 100 >= figures.kills * 30, "seed {seed}: too few kills came inside a commit: {figures:?}");
}

#[test]
fn the_third_attempt_in_a_row_that_the_process_does_not_outlive_counts_as_failed() {
    let folder = tempfile::tempdir().unwrap();
    for _ in 0..3 {
        // Each process reaches the fourth line and dies there.
        let ended = run(folder.path(), &Kill::Body(3));
        assert!(ended.status.code().is_none(), "{}: {}", ended.status, ended.said);
    }
    assert_eq!(run(folder.path(), &Kill::Never).status.code(), Some(1), "{:?}", effects(folder.path()));
    assert_eq!(effects(folder.path()).iter().filter(|line| line.starts_with("total")).count(), 0);
}

#[test]
fn a_process_that_dies_before_it_has_begun_an_attempt_again_adds_nothing_to_its_deaths() {
    let folder = tempfile::tempdir().unwrap();
    assert!(run(folder.path(), &Kill::Body(3)).status.code().is_none());
    for _ in 0..5 {
        // The first commit of a process that resumes a run records that attempts start again.
        assert!(run(folder.path(), &Kill::Commit("before", 1)).status.code().is_none());
        assert!(run(folder.path(), &Kill::Commit("middle", 1)).status.code().is_none());
    }
    let ended = run(folder.path(), &Kill::Never);
    assert_eq!(ended.status.code(), Some(0), "{}", ended.said);
}

/// A run's entry is committed with the start of its first nodes, and its end with the end of its last.
#[test]
fn a_chain_waits_for_the_disk_once_more_than_it_has_nodes() {
    let nodes = STEPS as u64 + 1;
    let folder = tempfile::tempdir().unwrap();
    assert!(run(folder.path(), &Kill::Commit("before", nodes + 2)).status.success(), "there is no such commit");
    assert!(run(folder.path(), &Kill::Commit("before", nodes + 1)).status.code().is_none(), "there is this one");
}

#[test]
fn a_finished_run_is_not_gone_on_with_and_the_next_is_a_new_one() {
    let folder = tempfile::tempdir().unwrap();
    assert!(run(folder.path(), &Kill::Never).status.success());
    assert!(run(folder.path(), &Kill::Never).status.success());
    assert_eq!(effects(folder.path()).iter().filter(|line| line.starts_with("total")).count(), 2);
}
