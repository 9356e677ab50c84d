//! Every option once, in each place where it may stand.

use pipeline_runtime::prelude::*;
use pipeline_runtime::{Backoff, Mode, OnTimeout};
use std::time::Duration;

static S3: Pool = Pool::new("s3", 4);
const CHAT: Webhook = Webhook::env("CHAT_URL");

async fn page(n: Notification) -> Result<()> {
    println!("{}", n.name());
    Ok(())
}

async fn log_it(n: Notification) {
    println!("{}", n.name());
}

#[task(
    retries = 2, retry_delay = "5m", timeout = "10 minutes", pool = S3, priority = -5, sla = "1h 30m", on_failure = page, on_upstream_failed = log_it,
    on_retry = [page, log_it, CHAT], on_success = log_it, on_skipped = crate::every_option::log_it, on_sla_miss = page,
    depends_on_past = true, id = "load-eu",
)]
async fn load() -> Result<u64> {
    Ok(3)
}

#[task(backoff(start = "30s", max = "5m", factor = 1.5, jitter = "5s"))]
async fn growing(rows: u64) -> Result<u64> {
    Ok(rows)
}

#[sensor(
    timeout = "30m",
    poke = "45s",
    poke_jitter = "5s",
    poke_timeout = "10s",
    on_timeout = "skip",
    mode = "poke",
    retries = 1,
    retry_delay = "1m"
)]
async fn ready() -> Result<Poke<u64>> {
    Ok(Poke::NotYet)
}

#[pipeline(
    schedule = "0/30 6-18 * * MON-FRI", timezone = "Europe/Berlin", start = "2024-01-01", end = "2024-12-31T06:00:00Z",
    catchup = true, max_active_runs = 1, depends_on_past = true, keep = "90d", timeout = "3h", sla = "45m",
    escalate("60m" => page, "90m" => [page, log_it]), on_failure = [page, CHAT], on_cancel = log_it, on_upstream_failed = log_it, on_retry = log_it, on_success = log_it, on_skipped = log_it,
    on_sla_miss = page,
    defaults(retries = 1, retry_delay = "1m", pool = S3), tags = ["daily", "eu"], id = "every-option",
)]
pub(crate) fn every_option() {
    growing(load())
        .retries(1)
        .backoff(Backoff::from_millis(1, 2))
        .timeout(Duration::from_mins(1))
        .pool(&S3)
        .priority(1)
        .depends_on_past(false)
        .sla(Duration::from_mins(1))
        .on_failure(page)
        .on_retry(log_it)
        .on_success(CHAT)
        .on_skipped(page)
        .on_sla_miss(page)
        .allow_failure();
    ready()
        .retry_delay(Duration::from_secs(1))
        .poke(Duration::from_secs(10))
        .poke_jitter(Duration::from_secs(1))
        .poke_timeout(Duration::from_secs(1))
        .on_timeout(OnTimeout::Retry)
        .mode(Mode::Reschedule);
}
