//! `docs/teardown.md`

use pipeline_runtime::prelude::*;

#[task]
async fn machine(size: String) -> Result<String> {
    Ok(size)
}
#[task]
async fn delete_machine(machine: String) -> Result<()> {
    drop(machine);
    Ok(())
}
#[task]
async fn train(machine: String) -> Result<u64> {
    Ok(machine.len() as u64)
}
#[task]
async fn upload_logs(machine: String) -> Result<()> {
    drop(machine);
    Ok(())
}
#[task]
async fn publish(score: u64) -> Result<u64> {
    Ok(score)
}

#[pipeline]
fn training() {
    let options = "large".to_owned();
    let score = machine(&options).teardown(delete_machine, |machine| {
        let trained = train(machine);
        upload_logs(machine);
        trained
    });
    publish(score);
}

#[test]
fn the_machine_is_deleted() {
    let report = pipeline_runtime::Simulation::new(training()).run();
    assert_eq!(report.node("delete_machine").state(), pipeline_runtime::NodeState::Success, "{}", report.timeline());
}
