//! Task 3: one critical file, awaited with exponential backoff, with callbacks, an SLA and custom metrics.

use super::Options;
use pipeline_runtime::Log;
use pipeline_runtime::prelude::*;
use serde::{Deserialize, Serialize};
use std::time::Duration;
use tokio::time::Instant;

/// The sensor's value: the file, and how the wait for it went.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sensed {
    /// `enterprise-bucket/critical/critical_data_YYYYMMDD.json`
    pub file: Object,
    /// The measurements of all pokes.
    pub performance: Performance,
}

/// Measurements of a sensor's pokes, remembered from one poke to the next.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Performance {
    /// The number of pokes.
    pub pokes: u32,
    /// How many of them failed with an error.
    pub errors: u32,
    /// How long they took in total.
    pub total: Duration,
    /// How long the slowest took.
    pub slowest: Duration,
}

/// The analysis of a wait.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Analysis {
    /// The number of pokes.
    pub measurements: u32,
    /// The average duration of a poke.
    pub average: Duration,
    /// The percentage of pokes without an error.
    pub success_rate: f64,
}

impl Performance {
    fn record(&mut self, took: Duration, is_error: bool) {
        self.pokes += 1;
        self.errors += u32::from(is_error);
        self.total += took;
        self.slowest = self.slowest.max(took);
    }

    /// The analysis; `None` without a poke.
    pub fn analyze(&self) -> Option<Analysis> {
        let average = self.total.checked_div(self.pokes)?;
        let success_rate = 100.0 * f64::from(self.pokes - self.errors) / f64::from(self.pokes);
        Some(Analysis { measurements: self.pokes, average, success_rate })
    }
}

/// Waits for the day's critical data, with 30 s, 60 s, 120 s, 240 s and then 300 s between pokes.
///
/// An error of the store is not "not yet": it is retried three times, 30 s apart, within the same 90 minutes.
#[sensor(
    timeout = "90m", backoff(start = "30s", max = "5m"), mode = "reschedule", retries = 3, retry_delay = "30s",
    on_success = advanced_sensor_success_callback, on_failure = advanced_sensor_failure_callback, on_retry = Log
)]
pub async fn enterprise_critical_sensor(ctx: Context, bucket: Bucket, key: String) -> Result<Poke<Sensed>> {
    let mut performance: Performance = ctx.recall()?.unwrap_or_default();
    let begun = Instant::now();
    let found = bucket.head(&key).await;
    performance.record(begun.elapsed(), found.is_err());
    ctx.remember(&performance)?;
    Ok(found?.map(|file| Sensed { file, performance }).into())
}

/// Reports how the wait went, even if it failed.
#[task]
pub async fn analyze_performance(sensed: Outcome<Sensed>) -> Result<Option<Analysis>> {
    let analysis = match sensed {
        Outcome::Success(sensed) => sensed.performance.analyze(),
        Outcome::Failed(failure) => {
            tracing::warn!(error = failure.error(), "no performance to analyze: `{}` failed", failure.node());
            None
        }
        Outcome::Skipped => None,
    };
    if let Some(Analysis { measurements, average, success_rate }) = &analysis {
        tracing::info!("sensor performance: {measurements} poke(s), {average:?} on average, {success_rate:.1}% without an error");
    }
    Ok(analysis)
}

/// Reports how long the wait took. In production this would feed a metrics system.
pub async fn advanced_sensor_success_callback(n: Notification) -> Result<()> {
    let (node, pokes, attempt) = (n.node(), n.pokes(), n.attempt());
    let (elapsed, budget_left) = (n.elapsed().map(brief), n.budget_left().map(brief));
    tracing::info!(pipeline = n.pipeline(), run = n.run_id(), node, pokes, attempt, elapsed, budget_left, "ADVANCED SUCCESS");
    Ok(())
}

/// Reports everything that helps to find the cause. In production this would notify the person on call.
pub async fn advanced_sensor_failure_callback(n: Notification) -> Result<()> {
    let key = n.inputs().iter().find(|(name, _)| name == "key").map(|(_, key)| key.as_str());
    let (attempt, attempts, pokes) = (n.attempt(), n.attempts(), n.pokes());
    let (elapsed, budget_left) = (n.elapsed().map(brief), n.budget_left().map(brief));
    tracing::error!(
        severity = "HIGH",
        pipeline = n.pipeline(),
        run = n.run_id(),
        node = n.node(),
        key,
        attempt,
        attempts,
        pokes,
        elapsed,
        budget_left,
        error = n.error(),
        "ADVANCED FAILURE"
    );
    Ok(())
}

/// The first escalation level: the person on call.
pub async fn sla_miss_callback(n: Notification) -> Result<()> {
    escalate("ON_CALL", &n);
    Ok(())
}

/// The second escalation level, a quarter of an hour later.
pub async fn escalate_to_team_lead(n: Notification) -> Result<()> {
    escalate("TEAM_LEAD", &n);
    Ok(())
}

/// The last escalation level, another quarter of an hour later.
pub async fn escalate_to_management(n: Notification) -> Result<()> {
    escalate("MANAGEMENT", &n);
    Ok(())
}

fn escalate(escalation_level: &str, n: &Notification) {
    let elapsed = n.elapsed().map(brief);
    tracing::warn!(escalation_level, pipeline = n.pipeline(), run = n.run_id(), state = n.state(), elapsed, "SLA MISS");
}

/// A duration in whole seconds, such as `1h 15m`.
fn brief(duration: Duration) -> String {
    humantime::format_duration(Duration::from_secs(duration.as_secs())).to_string()
}

/// Waits for the day's critical data, and notifies more people the longer it takes.
///
/// After 45 minutes the person on call is notified, after 60 the team lead, after 75 the management; after 90 the sensor gives
/// up.
#[pipeline(
    schedule = "@daily", start = "2024-01-01", tags = ["exercise-2"],
    sla = "45m", on_sla_miss = sla_miss_callback,
    escalate("60m" => escalate_to_team_lead, "75m" => escalate_to_management)
)]
pub fn advanced_cloud_sensors(options: Options) -> Result<()> {
    let bucket = options.bucket("enterprise-bucket")?;
    let critical = enterprise_critical_sensor(&bucket, template!("critical/critical_data_{{ ds_nodash }}.json"));
    analyze_performance(critical);
    Ok(())
}
