//! Changes by law in 2026, in the built-in database. Each line was compared with Python's package tzdata 2026.6, which is IANA's
//! 2026f, and with Debian's 2025b, where the last column comes from.

use super::*;

/// A zone, an instant, the release that announced the change, the offset right before, the offset from then on, and the offset in
/// 2025b.
const CHANGES: [(&str, &str, &str, &str, &str, &str); 11] = [
    // It stays on summer time, so that the clock no longer changes here.
    ("America/Vancouver", "2026-11-01T09:00:00Z", "2026b", "-07:00", "-07:00", "-08:00"),
    ("America/Edmonton", "2026-11-01T08:00:00Z", "2026c", "-06:00", "-06:00", "-07:00"),
    ("America/Inuvik", "2026-11-01T08:00:00Z", "2026d", "-06:00", "-06:00", "-07:00"),
    ("America/Winnipeg", "2026-11-01T07:00:00Z", "2026e", "-05:00", "-05:00", "-06:00"),
    ("America/Havana", "2026-11-01T05:00:00Z", "2026f", "-04:00", "-04:00", "-05:00"),
    ("America/Havana", "2027-11-07T05:00:00Z", "2026f", "-04:00", "-05:00", "-05:00"),
    ("Africa/Casablanca", "2026-09-20T01:00:00Z", "2026c", "+01:00", "+00:00", "+01:00"),
    ("Africa/El_Aaiun", "2026-09-20T01:00:00Z", "2026c", "+01:00", "+00:00", "+01:00"),
    // It changes with the European Union at 01:00 UTC, and not at 00:00 UTC.
    ("Europe/Chisinau", "2026-03-29T00:00:00Z", "2026a", "+02:00", "+02:00", "+03:00"),
    ("Europe/Chisinau", "2026-03-29T01:00:00Z", "2026a", "+02:00", "+03:00", "+03:00"),
    ("Europe/Chisinau", "2026-10-25T01:00:00Z", "2026a", "+03:00", "+02:00", "+02:00"),
];

#[test]
fn the_built_in_rules_have_them() {
    for (name, at, release, before, after, _) in CHANGES {
        let zone = built_in_zones().zone(name).unwrap();
        let last = (utc(at) - chrono::TimeDelta::seconds(1)).to_rfc3339();
        assert_eq!([offset(zone, &last), offset(zone, at)], [before, after], "{name} {at} ({release})");
    }
}

#[test]
fn those_who_stay_on_summer_time_stay() {
    for (name, at, _, _, after, of_2025b) in CHANGES {
        // Havana reverts a year later, and Chisinau continues to change its clock.
        if ["America/Havana", "Europe/Chisinau"].contains(&name) {
            continue;
        }
        let zone = built_in_zones().zone(name).unwrap();
        for months in 0..48 {
            let later = utc(at) + chrono::Months::new(months);
            assert_eq!(offset(zone, &later.to_rfc3339()), after, "{name} {later}");
        }
        assert_ne!(after, of_2025b, "{name}");
    }
}

#[test]
fn schedules_follow_them() {
    let ticks = |cron, zone: &str, from| {
        let schedule = crate::schedule::Schedule::new(cron, built_in_zones().zone(zone).unwrap()).unwrap();
        schedule.ticks(utc(from), DateTime::<Utc>::MAX_UTC).take(2).map(|tick| tick.to_rfc3339()).collect::<Vec<_>>()
    };
    assert_eq!(
        ticks("0 6 * * *", "America/Vancouver", "2026-10-31T00:00:00Z"),
        ["2026-10-31T13:00:00+00:00", "2026-11-01T13:00:00+00:00"]
    );
    assert_eq!(
        ticks("30 1 * * *", "Africa/Casablanca", "2026-09-19T00:00:00Z"),
        ["2026-09-19T00:30:00+00:00", "2026-09-20T00:30:00+00:00"]
    );
    // Its clock goes from 03:00 to 04:00, so it shows 02:30 on that day, too.
    assert_eq!(
        ticks("30 2 * * *", "Europe/Chisinau", "2026-03-28T00:00:00Z"),
        ["2026-03-28T00:30:00+00:00", "2026-03-29T00:30:00+00:00"]
    );
}
