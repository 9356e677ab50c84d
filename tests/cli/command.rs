//! Calls the binaries, and replaces what differs between calls in their output.

use std::fmt::Write;
use std::path::Path;
use std::process::{Command, Output};
use std::sync::atomic::{AtomicU32, Ordering};

/// The binary with valid pipelines.
pub(crate) const PIPELINES: &str = env!("CARGO_BIN_EXE_cli-pipelines");
/// The binary with invalid pipelines.
pub(crate) const MISTAKES: &str = env!("CARGO_BIN_EXE_cli-mistakes");

/// The binary whose pipelines take all kinds of params.
pub(crate) const PARAMS: &str = env!("CARGO_BIN_EXE_cli-params");

pub(crate) fn command(binary: &str, args: &[&str]) -> Command {
    static CALLS: AtomicU32 = AtomicU32::new(0);
    let mut command = Command::new(binary);
    // Each call gets a folder of its own, as the journal is there by default.
    let call = CALLS.fetch_add(1, Ordering::Relaxed);
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("cli-{}-{call}", std::process::id()));
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).expect("the target folder can be written");
    command.current_dir(folder);
    command
        .args(args)
        .env_remove("PIPELINE_LOG")
        .env_remove("PIPELINE_LOG_FORMAT")
        .env_remove("RUST_BACKTRACE")
        .env_remove("TWICE")
        .env_remove("PIPELINE_JOURNAL")
        .env("PIPELINE_DASHBOARD", "off");
    command
}

/// The exact output of the call, and its exit code.
pub(crate) fn call(args: &[&str]) -> String {
    transcript(&command(PIPELINES, args).output().expect("the binary was built"))
}

/// The same without the durations of a run.
pub(crate) fn call_scrubbed(args: &[&str]) -> String {
    scrub(&call(args))
}

pub(crate) fn transcript(output: &Output) -> String {
    let mut text = String::new();
    let code = output.status.code().map_or("none".to_owned(), |code| code.to_string());
    // clap prints spaces at the ends of lines, which editors would remove.
    let stream = |bytes: &[u8]| {
        let mut lines = String::new();
        for line in String::from_utf8_lossy(bytes).lines() {
            // Machines differ in their time zones; `zones.rs` tests what is printed of them.
            let line = if line.starts_with("time zones: ") { "time zones: _" } else { line };
            lines.push_str(line.trim_end());
            lines.push('\n');
        }
        lines
    };
    writeln!(text, "{}[exit {code}]", stream(&output.stdout)).expect("texts take all");
    if !output.stderr.is_empty() {
        write!(text, "[stderr]\n{}", stream(&output.stderr)).expect("texts take all");
    }
    text
}

/// Replaces what differs between calls: durations, drawn bars, dates of log lines.
pub(crate) fn scrub(text: &str) -> String {
    let mut lines = String::new();
    for line in text.lines() {
        let line: String = line.chars().filter(|c| !"█·░▒×".contains(*c)).collect();
        let is_drawing = line.contains("  0   ") || line.contains(" → ");
        let words = line.split(' ').map(word).collect::<Vec<_>>().join(" ");
        let words = if is_drawing { words.split_whitespace().collect::<Vec<_>>().join(" ") } else { words };
        lines.push_str(words.trim_end());
        lines.push('\n');
    }
    lines
}

fn word(word: &str) -> String {
    let core = word.trim_end_matches([',', ';', ')']);
    let rest = &word[core.len()..];
    let is_time = ["ms", "s", "m"].iter().any(|unit| core.strip_suffix(unit).is_some_and(|n| n.parse::<f64>().is_ok()));
    // A log line's date; the dates of runs are set by the test.
    let is_date = core.len() == 20 && core.ends_with('Z') && core.starts_with("20") && !core.starts_with("2024");
    if is_time || is_date { format!("_{rest}") } else { word.to_owned() }
}
