//! A task's inputs: outputs of other tasks, the run, settings and secrets.

use super::supervisor::Airflow;
use serde_json::{Value, json};

#[test]
fn a_value_that_airflow_would_change_passes_through_it_unchanged() {
    let made = Airflow::new("values").run("make");
    assert_eq!((made.state(), made.code), ("success", Some(0)), "{made:#?}");
    let kept = made.output().unwrap().clone();
    assert!(kept["$json"].is_string(), "{kept}");
    let same = Airflow::new("values").succeeded("make", kept.clone()).run("same");
    assert_eq!(same.output(), Some(&kept), "{same:#?}");
}

#[test]
fn only_what_a_task_needs_is_asked_for_since_each_request_is_one_of_airflows_server() {
    let asked = |airflow: Airflow, task: &str| -> Vec<String> {
        airflow.run(task).asked.iter().map(|ask| ask["type"].as_str().unwrap().to_owned()).collect()
    };
    // Airflow starts the task only once its upstream has succeeded, so its state is not requested.
    let chain = Airflow::new("chain").succeeded("step_1", json!(1));
    assert_eq!(asked(chain, "step_2"), ["GetXCom", "SetXCom", "SucceedTask"]);
    // A task without an output pushes none.
    let values = Airflow::new("values").succeeded("same", json!({"name": "a", "rows": 1, "share": 0.5, "parts": []}));
    assert_eq!(asked(values, "nothing"), ["GetXCom", "SucceedTask"]);
    // Airflow's trigger rule does not say how the upstreams ended.
    let rules = Airflow::new("rules").succeeded("ok", json!(1)).state("skips", "skipped");
    assert_eq!(asked(rules, "maybe_none"), ["GetTaskStates", "GetXCom", "GetXCom", "SetXCom", "SucceedTask"]);
    // This task reads the previous run.
    let past = Airflow::new("params").variable("parity_limit", "1").succeeded("ok", json!(1));
    assert!(asked(past, "since").contains(&"GetPrevSuccessfulDagRun".to_owned()));
}

#[test]
fn the_input_of_an_element_is_its_item_with_what_stands_around_the_mapping() {
    let airflow =
        Airflow::new("mappings").succeeded("three", json!([0, 1, 2])).succeeded("ok", json!(1)).element("double", 2, json!(4));
    let ran = airflow.run_element("scaled", 2);
    assert_eq!(ran.output(), Some(&json!(5)), "{ran:#?}");
    assert_eq!(ran.pushed("return_value").unwrap()["map_index"], 2);
}

#[test]
fn a_mapping_pushes_its_length_and_its_keys_become_labels() {
    let ran = Airflow::new("mappings").succeeded("keyed", json!([0, 1])).run("by_key.each");
    let pushed = ran.pushed("return_value").unwrap();
    assert_eq!((&pushed["value"], &pushed["mapped_length"]), (&json!(["k0", "k1"]), &json!(2)));
    let ran = Airflow::new("mappings").succeeded("keyed", json!([0, 1])).run_element("by_key", 1);
    assert_eq!(ran.output(), Some(&json!(2)));
    assert!(ran.asked.contains(&json!({"type": "SetRenderedMapIndex", "rendered_map_index": "k1"})), "{ran:#?}");
    assert_eq!(ran.last.as_ref().unwrap()["rendered_map_index"], "k1", "Airflow takes its last word for it");
}

#[test]
fn a_run_that_was_asked_for_without_a_date_is_about_the_last_interval_as_at_home() {
    let about = |kind: &str, logical_date: Value| {
        let mut airflow = Airflow::new("params").variable("parity_limit", "1");
        let run = &mut airflow.startup["ti_context"]["dag_run"];
        *run = json!({"logical_date": logical_date, "run_after": "2024-03-26T12:00:00Z", "start_date": "2024-03-26T12:00:01Z",
            "run_type": kind, "conf": {}, "consumed_asset_events": []});
        airflow
            .connections
            .insert("parity_warehouse".into(), json!({"conn_id": "parity_warehouse", "password": "hunter2-hunter2"}));
        airflow.environment = vec![("PARITY_TOKEN", "t0ken")];
        let ran = airflow.run("about");
        let text = ran.output().unwrap_or_else(|| panic!("{ran:#?}")).as_str().unwrap().to_owned();
        assert!(
            ran.logged("info").iter().any(|line| line.starts_with("text: ")),
            "what came of the template is logged: {ran:#?}"
        );
        text.split(' ').next().unwrap().to_owned()
    };
    // The day that had ended by six in Berlin.
    for kind in ["manual", "asset_materialization", "operator_triggered"] {
        assert_eq!(about(kind, Value::Null), "2024-03-25");
        assert_eq!(about(kind, json!("2024-03-20T05:00:00Z")), "2024-03-20");
    }
}

#[test]
fn a_connection_that_is_not_there_is_told_with_what_makes_one() {
    let mut airflow = Airflow::new("params").variable("parity_limit", "1");
    airflow.environment = vec![("PARITY_TOKEN", "t0ken")];
    let ran = airflow.run("about");
    let said = ran.logged("error").join("\n");
    assert!(
        said.contains("Airflow has no connection `parity_warehouse`: `airflow connections add parity_warehouse ..` creates one"),
        "{said}"
    );
}

