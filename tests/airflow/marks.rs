//! Tasks that were marked or cleared manually, leftovers of earlier tries, and processes that died: Airflow's state decides.

use super::supervisor::{Airflow, Ran};
use serde_json::{Value, json};
use std::fs;

fn ended(state: &str, node: &str, error: &str) -> Value {
    json!({"state": state, "node": node, "error": error, "attempts": 1, "told": true})
}

impl Airflow {
    /// A task has pushed this end, at some time.
    fn pushed_end(mut self, task: &str, index: i64, ended: Value) -> Self {
        self.xcoms.insert((task.to_owned(), index, "pipeline_end".to_owned()), ended);
        self
    }

    fn elements(mut self, task: &str, state: &str, nodes: &Value) -> Self {
        self.xcoms.insert((task.to_owned(), -1, "pipeline_elements".to_owned()), json!({"state": state, "nodes": nodes}));
        self
    }
}

fn errors(ran: &Ran) -> String {
    ran.logged("error").join("\n")
}

#[test]
fn how_a_task_once_ended_counts_only_where_airflow_still_says_so() {
    let rules = || Airflow::new("rules").succeeded("ok", json!(1));
    let failed = || ended("failed", "fails", "broken on purpose");
    let skipped = || ended("skipped", "fails", "not wanted");
    // Skipped by Airflow or manually after it had failed.
    let maybe = rules().state("fails", "skipped").pushed_end("fails", -1, failed()).run("maybe_bad");
    assert_eq!(maybe.output(), Some(&json!("1 None")), "{maybe:#?}");
    let how = rules().state("fails", "skipped").pushed_end("fails", -1, failed()).run("how_bad");
    assert_eq!(how.output(), Some(&json!("skipped")));
    // Marked as failed after it had been skipped.
    let how = rules().state("fails", "failed").pushed_end("fails", -1, skipped()).run("how_bad");
    let unsaid = "fails failed after 1: Airflow reports that it failed, but it reported no error itself";
    assert_eq!(how.output(), Some(&json!(unsaid)));
    // The same for the run.
    let run = || Airflow::new("fails_in_the_end").succeeded("clean_up", json!("x"));
    assert_eq!(run().state("fails", "skipped").pushed_end("fails", -1, failed()).run("end_of_run").state(), "success");
    assert_eq!(run().state("fails", "failed").pushed_end("fails", -1, skipped()).run("end_of_run").state(), "failed");
}

#[test]
fn a_mapping_that_was_not_expanded_has_failed_whoever_takes_it() {
    let too_long = ended("failed", "total.each", "the list has 5000 elements");
    let fan = Airflow::new("fan")
        .succeeded("numbers", json!([1, 2, 3]))
        .state("element.each", "failed")
        .state("element", "upstream_failed");
    assert_eq!(fan.clone().pushed_end("element.each", -1, too_long).run("end_of_run").state(), "failed");
    assert_eq!(fan.run("end_of_run").state(), "failed", "also where its process died");
    let mappings = Airflow::new("mappings").succeeded("three", json!([0, 1, 2])).state("scaled.each", "failed").pushed_end(
        "scaled.each",
        -1,
        ended("failed", "scaled.each", "the list is too long"),
    );
    let total = mappings.run("total");
    assert_eq!(total.state(), "failed");
    assert!(errors(&total).contains("the list is too long"), "{}", errors(&total));
}

#[test]
fn what_an_element_pushed_before_is_not_its_output_nor_anothers() {
    let mappings = || {
        Airflow::new("mappings")
            .succeeded("three", json!([0, 1]))
            .succeeded("scaled.each", json!([0, 1]))
            .element("double", 0, json!(0))
            .element("double", 1, json!(2))
    };
    // The list has become shorter: a removed element still has its output.
    let total = mappings().element("scaled", 0, json!(1)).element("scaled", 1, json!(2)).element("scaled", 2, json!(777));
    assert_eq!(total.state("scaled_2", "removed").run("total").output(), Some(&json!(3)));
    // An element that was marked manually has no output.
    let total = mappings().state("scaled_0", "success").element("scaled", 1, json!(100)).run("total");
    assert!(errors(&total).contains("Airflow has no output of `scaled[0]`"), "{total:#?}");
    // An element was skipped after it had succeeded.
    let ends = Airflow::new("mappings")
        .succeeded("doubles", json!([0, 1]))
        .succeeded("odd.each", json!([0, 1]))
        .element("twice", 0, json!(0))
        .element("twice", 1, json!(2))
        .element("odd", 0, json!(555))
        .state("odd_0", "skipped")
        .element("odd", 1, json!(3));
    assert_eq!(ends.run("each_end").output(), Some(&json!(["skipped", "3"])));
}

