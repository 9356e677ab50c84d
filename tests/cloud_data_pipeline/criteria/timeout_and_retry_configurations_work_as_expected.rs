use crate::figures::figure;
use crate::support::{Arrive, in_seconds, seconds, task_1, task_2, task_3, waits};
use pipeline_examples::cloud_data_pipeline::mock_s3::{CONFIG, CRITICAL_DATA, CUSTOMERS, DAILY_EXPORT, TRANSACTIONS, VALIDATION};
use pipeline_examples::cloud_data_pipeline::pipelines::Options;
use pipeline_examples::cloud_data_pipeline::pipelines::multi_bucket::{
    config_file, customers_file, transactions_file, validation_log,
};
use pipeline_runtime::prelude::*;
use pipeline_runtime::{NodeState, RunState, Simulation};

/// 0, 45, 90, … and the last chance at the deadline.
fn every_45_seconds(from: u32, until: u32) -> Vec<f64> {
    let regular = (from..until).step_by(45).map(f64::from);
    regular.chain([f64::from(until)]).collect()
}

#[test]
fn the_export_is_poked_every_45_seconds_and_given_up_after_exactly_10_minutes() {
    let report = task_1().run();
    let export = report.node("daily_export");
    assert_eq!(in_seconds(export.poke_times()), every_45_seconds(0, 600));
    assert_eq!((export.state(), export.finished()), (NodeState::Failed, Some(seconds(600))));
    assert_eq!(export.attempts(), 1, "a timeout is not retried");
    assert_eq!(report.state(), RunState::Failed);
    expect_test::expect!["timed out: not ready within 10m (15 pokes); it last looked for data-bucket/raw/daily_export_20240325.json and data-bucket/archive/daily_export_20240325.json"].assert_eq(export.error().unwrap());
    figure!(format!(
        "{} pokes, {} s apart; failed at {} s",
        export.pokes(),
        waits(export.poke_times()),
        export.finished().unwrap().as_secs()
    ));
}

#[test]
fn a_file_in_the_last_second_is_found_by_the_poke_at_the_deadline() {
    let report = task_1().file("9m59s", DAILY_EXPORT).run();
    assert_eq!(report.state(), RunState::Success, "{}", report.timeline());
    assert_eq!(report.node("daily_export").finished(), Some(seconds(600)));
}

#[test]
fn an_error_is_retried_twice_with_2_minutes_in_between() {
    let report = task_1().outage("memory://data-bucket", "0s", "1h").file("0s", DAILY_EXPORT).run();
    let export = report.node("daily_export");
    assert_eq!(in_seconds(export.poke_times()), [0.0, 120.0, 240.0]);
    assert_eq!((export.state(), export.attempts()), (NodeState::Failed, 3));
    assert_eq!(export.finished(), Some(seconds(240)));
    figure!(format!("{} attempts, {} s apart", export.attempts(), waits(export.poke_times())));
}

#[test]
fn an_error_that_passes_leads_to_success() {
    let report = task_1().outage("memory://data-bucket", "0s", "3m").file("0s", DAILY_EXPORT).run();
    assert_eq!(report.state(), RunState::Success, "{}", report.timeline());
    assert_eq!(in_seconds(report.node("daily_export").poke_times()), [0.0, 120.0, 240.0]);
}

#[test]
fn waiting_is_no_error_and_uses_up_no_retry() {
    let report = task_1().file("9m", DAILY_EXPORT).run();
    assert_eq!((report.node("daily_export").attempts(), report.node("daily_export").pokes()), (1, 13));
}

#[test]
fn all_attempts_share_one_budget_of_10_minutes() {
    let report = task_1().outage("memory://data-bucket", "0s", "3m").run();
    let export = report.node("daily_export");
    let expected = [vec![0.0, 120.0], every_45_seconds(240, 600)].concat();
    assert_eq!(in_seconds(export.poke_times()), expected);
    assert_eq!((export.state(), export.attempts()), (NodeState::Failed, 3));
}

