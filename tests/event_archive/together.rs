//! Two concurrent runs.

use super::figures::figure;
use super::support::{Buckets, INTERVALS};
use pipeline_examples::event_archive::pipeline::event_archive;
use pipeline_runtime::cli::{Progress, Runner};
use pipeline_runtime::{RunReport, RunState};
use std::sync::Barrier;

fn one_of_several(buckets: &Buckets, gate: &Barrier) -> RunReport {
    // Without a journal, as on two machines: the runs share only the archives.
    let runner = Runner::new().pipeline(event_archive(), buckets.options()).logical_date(INTERVALS[0]).progress(Progress::Silent);
    gate.wait();
    runner.run().unwrap().into_reports().remove(0)
}

#[test]
fn two_runs_of_an_interval_at_once_archive_each_row_once() {
    let times = 5;
    for _ in 0..times {
        let buckets = Buckets::new();
        (1..=3).for_each(|interval| buckets.seed(interval));
        // A file for an archive of its own, beside the hour's.
        buckets.write("source/customer_order_event/2021-09-01/07_59_file_50.csv", "id,event,at,total\n1,order,07_59,9\n");
        let gate = Barrier::new(2);
        let reports = std::thread::scope(|threads| {
            let runs = [(); 2].map(|()| threads.spawn(|| one_of_several(&buckets, &gate)));
            runs.map(|run| run.join().unwrap())
        });
        for report in &reports {
            assert_eq!(report.state(), RunState::Success, "{}", report.timeline());
        }
        assert_eq!(buckets.archived(), buckets.expected());
    }
    figure!(format!("{times} times 2 runs: each row once"));
}
