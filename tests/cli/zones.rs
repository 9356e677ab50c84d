use crate::command::{PIPELINES, command};
use std::path::Path;
use std::process::ExitStatus;

/// A machine with a database of this version, and with this file for Berlin.
fn machine(version: &str, berlin: Option<&str>) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("there is room for a folder");
    std::fs::write(folder.path().join("tzdata.zi"), format!("# version {version}\n")).expect("the folder is ours");
    if let Some(berlin) = berlin {
        std::fs::create_dir(folder.path().join("Europe")).expect("the folder is ours");
        std::fs::write(folder.path().join("Europe/Berlin"), berlin).expect("the folder is ours");
    }
    folder
}

/// How `check` of a pipeline in Berlin exits on this machine, what it prints of time zones, and its warnings. The folder's path
/// and the built-in version are replaced.
fn check(zones: &Path) -> (ExitStatus, String, String) {
    let output = command(PIPELINES, &["check", "sales"]).env("TZDIR", zones).output().expect("the binary was built");
    let folder = zones.to_str().expect("it is text");
    let text = |bytes: Vec<u8>| {
        String::from_utf8(bytes).expect("it prints text").replace(folder, "FOLDER").replace(&built_in(), "BUILT_IN")
    };
    let said = text(output.stdout).lines().last().expect("it says something").to_owned();
    (output.status, said, text(output.stderr))
}

/// The built-in version, as printed by a process that has no other.
fn built_in() -> String {
    let output = command(PIPELINES, &["check", "sales"]).env("TZDIR", "/there/is/none").output().expect("the binary was built");
    let said = String::from_utf8(output.stdout).expect("it prints text");
    let (_, version) = said.rsplit_once("time zones: ").expect("it prints the version in use");
    let version = version.strip_suffix(", built in; there is no /there/is/none\n").expect("it prints the path that it tried");
    assert!(version.starts_with("20") && version.len() < 8, "{version}");
    version.to_owned()
}

#[test]
fn check_says_that_the_built_in_zones_are_newer() {
    let folder = machine("2025b", None);
    let (status, said, warned) = check(folder.path());
    assert_eq!((said.as_str(), warned.as_str()), ("time zones: BUILT_IN, built in; FOLDER has 2025b", ""));
    assert!(status.success());
}

#[test]
fn check_says_that_the_machines_are_newer_and_which_it_cannot_use() {
    let folder = machine("9999a", Some("not compiled"));
    let (status, said, warned) = check(folder.path());
    assert_eq!(said, "time zones: 9999a, from FOLDER; BUILT_IN is built in");
    assert_eq!(
        warned,
        "warning: the time zone `Europe/Berlin` is not a compiled time zone in FOLDER: its rules are the built-in ones, of BUILT_IN\n"
    );
    // The database can be used nonetheless.
    assert!(status.success());
}

#[test]
fn check_warns_of_a_zone_that_the_newer_database_lacks() {
    let (status, _, warned) = check(machine("9999a", None).path());
    assert_eq!(warned, "warning: the time zone `Europe/Berlin` is not in FOLDER: its rules are the built-in ones, of BUILT_IN\n");
    assert!(status.success());
}

#[test]
fn check_of_pipelines_without_a_schedule_says_nothing_of_zones() {
    let output = command(PIPELINES, &["check", "waiting"]).output().expect("the binary was built");
    assert_eq!(String::from_utf8_lossy(&output.stdout), "waiting: 2 nodes, no schedule\n");
}
