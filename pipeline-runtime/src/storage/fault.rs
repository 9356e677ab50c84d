//! Simulated faults of buckets: latency and outages, on virtual time.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::pin::pin;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chrono::{DateTime, Utc};

use super::error::{BucketErrorKind, Failure};
use crate::random::Seeded;
use crate::time::account_for;

#[derive(Debug, Default)]
pub(super) struct Faults(Mutex<Buckets>);

/// Keyed by URL.
#[derive(Debug, Default)]
struct Buckets {
    faults: BTreeMap<String, Fault>,
    touched: BTreeSet<String>,
}

#[derive(Debug, Clone, Default)]
struct Fault {
    latency: Option<Latency>,
    /// Each from its first instant up to but excluding its last.
    outages: Vec<(DateTime<Utc>, DateTime<Utc>)>,
}

/// How long a bucket takes to answer.
#[derive(Debug, Clone)]
pub(crate) struct Latency {
    least: Duration,
    most: Duration,
    random: Seeded,
}

impl Latency {
    /// A latency that is drawn for each operation from `least` to `most`, by the seed. If both are equal, the seed does not
    /// matter.
    pub(crate) fn between(least: Duration, most: Duration, seed: u64) -> Self {
        Self { least, most: most.max(least), random: Seeded::new(seed) }
    }

    fn draw(&mut self) -> Duration {
        // With a single value there is nothing to draw.
        if self.least == self.most { self.least } else { self.random.time(self.least, self.most) }
    }
}

/// Faults of buckets on which there was no operation: most likely their names are misspelled.
#[derive(Debug)]
pub(crate) struct UnusedFaults {
    unmet: Vec<String>,
    touched: Vec<String>,
}

impl fmt::Display for UnusedFaults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "nothing met the latency or outage of {}: {}", self.unmet.join(", "), describe_touched(&self.touched))
    }
}

/// The buckets that a run touched, as the end of a warning about faults that had no effect.
pub(super) fn describe_touched(touched: &[String]) -> String {
    match touched {
        [] => "the run touched no bucket".to_owned(),
        touched => format!("the run touched {} alone", touched.join(", ")),
    }
}

impl Faults {
    pub(super) fn latency(&self, bucket: String, latency: Latency) {
        self.change(bucket, |fault| fault.latency = Some(latency));
    }

    pub(super) fn outage(&self, bucket: String, from: DateTime<Utc>, until: DateTime<Utc>) {
        self.change(bucket, |fault| fault.outages.push((from, until)));
    }

    /// Applies the bucket's faults before an operation starts.
    pub(super) async fn apply(&self, bucket: &str, now: impl Fn() -> DateTime<Utc>) -> Result<(), Failure> {
        let (latency, outages) = {
            let mut buckets = self.buckets();
            if !buckets.touched.contains(bucket) {
                buckets.touched.insert(bucket.to_owned());
            }
            let Some(fault) = buckets.faults.get_mut(bucket) else { return Ok(()) };
            (fault.latency.as_mut().map(Latency::draw), fault.outages.clone())
        };
        if let Some(latency) = latency.filter(|latency| !latency.is_zero()) {
            let mut slept = pin!(tokio::time::sleep(latency));
            std::future::poll_fn(|context| {
                account_for();
                slept.as_mut().poll(context)
            })
            .await;
        }
        let now = now();
        if outages.iter().any(|(from, until)| (*from..*until).contains(&now)) {
            return Err(Failure::new(BucketErrorKind::Network, "the store could not be reached (a simulated outage)"));
        }
        Ok(())
    }

    /// The buckets whose faults met no operation, with those that operations touched; `None` if every fault did.
    pub(super) fn unmet(&self) -> Option<UnusedFaults> {
        let buckets = self.buckets();
        let unmet: Vec<String> = buckets.faults.keys().filter(|bucket| !buckets.touched.contains(*bucket)).cloned().collect();
        (!unmet.is_empty()).then(|| UnusedFaults { unmet, touched: buckets.touched.iter().cloned().collect() })
    }

    /// The buckets that operations touched.
    pub(super) fn touched(&self) -> Vec<String> {
        self.buckets().touched.iter().cloned().collect()
    }

    fn buckets(&self) -> MutexGuard<'_, Buckets> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, bucket: String, change: impl FnOnce(&mut Fault)) {
        change(self.buckets().faults.entry(bucket).or_default());
    }
}
