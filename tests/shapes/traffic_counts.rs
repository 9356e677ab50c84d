//! Traffic counts, pulled at night, aggregated and checked. Partitions are created when a month or a year begins.

use pipeline_runtime::chrono::{DateTime, Datelike, NaiveDate, Utc};
use pipeline_runtime::prelude::*;
use pipeline_runtime::sensors::time_reached;
use serde::{Deserialize, Serialize};

const CHAT: Webhook = Webhook::env("CHAT_URL").slack();
static DATABASE: Secret = Secret::env("COUNTS_DATABASE_URL");
static API: Secret = Secret::env("COUNTS_API_KEY");

/// Crossings by number; an empty list means all.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Options {
    crossings: Vec<u32>,
}

/// A client of the database that runs one statement.
async fn sql(ctx: &Context, database: &Secret, statement: &str) -> Result<u64> {
    let rows = ctx.outside(async { statement.len() as u64 + u64::from(!database.expose().is_empty()) });
    Ok(rows.await)
}

fn day(ctx: &Context) -> NaiveDate {
    ctx.data_interval_start().date_naive()
}

#[task]
async fn year_partition(ctx: Context, database: Secret) -> Result<()> {
    if day(&ctx).ordinal() != 1 {
        return Err(TaskError::skip("the year has its partition"));
    }
    sql(&ctx, &database, &format!("SELECT create_year({})", day(&ctx).year())).await?;
    Ok(())
}

#[task]
async fn month_partition(ctx: Context, database: Secret) -> Result<()> {
    if day(&ctx).day() != 1 {
        return Err(TaskError::skip("the month has its partition"));
    }
    sql(&ctx, &database, &format!("SELECT create_month('{}')", day(&ctx))).await?;
    Ok(())
}

#[task(retries = 1, retry_delay = "5m", timeout = "3h")]
async fn pull(ctx: Context, database: Secret, key: Secret, crossings: Vec<u32>) -> Result<u64> {
    sql(&ctx, &database, &format!("INSERT {crossings:?} of {} characters", key.expose().len())).await
}

#[task]
async fn mark_gaps(ctx: Context, database: Secret) -> Result<u64> {
    sql(&ctx, &database, "SELECT mark_gaps()").await
}

#[task]
async fn by_movement(ctx: Context, database: Secret, crossings: Vec<u32>) -> Result<u64> {
    sql(&ctx, &database, &format!("SELECT by_movement({crossings:?})")).await
}

#[task]
async fn by_quarter_hour(ctx: Context, database: Secret) -> Result<u64> {
    sql(&ctx, &database, "SELECT by_quarter_hour()").await
}

/// Each day continues from the sums of the day before.
#[task(depends_on_past = true)]
async fn by_day(ctx: Context, database: Secret) -> Result<u64> {
    sql(&ctx, &database, "SELECT by_day()").await
}

#[task]
async fn update_report(ctx: Context, database: Secret) -> Result<u64> {
    sql(&ctx, &database, "SELECT update_report()").await
}

/// Fails without a retry if there is much less than in the weeks before.
#[task]
async fn check(ctx: Context, database: Secret, query: String) -> Result<u64> {
    let found = sql(&ctx, &database, &query).await?;
    if found == 0 { Err(TaskError::fatal("far fewer than in the last eight weeks")) } else { Ok(found) }
}

#[task]
async fn tell_issues(at: DateTime<Utc>, rows: u64) -> Result<String> {
    Ok(format!("{rows} rows, told at {}", at.format("%T")))
}

#[pipeline(
    schedule = "0 3 * * *", timezone = "America/Toronto", start = "2024-01-09", defaults(on_failure = CHAT),
    tags = ["counts", "partitions", "checks"],
)]
fn counts(options: Options) {
    let partitions = group("partitions", || {
        let year = year_partition(&DATABASE);
        month_partition(&DATABASE).after(year.or_skipped());
    });
    let pulled = pull(&DATABASE, &API, options.crossings.clone()).after(partitions.or_skipped());
    let aggregated = group("aggregate", || {
        update_report(&DATABASE);
        let moved = by_movement(&DATABASE, options.crossings).after(mark_gaps(&DATABASE));
        let quarters = by_quarter_hour(&DATABASE).after(moved);
        by_day(&DATABASE).after(moved);
        quarters
    })
    .after(pulled);
    group("checks", || {
        for (name, column, least) in [("rows", "volume", 0.8), ("classes", "class", 0.99)] {
            let query = template!(file = "shapes/check_counts.sql", column = column, least = least);
            check(&DATABASE, query).named(name);
        }
    })
    .after(aggregated);
    // Sent at nine, as nobody reads it at four in the morning.
    tell_issues(time_reached(template!("{{ data_interval_end | local | ds }}T09:00[America/Toronto]")), pulled);
}

