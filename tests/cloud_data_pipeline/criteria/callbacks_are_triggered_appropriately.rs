use crate::figures::figure;
use crate::support::{Arrive, callback_times, task_1, task_2, task_3};
use pipeline_examples::cloud_data_pipeline::mock_s3::{CRITICAL_DATA, DAILY_EXPORT};
use pipeline_runtime::{RunReport, Simulation};
use std::sync::{Arc, LazyLock, Mutex};
use tracing::Dispatch;

#[test]
fn a_run_that_fails_pages_on_call_once() {
    figure!(format!("task 1: {}; task 2: {}", callback_times(&task_1().run()), callback_times(&task_2().run())));
}

#[test]
fn a_run_that_succeeds_pages_nobody() {
    assert_eq!(callback_times(&task_1().file("7m", DAILY_EXPORT).fail("process", 1, "503").run()), "");
}

#[test]
fn the_last_task_tells_of_success() {
    let report = task_1().file("0s", DAILY_EXPORT).run();
    expect_test::expect!["processed 1 record(s); the export is at data-bucket/archive/daily_export_20240325.json"]
        .assert_eq(&report.output::<String>("notify").unwrap());
}

#[test]
fn the_last_task_tells_of_failure_and_names_its_root() {
    let report = task_1().run();
    expect_test::expect!["`daily_export` failed at attempt 1: timed out: not ready within 10m (15 pokes); it last looked for data-bucket/raw/daily_export_20240325.json and data-bucket/archive/daily_export_20240325.json"]
        .assert_eq(&report.output::<String>("notify").unwrap());
    let report = task_1().file("0s", DAILY_EXPORT).fail("archive", 1, "503").fail("archive", 2, "507 Insufficient Storage").run();
    expect_test::expect!["`archive` failed at attempt 2: 507 Insufficient Storage"]
        .assert_eq(&report.output::<String>("notify").unwrap());
}

#[test]
fn a_failure_of_task_3_is_told_after_its_retries_and_its_ladder() {
    figure!(callback_times(&task_3().outage("memory://enterprise-bucket", "50m", "3h").run()));
}

