//! A simulation in a test that already has a runtime.

use super::tasks::*;
use pipeline_runtime::prelude::*;
use pipeline_runtime::{RunState, Simulation};
use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;

#[sensor(timeout = "1h", poke = "1m")]
async fn export(bucket: Bucket) -> Result<Poke<Object>> {
    Ok(bucket.head("export.json").await?.into())
}

#[pipeline]
fn waits() -> Result<()> {
    export(Bucket::open("memory://data")?);
    Ok(())
}

fn simulation<'a>() -> Simulation<'a> {
    Simulation::new(waits()).arrive("30m", "memory://data/export.json", "{}")
}

#[tokio::test]
async fn it_runs_on_virtual_time_as_it_does_elsewhere() {
    let report = simulation().run();
    assert_eq!(report.state(), RunState::Success, "{}", report.timeline());
    assert_eq!(report.node("export").pokes(), 31);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_it_calls_is_called_on_the_callers_thread() {
    let here = std::thread::current().id();
    let seen = Rc::new(RefCell::new(Vec::new()));
    let note = |text: &'static str| {
        let seen = Rc::clone(&seen);
        move || seen.borrow_mut().push((text, std::thread::current().id()))
    };
    let report = simulation().at("10m", note("first")).at("20m", note("second")).run();
    assert_eq!(report.state(), RunState::Success);
    assert_eq!(*seen.borrow(), [("first", here), ("second", here)]);
}

#[tokio::test]
async fn a_panic_of_what_it_calls_reaches_the_caller() {
    let failed = catch_unwind(AssertUnwindSafe(|| simulation().at("10m", || panic!("not like this")).run()));
    assert_eq!(failed.unwrap_err().downcast_ref::<&str>(), Some(&"not like this"));
}

#[tokio::test]
async fn its_errors_do_too() {
    let wrong = Simulation::new(waits()).cancel("soon").try_run().unwrap_err();
    assert!(wrong.to_string().contains("soon"), "{wrong}");
    numbers::call(1).await.unwrap();
}
