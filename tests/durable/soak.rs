//! A scheduler that is left alone: it serves, and is killed every few seconds and started again, for as long as requested.
//!
//! Pipelines run every minute of a clock that is sped up, and callers trigger runs meanwhile. In the last quarter nothing is
//! killed, so that one process grows old. Nothing may be lost or happen twice, and memory, files and threads must not grow.
//! `scripts/soak` runs the long form.

use crate::body_notes::BodyNotes;
use crate::kills::Random;
use rusqlite::Connection;
use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

/// The extent of a soak.
#[derive(Debug, Clone, Copy)]
struct Long {
    /// Minutes of the scheduler's clock.
    minutes: i64,
    /// The speed of that clock.
    speed: u64,
    /// The number of pipelines that run every minute.
    pipelines: u64,
    /// The number of callers that trigger runs, one after another.
    askers: u64,
    /// The average time between kills.
    kill: Duration,
}

impl Long {
    fn new() -> Self {
        let number = |name: &str, otherwise| std::env::var(name).ok().and_then(|number| number.parse().ok()).unwrap_or(otherwise);
        Self {
            minutes: i64::try_from(number("SOAK_MINUTES", 30)).unwrap(),
            speed: number("SOAK_SPEED", 600),
            pipelines: number("SOAK_PIPELINES", 4),
            askers: number("SOAK_ASKERS", 2),
            kill: Duration::from_millis(number("SOAK_KILL_MS", 500)),
        }
    }

    fn command(self, folder: &Path, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_durable-notes"));
        command
            .args(args)
            .current_dir(folder)
            .stdin(Stdio::null())
            .env_remove("PIPELINE_JOURNAL")
            .env("PIPELINE_DASHBOARD", "off")
            .env("PIPELINE_LOG", "warn");
        command.env("SPEED", self.speed.to_string()).env("MINUTELY", self.pipelines.to_string());
        command
    }
}

/// The resources of a process at one moment.
#[derive(Debug, Clone, Copy, Default)]
struct Sample {
    memory_kb: u64,
    threads: u64,
    files: u64,
    journal_kb: u64,
    wal_kb: u64,
}

impl Sample {
    /// Returns `None` if the process has ended.
    fn of(process: u32, folder: &Path) -> Option<Self> {
        let status = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
        let number =
            |name: &str| status.lines().find_map(|line| line.strip_prefix(name)?.split_whitespace().next()?.parse().ok());
        let size = |name: &str| std::fs::metadata(folder.join(".pipeline").join(name)).map_or(0, |file| file.len() / 1024);
        Some(Self {
            memory_kb: number("VmRSS:")?,
            threads: number("Threads:")?,
            files: std::fs::read_dir(format!("/proc/{process}/fd")).ok()?.count() as u64,
            journal_kb: size("journal.db"),
            wal_kb: size("journal.db-wal"),
        })
    }

    fn greatest(self, other: Self) -> Self {
        Self {
            memory_kb: self.memory_kb.max(other.memory_kb),
            threads: self.threads.max(other.threads),
            files: self.files.max(other.files),
            journal_kb: self.journal_kb.max(other.journal_kb),
            wal_kb: self.wal_kb.max(other.wal_kb),
        }
    }
}

/// A process that serves.
struct Serving {
    child: Child,
    lines: Receiver<String>,
}

