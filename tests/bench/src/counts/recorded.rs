//! The last recorded counts.

use crate::Count;
use std::process::ExitCode;

/// One count per line, as [`line()`] writes it.
const RECORDED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/recorded.txt");
/// A count that is higher by more than this share fails; one that is lower by more should be recorded, by `counts record`.
const MARGIN: f64 = 0.1;
/// The file has two digits, so a smaller count is recorded as zero.
const DIGITS: f64 = 0.01;

pub(crate) fn line(count: &Count) -> String {
    format!("{}, {}: {:.2}", count.shape, count.of, count.a_node)
}

fn recorded() -> std::io::Result<Vec<Count>> {
    let of_line = |line: &str| {
        let (shape, rest) = line.split_once(", ")?;
        let (of, a_node) = rest.split_once(": ")?;
        Some(Count { shape: shape.to_owned(), of: of.to_owned(), a_node: a_node.parse().ok()? })
    };
    let said = |line: &str| of_line(line).ok_or_else(|| std::io::Error::other(format!("`{line}` is no count")));
    std::fs::read_to_string(RECORDED)?.lines().map(said).collect()
}

/// Writes the counts to `recorded.txt`.
pub(crate) fn record(counts: &[Count]) -> ExitCode {
    if !counts.iter().any(|count| count.of.starts_with("instructions")) {
        eprintln!("valgrind is not installed, so that instructions are not counted: nothing is recorded");
        return ExitCode::FAILURE;
    }
    let text: String = counts.iter().map(|count| line(count) + "\n").collect();
    match std::fs::write(RECORDED, &text) {
        Ok(()) => {
            print!("{text}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("`{RECORDED}` cannot be written: {error}");
            ExitCode::FAILURE
        }
    }
}

pub(crate) fn check(counts: &[Count]) -> ExitCode {
    let recorded = match recorded() {
        Ok(recorded) => recorded,
        Err(error) => {
            eprintln!("`{RECORDED}` cannot be read: {error}");
            return ExitCode::FAILURE;
        }
    };
    let mut failed = false;
    for now in counts.iter().filter(|now| !recorded.iter().any(|was| was.shape == now.shape && was.of == now.of)) {
        failed = true;
        println!("{}: not recorded; `counts record` writes it down", line(now));
    }
    for was in recorded {
        let now = counts.iter().find(|count| count.shape == was.shape && count.of == was.of);
        match now {
            None if was.of.starts_with("instructions") => println!("{}: not counted, as valgrind is not installed", line(&was)),
            None => {
                failed = true;
                println!("{}: no longer counted; `counts record` takes it out", line(&was));
            }
            Some(now) if now.a_node > was.a_node * (1.0 + MARGIN) + DIGITS => {
                failed = true;
                println!("{}: a node costs more than the recorded {:.2}", line(now), was.a_node);
            }
            Some(now) if now.a_node < was.a_node * (1.0 - MARGIN) => {
                println!("{}: less than the recorded {:.2}; `counts record` writes it down", line(now), was.a_node);
            }
            Some(now) => println!("{}: as recorded", line(now)),
        }
    }
    if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}
