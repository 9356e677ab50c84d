//! Which of the two databases is used.

use super::*;
use pipeline_syntax::zone::database::{Version, built_in_names};

/// Berlin's own offset in winter, and Tokyo's, which the machine of these tests has in its place.
const BERLIN: &str = "+01:00";
const TOKYO: &str = "+09:00";

fn berlin(zones: &'static Zones) -> String {
    offset(zones.zone("Europe/Berlin").unwrap(), "2026-01-15T00:00:00Z")
}

#[test]
fn the_newer_one_is_asked_first() {
    for (version, expected) in [
        ("2025b", BERLIN),
        ("2025z", BERLIN),
        ("2026e", BERLIN),
        // For the same version it is the machine's, which its owner may have corrected.
        ("2026f", TOKYO),
        ("2026f-dirty", TOKYO),
        ("2026za", TOKYO),
        ("2027a", TOKYO),
    ] {
        let machine = Machine::of(version);
        machine.has_rules("Europe/Berlin", "Asia/Tokyo");
        assert_eq!(berlin(machine.zones()), expected, "{version}");
    }
}

#[test]
fn the_version_is_read_where_systems_write_it() {
    let machine = Machine::of("nonsense");
    machine.has_rules("Europe/Berlin", "Asia/Tokyo");
    assert_eq!(berlin(machine.zones()), BERLIN);
    std::fs::remove_file(machine.path().join("tzdata.zi")).unwrap();
    assert_eq!(berlin(machine.zones()), BERLIN);
    // As on macOS and BSD.
    machine.has("+VERSION", "2027a\n");
    assert_eq!(berlin(machine.zones()), TOKYO);
}

#[test]
fn versions_are_in_the_order_of_their_releases() {
    let version = |text| Version::read(text).unwrap();
    let order = ["1996l", "2024b", "2025a", "2025b", "2025z", "2025za", "2026a"].map(version);
    assert!(order.is_sorted());
    assert_eq!(version("2026f-rearguard").to_string(), "2026f");
    for text in ["", "2026", "26f", "2026F", "2026f1", "version 2026f", "twen2026f", "２０２６f"] {
        assert_eq!(Version::read(text), None, "{text}");
    }
    assert!(Version::built_in().is_some());
}

#[test]
fn what_the_newer_one_lacks_is_taken_from_the_other() {
    // As on Debian 13 and Ubuntu 24.04, where old names are in a separate package.
    let newer = Machine::of("2027a");
    newer.has_rules("Europe/Berlin", "Asia/Tokyo");
    let zones = newer.zones();
    assert_eq!(offset(zones.zone("US/Pacific").unwrap(), "2026-01-15T00:00:00Z"), "-08:00");
    assert_eq!(zones.zone("Mars/Olympus"), None);
    // A zone that is newer than what is built in.
    let older = Machine::of("2025b");
    older.has_rules("America/Nuuk_North", "America/Nuuk");
    let zones = older.zones();
    assert_eq!(zones.zone("America/Nuuk_North").unwrap().name(), "America/Nuuk_North");
    let folder = older.path().display();
    assert_eq!(
        zones.snapshot().1,
        [format!("the time zone `America/Nuuk_North` is not built in: its rules are those of {folder}, of 2025b")]
    );
    assert_eq!(built_in_zones().zone("America/Nuuk_North"), None);
}

#[test]
fn what_is_damaged_is_not_used_and_said_so() {
    let whole = built_in("Asia/Tokyo").unwrap();
    for (what, bytes) in [
        ("is not a compiled time zone", Vec::new()),
        ("is not a compiled time zone", b"TZif2".to_vec()),
        ("is not a compiled time zone", b"no zone at all, but as long as a header would be".to_vec()),
        ("is not a compiled time zone", whole[..60].to_vec()),
        ("is damaged", whole[..whole.len() - 3].to_vec()),
    ] {
        let machine = Machine::of("2027a");
        machine.has("Europe/Berlin", &bytes);
        let zones = machine.zones();
        assert_eq!(berlin(zones), BERLIN, "{what}");
        let folder = machine.path().display();
        let version = BUILT_IN_VERSION;
        assert_eq!(
            zones.snapshot().1,
            [format!("the time zone `Europe/Berlin` {what} in {folder}: its rules are the built-in ones, of {version}")]
        );
    }
}

