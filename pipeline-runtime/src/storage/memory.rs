//! A bucket in memory: a map keyed by key.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::{Bytes, BytesMut};
use chrono::{DateTime, Utc};

use super::body::{Body, Span};
use super::error::Failure;
use super::key::{Key, Prefix};
use super::meta::Meta;
use super::store::{Condition, KeyFilter};
use super::upload::{MemoryUpload, Upload};

/// Clones share their objects.
#[derive(Debug, Clone)]
pub(super) struct Memory {
    url: Arc<str>,
    objects: Arc<Mutex<Objects>>,
}

/// An operation holds the lock from its first read to its last write, so that each is atomic.
#[derive(Debug, Default)]
struct Objects {
    by_key: BTreeMap<Key, StoredObject>,
    /// The number of writes so far; the number of a write is its object's etag.
    writes: u64,
}

#[derive(Debug, Clone)]
struct StoredObject {
    body: Bytes,
    last_modified: DateTime<Utc>,
    write: u64,
}

impl StoredObject {
    fn etag(&self) -> String {
        self.write.to_string()
    }

    fn meta(&self, key: &Key) -> Meta {
        let (last_modified, size, etag) = (self.last_modified, self.body.len() as u64, Some(self.etag()));
        Meta { key: key.clone(), last_modified, size, etag }
    }
}

impl Objects {
    fn present(&self, key: &Key) -> Result<&StoredObject, Failure> {
        self.by_key.get(key).ok_or_else(Failure::no_such_key)
    }

    /// The objects whose keys begin with the prefix, sorted; only those behind `after`, if it is given.
    fn below<'a>(&'a self, prefix: &'a Prefix, after: Option<&'a Key>) -> impl Iterator<Item = (&'a Key, &'a StoredObject)> {
        let prefix = prefix.as_str();
        let from = after.map_or(Bound::Included(prefix), |key| Bound::Excluded(key.as_ref()));
        let from = (from, Bound::Unbounded);
        self.by_key.range::<str, _>(from).take_while(move |(key, _)| key.as_ref().starts_with(prefix))
    }

    fn check(&self, key: &Key, condition: &Condition) -> Result<(), Failure> {
        match (condition, self.by_key.get(key)) {
            (Condition::Absent, Some(_)) => Err(Failure::already_exists()),
            (Condition::Match(etag), now) if now.map(StoredObject::etag).as_ref() != Some(etag) => Err(Failure::precondition()),
            _ => Ok(()),
        }
    }

    fn put(&mut self, key: &Key, body: Bytes, condition: &Condition) -> Result<Meta, Failure> {
        self.check(key, condition)?;
        let object = StoredObject { body, last_modified: Utc::now(), write: self.writes };
        self.writes += 1;
        let meta = object.meta(key);
        self.by_key.insert(key.clone(), object);
        Ok(meta)
    }
}

impl Memory {
    pub(super) fn new(url: String) -> Self {
        Self { url: url.into(), objects: Arc::default() }
    }

    pub(super) fn object_id(&self, key: &Key) -> String {
        format!("{}/{key}", self.url)
    }

    pub(super) fn head(&self, key: &Key) -> Option<Meta> {
        self.lock().by_key.get(key).map(|object| object.meta(key))
    }

    pub(super) fn list(&self, filter: &KeyFilter) -> Vec<Meta> {
        self.page(filter, None, usize::MAX)
    }

    /// The first wanted objects behind a key.
    pub(super) fn page(&self, filter: &KeyFilter, after: Option<&Key>, size: usize) -> Vec<Meta> {
        let objects = self.lock();
        let found = objects.below(filter.prefix(), after).filter(|(key, _)| filter.contains(key.as_ref()));
        found.take(size).map(|(key, object)| object.meta(key)).collect()
    }

    pub(super) fn folders(&self, prefix: &Prefix) -> Vec<Key> {
        let objects = self.lock();
        let start = prefix.folder().len() + usize::from(!prefix.folder().is_empty());
        let folders = objects.below(prefix, None).filter_map(|(key, _)| key.folder_from(start));
        // A set, because the order of the folders differs from that of the keys: `a-b/x` precedes `a/x`, but `a-b` follows `a`.
        folders.collect::<BTreeSet<_>>().into_iter().collect()
    }

    pub(super) fn get(&self, key: &Key) -> Result<Bytes, Failure> {
        Ok(self.lock().present(key)?.body.clone())
    }

    pub(super) fn open(&self, key: &Key, span: Span) -> Result<(Meta, Body), Failure> {
        let object = self.lock().present(key)?.clone();
        let meta = object.meta(key);
        let span = span.within(meta.size);
        // It is in memory, so its size is a `usize`.
        let at = |offset: u64| usize::try_from(offset).unwrap_or(usize::MAX);
        Ok((meta, Body::Memory(object.body.slice(at(span.start)..at(span.end)))))
    }

    pub(super) fn upload(&self, key: &Key, condition: Condition) -> Result<Upload, Failure> {
        self.lock().check(key, &condition)?;
        let (memory, key) = (self.clone(), key.clone());
        Ok(Upload::Memory(MemoryUpload { memory, key, condition, written: BytesMut::new() }))
    }

    pub(super) fn put(&self, key: &Key, body: Bytes, condition: &Condition) -> Result<Meta, Failure> {
        self.lock().put(key, body, condition)
    }

    pub(super) fn copy(&self, from: &Key, to: &Key, condition: &Condition) -> Result<Meta, Failure> {
        let mut objects = self.lock();
        let body = objects.present(from)?.body.clone();
        objects.put(to, body, condition)
    }

    pub(super) fn rename(&self, from: &Key, to: &Key) -> Result<Meta, Failure> {
        let mut objects = self.lock();
        let body = objects.present(from)?.body.clone();
        let renamed = objects.put(to, body, &Condition::Always)?;
        objects.by_key.remove(from);
        Ok(renamed)
    }

    pub(super) fn delete(&self, key: &Key) {
        self.lock().by_key.remove(key);
    }

    fn lock(&self) -> MutexGuard<'_, Objects> {
        self.objects.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::super::key;
    use super::*;

    #[test]
    fn a_rename_is_one_step_for_everybody_else() -> Result<(), &'static str> {
        let (memory, all) = (Memory::new("memory://renamed".into()), KeyFilter::Prefix(Prefix::parse("")?));
        let (a, b) = (key::parse("a")?, key::parse("b")?);
        memory.put(&a, "1".into(), &Condition::Always).unwrap();
        std::thread::scope(|scope| {
            let renames = scope.spawn(|| {
                for _ in 0..2000 {
                    memory.rename(&a, &b).unwrap();
                    memory.rename(&b, &a).unwrap();
                }
            });
            while !renames.is_finished() {
                assert_eq!(memory.list(&all).len(), 1);
            }
        });
        Ok(())
    }
}
