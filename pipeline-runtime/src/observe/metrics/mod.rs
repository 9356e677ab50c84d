//! What a run can be measured by. A run's history counts it.
//!
//! They are no counters in the engine: so a resumed run, a simulated one and one that is read from a journal have the same numbers.

mod counts;
mod found;
mod page;
mod render;

pub(crate) use counts::Counts;
pub(crate) use found::newest_of;
#[cfg(feature = "dashboard")]
pub(crate) use page::Page;

use crate::engine::{NodeState, RunState};
use serde::{Serialize, Serializer};
use std::collections::BTreeMap;
use std::time::Duration;

/// What a run can be measured by: as text for Prometheus, as JSON and as a table.
///
/// A node within `.each` is counted once for all elements, under its own id: `upload`, not `upload[3]`. Counts go on where a finished
/// run is retried. Times are in seconds wherever they are written.
///
/// | in Prometheus | in JSON | |
/// |---|---|---|
/// | `pipeline_run_state` | `pipeline`, `state` | 1 for the state in the label `state` |
/// | `pipeline_run_duration_seconds` | `duration_seconds` | from the run's start to its end, or to the last thing that happened |
/// | `pipeline_node_states` | `states` | how many of the node's elements are in which state; a node outside of `.each` is one |
/// | `pipeline_node_attempts_total` | `attempts` | attempts that began; all pokes between two errors of a sensor are one |
/// | `pipeline_node_errors_total` | `errors` | attempts and pokes that ended in an error, a panic or at their time limit |
/// | `pipeline_node_queue_seconds_total` | `queue_seconds` | from when a node, a retry or a poke could start until it did: the wait for a slot of its pool |
/// | `pipeline_node_run_seconds_total` | `run_seconds` | how long its body ran, all attempts and pokes together |
/// | `pipeline_sensor_pokes_total` | `pokes` | pokes that began |
/// | `pipeline_sensor_wait_seconds_total` | `wait_seconds` | from its first poke until it ended |
/// | `pipeline_sensor_timeouts_total` | `timeouts` | waits that outlasted the timeout, whatever `on_timeout` made of them |
/// | `pipeline_sensor_detection_seconds` | `detection_seconds` | from an object's arrival to the end of the poke that found it, at the longest; for sensors whose value is an [`Object`](crate::Object) or a list of them, of which the newest counts. Nothing where it was there before the first poke |
/// | `pipeline_sensor_poke_duration_seconds` | `poke_duration_seconds` | a histogram of how long pokes took |
///
/// All but the first two have the label `node`, all have `pipeline`. Files for Prometheus suit the textfile collector of its node
/// exporter; they are about one run each.
///
/// ```
/// use pipeline_runtime::prelude::*;
/// use pipeline_runtime::Simulation;
/// use pipeline_runtime::sensors::key_exists;
/// use std::time::Duration;
///
/// #[pipeline]
/// fn nightly() -> Result<()> {
///     key_exists(Bucket::open("memory://data")?, "export.json").named("export").poke(Duration::from_secs(45));
///     Ok(())
/// }
///
/// let report = Simulation::new(nightly()).arrive("7m", "memory://data/export.json", "{}").run();
/// let metrics = report.metrics();
/// let export = metrics.sensor("export").unwrap();
/// assert_eq!(export.pokes, 11);
/// assert_eq!(export.detection, Some(Duration::from_secs(30)));
/// assert!(metrics.to_prometheus().contains(r#"pipeline_sensor_pokes_total{pipeline="nightly",node="export"} 11"#));
/// println!("{metrics}");
/// ```
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct RunMetrics {
    /// The pipeline's id.
    pub pipeline: String,
    /// The run's state.
    pub state: RunState,
    /// From the run's start to its end, or to the last thing that happened.
    #[serde(rename = "duration_seconds", serialize_with = "seconds")]
    pub duration: Duration,
    /// The sensors, in wiring order.
    pub sensors: Vec<SensorMetrics>,
    /// The tasks and branches, in wiring order.
    pub tasks: Vec<NodeMetrics>,
}

