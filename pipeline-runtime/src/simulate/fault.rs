//! What goes wrong with a simulation's buckets: latencies and outages.

use super::{SimulationError, duration};
use crate::storage::{Latency, World};
use crate::time::Timestamp;

/// A fault of a bucket, with its times as the caller gave them.
#[derive(Debug)]
pub(super) enum Fault {
    Latency { bucket: String, latency: String },
    Outage { bucket: String, from: String, until: String },
}

impl Fault {
    /// Makes the bucket have the fault in the simulation's world, which starts at `start`.
    pub(super) fn install(self, world: &World, start: Timestamp, seed: u64) -> Result<(), SimulationError> {
        match self {
            Self::Latency { bucket, latency } => {
                let (least, most) = latency.split_once("..").unwrap_or((&latency, &latency));
                let (least, most) = (duration(least)?, duration(most)?);
                if most < least {
                    return Err(SimulationError::Range { text: latency });
                }
                world.latency(&bucket, Latency::between(least, most, seed))?;
            }
            Self::Outage { bucket, from, until } => {
                let (begins, ends) = (duration(&from)?, duration(&until)?);
                if ends <= begins {
                    return Err(SimulationError::Range { text: format!("{from}..{until}") });
                }
                let (from, until) = (start + begins, start + ends);
                world.outage(&bucket, from.to_utc(), until.to_utc())?;
            }
        }
        Ok(())
    }
}
