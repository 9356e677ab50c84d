//! What is new of an archive: a file, and the last of it, which is held back until there is enough to be worth a turn of a thread that may be blocked.

use std::fs::File;
use std::io::{self, Write};

/// So much is held back at most, beside what one call adds.
const FULL: usize = 128 * 1024;

#[derive(Debug)]
pub(super) struct New {
    file: File,
    /// How much is in the file.
    written: u64,
    held: Vec<u8>,
}

impl New {
    /// Nothing yet. The file has no name, so the system takes it back however the process ends.
    pub(super) fn begin() -> io::Result<Self> {
        Ok(Self { file: tempfile::tempfile()?, written: 0, held: Vec::new() })
    }

    /// How long it is.
    pub(super) fn length(&self) -> u64 {
        self.written + self.held.len() as u64
    }

    /// Whether as much as that many bytes can be added, and some more, without a write to the file.
    pub(super) fn has_room(&self, bytes: usize) -> bool {
        self.held.len() + bytes < FULL / 2
    }

    /// All of it as a file.
    pub(super) fn into_file(mut self) -> io::Result<File> {
        self.flush()?;
        Ok(self.file)
    }
}

impl Write for New {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.held.len() >= FULL {
            self.flush()?;
        }
        self.held.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.write_all(&self.held)?;
        self.written += self.held.len() as u64;
        self.held.clear();
        Ok(())
    }
}
