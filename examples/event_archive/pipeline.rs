//! The pipeline: every half an hour, what is new of every event goes into the archives of its hours.

use super::archive::{Archive, Source};
use super::layout::{Hour, SOURCE};
use chrono::TimeDelta;
use pipeline_runtime::prelude::*;
use pipeline_runtime::{BucketError, BucketErrorKind};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::io::{self, Read};

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
}

impl Default for Options {
    fn default() -> Self {
        Self { source: DEFAULT_SOURCE.into(), target: DEFAULT_TARGET.into() }
    }
}

/// The new files of an hour.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewFiles {
    /// The hour that they belong to.
    pub hour: Hour,
    /// They, by name.
    pub files: Vec<NewFile>,
}

/// A new file. An interval may have a hundred thousand, so that nothing is kept of one that need not be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewFile {
    /// Its name, without the folder.
    pub name: String,
    /// What tells it from other contents under that name.
    pub version: String,
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
    let found = source.modified_since(&format!("{SOURCE}{event}/"), since).await?;
    let (mut hours, mut count) = (BTreeMap::<Hour, Vec<NewFile>>::new(), 0);
    for object in &found {
        match Hour::of(&object.key) {
            Ok((hour, name)) => {
                hours.entry(hour).or_default().push(NewFile { name: name.to_owned(), version: version(object) });
                count += 1;
            }
            Err(error) => tracing::warn!("left where it is: {error}"),
        }
    }
    tracing::info!("{count} file(s) of {} hour(s) since {}", hours.len(), since.format("%F %T"));
    Ok(hours.into_iter().map(|(hour, files)| NewFiles { hour, files }).collect())
}

/// Adds an hour's new files to its archive: fetches it, appends what it lacks, and writes it back if nobody else has meanwhile.
///
/// All in one task, since the archive that was fetched is no longer the one to replace once another run has written it: then all of
/// it is done again, with theirs.
#[task(timeout = "30m")]
pub async fn archive_hour(source: Bucket, target: Bucket, new: NewFiles) -> Result<Archived> {
    let key = new.hour.to_string();
    for _ in 0..ROUNDS {
        let (mut archive, etag) = fetch(&target, &key).await?;
        let mut added = 0;
        for file in &new.files {
            let from = new.hour.source(&file.name);
            if !archive.holds(&from, &file.version) {
                let appended;
                (archive, appended) = append(archive, &source, &from).await?;
                added += usize::from(appended);
            }
        }
        let known = new.files.len() - added;
        if added == 0 {
            let (_, size) = archive.into_file()?;
            tracing::info!("{key} has all {known} file(s)");
            return Ok(Archived { archive: key, added, known, size });
        }
        tracing::info!("appended {added} file(s) to {key}");
        if let Some(object) = upload(&target, &key, archive, etag.as_deref()).await? {
            tracing::info!("uploaded {key}, {} bytes", object.size);
            return Ok(Archived { archive: key, added, known, size: object.size });
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
        report_event(event, hours.each(|new| archive_hour(&source, &target, new)))
    });
    report(events);
    Ok(())
}

/// Fetches an archive, and what tells whether it is still the same; an empty one if there is none yet.
async fn fetch(target: &Bucket, key: &str) -> Result<(Archive, Option<String>)> {
    let mut body = match target.get_stream(key).await {
        Ok(body) => body,
        Err(error) if error.kind() == BucketErrorKind::NoSuchKey => return Ok((Archive::new()?, None)),
        Err(error) => return Err(error.into()),
    };
    let etag = body.object().etag.clone();
    let size = body.object().size;
    let etag = etag.ok_or("the store gives no etags, so nobody could tell whether the archive was changed meanwhile")?;
    let mut file = tempfile::tempfile()?;
    while let Some(chunk) = body.chunk().await? {
        file = blocking(move || io::Write::write_all(&mut file, &chunk).map(|()| file)).await?;
    }
    let damaged = format!("{}/{key}", target.name());
    let archive = blocking(move || Archive::read(file)).await;
    let archive =
        archive.map_err(|error| TaskError::fatal(format!("{damaged} is no whole gzip file: {error}; it was left as it is")))?;
    tracing::info!("fetched {key}, {size} bytes with {} file(s)", archive.files());
    Ok((archive, Some(etag)))
}

/// Appends a file, as it is now, unless the archive has that version of it; and whether it did.
async fn append(archive: Archive, source: &Bucket, key: &str) -> Result<(Archive, bool)> {
    let mut body = source.get_stream(key).await?;
    let version = version(body.object());
    if archive.holds(key, &version) {
        return Ok((archive, false));
    }
    let held = Source { key: key.to_owned(), version, modified: body.object().last_modified };
    let mut appending = archive.append(held)?;
    let mut last = b'\n';
    while let Some(chunk) = body.chunk().await? {
        last = chunk.last().copied().unwrap_or(last);
        appending = blocking(move || appending.write(&chunk).map(|()| appending)).await?;
    }
    if last != b'\n' {
        tracing::warn!("{key} does not end with a line break, and is archived as it is: the next file begins in its last line");
    }
    Ok((blocking(move || appending.finish()).await?, true))
}

/// Writes the archive, if it is still the one that was fetched or is still missing; `None` if it is not.
async fn upload(target: &Bucket, key: &str, archive: Archive, etag: Option<&str>) -> Result<Option<Object>> {
    let begun = match etag {
        Some(etag) => target.put_stream_if_match(key, etag).await,
        None => target.put_stream_if_absent(key).await,
    };
    let Some(mut writer) = unless_changed(begun)? else { return Ok(None) };
    let (mut file, _) = archive.into_file()?;
    loop {
        let (rest, chunk) = blocking(move || {
            let mut chunk = Vec::with_capacity(CHUNK);
            (&mut file).take(CHUNK as u64).read_to_end(&mut chunk)?;
            Ok((file, chunk))
        })
        .await?;
        if chunk.is_empty() {
            return unless_changed(writer.finish().await);
        }
        writer.write(chunk).await?;
        file = rest;
    }
}

/// `None` for what was refused since the object is no longer what it was.
fn unless_changed<T>(done: Result<T, BucketError>) -> Result<Option<T>> {
    match done {
        Err(error) if matches!(error.kind(), BucketErrorKind::AlreadyExists | BucketErrorKind::PreconditionFailed) => Ok(None),
        done => Ok(Some(done?)),
    }
}

const CHUNK: usize = 256 * 1024;

/// What tells a file from other contents that were, or will be, at its key.
fn version(object: &Object) -> String {
    object.etag.clone().unwrap_or_else(|| format!("{}-{}", object.last_modified.to_rfc3339(), object.size))
}

/// Does work with files or with a compressor on a thread that may be blocked.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> io::Result<T> + Send + 'static) -> io::Result<T> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|error| Err(io::Error::other(error)))
}
