use crate::figures::figure;
use crate::support::{in_memory, seconds};
use pipeline_examples::cloud_data_pipeline::pipelines::prefix::prefix_pipeline;
use pipeline_runtime::{NodeState, Object, RunState};

#[test]
fn any_file_with_the_prefix_ends_the_wait_and_all_of_them_are_taken() {
    let report = in_memory(prefix_pipeline())
        .arrive("0s", "memory://data-bucket/raw/events_20240324_2300.json", "yesterday")
        .arrive("50s", "memory://data-bucket/raw/events_20240325_0700.json", "seven")
        .arrive("60s", "memory://data-bucket/raw/events_20240325_late/b.json", "b")
        .run();
    assert_eq!(report.state(), RunState::Success, "{}", report.timeline());
    let parts = report.output::<Vec<Object>>("any_events").unwrap();
    let keys: Vec<&str> = parts.iter().map(|part| part.key.as_str()).collect();
    assert_eq!(keys, ["raw/events_20240325_0700.json", "raw/events_20240325_late/b.json"]);
    assert_eq!(report.output::<usize>("total_length"), Some("seven".len() + "b".len()));
    let found = report.node("any_events").finished().unwrap();
    figure!(format!("first file at 50 s, {} files found by the poke at {} s", keys.len(), found.as_secs()));
}

#[test]
fn no_file_with_the_prefix_times_out() {
    let report =
        in_memory(prefix_pipeline()).arrive("0s", "memory://data-bucket/raw/events_20240324_2300.json", "yesterday").run();
    let sensor = report.node("any_events");
    assert_eq!((sensor.state(), sensor.finished()), (NodeState::Failed, Some(seconds(600))));
    assert_eq!(report.node("total_length").state(), NodeState::UpstreamFailed);
}
