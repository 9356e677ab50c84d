//! The commands of `docs/in-production.md` work as they are written.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Output, Stdio};

const PAGE: &str = "../docs/in-production.md";

fn command(folder: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_served-pipelines"));
    command.args(args).current_dir(folder).env_remove("PIPELINE_LOG_FORMAT").env_remove("PIPELINE_LOG");
    command.env("PIPELINE_JOURNAL", "journal.db").stdin(Stdio::null());
    command
}

fn call(folder: &Path, args: &[&str]) -> Output {
    command(folder, args).output().expect("it was built")
}

fn told(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// A folder with a journal that has a failed run and an unfinished one.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("there is room for a folder");
    assert_eq!(call(folder.path(), &["run", "daily", "--logical-date", "2024-03-03"]).status.code(), Some(1));
    let mut run = command(folder.path(), &["run", "waiting", "--logical-date", "2024-03-01"])
        .stdout(Stdio::piped())
        .spawn()
        .expect("it was built");
    let mut lines = BufReader::new(run.stdout.take().expect("it is piped")).lines().map_while(Result::ok);
    assert!(lines.any(|line| line.contains("up_for_reschedule")), "it waits for its file");
    run.kill().and_then(|()| run.wait()).expect("it is ours");
    folder
}

#[test]
fn each_command_works_as_it_stands() {
    let page = std::fs::read_to_string(PAGE).expect("the page");
    let blocks = page.split("```sh\n").skip(1).filter_map(|rest| rest.split("```").next());
    let lines: Vec<&str> = blocks.flat_map(str::lines).map(str::trim).filter(|line| !line.is_empty()).collect();
    assert!(lines.len() >= 8, "{lines:?}");
    let folder = folder();
    for line in lines {
        let args: Vec<&str> = line.split(' ').collect();
        assert_eq!(args[0], "pipelines", "{line}");
        let output = call(folder.path(), &args[1..]);
        assert_eq!(output.status.code(), Some(0), "{line}: {}", told(&output));
    }
}
