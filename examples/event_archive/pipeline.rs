//! The pipeline: every half hour, adds the new files of every event to the archives of their hours.

use super::hour::Archives;
use super::layout::{Hour, SOURCE};
use chrono::TimeDelta;
use pipeline_runtime::prelude::*;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The default bucket in which events arrive.
pub const DEFAULT_SOURCE: &str = "file:///tmp/mock-s3/source-bucket";
/// The default bucket to which archives are written.
pub const DEFAULT_TARGET: &str = "file:///tmp/mock-s3/target-bucket";

/// The params of a run, which `--param` sets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Options {
    /// The URL of the bucket in which events arrive.
    pub source: String,
    /// The URL of the bucket to which archives are written; may be the same.
    pub target: String,
    /// What to do with a file whose header row differs from its archive's.
    pub header: OtherHeader,
}

/// What to do with a file whose header row differs from its archive's, which is the first file's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OtherHeader {
    /// It goes to an archive for its header, beside the hour's: `07-8c1f02d3.csv.gz`.
    Apart,
    /// The hour fails, and none of its files are archived.
    Fail,
    /// Header rows are ignored: files are archived as they are, which is right for files without a header row.
    Keep,
}

impl Default for Options {
    fn default() -> Self {
        Self { source: DEFAULT_SOURCE.into(), target: DEFAULT_TARGET.into(), header: OtherHeader::Apart }
    }
}

/// The new files of an hour.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewFiles {
    /// The hour to which they belong.
    pub hour: Hour,
    /// The files, by name.
    pub files: Files,
}

/// Files by name, each with a digest of its version. There may be a hundred thousand in an interval, so they are stored as one
/// string.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Files(String);

impl Files {
    fn push(&mut self, name: &str, version: &str) {
        // No key contains a control character.
        self.0.extend([name, "\t", &digest(version), "\n"]);
    }

    /// The number of files.
    pub fn count(&self) -> usize {
        self.0.lines().count()
    }

    /// The name of each file, without its folder, and the digest of its version.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.lines().filter_map(|line| line.split_once('\t'))
    }
}

/// A digest that is shorter than the version and almost certainly unique to it (FNV-1a).
pub(super) fn digest(version: &str) -> String {
    let hash = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    format!("{:x}", version.bytes().fold(0xcbf2_9ce4_8422_2325, hash))
}

/// The result for an hour's archive.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Archived {
    /// Its key.
    pub archive: String,
    /// The number of files that were added to it.
    pub added: usize,
    /// The number of new files that it already contained.
    pub known: usize,
    /// Its size in bytes.
    pub size: u64,
    /// The keys of the hour's archives for files with another header row.
    #[serde(default)]
    pub apart: Vec<String>,
}

/// The result for an event's new files.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventReport {
    /// The event.
    pub event: String,
    /// The archives of its files, in the order of their hours.
    pub archives: Vec<Archived>,
}

/// Finds the events: the folders under `source/`. A new event needs no change here.
#[task]
pub async fn list_events(source: Bucket) -> Result<Vec<String>> {
    let folders = source.list_prefixes(SOURCE).await?;
    let events = folders.iter().filter_map(|folder| folder.strip_prefix(SOURCE)?.strip_suffix('/'));
    let events: Vec<String> = events.map(str::to_owned).collect();
    tracing::info!("{} event(s): {}", events.len(), events.join(", "));
    Ok(events)
}

/// How far a listing overlaps with the one before. A store may show a file later than its time says: its clock is behind, or an
/// upload in parts has the time of its beginning. A file that is found a second time is already in its archive.
const OVERLAP: TimeDelta = TimeDelta::hours(1);

