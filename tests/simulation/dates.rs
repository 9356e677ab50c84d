//! Which interval a simulation has for a given date.

use pipeline_runtime::prelude::*;
use pipeline_runtime::{Simulation, SimulationError};

/// The UTC day on which the interval starts, its local start time, and the day of the last success.
#[task]
async fn days(ctx: Context, ds: String) -> Result<String> {
    let berlin = pipeline_runtime::schedule::Zone::named("Europe/Berlin").ok_or("a zone")?;
    let before = ctx.prev_data_interval_start_success().map_or("-".into(), |date| date.date_naive().to_string());
    Ok(format!("{ds} {} {before}", ctx.logical_date().with_timezone(&berlin).format("%Y-%m-%dT%H:%M")))
}

#[pipeline(schedule = "30 2 * * *", timezone = "Europe/Berlin", start = "2024-02-01")]
fn at_night() {
    days(template!("{{ ds }}")).named("days");
}

#[pipeline(schedule = "@daily", timezone = "Europe/Berlin")]
fn at_midnight() {
    days(template!("{{ ds }}")).named("days");
}

#[pipeline(schedule = "0 6 * * 1", start = "2024-02-01")]
fn weekly() {
    days(template!("{{ ds }}")).named("days");
}

fn days_of(simulation: Simulation<'_>) -> String {
    simulation.run().output::<String>("days").expect("it succeeds")
}

#[test]
fn a_date_alone_is_the_interval_that_starts_on_that_day() {
    let of = |date| days_of(Simulation::new(at_night()).logical_date(date));
    assert_eq!(of("2024-03-25"), "2024-03-25 2024-03-25T02:30 -");
    // Days on which 02:30 does not exist, and on which it comes twice.
    assert_eq!(of("2024-03-31"), "2024-03-31 2024-03-31T03:00 -");
    assert_eq!(of("2024-10-27"), "2024-10-27 2024-10-27T02:30 -");
    // A date with a time lies in some interval.
    assert_eq!(of("2024-03-25T00:00"), "2024-03-24 2024-03-24T02:30 -");
}

#[test]
fn midnight_east_of_utc_is_the_day_before_in_a_template() {
    assert_eq!(days_of(Simulation::new(at_midnight()).logical_date("2024-03-25")), "2024-03-24 2024-03-25T00:00 -");
}

#[test]
fn the_last_success_is_of_such_a_day_too() {
    let simulation = Simulation::new(at_night()).logical_date("2024-03-25").previous_success("2024-03-23");
    assert_eq!(days_of(simulation), "2024-03-25 2024-03-25T02:30 2024-03-23");
}

#[test]
fn without_a_date_it_is_the_first_interval_from_the_start_on() {
    assert_eq!(days_of(Simulation::new(at_night())), "2024-02-01 2024-02-01T02:30 -");
    // February 1 is a Thursday.
    assert_eq!(days_of(Simulation::new(weekly())), "2024-02-05 2024-02-05T07:00 -");
    assert_eq!(days_of(Simulation::new(at_midnight())), "2023-12-31 2024-01-01T00:00 -");
}

#[test]
fn a_day_on_which_none_starts_is_refused() {
    let error = Simulation::new(weekly()).logical_date("2024-02-06").try_run().unwrap_err();
    assert!(matches!(error, SimulationError::Date(_)), "{error:?}");
    assert_eq!(
        error.to_string(),
        "no data interval of `0 6 * * 1` starts on 2024-02-06 in UTC; write `2024-02-05T06:00:00Z` or `2024-02-12T06:00:00Z`"
    );
}
