//! Exercise 2 on an S3 API: with another URL the same pipelines have the same outcomes and leave the same objects.

use std::collections::BTreeMap;
use std::path::Path;

use pipeline_examples::cloud_data_pipeline::mock_s3::{
    CONFIG, CRITICAL_DATA, CUSTOMERS, DAILY_EXPORT, MockS3, TRANSACTIONS, VALIDATION,
};
use pipeline_examples::cloud_data_pipeline::pipelines::Options;
use pipeline_examples::cloud_data_pipeline::pipelines::advanced::advanced_cloud_sensors;
use pipeline_examples::cloud_data_pipeline::pipelines::daily_export::cloud_data_pipeline;
use pipeline_examples::cloud_data_pipeline::pipelines::multi_bucket::multi_bucket_pipeline;
use pipeline_runtime::{Bucket, RunReport, RunState, Simulation};

use crate::cases::Tested;
use crate::server::Server;

const BUCKETS: [&str; 4] = ["data-bucket", "config-bucket", "logs-bucket", "enterprise-bucket"];
const DATE: &str = "2024-03-25";

/// Runs the three tasks' pipelines, while their files arrive late. `url` makes the URL of a bucket or an object.
fn run(store: &str, url: impl Fn(&str) -> String) -> Vec<RunReport> {
    let day = DATE.parse().unwrap_or_default();
    let arrivals = [
        ("100s", DAILY_EXPORT),
        ("10s", CONFIG),
        ("40s", TRANSACTIONS),
        ("100s", CUSTOMERS),
        ("220s", VALIDATION),
        ("150s", CRITICAL_DATA),
    ];
    let pipelines = [cloud_data_pipeline(), multi_bucket_pipeline(), advanced_cloud_sensors()];
    let run = |pipeline| {
        let simulation = Simulation::new(pipeline).params(Options { store: store.to_owned() }).logical_date(DATE);
        let arriving = |simulation: Simulation<'static>, (when, file): &(&str, _)| {
            let file: &pipeline_examples::cloud_data_pipeline::mock_s3::MockFile = file;
            simulation.arrive(when, &url(&format!("{}/{}", file.bucket, file.key(day))), file.contents)
        };
        arrivals.iter().fold(simulation, arriving).run()
    };
    pipelines.into_iter().map(run).collect()
}

/// Everything in the buckets, read outside of the simulation.
fn contents(url: impl Fn(&str) -> String) -> Result<BTreeMap<String, String>, Box<dyn std::error::Error>> {
    let read = async {
        let mut contents = BTreeMap::new();
        for name in BUCKETS {
            let bucket = Bucket::open(&url(name))?;
            for object in bucket.list("").await? {
                let text = String::from_utf8(bucket.get(&object.key).await?.into())?;
                contents.insert(format!("{name}/{}", object.key), text);
            }
        }
        Ok(contents)
    };
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(read)
}

#[test]
fn the_same_pipelines_run_on_another_url() -> Tested {
    let threads = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let server = threads.block_on(Server::start())?;
    for bucket in BUCKETS {
        server.make(bucket)?;
    }
    let on_s3 = run(&server.url(""), |path| server.url(path));

    let folder = tempfile::tempdir()?;
    let mock = MockS3::create(folder.path())?;
    let in_folder = |path: &str| format!("file://{}", folder.path().join(Path::new(path)).display());
    let on_disk = run(&mock.store(), in_folder);

    for (s3, disk) in on_s3.iter().zip(&on_disk) {
        assert_eq!(s3.state(), RunState::Success, "{}", s3.timeline());
        // The warnings below the timelines name the buckets, which differ.
        let waits = |report: &RunReport| {
            report.timeline().lines().take_while(|line| !line.starts_with("warning: ")).map(str::to_owned).collect::<Vec<_>>()
        };
        assert_eq!(waits(s3), waits(disk), "waits of the same length");
        assert!(!s3.timeline().contains("secret_access_key"), "{}", s3.timeline());
    }
    let left = contents(|path| server.url(path))?;
    assert_eq!(left, contents(in_folder)?);
    for key in ["data-bucket/archive/daily_export_20240325.json", "data-bucket/processed/transactions_20240325.csv"] {
        assert!(left.contains_key(key), "{left:?}");
    }
    Ok(())
}
