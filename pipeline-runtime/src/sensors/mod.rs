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
//! | sensor | waits until | value | in Airflow |
//! |---|---|---|---|
//! | [`key_exists`] | a key is there, or a match of a glob | [`Object`] | `S3KeySensor` |
//! | [`keys_exist`] | all of several are | `Vec<Object>` | `S3KeySensor` with a list |
//! | [`any_with_prefix`] | some key begins so | `Vec<Object>` | `S3PrefixSensor`, `GCSObjectsWithPrefixExistenceSensor` |
//! | [`at_least_bytes`] | an object is large enough | [`Object`] | `S3KeySensor` with a `check_fn`, `S3KeySizeSensor` |
//! | [`keys_unchanged`] | nothing under a prefix has changed for a while | `Vec<Object>` | `S3KeysUnchangedSensor` |
//! | [`time_reached`] | it is that late | `DateTime<Utc>` | `DateTimeSensor` |
//!
//! Of all that look into a bucket it holds:
//!
//! - A missing *bucket*, or what is no key, is an error at once, which no retry mends. It is never "not yet". Any other error of the
//!   store fails the attempt, and the sensor's retries apply, as in Airflow.
//! - Text takes a [`template!`](macro@crate::template), a node or a plain string; a bucket is opened by its URL, so that one URL
//!   stands for what is a connection and a bucket's name in Airflow.
//! - The whole wait has one timeout, across retries and restarts. Airflow 3 renews it with every retry.
//! - `*` crosses `/`, as in Airflow. A wildcard that is meant literally stands in brackets: `raw/a[*].csv`.
//!
//! For everything else a sensor of your own is [five lines](macro@crate::sensor).

mod key;
mod prefix;
mod time;

pub use key::{at_least_bytes, key_exists, keys_exist};
pub use prefix::{any_with_prefix, keys_unchanged};
pub use time::time_reached;

use crate::{BucketError, BucketErrorKind, Result, TaskError};

#[cfg(doc)]
use crate::Object;

/// What waiting does not mend ends the sensor at once.
fn looked<T>(found: Result<T, BucketError>) -> Result<T> {
    found.map_err(|error| match error.kind() {
        BucketErrorKind::NoSuchBucket | BucketErrorKind::InvalidKey | BucketErrorKind::InvalidUrl => TaskError::fatal(error),
        _ => error.into(),
    })
}
