//! The command line's output on assets, and updates from outside.

#![allow(clippy::needless_raw_string_hashes, reason = "expect-test writes them")]

use expect_test::expect;
use std::path::Path;
use std::process::Command;

fn call(folder: &Path, args: &[&str]) -> (i32, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_assets-pipelines"));
    command
        .args(args)
        .current_dir(folder)
        .env("PIPELINE_LOG", "off")
        .env_remove("PIPELINE_JOURNAL")
        .env("PIPELINE_DASHBOARD", "off");
    let output = command.output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).lines().map(str::trim_end).collect::<Vec<_>>().join("\n");
    (output.status.code().unwrap_or(-1), [text(&output.stdout), text(&output.stderr)].join("\n").trim().to_owned())
}

fn ok(folder: &Path, args: &[&str]) -> String {
    let (code, said) = call(folder, args);
    assert_eq!(code, 0, "{args:?}: {said}");
    said
}

/// Replaces times of today by a word.
fn scrubbed(text: &str) -> String {
    let is_time = |word: &str| word.len() >= 20 && word.ends_with('Z') && word.starts_with("20") && !word.starts_with("2024-01");
    let word = |word: &str| if is_time(word) { "NOW".to_owned() } else { word.to_owned() };
    text.lines().map(|line| line.split_whitespace().map(word).collect::<Vec<_>>().join(" ")).collect::<Vec<_>>().join("\n")
}

#[test]
fn the_command_line_says_what_waits_for_what() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    expect![[r#"
        pipeline schedule next run tags description
        visits_export @daily (UTC) none: its `end` is past Exports two days, one after the other.
        visits_model when all(visits) as it is updated Builds what was exported.
        both when all(visits, processes) as it is updated Joins both.
        report none none Reads the current value.
        other none none"#]]
    .assert_eq(&scrubbed(&ok(folder, &["list"])));
    expect![[r#"
        asset last update by updated by waited for by read by
        processes none from outside both both
        visits none visits_export visits_model, both visits_model, both, report"#]]
    .assert_eq(&scrubbed(&ok(folder, &["assets"])));
    expect![[r#"
        ---
        title: "both"
        ---
        flowchart TD
            n0["visits"]
            n1["processes"]
            n2["join"]
            n0 --> n2
            n1 --> n2
            a0[("visits (when all)")]
            a1[("processes (when all)")]
            a0 -.-> n0
            a1 -.-> n1"#]]
    .assert_eq(&ok(folder, &["graph", "both", "--format", "mermaid"]));
    expect![[r#"
        pipeline  visits_export
                  Exports two days, one after the other.
        schedule  @daily, at 00:00 (UTC)
        updates   visits, by export

          [export]

        node    kind  inputs                    options  wired at
        export  task  day: template "{{ ds }}"           tests/assets/pipelines.rs:31"#]]
    .assert_eq(&ok(folder, &["graph", "visits_export"]));
    expect![[r#"
        visits_export: 1 node, at 00:00 (UTC)
        visits_model: 2 nodes, when all(visits)
        both: 3 nodes, when all(visits, processes)
        report: 2 nodes, no schedule
        other: 1 node, no schedule"#]]
    .assert_eq(ok(folder, &["check"]).split("\ntime zones").next().unwrap());
}

#[test]
fn an_update_from_outside_is_kept_where_nobody_serves_and_a_run_by_hand_reads_it() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let missing = call(folder, &["assets", "update", "processes", "--value", "7"]);
    assert!(missing.0 == 2 && missing.1.contains("there is no journal"), "{missing:?}");
    ok(folder, &["run", "visits_export", "--logical-date", "2024-01-01"]);
    assert_eq!(ok(folder, &["assets", "update", "processes", "--value", "7"]), "the asset processes is updated");
    for (value, why) in [("\"many\"", "the value is not of type `u64`"), ("many", "the value is not valid JSON: expected value")]
    {
        let refused = call(folder, &["assets", "update", "processes", "--value", value]);
        assert!(refused.0 == 2 && refused.1.contains(why), "{refused:?}");
    }
    ok(folder, &["run", "both"]);
    let runs = ok(folder, &["runs", "--pipeline", "both", "--json"]);
    let run: serde_json::Value = serde_json::from_str(&runs).unwrap();
    let shown = ok(folder, &["show", run["run_id"].as_str().unwrap()]);
    assert!(
        shown.contains("reads the update of visits at 20")
            && shown.contains(": export of visits_export/manual__2024-01-01T00:00:00Z"),
        "{shown}"
    );
    assert!(shown.contains("reads the update of processes at 20") && shown.contains(": from outside"), "{shown}");
    assert!(ok(folder, &["acts"]).contains("assets update processes"));
    let assets = ok(folder, &["assets", "--json"]);
    let assets: Vec<serde_json::Value> = assets.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(assets[1]["by"]["run_id"], "manual__2024-01-01T00:00:00Z");
    assert_eq!((&assets[0]["by"], &assets[0]["external"]), (&serde_json::Value::Null, &true.into()));
}

#[test]
fn a_process_that_serves_hears_of_an_update_from_outside() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let mut serve = Command::new(env!("CARGO_BIN_EXE_assets-pipelines"));
    serve
        .arg("serve")
        .current_dir(folder)
        .env("PIPELINE_LOG", "off")
        .env_remove("PIPELINE_JOURNAL")
        .env("PIPELINE_DASHBOARD", "off");
    let mut serve = serve.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped()).spawn().unwrap();
    let mut lines = std::io::BufRead::lines(std::io::BufReader::new(serve.stdout.take().unwrap()));
    let mut hears = |part: &str| lines.by_ref().map(Result::unwrap).find(|line| line.contains(part)).unwrap();
    assert_eq!(hears("serving both"), "serving both: runs when all(visits, processes) is updated");
    hears("of visits_model: success");
    assert_eq!(ok(folder, &["assets", "update", "processes", "--value", "7"]), "the asset processes is updated");
    hears("of both: success");
    let run: serde_json::Value = serde_json::from_str(&ok(folder, &["runs", "--pipeline", "both", "--json"])).unwrap();
    assert_eq!(run["kind"], "asset_triggered");
    let shown = ok(folder, &["show", &format!("both/{}", run["run_id"].as_str().unwrap())]);
    assert!(shown.contains("started by the update of processes at 20"), "{shown}");
    assert!(ok(folder, &["pause", "both"]).starts_with("the `when` of both is paused"));
    serve.kill().unwrap();
    serve.wait().unwrap();
}
