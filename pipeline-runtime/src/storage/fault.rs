//! Faults that a simulated world puts on buckets: slowness and outages, on virtual time.

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

/// By their URLs.
#[derive(Debug, Default)]
struct Buckets {
    faults: BTreeMap<String, Fault>,
    touched: BTreeSet<String>,
}

#[derive(Debug, Clone, Default)]
struct Fault {
    latency: Option<Latency>,
    /// Each from the first instant to before the last.
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
    /// Each time anew as long as the seed has it, from `least` to `most`. Where they are the same, the seed does not matter.
    pub(crate) fn between(least: Duration, most: Duration, seed: u64) -> Self {
        Self { least, most: most.max(least), random: Seeded::new(seed) }
    }

    fn draw(&mut self) -> Duration {
        // With a single value there is nothing to draw, and the next bucket's draws do not depend on it.
        if self.least == self.most { self.least } else { self.random.time(self.least, self.most) }
    }
}

/// Faults of buckets that nothing touched: most likely the name is another's.
#[derive(Debug)]
pub(crate) struct Unmet {
    unmet: Vec<String>,
    touched: Vec<String>,
}

impl fmt::Display for Unmet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "nothing met the latency or outage of {}: {}", self.unmet.join(", "), what_was_touched(&self.touched))
    }
}

/// What a run touched, as the end of a warning about what it did not.
pub(super) fn what_was_touched(touched: &[String]) -> String {
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

    /// What an operation on the bucket meets before it starts.
    pub(super) async fn meet(&self, bucket: &str, now: impl Fn() -> DateTime<Utc>) -> Result<(), Failure> {
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

    /// The buckets whose faults no operation could meet, and those that operations touched, where there are any of the former.
    pub(super) fn unmet(&self) -> Option<Unmet> {
        let buckets = self.buckets();
        let unmet: Vec<String> = buckets.faults.keys().filter(|bucket| !buckets.touched.contains(*bucket)).cloned().collect();
        (!unmet.is_empty()).then(|| Unmet { unmet, touched: buckets.touched.iter().cloned().collect() })
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
