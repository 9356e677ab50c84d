//! The operations on the files of a folder, in order, as `record.c` writes them.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// An operation that has been done.
#[derive(Debug, Clone, Copy)]
pub(super) enum Op<'a> {
    /// A file or folder was opened, or created if it did not exist.
    Open {
        inode: u64,
        path: &'a Path,
        is_folder: bool,
    },
    Write {
        inode: u64,
        at: usize,
        data: &'a [u8],
    },
    Length {
        inode: u64,
        length: usize,
    },
    /// All earlier operations on the file are on the disk.
    Sync {
        inode: u64,
    },
    Rename {
        from: &'a Path,
        to: &'a Path,
    },
    Remove {
        path: &'a Path,
    },
    MakeFolder {
        path: &'a Path,
    },
    /// The file was mapped as shared memory; writes to that memory are not recorded.
    Share {
        inode: u64,
    },
    /// A note of the test between two operations.
    Note {
        text: &'a str,
    },
}

const HEAD: usize = 25;

/// Encodes a note as an entry of the log.
pub(super) fn note(text: &str) -> Vec<u8> {
    let mut entry = vec![b'n'];
    entry.extend([0; 16]);
    entry.extend(0_u32.to_ne_bytes());
    entry.extend(u32::try_from(text.len()).unwrap().to_ne_bytes());
    entry.extend(text.as_bytes());
    entry
}

pub(super) fn read(mut entries: &[u8]) -> Vec<Op<'_>> {
    let mut ops = Vec::new();
    while let Some((head, rest)) = entries.split_at_checked(HEAD) {
        let eight = |at: usize| u64::from_ne_bytes(head[at..at + 8].try_into().unwrap());
        let four = |at: usize| u32::from_ne_bytes(head[at..at + 4].try_into().unwrap()) as usize;
        let (path, rest) = rest.split_at(four(17));
        let (data, rest) = rest.split_at(four(21));
        let (inode, number, path) = (eight(1), usize::try_from(eight(9)).unwrap(), Path::new(OsStr::from_bytes(path)));
        ops.push(match head[0] {
            kind @ (b'o' | b'd') => Op::Open { inode, path, is_folder: kind == b'd' },
            b'w' => Op::Write { inode, at: number, data },
            b't' => Op::Length { inode, length: number },
            b's' => Op::Sync { inode },
            b'r' => Op::Rename { from: path, to: Path::new(OsStr::from_bytes(data)) },
            b'u' => Op::Remove { path },
            b'm' => Op::MakeFolder { path },
            b'p' => Op::Share { inode },
            b'n' => Op::Note { text: std::str::from_utf8(data).unwrap() },
            kind => panic!("the recorder does not follow this: {:?} {}", char::from(kind), path.display()),
        });
        entries = rest;
    }
    assert!(entries.is_empty(), "the last entry of the log is not whole");
    ops
}
