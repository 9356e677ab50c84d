//! Time zones, by the names of the IANA database.

// The runtime's `time/zone/database.rs`, letter for letter, which a test watches: the crates are published apart.
#[allow(dead_code, reason = "the same file as the runtime's")]
mod database;

use crate::suggest;
use chrono::{DateTime, NaiveDateTime, Utc};
use database::{Folder, Found, Source};
use jiff_core::tz::tzif::TimeZone;
use jiff_core::tz::{AmbiguousOffset, Offset};

/// A zone that the built-in database knows, or that of the machine that builds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Zone(String);

impl Zone {
    pub(crate) fn utc() -> Self {
        Self("UTC".to_owned())
    }

    pub(crate) fn name(&self) -> &str {
        &self.0
    }

    /// The first instant at which the zone's clock shows this; `None` where it skips it, or nothing is known of the zone.
    pub(crate) fn earliest(&self, wall: NaiveDateTime) -> Option<DateTime<Utc>> {
        let zone = read(this_machines(), &self.0).find_map(|bytes| TimeZone::parse(&bytes).ok())?;
        let seconds = wall.and_utc().timestamp();
        let civil = jiff_core::Timestamp::from_second(seconds).ok()?.to_datetime(Offset::UTC);
        let offset = match zone.to_ambiguous_timestamp(civil).offset() {
            AmbiguousOffset::Unambiguous { offset } | AmbiguousOffset::Fold { before: offset, .. } => offset,
            AmbiguousOffset::Gap { .. } => return None,
        };
        DateTime::from_timestamp(seconds - i64::from(offset.seconds()), 0)
    }
}

/// The zone, or why there is none.
pub(crate) fn parse(text: &str) -> Result<Zone, String> {
    find(this_machines(), text)
}

fn this_machines() -> Option<Folder> {
    Folder::place().map(Folder::open)
}

fn find(folder: Option<Folder>, text: &str) -> Result<Zone, String> {
    match read(folder, text).next() {
        Some(_) => Ok(Zone(text.to_owned())),
        None => Err(explain(text)),
    }
}

/// What the two databases have of a zone, that of the newer one first.
fn read(folder: Option<Folder>, name: &str) -> impl Iterator<Item = Vec<u8>> {
    Folder::order(folder.as_ref()).into_iter().filter_map(move |source| match source {
        Source::BuiltIn => database::built_in(name).map(<[u8]>::to_vec),
        Source::Machine => match folder.as_ref()?.zone(name) {
            Found::Zone(bytes) => Some(bytes),
            Found::Nothing | Found::Unusable(_) => None,
        },
    })
}

fn explain(text: &str) -> String {
    let names: Vec<_> = database::built_in_names().collect();
    if let Some(near) = same_place(text, &names).or_else(|| suggest::nearest(text, &names)) {
        return format!("there is none of that name; did you mean `{near}`?");
    }
    "there is none of that name; write an IANA name such as `Europe/Berlin` or `UTC`".to_owned()
}

/// A city without its continent, or in other letters: `berlin` is `Europe/Berlin`.
fn same_place<'a>(text: &str, names: &[&'a str]) -> Option<&'a str> {
    let place = text.replace(' ', "_");
    names.iter().copied().find(|name| {
        let city = name.rsplit('/').next().unwrap_or(name);
        name.eq_ignore_ascii_case(&place) || city.eq_ignore_ascii_case(&place)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Where this fails, copy the runtime's file here.
    #[test]
    fn the_databases_are_the_runtimes() {
        let runtime = concat!(env!("CARGO_MANIFEST_DIR"), "/../pipeline-runtime/src/time/zone/database.rs");
        let runtime = std::fs::read_to_string(runtime).expect("the runtime's databases");
        assert!(
            runtime == include_str!("database.rs"),
            "values/zone/database.rs differs from the runtime's time/zone/database.rs"
        );
    }

    #[test]
    fn iana_names_are_known() {
        assert_eq!(parse("Europe/Berlin").expect("a zone").0, "Europe/Berlin");
        assert_eq!(parse("UTC"), Ok(Zone::utc()));
    }

    #[test]
    fn a_zone_that_only_the_machine_knows_is_one() {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::create_dir(folder.path().join("America")).expect("a folder");
        let file = folder.path().join("America/Coast_City");
        let find = || find(Some(Folder::open(folder.path().to_owned())), "America/Coast_City");
        assert!(find().is_err());
        std::fs::write(&file, "no zone").expect("a file");
        assert!(find().is_err());
        std::fs::write(&file, database::built_in("America/Lima").expect("a zone")).expect("a file");
        assert_eq!(find().expect("a zone").name(), "America/Coast_City");
    }

    #[test]
    fn near_misses_are_named() {
        for (text, meant) in [
            ("Europe/Berln", "Europe/Berlin"),
            ("berlin", "Europe/Berlin"),
            ("New York", "America/New_York"),
            ("europe/london", "Europe/London"),
        ] {
            let why = parse(text).expect_err(text);
            assert_eq!(why, format!("there is none of that name; did you mean `{meant}`?"), "{text}");
        }
        assert!(parse("Middle-earth/Shire").expect_err("no zone").contains("IANA"));
    }
}
