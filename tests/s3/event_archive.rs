//! Exercise 5 on an S3 API: three consecutive intervals, with files on time and late; the requests to the store, and a store that
//! fails.

use std::collections::BTreeMap;
use std::error::Error;
use std::fs;
use std::io::{Read, Write};
use std::path::Path;

use flate2::Compression;
use flate2::read::MultiGzDecoder;
use flate2::write::GzEncoder;
use hyper::StatusCode;
use pipeline_examples::event_archive::layout::Hour;
use pipeline_examples::event_archive::pipeline::{Options, event_archive};
use pipeline_examples::event_archive::seed;
use pipeline_runtime::cli::{Progress, Runner, RunnerError};
use pipeline_runtime::{Bucket, RunReport, RunState};

use crate::cases::Tested;
use crate::conditions::{has_none, ignores_all, like, reads_bare_etags};
use crate::server::{Fault, Like, Server};

const INTERVALS: [&str; 3] = ["2021-09-01T07:00:00Z", "2021-09-01T07:30:00Z", "2021-09-01T08:00:00Z"];

/// A server with the two buckets. The source files are written to its folder, so they have the times of the seed.
struct Fixture {
    server: Server,
    source: std::path::PathBuf,
    journal: tempfile::TempDir,
}

impl Fixture {
    async fn start() -> Result<Self, Box<dyn Error>> {
        Self::on(Like::default()).await
    }

    async fn on(like: Like) -> Result<Self, Box<dyn Error>> {
        let server = Server::like(like).await?;
        server.make("target-bucket")?;
        let source = server.make("source-bucket")?;
        Ok(Self { server, source, journal: tempfile::tempdir()? })
    }

    async fn seed(&self, interval: u8) -> Tested {
        let source = format!("file://{}", self.source.display());
        let seed = seed::Command { source, date: "2021-09-01".parse()?, interval: Some(interval) };
        seed.run(&mut Vec::new()).await.map_err(|error| error.to_string().into())
    }

    fn options(&self) -> Options {
        let url = |bucket| self.server.url(bucket);
        Options { source: url("source-bucket"), target: url("target-bucket"), ..Options::default() }
    }

    /// Runs an interval, on threads of its own as the command line does.
    async fn run(&self, interval: u8, speed: u32) -> Result<RunReport, Box<dyn Error>> {
        let options = self.options();
        let journal = self.journal.path().join("journal.db");
        let run = move || {
            let runner =
                Runner::new().pipeline(event_archive(), options).progress(Progress::Silent).journal(journal).speed(speed);
            runner.logical_date(INTERVALS[usize::from(interval) - 1]).run().map(|finished| finished.into_reports().remove(0))
        };
        on_a_thread(run).await
    }

    /// The rows of each archive, sorted, read through the API.
    async fn archived(&self) -> Result<BTreeMap<String, Vec<String>>, Box<dyn Error>> {
        let target = Bucket::open(&self.server.url("target-bucket"))?;
        let mut archives = BTreeMap::new();
        for object in target.list("target/").await? {
            let mut rows = String::new();
            MultiGzDecoder::new(&target.get(&object.key).await?[..]).read_to_string(&mut rows)?;
            archives.insert(object.key, sorted(&rows));
        }
        Ok(archives)
    }

    /// The expected rows: every row of every source file once, and one header row per archive.
    fn expected(&self) -> Result<BTreeMap<String, Vec<String>>, Box<dyn Error>> {
        let mut rows = BTreeMap::<String, Vec<String>>::new();
        for event in children(&self.source.join("source"))? {
            for file in children(&event.join("2021-09-01"))? {
                let key = file.strip_prefix(&self.source)?.to_string_lossy().into_owned();
                let (text, archive) = (fs::read_to_string(file)?, rows.entry(Hour::of(&key)?.0.to_string()).or_default());
                archive.extend(text.lines().skip(usize::from(!archive.is_empty())).map(str::to_owned));
            }
        }
        for rows in rows.values_mut() {
            rows.sort();
        }
        Ok(rows)
    }
}

/// Runs on a thread of its own, as a runner cannot start within another runtime.
async fn on_a_thread(run: impl FnOnce() -> Result<RunReport, RunnerError> + Send + 'static) -> Result<RunReport, Box<dyn Error>> {
    let (tell, told) = tokio::sync::oneshot::channel();
    std::thread::spawn(move || drop(tell.send(run())));
    Ok(told.await??)
}

fn children(folder: &Path) -> Result<Vec<std::path::PathBuf>, std::io::Error> {
    fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect()
}

fn sorted(rows: &str) -> Vec<String> {
    let mut rows: Vec<String> = rows.lines().map(str::to_owned).collect();
    rows.sort();
    rows
}

