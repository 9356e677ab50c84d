//! The orders of each day.

use pipeline_runtime::prelude::*;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Params of a run.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Options {
    /// The bucket with the files.
    store: String,
}

impl Default for Options {
    fn default() -> Self {
        Self { store: "file:///tmp/orders".to_owned() }
    }
}

/// What one shop sold on a day.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Shop {
    name: String,
    cents: u64,
}

/// Waits for the file of the day.
#[sensor(timeout = "6h", poke = "1m", retries = 3, retry_delay = "1m")]
async fn day_file(bucket: Bucket, key: String) -> Result<Poke<Object>> {
    Ok(bucket.head(&key).await?.into())
}

/// Reads the file, whose lines are `shop,cents`, and sums each shop.
#[task]
async fn read(bucket: Bucket, file: Object) -> Result<Vec<Shop>> {
    let text = String::from_utf8(bucket.get(&file.key).await?.to_vec())?;
    let mut shops: BTreeMap<String, u64> = BTreeMap::new();
    for line in text.lines() {
        let wrong = || TaskError::fatal(format!("{}: `{line}` is not `shop,cents`", file.key));
        let (shop, cents) = line.split_once(',').ok_or_else(wrong)?;
        *shops.entry(shop.to_owned()).or_default() += cents.parse::<u64>()?;
    }
    tracing::info!(shops = shops.len(), "read");
    Ok(shops.into_iter().map(|(name, cents)| Shop { name, cents }).collect())
}

/// Loads the orders of each day.
#[pipeline(schedule = "0 6 * * *", start = "2024-01-01", timeout = "12h")]
fn orders(options: Options) -> Result<()> {
    let bucket = Bucket::open(&options.store)?;
    let file = day_file(&bucket, template!("in/{{ ds }}.csv"));
    let OpeningArms { open, closed } = opening(read(&bucket, file));
    note_closed(&bucket, template!("{{ ds }}")).after(closed);
    let shops = open.keyed(|shop: &Shop| shop.name.clone());
    let loaded = shops.each(|shop| load(&bucket, template!("{{ ds }}"), shop));
    total(&bucket, template!("{{ ds }}"), loaded);
    Ok(())
}

fn main() -> std::process::ExitCode {
    pipeline_runtime::cli::main([orders()])
}

/// Whether there is something to load.
#[derive(Debug, Clone, Serialize, Deserialize, Branch)]
enum Opening {
    Open(Vec<Shop>),
    Closed,
}

/// Decides by the file.
#[branch]
async fn opening(shops: Vec<Shop>) -> Result<Opening> {
    Ok(if shops.is_empty() { Opening::Closed } else { Opening::Open(shops) })
}

/// Notes a day without orders.
#[task]
async fn note_closed(bucket: Bucket, day: String) -> Result<()> {
    bucket.put(&format!("out/{day}/closed"), "").await?;
    Ok(())
}

/// Loads the orders of one shop.
#[task(retries = 2, retry_delay = "30s")]
async fn load(bucket: Bucket, day: String, shop: Shop) -> Result<u64> {
    bucket.put(&format!("out/{day}/{}.txt", shop.name), shop.cents.to_string()).await?;
    tracing::info!(shop = shop.name, cents = shop.cents, "loaded");
    Ok(shop.cents)
}

/// Writes the total of the day.
#[task]
async fn total(bucket: Bucket, day: String, cents: Vec<u64>) -> Result<u64> {
    let total = cents.iter().sum::<u64>();
    bucket.put(&format!("out/{day}/total.txt"), total.to_string()).await?;
    Ok(total)
}

#[cfg(test)]
mod tests {
    use super::{Options, orders};
    use pipeline_runtime::{NodeState, RunState, Simulation};
    use std::time::Duration;

    /// The simulation of a day, with a bucket of its own.
    fn day() -> Simulation<'static> {
        Simulation::new(orders()).params(Options { store: "memory://orders".to_owned() }).logical_date("2024-03-25")
    }

    #[test]
    fn a_file_that_is_late_is_loaded_once_it_arrives() {
        let report = day().arrive("90m", "memory://orders/in/2024-03-25.csv", "zrh,1250\nber,800\n").run();
        assert_eq!(report.state(), RunState::Success, "{}", report.timeline());
        assert_eq!(report.node("day_file").finished(), Some(Duration::from_mins(90)));
        assert_eq!(report.output::<u64>("total"), Some(2050));
    }

    #[test]
    fn a_file_that_never_arrives_fails_the_run_after_six_hours() {
        let report = day().run();
        assert_eq!(report.state(), RunState::Failed);
        assert_eq!(report.finished(), Some(Duration::from_hours(6)));
    }

    #[test]
    fn an_empty_file_is_a_day_without_orders() {
        let report = day().arrive("0s", "memory://orders/in/2024-03-25.csv", "").run();
        assert_eq!(report.state(), RunState::Success, "{}", report.timeline());
        assert_eq!(report.node("note_closed").state(), NodeState::Success);
        assert_eq!(report.node("total").state(), NodeState::Skipped);
    }
}