#[test]
fn processing_is_retried_once_after_5_minutes() {
    let report = task_1().file("0s", DAILY_EXPORT).fail("process", 1, "503 Slow Down").run();
    assert_eq!(report.state(), RunState::Success, "{}", report.timeline());
    assert_eq!((report.node("process").attempts(), report.node("process").finished()), (2, Some(seconds(300))));
}

#[test]
fn the_four_files_of_task_2_have_four_timeouts() {
    let report = task_2().run();
    for (id, minutes) in [("config_file", 5), ("transactions_file", 15), ("customers_file", 20), ("validation_log", 25)] {
        let node = report.node(id);
        assert_eq!((node.state(), node.finished()), (NodeState::Failed, Some(seconds(minutes * 60))), "{id}");
    }
    assert_eq!(report.finished(), Some(seconds(25 * 60)));
    let ended = |id: &str| format!("{id} {} s", report.node(id).finished().unwrap().as_secs());
    let timeouts = ["transactions_file", "customers_file", "config_file", "validation_log"].map(ended);
    figure!(timeouts.join(", "));
}

#[test]
fn each_file_of_task_2_may_come_as_late_as_its_timeout() {
    let report =
        task_2().file("299s", CONFIG).file("899s", TRANSACTIONS).file("1199s", CUSTOMERS).file("1499s", VALIDATION).run();
    assert_eq!(report.state(), RunState::Success, "{}", report.timeline());
}

static ONE_SLOT: Pool = Pool::new("one_slot", 1);

/// The four sensors of task 2 in a pool with a single slot.
#[pipeline]
fn four_sensors_in_one_slot(options: Options) -> Result<()> {
    let bucket = |name: &str| Bucket::open(&format!("{}/{name}", options.store));
    transactions_file(bucket("data-bucket")?, template!("raw/transactions_{{ ds_nodash }}.csv")).pool(&ONE_SLOT);
    customers_file(bucket("data-bucket")?, template!("raw/customers_{{ ds_nodash }}.json")).pool(&ONE_SLOT);
    config_file(bucket("config-bucket")?, template!("daily/processing_config_{{ ds_nodash }}.yaml")).pool(&ONE_SLOT);
    validation_log(bucket("logs-bucket")?, template!("validation/data_quality_{{ ds_nodash }}.log")).pool(&ONE_SLOT);
    Ok(())
}

#[test]
fn a_sensor_in_reschedule_mode_holds_no_slot_while_it_waits() {
    let report = Simulation::new(four_sensors_in_one_slot())
        .params(Options { store: "memory://".into() })
        .logical_date("2024-03-25")
        .file("10s", CONFIG)
        .file("40s", TRANSACTIONS)
        .file("100s", CUSTOMERS)
        .file("220s", VALIDATION)
        .run();
    assert_eq!(report.state(), RunState::Success, "{}", report.timeline());
    // As soon as with a slot for each sensor.
    assert_eq!(report.finished(), Some(seconds(225)));
    figure!(format!("4 sensors in a pool of 1 slot: all found by {} s", report.finished().unwrap().as_secs()));
}

#[test]
fn the_critical_data_is_waited_for_with_exponential_backoff() {
    let report = task_3().run();
    let sensor = report.node("enterprise_critical_sensor");
    let expected = [0, 30, 90, 210].into_iter().chain((450..5400).step_by(300)).chain([5400]);
    assert_eq!(in_seconds(sensor.poke_times()), expected.map(f64::from).collect::<Vec<_>>());
    assert_eq!((sensor.state(), sensor.attempts(), sensor.finished()), (NodeState::Failed, 1, Some(seconds(5400))));
    figure!(format!("waits of {}, … s", waits(&sensor.poke_times()[..7])));
}

#[test]
fn an_error_of_the_store_is_retried_within_the_same_budget() {
    let report = task_3().outage("memory://enterprise-bucket", "0s", "45s").file("40m", CRITICAL_DATA).run();
    assert_eq!(report.state(), RunState::Success, "{}", report.timeline());
    let sensor = report.node("enterprise_critical_sensor");
    assert_eq!(sensor.attempts(), 3);
    figure!(format!("down until 45 s: {} attempts, pokes {}, … s apart", sensor.attempts(), waits(&sensor.poke_times()[..5])));
}
