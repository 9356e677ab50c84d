//! An archive: a gzip file with one member for each source file.
//!
//! gzip allows several members in a row. Most tools read them as one text; those that stop after the first stand in
//! `docs/exercise-5.md`, with the call that reads on. Each member says in its header which file it holds, and which version of it: so the
//! archive itself tells what is in it, in the same object, and no second one can disagree with it. What is there already is copied as
//! it is, compressed, never decompressed and compressed again.
//!
//! The text is one CSV file: its header row is a member of its own, and the files' members hold their other rows. Where the first file was archived
//! by a former version of this example, which left each file its header, the row is the beginning of that file's member.
//!
//! The archive is worked on in a file without a name in the system's folder for temporary files, which the system takes back
//! however the process ends. Memory is bounded by buffers, the header row and the names of the files.

use super::header::{HeaderRow, Start};
use super::member::{Says, header};
use chrono::{DateTime, Utc};
use flate2::Compression;
use flate2::bufread::GzDecoder;
use flate2::write::GzEncoder;
use std::collections::{BTreeSet, HashMap};
use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom, Write};

pub use super::member::Source;

/// Whether the files that are archived have header rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rows {
    /// They have, and the archive has one for all of them.
    WithHeader,
    /// Nobody looks: each is archived as it is.
    AsTheyAre,
}

/// An archive, complete and closed.
#[derive(Debug)]
pub struct Archive {
    file: File,
    contents: Contents,
}

/// An archive while a file is written into it.
#[derive(Debug)]
pub struct Appending {
    encoder: GzEncoder<File>,
    contents: Contents,
    source: Source,
    start: u64,
    last: Option<u8>,
}

/// What is known of an archive's file.
#[derive(Debug)]
struct Contents {
    name: String,
    rows: Rows,
    /// Of the files whose members say what they hold.
    members: HashMap<String, Member>,
    apart: BTreeSet<String>,
    first: Option<First>,
}

#[derive(Debug, Clone)]
struct Member {
    version: String,
    start: u64,
    end: u64,
}

/// The first row of the whole text.
#[derive(Debug)]
struct First {
    row: HeaderRow,
    /// The file whose member it is in; none if it is in one of its own, or in another writer's.
    of: Option<String>,
}

impl Archive {
    /// An empty one, whose contents are called so.
    pub fn new(name: &str, rows: Rows) -> io::Result<Self> {
        Ok(Self { file: tempfile::tempfile()?, contents: Contents::new(name, rows) })
    }

    /// Reads what an archive holds. It is decompressed for that, so that a damaged one is found before it is added to.
    ///
    /// Fails if it is no whole gzip file, or if its text ought to begin with a header row and does not.
    pub fn read(mut file: File, name: &str, rows: Rows) -> io::Result<Self> {
        file.seek(SeekFrom::Start(0))?;
        let mut read = BufReader::with_capacity(BUFFER, file);
        let mut contents = Contents::new(name, rows);
        let mut text = Text { start: (rows == Rows::WithHeader).then(Start::default), length: 0, failed: None };
        let mut first_of = None;
        loop {
            let start = read.stream_position()?;
            if io::BufRead::fill_buf(&mut read)?.is_empty() {
                let row = text.start.and_then(Start::end);
                contents.first = row.map(|row| First { row, of: first_of });
                return Ok(Self { file: read.into_inner(), contents });
            }
            let was_empty = text.length == 0;
            let mut member = GzDecoder::new(read);
            io::copy(&mut member, &mut text).map_err(|error| {
                io::Error::new(error.kind(), format!("the member at byte {start} cannot be decompressed: {error}"))
            })?;
            if let Some(error) = text.failed {
                return Err(error);
            }
            let says = Says::of(member.header());
            read = member.into_inner();
            let end = read.stream_position()?;
            match says {
                Says::Holds { key, version } => {
                    if was_empty && text.length > 0 {
                        first_of = Some(key.clone());
                    }
                    contents.members.insert(key, Member { version, start, end });
                }
                Says::Apart(archive) => {
                    contents.apart.insert(archive);
                }
                Says::Nothing => {}
            }
        }
    }

    /// Whether it holds that version of that file.
    pub fn holds(&self, key: &str, version: &str) -> bool {
        self.contents.members.get(key).is_some_and(|member| member.version == version)
    }

    /// Whether it holds the file, in whichever version.
    pub fn has(&self, key: &str) -> bool {
        self.contents.members.contains_key(key)
    }

    /// How many files it holds, those of members that do not say so not counted.
    pub fn files(&self) -> usize {
        self.contents.members.len()
    }

    /// The header row of what it holds; `None` if that is nothing, or files without one.
    pub fn header(&self) -> Option<&HeaderRow> {
        self.contents.first.as_ref().map(|first| &first.row)
    }