impl Serving {
    /// Starts a process. Counts how often another process held the journal then: a `trigger` that found no process to send its
    /// command to.
    fn start(long: Long, folder: &Path, refused: &mut usize) -> Self {
        loop {
            let mut child = long.command(folder, &["serve"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
            let (tell, lines) = channel();
            let streams: [Box<dyn Read + Send>; 2] =
                [Box::new(child.stdout.take().unwrap()), Box::new(child.stderr.take().unwrap())];
            for stream in streams {
                let tell = tell.clone();
                std::thread::spawn(move || {
                    BufReader::new(stream).lines().map_while(Result::ok).try_for_each(|line| tell.send(line))
                });
            }
            drop(tell);
            let mut printed = Vec::new();
            while let Ok(line) = lines.recv() {
                if line.starts_with("serving ") {
                    return Self { child, lines };
                }
                printed.push(line);
            }
            let code = child.wait().unwrap().code();
            assert!(code == Some(2) && printed.iter().any(|line| line.contains("in use by")), "{code:?}: {}", printed.join("\n"));
            *refused += 1;
        }
    }

    /// Samples its resources at intervals until that time.
    fn samples(&self, folder: &Path, until: Instant, each: Duration, samples: &mut Vec<Sample>) {
        let mut next = Instant::now();
        while Instant::now() < until {
            next += each;
            while let Some(left) = next.min(until).checked_duration_since(Instant::now()) {
                match self.lines.recv_timeout(left) {
                    Ok(line) => assert!(!line.contains("ERROR") && !line.contains("failed"), "{line}"),
                    Err(RecvTimeoutError::Timeout) => break,
                    Err(RecvTimeoutError::Disconnected) => panic!("it has ended by itself"),
                }
            }
            samples.extend(Sample::of(self.child.id(), folder));
        }
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        // The process may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Stops the callers when dropped, also if the test fails.
struct Stopping<'a>(&'a AtomicBool);

impl Drop for Stopping<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

/// How many minutes of its clock the scheduler has completed.
fn minutes(long: Long, folder: &Path) -> i64 {
    let read =
        Connection::open_with_flags(folder.join(".pipeline/journal.db"), rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
    read.busy_timeout(Duration::from_mins(1)).unwrap();
    // The minutes of the pipeline that is furthest behind.
    let least = "SELECT coalesce(min(minutes), 0), count(*) FROM (SELECT (max(interval_end) - min(interval_start)) / 60000000000 AS minutes \
                 FROM runs WHERE pipeline LIKE 'm__' AND state = 'success' GROUP BY pipeline)";
    let (least, of): (i64, i64) = read.query_row(least, [], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
    if u64::try_from(of).unwrap() == long.pipelines { least } else { 0 }
}

/// The date of the `n`-th triggered run.
fn date(n: u32) -> String {
    let first = chrono::DateTime::parse_from_rfc3339("2020-01-01T00:00:00Z").unwrap().to_utc();
    (first + Duration::from_mins(n.into())).to_rfc3339_opts(chrono::SecondsFormat::Secs, true)
}

/// Triggers runs one after another until told to stop. Returns their dates, and whether each was promised.
fn ask(long: Long, folder: &Path, next: &AtomicU32, stop: &AtomicBool) -> Vec<(String, bool)> {
    let mut promised = Vec::new();
    // Once the journal exists, the command goes to the serving process.
    while !folder.join(".pipeline/journal.db").exists() && !stop.load(Ordering::SeqCst) {
        std::thread::yield_now();
    }
    while !stop.load(Ordering::SeqCst) {
        let date = date(next.fetch_add(1, Ordering::SeqCst));
        let output = long.command(folder, &["trigger", "on_command", "--logical-date", &date]).output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
        assert!(matches!(output.status.code(), Some(0 | 2)), "{date}: {}: {said}", output.status);
        promised.push((date, output.status.success()));
    }
    promised
}

#[test]
fn a_scheduler_that_is_killed_again_and_again_loses_nothing_and_does_nothing_twice() {
    let long = Long::new();
    let mut random = Random::new();
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let (started, stop, next) = (Instant::now(), AtomicBool::new(false), AtomicU32::new(0));
    let (mut kills, mut refused, mut samples) = (0, 0, Vec::new());
    let each = (long.kill / 4).min(Duration::from_secs(1));
    let promised = std::thread::scope(|scope| {
        let stopping = Stopping(&stop);
        let asking: Vec<_> = (0..long.askers).map(|_| scope.spawn(|| ask(long, folder, &next, &stop))).collect();
        let mut serving = Serving::start(long, folder, &mut refused);
        let mut through = 0;
        while through < long.minutes {
            let time = long.kill / 2 + long.kill * u32::try_from(random.below(1000)).unwrap() / 1000;
            serving.samples(folder, Instant::now() + time, each, &mut samples);
            through = minutes(long, folder);
            if kills == 0 || through < long.minutes * 3 / 4 {
                serving.child.kill().unwrap();
                serving.child.wait().unwrap();
                kills += 1;
                serving = Serving::start(long, folder, &mut refused);
            }
        }
        drop(stopping);
        let promised: Vec<_> = asking.into_iter().flat_map(|asking| asking.join().unwrap()).collect();
        assert!(Command::new("kill").args(["-TERM", &serving.child.id().to_string()]).status().unwrap().success());
        let last: Vec<String> = serving.lines.iter().collect();
        assert_eq!(serving.child.wait().unwrap().code(), Some(0), "{}", last.join("\n"));
        promised
    });
    let resumed = long.command(folder, &["resume"]).output().unwrap();
    assert_eq!(resumed.status.code(), Some(0), "{}", String::from_utf8_lossy(&resumed.stderr));
    println!("{long:?}: {kills} kills in {:?}; the journal was somebody else's at {refused} starts", started.elapsed());
    check(long, folder, &promised);
    tell(&samples);
    assert_flat(&samples);
}

/// Checks that each interval, each triggered run, and each node of each run has run once.
fn check(long: Long, folder: &Path, promised: &[(String, bool)]) {
    let journal = Connection::open(folder.join(".pipeline/journal.db")).unwrap();
    let integrity: String = journal.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(integrity, "ok");
    let unfinished: i64 = journal.query_row("SELECT count(*) FROM runs WHERE state <> 'success'", [], |row| row.get(0)).unwrap();
    assert_eq!(unfinished, 0, "all succeed");
    let mut intervals: BTreeMap<String, Vec<(i64, i64)>> = BTreeMap::new();
    let mut asked: BTreeMap<String, usize> = BTreeMap::new();
    let mut query = journal.prepare("SELECT pipeline, run_id, interval_start, interval_end FROM runs ORDER BY 1, 3").unwrap();
    let mut rows = query.query([]).unwrap();
    while let Some(row) = rows.next().unwrap() {
        let pipeline: String = row.get(0).unwrap();
        if pipeline == "on_command" {
            *asked.entry(row.get(1).unwrap()).or_default() += 1;
        } else {
            intervals.entry(pipeline).or_default().push((row.get(2).unwrap(), row.get(3).unwrap()));
        }
    }
    assert_eq!(intervals.len() as u64, long.pipelines);
    for (pipeline, intervals) in &intervals {
        let gap = intervals.windows(2).find(|two| two[0].1 != two[1].0);
        assert_eq!(gap, None, "{pipeline}: after an interval comes the next, once");
    }
    let mut asked_for = asked.clone();
    for (date, promised) in promised {
        let runs = asked_for.remove(&format!("manual__{date}")).unwrap_or_default();
        assert!(runs == 1 || runs == 0 && !promised, "{date}: {runs} runs; promised: {promised}");
    }
    assert!(asked_for.is_empty(), "these runs were not triggered: {asked_for:?}");
    // Two nodes of each scheduled run, and three of each other run; each has succeeded once.
    let scheduled: usize = intervals.values().map(Vec::len).sum();
    let nodes = scheduled * 2 + asked.len() * 3;
    let succeeded = "SELECT count(*), count(DISTINCT run * 1000 + slot) FROM records WHERE kind = 6";
    let succeeded: (i64, i64) = journal.query_row(succeeded, [], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
    let of_journal = i64::try_from(nodes).unwrap();
    assert_eq!(succeeded, (of_journal, of_journal), "each node succeeds once");
    let effects = std::fs::read_to_string(folder.join("effects")).unwrap();
    let mut body_notes = BodyNotes::default();
    effects.lines().for_each(|line| body_notes.read(line));
    assert!(body_notes.repeated.is_empty(), "nodes that had finished ran again: {:?}", body_notes.repeated);
    assert!(body_notes.changed.is_empty(), "a node received another output: {:?}", body_notes.changed);
    let begun: BTreeSet<_> = body_notes.started.iter().collect();
    assert_eq!(begun.len(), nodes, "each node has run");
    println!(
        "{scheduled} scheduled runs, {} that were asked for ({} asked in vain), {nodes} nodes, {} attempts cut off and run again; 0 lost, 0 twice",
        asked.len(),
        promised.len() - asked.len(),
        body_notes.started.len() - nodes
    );
}

/// The greatest values in each tenth of the time.
fn tenths(samples: &[Sample]) -> Vec<Sample> {
    let tenth = samples.chunks(samples.len().div_ceil(10));
    tenth.map(|samples| samples.iter().copied().reduce(Sample::greatest).unwrap_or_default()).collect()
}

fn tell(samples: &[Sample]) {
    println!("the greatest of each tenth of {} samples:\n  memory, kB  threads  files  journal, kB  -wal, kB", samples.len());
    for Sample { memory_kb, threads, files, journal_kb, wal_kb } in tenths(samples) {
        println!("  {memory_kb:>10} {threads:>8} {files:>6} {journal_kb:>12} {wal_kb:>9}");
    }
}

/// Anything that grows with time or with runs would have grown by the last tenth. The first tenth is left out, as the process is
/// still starting.
fn assert_flat(samples: &[Sample]) {
    let tenths = tenths(samples);
    let (early, last) = (tenths[1].greatest(tenths[2]), tenths[tenths.len() - 1]);
    let figures = format!("{early:?}, and at the end {last:?}");
    assert!(last.memory_kb <= early.memory_kb * 3 / 2 + 8192, "memory has grown: {figures}");
    assert!(last.threads <= early.threads + 16, "threads have grown: {figures}");
    assert!(last.files <= early.files + 16, "open files have grown: {figures}");
}
