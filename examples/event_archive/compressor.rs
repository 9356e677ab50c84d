//! Writes members, one after another, with one compressor.
//!
//! A compressor has tables of some 300 KB. Creating one for each small file, on whichever thread is free, costs more than the
//! compression, and an allocator with per-thread memory would keep the tables of each thread.

use flate2::write::DeflateEncoder;
use flate2::{Compression, Crc};
use std::io::{self, Write};

#[derive(Debug)]
pub(super) struct Compressor {
    /// Compresses into memory: the output is passed on at once.
    deflate: DeflateEncoder<Vec<u8>>,
    /// The checksum of the member's text.
    crc: Crc,
}

impl Compressor {
    pub(super) fn new() -> Self {
        Self { deflate: DeflateEncoder::new(Vec::new(), Compression::default()), crc: Crc::new() }
    }

    /// Writes the next part of a member, behind its header.
    pub(super) fn write(&mut self, text: &[u8], to: &mut impl Write) -> io::Result<()> {
        self.crc.update(text);
        self.deflate.write_all(text)?;
        to.write_all(self.deflate.get_ref())?;
        self.deflate.get_mut().clear();
        Ok(())
    }

    /// The encoder itself, for data that is not a member. Call it only after `finish`.
    pub(super) fn into_deflate(self) -> DeflateEncoder<Vec<u8>> {
        self.deflate
    }

    /// Ends the member.
    pub(super) fn finish(&mut self, to: &mut impl Write) -> io::Result<()> {
        let mut rest = self.deflate.reset(Vec::new())?;
        rest.extend(self.crc.sum().to_le_bytes());
        rest.extend(self.crc.amount().to_le_bytes());
        self.crc.reset();
        to.write_all(&rest)?;
        // Reused for the next member.
        rest.clear();
        *self.deflate.get_mut() = rest;
        Ok(())
    }
}
