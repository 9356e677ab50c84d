//! Faults that a simulated world puts on buckets: slowness and outages, on virtual time.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use chrono::{DateTime, Utc};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use super::error::{BucketErrorKind, Failure};

/// By the bucket's URL.
#[derive(Debug, Default)]
pub(super) struct Faults(Mutex<HashMap<String, Fault>>);

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
    random: StdRng,
}

impl Latency {
    /// Each time anew as long as the seed has it, from `least` to `most`. Where they are the same, the seed does not matter.
    pub(crate) fn between(least: Duration, most: Duration, seed: u64) -> Self {
        Self { least, most: most.max(least), random: StdRng::seed_from_u64(seed) }
    }

    fn draw(&mut self) -> Duration {
        // With a single value there is nothing to draw, and the next bucket's draws do not depend on it.
        if self.least == self.most { self.least } else { self.random.random_range(self.least..=self.most) }
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
            let mut faults = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            let Some(fault) = faults.get_mut(bucket) else { return Ok(()) };
            (fault.latency.as_mut().map(Latency::draw), fault.outages.clone())
        };
        if let Some(latency) = latency.filter(|latency| !latency.is_zero()) {
            tokio::time::sleep(latency).await;
        }
        let now = now();
        if outages.iter().any(|(from, until)| (*from..*until).contains(&now)) {
            return Err(Failure::new(BucketErrorKind::Network, "the store could not be reached (a simulated outage)"));
        }
        Ok(())
    }

    fn change(&self, bucket: String, change: impl FnOnce(&mut Fault)) {
        change(self.0.lock().unwrap_or_else(PoisonError::into_inner).entry(bucket).or_default());
    }
}
