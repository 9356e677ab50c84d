//! Mappings that Airflow runs as one task: those within another mapping, and those in order.

use super::supervisor::{Airflow, Ran};
use serde_json::{Value, json};

fn elements(ran: &Ran) -> Value {
    ran.pushed("pipeline_elements").map(|pushed| pushed["value"]["nodes"].clone()).unwrap_or_default()
}

/// Three elements of the outer mapping; the last of them has these two inner ones.
fn nested() -> Airflow {
    Airflow::new("nested")
        .succeeded("ok", json!(1))
        .succeeded("outer", json!([0, 1, 2]))
        .succeeded("inner_total.each", json!([0, 1, 2]))
        .element("inner", 0, json!([]))
        .element("inner", 1, json!([0]))
        .element("inner", 2, json!([0, 1]))
}

#[test]
fn all_elements_run_in_its_process_with_their_retries_and_say_what_they_came_to() {
    let ran = nested().run_element("added.each", 2);
    assert_eq!((ran.state(), ran.code), ("success", Some(0)), "{ran:#?}");
    assert_eq!(
        elements(&ran),
        json!({
            "again[2][0]": {"output": 0}, "again[2][1]": {"output": 1}, "added[2][0]": {"output": 1}, "added[2][1]": {"output": 2},
        })
    );
    assert_eq!(ran.pushed("pipeline_elements").unwrap()["map_index"], 2);
    assert_eq!(ran.logged("warning").len(), 2, "{:?}", ran.log);
    assert!(ran.logged("warning").contains(&"`again[2][1]` is retried in 10ms: once more"), "{:?}", ran.log);
    // A mapping over an empty list succeeds.
    let ran = nested().run_element("added.each", 0);
    assert_eq!((ran.state(), elements(&ran)), ("success", json!({})));
}

#[test]
fn what_joins_it_has_its_elements() {
    let mut airflow = nested();
    for index in 0..3 {
        airflow = airflow.run_element("added.each", index).airflow.state(&format!("added.each_{index}"), "success");
    }
    assert_eq!(airflow.clone().run_element("inner_total", 2).output(), Some(&json!(3)));
    assert_eq!(airflow.run_element("inner_total", 0).output(), Some(&json!(0)));
}

#[test]
fn an_element_that_fails_fails_it_and_those_that_wait_for_it_know_which() {
    let deep = Airflow::new("nested").succeeded("rows", json!([0, 1])).succeeded("row.each", json!([0, 1])).element(
        "cells",
        1,
        json!([0, 1, 2, 3, 4]),
    );
    let ran = deep.clone().run_element("odd.each", 1);
    // Failures of its elements are allowed.
    assert_eq!(ran.state(), "success", "{ran:#?}");
    let came = elements(&ran);
    assert_eq!(came["odd[row 1][0]"], json!({"output": 1}));
    assert_eq!(
        came["odd[row 1][2]"],
        json!({"ended": {"state": "failed", "node": "odd[row 1][2]", "error": "two is no good", "attempts": 1, "told": true}})
    );
    assert_eq!(came["odd[row 1][4]"]["ended"]["error"], "four is not wanted");
    let mut behind = deep.state("odd.each_1", "success");
    behind.xcoms.insert(("odd.each".into(), 1, "pipeline_elements".into()), json!({"state": "success", "nodes": came}));
    let row = behind.run_element("row", 1);
    assert_eq!(row.output(), Some(&json!(["1", "2", "odd[row 1][2]: two is no good", "4", "skipped"])), "{row:#?}");
}

#[test]
fn elements_that_go_in_order_stop_at_the_first_that_fails() {
    let airflow = Airflow::new("in_order").succeeded("steps", json!([0, 1, 2, 3]));
    let ran = airflow.clone().run("step.each");
    assert_eq!(ran.state(), "failed", "{ran:#?}");
    let came = elements(&ran);
    assert_eq!(came["step[1]"], json!({"output": 2}));
    assert_eq!(came["step[3]"]["ended"]["state"], "upstream_failed");
    assert_eq!(ran.logged("error"), ["`step[2]` failed: two is no good"]);
    let mut behind = airflow.state("step.each", "failed");
    behind.xcoms.insert(("step.each".into(), -1, "pipeline_elements".into()), json!({"state": "failed", "nodes": came}));
    let all = behind.clone().run("all_steps");
    let expected = ["1", "2", "step[2]: two is no good", "step[2]: two is no good"];
    assert_eq!(all.output(), Some(&json!(expected)), "{all:#?}");
    // The same for the end of the run.
    let end = behind
        .succeeded("all_steps", json!(expected))
        .state("turn.each", "skipped")
        .state("turns", "skipped")
        .state("of_turns", "skipped")
        .run("end_of_run");
    assert_eq!(end.state(), "failed", "{end:#?}");
}

#[test]
fn a_process_that_died_says_nothing_and_what_is_behind_it_is_told_so() {
    let airflow = Airflow::new("in_order").succeeded("steps", json!([0, 1])).state("step.each", "failed");
    let ran = airflow.clone().run("all_steps");
    assert_eq!(ran.state(), "failed", "{ran:#?}");
    let said = ran.logged("error").join("\n");
    assert!(said.contains("Airflow reports that it failed, but it reported no error itself"), "{said}");
    let ran = airflow.state("step.each", "success").run("all_steps");
    let said = ran.logged("error").join("\n");
    assert!(said.contains("marked manually") && said.contains("Clear it"), "{said}");
}
