//! Eight exports of a day, loaded as they arrive, enriched by queries from files and verified. One function makes a pipeline for
//! each chain.

use pipeline_runtime::Command;
use pipeline_runtime::prelude::*;
use pipeline_runtime::sensors::key_exists;
use serde::{Deserialize, Serialize};
use std::time::Duration;

const TEAM: Defaults = defaults!(retries = 5, retry_delay = "5m", on_failure = CHAT, on_retry = CHAT);
const CHAT: Webhook = Webhook::env("CHAT_URL").slack();

const TABLES: [(&str, Format); 8] = [
    ("blocks", Format::Csv),
    ("transactions", Format::Csv),
    ("receipts", Format::Csv),
    ("logs", Format::Json),
    ("contracts", Format::Json),
    ("tokens", Format::Csv),
    ("transfers", Format::Csv),
    ("traces", Format::Csv),
];

#[derive(Debug, Clone, Copy, PartialEq)]
enum Format {
    Csv,
    Json,
}

impl Format {
    const fn ending(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Json => "json",
        }
    }
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Chain {
    name: String,
    exports: String,
    /// True if a load replaces the whole table instead of one day.
    all_days: bool,
}

impl Default for Chain {
    fn default() -> Self {
        Self { name: "main".into(), exports: "memory://exports".into(), all_days: true }
    }
}

#[task(timeout = "30m")]
async fn load(ctx: Context, export: Object, table: String, format: Format) -> Result<()> {
    let bq = Command::new("bq").args(["load", "--replace", "--source_format", format.ending(), &table, &export.key]);
    bq.run(&ctx).await?;
    Ok(())
}

#[task(timeout = "1h")]
async fn enrich(ctx: Context, sql: String, all_days: bool) -> Result<()> {
    let how = if all_days { "--replace" } else { "--append_table" };
    Command::new("bq").args(["query", how, &sql]).run(&ctx).await?;
    Ok(())
}

/// Fails if the query finds rows that should not exist.
#[task(retries = 0)]
async fn verify(ctx: Context, sql: String) -> Result<()> {
    Command::new("bq").args(["query", &sql]).run(&ctx).await?;
    Ok(())
}

#[task]
async fn tell(chain: String) -> Result<String> {
    Ok(format!("{chain} is loaded"))
}

#[pipeline(schedule = "30 12 * * *", start = "2018-07-01", defaults = TEAM)]
fn load_tables(chain: Chain) -> Result<()> {
    let exports = Bucket::open(&chain.exports)?;
    let [blocks, transactions, receipts, logs, contracts, tokens, transfers, traces] = TABLES.map(|(table, format)| {
        let key = template!("export/{{ table }}/date={{ ds }}/{{ table }}.{{ ending }}", table = table, ending = format.ending());
        let export = key_exists(&exports, key).named(format!("wait_{table}")).timeout(Duration::from_hours(1));
        load(export, table, format).named(format!("load_{table}"))
    });
    let enriched = |table: &str, needs: &[Node<()>]| {
        let sql = template!(file = "shapes/enrich.sql", table = table, chain = chain.name);
        enrich(sql, chain.all_days).named(format!("enrich_{table}")).after(needs)
    };
    let enriched_blocks = enriched("blocks", &[blocks]);
    let enriched_transactions = enriched("transactions", &[blocks, transactions, receipts]);
    let enriched_logs = enriched("logs", &[blocks, logs]);
    let enriched_transfers = enriched("transfers", &[blocks, transfers]);
    let enriched_traces = enriched("traces", &[blocks, traces]);
    let enriched_contracts = enriched("contracts", &[blocks, contracts]);
    let enriched_tokens = enriched("tokens", &[blocks, tokens]);

    let verified = |check: &str, needs: &[Node<()>]| {
        verify(template!("CALL checks.{{ check }}('{{ ds }}')", check = check)).named(format!("verify_{check}")).after(needs)
    };
    let verified = [
        verified("blocks_count", &[enriched_blocks]),
        verified("blocks_are_new", &[enriched_blocks]),
        verified("transactions_count", &[enriched_blocks, enriched_transactions]),
        verified("transactions_are_new", &[enriched_transactions]),
        verified("logs_are_new", &[enriched_logs]),
        verified("transfers_are_new", &[enriched_transfers]),
        verified("traces_by_block", &[enriched_blocks, enriched_traces]),
        verified("traces_by_transaction", &[enriched_transactions, enriched_traces]),
        verified("traces_by_contract", &[enriched_transactions, enriched_traces, enriched_contracts]),
    ];
    tell(chain.name).after((verified, enriched_tokens));
    Ok(())
}

