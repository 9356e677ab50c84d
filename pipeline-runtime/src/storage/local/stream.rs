//! A file that is read or written as a stream: each chunk is one step on the blocking pool.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Take, Write};
use std::sync::Arc;

use bytes::Bytes;

use super::super::body::Span;
use super::super::error::{BucketErrorKind, Failure};
use super::super::extend::too_short;
use super::super::key::Key;
use super::super::meta::Meta;
use super::super::staged::Staged;
use super::super::store::Condition;
use super::Local;
use super::root::{ResolvedRoot, meta, require_folder};

/// How much of a file is read at once.
const CHUNK: usize = 256 << 10;
/// What is read when the file is opened: another turn on the blocking pool would take longer.
const SMALL: u64 = 32 << 10;

/// The part of a file that is still to be read.
#[derive(Debug)]
pub(in super::super) struct FileBody {
    local: Arc<Local>,
    /// A chunk that was read but not returned yet.
    first: Option<Bytes>,
    /// `None` after a read failed or was dropped.
    rest: Option<Take<File>>,
}

impl FileBody {
    /// Opens the file: all of this file is read, even if another one replaces it meanwhile.
    pub(super) fn open(local: &Arc<Local>, root: &ResolvedRoot, key: Key, span: Span) -> Result<(Meta, Self), Failure> {
        root.present(&key)?;
        let mut file = File::open(root.file(&key)?)?;
        let meta = meta(key, &file.metadata()?)?;
        let span = span.within(meta.size);
        file.seek(SeekFrom::Start(span.start))?;
        let mut body = Self { local: Arc::clone(local), first: None, rest: Some(file.take(span.end - span.start)) };
        if span.end - span.start <= SMALL {
            body.read()?;
        }
        Ok((meta, body))
    }

    pub(in super::super) async fn next(&mut self) -> Result<Option<Bytes>, Failure> {
        if let Some(first) = self.first.take() {
            return Ok(Some(first));
        }
        let Some(rest) = self.rest.take() else {
            return Err(Failure::cut_off());
        };
        if rest.limit() == 0 {
            self.rest = Some(rest);
            return Ok(None);
        }
        let mut body = Self { local: Arc::clone(&self.local), first: None, rest: Some(rest) };
        *self = self.local.blocking(move |_| body.read().map(|()| body)).await?;
        Ok(self.first.take())
    }

    /// Reads the next chunk, if any is left.
    fn read(&mut self) -> Result<(), Failure> {
        let Some(rest) = self.rest.as_mut().filter(|rest| rest.limit() > 0) else { return Ok(()) };
        let mut chunk = Vec::with_capacity(usize::try_from(rest.limit()).unwrap_or(CHUNK).min(CHUNK));
        rest.by_ref().take(CHUNK as u64).read_to_end(&mut chunk)?;
        if chunk.is_empty() {
            // Another program truncated the file: what was read so far must not pass for the whole.
            return Err(Failure::new(BucketErrorKind::Other, "the file became shorter while it was read"));
        }
        self.first = Some(chunk.into());
        Ok(())
    }
}

/// A file that is being written.
#[derive(Debug)]
pub(in super::super) struct FileUpload {
    local: Arc<Local>,
    root: ResolvedRoot,
    key: Key,
    condition: Condition,
    /// `None` after a write failed or was dropped.
    staged: Option<Staged>,
}

impl FileUpload {
    /// Begins an object, unless its condition can no longer hold.
    pub(super) fn begin(local: &Arc<Local>, root: ResolvedRoot, key: Key, condition: Condition) -> Result<Self, Failure> {
        let staged = Some(root.stage(&key, &condition)?);
        Ok(Self { local: Arc::clone(local), root, key, condition, staged })
    }

    /// Begins an object that replaces another and starts with its bytes, which the system copies from file to file.
    pub(super) fn extend(
        local: &Arc<Local>,
        root: ResolvedRoot,
        key: Key,
        condition: Condition,
        keep: u64,
    ) -> Result<Self, Failure> {
        let mut staged = root.stage(&key, &condition)?;
        // If another file has replaced it meanwhile, the condition fails when this one is put in place.
        let former = File::open(root.file(&key)?)?;
        let size = former.metadata()?.len();
        // Between two files, `io::copy` lets the system copy.
        if io::copy(&mut (&former).take(keep), staged.file())? < keep {
            return Err(too_short(size, keep));
        }
        Ok(Self { local: Arc::clone(local), root, key, condition, staged: Some(staged) })
    }

    pub(in super::super) async fn write(&mut self, part: Bytes) -> Result<(), Failure> {
        let mut staged = self.staged.take().ok_or_else(Failure::cut_off)?;
        let write = move |_: &Arc<Local>| {
            staged.file().write_all(&part)?;
            Ok(staged)
        };
        self.staged = Some(self.local.blocking(write).await?);
        Ok(())
    }

    pub(in super::super) async fn finish(self, last: Bytes) -> Result<Meta, Failure> {
        let Self { local, root, key, condition, staged } = self;
        let mut staged = staged.ok_or_else(Failure::cut_off)?;
        local
            .blocking(move |_| {
                staged.file().write_all(&last)?;
                require_folder(&root.path)?;
                root.commit(key, staged, &condition)
            })
            .await
    }

    pub(in super::super) async fn abort(self) -> Result<(), Failure> {
        let Self { local, staged, .. } = self;
        local
            .blocking(move |_| {
                drop(staged);
                Ok(())
            })
            .await
    }
}
