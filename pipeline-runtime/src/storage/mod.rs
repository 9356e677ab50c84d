//! Buckets of objects behind one URL: `file://`, `memory://` and, with the features `s3`, `gcp` and `azure`, `s3://`, `gs://` and `az://`, so that a
//! mock and the real thing differ by a string.
//!
//! | file | subject |
//! |---|---|
//! | `bucket` | [`Bucket`]: the operations users call, and the one place through which each passes |
//! | `look`, `listing` | looks at what is there; [`ObjectListing`], a listing as a stream, which `pages` reads |
//! | `reader`, `writer` | [`ObjectReader`], [`ObjectWriter`]: streams; `body` and `upload` are what a store has behind them |
//! | `extend` | objects that grow at their end, and where one ends |
//! | `object` | [`Object`]: what a bucket says about one key |
//! | `opened` | what a pipeline function has opened |
//! | `error` | [`BucketError`], and the way from a store's failure to a message |
//! | `url`, `key`, `pattern` | what users write, checked before any I/O |
//! | `meta` | what every store says about an object |
//! | `store` | what every store can do; `memory`, `local` (with `staged`, `leftovers`, `walk` and `lock`) and `cloud` do it |
//! | `unnamed` | what lies there under names that are no keys |
//! | `across` | copies from one store to another |
//! | `watch` | wake-ups on `file://`; `trace`: over a restart |
//! | `looked` | what a sensor's last poke looks for, which its timeout names |
//! | `world` | where memory buckets live and how I/O is done; `stamp` and `fault` serve simulated worlds |
//!
//! # Invariants
//!
//! - Only `cloud` knows `object_store`, which a build without the features of its vendors does without.
//! - A missing bucket is an error, at the first operation and at each later one; only a missing key is `None`.
//! - No key reaches a store unchecked, and none leads out of its bucket.
//! - All stores answer alike; the few differences that remain stand in [`Bucket`]'s documentation, and one suite of tests runs
//!   over every store.
//! - On `file://` a step that must not be torn apart is one blocking closure: dropping an operation's future leaves it done
//!   or undone, never half done.

mod across;
mod body;
mod bucket;
#[cfg(feature = "cloud")]
mod cloud;
mod error;
mod extend;
mod fault;
mod key;
mod leftovers;
mod listing;
mod local;
mod lock;
mod look;
mod looked;
mod memory;
mod meta;
mod object;
mod opened;
mod pages;
mod pattern;
mod reader;
mod staged;
mod stamp;
mod store;
#[cfg(test)]
mod tests;
mod trace;
mod unnamed;
mod upload;
mod url;
mod walk;
#[cfg(feature = "watch")]
mod watch;
#[cfg(not(feature = "watch"))]
#[path = "unwatched.rs"]
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
