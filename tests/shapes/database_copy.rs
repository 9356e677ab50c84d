//! A copy of a database, rebuilt each week from a dump that another team leaves in a bucket.

use pipeline_runtime::prelude::*;
use pipeline_runtime::sensors::key_exists;
use pipeline_runtime::{Command, OnTimeout};
use std::time::Duration;

const CHAT: Webhook = Webhook::env("CHAT_URL").slack();
static OWNER: Secret = Secret::file("/run/secrets/owner-url");
static READER: Secret = Secret::file("/run/secrets/reader-password");

/// One step at a time, as each locks the whole database.
static DATABASE: Pool = Pool::new("database", 1);

fn pod(script: &str, argument: &str, owner: &Secret) -> Command {
    let kubectl = Command::new("kubectl").args(["run", "--rm", "--attach", "--image=db-tools:1.4", script, "--", argument]);
    kubectl.env("DB_URL", owner)
}

#[task(retries = 3)]
async fn restore(ctx: Context, dump: Object, owner: Secret) -> Result<()> {
    pod("restore", &dump.key, &owner).run(&ctx).await?;
    Ok(())
}

#[task]
async fn grant(ctx: Context, owner: Secret, reader: Secret) -> Result<()> {
    pod("grant", "readers", &owner).env("PASSWORD", &reader).run(&ctx).await?;
    Ok(())
}

#[task(timeout = "12h")]
async fn index_products(ctx: Context, owner: Secret) -> Result<()> {
    pod("index", "products", &owner).run(&ctx).await?;
    Ok(())
}

#[task(timeout = "12h")]
async fn summarise(ctx: Context, owner: Secret, period: String) -> Result<()> {
    pod("summarise", &period, &owner).run(&ctx).await?;
    Ok(())
}

#[pipeline(
    schedule(every = "7d", from = "2020-05-01T12:00"), timezone = "Australia/Sydney", max_active_runs = 1,
    defaults(retries = 1, retry_delay = "5m", pool = DATABASE, on_failure = CHAT),
)]
fn database_copy() -> Result<()> {
    let dumps = Bucket::open("memory://dumps")?;
    let dump = key_exists(&dumps, template!("prod/{{ data_interval_end | ds }}.dump"));
    let dump = dump.timeout(Duration::from_hours(24)).on_timeout(OnTimeout::Skip);
    chain((
        restore(dump, &OWNER),
        grant(&OWNER, &READER),
        index_products(&OWNER),
        ["month", "year"].map(|period| summarise(&OWNER, period).named(format!("summarise_{period}"))),
    ));
    Ok(())
}

// ---- simulations

use super::support::*;

const STEPS: [&str; 5] = ["restore", "grant", "index_products", "summarise_month", "summarise_year"];

fn week() -> Simulation<'static> {
    let simulation = Simulation::new(database_copy()).logical_date("2024-03-01");
    let simulation = simulation.secret(&OWNER, "postgres://host/db").secret(&READER, "a-password");
    STEPS.iter().fold(simulation, |simulation, step| simulation.stub(step, ()))
}

#[test]
fn the_dump_of_the_week_is_restored_and_one_step_follows_the_other() {
    let report = week().arrive("0s", "memory://dumps/prod/2024-03-08.dump", "rows").run();
    succeeds(&report);
}

#[test]
fn a_dump_that_is_late_is_waited_for_and_none_is_no_failure() {
    let report = week().arrive("6h", "memory://dumps/prod/2024-03-08.dump", "rows").run();
    succeeds(&report);
    assert_eq!(report.finished(), mins(360));
    let report = week().run();
    assert_eq!((report.state(), states(&report, STEPS)), (RunState::Success, [Skipped; 5]));
    assert_eq!(callbacks(&report), [""; 0]);
}

#[test]
fn a_step_that_fails_ends_the_chain_with_one_alert() {
    let simulation = week().arrive("0s", "memory://dumps/prod/2024-03-08.dump", "rows");
    let report = simulation.fail("grant", 1, "no such role").fail("grant", 2, "no such role").run();
    assert_eq!(states(&report, STEPS), [Success, Failed, UpstreamFailed, UpstreamFailed, UpstreamFailed]);
    assert_eq!(callbacks(&report), ["on_failure of grant"]);
}

#[test]
fn a_restore_is_tried_three_times_more() {
    let simulation = week().arrive("0s", "memory://dumps/prod/2024-03-08.dump", "rows");
    let report = (1..=3).fold(simulation, |simulation, attempt| simulation.fail("restore", attempt, "timeout")).run();
    succeeds(&report);
    assert_eq!((report.node("restore").attempts(), report.finished()), (4, mins(15)));
}
