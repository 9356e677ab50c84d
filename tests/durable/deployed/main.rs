//! A binary whose pipeline is deployed again with one change; the variable `CODE` names the change.
//!
//! `shop` waits for an approval; before that it has counted and has mapped a list. It writes its effects to `effects`.

use pipeline_runtime::prelude::*;
use serde::{Deserialize, Serialize};
use std::io::Write as _;
use std::process::ExitCode;

fn code() -> String {
    std::env::var("CODE").unwrap_or_default()
}

fn note(what: &str) -> Result<()> {
    let mut effects = std::fs::OpenOptions::new().append(true).create(true).open("effects")?;
    Ok(effects.write_all(format!("{what}\n").as_bytes())?)
}

#[task]
async fn count(ctx: Context) -> Result<u64> {
    tracing::info!("counting for ada");
    note(&format!("count {}", ctx.run_id()))?;
    Ok(2)
}

#[task]
async fn count_text() -> Result<String> {
    Ok("two".into())
}

#[task]
async fn length(text: String) -> Result<u64> {
    Ok(text.len() as u64)
}

#[task]
async fn names() -> Result<Vec<String>> {
    Ok(vec!["a".into(), "b".into()])
}

#[task]
async fn upload(name: String) -> Result<String> {
    Ok(name)
}

#[task]
async fn check(name: String) -> Result<String> {
    Ok(name)
}

#[derive(Clone, Serialize, Deserialize, Branch)]
enum Way {
    Short(u64),
    Long(u64),
}

#[branch]
async fn way(count: u64) -> Result<Way> {
    Ok(if count > 1 { Way::Long(count) } else { Way::Short(count) })
}

#[derive(Clone, Serialize, Deserialize, Branch)]
enum Ways {
    Short(u64),
    Long(u64),
    Winding(u64),
}

#[branch]
async fn ways(count: u64) -> Result<Ways> {
    Ok(if count > 1 { Ways::Long(count) } else { Ways::Winding(count) })
}

#[task]
async fn walk(steps: u64) -> Result<u64> {
    Ok(steps)
}

#[sensor(poke = "50ms", poke_timeout = "1m", timeout = "1d")]
async fn approval(bucket: Bucket) -> Result<Poke<Object>> {
    Ok(bucket.head("approved").await?.into())
}

#[task]
async fn publish(ctx: Context, approval: Object, count: u64, uploaded: Vec<String>) -> Result<String> {
    note(&format!("publish {}", ctx.run_id()))?;
    Ok(format!("{} {count} {}", approval.key, uploaded.join(" ")))
}

#[task]
async fn publish_text(approval: Object, count: String, uploaded: Vec<String>) -> Result<String> {
    Ok(format!("{} {count} {}", approval.key, uploaded.join(" ")))
}

#[task]
async fn publish_alone(ctx: Context, approval: Object, uploaded: Vec<String>) -> Result<String> {
    note(&format!("publish {}", ctx.run_id()))?;
    Ok(format!("{} {}", approval.key, uploaded.join(" ")))
}

#[task]
async fn publish_nothing(approval: Object) -> Result<String> {
    Ok(approval.key)
}

/// There is no answer while a file requests it.
async fn pager(of: Notification) -> Result<()> {
    if std::fs::exists("data-bucket/quiet")? {
        return Err("no answer".into());
    }
    note(&format!("paged of {}", of.run_id()))
}

static NARROW: Pool = Pool::new("narrow", 1);

#[derive(Default, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Order {
    customer: String,
}

#[derive(Default, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Purchase {
    buyer: String,
}

/// The pipeline's nodes, with the one change.
fn wire() -> Result<()> {
    let code = code();
    if code == "failing function" {
        return Err("the list of shops is missing".into());
    }
    let approval = approval(Bucket::open("file://./data-bucket")?);
    if code == "no mapping" {
        publish_nothing(approval).named("publish");
        return Ok(());
    }
    let uploaded = match code.as_str() {
        "mapping" => names().each(|name| upload(check(name))),
        _ => names().each(upload),
    };
    match code.as_str() {
        "removed task" => {
            publish_alone(approval, uploaded).named("publish");
        }
        "type" => {
            let text = count_text().named("count");
            let arms = way(length(text)).named("way");
            walk(arms.short).named("short");
            walk(arms.long).named("long");
            publish_text(approval, text, uploaded).named("publish");
        }
        _ => {
            let counted = if code == "renamed task" { count().named("tally") } else { count() };
            if code == "branch arm" {
                let arms = ways(counted).named("way");
                walk(arms.short).named("short");
                walk(arms.long).named("long");
                walk(arms.winding).named("winding");
            } else {
                let arms = way(counted);
                walk(arms.short).named("short");
                walk(arms.long).named("long");
            }
            let published = publish(approval, counted, uploaded);
            match code.as_str() {
                "pool" => drop(published.pool(&NARROW)),
                "notifier" => drop(published.on_success(pager)),
                "added" => drop(length(published)),
                _ => {}
            }
        }
    }
    Ok(())
}

#[pipeline(schedule = "@daily", start = "2024-03-01", end = "2024-03-03", max_active_runs = 1, catchup = true)]
fn shop(_order: Order) -> Result<()> {
    wire()
}

#[pipeline(id = "shop", schedule = "@daily", start = "2024-03-01", end = "2024-03-03", max_active_runs = 1, catchup = true)]
fn shop_of_purchases(_purchase: Purchase) -> Result<()> {
    wire()
}

#[pipeline(id = "shop", schedule = "0 6 * * *", start = "2024-03-01", end = "2024-03-03", max_active_runs = 1, catchup = true)]
fn shop_at_six(_order: Order) -> Result<()> {
    wire()
}

#[pipeline(id = "store", schedule = "@daily", start = "2024-03-01", end = "2024-03-03", max_active_runs = 1, catchup = true)]
fn store(_order: Order) -> Result<()> {
    wire()
}

/// Is unrelated, and has an unfinished run as well.
#[pipeline]
fn neighbour() -> Result<()> {
    approval(Bucket::open("file://./data-bucket")?);
    Ok(())
}

/// Returns one feed per line of a file.
#[task]
async fn feeds() -> Result<Vec<String>> {
    Ok(std::fs::read_to_string("data-bucket/feeds")?.lines().map(str::to_owned).collect())
}

#[task]
async fn load(ctx: Context, feed: String) -> Result<String> {
    tracing::info!("{feed} is loaded");
    note(&format!("{feed} as {}", ctx.idempotency_key().rsplit('/').next().unwrap_or_default()))?;
    Ok(feed)
}

/// Its elements have keys, unless the code is of a version without them.
#[pipeline]
fn loads() -> Result<()> {
    let feeds = feeds();
    let loaded = match code().as_str() {
        "by index" => feeds.each(load),
        _ => feeds.keyed(std::clone::Clone::clone).each(load),
    };
    publish(approval(Bucket::open("file://./data-bucket")?), count(), loaded);
    Ok(())
}

fn main() -> ExitCode {
    let shop = match code().as_str() {
        "params" => shop_of_purchases(),
        "schedule" => shop_at_six(),
        "id" => store(),
        _ => shop(),
    };
    match code().as_str() {
        "removed pipeline" => pipeline_runtime::cli::main([neighbour()]),
        _ => pipeline_runtime::cli::main([shop, neighbour(), loads()]),
    }
}
