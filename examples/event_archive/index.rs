//! An archive's index: a list of its members and their positions, so that files can be added without reading it.
//!
//! It is in the extra fields of empty members at the archive's end, which every gzip reader skips. It is compressed, and split
//! into several members, because an extra field has at most 64 KiB and some readers accept less. Each part contains the position
//! of the first, so the last part is enough to find all. If there is no index, or it does not match these bytes because another
//! writer has appended, cut or inserted something, the members themselves are read.

use super::archive::{Piece, Rows};
use super::header::{HeaderRow, Start};
use super::member::{Description, header};
use chrono::DateTime;
use flate2::Crc;
use flate2::bufread::GzDecoder;
use flate2::write::DeflateEncoder;
use std::io::{self, Read, Write};
use std::str::Lines;

/// How much of an archive's end is read first. An index is seldom larger: it has some 30 bytes for each file.
pub(super) const TAIL: u64 = 256 * 1024;

/// How much of the index one member contains.
const CHUNK: usize = 8 * 1024;

/// The rest of an empty member behind its header: its compressed text, which is one block without contents, and the text's
/// checksum and length.
const EMPTY: [u8; 10] = [3, 0, 0, 0, 0, 0, 0, 0, 0, 0];

/// The size of each chunk's head: a version, the position of the first chunk's member, and the index's length and checksum.
const HEAD: usize = 1 + 8 + 4 + 4;
const VERSION: u8 = 1;

/// The contents of an index.
#[derive(Debug)]
pub(super) struct Index {
    pub(super) rows: Rows,
    /// Each member, in order: its length, and its description.
    pub(super) members: Vec<(u64, Description)>,
    /// The header row, and the file whose member contains it, if any.
    pub(super) first: Option<(HeaderRow, Option<String>)>,
}

impl Index {
    /// The position of the index, if an archive of this size ends with one; `tail` are the archive's last bytes.
    pub(super) fn begins(tail: &[u8], size: u64) -> Option<u64> {
        let last = (0..tail.len()).rev().take(CHUNK + 4096).find_map(|at| {
            let member = &tail[at..];
            if !member.starts_with(&[0x1f, 0x8b, 8]) {
                return None;
            }
            chunk(member).filter(|(_, rest)| rest.is_empty())
        })?;
        let begins = u64::from_le_bytes(last.0[1..9].try_into().ok()?);
        (last.0[0] == VERSION && begins < size).then_some(begins)
    }

    /// Reads the index from its members, which begin at the position `begins` of the archive. `None` if it does not belong to
    /// this archive.
    pub(super) fn read(mut members: &[u8], begins: u64) -> Option<Self> {
        let (mut head, mut index) = (Vec::new(), Vec::new());
        while !members.is_empty() {
            let (chunk, rest) = chunk(members)?;
            let (of_chunk, part) = chunk.split_at(HEAD);
            if !head.is_empty() && head != of_chunk {
                return None;
            }
            head = of_chunk.to_vec();
            index.extend_from_slice(part);
            members = rest;
        }
        let mut crc = Crc::new();
        crc.update(&index);
        let length = u32::try_from(index.len()).ok()?;
        if head != [&[VERSION][..], &begins.to_le_bytes(), &length.to_le_bytes(), &crc.sum().to_le_bytes()].concat() {
            return None;
        }
        let mut text = Vec::new();
        flate2::read::DeflateDecoder::new(&index[..]).read_to_end(&mut text).ok()?;
        Self::of(&text).filter(|index| index.end() == begins)
    }

    /// The position behind the indexed members.
    fn end(&self) -> u64 {
        self.members.iter().map(|(length, _)| length).sum()
    }

    fn of(text: &[u8]) -> Option<Self> {
        let first_line = text.iter().position(|byte| *byte == b'\n')?;
        let mut words = std::str::from_utf8(&text[..first_line]).ok()?.split('\t');
        let rows = if words.next()? == "header" { Rows::WithHeader } else { Rows::AsTheyAre };
        let (count, of) = (words.next()?.parse::<usize>().ok()?, words.next()?);
        let mut ends = text.iter().enumerate().filter(|(_, byte)| **byte == b'\n').map(|(at, _)| at + 1);
        let row_begins = ends.nth(count)?;
        let lines = std::str::from_utf8(&text[first_line + 1..row_begins]).ok()?;
        let members = members(lines.lines())?;
        let mut start = Start::default();
        start.push(&text[row_begins..]).ok()?;
        let first = start.end().map(|row| (row, Some(of.to_owned()).filter(|of| !of.is_empty())));
        Some(Self { rows, members, first })
    }
}

