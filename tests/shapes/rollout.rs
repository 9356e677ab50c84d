//! A rollout to many clusters, in batches that start at set times: each cluster upgrades, reports and is watched before the next
//! batch.

use pipeline_runtime::chrono::{DateTime, Utc};
use pipeline_runtime::prelude::*;
use serde::{Deserialize, Serialize};

const CHAT: Webhook = Webhook::env("CHAT_URL").slack();
/// A network has one rollout at a time, whatever it rolls out.
static NETWORK: Lock = Lock::new("network");

/// A revision of the software: forty hexadecimal digits.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
struct Revision(String);

impl TryFrom<String> for Revision {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let is_revision = text.len() == 40 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        if is_revision { Ok(Self(text)) } else { Err(format!("`{text}` is no revision: it has forty hexadecimal digits")) }
    }
}

impl From<Revision> for String {
    fn from(revision: Revision) -> Self {
        revision.0
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Batch {
    name: String,
    at: DateTime<Utc>,
    clusters: Vec<String>,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Options {
    network: String,
    revision: Revision,
    /// An empty list means the usual plan of the week.
    plan: Vec<Batch>,
}

/// The batches, by time, without duplicates.
#[task]
async fn plan(ctx: Context, mut batches: Vec<Batch>) -> Result<Vec<Batch>> {
    batches.sort_by_key(|batch| batch.at);
    match batches.first() {
        None => Err(TaskError::skip("there is nothing to roll out")),
        Some(first) if first.at < ctx.data_interval_end() => Err(TaskError::fatal(format!("{} is over", first.at))),
        Some(_) => Ok(batches),
    }
}

#[sensor(poke = "5m", timeout = "1d")]
async fn elected(ctx: Context, revision: Revision) -> Result<Poke<String>> {
    ctx.outside(async { Ok(Poke::Ready(revision.0)) }).await
}

#[sensor(timeout = "13d")]
async fn begins(ctx: Context, at: DateTime<Utc>) -> Result<Poke<()>> {
    Ok(if ctx.started() >= at { Poke::Ready(()) } else { Poke::NotBefore(at) })
}

#[sensor(poke = "5m", timeout = "1d")]
async fn healthy(ctx: Context, cluster: String) -> Result<Poke<()>> {
    ctx.outside(async { Ok(Some(()).filter(|()| !cluster.is_empty()).into()) }).await
}

/// One proposal per cluster and revision, however often it is requested.
#[task]
async fn propose(ctx: Context, cluster: String, revision: String) -> Result<u64> {
    ctx.outside(async { Ok((cluster.len() + revision.len()) as u64) }).await
}

#[task]
async fn ask_for_votes(ctx: Context, proposal: u64) -> Result<()> {
    ctx.log_line(format!("please vote on {proposal}"));
    Ok(())
}

#[sensor(poke = "1m", timeout = "1d")]
async fn accepted(ctx: Context, proposal: u64) -> Result<Poke<u64>> {
    ctx.outside(async { Ok(Poke::Ready(proposal)) }).await
}

#[sensor(poke = "1m", timeout = "6h")]
async fn upgraded(ctx: Context, cluster: String, revision: String) -> Result<Poke<u64>> {
    ctx.outside(async { Ok(Poke::Ready((cluster.len() + revision.len()) as u64)) }).await
}

#[sensor(poke = "5m", timeout = "1d")]
async fn quiet(ctx: Context, cluster: String) -> Result<Poke<String>> {
    ctx.outside(async { Ok(Poke::Ready(cluster)) }).await
}

#[task]
async fn upgrade_spares(ctx: Context, network: String, revision: String) -> Result<String> {
    ctx.outside(async { Ok(format!("{network} is at {}", &revision[..7])) }).await
}

#[pipeline(timeout = "14d", defaults(retries = 288, retry_delay = "5m", on_failure = CHAT), tags = ["rollout"])]
fn rollout(options: Options) {
    group("all", || {
        let plan = plan(options.plan);
        let revision = elected(options.revision).after(plan);
        let rolled_out = plan.keyed(|batch| batch.name.clone()).each(|batch| {
            let begun = begins(batch.field(|batch| &batch.at));
            batch.field(|batch| &batch.clusters).keyed(String::clone).each(|cluster| {
                let proposal = propose(cluster, revision).after(healthy(cluster).after(begun));
                let upgraded =
                    upgraded(cluster, revision).after([ask_for_votes(proposal).ended(), accepted(proposal).or_skipped()]);
                quiet(cluster).after(upgraded)
            })
        });
        upgrade_spares(&options.network, revision).after(rolled_out.in_order());
    })
    .holding(&NETWORK);
}

fn pipelines() -> [Pipeline; 2] {
    ["main", "test"].map(|network| {
        let params = Options { network: network.into(), ..Options::default() };
        rollout().with_id(format!("rollout_to_{network}")).with_params(params)
    })
}

// ---- simulations

use super::support::*;

fn options() -> Options {
    let batch = |name: &str, at: &str, clusters: &[&str]| {
        let clusters = clusters.iter().copied().map(str::to_owned).collect();
        Batch { name: name.into(), at: at.parse().unwrap(), clusters }
    };
    let plan = vec![
        batch("canary", "2024-01-02T07:00:00Z", &["fra-1"]),
        batch("none", "2024-01-03T07:00:00Z", &[]),
        batch("half", "2024-01-10T09:30:00Z", &["ams-1", "ams-2", "zrh-1"]),
    ];
    Options { network: "main".into(), revision: Revision("0123456789abcdef0123456789abcdef01234567".into()), plan }
}

fn week() -> Simulation<'static> {
    let [main, _] = pipelines();
    Simulation::new(main).params(options())
}

const DAY: u64 = 24 * 60;

#[test]
fn each_batch_begins_at_its_time_and_an_empty_one_holds_nothing_up() {
    let report = week().run();
    succeeds(&report);
    assert_eq!(report.node("all.propose[canary][fra-1]").started(), mins(DAY + 7 * 60));
    assert_eq!(report.node("all.propose[half][ams-2]").started(), mins(9 * DAY + 9 * 60 + 30));
    assert_eq!(report.node("all.begins[half]").pokes(), 2);
    assert_eq!(report.output("all.upgrade_spares"), Some("main is at 0123456".to_owned()));
}

/// The second batch would start at nine; the first is watched until noon.
#[test]
fn a_batch_waits_for_the_one_before_it() {
    let mut options = options();
    options.plan[2].at = "2024-01-02T09:00:00Z".parse().unwrap();
    options.plan.remove(1);
    let simulation = week().params(options);
    let report =
        (1..=60).fold(simulation, |all, attempt| all.fail("all.quiet[canary][fra-1]", attempt, "an alert is firing")).run();
    succeeds(&report);
    assert_eq!(report.node("all.quiet[canary][fra-1]").attempts(), 61);
    assert_eq!(report.node("all.propose[half][ams-1]").started(), mins(DAY + 12 * 60));
}

#[test]
fn a_batch_that_fails_is_the_last_with_one_alert() {
    let simulation = (1..=289).fold(week(), |all, attempt| all.fail("all.propose[canary][fra-1]", attempt, "not elected"));
    let report = simulation.run();
    assert_eq!((report.state(), report.node("all.upgrade_spares").state()), (RunState::Failed, UpstreamFailed));
    assert_eq!(callbacks(&report), ["on_failure of all.propose[canary][fra-1]"]);
    assert_eq!(report.node("all.begins[half]").pokes(), 0);
}

#[test]
fn what_is_no_revision_starts_no_run() {
    let [main, _] = pipelines();
    let refused = Simulation::new(main).params(serde_json::json!({"revision": "0123"})).try_run().unwrap_err();
    assert!(refused.to_string().contains("forty hexadecimal digits"), "{refused}");
}
