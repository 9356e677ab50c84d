//! Ready-made sensors, and what a run is measured by.

mod buckets;
mod metrics;
mod time;
