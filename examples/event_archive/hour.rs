//! The archives of one hour: fetched, added to, and written back unless another writer has changed them meanwhile.
//!
//! There is one archive, unless files have other header rows than the first file: each such row has an archive of its own, which
//! the hour's archive lists. It lists the archive before that is written, so that a reader of the hour's archive knows all of
//! them without a listing.

use super::archive::{Appending, Archive, Piece, Rows, Source};
use super::header::{HeaderRow, Start};
use super::index::TAIL;
use super::layout::Hour;
use super::pipeline::{OtherHeader, digest, version};
use bytes::Bytes;
use chrono::Utc;
use pipeline_runtime::prelude::*;
use pipeline_runtime::{BucketError, BucketErrorKind, ObjectReader, ObjectWriter};
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::ops::Range;

/// The archives of an hour, in their future state.
#[derive(Debug)]
pub(super) struct Archives {
    target: Bucket,
    hour: Hour,
    other: OtherHeader,
    /// The hour's own archive comes first.
    all: Vec<One>,
}

/// The result of writing them.
#[derive(Debug)]
pub(super) struct Written {
    /// True if all changed archives were written; false if another writer has written one meanwhile.
    pub(super) is_all: bool,
    /// The number of files that were added to the written archives.
    pub(super) added: usize,
    /// The size of the hour's own archive.
    pub(super) size: u64,
    /// The keys of the other archives.
    pub(super) apart: Vec<String>,
}

#[derive(Debug)]
struct One {
    key: String,
    archive: Archive,
    /// `None` if the archive does not exist yet.
    existing: Option<ExistingArchive>,
    added: usize,
    is_changed: bool,
}

/// The existing archive, which will be replaced.
#[derive(Debug)]
struct ExistingArchive {
    /// Identifies the version that was read.
    etag: String,
    size: u64,
    /// All of it, if it is small enough to have been read as a whole.
    whole: Option<Bytes>,
}

impl Archives {
    pub(super) async fn fetch(target: &Bucket, hour: &Hour, other: OtherHeader) -> Result<Self> {
        let rows = if other == OtherHeader::Keep { Rows::AsTheyAre } else { Rows::WithHeader };
        let mut all = vec![One::fetch(target, &hour.to_string(), rows).await?];
        for key in all[0].archive.apart().map(str::to_owned).collect::<Vec<_>>() {
            all.push(One::fetch(target, &key, rows).await?);
        }
        Ok(Self { target: target.clone(), hour: hour.clone(), other, all })
    }

    /// Appends a file in its current version, unless it is archived in the version with this digest. Other versions are removed,
    /// from whichever archive has them.
    pub(super) async fn add(&mut self, source: &Bucket, name: &str, version_digest: &str) -> Result<()> {
        let key = self.hour.source(name);
        let is_it = |one: &One| one.archive.version(&key).is_some_and(|held| digest(held) == version_digest);
        let holding = self.all.iter().position(is_it);
        if holding.is_some() && self.all.iter().filter(|one| one.archive.has(&key)).count() == 1 {
            return Ok(());
        }
        let mut body = source.get_stream(&key).await?;
        let version = version(body.object());
        if let Some(holding) = self.holding(&key, &version) {
            return self.remove(&key, holding).await;
        }
        let (row, begun) = if self.other == OtherHeader::Keep { (None, Bytes::new()) } else { header(&key, &mut body).await? };
        let into = self.archive_for(&key, row.as_ref()).await?;
        // `append` itself removes an earlier version from the archive that it adds to.
        self.remove(&key, into).await?;
        let mut one = self.all.remove(into);
        let held = Source { key: key.clone(), version, modified: body.object().last_modified };
        one.archive = write(&key, one.archive, (held, row), begun, body).await?;
        one.added += 1;
        one.is_changed = true;
        self.all.insert(into, one);
        Ok(())
    }

