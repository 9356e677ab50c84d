//! Log lines of concurrent runs: each names its run.

use crate::process::Folder;

const FIRST: &str = "manual__2024-03-01T00:00:00Z";
const SECOND: &str = "manual__2024-03-02T00:00:00Z";

/// Two concurrent runs of one pipeline.
fn two_runs(folder: &Folder) {
    for date in ["2024-03-01", "2024-03-02"] {
        folder.ok(&["trigger", "busy", "--logical-date", date]);
    }
}

#[test]
fn two_runs_of_one_pipeline_are_told_apart() {
    let folder = Folder::new();
    let mut serve = folder.serve(&[]);
    two_runs(&folder);
    serve.wait_for_line(&format!(" INFO busy/{SECOND}/patient#1: waits for go day=\"2024-03-02\""));
    assert!(serve.has_printed(&format!(" INFO busy/{FIRST}/patient#1: waits for go day=\"2024-03-01\"")));
}

#[test]
fn a_run_that_joins_another_is_named_by_its_run() {
    let folder = Folder::new();
    let mut run = folder.start(&["run", "busy", "--logical-date", "2024-03-01"]);
    run.wait_for_line(" INFO patient#1: waits for go day=\"2024-03-01\"");
    folder.ok(&["trigger", "busy", "--logical-date", "2024-03-02"]);
    run.wait_for_line(&format!(" INFO busy/{SECOND}/patient#1: waits for go day=\"2024-03-02\""));
    run.wait_until_printed("  patient  running");
    run.wait_until_printed(&format!("  busy/{SECOND}/patient  running"));
}

#[test]
fn json_lines_have_the_run() {
    let folder = Folder::new();
    let mut serve = folder.serve(&["--log-format", "json"]);
    two_runs(&folder);
    let line: serde_json::Value = serde_json::from_str(&serve.wait_for_line(SECOND_OF_JSON)).expect("a line is an object");
    assert_eq!(
        (&line["pipeline"], &line["run"], &line["node"], &line["attempt"], &line["message"], &line["fields"]["day"]),
        (&"busy".into(), &SECOND.into(), &"patient".into(), &1.into(), &"waits for go".into(), &"2024-03-02".into())
    );
    let asked: serde_json::Value = serde_json::from_str(&serve.printed_line("answered a command")).expect("the engine's, too");
    assert_eq!((asked["level"].as_str(), asked.get("run")), (Some("INFO"), None));
}

const SECOND_OF_JSON: &str = r#""fields":{"day":"2024-03-02"}"#;

#[test]
fn a_callback_that_fails_says_whose_it_was() {
    let folder = Folder::new();
    let mut serve = folder.serve(&[]);
    folder.ok(&["trigger", "unheard", "--logical-date", "2024-03-01"]);
    // The end of the run is reported at once: the callback may be retried for a day.
    serve.wait_for_line(&format!("run {FIRST} of unheard: success"));
    serve.wait_for_line(&format!(
        " WARN unheard/{FIRST}/quick: a callback failed and will be tried again callback=\"on_success\""
    ));
}
