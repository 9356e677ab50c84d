//! Object stores behind one URL: `file://`, `memory://` and, with the features `s3`, `gcp` and `azure`, `s3://`, `gs://` and
//! `az://`. A mock and the real store differ only in that string.
//!
//! | file | subject |
//! |---|---|
//! | `bucket` | [`Bucket`]: the operations users call, and the one place through which each passes |
//! | `lookup` | lookups of objects |
//! | `listing`, `pages` | [`ObjectListing`], a listing as a stream, which is read page by page |
//! | `reader`, `writer` | [`ObjectReader`], [`ObjectWriter`]: streams; `body` and `upload` are each store's part of them |
//! | `extend` | appending to an object, and reading its tail |
//! | `object` | [`Object`]: what a bucket reports about one key |
//! | `bucket_cache` | the buckets that a pipeline function has opened |
//! | `error` | [`BucketError`], and how a store's failure becomes one |
//! | `url`, `key`, `pattern` | what users write, checked before any I/O |
//! | `meta` | what every store reports about an object |
//! | `store` | the operations of every store, implemented by `memory`, `local` (with `staged`, `leftovers`, `walk` and `lock`) and `cloud` |
//! | `invalid_names` | objects in a store whose names are not valid keys |
//! | `across` | copies from one store to another |
//! | `watch`, `trace` | wake-ups on `file://`, within a process and across a restart |
//! | `lookup_report` | what a sensor's last poke looked for, for its timeout message |
//! | `world` | where memory buckets live and how I/O is done; `stamp` and `fault` serve simulated worlds |
//!
//! # Invariants
//!
//! - Only `cloud` uses `object_store`; a build without the features of its vendors does not contain it.
//! - A missing bucket is an error, at the first operation and at each later one; only a missing key is `None`.
//! - Every key is checked before it reaches a store, and none leads out of its bucket.
//! - All stores answer alike; the few differences that remain are listed in [`Bucket`]'s documentation, and one test suite runs
//!   over every store.
//! - On `file://` a step that must be atomic is one blocking closure: dropping an operation's future leaves the step done or
//!   undone, never half done.

mod across;
mod body;
mod bucket;
mod bucket_cache;
#[cfg(feature = "cloud")]
mod cloud;
mod error;
mod extend;
mod fault;
mod invalid_names;
mod key;
mod leftovers;
mod listing;
mod local;
mod lock;
mod lookup;
mod lookup_report;
mod memory;
mod meta;
mod object;
mod pages;
mod pattern;
mod reader;
mod staged;
mod stamp;
mod store;
#[cfg(test)]
mod tests;
mod trace;
mod upload;
mod url;
mod walk;
#[cfg(feature = "watch")]
mod watch;
#[cfg(not(feature = "watch"))]
#[path = "no_watch.rs"]
mod watch;
mod world;
mod writer;

pub use bucket::Bucket;
pub use error::{BucketError, BucketErrorKind};
pub(crate) use fault::Latency;
pub use listing::ObjectListing;
pub use object::Object;
pub use reader::ObjectReader;
pub(crate) use trace::look_again;
pub(crate) use world::World;
pub use writer::ObjectWriter;
