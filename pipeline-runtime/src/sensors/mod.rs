//! Ready-made sensors for what most pipelines wait for.
//!
//! Each is an ordinary sensor. Calling it in a pipeline adds a node, its value is passed on, and every option of a sensor can be
//! overridden: `.timeout(d)`, `.poke(d)`, `.backoff(b)`, `.poke_jitter(d)`, `.poke_timeout(d)`, `.on_timeout(..)`, `.mode(..)`,
//! `.retries(n)`, `.retry_delay(d)`, `.pool(&P)`, `.priority(n)`, `.sla(d)` and the callbacks. By default a sensor pokes every 60
//! s for up to 7 days, in mode `reschedule`.
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
//! | [`key_exists`] | a key exists, or a match of a glob | [`Object`] | `S3KeySensor` |
//! | [`keys_exist`] | all of several keys exist | `Vec<Object>` | `S3KeySensor` with a list |
//! | [`any_with_prefix`] | any key with a prefix exists | `Vec<Object>` | `S3PrefixSensor`, `GCSObjectsWithPrefixExistenceSensor` |
//! | [`at_least_bytes`] | an object is large enough | [`Object`] | `S3KeySensor` with a `check_fn`, `S3KeySizeSensor` |
//! | [`keys_unchanged`] | nothing under a prefix has changed for a while | `Vec<Object>` | `S3KeysUnchangedSensor` |
//! | [`time_reached`] | a time is reached | `DateTime<Utc>` | `DateTimeSensor` |
//! | [`run_of`] | a run of another pipeline has ended | [`UpstreamRun`](crate::UpstreamRun) | `ExternalTaskSensor` |
//!
//! For all sensors that read a bucket:
//!
//! - A missing *bucket*, missing permissions, or an invalid key is an error at once, and is not retried. It is never "not yet".
//!   The same holds for your own sensors that return a [`BucketError`](crate::BucketError) with `?`. Any other error of the store
//!   fails the attempt, and the sensor's retries apply, as in Airflow.
//! - Text can be a [`template!`](macro@crate::template), a node or a plain string. A bucket is opened by its URL, which replaces
//!   Airflow's connection and bucket name.
//! - The whole wait has one timeout, across retries and restarts. Airflow 3 renews it with every retry.
//! - `*` crosses `/`, as in Airflow. Put a literal wildcard in brackets: `raw/a[*].csv`.
//!
//! # What a poke costs on `s3://`
//!
//! The number of requests if a million keys have the same prefix. A listing returns 1,000 keys per request.
//!
//! | a poke of | while it waits | when it is ready |
//! |---|---|---|
//! | [`key_exists`] with a key | 1, a `HEAD` | 1 |
//! | [`keys_exist`] with keys | 1 for each up to the first that is missing | 1 for each |
//! | [`key_exists`] with a glob | 1 for each 1,000 keys that begin with the text before its first wildcard: `events/*.done` 1,000, `events/0999*.done` 1 | up to the page of the first match: `events/*` 1 |
//! | [`at_least_bytes`] with a glob | the same | up to the page of the first that is large enough |
//! | [`any_with_prefix`] | 1 | 1 for each 1,000 keys of its value: 1,000 |
//! | [`keys_unchanged`] | 1 for each 1,000 keys: 1,000 | the same |
//!
//! The first poke that finds no key makes one more request, to check that the bucket exists. To wait for any of very many keys
//! without needing all of them as a value, use [`key_exists`] with `PREFIX*`: one request, and one object in the journal.
//!
//! # Wake-ups on `file://`
//!
//! The reads of a poke in a folder, by [`head`](crate::Bucket::head), [`find`](crate::Bucket::find),
//! [`list`](crate::Bucket::list) or [`modified_since`](crate::Bucket::modified_since), are watched until the next poke, and a
//! change there pokes at once. This applies to every sensor, your own included, and needs no option.
//!
//! - A file counts as changed when its writer closes it, or when it is renamed to its key; never when it is created, so that no
//!   sensor wakes for half a file. If the system does not report when a file is closed (only Linux does), and for files in a
//!   folder that was just created, it counts once its size has been stable for 200 ms. A file that is hard-linked or deleted
//!   wakes no sensor.
//! - A process that resumes a run repeats the reads of the last pokes (the first 16 reads of each), and continues to watch. If
//!   the result differs it pokes at once, otherwise when the poke is due.
//! - Folders that do not exist yet are followed as they are created.
//! - Pokes for changes come in addition to the ticks of `poke` or `backoff`, which stay where they are, to the second: a change
//!   never moves a tick, and growing intervals do not grow because of it. Of many changes in a row the first pokes at once, and
//!   the ones after it together every tenth of a second. So there are never more pokes than changes and ticks, and a poke never
//!   overlaps the previous one.
//! - Neither a retry's delay nor the deadline is moved: a sensor in `up_for_retry` is not woken, and neither is one after its
//!   deadline.
//! - The interval is the fallback. What cannot be watched is seen at the next tick, and the log reports that once: more folders
//!   than the system allows (on Linux `fs.inotify.max_user_watches`), more than 1024 folders in one listing, more than 1000 reads
//!   in one poke, changes that come faster than they can be read, a file system without notifications. A file system on another
//!   machine (NFS, SMB) reports only changes by this machine, and does not report that it misses the others.
//! - Reads from a task that a body spawned are not watched, nor is anything in a simulation, where only ticks poke.
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
