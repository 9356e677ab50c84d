//! Time zones, by the names of the IANA database.

use crate::suggest;
use chrono_tz::{TZ_VARIANTS, Tz};

/// The zone, or why there is none.
pub(crate) fn parse(text: &str) -> Result<Tz, String> {
    text.parse::<Tz>().map_err(|_| explain(text))
}

fn explain(text: &str) -> String {
    let names: Vec<_> = TZ_VARIANTS.iter().map(|zone| zone.name()).collect();
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

    #[test]
    fn iana_names_are_known() {
        assert_eq!(parse("Europe/Berlin"), Ok(Tz::Europe__Berlin));
        assert_eq!(parse("UTC"), Ok(Tz::UTC));
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
