//! The new members of an archive: a file, and a buffer in front of it, so that a blocking thread is only used when there is
//! enough to write.

use std::fs::File;
use std::io::{self, Write};

/// The buffer is written once it has this size, so it exceeds it by one call's bytes at most.
const FULL: usize = 128 * 1024;

#[derive(Debug)]
pub(super) struct NewMembers {
    file: File,
    /// The number of bytes in the file.
    written: u64,
    buffer: Vec<u8>,
}

impl NewMembers {
    /// Begins without members. The file has no name, so the system removes it however the process ends.
    pub(super) fn create() -> io::Result<Self> {
        Ok(Self { file: tempfile::tempfile()?, written: 0, buffer: Vec::new() })
    }

    /// The number of bytes in the file and the buffer.
    pub(super) fn length(&self) -> u64 {
        self.written + self.buffer.len() as u64
    }

    /// Returns whether this many bytes can be added, with some to spare, without a write to the file.
    pub(super) fn has_room(&self, bytes: usize) -> bool {
        self.buffer.len() + bytes < FULL / 2
    }

    /// All of it as a file.
    pub(super) fn into_file(mut self) -> io::Result<File> {
        self.flush()?;
        Ok(self.file)
    }
}

impl Write for NewMembers {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.buffer.len() >= FULL {
            self.flush()?;
        }
        self.buffer.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.write_all(&self.buffer)?;
        self.written += self.buffer.len() as u64;
        self.buffer.clear();
        Ok(())
    }
}
