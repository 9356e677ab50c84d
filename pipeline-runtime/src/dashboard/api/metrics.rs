//! Prometheus metrics: counters since this process started, and gauges of the current state.
//!
//! Counters belong to the process that holds the journal, and only grow during its lifetime; the dashboard of another process has
//! none. No metric is about a single run or node, since their number is unbounded: labels are pipelines, pools, and words from
//! small sets (`docs/dashboard.md` lists each of them).

use super::{Problem, Site, next_start, overview, pools};
use crate::dashboard::active_runs::RunUsage;
use crate::engine::RunState;
use crate::journal::Tally;
use crate::observe::PrometheusPage;
use crate::read::{JournalReader, ReadError};
use crate::time::Timestamp;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use std::collections::BTreeMap;
use std::sync::Arc;

pub(super) async fn metrics(State(site): State<Arc<Site>>) -> Result<Response, Problem> {
    let (of, now) = (Arc::clone(&site), site.clock.now());
    let text = site.readers.read(move |reader| {
        let mut page = PrometheusPage::default();
        page.family("pipeline_build_info", "gauge", "1, with the version of the library.");
        page.sample("pipeline_build_info", &[("version", env!("CARGO_PKG_VERSION"))], 1);
        if let Some(tally) = &of.tally {
            counters(&mut page, tally);
        }
        gauges(&mut page, reader)?;
        of_pipelines(&mut page, &of, reader, now)?;
        of_pools(&mut page, &of.active_runs.usages(reader).map_err(ReadError::from)?);
        page.family("pipeline_dashboard_streams", "gauge", "Open event streams.");
        page.sample("pipeline_dashboard_streams", &[], of.changes.followers());
        Ok(page.text())
    });
    Ok(([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text.await?).into_response())
}

/// What this process has written.
fn counters(page: &mut PrometheusPage, tally: &Tally) {
    let counts = tally.read();
    let name = "pipeline_runs_total";
    page.family(name, "counter", "Ends of runs; a manually retried run ends again.");
    for (pipeline, kind, state, count) in counts.runs() {
        page.sample(name, &[("pipeline", pipeline), ("kind", kind), ("state", state)], count);
    }
    let records: BTreeMap<&str, u64> = counts.records().collect();
    let of = |record: &str| records.get(record).copied().unwrap_or_default();
    for (name, record, help) in [
        ("pipeline_starts_total", "started", "Starts of bodies: attempts of tasks, and pokes of sensors."),
        ("pipeline_retries_total", "retrying", "Failed attempts that are retried."),
        ("pipeline_failures_total", "failed", "Nodes that failed."),
        ("pipeline_pokes_not_yet_total", "not_yet", "Pokes that were not ready."),
        ("pipeline_interruptions_total", "interrupted", "Attempts cut off by the end of their process."),
        ("pipeline_callbacks_told_total", "callback_told", "Delivered callbacks."),
        ("pipeline_callback_failures_total", "callback_failed", "Failed deliveries of callbacks."),
    ] {
        page.family(name, "counter", help);
        page.sample(name, &[], of(record));
    }
    let name = "pipeline_journal_records_total";
    page.family(name, "counter", "Recorded records, by kind.");
    for (record, count) in &records {
        page.sample(name, &[("record", record)], count);
    }
    page.family("pipeline_journal_log_lines_total", "counter", "Log lines of attempts submitted to the journal.");
    page.sample("pipeline_journal_log_lines_total", &[], counts.lines);
    page.family("pipeline_journal_commits_total", "counter", "Commits that waited for the disk.");
    page.sample("pipeline_journal_commits_total", &[], counts.commits.count);
    let name = "pipeline_journal_commit_seconds";
    page.family(name, "histogram", "Duration of these commits.");
    page.histogram(name, &[], counts.commits.buckets(), counts.commits.sum, counts.commits.count);
}

fn gauges(page: &mut PrometheusPage, reader: &JournalReader) -> Result<(), Problem> {
    let (bytes, free) = reader.journal().pages().map_err(ReadError::from)?;
    let (inbox, callbacks) = reader.journal().pending_counts().map_err(ReadError::from)?;
    for (name, help, value) in [
        ("pipeline_runs_blocked", "Runs that a process could not resume.", reader.journal().blocked()?),
        ("pipeline_inbox_waiting", "Commands that are not carried out yet.", inbox),
        ("pipeline_callbacks_due", "Callbacks with pending delivery.", callbacks),
        ("pipeline_journal_bytes", "Size of the journal's pages.", bytes),
        ("pipeline_journal_free_bytes", "Size of the journal's free pages.", free),
    ] {
        page.family(name, "gauge", help);
        page.sample(name, &[], value);
    }
    Ok(())
}

fn of_pipelines(page: &mut PrometheusPage, site: &Site, reader: &JournalReader, now: Timestamp) -> Result<(), Problem> {
    let ids = overview::pipeline_ids(reader, &site.pipelines)?;
    for (name, help, state) in [
        ("pipeline_runs_active", "Runs that have begun and not ended.", RunState::Running),
        ("pipeline_runs_queued", "Queued runs.", RunState::Queued),
    ] {
        page.family(name, "gauge", help);
        for id in &ids {
            page.sample(name, &[("pipeline", id)], reader.journal().count(id, state)?);
        }
    }
    let paused = reader.paused()?;
    page.family("pipeline_paused", "gauge", "1 where the schedule is paused.");
    for id in &ids {
        page.sample("pipeline_paused", &[("pipeline", id)], i64::from(paused.contains(id)));
    }
    let name = "pipeline_next_tick_seconds";
    page.family(name, "gauge", "Time until the schedule's next run; missing if there is none.");
    for pipeline in &site.pipelines {
        let next = next_start::of(reader, pipeline, paused.contains(pipeline.id()), now)?;
        if let Some(at) = next.at {
            let left = Timestamp::from(at).since(now).as_secs_f64();
            page.sample(name, &[("pipeline", pipeline.id())], left);
        }
    }
    Ok(())
}

/// The pools and sensors of the active runs.
fn of_pools(page: &mut PrometheusPage, runs: &[Arc<RunUsage>]) {
    let pools = pools::by_name(runs);
    let name = "pipeline_pool_slots";
    page.family(name, "gauge", "Slots of a pool; missing for the default pool.");
    for (pool, of) in &pools {
        if let Some(slots) = of.slots {
            page.sample(name, &[("pool", pool)], slots);
        }
    }
    page.family("pipeline_pool_used", "gauge", "Nodes that hold a slot of the pool.");
    for (pool, of) in &pools {
        page.sample("pipeline_pool_used", &[("pool", pool)], of.used.count);
    }
    page.family("pipeline_pool_queued", "gauge", "Nodes that wait for a slot of the pool.");
    for (pool, of) in &pools {
        page.sample("pipeline_pool_queued", &[("pool", pool)], of.queued.count);
    }
    let mut waiting: BTreeMap<&str, usize> = BTreeMap::new();
    for run in runs {
        *waiting.entry(&run.pipeline).or_default() += run.waiting;
    }
    let name = "pipeline_sensors_waiting";
    page.family(name, "gauge", "Waiting sensors of a pipeline's runs.");
    for (pipeline, count) in waiting {
        page.sample(name, &[("pipeline", pipeline)], count);
    }
}