    /// Writes the archives that changed, the hour's own first.
    pub(super) async fn write(self) -> Result<Written> {
        let apart = self.all.iter().skip(1).map(|one| one.key.clone()).collect();
        let mut written = Written { is_all: true, added: 0, size: 0, apart };
        for (index, one) in self.all.into_iter().enumerate() {
            let (added, is_changed) = (one.added, one.is_changed);
            let size =
                if is_changed { one.upload(&self.target).await? } else { Some(one.existing.map_or(0, |existing| existing.size)) };
            let Some(size) = size else {
                written.is_all = false;
                return Ok(written);
            };
            written.added += added;
            if index == 0 {
                written.size = size;
            }
        }
        Ok(written)
    }

    /// The archive that holds this version of the file.
    fn holding(&self, key: &str, version: &str) -> Option<usize> {
        self.all.iter().position(|one| one.archive.holds(key, version))
    }

    /// Removes a file from all archives but one.
    async fn remove(&mut self, key: &str, except: usize) -> Result<()> {
        for index in (0..self.all.len()).filter(|index| *index != except) {
            if self.all[index].archive.has(key) {
                let mut one = self.all.remove(index);
                let (archive, removed) = (one.archive, key.to_owned());
                one.archive = blocking(move || archive.remove(&removed)).await?;
                one.is_changed = true;
                tracing::info!("took a former version of {key} out of {}", one.key);
                self.all.insert(index, one);
            }
        }
        Ok(())
    }

    /// The archive for a file with this header row.
    async fn archive_for(&mut self, key: &str, row: Option<&HeaderRow>) -> Result<usize> {
        let own = &self.all[0];
        let (Some(row), Some(expected)) = (row, own.archive.header()) else { return Ok(0) };
        if row == expected {
            return Ok(0);
        }
        if self.other == OtherHeader::Fail {
            return Err(TaskError::fatal(format!(
                "the header row of {key} is `{row}`, and that of {} is `{expected}`; nothing was archived. \
                 `--param header=apart` puts such a file into an archive of its own",
                own.key
            )));
        }
        let apart = self.hour.apart(row.tag());
        tracing::warn!("the header row of {key} is `{row}`, not `{expected}` as in {}: it goes to {apart}", own.key);
        if let Some(index) = self.all.iter().position(|one| one.key == apart) {
            return Ok(index);
        }
        let one = One::fetch(&self.target, &apart, Rows::WithHeader).await?;
        self.all.push(one);
        let own = self.all.remove(0);
        let archive = blocking(move || own.archive.name_apart(&apart, Utc::now())).await?;
        self.all.insert(0, One { archive, is_changed: true, ..own });
        Ok(self.all.len() - 1)
    }
}

impl One {
    /// Reads the contents of an archive; it is empty if it does not exist yet.
    async fn fetch(target: &Bucket, key: &str, rows: Rows) -> Result<Self> {
        let name = key.rsplit('/').next().unwrap_or(key);
        let name = name.strip_suffix(".gz").unwrap_or(name);
        let one = |archive, existing| Self { key: key.to_owned(), archive, existing, added: 0, is_changed: false };
        let mut tail = match target.get_tail(key, TAIL).await {
            Ok(tail) => tail,
            Err(error) if error.kind() == BucketErrorKind::NoSuchKey => return Ok(one(Archive::new(name, rows)?, None)),
            Err(error) => return Err(error.into()),
        };
        let size = tail.object().size;
        let etag = tail.object().etag.clone();
        let etag = etag.ok_or("the store returns no etags, so a concurrent change of the archive could not be noticed")?;
        let tail = bytes(&mut tail).await?;
        let begins = size - tail.len() as u64;
        let mut existing = ExistingArchive { etag, size, whole: (begins == 0).then(|| tail.clone()) };
        let (archive, read) = match existing.index(target, key, tail, (name, rows)).await? {
            (Some(archive), read) => (archive, read),
            (None, _) => (existing.scan(target, key, (name, rows)).await?, size),
        };
        tracing::info!("fetched {key}, {read} of {size} bytes with {} file(s)", archive.files());
        Ok(one(archive, Some(existing)))
    }

