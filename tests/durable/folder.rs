//! A folder with a journal, and the calls made in it.

use expect_test::Expect;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Output, Stdio};
use std::time::{Duration, Instant};

/// The binary that is called.
pub(crate) const RUNS: &str = env!("CARGO_BIN_EXE_durable-runs");
/// The run that [`Folder::start_run`] makes.
pub(crate) const RUN: &str = "manual__2024-03-25T00:00:00Z";

pub(crate) struct Folder(tempfile::TempDir);

impl Folder {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("data-bucket")).unwrap();
        Self(folder)
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(RUNS);
        command.args(args).current_dir(self.path()).stdin(Stdio::null());
        command
            .env_remove("PIPELINE_LOG")
            .env_remove("PIPELINE_LOG_FORMAT")
            .env_remove("CODE")
            .env_remove("RUST_BACKTRACE")
            .env_remove("PIPELINE_JOURNAL")
            .env("PIPELINE_DASHBOARD", "off");
        command
    }

    pub(crate) fn call(&self, args: &[&str]) -> Output {
        self.command(args).output().unwrap()
    }

    /// The output of a call, with what differs between calls replaced.
    pub(crate) fn transcript(&self, args: &[&str]) -> String {
        transcript(&self.call(args))
    }

    pub(crate) fn expect_transcript(&self, args: &[&str], expected: &Expect) {
        expected.assert_eq(&self.transcript(args));
    }

    /// The output of `show` on the run once it satisfies the condition: events are printed a moment before they are durable.
    pub(crate) fn shown_once(&self, says: impl Fn(&str) -> bool) -> String {
        let deadline = Instant::now() + Duration::from_mins(1);
        loop {
            let shown = self.transcript(&["show", RUN]);
            if says(&shown) {
                return shown;
            }
            assert!(Instant::now() < deadline, "{shown}");
        }
    }

    pub(crate) fn put(&self, key: &str) {
        std::fs::write(self.path().join("data-bucket").join(key), "{}").unwrap();
    }

    /// Starts a run, and returns once it has printed a line with each of these texts.
    pub(crate) fn start_run(&self, pipeline: &str, until: &[&str]) -> RunningProcess {
        let mut command = self.command(&["run", pipeline, "--logical-date", "2024-03-25", "--log", "info"]);
        RunningProcess::spawn(&mut command, until)
    }
}

/// A running process.
pub(crate) struct RunningProcess {
    pub(crate) child: Child,
    lines: std::io::Lines<BufReader<ChildStdout>>,
}

impl RunningProcess {
    pub(crate) fn spawn(command: &mut Command, until: &[&str]) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut process = Self { child, lines };
        process.wait_for_lines(until);
        process
    }

    /// Waits until it prints a line with this text.
    pub(crate) fn wait_for_line(&mut self, until: &str) {
        self.wait_for_lines(&[until]);
    }

    /// Waits until it has ended.
    pub(crate) fn wait_for_end(mut self) {
        self.lines.by_ref().for_each(drop);
        self.child.wait().unwrap();
    }

    fn wait_for_lines(&mut self, until: &[&str]) {
        let mut missing = until.to_vec();
        while !missing.is_empty() {
            let line = self.lines.next().unwrap_or_else(|| panic!("it ended without {missing:?}")).unwrap();
            missing.retain(|until| !line.contains(until));
        }
    }

    /// Waits for its end, and returns its exit code and the rest of its output.
    pub(crate) fn finish(mut self) -> (Option<i32>, Vec<String>) {
        let lines = self.lines.map_while(Result::ok).collect();
        (self.child.wait().unwrap().code(), lines)
    }

    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

pub(crate) fn transcript(output: &Output) -> String {
    let code = output.status.code().map_or("none".to_owned(), |code| code.to_string());
    let stderr = if output.stderr.is_empty() { String::new() } else { format!("[stderr]\n{}", scrub(&output.stderr)) };
    format!("{}[exit {code}]\n{stderr}", scrub(&output.stdout))
}

fn scrub(bytes: &[u8]) -> String {
    let mut lines = String::new();
    for line in String::from_utf8_lossy(bytes).lines() {
        let line: String = line.chars().filter(|c| !"█·░▒×".contains(*c)).collect();
        let is_drawing = line.contains("  0   ") || line.contains(" → ") || line.starts_with("run  ");
        let words = line.split(' ').map(word).collect::<Vec<_>>().join(" ");
        let words = if is_drawing { words.split_whitespace().collect::<Vec<_>>().join(" ") } else { words };
        lines.push_str(words.trim_end());
        lines.push('\n');
    }
    // A second after `9m 59s` comes `10m`, and a time span has more words each year; so sequences of placeholders become one.
    while lines.contains("_ _") {
        lines = lines.replace("_ _", "_");
    }
    lines
}

/// Replaces durations, dates of today, times of day and process ids.
fn word(word: &str) -> String {
    let core = word.trim_start_matches('(').trim_end_matches([',', ';', ')']);
    let at = word.find(core).unwrap_or(0);
    let (before, rest) = (&word[..at], &word[at + core.len()..]);
    let is_time = ["ms", "s", "m", "h", "day", "days", "month", "months", "year", "years"]
        .iter()
        .any(|unit| core.strip_suffix(unit).is_some_and(|n| n.parse::<f64>().is_ok()));
    let is_date = core.len() == 20 && core.ends_with('Z') && core.starts_with("20") && !core.starts_with("2024");
    let is_clock = core.len() == 9 && core.ends_with('Z') && core.as_bytes()[2] == b':';
    if is_time || is_date || is_clock { format!("{before}_{rest}") } else { word.to_owned() }
}
