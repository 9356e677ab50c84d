//! Imports each shop's sales of a day, and the prices of that day.

use super::Options;
use super::domain::{DaySales, Prices, Shop, ShopSales, Staging};
use pipeline_runtime::Command;
use pipeline_runtime::chrono::{Datelike, Weekday};
use pipeline_runtime::prelude::*;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::str::from_utf8;

/// The sales of each day, updated once they are complete.
pub static SALES: Asset<DaySales> = Asset::new("sales");
/// The prices of each day.
pub static PRICES: Asset<Prices> = Asset::new("prices");

/// The state of the shops on a day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Branch)]
pub enum Opening {
    /// The shops that are open.
    Open(Vec<Shop>),
    /// All shops are closed, because it is a Sunday.
    Closed,
}

/// Gets the day's prices from the portal, with a program that its owners provide.
#[task(timeout = "10m", retries = 3)]
pub async fn portal_prices(ctx: Context, portal: String, token: Secret, day: String) -> Result<Prices> {
    let client = Command::new(portal).args(["prices", &day]).env("PORTAL_TOKEN", &token);
    client.run(&ctx).await?.output_json()
}

/// Lists the shops of today.
#[task]
pub async fn shops(bucket: Bucket) -> Result<Vec<Shop>> {
    let json = bucket.get("shops.json").await?;
    serde_json::from_slice(&json).map_err(|error| TaskError::fatal(format!("shops.json: {error}")))
}

/// Decides whether the shops are open: they are closed on Sundays.
#[branch]
pub async fn opening(ctx: Context, shops: Vec<Shop>) -> Result<Opening> {
    Ok(match ctx.logical_date().weekday() {
        Weekday::Sun => Opening::Closed,
        _ => Opening::Open(shops),
    })
}

/// Creates the area for intermediate results of this run.
#[task]
pub async fn staging(bucket: Bucket, prefix: String) -> Result<Staging> {
    bucket.put(&format!("{prefix}/started"), "").await?;
    Ok(Staging { prefix })
}

/// Removes the intermediate results.
#[task]
pub async fn drop_staging(bucket: Bucket, staging: Staging) -> Result<()> {
    for object in bucket.list(&format!("{}/", staging.prefix)).await? {
        bucket.delete(&object.key).await?;
    }
    Ok(())
}

/// Waits for the sales of one shop. A shop that sends nothing for four hours is left out.
#[sensor(poke = "5m", timeout = "4h", on_timeout = "skip")]
pub async fn shop_sales(bucket: Bucket, shop: Shop, day: String) -> Result<Poke<Object>> {
    Ok(bucket.head(&format!("raw/{day}/{}.csv", shop.id)).await?.into())
}

/// Counts what one shop has sold, without duplicates: tills send a receipt again if they get no answer.
#[task]
pub async fn load(bucket: Bucket, staging: Staging, shop: Shop, sales: Object) -> Result<ShopSales> {
    let body = bucket.get(&sales.key).await?;
    let text = from_utf8(&body).map_err(|error| TaskError::fatal(format!("{}: {error}", sales.key)))?;
    let (mut receipts, mut sold) = (BTreeSet::new(), BTreeMap::new());
    for line in text.lines() {
        let fields: Vec<&str> = line.split(',').collect();
        let [receipt, item] = fields[..] else {
            return Err(TaskError::fatal(format!("{}: `{line}` is not `receipt,item`", sales.key)));
        };
        if receipts.insert((receipt.to_owned(), item.to_owned())) {
            *sold.entry(item.to_owned()).or_default() += 1;
        }
    }
    let receipts: BTreeSet<String> = receipts.into_iter().map(|(receipt, _)| receipt).collect();
    let loaded = ShopSales { shop: shop.id, receipts: receipts.len() as u64, sold };
    bucket.put(&format!("{}/{}.json", staging.prefix, loaded.shop), serde_json::to_vec(&loaded)?).await?;
    Ok(loaded)
}

/// Publishes the day's sales: in one write, so that readers see all of them or none.
#[task]
pub async fn publish(bucket: Bucket, loaded: Vec<Option<ShopSales>>, day: String) -> Result<DaySales> {
    let key = format!("sales/{day}.json");
    let mut sales = DaySales { day, shops: 0, receipts: 0, sold: BTreeMap::new(), key };
    for shop in loaded.into_iter().flatten() {
        sales.shops += 1;
        sales.receipts += shop.receipts;
        for (item, count) in shop.sold {
            *sales.sold.entry(item).or_default() += count;
        }
    }
    bucket.put(&sales.key, serde_json::to_vec(&sales)?).await?;
    Ok(sales)
}

/// Gathers a day's sales from all shops, and gets its prices.
#[pipeline(schedule = "@daily", start = "2026-01-01", timeout = "12h", defaults(retries = 2, retry_delay = "5m"))]
pub fn nightly_import(options: Options) -> Result<()> {
    let bucket = Bucket::open(&options.store)?;
    let OpeningArms { open, closed: _ } = opening(shops(&bucket));
    let prices = portal_prices(&options.portal, &options.portal_token, template!("{{ ds }}")).after(open);
    prices.updates(&PRICES);

    let staging = staging(&bucket, template!("staging/{{ ds }}")).after(open);
    let sales = staging.teardown(
        |staging| drop_staging(&bucket, staging),
        |staging| {
            let loaded = open.keyed(|shop: &Shop| shop.id.clone()).each(|shop| {
                let sales = shop_sales(&bucket, shop, template!("{{ ds }}"));
                load(&bucket, staging, shop, sales)
            });
            publish(&bucket, loaded, template!("{{ ds }}")).after(prices)
        },
    );
    sales.updates(&SALES);
    Ok(())
}
