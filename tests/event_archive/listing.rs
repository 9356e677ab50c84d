//! Which files are new, and the hours that they belong to.

use super::figures::figure;
use pipeline_examples::event_archive::layout::Hour;
use pipeline_examples::event_archive::pipeline::{NewFiles, event_archive};
use pipeline_runtime::{RunReport, RunState, Simulation};
use std::process::Command;

fn simulation<'a>() -> Simulation<'a> {
    let in_memory = serde_json::json!({ "source": "memory://source-bucket", "target": "memory://target-bucket" });
    Simulation::new(event_archive()).params(in_memory).logical_date("2021-09-01T07:00:00Z")
}

fn new_files(report: &RunReport) -> Vec<(String, Vec<String>)> {
    let hours = report.output::<Vec<NewFiles>>("list_new_files[0]").unwrap();
    hours.into_iter().map(|new| (new.hour.to_string(), new.files.iter().map(|(name, _)| name.to_owned()).collect())).collect()
}

#[test]
fn it_runs_every_half_hour() {
    let drawn = Command::new(env!("CARGO_BIN_EXE_event-archive")).arg("graph").output().unwrap();
    let drawn = String::from_utf8(drawn.stdout).unwrap();
    figure!(drawn.lines().find_map(|line| line.strip_prefix("schedule  ")).unwrap());
}

#[test]
fn files_are_grouped_by_the_hour_in_their_names() {
    let report = simulation()
        .arrive("0s", "memory://source-bucket/source/e/2021-09-01/07_50_file_126.csv", "a\n")
        .arrive("0s", "memory://source-bucket/source/e/2021-09-01/08_15_file_127.csv", "b\n")
        .arrive("0s", "memory://source-bucket/source/e/2021-09-01/07_00_file_123.csv", "c\n")
        .arrive("0s", "memory://source-bucket/source/e/2021-08-31/07_00_file_9.csv", "d\n")
        .run();
    let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    assert_eq!(
        new_files(&report),
        [
            ("target/e/2021-08-31/07.csv.gz".into(), names(&["07_00_file_9.csv"])),
            ("target/e/2021-09-01/07.csv.gz".into(), names(&["07_00_file_123.csv", "07_50_file_126.csv"])),
            ("target/e/2021-09-01/08.csv.gz".into(), names(&["08_15_file_127.csv"])),
        ]
    );
    assert_eq!(report.state(), RunState::Success, "{}", report.timeline());
}

#[test]
fn a_key_that_is_no_event_file_is_left_where_it_is_and_does_no_harm() {
    let report = simulation()
        .arrive("0s", "memory://source-bucket/source/e/2021-09-01/07_50_file_126.csv", "a\n")
        .arrive("0s", "memory://source-bucket/source/e/2021-09-01/_SUCCESS", "")
        .arrive("0s", "memory://source-bucket/source/e/README.md", "")
        .arrive("0s", "memory://source-bucket/source/at_the_top.csv", "")
        .run();
    assert_eq!(report.state(), RunState::Success);
    assert_eq!(new_files(&report).len(), 1);
    let wrong = |key: &str| Hour::of(key).unwrap_err().to_string();
    assert_eq!(
        wrong("source/e/2021-09-01/7_50_file.csv"),
        "`source/e/2021-09-01/7_50_file.csv` does not begin with its time, `{HH}_{MM}_`; an event's file is `source/{event}/{date}/{HH}_{MM}_….csv`"
    );
    assert!(wrong("source/e/2021-13-01/07_50_file.csv").contains("is in a folder that is not a date"));
    assert!(wrong("source/e/2021-09-01/07_50_file.csv.tmp").contains("is not a `.csv`"));
    assert!(wrong("source/e/2021-09-01/24_50_file.csv").contains("does not begin with its time"));
    assert!(wrong("source/e/2021-09-01/07_5é_file.csv").contains("does not begin with its time"));
}

#[test]
fn no_events_are_no_error() {
    let report = simulation().run();
    assert_eq!(report.state(), RunState::Success);
    assert_eq!(report.output::<String>("report").unwrap(), "0 event(s): 0 file(s) into 0 archive(s)");
}
