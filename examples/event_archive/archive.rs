//! An archive: a gzip file with one member for each source file.
//!
//! gzip allows several members in a row. Most tools read them as one text; those that stop after the first are listed in
//! `docs/exercise-5.md`, with the call that reads all. Each member's header names the file that it holds, and the version. So the
//! archive itself lists its contents, in the same object, and no second object can contradict it. Existing members are copied as
//! they are, without decompressing and compressing them again. The index (`index.rs`) lists the positions of the members, so
//! usually they are not even read.
//!
//! The text is one CSV file: its header row is a member of its own, and the files' members hold their other rows. If a former
//! version of this example archived the first file, which left each file its header, the row is at the beginning of that file's
//! member.
//!
//! New members are written to an unnamed file in the system's temporary folder (`new_members.rs`), which the system removes however the
//! process ends. Memory is bounded by buffers, the header row and the names of the files.

use super::compressor::Compressor;
use super::header::{HeaderRow, Start};
use super::index::{Index, Indexed};
use super::member::{Description, header};
use super::new_members::NewMembers;
use chrono::{DateTime, Utc};
use flate2::bufread::GzDecoder;
use std::collections::{BTreeSet, HashMap};
use std::fs::File;
use std::io::{self, BufReader, Seek, SeekFrom, Write};
use std::ops::Range;

pub use super::member::Source;

/// How header rows of the archived files are handled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rows {
    /// The files have header rows, and the archive has one for all of them.
    WithHeader,
    /// Header rows are ignored: each file is archived as it is.
    AsTheyAre,
}

/// An archive, complete and closed.
#[derive(Debug)]
pub struct Archive {
    /// The members that are not in the store yet.
    new: NewMembers,
    contents: Contents,
    /// `None` before anything was compressed.
    compressor: Option<Compressor>,
}

/// An archive while a file is appended to it.
#[derive(Debug)]
pub struct Appending {
    archive: Archive,
    compressor: Compressor,
    source: Source,
    start: u64,
    last: Option<u8>,
}

/// A part of an archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// Bytes of the archive that was read.
    Existing(Range<u64>),
    /// Bytes of the file with the new members.
    New(Range<u64>),
}

/// The known contents of an archive.
#[derive(Debug)]
struct Contents {
    name: String,
    rows: Rows,
    /// All members, in order.
    members: Vec<(Piece, Description)>,
    /// The versions of the files, as far as their members name them.
    versions: HashMap<String, String>,
    apart: BTreeSet<String>,
    first: Option<First>,
}

/// The first row of the whole text.
#[derive(Debug)]
struct First {
    row: HeaderRow,
    /// The file whose member contains it; `None` if it has a member of its own, or another writer's.
    of: Option<String>,
}

impl Archive {
    /// An empty archive; `name` is the file name of its text.
    pub fn new(name: &str, rows: Rows) -> io::Result<Self> {
        Self::of(Contents::new(name, rows))
    }

    /// The position of the index, if an archive of this size that ends with these bytes has one.
    pub fn index_begins(tail: &[u8], size: u64) -> Option<u64> {
        Index::begins(tail, size)
    }

    /// Opens an archive by its index alone: `bytes` are the index, which begins at the position `begins`. `None` if they are not
    /// a valid index, or if it lacks the header row that `rows` asks for.
    pub fn indexed(bytes: &[u8], begins: u64, name: &str, rows: Rows) -> io::Result<Option<Self>> {
        let Some(index) = Index::read(bytes, begins) else { return Ok(None) };
        if rows == Rows::WithHeader && index.rows != rows {
            return Ok(None);
        }
        let mut contents = Contents::new(name, rows);
        let mut at = 0;
        for (length, description) in index.members {
            contents.push(Piece::Existing(at..at + length), description);
            at += length;
        }
        if rows == Rows::WithHeader {
            contents.first = index.first.map(|(row, of)| First { row, of });
        }
        Self::of(contents).map(Some)
    }

