//! The limits of a run, and the messages beyond them.

use crate::prelude::*;
use crate::{NodeState, RunState, Simulation};
use std::sync::Mutex;

#[sensor(poke = "1m", timeout = "10m")]
async fn forgetful(ctx: Context, bytes: usize) -> Result<Poke<usize>> {
    if let Some(known) = ctx.recall::<String>()? {
        return Ok(Poke::Ready(known.len()));
    }
    ctx.remember(&"x".repeat(bytes))?;
    Ok(Poke::NotYet)
}

#[pipeline]
fn remembering() {
    // Including the two quotes of JSON.
    forgetful((1 << 20) - 2).named("just");
    forgetful((1 << 20) - 1).named("over");
}

#[test]
fn a_sensor_remembers_so_much() {
    let report = Simulation::new(remembering()).run();
    assert_eq!(report.output::<usize>("just"), Some((1 << 20) - 2), "{}", report.timeline());
    assert_eq!((report.node("over").state(), report.node("over").pokes()), (NodeState::Failed, 1));
    let error = report.node("over").error().unwrap();
    assert!(error.starts_with("what the sensor remembers has more than 1 MiB as JSON, which is the limit: "), "{error}");
}

#[task]
async fn loud(bytes: usize) -> Result<()> {
    Err(TaskError::fatal("é".repeat(bytes / 2)))
}

#[task]
async fn panics(bytes: usize) -> Result<()> {
    panic!("{}", "x".repeat(bytes))
}

#[pipeline]
fn failing() {
    loud(16 << 10).named("just");
    loud((16 << 10) + 6).named("over");
    panics(32 << 10);
}

#[test]
fn an_error_is_cut_and_says_how_much_is_missing() {
    let report = Simulation::new(failing()).run();
    let error = |node: &str| report.node(node).error().unwrap().to_owned();
    assert_eq!(error("just"), "é".repeat(8 << 10));
    assert_eq!(error("over"), format!("{}… and 6 more bytes", "é".repeat(8 << 10)));
    assert!(error("panics").starts_with("the body panicked: xxx") && error("panics").ends_with("x… and 16403 more bytes"));
}

#[task]
async fn idle(bytes: usize) -> Result<()> {
    Err(TaskError::skip("é".repeat(bytes / 2)))
}

#[pipeline]
fn skipping() {
    idle(16 << 10).named("just");
    idle((16 << 10) + 6).named("over");
}

#[test]
fn the_reason_of_a_skip_is_cut_and_says_how_much_is_missing() {
    let report = Simulation::new(skipping()).run();
    let of = |node: &str, reason: &str| {
        let line = report.timeline().lines().any(|line| line.trim_end().ends_with(reason));
        assert!(line && report.node(node).state() == NodeState::Skipped, "{node}");
    };
    of("just", &format!(" {}", "é".repeat(8 << 10)));
    of("over", &format!(" {}… and 6 more bytes", "é".repeat(8 << 10)));
}

static INPUTS: Mutex<Vec<(String, String)>> = Mutex::new(Vec::new());

async fn hear(told: Notification) {
    INPUTS.lock().unwrap().extend_from_slice(told.inputs());
}

#[task(on_success = hear)]
async fn read(just: String, over: String) -> Result<usize> {
    Ok(just.len() + over.len())
}

#[derive(Clone, serde::Serialize, serde::Deserialize)]
struct Texts {
    just: String,
    over: String,
}

impl Default for Texts {
    fn default() -> Self {
        Self { just: "é".repeat(8 << 10), over: "é".repeat(8 << 10) + "123456" }
    }
}

#[pipeline]
fn reading(texts: Texts) {
    read(texts.just, texts.over);
}

#[test]
fn a_text_input_is_cut_in_a_notification() {
    let report = Simulation::new(reading()).run();
    assert_eq!(report.output::<usize>("read"), Some((32 << 10) + 6), "the body has all of it");
    let told = INPUTS.lock().unwrap();
    let texts: Vec<&str> = told.iter().map(|(_, text)| text.as_str()).collect();
    assert_eq!(texts, ["é".repeat(8 << 10), format!("{}… and 6 more bytes", "é".repeat(8 << 10))]);
}

#[task]
async fn many() -> Result<Vec<u64>> {
    Ok(vec![7; 100_000])
}

#[task]
async fn step(n: u64) -> Result<u64> {
    Ok(n)
}

/// Each element has 40 nodes and one for the element itself.
#[pipeline]
fn wide() {
    many().each(|n| {
        let mut last = step(n);
        for _ in 1..40 {
            last = step(last);
        }
        last
    });
}

#[test]
fn a_list_that_would_make_too_many_nodes_is_not_expanded() {
    let report = Simulation::new(wide()).run();
    assert_eq!(report.state(), RunState::Failed);
    let error = report.node("each(step__40)").error().unwrap();
    let expected =
        "with the list's 100000 elements the run would have 4100002 nodes, of which an element has 41; a run has at most 4000000";
    assert!(error.starts_with(expected), "{error}");
    assert!(!report.timeline().contains("step"), "{}", report.timeline());
}
