//! The chain of shops in `examples/retail`, as `docs/retail.md` describes it.

#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed; clippy knows only functions with `#[test]`")]

mod import;
mod together;
mod week;

use pipeline_examples::retail::Options;
use pipeline_examples::retail::domain::{DaySales, Forecast, Prices};
use pipeline_examples::retail::import::nightly_import;
use pipeline_runtime::Simulation;
use std::collections::BTreeMap;

/// A Monday.
const DAY: &str = "2026-01-05";

fn options() -> Options {
    Options { store: "memory://retail".into(), ..Options::default() }
}

fn items<const N: usize>(counts: [(&str, u64); N]) -> BTreeMap<String, u64> {
    counts.map(|(item, count)| (item.to_owned(), count)).into()
}

fn prices() -> Prices {
    Prices { items: items([("milk", 119), ("bread", 249), ("tea", 399)]) }
}

/// The import on a day on which Hamburg has sent its sales; the portal is stubbed.
fn import(day: &str) -> Simulation<'static> {
    Simulation::new(nightly_import())
        .params(options())
        .logical_date(day)
        .stub("portal_prices", prices())
        .arrive("0s", "memory://retail/shops.json", r#"[{"id": "hh1", "city": "Hamburg"}, {"id": "b2", "city": "Berlin"}]"#)
        .arrive("0s", &format!("memory://retail/raw/{day}/hh1.csv"), "1,milk\n1,bread\n2,tea\n2,tea\n")
}

/// Adds Berlin's sales.
fn berlin(simulation: Simulation<'static>, when: &str) -> Simulation<'static> {
    simulation.arrive(when, &format!("memory://retail/raw/{DAY}/b2.csv"), "1,milk\n2,milk\n3,bread\n")
}

fn sales(day: &str, receipts: u64) -> DaySales {
    let sold = items([("milk", 10), ("tea", 20)]);
    DaySales { day: day.into(), shops: 2, receipts, sold, key: format!("sales/{day}.json") }
}

fn forecast(of: &str) -> Forecast {
    Forecast { of: of.into(), demand: items([("milk", 11)]), revenue: 1309 }
}