/// The number of requests with this method whose line contains `part`.
fn count(asked: &[String], method: &str, part: &str) -> usize {
    asked.iter().filter(|line| line.starts_with(method) && line.contains(part)).count()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_intervals_in_a_row_archive_each_row_once() -> Tested {
    let fixture = Fixture::start().await?;
    // Archives are also fetched if files of the hour before are listed again.
    for (interval, changed, fetched) in [(1, 3, 3), (2, 3, 4), (3, 5, 8)] {
        fixture.seed(interval).await?;
        fixture.server.requests();
        let report = fixture.run(interval, 1).await?;
        assert_eq!(report.state(), RunState::Success, "{}", report.timeline());
        let asked = fixture.server.requests();
        println!("interval {interval}: {} requests", asked.len());
        assert_eq!(count(&asked, "PUT", "/target-bucket/target/"), changed, "only archives that change are written: {asked:#?}");
        assert_eq!(count(&asked, "GET", "/target-bucket/target/"), fetched, "{asked:#?}");
        assert_eq!(fixture.server.probed().len(), usize::from(interval == 1), "the store is asked once what it keeps");
        assert_eq!(fixture.archived().await?, fixture.expected()?);
    }
    Ok(())
}

/// Existing contents are neither fetched nor sent again once the archive has an index. Other writers' archives and those of
/// earlier versions have none.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_late_file_for_a_large_archive_costs_the_file() -> Tested {
    let fixture = Fixture::start().await?;
    let key = "target/customer_order_event/2021-09-01/06.csv.gz";
    let mut theirs = GzEncoder::new(Vec::new(), Compression::none());
    theirs.write_all(b"id,event,at\n")?;
    theirs.write_all("theirs\n".repeat(1 << 20).as_bytes())?;
    let target = Bucket::open(&fixture.server.url("target-bucket"))?;
    target.put(key, theirs.finish()?).await?;
    fixture.seed(1).await?;
    assert_eq!(fixture.run(1, 1).await?.state(), RunState::Success);
    let late = fixture.source.join("source/customer_order_event/2021-09-01/06_59_late.csv");
    fs::write(late, "id,event,at\nlate,customer_order_event,06_59\n")?;
    fixture.server.requests();
    fixture.server.transferred();
    let report = fixture.run(2, 1).await?;
    assert_eq!(report.state(), RunState::Success, "{}", report.timeline());
    let (asked, transferred) = (fixture.server.requests(), fixture.server.transferred());
    let of_archive: Vec<_> = asked.iter().filter(|line| line.contains(key)).collect();
    assert_eq!(of_archive.len(), 6, "its end, a begin, a copy, a part, an end and a look: {of_archive:#?}");
    // The bytes of its end, of the listings, and of the files of the hour before.
    assert!(transferred < 512 << 10, "{transferred} bytes");
    println!("a late file for an archive of 7 MiB: {} requests, {transferred} bytes", asked.len());
    let mut rows = String::new();
    MultiGzDecoder::new(&target.get(key).await?[..]).read_to_string(&mut rows)?;
    assert_eq!(rows.matches("theirs\n").count(), 1 << 20);
    assert!(rows.ends_with("-2,customer_order_event,06_58\nlate,customer_order_event,06_59\n"), "{}", &rows[rows.len() - 200..]);
    assert_eq!((rows.matches("id,event,at").count(), rows.matches("_file_40-").count()), (1, 2));
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_that_fails_now_and_then_doubles_and_loses_nothing() -> Tested {
    let fixture = Fixture::start().await?;
    fixture.seed(1).await?;
    fixture.run(1, 1).await?;
    fixture.seed(2).await?;
    fixture.seed(3).await?;
    // Downloads break off half-way; of the uploads one loses its answer and one is refused.
    fixture.server.meet("GET /target-bucket/target/", [Fault::CutBody(100), Fault::Drop]);
    fixture
        .server
        .meet("GET /source-bucket/source/", [Fault::Status(StatusCode::SERVICE_UNAVAILABLE, "SlowDown"), Fault::CutBody(3)]);
    fixture.server.meet(
        "PUT /target-bucket/target/",
        [Fault::LoseAnswer, Fault::Status(StatusCode::INTERNAL_SERVER_ERROR, "InternalError")],
    );
    // If tasks are retried as well, their delays pass a hundred times as fast.
    let report = fixture.run(3, 100).await?;
    assert_eq!(report.state(), RunState::Success, "{}", report.timeline());
    assert_eq!(fixture.server.pending_faults(), 0, "all of the faults were met");
    assert_eq!(fixture.archived().await?, fixture.expected()?);
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_runs_of_an_interval_at_once_archive_each_row_once() -> Tested {
    let fixture = Fixture::start().await?;
    for interval in 1..=3 {
        fixture.seed(interval).await?;
    }
    let options = fixture.options();
    let run = || {
        let options = options.clone();
        on_a_thread(move || {
            let runner = Runner::new().pipeline(event_archive(), options).progress(Progress::Silent).logical_date(INTERVALS[0]);
            runner.run().map(|finished| finished.into_reports().remove(0))
        })
    };
    let (one, two) = tokio::join!(run(), run());
    for report in [one?, two?] {
        assert_eq!(report.state(), RunState::Success, "{}", report.timeline());
    }
    assert_eq!(fixture.archived().await?, fixture.expected()?);
    Ok(())
}

/// Like Ceph 16, where conditions must be written differently.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_etags_are_spelled_otherwise_each_row_is_archived_once() -> Tested {
    let fixture = Fixture::on(like(reads_bare_etags)).await?;
    for interval in 1..=3 {
        fixture.seed(interval).await?;
        let report = fixture.run(interval, 1).await?;
        assert_eq!(report.state(), RunState::Success, "{}", report.timeline());
        assert_eq!(fixture.archived().await?, fixture.expected()?);
    }
    Ok(())
}

/// If two runs wrote an archive, one could lose its rows, so none is written. Another attempt would not help.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_a_store_has_no_conditions_the_run_fails_at_once_and_says_so() -> Tested {
    for (manner, word) in
        [(ignores_all as crate::server::Manner, "ignores `If-None-Match`"), (has_none, "refuses `If-None-Match`")]
    {
        let fixture = Fixture::on(like(manner)).await?;
        fixture.seed(1).await?;
        let report = fixture.run(1, 1).await?;
        assert_eq!(report.state(), RunState::Failed);
        let node = report.node("archive_hour[0][0]");
        assert_eq!(node.attempts(), 1);
        let error = node.error().unwrap_or_default();
        assert!(error.contains(word) && error.contains("`?conditions=none`"), "{error}");
        assert!(fixture.archived().await?.is_empty());
    }
    Ok(())
}