/// The data for an archive's index.
#[derive(Debug, Clone, Copy)]
pub(super) struct Indexed<'a> {
    pub(super) rows: Rows,
    pub(super) members: &'a [(Piece, Description)],
    /// The header row, and the file whose member contains it, if any.
    pub(super) first: Option<(&'a HeaderRow, Option<&'a str>)>,
}

impl Indexed<'_> {
    /// The index as members to append to the archive; empty if the data cannot be represented.
    ///
    /// Only the compressed form is held in memory: many threads write archives, and an allocator may keep the memory of each
    /// thread.
    pub(super) fn write(self, name: &str, mut deflate: DeflateEncoder<Vec<u8>>) -> io::Result<Vec<u8>> {
        if !self.can_be_written() {
            return Ok(Vec::new());
        }
        self.text(&mut deflate)?;
        let index = deflate.finish()?;
        let mut crc = Crc::new();
        crc.update(&index);
        let Ok(length) = u32::try_from(index.len()) else { return Ok(Vec::new()) };
        let end: u64 = self.members.iter().map(|(piece, _)| piece.length()).sum();
        let head = [&[VERSION][..], &end.to_le_bytes(), &length.to_le_bytes(), &crc.sum().to_le_bytes()].concat();
        Ok(index.chunks(CHUNK).fold(Vec::new(), |mut written, chunk| {
            let description = Description::Index([&head, chunk].concat());
            written.extend(header(name, DateTime::UNIX_EPOCH, &description));
            written.extend(EMPTY);
            written
        }))
    }

    /// True if no key and no etag contains a character that separates lines or words. Keys never do, and etags hardly ever.
    fn can_be_written(&self) -> bool {
        !self.members.iter().flat_map(|(_, description)| words(description)).any(|word| word.contains(['\t', '\n', '\r']))
    }

    /// Writes a line for the whole, one for each member, and the header row.
    fn text(&self, to: &mut impl Write) -> io::Result<()> {
        let rows = if self.rows == Rows::WithHeader { "header" } else { "none" };
        let of = self.first.and_then(|(_, of)| of).unwrap_or_default();
        writeln!(to, "{rows}\t{}\t{of}", self.members.len())?;
        for (piece, description) in self.members {
            let [what, key, version] = words(description);
            writeln!(to, "{}\t{what}\t{key}\t{version}", piece.length())?;
        }
        to.write_all(self.first.map_or(&[][..], |(row, _)| row.bytes()))
    }
}

/// The description of a member, as words.
fn words(description: &Description) -> [&str; 3] {
    match description {
        Description::Holds { key, version } => ["holds", key, version],
        Description::Apart(key) => ["apart", key, ""],
        Description::Nothing | Description::Index(_) => [""; 3],
    }
}

fn members(lines: Lines<'_>) -> Option<Vec<(u64, Description)>> {
    let member = |line: &str| {
        let mut words = line.split('\t');
        let (length, what, key, version) = (words.next()?.parse().ok()?, words.next()?, words.next()?, words.next()?);
        let description = match what {
            "holds" => Description::Holds { key: key.to_owned(), version: version.to_owned() },
            "apart" => Description::Apart(key.to_owned()),
            _ => Description::Nothing,
        };
        Some((length, description))
    };
    lines.map(member).collect()
}

/// The part of the index in the first member, if it contains one, and the members behind it.
fn chunk(members: &[u8]) -> Option<(Vec<u8>, &[u8])> {
    let mut member = GzDecoder::new(members);
    if member.read(&mut [0]).ok()? != 0 {
        return None;
    }
    match Description::of(member.header()) {
        Description::Index(chunk) if chunk.len() >= HEAD => Some((chunk, member.into_inner())),
        _ => None,
    }
}