#[pipeline(schedule = "0 3 * * *", timezone = "America/Toronto", start = "2024-01-09", defaults(on_failure = CHAT))]
fn open_issues() {
    check(&DATABASE, "SELECT count(*) FROM issues").after(run_of(counts).output::<by_quarter_hour>());
}

// ---- simulations

use super::support::*;

const CHECKS: [&str; 2] = ["checks.rows", "checks.classes"];

fn night(date: &str) -> Simulation<'static> {
    let simulation = Simulation::new(counts()).logical_date(date);
    simulation.secret(&DATABASE, "postgres://host/db").secret(&API, "an-api-key")
}

#[test]
fn partitions_are_made_when_a_month_begins_and_nothing_waits_for_them_else() {
    for (date, partitions) in
        [("2024-03-25", [Skipped, Skipped]), ("2024-04-01", [Skipped, Success]), ("2025-01-01", [Success, Success])]
    {
        let report = night(date).run();
        succeeds(&report);
        assert_eq!(states(&report, ["partitions.year_partition", "partitions.month_partition"]), partitions, "{date}");
        assert_eq!(states(&report, CHECKS), [Success; 2]);
    }
}

/// The run starts at three, after any change of the clock in that night, so nine is always six hours later.
#[test]
fn what_was_found_is_told_at_nine_by_the_clock_of_the_city() {
    for (date, told) in [("2024-01-15", "14:00:00"), ("2024-07-15", "13:00:00")] {
        let report = night(date).run();
        assert!(report.output::<String>("tell_issues").unwrap().ends_with(told), "{date}");
        assert_eq!((report.node("time_reached").pokes(), report.finished()), (2, mins(360)));
    }
}

#[test]
fn a_pull_that_fails_leaves_out_all_that_needs_it_with_one_alert() {
    let report = night("2024-03-25").fail("pull", 1, "401").fail("pull", 2, "401").run();
    assert_eq!(states(&report, CHECKS), [UpstreamFailed; 2]);
    assert_eq!(states(&report, ["aggregate.update_report", "aggregate.by_day"]), [UpstreamFailed; 2]);
    assert_eq!(callbacks(&report), ["on_failure of pull"]);
}

#[test]
fn a_pull_is_tried_again_and_a_check_is_not() {
    let report = night("2024-03-25").fail("pull", 1, "503").run();
    succeeds(&report);
    assert_eq!(report.node("checks.rows").started(), mins(5));
    let report = night("2024-03-25").stub("checks.rows", 0u64).fail("checks.classes", 1, "far fewer").run();
    assert_eq!((states(&report, CHECKS), report.node("checks.classes").attempts()), ([Success, Failed], 1));
}

#[test]
fn another_pipeline_waits_for_the_quarters_of_an_hour_alone() {
    let issues = || Simulation::new(open_issues()).logical_date("2024-03-25").secret(&DATABASE, "postgres://host/db");
    let report = issues().ran("40m", counts, OtherRun::success().output::<by_quarter_hour>(96)).run();
    succeeds(&report);
    assert_eq!(report.finished(), mins(40));
    let report = issues().ran("40m", counts, OtherRun::failed("`pull`: 401")).run();
    assert_eq!(report.node("check").state(), UpstreamFailed);
}

#[test]
fn the_sums_of_a_day_wait_for_those_of_the_day_before() {
    let report = night("2024-03-25").passed_before("50m", "aggregate.by_day").run();
    succeeds(&report);
    assert_eq!(
        (report.node("aggregate.by_day").started(), report.node("aggregate.by_quarter_hour").finished()),
        (mins(50), mins(0))
    );
}
