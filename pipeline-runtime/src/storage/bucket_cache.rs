//! The buckets that a pipeline function opens: the same URL yields the same bucket, however often it is opened.
//!
//! A plan may open a bucket for each of a million sensors. The state of a bucket (its store's client and connections, the folder
//! that it found) then exists once. It is shared only within one call of the function, so that a later run resolves its URL
//! again.

use super::bucket::Bucket;
use super::error::BucketError;
use super::world::World;
use crate::author::draft;
use std::collections::HashMap;

/// Keyed by the URL as it was written.
#[derive(Default)]
struct OpenedBuckets(HashMap<String, Bucket>);

/// The bucket of that URL in the current world: the one that the running pipeline function has already opened, or a new one.
pub(super) fn open_once(url: &str, open: impl FnOnce(World) -> Result<Bucket, BucketError>) -> Result<Bucket, BucketError> {
    let world = World::current();
    let opened =
        draft::with_shared(|OpenedBuckets(buckets)| buckets.get(url).filter(|bucket| bucket.world().is(&world)).cloned());
    if let Some(bucket) = opened.flatten() {
        return Ok(bucket);
    }
    let bucket = open(world)?;
    draft::with_shared(|OpenedBuckets(buckets)| buckets.insert(url.to_owned(), bucket.clone()));
    Ok(bucket)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn same(a: &Bucket, b: &Bucket) -> bool {
        std::ptr::eq(a.url(), b.url())
    }

    #[test]
    fn a_pipeline_function_opens_a_url_once() {
        let open = |url| Bucket::open(url).unwrap();
        let ((a, b), _) = draft::record(|| {
            let a = open("memory://opened");
            assert!(same(&a, &open("memory://opened")));
            assert!(!same(&a, &open("memory://another")));
            (a, World::simulated(std::sync::Arc::new(chrono::Utc::now), false).enter(|| open("memory://opened")))
        });
        assert!(!same(&a, &b), "a bucket of another world");
        assert!(!same(&a, &open("memory://opened")), "outside of the function");
        let (again, _) = draft::record(|| open("memory://opened"));
        assert!(!same(&a, &again), "another call of the function");
    }
}
