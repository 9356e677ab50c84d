//! Checks whether commits are missing from the `-wal` file that a process left: the file with the newest commits, until `SQLite`
//! copies them into the journal.
//!
//! It is a sequence of frames, one page each, and each frame's checksum covers all before it. `SQLite` reads up to the first
//! broken frame and takes that for the end, as is right if a process died while it wrote; all commits behind it are dropped
//! silently. This module finds out whether that would drop a durable commit. Two signs are certain:
//!
//! - Intact frames follow the broken one, and among them is a commit that another one follows. No process begins to write a
//!   commit before the previous one is on the disk, so the broken frame was once intact.
//! - The `-shm` file, which the processes share and which exists until the machine restarts, says that more frames were
//!   committed. It is written once they are on the disk.
//!
//! Damage to the very last commit cannot be distinguished from a commit that a power failure cut off, once the `-shm` file is
//! gone.
//!
//! The formats of both files are described at <https://sqlite.org/walformat.html>.

use super::JournalError;
use super::file::{beside, resolve};
use super::open_files;
use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;

const HEADER: usize = 32;
const FRAME_HEADER: usize = 24;
/// The low bit gives the byte order of the checksums.
const MAGIC: u32 = 0x377f_0682;

/// Refuses a journal whose newest commits are damaged. For a journal that no process writes.
pub(super) fn refuse_damaged(path: &Path) -> Result<(), JournalError> {
    let journal = resolve(path);
    // A process that leaves a command at this moment writes there, too. A half-written frame that looks damaged looks different a
    // moment later.
    let Some(first) = damaged_frame(&journal) else { return Ok(()) };
    match damaged_frame(&journal) {
        Some(second) if second == first => {
            let reason = format!(
                "page {} of the file `-wal` beside it, which has the newest commits, is not as it was written, and commits come after it",
                first.frame
            );
            Err(JournalError::Damaged { path: path.to_owned(), reason })
        }
        _ => Ok(()),
    }
}

/// A frame that was committed and is no longer intact.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct DamagedFrame {
    /// Its number, counted from one.
    frame: u64,
    salts: [u8; 8],
}

fn damaged_frame(journal: &Path) -> Option<DamagedFrame> {
    let mut wal = BufReader::new(File::open(beside(journal, "-wal")).ok()?);
    let mut header = [0; HEADER];
    wal.read_exact(&mut header).ok()?;
    let committed = || open_files::open(&beside(journal, "-shm")).ok().and_then(|index| committed(&index));
    let size = be(&header, 8) as usize;
    let salts: [u8; 8] = header[16..24].try_into().ok()?;
    let sum = Sum::of_magic(be(&header, 0)).map(|sum| sum.over(&header[..24]));
    let stored = (be(&header, 24), be(&header, 28));
    let is_intact = size.is_power_of_two() && (512..=65_536).contains(&size);
    let Some(sum) = sum.filter(|sum| is_intact && sum.pair == stored) else {
        // Nothing that follows can be read. Only the shared file knows whether anything was there.
        return committed().filter(|of| of.frames > 0 && of.salts == salts).map(|_| DamagedFrame { frame: 0, salts });
    };
    let mut frames = Frames { wal, salts, sum, frame: vec![0; FRAME_HEADER + size], number: 0 };
    while let Some(Frame::Intact { .. }) = frames.next(true) {}
    let end = frames.number;
    if committed().is_some_and(|of| of.salts == salts && of.frames >= end) {
        return Some(DamagedFrame { frame: end, salts });
    }
    // Behind the broken frame each frame is checked against the checksum that its predecessor carries.
    let mut is_after_commit = false;
    loop {
        match frames.next(false)? {
            Frame::Intact { .. } if is_after_commit => return Some(DamagedFrame { frame: end, salts }),
            Frame::Intact { is_commit } => is_after_commit = is_commit,
            Frame::Broken => is_after_commit = false,
        }
    }
}

/// The frames of a `-wal` file, one after the other.
struct Frames<R> {
    wal: R,
    salts: [u8; 8],
    /// The checksum that the frame before carries for everything up to it.
    sum: Sum,
    frame: Vec<u8>,
    /// The number of the last frame that was read, or of the first that does not exist.
    number: u64,
}

enum Frame {
    Intact { is_commit: bool },
    Broken,
}

impl<R: Read> Frames<R> {
    /// Returns `None` at the end of the file, and with `strict` at the first broken frame.
    fn next(&mut self, strict: bool) -> Option<Frame> {
        self.number += 1;
        self.wal.read_exact(&mut self.frame).ok()?;
        let sum = self.sum.over(&self.frame[..8]).over(&self.frame[FRAME_HEADER..]);
        let stored = (be(&self.frame, 16), be(&self.frame, 20));
        let is_intact = self.frame[8..16] == self.salts && be(&self.frame, 0) > 0 && sum.pair == stored;
        self.sum.pair = stored;
        match is_intact {
            true => Some(Frame::Intact { is_commit: be(&self.frame, 4) > 0 }),
            false if strict => None,
            false => Some(Frame::Broken),
        }
    }
}

/// The shared file's entry about the `-wal` file.
struct Committed {
    frames: u64,
    salts: [u8; 8],
}

/// Returns `None` if it has no reliable entry.
fn committed(index: &File) -> Option<Committed> {
    const HEADER: usize = 48;
    let mut both = [0; 2 * HEADER];
    open_files::read_start(index, &mut both).ok()?;
    let (first, second) = both.split_at(HEADER);
    let ne = |at: usize| Some(u32::from_ne_bytes(first.get(at..at + 4)?.try_into().ok()?));
    let sum = Sum { is_big: cfg!(target_endian = "big"), pair: (0, 0) }.over(&first[..40]);
    if first != second || (ne(0)?, first[12]) != (3_007_000, 1) || sum.pair != (ne(40)?, ne(44)?) {
        return None;
    }
    Some(Committed { frames: ne(16)?.into(), salts: first[32..40].try_into().ok()? })
}

/// `SQLite`'s checksum.
#[derive(Debug, Clone, Copy)]
struct Sum {
    is_big: bool,
    pair: (u32, u32),
}

impl Sum {
    fn of_magic(magic: u32) -> Option<Self> {
        (magic & !1 == MAGIC).then_some(Self { is_big: magic & 1 == 1, pair: (0, 0) })
    }

    fn over(self, bytes: &[u8]) -> Self {
        let word = |bytes: &[u8]| {
            let bytes = [bytes[0], bytes[1], bytes[2], bytes[3]];
            if self.is_big { u32::from_be_bytes(bytes) } else { u32::from_le_bytes(bytes) }
        };
        let (mut a, mut b) = self.pair;
        for two in bytes.chunks_exact(8) {
            a = a.wrapping_add(word(&two[..4])).wrapping_add(b);
            b = b.wrapping_add(word(&two[4..])).wrapping_add(a);
        }
        Self { pair: (a, b), ..self }
    }
}

fn be(bytes: &[u8], at: usize) -> u32 {
    u32::from_be_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}