    /// Writes the archive, if it is still the one that was fetched, or still missing, and returns its size; otherwise returns
    /// `None`.
    async fn upload(self, target: &Bucket) -> Result<Option<u64>> {
        let Self { key, archive, existing, added, .. } = self;
        if added > 0 {
            tracing::info!("appended {added} file(s) to {key}");
        }
        let (mut pieces, mut new) = blocking(move || archive.into_pieces()).await?;
        let begun = match &existing {
            None => target.put_stream_if_absent(&key).await,
            Some(ExistingArchive { etag, whole: None, .. }) => match pieces.first() {
                Some(Piece::Existing(first)) if first.start == 0 => {
                    let keep = first.end;
                    pieces.remove(0);
                    target.append_stream(&key, etag, keep).await
                }
                _ => target.put_stream_if_match(&key, etag).await,
            },
            Some(ExistingArchive { etag, .. }) => target.put_stream_if_match(&key, etag).await,
        };
        let Some(mut writer) = unless_changed(begun)? else { return Ok(None) };
        for piece in pieces {
            match (piece, &existing) {
                (Piece::New(range), _) => new = write_new(&mut writer, new, range).await?,
                (Piece::Existing(range), Some(ExistingArchive { whole: Some(whole), .. })) => {
                    // It is in memory, so its size is a `usize`.
                    let at = |place: u64| usize::try_from(place).unwrap_or(usize::MAX);
                    writer.write(whole.slice(at(range.start)..at(range.end))).await?;
                }
                (Piece::Existing(range), existing) => {
                    let Some(mut body) = unless_missing(target.get_stream_range(&key, range).await)? else { return Ok(None) };
                    if existing.as_ref().map(|existing| &existing.etag) != body.object().etag.as_ref() {
                        return Ok(None);
                    }
                    while let Some(chunk) = body.chunk().await? {
                        writer.write(chunk).await?;
                    }
                }
            }
        }
        let written = unless_changed(writer.finish().await)?;
        Ok(written.map(|object| {
            tracing::info!("uploaded {key}, {} bytes", object.size);
            object.size
        }))
    }
}

impl ExistingArchive {
    /// Opens the archive by its index, if it has one: the index is in `tail`, or begins in front of it. Also returns how many
    /// bytes were read.
    async fn index(&self, target: &Bucket, key: &str, tail: Bytes, (name, rows): (&str, Rows)) -> Result<(Option<Archive>, u64)> {
        let read = tail.len() as u64;
        let Some(begins) = Archive::index_begins(&tail, self.size) else { return Ok((None, read)) };
        let missing = (self.size - read).saturating_sub(begins);
        let tail_begins = self.size - read;
        let index = if missing == 0 {
            tail.slice(usize::try_from(begins - tail_begins).unwrap_or(usize::MAX)..)
        } else {
            let mut before = target.get_stream_range(key, begins..tail_begins).await?;
            if before.object().etag.as_ref() != Some(&self.etag) {
                // The rest would be another version's, so the current one is read as a whole.
                return Ok((None, read));
            }
            [bytes(&mut before).await?, tail].concat().into()
        };
        let name = name.to_owned();
        Ok((blocking(move || Archive::indexed(&index, begins, &name, rows)).await?, read + missing))
    }

    /// Opens the archive by reading all of its members.
    async fn scan(&mut self, target: &Bucket, key: &str, (name, rows): (&str, Rows)) -> Result<Archive> {
        let mut file = tempfile::tempfile()?;
        if let Some(whole) = self.whole.clone() {
            file = blocking(move || io::Write::write_all(&mut file, &whole).map(|()| file)).await?;
        } else {
            let mut body = target.get_stream(key).await?;
            self.etag = body.object().etag.clone().unwrap_or_default();
            self.size = body.object().size;
            while let Some(chunk) = body.chunk().await? {
                file = blocking(move || io::Write::write_all(&mut file, &chunk).map(|()| file)).await?;
            }
        }
        let (damaged, name) = (format!("{}/{key}", target.name()), name.to_owned());
        let archive = blocking(move || Archive::read(file, &name, rows)).await;
        archive.map_err(|error| TaskError::fatal(format!("{damaged} cannot be added to: {error}; it was left as it is")))
    }
}

