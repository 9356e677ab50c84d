//! Conversions between this crate's keys and metadata and those of `object_store`, which the rest of this folder uses.

use object_store::ObjectMeta;
use object_store::path::Path;

use super::super::key::Key;
use super::super::meta::Meta;

impl From<&Key> for Path {
    fn from(key: &Key) -> Self {
        // `parse` keeps the key as it is, and accepts all checked keys; `from` would encode non-ASCII characters.
        Self::parse(key).unwrap_or_else(|_| Self::from(key.as_ref()))
    }
}

impl From<Path> for Key {
    fn from(path: Path) -> Self {
        Self::listed(path.into())
    }
}

impl From<ObjectMeta> for Meta {
    fn from(meta: ObjectMeta) -> Self {
        let ObjectMeta { location, last_modified, size, e_tag, version: _ } = meta;
        Self { key: location.into(), last_modified, size, etag: e_tag }
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::key;
    use super::*;

    #[test]
    fn a_key_comes_back_as_it_was_written() {
        for written in ["a", "ü/ß é.csv", "a b/100%/x?y*[z]", "a\\b", "x#y", "%2E%2E/x", "a/{b}~|<c>^`"] {
            let key = key::parse(written).unwrap();
            let path = Path::from(&key);
            assert_eq!((path.as_ref(), Key::from(path.clone())), (written, key));
        }
    }
}
