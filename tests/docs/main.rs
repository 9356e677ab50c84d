//! What the pages say is so: the code and the commands that they show, the messages that they quote, their links, and the map of the code.

#[allow(
    dead_code,
    unused,
    unreachable_pub,
    clippy::all,
    clippy::pedantic,
    reason = "these are examples of pages, which call what matters to the page alone"
)]
mod code;
#[cfg(unix)]
mod commands;
#[cfg(unix)]
mod follow;
mod layers;
mod links;
mod options;
mod pages;
#[cfg(unix)]
mod production;
#[cfg(unix)]
mod readme;
#[allow(dead_code, reason = "it has a `main` of its own")]
mod tutorial;

use std::fs;
use std::path::Path;

/// Each block of ```` ```text ```` quotes the golden that the link above it names.
#[test]
fn what_the_compiler_tells_you_is_what_it_tells() {
    let page = fs::read_to_string("../docs/what-the-compiler-tells-you.md").expect("the page");
    let mut golden = None;
    let mut quoted = 0;
    let mut wrong = Vec::new();
    let mut lines = page.lines().enumerate();
    while let Some((at, line)) = lines.next() {
        if let Some(path) = line.split("](../tests/").nth(1).and_then(|rest| rest.split(')').next()) {
            assert!(Path::new(path).is_file(), "line {}: no case {path}", at + 1);
            golden = Some(Path::new(path).with_extension("stderr"));
        }
        if line == "```text" {
            let message: Vec<&str> = lines.by_ref().map(|(_, line)| line).take_while(|line| *line != "```").collect();
            let path = golden.take().unwrap_or_else(|| panic!("line {}: a message without its case", at + 1));
            let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            quoted += 1;
            // Omissions are written as `…`; the rest must come line by line, in order.
            let mut rest = text.lines();
            for line in message.into_iter().filter(|line| !line.trim().is_empty() && line.trim() != "…") {
                if !rest.any(|told| told.trim() == line.trim()) {
                    wrong.push(format!("docs, line {}: `{line}` is not in {}", at + 1, path.display()));
                    break;
                }
            }
        }
    }
    assert!(quoted > 20, "only {quoted} messages");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The pages' lists of ticks over a stop and a clock change are quoted from the goldens of the scheduler's tests.
#[test]
fn the_ticks_in_schedules_are_those_that_ran() {
    let trimmed = |text: &str| text.lines().map(str::trim).collect::<Vec<_>>().join("\n");
    let page = fs::read_to_string("../docs/schedules.md").expect("the page");
    let goldens = trimmed(&fs::read_to_string("../pipeline-runtime/src/host/scheduler/tests.rs").expect("the tests"));
    let blocks: Vec<&str> = page.split("```text\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
    assert_eq!(blocks.len(), 4, "a stop without and with `catchup`, and both changes of clock");
    for block in blocks {
        assert!(goldens.contains(&trimmed(block)), "no test has\n{block}");
    }
}

/// The table in `docs/internals/messages.md` is what `scripts/messages` prints.
#[test]
fn the_table_of_messages_is_up_to_date() {
    let printed = std::process::Command::new("../scripts/messages").output().expect("scripts/messages");
    assert!(printed.status.success(), "{}", String::from_utf8_lossy(&printed.stderr));
    let kept = fs::read_to_string("../docs/internals/messages.md").expect("docs/internals/messages.md");
    assert!(
        kept == String::from_utf8_lossy(&printed.stdout),
        "run `scripts/messages >docs/internals/messages.md` from the workspace's root"
    );
}

/// The code in `docs/branches.md` is simulated.
#[test]
fn the_branch_of_the_page_is_one_that_is_simulated() {
    let page = fs::read_to_string("../docs/branches.md").expect("the page");
    let source = fs::read_to_string("simulation/branches.rs").expect("the simulations");
    let blocks: Vec<&str> = page.split("```rust\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
    assert_eq!(blocks.len(), 2);
    for block in blocks {
        assert!(source.contains(block), "no simulation has\n{block}");
    }
}

/// The code in `docs/retail.md` is the example's.
#[test]
fn the_pipelines_of_retail_are_those_of_the_example() {
    let page = fs::read_to_string("../docs/retail.md").expect("the page");
    let sources = ["import", "model", "report"]
        .map(|module| fs::read_to_string(format!("../examples/retail/{module}.rs")).expect("the example"));
    let blocks = page.split("```rust\n").skip(1).filter_map(|rest| rest.split("```").next());
    let items: Vec<&str> = blocks.filter(|block| block.starts_with("#[pipeline") || block.starts_with("///")).collect();
    assert_eq!(items.len(), 4, "three pipelines, and the arms of a branch");
    for item in items {
        assert!(sources.iter().any(|source| source.contains(item)), "the example has no\n{item}");
    }
}