/// Writes a range of the file with the new members.
async fn write_new(writer: &mut ObjectWriter, mut file: File, range: Range<u64>) -> Result<File> {
    let mut at = range.start;
    while at < range.end {
        let (rest, chunk) = blocking(move || {
            let mut chunk = Vec::with_capacity(CHUNK);
            file.seek(SeekFrom::Start(at))?;
            (&mut file).take((range.end - at).min(CHUNK as u64)).read_to_end(&mut chunk)?;
            Ok((file, chunk))
        })
        .await?;
        if chunk.is_empty() {
            return Err("the file with the new members became shorter".into());
        }
        at += chunk.len() as u64;
        writer.write(chunk).await?;
        file = rest;
    }
    Ok(file)
}

async fn bytes(body: &mut ObjectReader) -> Result<Bytes> {
    let mut bytes = Vec::new();
    while let Some(chunk) = body.chunk().await? {
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes.into())
}

/// Reads a file up to the end of its header row. Also returns the bytes of the last chunk behind it.
async fn header(key: &str, body: &mut ObjectReader) -> Result<(Option<HeaderRow>, Bytes)> {
    let mut start = Start::default();
    while let Some(chunk) = body.chunk().await? {
        let of_row = start
            .push(&chunk)
            .map_err(|error| TaskError::fatal(format!("{key} cannot be archived: {error}; {WITHOUT_HEADER}")))?;
        if start.is_ended() {
            return Ok((start.end(), chunk.slice(of_row..)));
        }
    }
    Ok((start.end(), Bytes::new()))
}

const WITHOUT_HEADER: &str = "`--param header=keep` archives files as they are";

/// Appends a file; `begun` are bytes that were already read.
async fn write(
    key: &str,
    mut archive: Archive,
    (held, row): (Source, Option<HeaderRow>),
    begun: Bytes,
    mut body: ObjectReader,
) -> Result<Archive> {
    let next = body.chunk().await?;
    let is_small = next.is_none() && begun.len() <= SMALL;
    if is_small && !archive.has_room(begun.len()) {
        archive = blocking(move || archive.flush()).await?;
    }
    let open = move || {
        let mut appending = archive.append(held, row.as_ref())?;
        appending.write(&begun)?;
        Ok(appending)
    };
    let (archive, unended) = if is_small {
        // In memory, and quick: a hundred thousand small files would otherwise take as many turns on blocking threads.
        open().and_then(end)?
    } else {
        let mut appending = blocking(open).await?;
        let mut next = next;
        while let Some(chunk) = next {
            appending = blocking(move || appending.write(&chunk).map(|()| appending)).await?;
            next = body.chunk().await?;
        }
        blocking(move || end(appending)).await?
    };
    if let Some(what_follows) = unended {
        tracing::warn!("{key} does not end with a line break{what_follows}");
    }
    Ok(archive)
}

/// Ends a file. Also returns how its last row is handled if that has no line break.
fn end(appending: Appending) -> io::Result<(Archive, Option<&'static str>)> {
    let unended = (!appending.ends_a_line()).then(|| appending.what_follows());
    appending.finish().map(|archive| (archive, unended))
}

/// `None` if the write was refused because the object has changed.
fn unless_changed<T>(done: Result<T, BucketError>) -> Result<Option<T>> {
    match done {
        Err(error) if matches!(error.kind(), BucketErrorKind::AlreadyExists | BucketErrorKind::PreconditionFailed) => Ok(None),
        done => Ok(Some(done?)),
    }
}

/// `None` if the object no longer exists.
fn unless_missing<T>(done: Result<T, BucketError>) -> Result<Option<T>> {
    match done {
        Err(error) if error.kind() == BucketErrorKind::NoSuchKey => Ok(None),
        done => Ok(Some(done?)),
    }
}

const CHUNK: usize = 64 * 1024;

/// A file up to this size is compressed in less than a millisecond.
const SMALL: usize = 16 * 1024;

/// Runs file operations or compression on a blocking thread.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> io::Result<T> + Send + 'static) -> io::Result<T> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|error| Err(io::Error::other(error)))
}
