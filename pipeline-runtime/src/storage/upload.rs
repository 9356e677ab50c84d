//! [`Upload`]: an object that is written part by part, and becomes visible all at once.

use bytes::{Bytes, BytesMut};

#[cfg(feature = "cloud")]
use super::cloud::CloudUpload;
use super::error::Failure;
use super::key::Key;
use super::local::FileUpload;
use super::memory::Memory;
use super::meta::Meta;
use super::store::Condition;

/// An object that is invisible before [`finish`](Self::finish) has returned; dropping it leaves nothing behind.
#[derive(Debug)]
pub(super) enum Upload {
    Memory(MemoryUpload),
    File(FileUpload),
    #[cfg(feature = "cloud")]
    Cloud(CloudUpload),
}

/// The object will be in memory anyway, so nothing bounds what is gathered.
#[derive(Debug)]
pub(super) struct MemoryUpload {
    pub(super) memory: Memory,
    pub(super) key: Key,
    pub(super) condition: Condition,
    pub(super) written: BytesMut,
}

/// How many bytes are gathered for one write to a file or to memory.
const GATHERED: usize = 256 << 10;

impl Upload {
    /// The size of the next part in bytes, unless it is the last.
    pub(super) fn part_size(&self) -> usize {
        match self {
            Self::Memory(_) | Self::File(_) => GATHERED,
            #[cfg(feature = "cloud")]
            Self::Cloud(upload) => upload.part_size(),
        }
    }

    /// Takes a part of exactly the [size](Self::part_size) asked for.
    pub(super) async fn write(&mut self, part: Bytes) -> Result<(), Failure> {
        match self {
            Self::Memory(memory) => memory.written.extend_from_slice(&part),
            Self::File(file) => file.write(part).await?,
            #[cfg(feature = "cloud")]
            Self::Cloud(upload) => upload.write(part).await?,
        }
        Ok(())
    }

    /// Takes the last part, which may be small or empty, and puts the object in place.
    pub(super) async fn finish(self, last: Bytes) -> Result<Meta, Failure> {
        match self {
            Self::Memory(MemoryUpload { memory, key, condition, mut written }) => {
                written.extend_from_slice(&last);
                memory.put(&key, written.freeze(), &condition)
            }
            Self::File(file) => file.finish(last).await,
            #[cfg(feature = "cloud")]
            Self::Cloud(upload) => Ok(upload.finish(last).await?.into()),
        }
    }

    /// Aborts the upload, and returns once nothing of it is left.
    pub(super) async fn abort(self) -> Result<(), Failure> {
        match self {
            Self::Memory(_) => Ok(()),
            Self::File(file) => file.abort().await,
            #[cfg(feature = "cloud")]
            Self::Cloud(upload) => upload.abort().await,
        }
    }
}