/// Lists the event's files that were written since the last interval with a successful run, and in the hour before, whether on
/// time or late.
#[task]
pub async fn list_new_files(ctx: Context, source: Bucket, event: String) -> Result<Vec<NewFiles>> {
    let since = ctx.prev_data_interval_end_success().unwrap_or(ctx.data_interval_start()) - OVERLAP;
    // As a stream: there may be very many files, most of them old.
    let mut found = source.list_stream(&format!("{SOURCE}{event}/"))?.modified_since(since);
    let (mut hours, mut count) = (BTreeMap::<Hour, Files>::new(), 0);
    while let Some(object) = found.try_next().await? {
        match Hour::of(&object.key) {
            Ok((hour, name)) => {
                hours.entry(hour).or_default().push(name, &version(&object));
                count += 1;
            }
            Err(error) => tracing::warn!("ignored: {error}"),
        }
    }
    tracing::info!("{count} file(s) of {} hour(s) since {}", hours.len(), since.format("%F %T"));
    Ok(hours.into_iter().map(|(hour, files)| NewFiles { hour, files }).collect())
}

/// How many hours are processed at once: the list of an archive's contents is in memory meanwhile.
static ARCHIVES: Pool = Pool::new("archives", 4);

/// Adds an hour's new files to its archive: fetches it, appends the missing files, and writes it back unless another writer has
/// changed it.
///
/// This is one task, because a fetched archive must not be written back after another run has written it: then everything is
/// repeated with the other run's archive.
#[task(timeout = "30m", pool = ARCHIVES)]
pub async fn archive_hour(source: Bucket, target: Bucket, new: NewFiles, header: OtherHeader) -> Result<Archived> {
    let key = new.hour.to_string();
    let mut added = 0;
    for _ in 0..ROUNDS {
        let mut archives = Archives::fetch(&target, &new.hour, header).await?;
        for (name, version) in new.files.iter() {
            archives.add(&source, name, version).await?;
        }
        let written = archives.write().await?;
        added += written.added;
        if written.is_all {
            let known = new.files.count().saturating_sub(added);
            if added == 0 {
                tracing::info!("{key} has all {known} file(s)");
            }
            return Ok(Archived { archive: key, added, known, size: written.size, apart: written.apart });
        }
        tracing::info!("another writer has changed {key} meanwhile; adding to its version");
    }
    Err(format!("another writer changed {key} {ROUNDS} times while this attempt added to it").into())
}

/// How often an attempt starts over because another writer has changed the archive.
const ROUNDS: usize = 5;

/// Combines the results of an event's archives.
#[task]
pub async fn report_event(event: String, archives: Vec<Archived>) -> Result<EventReport> {
    Ok(EventReport { event, archives })
}

/// Reports the outcome of all events, whatever it is.
#[task]
pub async fn report(events: Vec<Outcome<EventReport>>) -> Result<String> {
    let (mut files, mut archives, mut failures) = (0, 0, Vec::new());
    for event in &events {
        match event {
            Outcome::Success(event) => {
                files += event.archives.iter().map(|archived| archived.added).sum::<usize>();
                archives += event.archives.iter().filter(|archived| archived.added > 0).count();
            }
            Outcome::Failed(failure) => failures.push(format!("`{}` failed: {}", failure.node(), failure.error())),
            Outcome::Skipped => {}
        }
    }
    let news = format!("{} event(s): {files} file(s) into {archives} archive(s)", events.len());
    let news = std::iter::once(news).chain(failures).collect::<Vec<_>>().join("; ");
    tracing::info!("{news}");
    Ok(news)
}

/// Every half hour, adds the new files of every event to the archives of their hours.
///
/// Runs one interval at a time, and catches up on all missed ones.
#[pipeline(
    schedule = "0/30 * * * *", start = "2026-11-01", catchup = true, max_active_runs = 1,
    defaults(retries = 3, backoff(start = "10s", max = "5m")), tags = ["exercise-5"]
)]
pub fn event_archive(options: Options) -> Result<()> {
    let (source, target) = (Bucket::open(&options.source)?, Bucket::open(&options.target)?);
    let events = list_events(&source).each(|event| {
        let hours = list_new_files(&source, event);
        report_event(event, hours.each(|new| archive_hour(&source, &target, new, options.header)))
    });
    report(events);
    Ok(())
}

/// Distinguishes a file from all other contents at its key.
pub(super) fn version(object: &Object) -> String {
    object.etag.clone().unwrap_or_else(|| format!("{}-{}", object.last_modified.to_rfc3339(), object.size))
}
