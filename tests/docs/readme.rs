//! The commands of the README work as they are written, in an empty folder.

use std::fs;
use std::process::Command;

/// The block of that language that contains `word`, and the text after it.
fn block<'a>(page: &'a str, language: &str, word: &str) -> (&'a str, &'a str) {
    let fence = format!("```{language}\n");
    let mut blocks = page.split(&fence).skip(1).filter_map(|rest| rest.split_once("```"));
    let found = blocks.find(|(block, _)| block.contains(word));
    let (block, _) = found.unwrap_or_else(|| panic!("no {language} block with {word}"));
    page.split_once(block).map(|(_, rest)| (block, rest)).expect("it was found in there")
}

#[test]
fn the_simulation_prints_the_timeline_that_stands_below_it() {
    let page = fs::read_to_string("../README.md").expect("the README");
    let (commands, rest) = block(&page, "sh", " simulate ");
    let (timeline, _) = block(rest, "text", "run: ");
    let folder = tempfile::tempdir().expect("there is room for a folder");
    // Redirects /tmp to the test's folder. The binary itself may be in /tmp, so its path is inserted afterwards.
    let commands = commands.replace("/tmp/", &format!("{}/", folder.path().display()));
    let commands = commands.replace("cargo run --bin cloud_data_pipeline --", env!("CARGO_BIN_EXE_cloud-data-pipeline"));
    let mut shell = Command::new("sh");
    shell.args(["-e", "-c", &commands]).current_dir(folder.path()).env("PIPELINE_LOG", "off").env_remove("PIPELINE_LOG_FORMAT");
    let output = shell.output().expect("there is a shell");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{commands}{stderr}");
    assert_eq!(String::from_utf8_lossy(&output.stdout), timeline, "{stderr}");
}

/// The buckets that `serve` reads are created before it is called: without them all runs fail.
#[test]
fn the_buckets_are_made_before_they_are_served() {
    let page = fs::read_to_string("../README.md").expect("the README");
    let (commands, _) = block(&page, "sh", " serve");
    let order: Vec<&str> = commands.lines().filter_map(|line| line.split(" -- ").nth(1)).collect();
    assert_eq!(order, ["mock-s3", "serve"]);
}