#[test]
fn a_mapping_of_one_task_is_what_airflow_says_of_it() {
    let of = |state: &str| {
        let steps =
            Airflow::new("in_order").succeeded("steps", json!([0, 1])).state("turns", "skipped").state("turn.each", "skipped");
        steps.state("of_turns", "skipped").state("step.each", state).state("all_steps", "success")
    };
    let fine = json!({"step[0]": {"output": 1}, "step[1]": {"output": 2}});
    let broken = json!({"step[0]": {"output": 1}, "step[1]": {"ended": ended("failed", "step[1]", "broken")}});
    // Marked as failed after it had succeeded.
    let marked = of("failed").elements("step.each", "success", &fine);
    assert_eq!(marked.clone().run("end_of_run").state(), "failed");
    let all = marked.run("all_steps");
    assert!(errors(&all).contains("Airflow reports that it failed, but it reported no error itself"), "{}", errors(&all));
    // Marked as a success after it had failed: the run may succeed, but no task can take the missing output.
    let marked = of("success").elements("step.each", "failed", &broken);
    assert_eq!(marked.clone().run("end_of_run").state(), "success");
    assert!(errors(&marked.run("all_steps")).contains("marked manually"));
    // Skipped after it had failed.
    let marked =
        of("skipped").elements("step.each", "failed", &broken).pushed_end("step.each", -1, ended("failed", "step[1]", "broken"));
    assert_eq!(marked.clone().run("end_of_run").state(), "success");
    assert_eq!(marked.run("all_steps").state(), "skipped");
    // Left as it ended.
    assert_eq!(of("success").elements("step.each", "success", &fine).run("all_steps").output(), Some(&json!(["1", "2"])));
}

#[test]
fn a_mapping_of_one_task_fails_with_what_is_around_it_and_never_waits_for_what_nobody_does() {
    let nested = Airflow::new("nested")
        .succeeded("outer", json!([0, 1, 2]))
        .succeeded("inner_total.each", json!([0, 1, 2]))
        .element("inner", 2, json!([0, 1]));
    let failed =
        nested.clone().state("ok", "failed").pushed_end("ok", -1, ended("failed", "ok", "down")).run_element("added.each", 2);
    assert_eq!(failed.state(), "failed", "{failed:#?}");
    assert_eq!(failed.pushed("pipeline_end").unwrap()["value"]["node"], "ok");
    let cleared = nested.run_element("added.each", 2);
    assert_eq!(cleared.state(), "failed");
    assert!(errors(&cleared).contains("clear it together with everything upstream"), "{}", errors(&cleared));
}

#[test]
fn a_program_newer_than_the_file_of_dags_does_not_take_a_start_for_a_success() {
    let values = Airflow::new("values").state("nothing", "failed").run("after_nothing");
    assert_eq!(values.state(), "failed", "{values:#?}");
    let rules = Airflow::new("rules").state("ok", "failed").run("ordered");
    assert_eq!(rules.state(), "failed", "{rules:#?}");
}

#[test]
fn a_mapping_over_a_list_that_no_task_returns_has_its_elements() {
    let lists = || {
        Airflow::new("lists_of_others")
            .state("short", "failed")
            .pushed_end("short", -1, ended("failed", "short", "no list"))
            .succeeded("long", json!([5, 6]))
            .succeeded("taken.each", json!([0, 1]))
    };
    let taken = lists().run_element("taken", 1);
    assert_eq!(taken.output(), Some(&json!(12)), "{taken:#?}");
    let both = lists().element("taken", 0, json!(10)).element("taken", 1, json!(12));
    assert_eq!(both.run("of_taken").output(), Some(&json!(22)));

    let arm = || lists().succeeded("look", json!({"Files": [7, 8]})).succeeded("file.each", json!([0, 1]));
    assert_eq!(arm().run_element("file", 1).output(), Some(&json!(16)));
    assert_eq!(arm().element("file", 0, json!(14)).element("file", 1, json!(16)).run("of_files").output(), Some(&json!(30)));

    // Skipped manually, and with it the task that takes the whole mapping.
    let skipped = lists().succeeded("look", json!({"Files": [7, 8]})).state("file.each", "skipped").run("of_files");
    assert_eq!(skipped.state(), "skipped", "{skipped:#?}");

    let chained = lists()
        .succeeded("list", json!([0, 1]))
        .succeeded("once.each", json!([0, 1]))
        .element("once", 0, json!(0))
        .element("once", 1, json!(2))
        .succeeded("again.each", json!([0, 1]));
    assert_eq!(chained.run_element("again", 1).output(), Some(&json!(4)));
}

