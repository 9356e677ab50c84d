//! Instructions, as valgrind counts them.

use crate::Count;
use std::path::Path;
use std::process::Command;

/// Two sizes; their difference leaves out the fixed costs of a process and of a run.
pub(crate) const SIZES: [u32; 2] = [2_000, 12_000];

pub(crate) fn counts(shape: &str) -> Vec<Count> {
    let a_node = |what: &str| {
        let [few, many] = SIZES.map(|nodes| callgrind(Path::new("/dev/null"), what, shape, nodes));
        Some((many? - few?) / f64::from(SIZES[1] - SIZES[0]))
    };
    let count = |of: &str, a_node: f64| Count { shape: shape.to_owned(), of: of.to_owned(), a_node };
    // `run` also builds the plan, and `plan` also makes the shape; the differences leave these out.
    let (Some(shape), Some(plan), Some(run)) = (a_node("shape"), a_node("plan"), a_node("run")) else { return Vec::new() };
    vec![count("instructions of a plan", plan - shape), count("instructions of a run", run - plan)]
}

/// Returns how many instructions `counts WHAT SHAPE NODES` executes; callgrind writes their places to `out`.
pub(crate) fn callgrind(out: &Path, what: &str, shape: &str, nodes: u32) -> Option<f64> {
    let this = std::env::current_exe().ok()?;
    let mut valgrind = Command::new("valgrind");
    valgrind.arg("--tool=callgrind").arg(format!("--callgrind-out-file={}", out.display()));
    let output = valgrind.arg(this).args([what, shape, &nodes.to_string()]).output().ok()?;
    let text = String::from_utf8_lossy(&output.stderr);
    let collected = text.lines().find_map(|line| line.split_once("Collected : "))?.1;
    collected.trim().parse().ok()
}
