//! Log lines: their level and their format.

use crate::command::{PIPELINES, call, command, transcript};
use expect_test::expect;
use std::process::Output;

const RUN: [&str; 7] = ["run", "sales", "--logical-date", "2024-03-25", "--param", "days=3", "--param=region=eu"];

/// The lines on stderr, with the times replaced.
fn logged(output: &Output) -> String {
    assert!(output.status.success(), "{}", transcript(output));
    let text = String::from_utf8(output.stderr.clone()).expect("lines are text");
    let scrub = |line: &str| {
        let (before, rest) = line.split_once(r#"{"time":""#).unwrap_or_else(|| panic!("no object with its time first: {line}"));
        let (time, after) = rest.split_once('"').expect("the time ends");
        assert!(before.is_empty() && time.len() == "2024-03-25T06:00:00.000Z".len() && time.ends_with('Z'), "{line}");
        format!("{{\"time\":\"_\"{after}\n")
    };
    text.lines().map(scrub).collect()
}

#[test]
fn json_is_an_object_a_line_with_the_run_and_the_bodys_own_fields() {
    let output = command(PIPELINES, &[&RUN[..], &["--log-format", "json"]].concat()).output().expect("it was built");
    let golden = expect![[r#"
        {"time":"_","level":"INFO","target":"cli_pipelines","pipeline":"sales","run":"manual__2024-03-25T05:00:00Z","node":"extract","attempt":1,"message":"extracting eu","fields":{"days":3}}
        {"time":"_","level":"INFO","target":"cli_pipelines","pipeline":"sales","run":"manual__2024-03-25T05:00:00Z","node":"publish","attempt":1,"message":"published 6"}
        {"time":"_","level":"INFO","target":"cli_pipelines","pipeline":"sales","run":"manual__2024-03-25T05:00:00Z","node":"notify","attempt":1,"message":"the total is 6"}
    "#]];
    golden.assert_eq(&logged(&output));
    // The progress is not a log.
    assert!(String::from_utf8_lossy(&output.stdout).contains("extract  running"));
    let by_environment = command(PIPELINES, &RUN).env("PIPELINE_LOG_FORMAT", " JSON ").output().expect("it was built");
    golden.assert_eq(&logged(&by_environment));
}

#[test]
fn the_option_wins_over_the_environment() {
    let args = [&RUN[..], &["--log-format", "text"]].concat();
    let output = command(PIPELINES, &args).env("PIPELINE_LOG_FORMAT", "json").output().expect("it was built");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains(" INFO extract#1: extracting eu days=3\n"), "{said}");
}

#[test]
fn a_simulation_has_json_lines_too() {
    let args = [&["simulate"], &RUN[1..], &["--log-format=json"]].concat();
    let said = logged(&command(PIPELINES, &args).output().expect("it was built"));
    let output = command(PIPELINES, &args).output().expect("it was built");
    let lines = String::from_utf8_lossy(&output.stderr).into_owned();
    // In the simulation's time: the run starts at the end of its data interval.
    assert!(lines.lines().all(|line| line.starts_with(r#"{"time":"2024-03-26T05:00:00.0"#)), "{lines}");
    expect![[r#"{"time":"_","level":"INFO","target":"cli_pipelines","pipeline":"sales","run":"simulated__2024-03-25T05:00:00Z","node":"extract","attempt":1,"message":"extracting eu","fields":{"days":3}}"#]].assert_eq(said.lines().next().unwrap_or_default());
}

#[test]
fn a_format_that_is_none() {
    expect![[r#"
        [exit 2]
        [stderr]
        error: invalid value 'xml' for '--log-format <FORMAT>': a format is text or json

        For more information, try '--help'.
    "#]]
    .assert_eq(&call(&["run", "sales", "--log-format", "xml"]));
    let output = command(PIPELINES, &["run", "sales"]).env("PIPELINE_LOG_FORMAT", "xml").output().expect("it was built");
    expect![[r#"
        [exit 2]
        [stderr]
        error: the environment variable PIPELINE_LOG_FORMAT is `xml`: a format is text or json
    "#]]
    .assert_eq(&transcript(&output));
}
