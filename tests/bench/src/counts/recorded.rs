//! What the counts were when somebody last looked.

use crate::Count;
use std::process::ExitCode;

/// One count a line, as [`line()`] writes it.
const RECORDED: &str = include_str!("../../recorded.txt");
/// How much more than recorded is a failure; how much less is to be recorded, by `counts record`.
const MARGIN: f64 = 0.1;

pub(crate) fn line(count: &Count) -> String {
    format!("{}, {}: {:.2}", count.shape, count.of, count.a_node)
}

fn recorded() -> impl Iterator<Item = Count> {
    RECORDED.lines().filter_map(|line| {
        let (shape, rest) = line.split_once(", ")?;
        let (of, a_node) = rest.split_once(": ")?;
        Some(Count { shape: shape.to_owned(), of: of.to_owned(), a_node: a_node.parse().ok()? })
    })
}

/// Writes the counts to `recorded.txt`.
pub(crate) fn record(counts: &[Count]) -> ExitCode {
    if !counts.iter().any(|count| count.of.starts_with("instructions")) {
        eprintln!("valgrind is not installed, so that instructions are not counted: nothing is recorded");
        return ExitCode::FAILURE;
    }
    let text: String = counts.iter().map(|count| line(count) + "\n").collect();
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/recorded.txt");
    match std::fs::write(path, &text) {
        Ok(()) => {
            print!("{text}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("`{path}` cannot be written: {error}");
            ExitCode::FAILURE
        }
    }
}

pub(crate) fn check(counts: &[Count]) -> ExitCode {
    let mut failed = false;
    for was in recorded() {
        let now = counts.iter().find(|count| count.shape == was.shape && count.of == was.of);
        match now {
            None => println!("{}: not counted, as valgrind is not installed", line(&was)),
            Some(now) if now.a_node > was.a_node * (1.0 + MARGIN) => {
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
