//! Ready-made sensors: what most pipelines wait for, without a function to write.
//!
//! Each is an ordinary sensor. Called in a pipeline it adds a node, its value flows on, and every option of a sensor is an override:
//! `.timeout(d)`, `.poke(d)`, `.backoff(b)`, `.poke_jitter(d)`, `.poke_timeout(d)`, `.on_timeout(..)`, `.mode(..)`, `.retries(n)`,
//! `.retry_delay(d)`, `.pool(&P)`, `.priority(n)`, `.sla(d)` and the callbacks. Without them a sensor pokes every 60 s for up to
//! 7 days, in mode `reschedule`.
//!
//! ```
//! use pipeline_runtime::prelude::*;
//! use pipeline_runtime::sensors::{any_with_prefix, key_exists};
//! use pipeline_runtime::{Backoff, OnTimeout};
//! use std::time::Duration;
//!
//! #[task]
//! async fn load(export: Object, parts: Vec<Object>) -> Result<u64> {
//!     Ok(export.size + parts.len() as u64)
//! }
//!
//! #[pipeline(schedule = "@daily")]
//! fn nightly() -> Result<()> {
//!     let bucket = Bucket::open("memory://data-bucket")?;
//!     let export = key_exists(&bucket, template!("raw/daily_export_{{ ds_nodash }}.json"))
//!         .named("export")
//!         .timeout(Duration::from_secs(600))
//!         .poke(Duration::from_secs(45));
//!     let parts = any_with_prefix(&bucket, template!("raw/parts/{{ ds }}/"))
//!         .backoff(Backoff::new(Duration::from_secs(30), Duration::from_secs(300)))
//!         .on_timeout(OnTimeout::Skip);
//!     load(export, parts);
//!     Ok(())
//! }
//! # nightly().check().unwrap();
//! ```
//!
//! Dates in templates are UTC, so `ds` is the day on which the data interval starts in UTC; see [`template!`](crate::template).
//!
//! | sensor | waits until | value | in Airflow |
//! |---|---|---|---|
//! | [`key_exists`] | a key is there, or a match of a glob | [`Object`] | `S3KeySensor` |
//! | [`keys_exist`] | all of several are | `Vec<Object>` | `S3KeySensor` with a list |
//! | [`any_with_prefix`] | some key begins so | `Vec<Object>` | `S3PrefixSensor`, `GCSObjectsWithPrefixExistenceSensor` |
//! | [`at_least_bytes`] | an object is large enough | [`Object`] | `S3KeySensor` with a `check_fn`, `S3KeySizeSensor` |
//! | [`keys_unchanged`] | nothing under a prefix has changed for a while | `Vec<Object>` | `S3KeysUnchangedSensor` |
//! | [`time_reached`] | it is that late | `DateTime<Utc>` | `DateTimeSensor` |
//! | [`run_of`] | a run of another pipeline has ended | [`UpstreamRun`](crate::UpstreamRun) | `ExternalTaskSensor` |
//!
//! Of all that look into a bucket it holds:
//!
//! - A missing *bucket*, missing permissions, or what is no key, is an error at once, which no retry mends. It is never "not yet", and
//!   the same holds for sensors of your own that pass a [`BucketError`](crate::BucketError) on by `?`. Any other error of the store
//!   fails the attempt, and the sensor's retries apply, as in Airflow.
//! - Text takes a [`template!`](macro@crate::template), a node or a plain string; a bucket is opened by its URL, so that one URL
//!   stands for what is a connection and a bucket's name in Airflow.
//! - The whole wait has one timeout, across retries and restarts. Airflow 3 renews it with every retry.
//! - `*` crosses `/`, as in Airflow. A wildcard that is meant literally stands in brackets: `raw/a[*].csv`.
//!
//! # What a poke costs on `s3://`
//!
//! In requests, where a million keys have the same prefix. A listing gives 1,000 keys a request.
//!
//! | a poke of | while it waits | when it is ready |
//! |---|---|---|
//! | [`key_exists`] with a key | 1, a `HEAD` | 1 |
//! | [`keys_exist`] with keys | 1 for each up to the first that is missing | 1 for each |
//! | [`key_exists`] with a glob | 1 for each 1,000 keys that begin with what precedes its first wildcard: `events/*.done` 1,000, `events/0999*.done` 1 | up to the page of the first match: `events/*` 1 |
//! | [`at_least_bytes`] with a glob | the same | up to the page of the first that is large enough |
//! | [`any_with_prefix`] | 1 | 1 for each 1,000 keys of its value: 1,000 |
//! | [`keys_unchanged`] | 1 for each 1,000 keys: 1,000 | the same |
//!
//! The first poke that misses a key asks once more, whether there is a bucket at all. Who waits for any of very many keys and does not
//! need them all as a value waits with [`key_exists`] for `PREFIX*`: one request, and one object in the journal.
//!
//! # Wake-ups on `file://`
//!
//! What a poke looks at in a folder, by [`head`](crate::Bucket::head), [`find`](crate::Bucket::find), [`list`](crate::Bucket::list) or
//! [`modified_since`](crate::Bucket::modified_since), is watched until the next poke, and a change there pokes at once. That goes for
//! every sensor, your own included, and needs no option.
//!
//! - A file counts as changed when whoever wrote it closes it, or when it is renamed to its key; never as it is created, so that
//!   nobody is woken for half a file. Where the system does not tell when a file is closed (only Linux does), and for files in a
//!   folder that was made a moment ago, it counts once its size stood still for 200 ms. A file that is linked in or deleted wakes nobody.
//! - A process that resumes a run looks again where the last pokes looked (at the first 16 looks of each), and watches on. If something
//!   else is there now it pokes at once, else when it was due.
//! - Folders that do not exist yet are followed as they are made.
//! - Pokes for changes come on top of the ticks of `poke` or `backoff`, which stay where they are, to the second: a change never moves a
//!   tick, and growing waits do not grow by it. Of many changes in a row the first pokes at once, and those of each tenth of a second
//!   after it together. So there are never more pokes than changes and ticks, and a poke never overlaps the one before.
//! - Neither a retry's delay nor the deadline is moved: a sensor in `up_for_retry` is not woken, and after the deadline nobody is.
//! - The interval is the fallback. What cannot be watched is seen at the next tick, and the log says so once: more folders than the
//!   system allows (on Linux `fs.inotify.max_user_watches`), more than 1024 folders in one listing, more than 1000 looks in one poke,
//!   changes that come faster than they can be read, a file system that tells of none. One on another machine (NFS, SMB) tells only of
//!   what this machine changes, and says nothing of the rest.
//! - Looks from a task that a body spawned are not watched, nor is anything in a simulation, where only ticks poke.
//!
//! For everything else a sensor of your own is [five lines](macro@crate::sensor).

mod key;
mod prefix;
mod run_of;
mod start;
mod time;

pub use key::{at_least_bytes, key_exists, keys_exist};
pub use prefix::{any_with_prefix, keys_unchanged};
pub use run_of::run_of;
pub use start::{StartParams, start};
pub use time::time_reached;

#[cfg(doc)]
use crate::Object;
