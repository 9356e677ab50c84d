//! Schedules that are not a single cron line: the intervals of their runs.

use pipeline_runtime::chrono::{DateTime, Datelike, Days, NaiveTime, Utc, Weekday};
use pipeline_runtime::prelude::*;
use pipeline_runtime::schedule::{Interval, Timetable, Zone};
use pipeline_runtime::{NodeState, Simulation};

#[task]
async fn interval(ctx: Context) -> Result<String> {
    Ok(format!("{}/{}", ctx.data_interval_start().format("%FT%R"), ctx.data_interval_end().format("%FT%R")))
}

fn about(pipeline: Pipeline, date: &str) -> String {
    let report = Simulation::new(pipeline).logical_date(date).run();
    assert_eq!(report.node("interval").state(), NodeState::Success, "{}", report.timeline());
    report.output::<String>("interval").unwrap()
}

#[pipeline(schedule(every = "4w", from = "2023-05-16"))]
fn monthly() {
    interval();
}

#[test]
fn what_comes_round_has_intervals_of_its_own() {
    assert_eq!(about(monthly(), "2023-06-13"), "2023-06-13T00:00/2023-07-11T00:00");
    assert_eq!(about(monthly(), "2023-06-20T12:00"), "2023-06-13T00:00/2023-07-11T00:00");
    // Without a date it takes the first interval.
    let report = Simulation::new(monthly().start("2023-06-01")).run();
    assert_eq!(report.output::<String>("interval").unwrap(), "2023-06-13T00:00/2023-07-11T00:00");
}

#[test]
fn days_keep_the_clocks_time_and_hours_keep_time_where_the_clock_changes() {
    #[pipeline(timezone = "Europe/Berlin", schedule(every = "1d", from = "2024-03-01T09:00"))]
    fn days() {
        interval();
    }
    #[pipeline(timezone = "Europe/Berlin", schedule(every = "24h", from = "2024-03-01T09:00"))]
    fn hours() {
        interval();
    }
    // The clock goes forward on March 31: from then on nine o'clock is 07:00 UTC.
    assert_eq!(about(days(), "2024-03-30"), "2024-03-30T08:00/2024-03-31T07:00");
    assert_eq!(about(hours(), "2024-03-30"), "2024-03-30T08:00/2024-03-31T08:00");
}

#[pipeline(schedule = ["0 6 * * 1-5", "0 10 * * 6"], timezone = "Europe/Berlin")]
fn office() {
    interval();
}

#[test]
fn several_lines_are_one_schedule_whose_intervals_touch() {
    // A Friday, and the Saturday after it.
    assert_eq!(about(office(), "2024-03-22"), "2024-03-22T05:00/2024-03-23T09:00");
    assert_eq!(about(office(), "2024-03-23"), "2024-03-23T09:00/2024-03-25T05:00");
    let error = Simulation::new(office()).logical_date("2024-03-24").try_run().unwrap_err().to_string();
    assert!(error.contains("no data interval of `0 6 * * 1-5, 0 10 * * 6` starts on 2024-03-24"), "{error}");
}

/// Whole working days, so that Friday's data is processed before Monday; the weekend has no interval.
struct WorkingDays;

impl WorkingDays {
    fn day(date: pipeline_runtime::chrono::NaiveDate) -> Option<Interval> {
        let is_free = matches!(date.weekday(), Weekday::Sat | Weekday::Sun);
        let start = date.and_time(NaiveTime::MIN).and_utc();
        (!is_free).then(|| Interval::new(start, start + Days::new(1)))
    }
}

impl Timetable for WorkingDays {
    fn next_after(&self, t: DateTime<Utc>, _: Zone) -> Option<Interval> {
        (0..7).filter_map(|n| Self::day(t.date_naive() + Days::new(n))).find(|day| day.start > t)
    }

    fn last_at_or_before(&self, t: DateTime<Utc>, _: Zone) -> Option<Interval> {
        (0..7).filter_map(|n| Self::day(t.date_naive() - Days::new(n))).find(|day| day.start <= t)
    }

    fn describe(&self) -> String {
        "working days".into()
    }
}

#[pipeline(schedule = WorkingDays, start = "2024-03-01", catchup = true)]
fn ledger() {
    interval();
}

#[test]
fn a_calendar_of_ones_own_has_intervals_that_need_not_touch() {
    assert_eq!(about(ledger(), "2024-03-22"), "2024-03-22T00:00/2024-03-23T00:00");
    assert_eq!(about(ledger(), "2024-03-25"), "2024-03-25T00:00/2024-03-26T00:00");
    let error = Simulation::new(ledger()).logical_date("2024-03-24").try_run().unwrap_err().to_string();
    assert!(error.contains("no data interval of `working days` starts on 2024-03-24 in UTC; write `2024-03-22"), "{error}");
}

const DAILY: Cron = cron!("0 6 * * *");

#[test]
fn a_constant_is_a_schedule() {
    #[pipeline(schedule = DAILY)]
    fn constant() {
        interval();
    }
    assert_eq!(about(constant(), "2024-03-22"), "2024-03-22T06:00/2024-03-23T06:00");
    assert_eq!(about(constant().schedule(cron!("@hourly")), "2024-03-22T06:30"), "2024-03-22T06:00/2024-03-22T07:00");
    assert_eq!(about(constant().timezone("Europe/Berlin"), "2024-03-22"), "2024-03-22T05:00/2024-03-23T05:00");
    // The schedule is not followed here, but still determines a run's interval.
    assert_eq!(about(constant().unscheduled_unless(false), "2024-03-22"), "2024-03-22T06:00/2024-03-23T06:00");
}
