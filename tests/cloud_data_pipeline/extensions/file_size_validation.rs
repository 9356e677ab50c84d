use crate::figures::figure;
use crate::support::{in_memory, seconds};
use pipeline_examples::cloud_data_pipeline::pipelines::file_size::{MIN_BYTES, file_size_pipeline};
use pipeline_runtime::{NodeState, Object, RunState, Simulation};

const UPLOAD: &str = "memory://data-bucket/raw/upload_20240325.bin";

/// The upload has grown to that many bytes by then.
fn grows<'a>(simulation: Simulation<'a>, when: &str, bytes: usize) -> Simulation<'a> {
    simulation.arrive(when, UPLOAD, vec![7; bytes])
}

#[test]
fn a_file_that_is_too_small_is_waited_for() {
    let uploads = [("0s", 1), ("45s", 1023), ("100s", 1024)];
    let report =
        uploads.into_iter().fold(in_memory(file_size_pipeline()), |so_far, (when, bytes)| grows(so_far, when, bytes)).run();
    assert_eq!(report.state(), RunState::Success, "{}", report.timeline());
    let sensor = report.node("large_enough");
    assert_eq!(report.output::<Object>("large_enough").unwrap().size, MIN_BYTES);
    let found = sensor.finished().unwrap();
    figure!(format!("1023 bytes at 45 s are too few, 1024 at 100 s are found at {} s", found.as_secs()));
}

#[test]
fn a_file_that_still_grows_is_waited_for_until_two_minutes_after_its_last_change() {
    let uploads = [("0s", 2000), ("70s", 3000), ("140s", 4000)];
    let report =
        uploads.into_iter().fold(in_memory(file_size_pipeline()), |so_far, (when, bytes)| grows(so_far, when, bytes)).run();
    assert_eq!(report.state(), RunState::Success, "{}", report.timeline());
    assert_eq!(report.node("large_enough").finished(), Some(seconds(0)));
    assert_eq!(report.output::<Object>("take_whole").unwrap().size, 4000);
    let unchanged = report.node("unchanged").finished().unwrap();
    figure!(format!("last change at 140 s, seen at 150 s, whole at {} s", unchanged.as_secs()));
}

#[test]
fn a_file_that_never_grows_large_enough_times_out() {
    let report = grows(in_memory(file_size_pipeline()), "0s", 1023).run();
    let sensor = report.node("large_enough");
    assert_eq!((sensor.state(), sensor.finished()), (NodeState::Failed, Some(seconds(900))));
    assert_eq!(report.node("take_whole").state(), NodeState::UpstreamFailed);
}
