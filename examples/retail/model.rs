//! Forecasts tomorrow's sales, as soon as the sales and the prices of a day are available.

use super::Options;
use super::domain::{DaySales, Forecast, Prices};
use super::import::{PRICES, SALES};
use pipeline_runtime::prelude::*;

/// Forecasts the sales of that day plus ten percent.
#[task]
pub async fn train(bucket: Bucket, sales: DaySales, prices: Prices) -> Result<Forecast> {
    let demand = sales.sold.into_iter().map(|(item, count)| (item, count + count / 10)).collect();
    let mut forecast = Forecast { of: sales.day, demand, revenue: 0 };
    for (item, count) in &forecast.demand {
        let price = prices.items.get(item).ok_or_else(|| TaskError::fatal(format!("`{item}` was sold and has no price")))?;
        forecast.revenue += count * price;
    }
    bucket.put(&format!("forecast/{}.json", forecast.of), serde_json::to_vec(&forecast)?).await?;
    Ok(forecast)
}

/// Begins once the sales and the prices were updated, by any pipeline.
#[pipeline(when = all(SALES, PRICES))]
pub fn demand_model(options: Options) -> Result<()> {
    let bucket = Bucket::open(&options.store)?;
    train(&bucket, SALES.latest(), PRICES.latest());
    Ok(())
}
