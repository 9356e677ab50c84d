//! `run --metrics FILE`

use crate::command::{PIPELINES, call, command, scrub, transcript};
use crate::interrupt::interrupt;
use expect_test::expect;
use std::fs;
use std::path::Path;
use std::process::Command;

const SALES: [&str; 7] = ["run", "sales", "--logical-date", "2024-03-25", "--param", "days=3", "--metrics"];

/// Returns the call, and the path of the file that it writes.
pub(crate) fn metered(args: &[&str], file: &str) -> (Command, std::path::PathBuf) {
    let command = command(PIPELINES, &[args, &[file]].concat());
    let path = command.get_current_dir().expect("it has a folder of its own").join(file);
    (command, path)
}

/// Removes what differs between real runs: times, and the range that a poke fell into.
fn without_times(text: &str) -> String {
    let is_time = |line: &str| line.contains("_seconds{") || line.contains("_seconds_total{") || line.contains("_seconds_sum{");
    let line = |line: &str| match line.rsplit_once(' ') {
        Some((name, _)) if !line.starts_with('#') && is_time(line) => format!("{name} _\n"),
        _ => format!("{line}\n"),
    };
    text.lines().map(line).collect()
}

#[test]
fn a_run_is_shown_as_tables_and_written_for_prometheus() {
    let (mut command, path) = metered(&SALES, "sales.prom");
    let text = scrub(&transcript(&command.args(["--log", "off"]).output().expect("it was built")));
    let tables = text.split_once("failure)\n").expect("the timeline comes first").1;
    let columns: Vec<String> = tables.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
    expect![[r#"

        sales: success after _
        task state attempts errors queued ran
        extract success 1 0 _ _
        load success 1 0 _ _
        publish success 1 0 _ _
        notify success 1 0 _ _
        [exit 0]"#]]
    .assert_eq(&columns.join("\n"));
    expect![[r##"
        # HELP pipeline_run_state 1 for the state that the run is in.
        # TYPE pipeline_run_state gauge
        pipeline_run_state{pipeline="sales",state="success"} 1
        # HELP pipeline_run_duration_seconds From the run's start to its end, or to the last thing that happened.
        # TYPE pipeline_run_duration_seconds gauge
        pipeline_run_duration_seconds{pipeline="sales"} _
        # HELP pipeline_node_states How many of the node's elements are in which state.
        # TYPE pipeline_node_states gauge
        pipeline_node_states{pipeline="sales",node="extract",state="success"} 1
        pipeline_node_states{pipeline="sales",node="load",state="success"} 1
        pipeline_node_states{pipeline="sales",node="publish",state="success"} 1
        pipeline_node_states{pipeline="sales",node="notify",state="success"} 1
        # HELP pipeline_node_attempts_total Attempts that began.
        # TYPE pipeline_node_attempts_total counter
        pipeline_node_attempts_total{pipeline="sales",node="extract"} 1
        pipeline_node_attempts_total{pipeline="sales",node="load"} 1
        pipeline_node_attempts_total{pipeline="sales",node="publish"} 1
        pipeline_node_attempts_total{pipeline="sales",node="notify"} 1
        # HELP pipeline_node_errors_total Attempts and pokes that ended in an error.
        # TYPE pipeline_node_errors_total counter
        pipeline_node_errors_total{pipeline="sales",node="extract"} 0
        pipeline_node_errors_total{pipeline="sales",node="load"} 0
        pipeline_node_errors_total{pipeline="sales",node="publish"} 0
        pipeline_node_errors_total{pipeline="sales",node="notify"} 0
        # HELP pipeline_node_queue_seconds_total From when it could start until it did.
        # TYPE pipeline_node_queue_seconds_total counter
        pipeline_node_queue_seconds_total{pipeline="sales",node="extract"} _
        pipeline_node_queue_seconds_total{pipeline="sales",node="load"} _
        pipeline_node_queue_seconds_total{pipeline="sales",node="publish"} _
        pipeline_node_queue_seconds_total{pipeline="sales",node="notify"} _
        # HELP pipeline_node_run_seconds_total How long its body ran.
        # TYPE pipeline_node_run_seconds_total counter
        pipeline_node_run_seconds_total{pipeline="sales",node="extract"} _
        pipeline_node_run_seconds_total{pipeline="sales",node="load"} _
        pipeline_node_run_seconds_total{pipeline="sales",node="publish"} _
        pipeline_node_run_seconds_total{pipeline="sales",node="notify"} _
        # HELP pipeline_sensor_pokes_total Pokes that began.
        # TYPE pipeline_sensor_pokes_total counter
        # HELP pipeline_sensor_wait_seconds_total From the first poke until the sensor ended.
        # TYPE pipeline_sensor_wait_seconds_total counter
        # HELP pipeline_sensor_timeouts_total Waits that outlasted the timeout.
        # TYPE pipeline_sensor_timeouts_total counter
        # HELP pipeline_sensor_detection_seconds From an object's arrival to the end of the poke that found it.
        # TYPE pipeline_sensor_detection_seconds gauge
        # HELP pipeline_sensor_poke_duration_seconds How long pokes took.
        # TYPE pipeline_sensor_poke_duration_seconds histogram
    "##]]
    .assert_eq(&without_times(&fs::read_to_string(&path).expect("it was written")));
    let names = |folder: &Path| -> Vec<_> {
        fs::read_dir(folder).expect("it is there").map(|entry| entry.expect("an entry").file_name()).collect()
    };
    let beside: Vec<_> = names(path.parent().expect("a folder")).into_iter().filter(|name| name != ".pipeline").collect();
    assert_eq!(beside, ["sales.prom"], "nothing unfinished is left");
}

#[test]
fn a_file_is_replaced_whatever_is_called_like_it_and_is_anybodys_to_read() {
    let (mut command, path) = metered(&SALES, "sales.prom");
    // This could be left by another process that writes the same file.
    fs::create_dir(path.with_extension("prom.tmp")).expect("the folder is ours");
    fs::write(&path, "old").expect("the folder is ours");
    let output = command.output().expect("it was built");
    assert!(!String::from_utf8_lossy(&output.stderr).contains("could not be written"), "{}", transcript(&output));
    assert!(fs::read_to_string(&path).expect("it was written").starts_with("# HELP pipeline_run_state"));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let plain = path.with_extension("plain");
        fs::write(&plain, "").expect("the folder is ours");
        let mode = |path: &Path| fs::metadata(path).expect("it is there").permissions().mode();
        assert_eq!(mode(&path), mode(&plain));
    }
}

#[test]
fn a_run_that_fails_is_measured_too_and_json_by_its_name() {
    let (mut command, path) = metered(&SALES, "sales.json");
    let output = command.args(["--param", "strict=true", "--log", "off", "--json"]).output().expect("it was built");
    assert_eq!(output.status.code(), Some(1));
    let stdout = String::from_utf8_lossy(&output.stdout);
    assert!(stdout.lines().all(|line| line.starts_with('{')), "stdout is for programs: {stdout}");
    let metrics: serde_json::Value =
        serde_json::from_str(&fs::read_to_string(path).expect("it was written")).expect("it is JSON");
    assert_eq!(metrics["state"], "failed");
    let load = metrics["tasks"].as_array().expect("a list").iter().find(|task| task["node"] == "load").expect("it is there");
    assert_eq!((&load["attempts"], &load["errors"]), (&2.into(), &2.into()));
}

#[test]
fn an_interrupted_run_is_measured_as_far_as_it_came() {
    let (command, path) = metered(&["run", "waiting", "--logical-date", "2024-03-25", "--metrics"], "waiting.prom");
    let (code, _) = interrupt(command, "export  up_for_reschedule", "-INT");
    assert_eq!(code, Some(130));
    let text = fs::read_to_string(path).expect("it was written");
    for line in [
        r#"pipeline_run_state{pipeline="waiting",state="running"} 1"#,
        r#"pipeline_node_states{pipeline="waiting",node="export",state="up_for_reschedule"} 1"#,
        r#"pipeline_sensor_pokes_total{pipeline="waiting",node="export"} 1"#,
        r#"pipeline_sensor_poke_duration_seconds_count{pipeline="waiting",node="export"} 1"#,
    ] {
        assert!(text.lines().any(|found| found == line), "{line}\n{text}");
    }
}

#[test]
fn a_file_that_cannot_be_written_is_refused_before_anything_runs() {
    expect![[r#"
        [exit 2]
        [stderr]
        error: --metrics: there is no folder `no/such`; create it, or name a file in another folder
    "#]]
    .assert_eq(&call(&["run", "sales", "--metrics", "no/such/sales.prom"]));
    expect![[r#"
        [exit 2]
        [stderr]
        error: --metrics: `/` is not a file; name one, as in `--metrics run.prom`
    "#]]
    .assert_eq(&call(&["run", "sales", "--metrics", "/"]));
}