#[test]
fn what_joins_a_mapping_has_its_elements_in_order_whatever_became_of_them() {
    let airflow = Airflow::new("mappings")
        .succeeded("doubles", json!([0, 1, 2]))
        .succeeded("odd.each", json!([0, 1, 2]))
        .element("twice", 0, json!(0))
        .element("twice", 1, json!(2))
        .element("twice", 2, json!(4))
        .element("odd", 0, json!(1))
        .state("odd_1", "failed")
        .state("odd_2", "skipped");
    let mut with_error = airflow.clone();
    let ended = json!({"state": "failed", "node": "odd[1]", "error": "two is no good", "attempts": 1});
    with_error.xcoms.insert(("odd".into(), 1, "pipeline_end".into()), ended);
    assert_eq!(with_error.run("each_end").output(), Some(&json!(["1", "odd[1]: two is no good", "skipped"])));
    // An element that could not report its error.
    let output = airflow.run("each_end").output().cloned();
    let unsaid = "odd[1]: Airflow reports that it failed, but it reported no error itself";
    assert_eq!(output, Some(json!(["1", unsaid, "skipped"])));
}

#[test]
fn a_failure_is_told_as_the_one_that_came_first_also_where_airflow_decided() {
    let mut airflow =
        Airflow::new("rules").state("fails", "failed").succeeded("ok", json!(1)).state("behind_bad", "upstream_failed");
    let ended = json!({"state": "failed", "node": "fails", "error": "broken on purpose", "attempts": 1});
    airflow.xcoms.insert(("fails".into(), -1, "pipeline_end".into()), ended);
    assert_eq!(airflow.clone().run("how_behind").output(), Some(&json!("fails failed after 1: broken on purpose")));
    assert_eq!(airflow.run("mourn_bad").output(), Some(&json!("fails")));
}

#[test]
fn an_output_that_is_not_there_is_no_null() {
    let ran = Airflow::new("values").state("make", "success").run("same");
    assert_eq!(ran.state(), "failed");
    let said = ran.logged("error").join("\n");
    assert!(
        said.starts_with("Airflow has no output of `make`, which is a success and returns a `") && said.contains("Clear it"),
        "{said}"
    );
    // A `()` is an output.
    let ran = Airflow::new("values").succeeded("nothing", Value::Null).run("after_nothing");
    assert_eq!(ran.state(), "success", "{ran:#?}");
}

#[test]
fn the_run_its_params_settings_and_secrets_are_those_of_airflow() {
    let mut airflow = Airflow::new("params");
    airflow.startup["ti_context"]["dag_run"]["conf"] = json!({"region": "us"});
    airflow.variables.insert("parity_limit".into(), "7".into());
    airflow.connections.insert("parity_warehouse".into(), json!({"conn_id": "parity_warehouse", "password": "hunter2-hunter2"}));
    airflow.environment = vec![("PARITY_TOKEN", "t0ken"), ("AIRFLOW_CONN_PARITY_WAREHOUSE", "x://a:never@b")];
    let ran = airflow.run("about");
    assert_eq!(ran.output(), Some(&json!("2024-03-25 of us 7 5 15 us 2024-03-25")), "{ran:#?}");
    assert!(ran.asked.contains(&json!({"type": "MaskSecret", "value": "hunter2-hunter2", "name": null})), "{ran:#?}");
    assert!(ran.logged("info").contains(&"the password is ***"), "{:?}", ran.log);
    // A secret must be registered even if no task reads it: it is in no text that is stored.
    assert!(!format!("{:?}", ran.log).contains("hunter2"));
}

#[test]
fn what_does_not_fit_the_code_fails_at_once_and_says_why() {
    let mut airflow = Airflow::new("params").try_of(1, 3);
    airflow.startup["ti_context"]["dag_run"]["conf"] = json!({"regoin": "us"});
    let ran = airflow.run("about");
    assert_eq!(ran.state(), "failed");
    assert!(ran.logged("error")[0].contains("regoin"), "{:?}", ran.log);

    let ran = Airflow::new("values").run("gone");
    assert_eq!(ran.state(), "failed");
    assert_eq!(
        ran.logged("error"),
        ["this program's pipeline `values` has no task `gone`: the export is stale, export it again"]
    );

    let mut airflow = Airflow::new("params");
    airflow.variables.insert("parity_limit".into(), "many".into());
    let ran = airflow.run("about");
    assert!(ran.logged("error")[0].starts_with("Airflow's variable `parity_limit`, which is a setting: "), "{:?}", ran.log);
}

#[test]
fn bodies_do_not_see_airflows_own_settings() {
    let mut airflow = Airflow::new("upsets");
    airflow.environment = vec![("AIRFLOW__DATABASE__SQL_ALCHEMY_CONN", "postgres://secret"), ("PARITY_SEEN", "1")];
    let ran = airflow.run("environment");
    assert_eq!(ran.output(), Some(&json!(["PARITY_SEEN"])), "{ran:#?}");
}
