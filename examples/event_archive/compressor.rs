//! Writes members, one after another, with one compressor.
//!
//! A compressor has tables of some 300 KB. One for each small file, on whichever thread is free, costs more than compressing it does, and an
//! allocator that has memory for each thread keeps what each of them was given.

use flate2::write::DeflateEncoder;
use flate2::{Compression, Crc};
use std::io::{self, Write};

#[derive(Debug)]
pub(super) struct Compressor {
    /// Into memory: what a piece of text has become is written on at once.
    deflate: DeflateEncoder<Vec<u8>>,
    /// Of the member's text.
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

    /// What compresses, for what is no member. Nothing was written since the last member's end.
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
        // The next member's.
        rest.clear();
        *self.deflate.get_mut() = rest;
        Ok(())
    }
}
