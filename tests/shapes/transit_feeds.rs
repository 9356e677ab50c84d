//! Feeds of hundreds of agencies, each downloaded, unzipped and validated by itself; if too many fail, the whole fails.

use pipeline_runtime::Command;
use pipeline_runtime::prelude::*;
use serde::{Deserialize, Serialize};

const CHAT: Webhook = Webhook::env("CHAT_URL").slack();
static AGENCIES: Pool = Pool::new("agencies", 16);
static VALIDATORS: Pool = Pool::new("validators", 4);

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Feed {
    name: String,
    url: String,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Download {
    feed: String,
    key: String,
    bytes: u64,
}

/// Either the whole list is downloaded, or only the requested feeds.
#[derive(Clone, Serialize, Deserialize, Branch)]
enum Selection {
    All,
    Some(Vec<Feed>),
}

#[derive(Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Options {
    only: Vec<Feed>,
}

/// A run that a newer one has overtaken downloads nothing, as agencies only have their present feed.
#[branch]
async fn selection(ctx: Context, only: Vec<Feed>) -> Result<Selection> {
    match (ctx.is_latest(), only.is_empty()) {
        (false, _) => Err(TaskError::skip("a newer run downloads them")),
        (true, true) => Ok(Selection::All),
        (true, false) => Ok(Selection::Some(only)),
    }
}

#[task(retries = 1, retry_delay = "10s")]
async fn list_feeds(ctx: Context) -> Result<Vec<Feed>> {
    Command::new("bq").args(["query", "SELECT name, url FROM feeds"]).run(&ctx).await?.output_json()
}

#[task(pool = AGENCIES, timeout = "5m", on_failure = none)]
async fn download(ctx: Context, raw: Bucket, feed: Feed) -> Result<Download> {
    let key = format!("{}/{}.zip", ctx.data_interval_start().format("%FT%T"), feed.name);
    let bytes = fetch(&feed)?;
    raw.put(&key, bytes.clone()).await?;
    Ok(Download { feed: feed.name, key, bytes: bytes.len() as u64 })
}

/// The agency's answer; a feed without a URL has moved.
fn fetch(feed: &Feed) -> Result<Vec<u8>> {
    if feed.url.is_empty() { Err(format!("{}: 404", feed.name).into()) } else { Ok(feed.url.clone().into_bytes()) }
}

#[task(timeout = "10m")]
async fn unzip(raw: Bucket, download: Download) -> Result<Vec<String>> {
    let text = String::from_utf8_lossy(&raw.get(&download.key).await?).into_owned();
    Ok(text.split('/').map(str::to_owned).collect())
}

#[task(pool = VALIDATORS, timeout = "30m")]
async fn validate(download: Download) -> Result<u64> {
    Ok(download.bytes % 7)
}

#[task]
async fn parse(files: Vec<String>) -> Result<u64> {
    Ok(files.len() as u64)
}

/// A tenth of the feeds may be down on any day.
#[task]
async fn enough(downloads: Vec<Outcome<Download>>) -> Result<usize> {
    let failed = downloads.iter().filter(|download| matches!(download, Outcome::Failed(_))).count();
    if failed * 10 > downloads.len() {
        Err(TaskError::fatal(format!("{failed} of {} feeds", downloads.len())))
    } else {
        Ok(failed)
    }
}

#[task]
async fn summarise(notices: Vec<Option<u64>>, rows: Vec<Outcome<u64>>) -> Result<u64> {
    let rows: u64 = rows.into_iter().filter_map(Outcome::success).sum();
    Ok(notices.into_iter().flatten().sum::<u64>() + rows)
}

#[pipeline(schedule = "0 3 * * *", start = "2024-01-01", catchup = true, defaults(retries = 1, retry_delay = "10s", on_failure = CHAT))]
fn feeds(options: Options) -> Result<()> {
    let raw = Bucket::open("memory://raw")?;
    let SelectionArms { all, some } = selection(options.only);
    let feeds = first_of([list_feeds().after(all), some]).keyed(|feed| feed.name.clone());
    let (downloads, notices, rows) = feeds.each(|feed| {
        let download = download(&raw, feed);
        (download, validate(download), parse(unzip(&raw, download)))
    });
    summarise(notices.allow_failure(), rows).after(enough(downloads.allow_failure()));
    Ok(())
}

// ---- simulations

use super::support::*;

fn feed(name: &str, url: &str) -> Feed {
    Feed { name: name.into(), url: url.into() }
}

fn twelve(down: usize) -> Vec<Feed> {
    (0..12).map(|n| feed(&format!("agency_{n}"), if n < down { "" } else { "stops/trips" })).collect()
}

fn day(down: usize) -> Simulation<'static> {
    Simulation::new(feeds()).logical_date("2024-03-25").stub("list_feeds", twelve(down))
}

#[test]
fn every_feed_is_downloaded_unzipped_and_validated() {
    let report = day(0).run();
    succeeds(&report);
    assert_eq!(report.output("summarise"), Some(12 * (11 % 7) + 12 * 2u64));
    assert_eq!(report.node("parse[agency_7]").state(), Success);
}

#[test]
fn one_feed_that_is_down_is_no_failure_and_nobody_is_woken() {
    let report = day(1).run();
    succeeds(&report);
    assert_eq!(
        states(&report, ["download[agency_0]", "validate[agency_0]", "parse[agency_0]"]),
        [Failed, UpstreamFailed, UpstreamFailed]
    );
    assert_eq!((report.output("enough"), callbacks(&report)), (Some(1usize), vec![]));
}

#[test]
fn too_many_that_are_down_are_one_alert() {
    let report = day(2).run();
    assert_eq!((report.state(), states(&report, ["enough", "summarise"])), (RunState::Failed, [Failed, UpstreamFailed]));
    assert_eq!(callbacks(&report), ["on_failure of enough"]);
}

#[test]
fn a_download_is_tried_again() {
    let report = day(0).fail("download[agency_3]", 1, "reset by peer").run();
    succeeds(&report);
    assert_eq!(report.node("download[agency_3]").attempts(), 2);
}

#[test]
fn what_somebody_asks_for_is_all_that_is_downloaded() {
    let report = day(0).params(Options { only: vec![feed("ferry", "stops")] }).run();
    succeeds(&report);
    assert_eq!((report.node("list_feeds").state(), report.output::<usize>("enough")), (Skipped, Some(0)));
}
