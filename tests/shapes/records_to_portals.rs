//! Records of one service, to a database and from there to two portals. The schedule is followed only in production.

use pipeline_runtime::Command;
use pipeline_runtime::chrono::{DateTime, Datelike, Utc};
use pipeline_runtime::prelude::*;

const CHAT: Webhook = Webhook::env("CHAT_URL").slack();
static SERVICE: Secret = Secret::env("SERVICE_KEY");
static PORTAL: Secret = Secret::env("PORTAL_KEY");
static MAPS: Secret = Secret::env("MAPS_PASSWORD");

fn in_production() -> bool {
    std::env::var("ENVIRONMENT").is_ok_and(|name| name == "production")
}

/// Everything changed since the last success; on the 15th all records, in case something was missed.
#[task]
async fn since(ctx: Context) -> Result<DateTime<Utc>> {
    let everything = ctx.data_interval_start().day() == 15;
    Ok(ctx.prev_run_started_success().filter(|_| !everything).unwrap_or(DateTime::UNIX_EPOCH))
}

async fn service(ctx: &Context, script: &str, since: DateTime<Utc>, key: Secret) -> Result<()> {
    let docker = Command::new("docker").args(["run", "--rm", "-e", "KEY", "services:production", script]);
    docker.args(["--view", "signals", "--date"]).arg(since.to_rfc3339()).env("KEY", &key).run(ctx).await?;
    Ok(())
}

#[task]
async fn to_database(ctx: Context, since: DateTime<Utc>, key: Secret) -> Result<()> {
    service(&ctx, "records_to_database", since, key).await
}

#[task]
async fn to_portal(ctx: Context, since: DateTime<Utc>, key: Secret) -> Result<()> {
    service(&ctx, "records_to_portal", since, key).await
}

#[task]
async fn to_maps(ctx: Context, since: DateTime<Utc>, key: Secret) -> Result<()> {
    service(&ctx, "records_to_maps", since, key).await
}

#[pipeline(
    schedule = "0 6 * * *", timezone = "America/Chicago", start = "2020-09-01", timeout = "1h",
    defaults(timeout = "20m", retries = 1, retry_delay = "5m", on_failure = CHAT), tags = ["signals"],
)]
fn signals() {
    let since = since();
    let stored = to_database(since, &SERVICE);
    to_portal(since, &PORTAL).after(stored);
    to_maps(since, &MAPS).after(stored);
}

fn pipelines() -> [Pipeline; 1] {
    [signals().unscheduled_unless(in_production())]
}

// ---- simulations

use super::support::*;

fn day(date: &str) -> Simulation<'static> {
    let [signals] = pipelines();
    let given = [(&SERVICE, "a-service-key"), (&PORTAL, "a-portal-key"), (&MAPS, "a-password")];
    let simulation = given.iter().fold(Simulation::new(signals), |simulation, (secret, value)| simulation.secret(secret, value));
    ["to_database", "to_portal", "to_maps"].iter().fold(simulation.logical_date(date), |simulation, id| simulation.stub(id, ()))
}

#[test]
fn both_portals_follow_the_database() {
    let report = day("2024-03-14").previous_success("2024-03-13").run();
    succeeds(&report);
    // The previous run started at six in the morning of the 14th, in Chicago.
    assert_eq!(report.output::<DateTime<Utc>>("since"), Some("2024-03-14T11:00:00Z".parse().unwrap()));
}

#[test]
fn all_is_copied_where_nothing_was_before_and_on_the_15th() {
    for simulation in [day("2024-03-14"), day("2024-03-15").previous_success("2024-03-14")] {
        assert_eq!(simulation.run().output::<DateTime<Utc>>("since"), Some(DateTime::UNIX_EPOCH));
    }
}

#[test]
fn a_database_that_fails_twice_is_one_alert() {
    let report = day("2024-03-14").fail("to_database", 1, "down").fail("to_database", 2, "down").run();
    assert_eq!(states(&report, ["to_database", "to_portal", "to_maps"]), [Failed, UpstreamFailed, UpstreamFailed]);
    assert_eq!(callbacks(&report), ["on_failure of to_database"]);
}

#[test]
fn one_portal_is_tried_again_and_the_other_does_not_wait() {
    let report = day("2024-03-14").fail("to_portal", 1, "503").run();
    succeeds(&report);
    assert_eq!((report.node("to_maps").finished(), report.finished()), (mins(0), mins(5)));
}