#[test]
fn zones_that_count_leap_seconds_are_not_used() {
    // A second edition of the header whose third count, of leap seconds, is one.
    let bytes = built_in("Asia/Tokyo").unwrap();
    let second = 44 + bytes[44..].windows(4).position(|part| part == b"TZif").unwrap();
    let mut leaping = bytes.to_vec();
    leaping[second + 31] = 1;
    let machine = Machine::of("2027a");
    machine.has("Europe/Berlin", leaping);
    let zones = machine.zones();
    assert_eq!(berlin(zones), BERLIN);
    assert!(zones.snapshot().1[0].contains("counts leap seconds"), "{:?}", zones.snapshot().1);
}

#[test]
fn a_missing_folder_is_no_error() {
    for place in [None, Some(PathBuf::from("/there/is/no/such/folder"))] {
        let zones: &'static Zones = Box::leak(Box::new(Zones::new(move || place.clone(), || Duration::ZERO)));
        assert_eq!(berlin(zones), BERLIN);
        assert_eq!(zones.zone("Mars/Olympus"), None);
    }
}

#[test]
fn only_names_of_zones_are_looked_for() {
    let machine = Machine::of("2027a");
    for name in ["right/Europe/Berlin", "posix/Europe/Berlin", "posixrules", "localtime", "Factory"] {
        machine.has_rules(name, "Europe/Berlin");
    }
    machine.has_rules("Europe/Berlin", "Asia/Tokyo");
    let outside = format!("../{}/Europe/Berlin", machine.path().file_name().unwrap().to_str().unwrap());
    for name in [
        "right/Europe/Berlin",
        "posix/Europe/Berlin",
        "posixrules",
        "localtime",
        "Factory",
        "",
        "Europe",
        "Europe/",
        "/",
        "..",
        ".",
    ] {
        assert_eq!(machine.zones().zone(name), None, "{name}");
    }
    for name in [outside.as_str(), "Europe//Berlin", "Europe/./Berlin", "europe/berlin", "EUROPE/BERLIN", "tzdata.zi"] {
        assert_eq!(machine.zones().zone(name), None, "{name}");
    }
}

#[test]
fn an_update_is_seen_within_a_minute() {
    let machine = Machine::of("2025b");
    machine.has_rules("Europe/Berlin", "Asia/Tokyo");
    let zones = machine.zones();
    let before = zones.zone("Europe/Berlin").unwrap();
    assert_eq!(offset(before, "2026-01-15T00:00:00Z"), BERLIN);
    machine.has("tzdata.zi", "# version 2027a\n");
    machine.passes(59);
    assert_eq!(berlin(zones), BERLIN);
    machine.passes(1);
    assert_eq!(berlin(zones), TOKYO);
    // A zone is a value; to see the update, request it again.
    assert_eq!(offset(before, "2026-01-15T00:00:00Z"), BERLIN);
    assert_eq!(offset(before.current(), "2026-01-15T00:00:00Z"), TOKYO);
}

#[test]
fn an_update_is_logged_once_and_so_is_what_it_breaks() {
    let machine = Machine::of("2027a");
    machine.has_rules("Europe/Berlin", "Asia/Tokyo");
    let zones = machine.zones();
    let logged = Logged::default();
    let writer = logged.clone();
    let subscriber =
        tracing_subscriber::fmt().without_time().with_ansi(false).with_target(false).with_writer(move || writer.clone());
    tracing::subscriber::with_default(subscriber.finish(), || {
        berlin(zones);
        machine.passes(60);
        berlin(zones);
        machine.has("tzdata.zi", "# version 2027b\n").has("Europe/Berlin", "no zone").passes(60);
        berlin(zones);
        machine.passes(60);
        berlin(zones);
    });
    let (folder, version) = (machine.path().display(), BUILT_IN_VERSION);
    assert_eq!(
        logged.text(),
        format!(
            " INFO time zones: 2027b, from {folder}; {version} is built in\n \
             WARN the time zone `Europe/Berlin` is not a compiled time zone in {folder}: its rules are the built-in ones, of {version}\n"
        )
    );
}

