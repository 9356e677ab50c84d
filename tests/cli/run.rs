use crate::command::{PIPELINES, call, call_scrubbed, command};
use expect_test::expect;
use serde_json::Value;
use std::fs;
use std::io::Read;
use std::process::Stdio;

const DATE: [&str; 2] = ["--logical-date", "2024-03-25T07:00"];

fn sales(args: &[&str]) -> String {
    call_scrubbed(&[&["run", "sales"], &DATE[..], args].concat())
}

#[test]
fn success() {
    expect![[r#"
        journal .pipeline/journal.db
        run manual__2024-03-25T05:00:00Z of sales: data interval 2024-03-25T05:00:00Z/2024-03-26T05:00:00Z, params {"days":3,"region":"eu","strict":false}
           _  extract  running
           _  extract  success  after _
           _  load  running  attempt 1 of 2
           _  load  success  after _
           _  publish  running
           _  publish  success  after _
           _  notify  running
           _  notify  success  after _

        node state 0 _
        extract success _ → _
        load success _ → _
        publish success _ → _
        notify success _ → _
        run: success after _   ( work   poke   wait   retry due   failure)
        [exit 0]
        [stderr]
        _ INFO extract#1: extracting eu days=3
        _ INFO publish#1: published 6
        _ INFO notify#1: the total is 6
    "#]].assert_eq(&sales(&["--param", "days=3", "--param", "region=eu"]));
}

#[test]
fn failure_says_why_where_and_what_did_not_run() {
    expect![[r#"
        journal .pipeline/journal.db
        run manual__2024-03-25T05:00:00Z of sales: data interval 2024-03-25T05:00:00Z/2024-03-26T05:00:00Z, params {"days":0,"region":"","strict":true}
           _  extract  running
           _  extract  success  after _
           _  load  running  attempt 1 of 2
           _  load  up_for_retry  attempt 1 of 2 failed: the warehouse refused the rows: row 7 has no price; next in _
           _  load  running  attempt 2 of 2
           _  load  failed  after 2 attempts: the warehouse refused the rows: row 7 has no price
           _  publish  upstream_failed  `load` failed
           _  notify  running
           _  notify  success  after _
           _  run  on_failure  notified cli_pipelines::page

        node state 0 _
        extract success _ → _
        load failed _ → _, 2 attempts
                                  the warehouse refused the rows: row 7 has no price
        publish  upstream_failed  `load` failed
        notify success _ → _
        callbacks: on_failure of the run at _
        run: failed after _   ( work   poke   wait   retry due   failure)
        [exit 1]
        [stderr]

        error: node `load` failed after 2 attempts: the warehouse refused the rows: row 7 has no price
          --> tests/cli/pipelines/main.rs:59:17: wired here
          = note: so `publish` did not run

        help: fix the cause; `retry manual__2024-03-25T05:00:00Z` then runs the failed nodes and those that did not run because of them
    "#]].assert_eq(&sales(&["--param", "strict=true", "--log", "off"]));
}

#[test]
fn a_silent_run_writes_nothing_not_even_a_log_line() {
    expect![[r#"
        [exit 0]
    "#]]
    .assert_eq(&call(&["quietly"]));
}

#[test]
fn a_panic_is_a_failure_and_told_where_it_happened() {
    expect![[r#"
        journal .pipeline/journal.db
        run manual__2024-03-25T00:00:00Z of panicking: logical date 2024-03-25T00:00:00Z
           _  panics  running
           _  panics  failed  the body panicked: there is no row

        node state 0 _
        panics failed _ → _
                        the body panicked: there is no row
        run: failed after _   ( work   poke   wait   retry due   failure)
        [exit 1]
        [stderr]
        _ ERROR panics#1: the body panicked at tests/cli/pipelines/main.rs:121:5: there is no row

        error: node `panics` failed: the body panicked: there is no row
          --> tests/cli/pipelines/main.rs:144:5: wired here

        help: fix the cause; `retry manual__2024-03-25T00:00:00Z` then runs the failed nodes and those that did not run because of them
    "#]]
    .assert_eq(&call_scrubbed(&["run", "panicking", "--logical-date", "2024-03-25"]));
}

#[test]
fn a_date_that_is_none() {
    expect![[r#"
        [exit 2]
        [stderr]
        error: --logical-date: `nonsense` is not a date; write `2024-01-31`, `2024-01-31T06:00` (in the schedule's time zone) or `2024-01-31T06:00:00Z`
    "#]].assert_eq(&call(&["run", "sales", "--logical-date", "nonsense"]));
}

#[test]
fn a_date_that_the_zones_clock_skipped() {
    expect![[r#"
        [exit 2]
        [stderr]
        error: --logical-date: `2024-03-31T02:30` does not exist in Europe/Berlin, whose clock then went from 02:00 to 03:00; write `2024-03-31T03:00:00+02:00`, the first instant after it
    "#]].assert_eq(&call(&["run", "sales", "--logical-date", "2024-03-31T02:30"]));
}

#[test]
fn a_param_that_does_not_exist() {
    expect![[r#"
        [exit 2]
        [stderr]
        error: --param dayz=3: no param `dayz` in pipeline `sales`; it takes `days`, `region`, `strict`
    "#]]
    .assert_eq(&sales(&["--param", "dayz=3"]));
}

#[test]
fn a_param_of_the_wrong_type() {
    expect![[r#"
        [exit 2]
        [stderr]
        error: --param days=many: param `days` of pipeline `sales` does not fit: invalid type: string "many", expected u32
    "#]]
    .assert_eq(&sales(&["--param", "region=eu", "--param", "days=many"]));
}

#[test]
fn a_param_without_a_value() {
    expect![[r#"
        [exit 2]
        [stderr]
        error: invalid value 'days' for '--param <KEY=VALUE>': write KEY=VALUE, as in `--param region=eu`

        For more information, try '--help'.
    "#]]
    .assert_eq(&sales(&["--param", "days"]));
}

#[test]
fn a_param_of_a_pipeline_that_takes_none() {
    expect![[r#"
        [exit 2]
        [stderr]
        error: --param days=1: pipeline `waiting` takes no params
    "#]]
    .assert_eq(&call(&["run", "waiting", "--param", "days=1"]));
}

#[test]
fn no_slots() {
    expect![[r#"
        [exit 2]
        [stderr]
        error: invalid value '0' for '--parallelism <N>': 0 is not in 1..=4294967295

        For more information, try '--help'.
    "#]]
    .assert_eq(&sales(&["--parallelism", "0"]));
}

#[test]
fn a_level_that_is_none() {
    expect![[r#"
        [exit 2]
        [stderr]
        error: invalid value 'loud' for '--log <LEVEL>': a level is one of off, error, warn, info, debug, trace

        For more information, try '--help'.
    "#]]
    .assert_eq(&sales(&["--log", "loud"]));
    let output = command(PIPELINES, &["run", "sales"]).env("PIPELINE_LOG", "loud").output().expect("the binary was built");
    let stderr = String::from_utf8_lossy(&output.stderr);
    expect![[r#"
        error: the environment variable PIPELINE_LOG is `loud`: a level is one of off, error, warn, info, debug, trace
    "#]]
    .assert_eq(&stderr);
    assert_eq!(output.status.code(), Some(2));
}

/// Runs with that `--params` file, and removes the name of its folder from the output.
fn with_file(contents: Option<&str>) -> String {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let file = folder.path().join("params.json");
    if let Some(contents) = contents {
        fs::write(&file, contents).expect("a file can be written");
    }
    let shown = file.to_string_lossy();
    let transcript = sales(&["--log", "off", "--params", &shown]);
    transcript.replace(&*folder.path().to_string_lossy(), "FOLDER")
}

#[test]
fn params_from_a_file() {
    let transcript = with_file(Some(r#"{"days": 2, "region": "eu"}"#));
    assert!(transcript.contains(r#"params {"days":2,"region":"eu","strict":false}"#), "{transcript}");
    assert!(transcript.contains("[exit 0]"), "{transcript}");
}

/// The file is endless, so it must not be read beyond the limit.
#[cfg(unix)]
#[test]
fn a_params_file_without_an_end() {
    let transcript = sales(&["--log", "off", "--params", "/dev/zero"]);
    assert!(transcript.contains("error: --params: /dev/zero has more than 1 MiB"), "{transcript}");
}

#[test]
fn a_params_file_that_is_wrong() {
    expect![[r#"
        [exit 2]
        [stderr]
        error: --params: cannot read `FOLDER/params.json`: No such file or directory (os error 2)
    "#]]
    .assert_eq(&with_file(None));
    expect![[r#"
        [exit 2]
        [stderr]
        error: --params: FOLDER/params.json:3:3: this is not valid JSON: key must be a string
    "#]]
    .assert_eq(&with_file(Some("{\n  \"days\": 2,\n  region: 1\n}")));
    expect![[r#"
        [exit 2]
        [stderr]
        error: --params: FOLDER/params.json: the params must be an object, as in {"region": "eu"}
    "#]]
    .assert_eq(&with_file(Some("[1, 2]")));
    let large = " ".repeat(1 << 20) + "{}";
    expect![[r#"
        [exit 2]
        [stderr]
        error: --params: FOLDER/params.json has more than 1 MiB, which is the limit for a run's params: store large data in a bucket and pass its key
    "#]]
    .assert_eq(&with_file(Some(&large)));
    expect![[r#"
        [exit 2]
        [stderr]
        error: --params FOLDER/params.json: no param `dayz` in pipeline `sales`; it takes `days`, `region`, `strict`
    "#]]
    .assert_eq(&with_file(Some(r#"{"dayz": 2}"#)));
    expect![[r#"
        [exit 2]
        [stderr]
        error: --params FOLDER/params.json: param `days` of pipeline `sales` does not fit: invalid type: string "two", expected u32
    "#]].assert_eq(&with_file(Some(r#"{"days": "two"}"#)));
}

#[test]
fn json_is_an_object_a_line_with_the_result_last() {
    let args = [&["run", "sales", "--json", "--param", "strict=true", "--log", "off"], &DATE[..]].concat();
    let output = command(PIPELINES, &args).output().expect("the binary was built");
    assert_eq!(output.status.code(), Some(1));
    assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8_lossy(&output.stdout);
    let lines = text.lines().map(|line| timeless(serde_json::from_str(line).expect("each line is JSON")).to_string());
    let lines: Vec<String> = lines.collect();
    expect![[r#"
        {"at":"_","data_interval_end":"2024-03-26T05:00:00Z","event":"run_started","logical_date":"2024-03-25T05:00:00Z","nodes":4,"params":{"days":0,"region":"","strict":true},"pipeline":"sales","run_id":"manual__2024-03-25T05:00:00Z"}
        {"at":"_","attempt":1,"event":"node","node":"extract","pipeline":"sales","run_id":"manual__2024-03-25T05:00:00Z","state":"running"}
        {"at":"_","attempt":1,"event":"node","node":"extract","pipeline":"sales","run_id":"manual__2024-03-25T05:00:00Z","state":"success"}
        {"at":"_","attempt":1,"event":"node","node":"load","pipeline":"sales","run_id":"manual__2024-03-25T05:00:00Z","state":"running"}
        {"at":"_","attempt":1,"error":"the warehouse refused the rows: row 7 has no price","event":"node","next_at":"_","node":"load","pipeline":"sales","run_id":"manual__2024-03-25T05:00:00Z","state":"up_for_retry"}
        {"at":"_","attempt":2,"event":"node","node":"load","pipeline":"sales","run_id":"manual__2024-03-25T05:00:00Z","state":"running"}
        {"at":"_","attempt":2,"error":"the warehouse refused the rows: row 7 has no price","event":"node","node":"load","pipeline":"sales","run_id":"manual__2024-03-25T05:00:00Z","state":"failed"}
        {"at":"_","cause":"load","event":"node","node":"publish","pipeline":"sales","run_id":"manual__2024-03-25T05:00:00Z","state":"upstream_failed"}
        {"at":"_","attempt":1,"event":"node","node":"notify","pipeline":"sales","run_id":"manual__2024-03-25T05:00:00Z","state":"running"}
        {"at":"_","attempt":1,"event":"node","node":"notify","pipeline":"sales","run_id":"manual__2024-03-25T05:00:00Z","state":"success"}
        {"at":"_","callback":"on_failure","event":"callback","notifier":"cli_pipelines::page","pipeline":"sales","run_id":"manual__2024-03-25T05:00:00Z","state":"due"}
        {"at":"_","callback":"on_failure","event":"callback","notifier":"cli_pipelines::page","pipeline":"sales","run_id":"manual__2024-03-25T05:00:00Z","state":"told"}
        {"at":"_","callbacks_due":[],"event":"run_finished","nodes":{"extract":{"attempts":1,"seconds":"_","state":"success"},"load":{"attempts":2,"error":"the warehouse refused the rows: row 7 has no price","seconds":"_","state":"failed"},"notify":{"attempts":1,"seconds":"_","state":"success"},"publish":{"attempts":0,"state":"upstream_failed"}},"pipeline":"sales","run_id":"manual__2024-03-25T05:00:00Z","seconds":"_","state":"failed"}"#]].assert_eq(&lines.join("\n"));
}

#[test]
fn many_nodes_are_counted() {
    let transcript = call_scrubbed(&["run", "wide", "--log", "off"]);
    let summary = transcript.lines().rev().take(2).collect::<Vec<_>>().join("\n");
    expect![[r#"
        [exit 0]
        run: success after _, 300 nodes: 300 success"#]]
    .assert_eq(&summary);
}

/// Replaces the values that differ from run to run.
fn timeless(value: Value) -> Value {
    match value {
        Value::Object(fields) => {
            let scrubbed = fields.into_iter().map(|(key, value)| match key.as_str() {
                "at" | "next_at" | "seconds" => (key, Value::from("_")),
                _ => (key, timeless(value)),
            });
            Value::Object(scrubbed.collect())
        }
        other => other,
    }
}

#[test]
fn a_reader_that_goes_away_does_not_end_the_run() {
    let args = [&["run", "sales", "--log", "off"], &DATE[..]].concat();
    let mut child = command(PIPELINES, &args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it was built");
    drop(child.stdout.take());
    let status = child.wait().expect("it ends");
    let mut stderr = String::new();
    child.stderr.take().expect("it is piped").read_to_string(&mut stderr).expect("it is text");
    assert_eq!((status.code(), stderr.as_str()), (Some(0), ""));
}
