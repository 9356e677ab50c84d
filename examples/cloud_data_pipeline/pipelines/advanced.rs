//! Task 3: one file that matters, waited for with exponential backoff, with callbacks, an SLA and metrics of its own.

use super::Options;
use pipeline_runtime::Log;
use pipeline_runtime::prelude::*;
use serde::{Deserialize, Serialize};
use std::time::Duration;
use tokio::time::Instant;

/// What the sensor hands on: the file, and how the wait for it went.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sensed {
    /// `enterprise-bucket/critical/critical_data_YYYYMMDD.json`
    pub file: Object,
    /// What all pokes were like.
    pub performance: Performance,
}

/// How the pokes of a sensor went, kept from one to the next.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Performance {
    /// How many there were.
    pub pokes: u32,
    /// How many of them ended in an error.
    pub errors: u32,
    /// How long they took, all together.
    pub total: Duration,
    /// How long the slowest took.
    pub slowest: Duration,
}

/// What a wait comes to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Analysis {
    /// How many pokes it took.
    pub measurements: u32,
    /// How long one took on average.
    pub average: Duration,
    /// How many of a hundred pokes ended without an error.
    pub success_rate: f64,
}

impl Performance {
    fn record(&mut self, took: Duration, is_error: bool) {
        self.pokes += 1;
        self.errors += u32::from(is_error);
        self.total += took;
        self.slowest = self.slowest.max(took);
    }

    /// What it comes to; nothing without a poke.
    pub fn analyze(&self) -> Option<Analysis> {
        let average = self.total.checked_div(self.pokes)?;
        let success_rate = 100.0 * f64::from(self.pokes - self.errors) / f64::from(self.pokes);
        Some(Analysis { measurements: self.pokes, average, success_rate })
    }
}

/// Waits for the day's critical data: 30 s, 60 s, 120 s, 240 s and from then on 300 s from poke to poke.
///
/// An error of the store is no "not yet": it is retried three times, 30 s apart, within the same 90 minutes.
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

/// Tells how the wait went, be it in vain.
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

/// Tells what the wait took. In production: to whatever keeps metrics.
pub async fn advanced_sensor_success_callback(n: Notification) -> Result<()> {
    let (node, pokes, attempt) = (n.node(), n.pokes(), n.attempt());
    let (elapsed, budget_left) = (n.elapsed().map(brief), n.budget_left().map(brief));
    tracing::info!(pipeline = n.pipeline(), run = n.run_id(), node, pokes, attempt, elapsed, budget_left, "ADVANCED SUCCESS");
    Ok(())
}

/// Tells everything that whoever has to find the cause needs. In production: to whoever is on call.
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

/// The first rung: whoever is on call.
pub async fn sla_miss_callback(n: Notification) -> Result<()> {
    escalate("ON_CALL", &n);
    Ok(())
}

/// The second rung, a quarter of an hour later.
pub async fn escalate_to_team_lead(n: Notification) -> Result<()> {
    escalate("TEAM_LEAD", &n);
    Ok(())
}

/// The last rung, another quarter of an hour later.
pub async fn escalate_to_management(n: Notification) -> Result<()> {
    escalate("MANAGEMENT", &n);
    Ok(())
}

fn escalate(escalation_level: &str, n: &Notification) {
    let elapsed = n.elapsed().map(brief);
    tracing::warn!(escalation_level, pipeline = n.pipeline(), run = n.run_id(), state = n.state(), elapsed, "SLA MISS");
}

/// In whole seconds, such as `1h 15m`.
fn brief(duration: Duration) -> String {
    humantime::format_duration(Duration::from_secs(duration.as_secs())).to_string()
}

/// Waits for the day's critical data and tells more people the longer it takes.
///
/// After 45 minutes whoever is on call is told, after 60 their team lead, after 75 the management; after 90 the sensor gives up.
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
