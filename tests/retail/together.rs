//! The import and the model that it triggers.

use super::{DAY, berlin, import, options, prices, sales};
use pipeline_examples::retail::domain::Forecast;
use pipeline_examples::retail::import::{PRICES, SALES};
use pipeline_examples::retail::model::demand_model;
use pipeline_runtime::{RunState, Simulation};

#[test]
fn the_model_begins_as_sales_and_prices_are_there() {
    let report = berlin(import(DAY), "38m").beside([demand_model().with_params(options())]).run();
    let [model] = report.begun() else { panic!("{} runs were begun", report.begun().len()) };
    assert_eq!((model.pipeline(), model.state()), ("demand_model", RunState::Success));
    let forecast = model.output::<Forecast>("train").unwrap();
    assert_eq!((&*forecast.of, forecast.revenue), (DAY, 3 * 119 + 2 * 249 + 399));
}

#[test]
fn on_a_sunday_it_does_not() {
    let report = import("2026-01-04").beside([demand_model().with_params(options())]).run();
    assert!(report.begun().is_empty(), "{:?}", report.begun());
}

#[test]
fn the_model_by_itself() {
    let model = || Simulation::new(demand_model()).params(options()).updated("2m", &SALES, sales(DAY, 7));
    let report = model().updated("5m", &PRICES, prices()).run();
    assert_eq!(report.output::<Forecast>("train").unwrap().revenue, 11 * 119 + 22 * 399);
    let mut of_milk_alone = prices();
    of_milk_alone.items.remove("tea");
    let report = model().updated("5m", &PRICES, of_milk_alone).run();
    assert_eq!(report.state(), RunState::Failed);
    assert!(report.node("train").error().unwrap().contains("`tea` was sold and has no price"));
}
