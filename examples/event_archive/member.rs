//! The descriptions that the members of an archive contain: in the extra field of a gzip header, which other tools ignore.
//!
//! Each extra field of a header consists of two bytes of name, two of length (the low one first), and that many bytes.

use chrono::{DateTime, Utc};
use flate2::GzHeader;

/// A version of a source file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// Its key.
    pub key: String,
    /// Distinguishes it from all other contents at that key.
    pub version: String,
    /// When it was written.
    pub modified: DateTime<Utc>,
}

/// The description that a member contains.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Description {
    /// It holds this version of this file.
    Holds { key: String, version: String },
    /// It holds no text: files with another header row are in the archive with this key.
    Apart(String),
    /// It holds no text: a part of the archive's index is in its header.
    Index(Vec<u8>),
    /// No description: it holds the header row, or is another writer's.
    Nothing,
}

const HOLDS: [u8; 2] = *b"EA";
const APART: [u8; 2] = *b"EB";
const INDEX: [u8; 2] = *b"EI";

impl Description {
    pub(super) fn of(header: Option<&GzHeader>) -> Self {
        let read = || {
            let mut rest = header?.extra()?;
            while let [a, b, low, high, after @ ..] = rest {
                let (value, next) = after.split_at_checked(u16::from_le_bytes([*low, *high]).into())?;
                match [*a, *b] {
                    HOLDS => {
                        let (key, version) = std::str::from_utf8(value).ok()?.split_once('\n')?;
                        return Some(Self::Holds { key: key.to_owned(), version: version.to_owned() });
                    }
                    APART => return Some(Self::Apart(std::str::from_utf8(value).ok()?.to_owned())),
                    INDEX => return Some(Self::Index(value.to_owned())),
                    _ => rest = next,
                }
            }
            None
        };
        read().unwrap_or(Self::Nothing)
    }

    fn field(&self) -> Option<Vec<u8>> {
        let (name, value) = match self {
            // No key contains a line break.
            Self::Holds { key, version } => (HOLDS, format!("{key}\n{version}").into_bytes()),
            Self::Apart(archive) => (APART, archive.clone().into_bytes()),
            Self::Index(chunk) => (INDEX, chunk.clone()),
            Self::Nothing => return None,
        };
        let length = u16::try_from(value.len())
            .expect("a key has at most 1024 bytes, an etag a few dozen, and a chunk of the index 8 KiB");
        Some([&name[..], &length.to_le_bytes(), &value[..]].concat())
    }
}

/// The header of a member. Each has the name of the archive, because `gunzip -N` uses the first member's name and other tools the
/// last one's.
pub(super) fn header(name: &str, modified: DateTime<Utc>, description: &Description) -> Vec<u8> {
    const EXTRA: u8 = 1 << 2;
    const NAME: u8 = 1 << 3;
    const UNKNOWN_SYSTEM: u8 = 255;
    let field = description.field();
    let flags = if field.is_some() { EXTRA | NAME } else { NAME };
    let mut header = vec![0x1f, 0x8b, 8, flags];
    header.extend(u32::try_from(modified.timestamp()).unwrap_or_default().to_le_bytes());
    header.extend([0, UNKNOWN_SYSTEM]);
    if let Some(field) = field {
        header.extend(u16::try_from(field.len()).expect("`Description::field` keeps to that").to_le_bytes());
        header.extend(field);
    }
    header.extend(name.bytes());
    header.push(0);
    header
}
