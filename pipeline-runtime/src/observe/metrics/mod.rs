//! Metrics of a run, counted by its history.
//!
//! They are not counters in the engine, so that a resumed run, a simulated one and one read from a journal have the same numbers.

mod counts;
mod newest_object;
mod page;
mod render;

pub(crate) use counts::Counts;
pub(crate) use newest_object::newest_object;
#[cfg(feature = "dashboard")]
pub(crate) use page::PrometheusPage;

use crate::engine::{NodeState, RunState};
use serde::{Serialize, Serializer};
use std::collections::BTreeMap;
use std::time::Duration;

/// Metrics of a run: as text for Prometheus, as JSON and as a table.
///
/// A node inside `.each` is counted once for all elements, under its own id: `upload`, not `upload[3]`. Its times are those of
/// all elements together, also if they waited or ran at once. Counters continue when a finished run is retried. Times are always
/// written in seconds.
///
/// | in Prometheus | in JSON | |
/// |---|---|---|
/// | `pipeline_run_state` | `pipeline`, `state` | 1 for the state in the label `state` |
/// | `pipeline_run_duration_seconds` | `duration_seconds` | from the run's start to its end, or to the last thing that happened |
/// | `pipeline_node_states` | `states` | number of the node's elements per state; a node outside of `.each` counts as one |
/// | `pipeline_node_attempts_total` | `attempts` | attempts that began; all pokes between two errors of a sensor are one |
/// | `pipeline_node_errors_total` | `errors` | attempts and pokes that ended in an error, a panic or at their time limit |
/// | `pipeline_node_queue_seconds_total` | `queue_seconds` | time between when a node, a retry or a poke could start and when it did: the wait for a slot of its pool |
/// | `pipeline_node_run_seconds_total` | `run_seconds` | how long its body ran, all attempts and pokes together |
/// | `pipeline_sensor_pokes_total` | `pokes` | pokes that began |
/// | `pipeline_sensor_wait_seconds_total` | `wait_seconds` | from its first poke until it ended |
/// | `pipeline_sensor_timeouts_total` | `timeouts` | waits that outlasted the timeout, whatever `on_timeout` made of them |
/// | `pipeline_sensor_detection_seconds` | `detection_seconds` | from an object's arrival to the end of the poke that found it, the maximum; for sensors whose value is an [`Object`](crate::Object) or a list of them, of which the newest counts. Missing if the object was there before the first poke |
/// | `pipeline_sensor_poke_duration_seconds` | `poke_duration_seconds` | a histogram of how long pokes took |
///
/// All but the first two have the label `node`, all have `pipeline`. Files for Prometheus suit the textfile collector of its node
/// exporter; each is about one run.
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
    /// From the run's start to its end, or to the last event.
    #[serde(rename = "duration_seconds", serialize_with = "seconds")]
    pub duration: Duration,
    /// The sensors, in wiring order.
    pub sensors: Vec<SensorMetrics>,
    /// The tasks and branches, in wiring order.
    pub tasks: Vec<NodeMetrics>,
}

/// Metrics of any node with a body.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[non_exhaustive]
pub struct NodeMetrics {
    /// The node's id, without the index of an element.
    pub node: String,
    /// The number of its elements per state; a node outside of `.each` counts as one.
    pub states: BTreeMap<NodeState, u64>,
    /// Attempts that began.
    pub attempts: u64,
    /// Attempts and pokes that ended in an error, a panic or at their time limit.
    pub errors: u64,
    /// The time between when it could start and when it did.
    #[serde(rename = "queue_seconds", serialize_with = "seconds")]
    pub queue: Duration,
    /// How long its body ran.
    #[serde(rename = "run_seconds", serialize_with = "seconds")]
    pub run: Duration,
}

/// Metrics of a sensor.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[non_exhaustive]
pub struct SensorMetrics {
    /// The metrics that it shares with tasks.
    #[serde(flatten)]
    pub node: NodeMetrics,
    /// Pokes that began.
    pub pokes: u64,
    /// From its first poke until it ended, or to the last event.
    #[serde(rename = "wait_seconds", serialize_with = "seconds")]
    pub wait: Duration,
    /// Waits that exceeded the timeout.
    pub timeouts: u64,
    /// From an object's arrival to the end of the poke that found it, the maximum.
    #[serde(rename = "detection_seconds", serialize_with = "maybe_seconds")]
    pub detection: Option<Duration>,
    /// How long pokes took.
    #[serde(rename = "poke_duration_seconds")]
    pub poke_duration: Histogram,
}

/// A histogram of durations.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Histogram {
    /// The number of durations.
    pub count: u64,
    /// Their sum.
    #[serde(serialize_with = "seconds")]
    pub sum: Duration,
    /// The longest.
    #[serde(serialize_with = "seconds")]
    pub max: Duration,
    /// The number of durations up to each of the bounds. In JSON an object, by the bound in seconds.
    #[serde(serialize_with = "by_bound")]
    pub(crate) buckets: [u64; 12],
}

impl Histogram {
    /// The upper bounds of the ranges, in milliseconds.
    pub(crate) const BOUNDS: [u64; 12] = [1, 5, 10, 25, 50, 100, 250, 1000, 2500, 10_000, 30_000, 60_000];

    /// Returns the number of durations up to each bound, with the bounds in order. The bounds may change.
    pub fn buckets(&self) -> impl Iterator<Item = (Duration, u64)> {
        Self::BOUNDS.into_iter().map(Duration::from_millis).zip(self.buckets)
    }

    /// Returns the mean; zero if there are no durations.
    pub fn mean(&self) -> Duration {
        let count = u32::try_from(self.count).unwrap_or(u32::MAX);
        self.sum.checked_div(count).unwrap_or_default()
    }
}

impl RunMetrics {
    /// Returns the sensor with that id.
    pub fn sensor(&self, id: &str) -> Option<&SensorMetrics> {
        self.sensors.iter().find(|sensor| sensor.node.node == id)
    }

    /// Returns the task or branch with that id.
    pub fn task(&self, id: &str) -> Option<&NodeMetrics> {
        self.tasks.iter().find(|task| task.node == id)
    }
}

// Serde calls it with a reference.
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