    /// Reads an archive without an index, or with another writer's members behind it. It is decompressed for that, so that damage
    /// is found before anything is added.
    ///
    /// Fails if it is not a complete gzip file, or if its text should begin with a header row and does not.
    pub fn read(mut file: File, name: &str, rows: Rows) -> io::Result<Self> {
        file.seek(SeekFrom::Start(0))?;
        let mut read = BufReader::with_capacity(BUFFER, file);
        let mut contents = Contents::new(name, rows);
        let mut text = Text { start: (rows == Rows::WithHeader).then(Start::default), length: 0, failed: None };
        let mut first_of = None;
        // Members of an index, which is dropped if it is at the end.
        let mut index = Vec::new();
        loop {
            let start = read.stream_position()?;
            if io::BufRead::fill_buf(&mut read)?.is_empty() {
                let row = text.start.and_then(Start::end);
                contents.first = row.map(|row| First { row, of: first_of });
                return Self::of(contents);
            }
            let was_empty = text.length == 0;
            let mut member = GzDecoder::new(read);
            io::copy(&mut member, &mut text).map_err(|error| {
                io::Error::new(error.kind(), format!("the member at byte {start} cannot be decompressed: {error}"))
            })?;
            if let Some(error) = text.failed {
                return Err(error);
            }
            let description = Description::of(member.header());
            read = member.into_inner();
            let piece = Piece::Existing(start..read.stream_position()?);
            if matches!(description, Description::Index(_)) {
                index.push(piece);
                continue;
            }
            if let (Description::Holds { key, .. }, true) = (&description, was_empty && text.length > 0) {
                first_of = Some(key.clone());
            }
            index.drain(..).for_each(|piece| contents.push(piece, Description::Nothing));
            contents.push(piece, description);
        }
    }

    /// Returns whether it holds this version of the file.
    pub fn holds(&self, key: &str, version: &str) -> bool {
        self.contents.versions.get(key).is_some_and(|held| held == version)
    }

    /// The version of the file that it holds, if any.
    pub fn version(&self, key: &str) -> Option<&str> {
        self.contents.versions.get(key).map(String::as_str)
    }

    /// Returns whether it holds the file, in any version.
    pub fn has(&self, key: &str) -> bool {
        self.contents.versions.contains_key(key)
    }

    /// The number of files, not counting members that do not name one.
    pub fn files(&self) -> usize {
        self.contents.versions.len()
    }

    /// The header row of its files; `None` if there are no files, or they have none.
    pub fn header(&self) -> Option<&HeaderRow> {
        self.contents.first.as_ref().map(|first| &first.row)
    }

    /// The keys of the archives for files with other header rows, as this archive lists them.
    pub fn apart(&self) -> impl Iterator<Item = &str> {
        self.contents.apart.iter().map(String::as_str)
    }

    /// Adds the key of an archive for files with another header row.
    pub fn name_apart(mut self, archive: &str, now: DateTime<Utc>) -> io::Result<Self> {
        if !self.contents.apart.contains(archive) {
            let description = Description::Apart(archive.to_owned());
            let piece = self.write(now, &description, &[])?;
            self.contents.push(piece, description);
        }
        Ok(self)
    }

    /// Removes a file, if it exists. The header row stays.
    pub fn remove(mut self, key: &str) -> io::Result<Self> {
        if self.contents.versions.remove(key).is_none() {
            return Ok(self);
        }
        // Another writer may have appended several versions, of which the last is valid. All of them are removed.
        let is_it = |description: &Description| matches!(description, Description::Holds { key: held, .. } if held == key);
        let place = self.contents.members.iter().position(|(_, description)| is_it(description)).unwrap_or_default();
        self.contents.members.retain(|(_, description)| !is_it(description));
        if let Some(first) = self.contents.first.take_if(|first| first.of.as_deref() == Some(key)) {
            self.put_row(first.row, DateTime::UNIX_EPOCH, place)?;
        }
        Ok(self)
    }

    /// Begins to append a file, without its header row, after removing an earlier version. An archive without a header row gets
    /// the file's, as its first member.
    pub fn append(mut self, source: Source, row: Option<&HeaderRow>) -> io::Result<Appending> {
        self = self.remove(&source.key)?;
        if let (None, Some(row)) = (&self.contents.first, row) {
            self.put_row(row.clone(), source.modified, 0)?;
        }
        let description = Description::Holds { key: source.key.clone(), version: source.version.clone() };
        let (start, compressor) = self.start_member(source.modified, &description)?;
        Ok(Appending { archive: self, compressor, source, start, last: None })
    }

    /// Returns whether a file of this size can be appended without a write to the disk: new members are buffered in memory.
    pub fn has_room(&self, bytes: usize) -> bool {
        self.new.has_room(bytes)
    }

    /// Writes the buffer to the disk.
    pub fn flush(mut self) -> io::Result<Self> {
        self.new.flush()?;
        Ok(self)
    }

    /// The pieces of the archive, ending with its index, and the file with the new members.
    pub fn into_pieces(mut self) -> io::Result<(Vec<Piece>, File)> {
        let Contents { name, rows, members, first, .. } = &self.contents;
        let first = first.as_ref().map(|first| (&first.row, first.of.as_deref()));
        let compressor = self.compressor.take().unwrap_or_else(Compressor::new);
        let index = Indexed { rows: *rows, members, first }.write(name, compressor.into_deflate())?;
        let start = self.new.length();
        self.new.write_all(&index)?;
        let mut pieces: Vec<Piece> = Vec::new();
        let all = self.contents.members.into_iter().map(|(piece, _)| piece);
        for piece in all.chain([Piece::New(start..start + index.len() as u64)]) {
            match (pieces.last_mut(), piece) {
                (Some(Piece::Existing(before)), Piece::Existing(next)) | (Some(Piece::New(before)), Piece::New(next))
                    if before.end == next.start =>
                {
                    before.end = next.end;
                }
                (_, piece) => pieces.push(piece),
            }
        }
        Ok((pieces, self.new.into_file()?))
    }
}