#[test]
fn a_run_of_another_programs_tasks_is_no_success() {
    let run = || Airflow::new("fails_in_the_end").state("fails", "skipped");
    // A DAG file that is older than a renamed task, and one that has one task more.
    let ran = run().state("clean", "failed").run("end_of_run");
    assert_eq!(ran.state(), "failed");
    assert!(errors(&ran).contains("Airflow has no task `clean_up` in this run: the DAG file"), "{}", errors(&ran));
    for state in ["failed", "upstream_failed", "running"] {
        let ran = run().succeeded("clean_up", json!("x")).state("gone", state).run("end_of_run");
        assert_eq!(ran.state(), "failed");
        let said = format!("`gone` is {state}, but this program has no such task");
        assert!(errors(&ran).starts_with(&said), "{}", errors(&ran));
    }
    // Tasks that a deployment has removed are ignored.
    assert_eq!(run().succeeded("clean_up", json!("x")).state("gone", "removed").run("end_of_run").state(), "success");
    // The run fails even if failures of the missing task are allowed.
    let teardowns = Airflow::new("teardowns").succeeded("open", json!("m")).succeeded("work", json!(1));
    assert_eq!(teardowns.clone().succeeded("close", json!("x")).run("end_of_run").state(), "success");
    assert_eq!(teardowns.run("end_of_run").state(), "failed");
}

#[test]
fn a_run_of_which_something_has_not_ended_is_no_success() {
    let run = |state: &str| Airflow::new("fails_in_the_end").state("fails", state).succeeded("clean_up", json!("x"));
    for state in ["running", "up_for_retry", "none"] {
        let ran = run(state).run("end_of_run");
        assert_eq!(ran.state(), "failed");
        let said = format!("`fails` has not ended (it is {state}): clear `end_of_run` together with everything upstream");
        assert!(errors(&ran).contains(&said), "{}", errors(&ran));
    }
    // A race is left running after it was won.
    let rules = lists_of_others().state("short", "running").run("end_of_run");
    assert_eq!(rules.state(), "success", "{rules:#?}");
}

/// All lists are skipped but the one that won.
fn lists_of_others() -> Airflow {
    let airflow =
        Airflow::new("lists_of_others").succeeded("long", json!([])).succeeded("taken.each", json!([])).state("taken", "skipped");
    let skipped = [
        "short",
        "of_taken",
        "ok",
        "two",
        "look",
        "file.each",
        "file",
        "of_files",
        "list",
        "once.each",
        "once",
        "again.each",
        "again",
        "of_again",
    ];
    skipped.into_iter().fold(airflow, |airflow, task| airflow.state(task, "skipped"))
}

#[test]
fn a_list_that_has_changed_since_its_expansion_hides_no_element() {
    let fan = Airflow::new("fan").succeeded("numbers", json!([1])).succeeded("element.each", json!([0, 1])).element(
        "element",
        0,
        json!(2),
    );
    let ran = fan.clone().state("element_1", "failed").run("end_of_run");
    assert_eq!(ran.state(), "failed");
    assert!(
        errors(&ran).contains("the list of `element.each` has 1 elements now, but it was expanded over 2"),
        "{}",
        errors(&ran)
    );
    assert_eq!(fan.state("element_1", "removed").run("end_of_run").state(), "success");
    let mappings = Airflow::new("mappings").succeeded("three", json!([0])).succeeded("scaled.each", json!([0, 1]));
    let two =
        (0..2).fold(mappings, |airflow, index| airflow.element("double", index, json!(0)).element("scaled", index, json!(1)));
    let total = two.run("total");
    assert!(errors(&total).contains("clear it with everything downstream"), "{}", errors(&total));
    // The same for a mapping that is one task.
    let steps = |list: Value| {
        let airflow = Airflow::new("in_order").succeeded("steps", list).state("step.each", "success");
        airflow.elements("step.each", "success", &json!({"step[0]": {"output": 1}, "step[1]": {"output": 2}})).run("all_steps")
    };
    assert_eq!(steps(json!([0, 1])).output(), Some(&json!(["1", "2"])));
    for list in [json!([0]), json!([0, 1, 2])] {
        let ran = steps(list);
        assert!(errors(&ran).contains("the list of `step.each` has changed since it ran"), "{}", errors(&ran));
    }
}

