//! Secrets: where their values appear, and where not.

use pipeline_runtime::prelude::*;
use pipeline_runtime::{NodeState, Simulation};
use serde::{Deserialize, Serialize};

static KEY: Secret = Secret::env("NOBODY_SETS_THIS_KEY");
const TOKEN: Secret = Secret::file("/nowhere/token");

#[task(retries = 5)]
async fn fetch(key: Secret, token: Option<Secret>, others: Vec<Secret>) -> Result<Vec<usize>> {
    Ok([&key].into_iter().chain(&token).chain(&others).map(|secret| secret.expose().len()).collect())
}

#[pipeline]
fn fetching() {
    fetch(&KEY, Some(TOKEN), vec![KEY.clone(), TOKEN]);
}

#[test]
fn a_body_has_the_values_that_the_simulation_says() {
    let report = Simulation::new(fetching()).secret(&KEY, "key-abc").secret(&TOKEN, "token-ab").run();
    assert_eq!(report.output::<Vec<usize>>("fetch"), Some(vec![7, 8, 7, 8]));
}

#[test]
fn a_missing_one_fails_the_node_at_once() {
    let report = Simulation::new(fetching()).secret(&KEY, "key-abc").run();
    let node = report.node("fetch");
    assert_eq!((node.state(), node.attempts()), (NodeState::Failed, 1));
    let error = node.error().unwrap();
    assert!(error.starts_with("the input `token` cannot be read: the secret `file:/nowhere/token` has no value: "), "{error}");
}

/// A reference may come from params, whose author may write a value in place of a name.
#[test]
fn the_error_of_one_that_is_missing_tells_no_value_of_another() {
    #[pipeline]
    fn named_by_a_value() {
        fetch(&KEY, Some(Secret::env("q7-hidden")), Vec::<Secret>::new());
    }
    let report = Simulation::new(named_by_a_value()).secret(&KEY, "q7-hidden").run();
    let error = report.node("fetch").error().unwrap();
    assert!(error.contains("the secret `env:***` has no value") && !error.contains("q7-hidden"), "{error}");
}

#[test]
fn a_bodys_unit_test_has_one_of_its_own() {
    let called = fetch::call(Secret::for_test("q1z8"), None, Vec::new());
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    assert_eq!(runtime.block_on(called).unwrap(), [4]);
}

#[derive(Debug, Default, Serialize, Deserialize)]
struct Options {
    token: Secret,
}

#[pipeline]
fn with_params(options: Options) {
    fetch(options.token, None, Vec::<Secret>::new());
}

#[test]
fn a_param_is_read_where_it_refers_to() {
    let simulation = Simulation::new(with_params()).params(Options { token: Secret::env("NOBODY_SETS_THIS_TOKEN") });
    let report = simulation.secret(&Secret::env("NOBODY_SETS_THIS_TOKEN"), "q1z8").run();
    assert_eq!(report.output::<Vec<usize>>("fetch"), Some(vec![4]));
    let report = Simulation::new(with_params()).run();
    let error = report.node("fetch").error().unwrap();
    assert!(error.contains("the secret `unset` has no value: give `env:NAME` or `file:PATH`"), "{error}");
    let error = Simulation::new(with_params()).params(serde_json::json!({ "token": "q1z8" })).try_run().unwrap_err().to_string();
    assert!(error.starts_with("param `token` of pipeline `with_params` is a secret"), "{error}");
}

/// The compile-time check does not see into a box.
#[task]
async fn boxed(key: Secret) -> Result<Box<Secret>> {
    Ok(Box::new(key))
}

#[pipeline]
fn returning() {
    boxed(&KEY);
}

#[test]
fn an_output_cannot_be_one() {
    let report = Simulation::new(returning()).secret(&KEY, "key-abc").run();
    let error = report.node("boxed").error().unwrap();
    assert!(error.contains("it holds a `Secret`, which is not passed on"), "{error}");
}

#[task]
async fn say(text: String, plain: String, key: Secret) -> Result<()> {
    Err(format!("{text} {plain} {}", key.expose()).into())
}

#[derive(Debug, Serialize, Deserialize)]
struct Regions {
    region: String,
}

impl Default for Regions {
    fn default() -> Self {
        Self { region: "eu".into() }
    }
}

#[pipeline]
fn saying(regions: Regions) {
    let told = |n: Notification| async move {
        // The inputs include params and templates, but no literals of the code, which may be anything.
        let inputs: Vec<&str> = n.inputs().iter().map(|(_, value)| value.as_str()).collect();
        TOLD.lock().unwrap().push(format!("{inputs:?} {}", n.error().unwrap_or_default()));
        Ok::<(), TaskError>(())
    };
    say(template!("raw/{{ ds }}"), "hunter2", &KEY).named("plain").on_failure(told);
    say("x", regions.region, &KEY).named("param").on_failure(told);
}

static TOLD: std::sync::Mutex<Vec<String>> = std::sync::Mutex::new(Vec::new());

#[test]
fn a_notification_has_neither_secrets_nor_plain_texts() {
    Simulation::new(saying()).logical_date("2024-03-25").secret(&KEY, "key-abcdef").run();
    let mut told = TOLD.lock().unwrap().clone();
    told.sort();
    assert_eq!(told, [r#"["eu"] x eu ***"#, r#"["raw/2024-03-25"] raw/2024-03-25 hunter2 ***"#]);
}