/// A simulation's log.
#[derive(Clone, Default)]
struct Logged(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Logged {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

fn run_logged(simulation: Simulation<'_>) -> (RunReport, String) {
    // While there is only one subscriber, `tracing` decides on the thread that first reaches a log line whether the line is
    // enabled; that thread may run another test.
    static SECOND: LazyLock<Dispatch> = LazyLock::new(|| Dispatch::new(tracing_subscriber::registry()));
    LazyLock::force(&SECOND);
    let logged = Logged::default();
    let writer = logged.clone();
    let subscriber = tracing_subscriber::fmt().without_time().with_ansi(false).with_writer(move || writer.clone()).finish();
    let report = tracing::subscriber::with_default(subscriber, || simulation.run());
    let text = String::from_utf8(logged.0.lock().unwrap().clone()).unwrap();
    (report, text)
}

/// The log lines of the example's callbacks and tasks.
fn of_example(log: &str) -> String {
    let ours = log.lines().filter(|line| line.contains("pipeline_examples::") || line.contains("pipeline_runtime::alerts"));
    ours.flat_map(|line| [line.trim_start(), "\n"]).collect()
}

#[test]
fn a_failure_of_task_3_is_logged_with_all_that_is_known() {
    let (report, log) = run_logged(task_3().outage("memory://enterprise-bucket", "80m", "3h"));
    expect_test::expect![[r#"
        WARN pipeline_examples::cloud_data_pipeline::pipelines::advanced: SLA MISS escalation_level="ON_CALL" pipeline="advanced_cloud_sensors" run="simulated__2024-03-25T00:00:00Z" state="running" elapsed="45m"
        WARN pipeline_examples::cloud_data_pipeline::pipelines::advanced: SLA MISS escalation_level="TEAM_LEAD" pipeline="advanced_cloud_sensors" run="simulated__2024-03-25T00:00:00Z" state="running" elapsed="1h"
        WARN pipeline_examples::cloud_data_pipeline::pipelines::advanced: SLA MISS escalation_level="MANAGEMENT" pipeline="advanced_cloud_sensors" run="simulated__2024-03-25T00:00:00Z" state="running" elapsed="1h 15m"
        WARN pipeline_runtime::alerts: an attempt of enterprise_critical_sensor of advanced_cloud_sensors failed and will be retried event="on_retry" pipeline="advanced_cloud_sensors" run_id="simulated__2024-03-25T00:00:00Z" logical_date=2024-03-25T00:00:00Z node="enterprise_critical_sensor" state="up_for_retry" attempt=1 attempts=4 pokes=20 elapsed=1h 22m 30s budget_left=7m 30s inputs=key=critical/critical_data_20240325.json error=could not look for `critical/critical_data_20240325.json` in `memory://enterprise-bucket`: the store could not be reached (a simulated outage)
        WARN pipeline_runtime::alerts: an attempt of enterprise_critical_sensor of advanced_cloud_sensors failed and will be retried event="on_retry" pipeline="advanced_cloud_sensors" run_id="simulated__2024-03-25T00:00:00Z" logical_date=2024-03-25T00:00:00Z node="enterprise_critical_sensor" state="up_for_retry" attempt=2 attempts=4 pokes=21 elapsed=1h 23m budget_left=7m inputs=key=critical/critical_data_20240325.json error=could not look for `critical/critical_data_20240325.json` in `memory://enterprise-bucket`: the store could not be reached (a simulated outage)
        WARN pipeline_runtime::alerts: an attempt of enterprise_critical_sensor of advanced_cloud_sensors failed and will be retried event="on_retry" pipeline="advanced_cloud_sensors" run_id="simulated__2024-03-25T00:00:00Z" logical_date=2024-03-25T00:00:00Z node="enterprise_critical_sensor" state="up_for_retry" attempt=3 attempts=4 pokes=22 elapsed=1h 23m 30s budget_left=6m 30s inputs=key=critical/critical_data_20240325.json error=could not look for `critical/critical_data_20240325.json` in `memory://enterprise-bucket`: the store could not be reached (a simulated outage)
        WARN pipeline_examples::cloud_data_pipeline::pipelines::advanced: no performance to analyze: `enterprise_critical_sensor` failed error="could not look for `critical/critical_data_20240325.json` in `memory://enterprise-bucket`: the store could not be reached (a simulated outage)"
        ERROR pipeline_examples::cloud_data_pipeline::pipelines::advanced: ADVANCED FAILURE severity="HIGH" pipeline="advanced_cloud_sensors" run="simulated__2024-03-25T00:00:00Z" node="enterprise_critical_sensor" key="critical/critical_data_20240325.json" attempt=4 attempts=4 pokes=23 elapsed="1h 24m" budget_left="6m" error="could not look for `critical/critical_data_20240325.json` in `memory://enterprise-bucket`: the store could not be reached (a simulated outage)"
    "#]].assert_eq(&of_example(&log));
    let failure = log.lines().find(|line| line.contains("ADVANCED FAILURE")).unwrap();
    let fields = ["node", "key", "attempt", "attempts", "pokes", "elapsed", "budget_left", "error"];
    let known = fields.into_iter().filter(|field| failure.contains(&format!(" {field}=")));
    figure!(format!(
        "ADVANCED FAILURE at {} s with {}",
        report.finished().unwrap().as_secs(),
        known.collect::<Vec<_>>().join(", ")
    ));
}

#[test]
fn a_success_of_task_3_is_logged_with_what_it_took() {
    let (_, log) = run_logged(task_3().file("12m", CRITICAL_DATA));
    expect_test::expect![[r#"
        INFO pipeline_examples::cloud_data_pipeline::pipelines::advanced: sensor performance: 6 poke(s), 0ns on average, 100.0% without an error
        INFO pipeline_examples::cloud_data_pipeline::pipelines::advanced: ADVANCED SUCCESS pipeline="advanced_cloud_sensors" run="simulated__2024-03-25T00:00:00Z" node="enterprise_critical_sensor" pokes=6 attempt=1 elapsed="12m 30s" budget_left="1h 17m 30s"
    "#]].assert_eq(&of_example(&log));
}