    /// The keys of the archives that it names as those of the files with another header.
    pub fn apart(&self) -> impl Iterator<Item = &str> {
        self.contents.apart.iter().map(String::as_str)
    }

    /// Names an archive of files with another header.
    pub fn name_apart(mut self, archive: &str, now: DateTime<Utc>) -> io::Result<Self> {
        if self.contents.apart.insert(archive.to_owned()) {
            self.file.seek(SeekFrom::End(0))?;
            let member = header(&self.contents.name, now, &Says::Apart(archive.to_owned()));
            self.file = member.write(self.file, Compression::default()).finish()?;
        }
        Ok(self)
    }

    /// Takes a file out, if it is there. The header row stays.
    pub fn remove(mut self, key: &str) -> io::Result<Self> {
        let Some(member) = self.contents.members.remove(key) else { return Ok(self) };
        match self.contents.first.take() {
            Some(First { row, of: Some(of) }) if of == key => self.put_row(row, DateTime::UNIX_EPOCH, &member),
            first => {
                self.contents.first = first;
                self.replace(&member, Ok)
            }
        }
    }

    /// Begins to write a file, without its header row. An earlier version of it is taken out first. An archive that has no header row
    /// yet gets the file's, as its first member.
    pub fn append(mut self, source: Source, row: Option<&HeaderRow>) -> io::Result<Appending> {
        self = self.remove(&source.key)?;
        if let (None, Some(row)) = (&self.contents.first, row) {
            let nothing = Member { version: String::new(), start: 0, end: 0 };
            self = self.put_row(row.clone(), source.modified, &nothing)?;
        }
        let Self { mut file, contents } = self;
        let start = file.seek(SeekFrom::End(0))?;
        let says = Says::Holds { key: source.key.clone(), version: source.version.clone() };
        let encoder = header(&contents.name, source.modified, &says).write(file, Compression::default());
        Ok(Appending { encoder, contents, source, start, last: None })
    }

    /// The file, at its start, and its size.
    pub fn into_file(mut self) -> io::Result<(File, u64)> {
        let size = self.file.seek(SeekFrom::End(0))?;
        self.file.seek(SeekFrom::Start(0))?;
        Ok((self.file, size))
    }
}

impl Archive {
    /// Puts a header row, in a member of its own, in the place of what is there.
    fn put_row(mut self, row: HeaderRow, modified: DateTime<Utc>, place: &Member) -> io::Result<Self> {
        let member = header(&self.contents.name, modified, &Says::Nothing);
        self = self.replace(place, |file| {
            let mut encoder = member.write(file, Compression::default());
            encoder.write_all(row.bytes())?;
            encoder.finish()
        })?;
        self.contents.first = Some(First { row, of: None });
        Ok(self)
    }

    /// Replaces what is there by what is written.
    fn replace(mut self, place: &Member, write: impl FnOnce(File) -> io::Result<File>) -> io::Result<Self> {
        let mut other = tempfile::tempfile()?;
        self.file.seek(SeekFrom::Start(0))?;
        io::copy(&mut (&self.file).take(place.start), &mut other)?;
        let mut other = write(other)?;
        let end = other.stream_position()?;
        self.file.seek(SeekFrom::Start(place.end))?;
        io::copy(&mut self.file, &mut other)?;
        self.file = other;
        for later in self.contents.members.values_mut().filter(|member| member.start >= place.end) {
            later.start = later.start - place.end + end;
            later.end = later.end - place.end + end;
        }
        Ok(self)
    }
}

impl Contents {
    fn new(name: &str, rows: Rows) -> Self {
        Self { name: name.to_owned(), rows, members: HashMap::new(), apart: BTreeSet::new(), first: None }
    }
}

impl Appending {
    /// Writes what comes next in the file.
    pub fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.last = bytes.last().copied().or(self.last);
        self.encoder.write_all(bytes)
    }

    /// Ends the file. A last row without its line break gets one, as the next file would go on in it; a file that is archived as it is does not.
    pub fn finish(mut self) -> io::Result<Archive> {
        if self.contents.rows == Rows::WithHeader && !self.ends_a_line() {
            self.encoder.write_all(b"\n")?;
        }
        let mut file = self.encoder.finish()?;
        let end = file.stream_position()?;
        self.contents.members.insert(self.source.key, Member { version: self.source.version, start: self.start, end });
        Ok(Archive { file, contents: self.contents })
    }

    /// What becomes of a last row without its line break.
    pub fn what_follows(&self) -> &'static str {
        match self.contents.rows {
            Rows::WithHeader => ", and gets one",
            Rows::AsTheyAre => ", and is archived as it is: the next file begins in its last line",
        }
    }

    /// Whether what was written ends with a line break, or is empty.
    pub fn ends_a_line(&self) -> bool {
        self.last.is_none_or(|last| last == b'\n')
    }
}

const BUFFER: usize = 64 * 1024;

/// What becomes of the text that is read: its header row is kept, if somebody wants it.
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