impl Archive {
    /// An archive with these contents, and no new members yet.
    fn of(contents: Contents) -> io::Result<Self> {
        Ok(Self { new: NewMembers::create()?, contents, compressor: None })
    }

    /// Inserts a header row, in a member of its own, in front of the member at `place`.
    fn put_row(&mut self, row: HeaderRow, modified: DateTime<Utc>, place: usize) -> io::Result<()> {
        let piece = self.write(modified, &Description::Nothing, row.bytes())?;
        self.contents.members.insert(place, (piece, Description::Nothing));
        self.contents.first = Some(First { row, of: None });
        Ok(())
    }

    /// Writes a new member.
    fn write(&mut self, modified: DateTime<Utc>, description: &Description, text: &[u8]) -> io::Result<Piece> {
        let (start, mut compressor) = self.start_member(modified, description)?;
        compressor.write(text, &mut self.new)?;
        self.end(start, compressor)
    }

    /// Begins a new member: returns its position, and the compressor for it.
    fn start_member(&mut self, modified: DateTime<Utc>, description: &Description) -> io::Result<(u64, Compressor)> {
        let start = self.new.length();
        self.new.write_all(&header(&self.contents.name, modified, description))?;
        Ok((start, self.compressor.take().unwrap_or_else(Compressor::new)))
    }

    /// Ends the member that begins at `start`.
    fn end(&mut self, start: u64, mut compressor: Compressor) -> io::Result<Piece> {
        compressor.finish(&mut self.new)?;
        self.compressor = Some(compressor);
        Ok(Piece::New(start..self.new.length()))
    }
}

impl Contents {
    fn new(name: &str, rows: Rows) -> Self {
        let (versions, apart) = (HashMap::new(), BTreeSet::new());
        Self { name: name.to_owned(), rows, members: Vec::new(), versions, apart, first: None }
    }

    fn push(&mut self, piece: Piece, description: Description) {
        match &description {
            Description::Holds { key, version } => drop(self.versions.insert(key.clone(), version.clone())),
            Description::Apart(archive) => drop(self.apart.insert(archive.clone())),
            Description::Nothing | Description::Index(_) => {}
        }
        self.members.push((piece, description));
    }
}

impl Piece {
    /// The position of the piece in its file.
    pub fn range(&self) -> &Range<u64> {
        let (Self::Existing(range) | Self::New(range)) = self;
        range
    }

    /// The length in bytes.
    pub fn length(&self) -> u64 {
        self.range().end - self.range().start
    }
}

impl Appending {
    /// Writes the next bytes of the file.
    pub fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.last = bytes.last().copied().or(self.last);
        self.compressor.write(bytes, &mut self.archive.new)
    }

    /// Ends the file. A last row without a line break gets one, because the next file would otherwise continue it; in an archive
    /// of unchanged files it does not.
    pub fn finish(mut self) -> io::Result<Archive> {
        if self.archive.contents.rows == Rows::WithHeader && !self.ends_a_line() {
            self.compressor.write(b"\n", &mut self.archive.new)?;
        }
        let mut archive = self.archive;
        let piece = archive.end(self.start, self.compressor)?;
        archive.contents.push(piece, Description::Holds { key: self.source.key, version: self.source.version });
        Ok(archive)
    }

    /// How a last row without a line break is handled, for a warning.
    pub fn what_follows(&self) -> &'static str {
        match self.archive.contents.rows {
            Rows::WithHeader => ", and gets one",
            Rows::AsTheyAre => ", and is archived as it is: the next file begins in its last line",
        }
    }

    /// Returns whether the text so far ends with a line break, or is empty.
    pub fn ends_a_line(&self) -> bool {
        self.last.is_none_or(|last| last == b'\n')
    }
}

const BUFFER: usize = 64 * 1024;

/// Receives the decompressed text, and keeps only its header row, if it is wanted.
struct Text {
    start: Option<Start>,
    length: u64,
    failed: Option<io::Error>,
}

impl Write for Text {
    fn write(&mut self, text: &[u8]) -> io::Result<usize> {
        if let Some(Err(error)) = self.start.as_mut().map(|start| start.push(text)) {
            (self.start, self.failed) = (None, Some(error));
        }
        self.length += text.len() as u64;
        Ok(text.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