#[test]
fn the_files_of_an_update_may_come_one_after_the_other() {
    let machine = Machine::of("2027a");
    machine.has_rules("Europe/Berlin", "Asia/Tokyo");
    let zones = machine.zones();
    assert_eq!(berlin(zones), TOKYO);
    // Its version is there first,
    machine.has("tzdata.zi", "# version 2027b\n").passes(60);
    assert_eq!(berlin(zones), TOKYO);
    // then half of the zone's file, written in place,
    std::fs::write(machine.path().join("Europe/Berlin"), &built_in("Asia/Kolkata").unwrap()[..70]).unwrap();
    machine.passes(60);
    assert_eq!(berlin(zones), BERLIN);
    assert_eq!(zones.snapshot().1.len(), 1);
    // and then the whole of it.
    machine.has_rules("Europe/Berlin", "Asia/Kolkata").passes(60);
    assert_eq!(berlin(zones), "+05:30");
    assert_eq!(zones.snapshot().1, [""; 0]);
}

#[test]
fn an_update_that_is_taken_back_gives_the_rules_of_before() {
    let machine = Machine::of("2027a");
    machine.has_rules("Europe/Berlin", "Asia/Tokyo");
    let zones = machine.zones();
    let first = zones.zone("Europe/Berlin").unwrap();
    for _ in 0..3 {
        machine.has_rules("Europe/Berlin", "Asia/Kolkata").passes(60);
        assert_eq!(berlin(zones), "+05:30");
        machine.has_rules("Europe/Berlin", "Asia/Tokyo").passes(60);
        assert_eq!(berlin(zones), TOKYO);
    }
    // Rules are never freed, so the same ones must not be stored twice.
    assert!(std::ptr::eq(first.rules.unwrap(), zones.zone("Europe/Berlin").unwrap().rules.unwrap()));
}

#[test]
fn a_database_that_goes_leaves_no_zone_without_rules() {
    let machine = Machine::of("2027a");
    machine.has_rules("Europe/Berlin", "Asia/Tokyo").has_rules("Europe/New", "Asia/Kolkata");
    let zones = machine.zones();
    let new = zones.zone("Europe/New").unwrap();
    assert_eq!(berlin(zones), TOKYO);
    std::fs::remove_dir_all(machine.path()).unwrap();
    machine.passes(60);
    assert_eq!(berlin(zones), BERLIN);
    // Only the machine knew this one.
    assert_eq!(offset(new.current(), "2026-01-15T00:00:00Z"), "+05:30");
}

#[test]
fn a_schedule_that_is_at_hand_follows_an_update() {
    let machine = Machine::of("2025b");
    // As it was before 2026: back to standard time on the 1st of November.
    machine.has_rules("America/Vancouver", "America/Los_Angeles");
    let zones = machine.zones();
    let zone = zones.zone("America/Vancouver").unwrap();
    let schedule = crate::schedule::Schedule::new("0 6 * * *", zone).unwrap();
    let next = || schedule.next_after(utc("2026-11-02T00:00:00Z")).unwrap();
    assert_eq!(next(), utc("2026-11-02T13:00:00Z"));
    machine.has("tzdata.zi", "# version 2027a\n").passes(60);
    assert_eq!(next(), utc("2026-11-02T14:00:00Z"));
    machine.has_rules("America/Vancouver", "America/Phoenix").passes(60);
    assert_eq!(next(), utc("2026-11-02T13:00:00Z"));
}

#[test]
fn every_built_in_zone_can_be_read() {
    let zones = built_in_zones();
    let names: Vec<_> = built_in_names().collect();
    assert!(names.len() > 590, "{}", names.len());
    for name in names {
        assert_eq!(zones.zone(name).map(Zone::name), Some(name));
    }
}
