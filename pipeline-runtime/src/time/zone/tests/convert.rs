//! The results that chrono receives: gaps, folds, and times beyond those that the databases list.

use super::*;
use chrono::{MappedLocalTime, NaiveDateTime};

fn local(zone: &str, wall: &str) -> MappedLocalTime<String> {
    let wall: NaiveDateTime = wall.parse().unwrap();
    built_in_zones().zone(zone).unwrap().from_local_datetime(&wall).map(|at| at.to_rfc3339())
}

fn once(text: &str) -> MappedLocalTime<String> {
    MappedLocalTime::Single(text.to_owned())
}

#[test]
fn a_gap_has_no_instant_and_its_ends_have_one() {
    assert_eq!(local("Europe/Berlin", "2026-03-29T01:59:59"), once("2026-03-29T01:59:59+01:00"));
    assert_eq!(local("Europe/Berlin", "2026-03-29T02:00:00"), MappedLocalTime::None);
    assert_eq!(local("Europe/Berlin", "2026-03-29T02:59:59.999"), MappedLocalTime::None);
    assert_eq!(local("Europe/Berlin", "2026-03-29T03:00:00"), once("2026-03-29T03:00:00+02:00"));
    assert_eq!(local("Pacific/Apia", "2011-12-30T12:00:00"), MappedLocalTime::None);
}

#[test]
fn a_fold_has_two_instants_the_earlier_first() {
    let twice = |first: &str, second: &str| MappedLocalTime::Ambiguous(first.to_owned(), second.to_owned());
    assert_eq!(local("Europe/Berlin", "2026-10-25T01:59:59"), once("2026-10-25T01:59:59+02:00"));
    assert_eq!(local("Europe/Berlin", "2026-10-25T02:00:00"), twice("2026-10-25T02:00:00+02:00", "2026-10-25T02:00:00+01:00"));
    assert_eq!(local("Europe/Berlin", "2026-10-25T02:59:59"), twice("2026-10-25T02:59:59+02:00", "2026-10-25T02:59:59+01:00"));
    assert_eq!(local("Europe/Berlin", "2026-10-25T03:00:00"), once("2026-10-25T03:00:00+01:00"));
}

#[test]
fn a_day_has_an_offset_that_holds_on_it() {
    let day = |zone: &str, day: &str| {
        let zone = built_in_zones().zone(zone).unwrap();
        zone.offset_from_local_date(&day.parse().unwrap()).map(|offset| offset.to_string())
    };
    assert_eq!(day("Europe/Berlin", "2026-03-29"), once("+01:00"));
    // Midnight is skipped, and then a whole day.
    assert_eq!(day("America/Sao_Paulo", "2018-11-04"), once("-02:00"));
    assert_eq!(day("Pacific/Apia", "2011-12-30"), MappedLocalTime::None);
}

#[test]
fn the_last_rules_go_on_for_ever() {
    // The last year that compiled files list is 2037; jiff ends with the year 9999, and chrono with 262142.
    for year in ["2038", "2100", "2101", "2400", "9998", "9999", "+10000", "+123456"] {
        assert_eq!(
            local("Europe/Berlin", &format!("{year}-01-15T12:00:00")).map(|at| at[at.len() - 6..].to_owned()),
            once("+01:00")
        );
        assert_eq!(
            local("Europe/Berlin", &format!("{year}-07-15T12:00:00")).map(|at| at[at.len() - 6..].to_owned()),
            once("+02:00")
        );
    }
    // The 28th of March is the last Sunday of its month in the year 9999, and also 400 years later.
    for year in ["9999", "+10399"] {
        let midnight: NaiveDateTime = format!("{year}-03-28T01:00:00").parse().unwrap();
        assert_eq!(chrono::Datelike::weekday(&midnight), chrono::Weekday::Sun, "{year}");
        assert_eq!(local("Europe/Berlin", &format!("{year}-03-28T02:30:00")), MappedLocalTime::None, "{year}");
    }
}

#[test]
fn times_before_the_first_rules_have_the_first_offset() {
    let first = once("+00:53:28");
    for year in ["1800", "-9999", "-100000"] {
        let zone = built_in_zones().zone("Europe/Berlin").unwrap();
        let wall: NaiveDateTime = format!("{year}-07-15T12:00:00").parse().unwrap();
        assert_eq!(zone.offset_from_local_datetime(&wall).map(|offset| offset.to_string()), first, "{year}");
        assert_eq!(zone.offset_from_utc_datetime(&wall).to_string(), "+00:53:28", "{year}");
    }
}

#[test]
fn utc_needs_no_database() {
    assert_eq!(Zone::UTC, built_in_zones().zone("UTC").unwrap());
    assert_eq!(Zone::UTC.with_ymd_and_hms(2026, 1, 15, 0, 0, 0).unwrap().to_rfc3339(), "2026-01-15T00:00:00+00:00");
    assert_eq!(Zone::default().current(), Zone::UTC);
}

#[test]
fn no_zone_changes_its_clock_and_changes_it_back_within_a_day() {
    // `schedule/wall.rs` checks the two ends of a day to see whether the clock changes on it.
    for name in pipeline_syntax::zone::database::built_in_names().filter(|name| *name != "UTC") {
        let rules = built_in_zones().zone(name).unwrap().rules.unwrap();
        let changes: Vec<i64> = rules.listed().into_iter().filter(|at| rules.at(at - 1) != rules.at(*at)).collect();
        for pair in changes.windows(2) {
            assert!(pair[1] - pair[0] > 36 * 60 * 60, "{name}: {pair:?}");
        }
    }
}
