//! Faults that a simulated world puts on buckets: slowness and outages, on virtual time.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use chrono::{DateTime, Utc};

use super::error::{BucketErrorKind, Failure};

/// By the bucket's URL.
#[derive(Debug, Default)]
pub(super) struct Faults(Mutex<HashMap<String, Fault>>);

#[derive(Debug, Clone, Default)]
struct Fault {
    latency: Duration,
    /// Each from the first instant to before the last.
    outages: Vec<(DateTime<Utc>, DateTime<Utc>)>,
}

impl Faults {
    pub(super) fn latency(&self, bucket: String, latency: Duration) {
        self.change(bucket, |fault| fault.latency = latency);
    }

    pub(super) fn outage(&self, bucket: String, from: DateTime<Utc>, until: DateTime<Utc>) {
        self.change(bucket, |fault| fault.outages.push((from, until)));
    }

    /// What an operation on the bucket meets before it starts.
    pub(super) async fn meet(&self, bucket: &str, now: impl Fn() -> DateTime<Utc>) -> Result<(), Failure> {
        let fault = self.0.lock().unwrap_or_else(PoisonError::into_inner).get(bucket).cloned();
        let Some(fault) = fault else { return Ok(()) };
        if !fault.latency.is_zero() {
            tokio::time::sleep(fault.latency).await;
        }
        let now = now();
        if fault.outages.iter().any(|(from, until)| (*from..*until).contains(&now)) {
            return Err(Failure::new(BucketErrorKind::Network, "the store could not be reached (a simulated outage)"));
        }
        Ok(())
    }

    fn change(&self, bucket: String, change: impl FnOnce(&mut Fault)) {
        change(self.0.lock().unwrap_or_else(PoisonError::into_inner).entry(bucket).or_default());
    }
}