fn pipelines() -> [Pipeline; 2] {
    let classic = Chain { name: "classic".into(), exports: "memory://classic".into(), all_days: false };
    [load_tables(), load_tables().with_id("load_classic").with_params(classic).schedule(cron!("0 14 * * *"))]
}

// ---- simulations

use super::support::*;

const VERIFIED: [&str; 2] = ["verify_blocks_count", "verify_traces_by_contract"];

/// A day on which every export exists from the start, except the late one, which arrives at the given time.
fn day(pipeline: Pipeline, bucket: &str, late: Option<(&str, &str)>) -> Simulation<'static> {
    let plan = pipeline.plan(&serde_json::Value::Null).unwrap().to_json();
    let mut simulation = Simulation::new(pipeline).logical_date("2024-03-25");
    for (table, format) in TABLES {
        let when = late.filter(|(late, _)| *late == table).map_or("0s", |(_, when)| when);
        let url = format!("memory://{bucket}/export/{table}/date=2024-03-25/{table}.{}", format.ending());
        simulation = simulation.arrive(when, &url, "rows");
    }
    let programs = plan["nodes"].as_array().unwrap().iter().map(|node| node["id"].as_str().unwrap());
    let programs = programs.filter(|id| !id.starts_with("wait") && *id != "tell");
    programs.fold(simulation, |simulation, id| simulation.stub(id, ()))
}

#[test]
fn both_chains_load_what_is_there() {
    let [main, classic] = pipelines();
    succeeds(&day(main, "exports", None).run());
    let report = day(classic, "classic", None).run();
    succeeds(&report);
    assert_eq!((report.pipeline(), report.output("tell")), ("load_classic", Some("classic is loaded".to_owned())));
}

#[test]
fn one_late_export_holds_up_what_needs_it_alone() {
    let report = day(load_tables(), "exports", Some(("traces", "40m"))).run();
    succeeds(&report);
    let finished = |id| report.node(id).finished();
    assert_eq!((finished("verify_blocks_count"), finished("enrich_traces"), finished("tell")), (mins(0), mins(40), mins(40)));
}

#[test]
fn an_export_that_never_comes_is_one_alert() {
    let report = day(load_tables(), "exports", Some(("traces", "2h"))).run();
    assert_eq!((report.state(), states(&report, VERIFIED)), (RunState::Failed, [Success, UpstreamFailed]));
    let on_failure: Vec<String> = callbacks(&report).into_iter().filter(|line| line.starts_with("on_failure")).collect();
    assert_eq!(on_failure, ["on_failure of wait_traces"]);
}

#[test]
fn a_load_is_tried_again_and_a_check_is_not() {
    let report = day(load_tables(), "exports", None).fail("load_blocks", 1, "quota").run();
    succeeds(&report);
    assert_eq!((report.finished(), callbacks(&report)), (mins(5), vec!["on_retry of load_blocks".to_owned()]));
    let report = day(load_tables(), "exports", None).fail("verify_blocks_count", 1, "7 blocks are missing").run();
    assert_eq!(states(&report, ["verify_blocks_count", "verify_blocks_are_new", "tell"]), [Failed, Success, UpstreamFailed]);
}
