use crate::figures::figure;
use crate::support::{DAY, in_memory, seconds};
use pipeline_examples::cloud_data_pipeline::domain::export::Summary;
use pipeline_examples::cloud_data_pipeline::mock_s3::{DAILY_EXPORT, REGIONS};
use pipeline_examples::cloud_data_pipeline::pipelines::multi_region::multi_region_pipeline;
use pipeline_runtime::{NodeState, Object, RunReport, RunState, Simulation};

fn bucket(region: &str) -> String {
    format!("memory://data-bucket-{region}")
}

/// The three regions with their latencies.
fn regions<'a>() -> Simulation<'a> {
    let latencies = ["50ms", "2s", "12s"];
    let regions = REGIONS.into_iter().zip(latencies);
    regions.fold(in_memory(multi_region_pipeline()), |so_far, (region, latency)| so_far.latency(&bucket(region), latency))
}

/// The export arrives in that region at that time.
fn arrives<'a>(simulation: Simulation<'a>, when: &str, region: &str) -> Simulation<'a> {
    simulation.arrive(when, &format!("{}/{}", bucket(region), DAILY_EXPORT.key(DAY)), DAILY_EXPORT.contents)
}

/// The region whose export was used, and when it was found.
fn winner(report: &RunReport) -> String {
    assert_eq!(report.state(), RunState::Success, "{}", report.timeline());
    let export = report.output::<Object>("nearest").unwrap();
    let summary = report.output::<Summary>("process_nearest").unwrap();
    assert_eq!((summary.records, summary.export), (1, format!("{}/{}", export.bucket, export.key)));
    let sensor = export.bucket.trim_start_matches("data-bucket-").replace('-', "_");
    let cut_off = REGIONS.iter().filter(|region| report.node(&region.replace('-', "_")).state() == NodeState::Skipped).count();
    assert_eq!(cut_off, 2, "nobody waits for the others\n{}", report.timeline());
    format!("{sensor} at {:.2} s", report.node(&sensor).finished().unwrap().as_secs_f64())
}

#[test]
fn of_all_regions_that_have_the_file_the_fastest_wins() {
    let report = REGIONS.into_iter().fold(regions(), |so_far, region| arrives(so_far, "3m", region)).run();
    figure!(format!("there everywhere at 180 s, latencies 50 ms, 2 s and 12 s: {}", winner(&report)));
}

#[test]
fn a_slow_region_wins_if_it_alone_has_the_file() {
    let report = arrives(arrives(regions(), "3m", "ap-southeast-1"), "10m", "eu-west-1").run();
    figure!(format!("only there at 180 s, latency 12 s: {}", winner(&report)));
}

#[test]
fn an_outage_of_the_fastest_region_hands_over_to_the_next() {
    let everywhere = REGIONS.into_iter().fold(regions(), |so_far, region| arrives(so_far, "3m", region));
    let report = everywhere.outage(&bucket("eu-west-1"), "0s", "10m").run();
    assert_eq!(report.node("eu_west_1").attempts(), 4, "asked again each minute\n{}", report.timeline());
    figure!(format!("eu_west_1 down from 0 s to 600 s: {}", winner(&report)));
}

#[test]
fn an_outage_that_passes_costs_nothing_but_time() {
    let alone = arrives(regions(), "3m", "eu-west-1");
    let report = alone.outage(&bucket("eu-west-1"), "0s", "10m").run();
    figure!(format!("eu_west_1 alone has it, and is down from 0 s to 600 s: {}", winner(&report)));
}

#[test]
fn without_the_file_in_any_region_the_run_fails_after_half_an_hour() {
    let report = regions().outage(&bucket("us-east-1"), "0s", "2h").run();
    assert_eq!(report.state(), RunState::Failed);
    assert_eq!(report.node("eu_west_1").finished(), Some(seconds(1800) + std::time::Duration::from_millis(50)));
    assert_eq!(report.node("process_nearest").state(), NodeState::UpstreamFailed);
}
