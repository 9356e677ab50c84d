//! Schedules are followed if the builder requests it, on a clock that it speeds up.

use pipeline_runtime::Host;
use pipeline_runtime::prelude::*;
use pipeline_runtime::read::RunFilter;
use std::sync::Mutex;
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};

static RAN: Mutex<Option<UnboundedSender<String>>> = Mutex::new(None);

#[task]
async fn tell(date: String) -> Result<()> {
    if let Some(ran) = &*RAN.lock().unwrap() {
        let _ = ran.send(date);
    }
    Ok(())
}

#[pipeline(schedule = "@hourly")]
fn hourly() {
    tell(template!("{{ ts }}"));
}

#[tokio::test]
async fn what_is_due_runs() {
    let (tell, mut ran) = unbounded_channel();
    *RAN.lock().unwrap() = Some(tell);
    // An hour takes a tenth of a second.
    let host = Host::builder([hourly()]).temporary_journal().follow_schedules(true).speed(36_000).start().await.unwrap();
    let (first, second) = (ran.recv().await.unwrap(), ran.recv().await.unwrap());
    assert_ne!(first, second);
    let runs = host.read(|journal| journal.runs(&RunFilter::new().pipeline("hourly"))).await.unwrap();
    assert!(runs.len() >= 2 && runs.iter().all(|run| run.kind().name() == "scheduled"), "{runs:?}");
    host.shutdown().await.unwrap();
}
