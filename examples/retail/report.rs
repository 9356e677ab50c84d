//! A week of sales, from Monday to Saturday.

use super::Options;
use super::domain::{DaySales, Forecast, Week};
use super::import::{nightly_import, publish};
use super::model::{demand_model, train};
use pipeline_runtime::chrono::TimeDelta;
use pipeline_runtime::prelude::*;
use pipeline_runtime::{OnFailed, OnTimeout};
use std::collections::BTreeMap;
use std::time::Duration;

/// The days on which the shops are open.
const DAYS: [&str; 6] = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday"];

/// Writes the report. The forecast is optional; the sales of all days are required.
#[task]
pub async fn write_report(bucket: Bucket, days: Vec<DaySales>, forecast: Option<Forecast>, key: String) -> Result<Week> {
    let receipts: BTreeMap<String, u64> = days.into_iter().map(|sales| (sales.day, sales.receipts)).collect();
    let week = Week { receipts, forecast, key };
    bucket.put(&week.key, serde_json::to_vec_pretty(&week)?).await?;
    Ok(week)
}

/// Waits for the imports of the week's six days, and for the model of the last one.
#[pipeline(schedule = "@weekly", start = "2026-01-04")]
pub fn weekly_report(options: Options) -> Result<()> {
    let bucket = Bucket::open(&options.store)?;
    let days = DAYS.iter().zip(1..).map(|(day, number)| {
        let import = run_of(nightly_import).at(move |week| week.start + TimeDelta::days(number));
        import.named(format!("import_of_{day}")).output::<publish>().named(*day)
    });
    let days: Vec<Node<DaySales>> = days.collect();
    let model = run_of(demand_model)
        .at(|week| week.end - TimeDelta::days(1))
        .on_failed(OnFailed::Skip)
        .timeout(Duration::from_hours(6))
        .on_timeout(OnTimeout::Skip)
        .named("model");
    write_report(&bucket, days, model.output::<train>().named("forecast"), template!("reports/{{ ds }}.json"));
    Ok(())
}
