//! The pipeline: every half an hour, what is new of every event goes into the archives of its hours.

use super::hour::Archives;
use super::layout::{Hour, SOURCE};
use chrono::TimeDelta;
use pipeline_runtime::prelude::*;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Where events arrive unless somebody says otherwise.
pub const DEFAULT_SOURCE: &str = "file:///tmp/mock-s3/source-bucket";
/// Where archives are written unless somebody says otherwise.
pub const DEFAULT_TARGET: &str = "file:///tmp/mock-s3/target-bucket";

/// What a run may be told with `--param`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Options {
    /// The URL of the bucket that events arrive in.
    pub source: String,
    /// The URL of the bucket that archives are written to; may be the same.
    pub target: String,
    /// What becomes of a file whose header row is not that of its archive.
    pub header: OtherHeader,
}

/// What becomes of a file whose header row is not that of its archive, which is the first file's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OtherHeader {
    /// It goes to an archive of its header, beside the hour's: `07-8c1f02d3.csv.gz`.
    Apart,
    /// The hour fails, and nothing of it is archived.
    Fail,
    /// Nobody looks: files are archived as they are, as is right for those without a header row.
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
    /// The hour that they belong to.
    pub hour: Hour,
    /// They, by name.
    pub files: Files,
}

/// Files by name, each with a digest of its version. An interval may have a hundred thousand, which are held and kept as one text.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Files(String);

impl Files {
    fn push(&mut self, name: &str, version: &str) {
        // No key has a control character.
        self.0.extend([name, "\t", &digest(version), "\n"]);
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.0.lines().count()
    }

    /// The name of each, without the folder, and the digest of its version.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.lines().filter_map(|line| line.split_once('\t'))
    }
}

/// As good as never the same for two versions of a file; shorter than they are (FNV-1a).
pub(super) fn digest(version: &str) -> String {
    let hash = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    format!("{:x}", version.bytes().fold(0xcbf2_9ce4_8422_2325, hash))
}

/// What became of an hour's archive.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Archived {
    /// Its key.
    pub archive: String,
    /// How many files were added to it.
    pub added: usize,
    /// How many of the new files it had already, so that it was left as it is.
    pub known: usize,
    /// Its size in bytes.
    pub size: u64,
    /// The keys of the hour's archives for files with another header row.
    #[serde(default)]
    pub apart: Vec<String>,
}

/// What became of an event's new files.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventReport {
    /// The event.
    pub event: String,
    /// The archives that its files belong to, in the order of their hours.
    pub archives: Vec<Archived>,
}

/// Finds the events: the folders that there are under `source/`. A new event needs no change here.
#[task]
pub async fn list_events(source: Bucket) -> Result<Vec<String>> {
    let folders = source.list_prefixes(SOURCE).await?;
    let events = folders.iter().filter_map(|folder| folder.strip_prefix(SOURCE)?.strip_suffix('/'));
    let events: Vec<String> = events.map(str::to_owned).collect();
    tracing::info!("{} event(s): {}", events.len(), events.join(", "));
    Ok(events)
}

/// How far a listing reaches back into what was listed before. A store may show a file later than its time says: its clock is behind, or
/// an upload in parts has the time at which it began. What is found a second time is in its archive already.
const OVERLAP: TimeDelta = TimeDelta::hours(1);

/// Lists the event's files that were written since the last interval whose run succeeded, on time or late, and in the hour before.
#[task]
pub async fn list_new_files(ctx: Context, source: Bucket, event: String) -> Result<Vec<NewFiles>> {
    let since = ctx.prev_data_interval_end_success().unwrap_or(ctx.data_interval_start()) - OVERLAP;
    // As they come: there may be very many, of which most are old.
    let mut found = source.list_stream(&format!("{SOURCE}{event}/"))?.modified_since(since);
    let (mut hours, mut count) = (BTreeMap::<Hour, Files>::new(), 0);
    while let Some(object) = found.try_next().await? {
        match Hour::of(&object.key) {
            Ok((hour, name)) => {
                hours.entry(hour).or_default().push(name, &version(&object));
                count += 1;
            }
            Err(error) => tracing::warn!("left where it is: {error}"),
        }
    }
    tracing::info!("{count} file(s) of {} hour(s) since {}", hours.len(), since.format("%F %T"));
    Ok(hours.into_iter().map(|(hour, files)| NewFiles { hour, files }).collect())
}

/// How many hours are added to at once: what an archive holds is in memory while it is added to.
static ARCHIVES: Pool = Pool::new("archives", 4);

/// Adds an hour's new files to its archive: fetches it, appends what it lacks, and writes it back if nobody else has meanwhile.
///
/// All in one task, since the archive that was fetched is no longer the one to replace once another run has written it: then all of
/// it is done again, with theirs.
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
        tracing::info!("{key} was written by somebody else meanwhile; adding to theirs");
    }
    Err(format!("{key} was written by somebody else {ROUNDS} times while this attempt added to it").into())
}

/// How often an attempt begins anew because somebody else has written the archive.
const ROUNDS: usize = 5;

/// Brings an event's archives together.
#[task]
pub async fn report_event(event: String, archives: Vec<Archived>) -> Result<EventReport> {
    Ok(EventReport { event, archives })
}

/// Tells what became of all events, whatever that is.
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

/// Every half an hour, puts what is new of every event into the archives of its hours.
///
/// One run at a time, and all intervals that were missed.
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

/// What tells a file from other contents that were, or will be, at its key.
pub(super) fn version(object: &Object) -> String {
    object.etag.clone().unwrap_or_else(|| format!("{}-{}", object.last_modified.to_rfc3339(), object.size))
}
