use super::*;
use crate::Pipeline;
use crate::engine::{Entry, Record};
use crate::prelude::*;
use std::sync::Arc;

#[sensor(poke = "1m", timeout = "1h")]
async fn export() -> Result<Poke<u64>> {
    Ok(Poke::NotYet)
}

#[task]
async fn step(n: u64) -> Result<u64> {
    Ok(n)
}

#[pipeline]
fn direct() {
    step(export()).named("report");
}

#[pipeline]
fn through_others() {
    step(step(step(export()).named("clean")).named("load")).named("report");
}

#[pipeline]
fn through_many() {
    let mut last = export();
    for n in 0..9 {
        last = step(last).named(format!("step_{n}"));
    }
    step(last).named("report");
}

/// Returns why `report` has not ended, once the sensor was poked.
fn why(pipeline: &Pipeline) -> String {
    let plan = Arc::new(pipeline.plan(&serde_json::Value::Null).unwrap());
    let mut history = RunHistory::new(plan, Timestamp::default());
    let (now, slot) = (history.started, history.find("export").unwrap());
    let next = now + Duration::from_mins(1);
    for record in [Record::Started { slot, attempt: 1 }, Record::NotYet { slot, next, memory: None }] {
        history.apply(&Entry { at: now, record });
    }
    let waits = Waits { history: &history, now, is_run: true };
    let report = history.find("report").unwrap();
    waits.of_node(report, &mut TakenSlots::from_fn(|| Ok(Vec::new()))).unwrap().text
}

#[test]
fn a_chain_of_waits_is_named_from_the_node_to_its_root() {
    let root = "export, next poke 00:01:00Z (in 1m), budget left 1h";
    assert_eq!(why(&direct()), format!("waits for `export` (up_for_reschedule): {root}"));
    let chain = "waits for `load` (none); `load` waits for `clean`, which waits for `export`";
    assert_eq!(why(&through_others()), format!("{chain}: {root}"));
    let chain = "waits for `step_8` (none); `step_8` waits, through 8 other nodes, for `export`";
    assert_eq!(why(&through_many()), format!("{chain}: {root}"));
}
