//! How a task ends, and what it reports to Airflow.

use super::supervisor::Airflow;
use serde_json::{Value, json};

#[test]
fn an_attempt_that_failed_is_tried_again_where_airflow_has_a_try_left() {
    let of = |number, max| Airflow::new("retries").try_of(number, max).run("third_time");
    let first = of(1, 2);
    let last = first.last.clone().unwrap();
    assert_eq!(
        (first.state(), &last["retry_delay_seconds"], &last["retry_reason"]),
        ("up_for_retry", &json!(1.0), &json!("attempt 1"))
    );
    assert_eq!(of(2, 2).last.unwrap()["retry_reason"], "attempt 2");
    assert_eq!(of(3, 2).output(), Some(&json!(3)));
    // A task that was cleared after three tries counts from 1 again.
    assert_eq!(of(4, 5).last.unwrap()["retry_reason"], "attempt 1");
    assert_eq!(of(6, 5).output(), Some(&json!(3)));
    // Airflow grants every retry that a task asks for; the task itself has to heed `should_retry`.
    let mut airflow = Airflow::new("retries").try_of(1, 2);
    airflow.startup["ti_context"]["should_retry"] = json!(false);
    assert_eq!(airflow.run("third_time").state(), "failed");
}

#[test]
fn a_failure_says_what_those_behind_it_are_to_know() {
    let ran = Airflow::new("retries").try_of(2, 1).run("never");
    assert_eq!((ran.state(), ran.code), ("failed", Some(0)));
    let ended = json!({"state": "failed", "node": "never", "error": "again", "attempts": 2, "told": true});
    assert_eq!(ran.pushed("pipeline_end").unwrap()["value"], ended);
    let fatal = Airflow::new("retries").try_of(1, 3).run("gives_up");
    assert_eq!(fatal.state(), "failed", "a fatal error is not tried again");
    let hung = Airflow::new("retries").run("hangs");
    assert_eq!(hung.logged("error").last().unwrap(), &"the attempt took longer than its limit of 1s");
    let panicked = Airflow::new("retries").run("panics");
    assert!(panicked.logged("error").iter().any(|line| line.contains("oh no")), "{panicked:#?}");
}

#[test]
fn what_a_node_waits_for_decides_by_our_rules() {
    let skipped = Airflow::new("branches").succeeded("choose", json!({"Small": 1})).run("large");
    assert_eq!(skipped.state(), "skipped");
    let taken = Airflow::new("branches").succeeded("choose", json!({"Small": 1})).run("small");
    assert_eq!(taken.output(), Some(&json!("small 1")));
    let unwanted = Airflow::new("rules").state("fails", "failed").succeeded("ok", json!(1)).run("maybe_bad");
    assert_eq!(unwanted.state(), "failed");
    assert_eq!(unwanted.pushed("pipeline_end").unwrap()["value"]["state"], "upstream_failed");
    let first = Airflow::new("rules").state("fails", "failed").succeeded("ok", json!(1)).run("first");
    assert_eq!(first.output(), Some(&json!(1)));
    let racing = Airflow::new("rules").state("fails", "running").succeeded("ok", json!(1)).run("first");
    assert_eq!(racing.output(), Some(&json!(1)), "of a race the other runs on");
}

#[test]
fn a_sensors_budget_is_one_over_all_its_processes() {
    let first = Airflow::new("sensors").try_of(1, 2).run("rescheduled");
    assert_eq!(first.state(), "up_for_reschedule", "{first:#?}");
    let second = first.airflow.run("rescheduled");
    let earlier = &second.airflow.kept["pipeline_node"]["earlier"];
    assert_eq!((&earlier["pokes"], &earlier["memory"]), (&json!(2), &json!("2")), "{second:#?}");
    let third = second.airflow.run("rescheduled");
    assert_eq!(third.output(), Some(&json!(3)), "{third:#?}");
}

#[test]
fn a_wait_that_is_over_ends_as_the_sensor_says() {
    let mut airflow = Airflow::new("sensors").try_of(1, 2).run("skipped_late").airflow;
    let earlier = &mut airflow.kept.get_mut("pipeline_node").unwrap()["earlier"];
    // A minute later.
    for time in ["budget_from", "first_start", "last_start", "next"] {
        earlier[time] = json!(earlier[time].as_i64().unwrap() - 60_000_000_000_i64);
    }
    let ran = airflow.run("skipped_late");
    assert_eq!(ran.state(), "skipped", "{ran:#?}");
    let why = ran.pushed("pipeline_end").unwrap()["value"]["error"].as_str().unwrap();
    assert!(why.starts_with("timed out: not ready within 8s (2 pokes)"), "{why}");
}

#[test]
fn a_poke_whose_process_died_uses_up_no_attempt_but_not_for_ever() {
    let mut airflow = Airflow::new("sensors").try_of(1, 2).run("rescheduled").airflow;
    let cut_off = |airflow: &mut Airflow| airflow.kept.get_mut("pipeline_node").unwrap()["earlier"]["next"] = Value::Null;
    cut_off(&mut airflow);
    let ran = airflow.try_of(2, 2).run("rescheduled");
    assert_eq!(ran.state(), "up_for_reschedule", "{ran:#?}");
    let mut airflow = ran.airflow;
    cut_off(&mut airflow);
    airflow.kept.get_mut("pipeline_node").unwrap()["earlier"]["interruptions"] = json!(2);
    let ran = airflow.run("rescheduled");
    assert_eq!(ran.state(), "failed");
    assert_eq!(ran.logged("error"), ["the process ended 3 times in a row while this attempt was under way"]);
}

#[test]
fn the_end_of_a_run_is_that_of_our_rules() {
    let fails =
        |state: &str| Airflow::new("fails_in_the_end").state("fails", state).succeeded("clean_up", json!("x")).run("end_of_run");
    let failed = fails("failed");
    assert_eq!(failed.state(), "failed");
    assert_eq!(
        failed.logged("error"),
        ["the run is failed: `fails` failed: Airflow reports that it failed, but it reported no error itself"]
    );
    assert_eq!(fails("success").state(), "success");
    // The rest of the run continues from states that were set manually and that Airflow decided.
    let rules = Airflow::new("rules")
        .succeeded("ok", json!(1))
        .state("fails", "failed")
        .state("skips", "skipped")
        .state("good_and_bad", "upstream_failed")
        .state("good_and_none", "skipped")
        .state("behind_bad", "upstream_failed")
        .state("mourn_good", "skipped")
        .state("maybe_bad", "failed");
    let rest = ["maybe_none", "how_good", "how_bad", "how_none", "how_behind", "mourn_bad", "ordered"];
    let mut rules = rest.into_iter().fold(rules, |airflow, task| airflow.succeeded(task, json!("x")));
    rules = rules.succeeded("first", json!(1));
    let ended = json!({"state": "upstream_failed", "node": "fails", "error": "broken on purpose", "attempts": 1});
    rules.xcoms.insert(("maybe_bad".into(), -1, "pipeline_end".into()), ended);
    assert_eq!(rules.run("end_of_run").state(), "success", "what failed was allowed to");
}
