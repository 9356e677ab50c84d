//! Checks that each Rust block of the guide is in a file that is compiled: most in `code/PAGE.rs`, which has the functions that the page leaves out, and some in
//! a test or an example.

mod across_pipelines;
mod alerts;
mod groups;
mod mappings;
mod pipelines_as_values;
mod programs;
mod recipes;
mod secrets;
mod settings;
mod simulations;
mod teardown;
mod testing;
mod trigger_rules;

use crate::pages::{blocks, guide};
use std::fs;
use std::path::Path;

/// The pages whose blocks are elsewhere, and where.
const ELSEWHERE: &[(&str, &[&str])] = &[
    ("branches.md", &["simulation/branches.rs"]),
    ("embedding.md", &["embedding/service.rs"]),
    (
        "retail.md",
        &["../examples/retail/import.rs", "../examples/retail/model.rs", "../examples/retail/report.rs", "retail/import.rs"],
    ),
];

/// The lines that are neither blank nor a comment, without their indentation.
fn squeezed(text: &str) -> String {
    // The page names a file of the reader's; here it is one of the tests.
    let text = text.replace("ui/alert/pass/failure.txt", "alerts/failure.txt");
    text.lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with("// "))
        .map(|line| format!("{line}\n"))
        .collect()
}

#[test]
fn each_rust_block_is_compiled_somewhere() {
    let mut wrong = Vec::new();
    for page in guide() {
        // Its blocks are steps to one program, which `follow.rs` compares.
        if page.name == "tutorial.md" {
            continue;
        }
        let own = format!("docs/code/{}.rs", page.name.trim_end_matches(".md").replace('-', "_"));
        let elsewhere = ELSEWHERE.iter().find(|(name, _)| *name == page.name).map_or(&[][..], |(_, paths)| paths);
        let paths = elsewhere.iter().copied().chain(Path::new(&own).exists().then_some(own.as_str()));
        let sources: Vec<String> =
            paths.map(|path| squeezed(&fs::read_to_string(path).unwrap_or_else(|error| panic!("{path}: {error}")))).collect();
        for block in blocks(&page.text).filter(|block| block.language.starts_with("rust")) {
            if !sources.iter().any(|source| source.contains(&squeezed(block.text))) {
                wrong.push(format!("docs/{}, line {}: {own} does not have\n{}", page.name, block.line, block.text));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
