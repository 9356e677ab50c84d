//! Ids: what a node or pipeline is called on the command line, in file names and in the journal.

/// Accepts the id, or says why not.
pub(crate) fn check(text: &str) -> Result<(), String> {
    if text.is_empty() {
        return Err("it is empty".to_owned());
    }
    if let Some(other) = text.chars().find(|c| !is_allowed(*c)) {
        return Err(match other {
            '[' | ']' => "brackets mark the elements of an `.each`, as in `upload[3]`".to_owned(),
            _ => format!("`{other}` cannot stand in an id: use letters, digits, `_`, `.` and `-`"),
        });
    }
    if is_automatic(text) {
        return Err(automatic().to_owned());
    }
    Ok(())
}

/// Whether a second node of some task would be given this id.
pub(crate) fn is_automatic(text: &str) -> bool {
    text.rsplit_once("__").is_some_and(|(_, count)| !count.is_empty() && count.chars().all(|c| c.is_ascii_digit()))
}

/// Why such an id cannot be chosen.
pub(crate) fn automatic() -> &'static str {
    "it ends as the automatic ids `name__2`, `name__3`, .. do: use one underscore, or a letter"
}

fn is_allowed(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_plain_words() {
        for id in ["load", "load-eu.v2", "load_2", "a__b", "2024"] {
            assert_eq!(check(id), Ok(()), "{id}");
        }
        for (id, why) in [
            ("", "empty"),
            ("load eu", "` ` cannot stand"),
            ("load[3]", "`.each`"),
            ("load__2", "automatic"),
            ("größe", "`ö` cannot stand"),
        ] {
            assert!(check(id).expect_err(id).contains(why), "{id}");
        }
    }
}
