//! A chain whose side effects go to a file, in a process that ends itself where it is told to: what `main.rs` kills.
//!
//! `durable-pipeline JOURNAL EFFECTS [body:N | commit:BYTES]`: it aborts in the body that would write the N-th line, or as soon
//! as the journal's log has grown to that many bytes, which is in the midst of a commit.

use pipeline_runtime::cli::{Progress, Runner};
use pipeline_runtime::prelude::*;
use pipeline_runtime::{NodeState, RunReport};
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::OnceLock;

static EFFECTS: OnceLock<PathBuf> = OnceLock::new();
static DIES_AT_LINE: OnceLock<usize> = OnceLock::new();

/// Appends a line, and ends the process where that was the line to end at.
fn effect(line: &str) -> Result<()> {
    let path = EFFECTS.get().ok_or("no file for the effects")?;
    let lines = std::fs::read_to_string(path).unwrap_or_default().lines().count();
    if DIES_AT_LINE.get() == Some(&lines) {
        std::process::abort();
    }
    let mut file = std::fs::OpenOptions::new().append(true).create(true).open(path)?;
    // One write: lines of a killed process are whole.
    file.write_all(format!("{line}\n").as_bytes())?;
    Ok(())
}

#[task]
async fn first(ctx: Context) -> Result<u64> {
    effect(&format!("start {} {}", ctx.node(), ctx.attempt()))?;
    Ok(1)
}

#[task]
async fn step(ctx: Context, n: u64) -> Result<u64> {
    effect(&format!("start {} {}", ctx.node(), ctx.attempt()))?;
    effect(&format!("end {}", ctx.node()))?;
    Ok(n + 1)
}

#[task]
async fn total(ctx: Context, n: u64) -> Result<()> {
    effect(&format!("total {n} {}", ctx.attempt()))
}

/// How many steps the chain has; `main.rs` has the same number.
const STEPS: usize = 25;

#[pipeline]
fn chain() {
    let mut last = first().named("step_0");
    for n in 1..STEPS {
        last = step(last).named(format!("step_{n}"));
    }
    total(last);
}

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let (Some(journal), Some(effects)) = (args.first(), args.get(1)) else { return ExitCode::from(2) };
    let _ = EFFECTS.set(effects.into());
    match args.get(2).and_then(|at| at.split_once(':')).map(|(what, n)| (what, n.parse::<usize>())) {
        Some(("body", Ok(line))) => {
            let _ = DIES_AT_LINE.set(line);
        }
        Some(("commit", Ok(bytes))) => {
            let log = format!("{journal}-wal");
            std::thread::spawn(move || {
                while std::fs::metadata(&log).map_or(0, |file| file.len()) < bytes as u64 {
                    std::hint::spin_loop();
                }
                std::process::abort();
            });
        }
        _ => {}
    }
    match Runner::new().pipeline(chain(), ()).journal(journal).progress(Progress::Silent).run() {
        Ok(finished) => {
            for node in finished.reports().iter().flat_map(RunReport::nodes).filter(|node| node.state() == NodeState::Failed) {
                eprintln!("{} failed: {}", node.id(), node.error().unwrap_or_default());
            }
            finished.exit_code()
        }
        Err(error) => {
            eprintln!("{error}");
            error.exit_code()
        }
    }
}