#[test]
fn a_mapping_that_failed_and_a_join_that_says_so_are_one_failure() {
    let upstream = json!({"state": "upstream_failed", "node": "each(counted)", "error": "gone", "attempts": 1, "told": true});
    let ledger = Airflow::new("ledger")
        .succeeded("numbers", json!([0, 1]))
        .state("counted.each", "failed")
        .state("counted", "upstream_failed");
    let ran = ledger.state("sum", "failed").pushed_end("sum", -1, upstream.clone()).run("end_of_run");
    assert_eq!(ran.state(), "failed");
    assert!(errors(&ran).contains("Airflow reports that it failed, but it reported no error itself"), "{}", errors(&ran));
    assert!(!errors(&ran).contains("cannot be"), "{}", errors(&ran));
    // Cleared alone, and successful since.
    let again = Airflow::new("ledger").succeeded("numbers", json!([0])).succeeded("counted.each", json!([0])).element(
        "counted",
        0,
        json!(0),
    );
    let ran = again.state("sum", "failed").pushed_end("sum", -1, upstream).run("end_of_run");
    assert_eq!(ran.state(), "failed", "{}", errors(&ran));
    assert!(!errors(&ran).contains("cannot be"), "{}", errors(&ran));
}

#[test]
fn more_retries_than_airflow_was_told_of_do_not_make_a_later_attempt() {
    // The bundle now has two retries, but Airflow still runs the first try with none.
    let mut airflow = Airflow::new("retries").try_of(1, 0);
    airflow.startup["ti_context"]["should_retry"] = json!(false);
    let ran = airflow.run("third_time");
    assert_eq!(ran.state(), "failed");
    assert!(ran.logged("warning").contains(&"attempt 1"), "{:?}", ran.log);
    // The end of the run notifies of the failure, as this process has notified of a retry.
    let ended = ran.pushed("pipeline_end").unwrap()["value"].clone();
    assert_eq!((&ended["attempts"], &ended["told"]), (&json!(1), &json!(false)));
}

#[test]
fn a_server_that_fails_as_an_output_is_kept_has_the_try_made_again() {
    let mut airflow = Airflow::new("values").try_of(1, 2);
    let down = json!({"error": "API_SERVER_ERROR", "detail": {"status_code": 503, "message": "gone fishing"}});
    airflow.refuses = Some(("SetXCom", down));
    let ran = airflow.run("make");
    assert_eq!((ran.code, ran.state()), (Some(1), "nothing"), "{ran:#?}");
}

#[test]
fn of_several_updates_the_newest_counts_in_whatever_order_they_come() {
    let mut airflow = Airflow::new("follows");
    let event = |rows: u64, at: &str| {
        let batch = json!({"name": "a", "rows": rows, "share": 0.5, "parts": []});
        json!({"asset": {"name": "parity_sales", "uri": "parity_sales"}, "extra": {"value": batch}, "timestamp": at})
    };
    let run = &mut airflow.startup["ti_context"]["dag_run"];
    run["consumed_asset_events"] = json!([event(2, "2024-03-26T05:00:00Z"), event(1, "2024-03-25T05:00:00Z")]);
    assert_eq!(airflow.run("parity_sales").output().unwrap()["rows"], 2);
}

#[test]
fn of_a_process_that_died_the_end_of_the_run_tells() {
    let folder = tempfile::tempdir().unwrap();
    let told = folder.path().join("told");
    let of = |died: bool| {
        let mut airflow =
            Airflow::new("told").succeeded("ok", json!(1)).succeeded("second_time", json!(1)).state("fails", "failed");
        if !died {
            airflow = airflow.pushed_end("fails", -1, ended("failed", "fails", "broken on purpose"));
        }
        airflow = airflow.state("skips", "skipped").pushed_end("skips", -1, ended("skipped", "skips", "nothing to do"));
        for (task, state) in [("good_and_bad", "upstream_failed"), ("good_and_none", "skipped"), ("mourn_good", "skipped")] {
            airflow = airflow.state(task, state);
        }
        airflow = airflow.state("maybe_bad", "failed").pushed_end(
            "maybe_bad",
            -1,
            ended("upstream_failed", "fails", "broken on purpose"),
        );
        airflow.environment = vec![("PARITY_TOLD", told.to_str().unwrap().to_owned().leak())];
        assert_eq!(airflow.run("end_of_run").state(), "failed");
        let lines = fs::read_to_string(&told).unwrap_or_default();
        fs::remove_file(&told).unwrap();
        let mut lines: Vec<String> = lines.lines().filter(|line| line.starts_with("on_failure")).map(str::to_owned).collect();
        // Notifications are delivered concurrently.
        lines.sort();
        lines
    };
    let unsaid = "Airflow reports that it failed, but it reported no error itself";
    assert_eq!(of(true), [format!("on_failure fails {unsaid}"), format!("on_failure the run `fails` failed: {unsaid}")]);
    assert_eq!(of(false), ["on_failure the run `fails` failed: broken on purpose"]);
}
