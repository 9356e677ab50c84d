//! Settings: which are set, for which runs, and which are refused.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed; clippy knows only functions with `#[test]`")]

use crate::command::{PARAMS, command, transcript};
use expect_test::expect;
use std::io::BufRead;
use std::path::Path;
use std::process::Stdio;

fn call(folder: &Path, args: &[&str]) -> String {
    transcript(&command(PARAMS, args).current_dir(folder).output().unwrap())
}

/// Replaces times of today by a word.
fn scrubbed(text: &str) -> String {
    let is_time = |word: &str| word.len() >= 20 && word.ends_with('Z') && word.starts_with("20");
    let word = |word: &str| if is_time(word) { "NOW".to_owned() } else { word.to_owned() };
    text.lines().map(|line| line.split_whitespace().map(word).collect::<Vec<_>>().join(" ")).collect::<Vec<_>>().join("\n")
}

#[test]
fn a_run_keeps_the_settings_that_it_began_with() {
    let folder = tempfile::tempdir().unwrap();
    let call = |args: &[&str]| call(folder.path(), args);
    expect![[r#"
        setting value default set at taken by
        folder "raw/new" "raw/new" default limited
        limit 500 500 default limited
        [exit 0]"#]]
    .assert_eq(&scrubbed(&call(&["settings"])));
    // There is no journal yet, so nothing can be set.
    assert!(call(&["settings", "set", "limit=200"]).contains("there is no journal"));
    let first = ["run", "limited", "--logical-date", "2024-03-25"];
    call(&first);
    assert_eq!(
        call(&["settings", "set", "limit=200"]).trim(),
        "the setting limit is 200, for runs that begin from now on\n[exit 0]"
    );
    // This is a string, though it could be parsed as JSON.
    call(&["settings", "set", "folder=7"]);
    call(&["run", "limited", "--logical-date", "2024-03-26"]);
    expect![[r#"
        setting value default set at taken by
        folder "7" "raw/new" NOW limited
        limit 200 500 NOW limited
        [exit 0]"#]]
    .assert_eq(&scrubbed(&call(&["settings"])));
    // Each run keeps its own settings, also when it is retried.
    for (date, value) in [("2024-03-25", "500 rows of raw/new"), ("2024-03-26", "200 rows of 7")] {
        let run = format!("manual__{date}T00:00:00Z");
        call(&["retry", &run]);
        let logs = call(&["logs", &run]);
        assert_eq!(logs.matches(value).count(), 2, "{logs}");
    }
    let shown = call(&["show", "manual__2024-03-26T00:00:00Z"]);
    assert!(shown.contains("with the setting folder = \"7\"\nwith the setting limit = 200"), "{shown}");
    assert!(call(&["settings", "unset", "limit"]).contains("the setting limit has its default again, 500, for runs that begin"));
    let listed = call(&["settings", "--json"]);
    let rows: Vec<serde_json::Value> =
        listed.lines().filter(|line| line.starts_with('{')).map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!((&rows[1]["value"], &rows[1]["set_at"]), (&500.into(), &serde_json::Value::Null));
    assert_eq!((&rows[0]["value"], &rows[0]["type"]), (&"7".into(), &"alloc::string::String".into()));
    let acts = call(&["acts"]);
    assert!(acts.contains("settings set limit=200") && acts.contains("settings unset limit"), "{acts}");
}

#[test]
fn what_is_no_setting_and_no_value_of_its_type_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let call = |args: &[&str]| call(folder.path(), args);
    call(&["run", "limited"]);
    for (args, why) in [
        (["settings", "set", "limits=2"], "the pipelines have no setting `limits`; did you mean `limit`?"),
        (["settings", "unset", "folders"], "the pipelines have no setting `folders`; did you mean `folder`?"),
        (
            ["settings", "set", "limit=many"],
            "the setting `limit`: \"many\" is not a `u64`: invalid type: string \"many\", expected u64",
        ),
        (["settings", "set", "limit=-1"], "the setting `limit`: -1 is not a `u64`: invalid value: integer `-1`, expected u64"),
        (["settings", "set", "limit"], "write KEY=VALUE"),
    ] {
        let refused = call(&args);
        assert!(refused.contains(why) && refused.contains("[exit 2]"), "{args:?}: {refused}");
    }
    let large = format!("folder={}", "x".repeat(64 << 10));
    assert!(call(&["settings", "set", &large]).contains("it has more than 64 KiB as JSON, which is the limit"));
    assert!(!call(&["acts"]).contains("settings"), "what is refused changes nothing");
    let simulated = call(&["simulate", "limited", "--setting", "limit=200", "--setting", "limits=1"]);
    assert!(simulated.contains("--setting: the setting `limits`: the pipelines have no setting `limits`"), "{simulated}");
    let simulated = call(&["simulate", "limited", "--setting", &large]);
    assert!(
        simulated.contains("--setting: the setting `folder`: it has more than 64 KiB as JSON, which is the limit"),
        "{simulated}"
    );
}

#[test]
fn a_process_that_serves_sets_it() {
    let folder = tempfile::tempdir().unwrap();
    call(folder.path(), &["run", "limited"]);
    let mut serve = command(PARAMS, &["serve"]);
    let mut serve =
        serve.current_dir(folder.path()).env("PIPELINE_LOG", "off").stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut lines = std::io::BufReader::new(serve.stdout.take().unwrap()).lines();
    assert!(lines.any(|line| line.unwrap().starts_with("serving limited")));
    let said = call(folder.path(), &["settings", "set", "limit=200"]);
    assert_eq!(said.trim(), "the setting limit is 200, for runs that begin from now on\n[exit 0]");
    assert!(call(folder.path(), &["settings", "set", "limit=many"]).contains("\"many\" is not a `u64`"));
    call(folder.path(), &["trigger", "limited", "--logical-date", "2024-03-25"]);
    assert!(lines.any(|line| line.unwrap().contains("of limited: failed")));
    let shown = call(folder.path(), &["show", "manual__2024-03-25T00:00:00Z"]);
    assert!(shown.contains("with the setting limit = 200"), "{shown}");
    serve.kill().unwrap();
    serve.wait().unwrap();
}