/// What any node with a body can be measured by.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[non_exhaustive]
pub struct NodeMetrics {
    /// The node's id, without the index of an element.
    pub node: String,
    /// How many of its elements are in which state; a node outside of `.each` is one.
    pub states: BTreeMap<NodeState, u64>,
    /// Attempts that began.
    pub attempts: u64,
    /// Attempts and pokes that ended in an error, a panic or at their time limit.
    pub errors: u64,
    /// From when it could start until it did.
    #[serde(rename = "queue_seconds", serialize_with = "seconds")]
    pub queue: Duration,
    /// How long its body ran.
    #[serde(rename = "run_seconds", serialize_with = "seconds")]
    pub run: Duration,
}

/// What a sensor can be measured by.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[non_exhaustive]
pub struct SensorMetrics {
    /// What it has in common with tasks.
    #[serde(flatten)]
    pub node: NodeMetrics,
    /// Pokes that began.
    pub pokes: u64,
    /// From its first poke until it ended, or to the last thing that happened.
    #[serde(rename = "wait_seconds", serialize_with = "seconds")]
    pub wait: Duration,
    /// Waits that outlasted the timeout.
    pub timeouts: u64,
    /// From an object's arrival to the end of the poke that found it, at the longest.
    #[serde(rename = "detection_seconds", serialize_with = "maybe_seconds")]
    pub detection: Option<Duration>,
    /// How long pokes took.
    #[serde(rename = "poke_duration_seconds")]
    pub poke_duration: Histogram,
}

/// How often durations fell into which range.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Histogram {
    /// How many there were.
    pub count: u64,
    /// All of them together.
    #[serde(serialize_with = "seconds")]
    pub sum: Duration,
    /// The longest.
    #[serde(serialize_with = "seconds")]
    pub max: Duration,
    /// How many were at most as long as each of the bounds. In JSON an object, by the bound in seconds.
    #[serde(serialize_with = "by_bound")]
    pub(crate) buckets: [u64; 12],
}

impl Histogram {
    /// The upper bounds of the ranges, in milliseconds.
    pub(crate) const BOUNDS: [u64; 12] = [1, 5, 10, 25, 50, 100, 250, 1000, 2500, 10_000, 30_000, 60_000];

    /// How many were at most as long as each bound, with the bounds in their order. Which bounds there are may change.
    pub fn buckets(&self) -> impl Iterator<Item = (Duration, u64)> {
        Self::BOUNDS.into_iter().map(Duration::from_millis).zip(self.buckets)
    }

    /// The mean; zero of none.
    pub fn mean(&self) -> Duration {
        let count = u32::try_from(self.count).unwrap_or(u32::MAX);
        self.sum.checked_div(count).unwrap_or_default()
    }
}

impl RunMetrics {
    /// The sensor of that id.
    pub fn sensor(&self, id: &str) -> Option<&SensorMetrics> {
        self.sensors.iter().find(|sensor| sensor.node.node == id)
    }

    /// The task or branch of that id.
    pub fn task(&self, id: &str) -> Option<&NodeMetrics> {
        self.tasks.iter().find(|task| task.node == id)
    }
}

// serde calls it with a reference.
#[allow(clippy::trivially_copy_pass_by_ref, reason = "the signature is serde's")]
fn seconds<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(duration.as_secs_f64())
}

#[allow(clippy::ref_option, reason = "the signature is serde's")]
fn maybe_seconds<S: Serializer>(duration: &Option<Duration>, serializer: S) -> Result<S::Ok, S::Error> {
    duration.map(|duration| duration.as_secs_f64()).serialize(serializer)
}

fn by_bound<S: Serializer>(buckets: &[u64; 12], serializer: S) -> Result<S::Ok, S::Error> {
    let bounds = Histogram::BOUNDS.map(|bound| Duration::from_millis(bound).as_secs_f64().to_string());
    serializer.collect_map(bounds.iter().zip(buckets))
}
