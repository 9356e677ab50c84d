//! A search index for each medium, rebuilt by one server that handles one at a time: ingested, promoted, and the old one removed.

use pipeline_runtime::prelude::*;
use serde::{Deserialize, Serialize};
use std::time::Duration;

const CHAT: Webhook = Webhook::env("CHAT_URL").slack();
/// The server refreshes one index at a time, whichever pipeline requests it.
static SERVER: Lock = Lock::new("index_server");

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Refresh {
    medium: String,
    /// Popularity is recomputed by the first run of each month, and on request.
    popularity: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
enum Action {
    Ingest,
    Promote,
    Delete,
}

#[derive(Clone, Serialize, Deserialize, Branch)]
enum Popularity {
    Anew,
    AsItIs,
}

#[branch]
async fn popularity(ctx: Context, asked: bool) -> Result<Popularity> {
    let month = |time: pipeline_runtime::chrono::DateTime<_>| time.format("%Y-%m").to_string();
    let last = ctx.prev_data_interval_start_success().map(month);
    Ok(if asked || last != Some(month(ctx.data_interval_start())) { Popularity::Anew } else { Popularity::AsItIs })
}

#[task(timeout = "1d")]
async fn rank(medium: String, table: String) -> Result<u64> {
    Ok((medium.len() + table.len()) as u64)
}

#[task]
async fn suffix(ctx: Context) -> Result<String> {
    Ok(format!("{:08x}", ctx.idempotency_key().bytes().fold(7u32, |sum, byte| sum.wrapping_mul(31) + u32::from(byte))))
}

/// Returns the URL that reports the request's state.
#[task(retries = 2)]
async fn request(ctx: Context, medium: String, action: Action, suffix: String) -> Result<String> {
    ctx.outside(async { Ok(format!("/task/{medium}/{action:?}/{suffix}")) }).await
}

#[sensor(poke = "15m", timeout = "1d")]
async fn finished(ctx: Context, url: String) -> Result<Poke<u64>> {
    ctx.outside(async { Ok(Poke::Ready(url.len() as u64)) }).await
}

#[task]
async fn report(records: u64) -> Result<String> {
    Ok(format!("{records} records"))
}

#[pipeline(schedule = "0 0 * * 1", start = "2022-06-01", max_active_runs = 1, defaults(retries = 1, on_failure = CHAT))]
fn refresh(options: Refresh) {
    let medium = &options.medium;
    let PopularityArms { anew, as_it_is: _ } = popularity(options.popularity);
    let ranked = group("popularity", || {
        chain((rank(medium, "constants").named("constants"), rank(medium, "view").named("view")));
    })
    .after(anew);
    let records = group("refresh", || {
        let suffix = suffix();
        let act = |action: Action, limit: u64| {
            let name = format!("{action:?}").to_lowercase();
            let asked = request(medium, action, suffix).named(&name);
            (asked, finished(asked).named(format!("{name}_finished")).timeout(Duration::from_hours(limit)))
        };
        let (_, ingested) = act(Action::Ingest, 48);
        let (promote, promoted) = act(Action::Promote, 1);
        let (delete, _) = act(Action::Delete, 1);
        chain((ingested, promote));
        chain((promoted, delete));
        ingested
    })
    .after(ranked.or_skipped())
    .holding(&SERVER);
    report(records);
}

fn pipelines() -> [Pipeline; 2] {
    let of = |medium: &str| {
        let params = Refresh { medium: medium.into(), ..Refresh::default() };
        refresh().with_id(format!("{medium}_refresh")).with_params(params)
    };
    [of("image"), of("audio").schedule(cron!("0 12 * * 1"))]
}

// ---- simulations

use super::support::*;

fn week() -> Simulation<'static> {
    let [image, _] = pipelines();
    Simulation::new(image).logical_date("2024-03-25").previous_success("2024-03-18")
}

#[test]
fn an_index_is_ingested_promoted_and_the_old_one_deleted() {
    let report = week().run();
    succeeds(&report);
    assert_eq!(states(&report, ["popularity.constants", "popularity.view"]), [Skipped; 2]);
    assert!(report.output::<String>("refresh.delete").unwrap().starts_with("/task/image/Delete/"));
}

#[test]
fn popularity_is_made_anew_by_the_first_run_of_a_month_and_if_somebody_says_so() {
    let [_, audio] = pipelines();
    let first = Simulation::new(audio).logical_date("2024-04-01").previous_success("2024-03-25");
    let asked = week().params(Refresh { medium: "image".into(), popularity: true });
    for simulation in [first, asked] {
        let report = simulation.run();
        succeeds(&report);
        assert_eq!(states(&report, ["popularity.constants", "popularity.view"]), [Success; 2]);
    }
}

#[test]
fn an_ingestion_that_never_ends_promotes_nothing() {
    let report = week().fail("refresh.ingest_finished", 1, "gone").fail("refresh.ingest_finished", 2, "gone").run();
    assert_eq!(states(&report, ["refresh.promote", "refresh.delete", "report"]), [UpstreamFailed; 3]);
    assert_eq!(callbacks(&report), ["on_failure of refresh.ingest_finished"]);
}

#[test]
fn a_request_is_tried_again() {
    let report = week().fail("refresh.promote", 1, "503").run();
    succeeds(&report);
    assert_eq!((report.node("refresh.promote").attempts(), report.finished()), (2, mins(5)));
}
