//! The commands of `docs/in-production.md` and `docs/dashboard.md` work as they stand there.

use crate::pages::blocks;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Output, Stdio};

const PAGE: &str = "../docs/in-production.md";
const DASHBOARD: &str = "../docs/dashboard.md";

fn command(folder: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_served-pipelines"));
    command.args(args).current_dir(folder).env_remove("PIPELINE_LOG_FORMAT").env_remove("PIPELINE_LOG");
    command.env("PIPELINE_JOURNAL", "journal.db").stdin(Stdio::null());
    command
}

fn call(folder: &Path, args: &[&str]) -> Output {
    command(folder, args).output().expect("it was built")
}

fn transcript(output: &Output) -> String {
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

/// The lines of commands of a page.
fn lines(page: &str) -> Vec<String> {
    let text = std::fs::read_to_string(page).unwrap_or_else(|error| panic!("{page}: {error}"));
    let blocks = blocks(&text).filter(|block| block.language == "sh");
    blocks.flat_map(|block| block.text.lines()).map(str::trim).filter(|line| !line.is_empty()).map(ToOwned::to_owned).collect()
}

/// Calls `pipelines ..`, which is to succeed.
fn works(folder: &Path, line: &str) {
    let args: Vec<&str> = line.split(' ').collect();
    assert_eq!(args[0], "pipelines", "{line}");
    let output = call(folder, &args[1..]);
    assert_eq!(output.status.code(), Some(0), "{line}: {}", transcript(&output));
}

#[test]
fn each_command_works_as_it_stands() {
    let lines = lines(PAGE);
    assert!(lines.len() >= 8, "{lines:?}");
    let folder = folder();
    for line in lines {
        works(folder.path(), &line);
    }
}

/// `what-if` of a run whose file was there, and `forecast`.
#[test]
fn the_questions_of_the_dashboards_page_are_answered() {
    let folder = tempfile::tempdir().expect("there is room for a folder");
    std::fs::write(folder.path().join("late.json"), "").expect("the folder is ours");
    assert_eq!(call(folder.path(), &["run", "waiting", "--logical-date", "2024-03-02"]).status.code(), Some(0));
    let lines: Vec<String> = lines(DASHBOARD).into_iter().filter(|line| line.starts_with("pipelines ")).collect();
    assert_eq!(lines.len(), 2, "{lines:?}");
    for line in lines {
        works(folder.path(), &line);
    }
}

#[test]
fn the_requests_of_the_dashboards_page_are_answered() {
    if Command::new("curl").arg("--version").output().is_err() {
        eprintln!("SKIPPED: the requests of docs/dashboard.md: there is no curl");
        return;
    }
    let folder = tempfile::tempdir().expect("there is room for a folder");
    assert_eq!(
        call(folder.path(), &["run", "waiting", "--logical-date", "2024-03-02", "--param", "key=."]).status.code(),
        Some(0)
    );
    let mut shown =
        command(folder.path(), &["dashboard", "--listen", "127.0.0.1:0"]).stdout(Stdio::piped()).spawn().expect("it was built");
    let mut printed = BufReader::new(shown.stdout.take().expect("it is piped")).lines().map_while(Result::ok);
    let address =
        printed.find_map(|line| Some(line.split_once("http://")?.1.trim_end_matches('/').to_owned())).expect("its address");
    let page = std::fs::read_to_string(DASHBOARD).expect("the page");
    let block = blocks(&page).find(|block| block.text.starts_with("curl ")).expect("the requests");
    let commands =
        block.text.replace("127.0.0.1:7373", &address).replace("curl ", "curl --fail-with-body --silent --show-error ");
    let output = Command::new("sh").args(["-e", "-c", &commands]).output().expect("there is a shell");
    shown.kill().and_then(|()| shown.wait()).expect("it is ours");
    assert_eq!(output.status.code(), Some(0), "{commands}{}", transcript(&output));
}
