//! Time zones: their names, their two databases, and a zone's wall clock.

pub mod database;
mod rules;
mod wall;

pub use rules::Rules;
pub use wall::{Wall, WallClock};

use crate::suggest;
use chrono::{DateTime, FixedOffset, MappedLocalTime, NaiveDateTime, Offset, Utc};
use database::{Folder, Source, ZoneLookup};

/// A zone of the built-in or the machine's database, with its current rules.
#[derive(Debug)]
pub struct Zone {
    name: String,
    /// `None` is UTC, which needs no database.
    rules: Option<Rules>,
}

impl Zone {
    /// UTC.
    pub fn utc() -> Self {
        Self { name: "UTC".to_owned(), rules: None }
    }
}

impl WallClock for Zone {
    fn name(&self) -> &str {
        &self.name
    }

    fn offset_at(&self, at: DateTime<Utc>) -> FixedOffset {
        self.rules.as_ref().map_or_else(|| Utc.fix(), |rules| rules.at(at.timestamp()))
    }

    fn offset_at_local(&self, wall: NaiveDateTime) -> MappedLocalTime<FixedOffset> {
        match &self.rules {
            Some(rules) => rules.at_local(wall.and_utc().timestamp()),
            None => MappedLocalTime::Single(Utc.fix()),
        }
    }
}

/// The zone of this name, or what to write instead. Names are case-sensitive, as in Airflow.
///
/// ```
/// use pipeline_syntax::zone::{self, WallClock};
///
/// assert_eq!(zone::parse("Europe/Berlin")?.name(), "Europe/Berlin");
/// assert_eq!(zone::parse("berlin").unwrap_err(), "did you mean `Europe/Berlin`?");
/// # Ok::<(), String>(())
/// ```
pub fn parse(text: &str) -> Result<Zone, String> {
    find(Folder::place().map(Folder::open).as_ref(), text)
}

fn find(folder: Option<&Folder>, text: &str) -> Result<Zone, String> {
    let name = text.trim();
    if name == "UTC" {
        return Ok(Zone::utc());
    }
    let rules = Folder::order(folder).into_iter().find_map(|source| match source {
        Source::BuiltIn => database::built_in(name).and_then(Rules::read),
        Source::Machine => match folder?.zone(name) {
            ZoneLookup::Zone(bytes) => Rules::read(&bytes),
            ZoneLookup::Nothing | ZoneLookup::Unusable(_) => None,
        },
    });
    match rules {
        Some(rules) => Ok(Zone { name: name.to_owned(), rules: Some(rules) }),
        None => Err(instead_of(name)),
    }
}

/// What to write instead of an unknown name.
///
/// ```
/// use pipeline_syntax::zone;
///
/// assert_eq!(zone::instead_of("Europe/Berln"), "did you mean `Europe/Berlin`?");
/// assert_eq!(zone::instead_of("Middle-earth/Shire"), "write an IANA name such as `Europe/Berlin` or `UTC`");
/// ```
pub fn instead_of(name: &str) -> String {
    let names: Vec<_> = database::built_in_names().collect();
    match same_place(name, &names).or_else(|| suggest::nearest(name, &names)) {
        Some(near) => format!("did you mean `{near}`?"),
        None => "write an IANA name such as `Europe/Berlin` or `UTC`".to_owned(),
    }
}

/// Finds a city without its continent, or with other letter case: `berlin` is `Europe/Berlin`.
fn same_place<'a>(text: &str, names: &[&'a str]) -> Option<&'a str> {
    let place = text.trim().replace(' ', "_");
    names.iter().copied().find(|name| {
        let city = name.rsplit('/').next().unwrap_or(name);
        name.eq_ignore_ascii_case(&place) || city.eq_ignore_ascii_case(&place)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn iana_names_are_known() {
        assert_eq!(parse("Europe/Berlin").expect("a zone").name(), "Europe/Berlin");
        assert!(parse(" UTC ").expect("a zone").rules.is_none());
    }

    #[test]
    fn a_zone_that_only_the_machine_knows_is_one() {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::create_dir(folder.path().join("America")).expect("a folder");
        let file = folder.path().join("America/Coast_City");
        let find = || find(Some(&Folder::open(folder.path().to_owned())), "America/Coast_City");
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
            assert_eq!(parse(text).expect_err(text), format!("did you mean `{meant}`?"), "{text}");
        }
        for text in ["Middle-earth/Shire", "Mars", ""] {
            assert!(parse(text).expect_err("no zone").contains("IANA"), "{text}");
        }
    }
}
