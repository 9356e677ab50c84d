//! Ids: the names of nodes and pipelines on the command line, in file names and in the journal.

use crate::limits::LONGEST_ID;

/// Checks an id. It may contain letters and digits of any script, `_`, `.` and `-`, in at most 200 bytes.
///
/// The same rule holds for an id that is given by `id = ".."` or `.named("..")` and for one that is derived from a function's
/// name.
///
/// ```
/// use pipeline_syntax::id;
///
/// assert_eq!(id::check("load-größe.v2"), Ok(()));
/// assert_eq!(id::check("load eu"), Err("` ` is not allowed in an id: use letters, digits, `_`, `.` and `-`".to_owned()));
/// ```
pub fn check(text: &str) -> Result<(), String> {
    if text.is_empty() {
        return Err("it is empty".to_owned());
    }
    if text.len() > LONGEST_ID {
        return Err(format!("it is longer than {LONGEST_ID} bytes"));
    }
    if let Some(other) = text.chars().find(|c| !is_allowed(*c)) {
        return Err(match other {
            '[' | ']' => "brackets mark the elements of an `.each`, as in `upload[3]`".to_owned(),
            _ => format!("`{}` is not allowed in an id: use letters, digits, `_`, `.` and `-`", other.escape_debug()),
        });
    }
    // The second node of a task gets such an id, if its name is the rest.
    if text.rsplit_once("__").is_some_and(|(_, count)| !count.is_empty() && count.chars().all(|c| c.is_ascii_digit())) {
        return Err("it looks like an automatic id, such as `name__2`; use one underscore, or end it with a letter".to_owned());
    }
    Ok(())
}

fn is_allowed(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '.' | '-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_plain_words() {
        for id in ["load", "load-eu.v2", "load_2", "a__b", "2024", "größe", "数据"] {
            assert_eq!(check(id), Ok(()), "{id}");
        }
        for (id, why) in [
            ("", "empty"),
            ("load eu", "` ` is not allowed"),
            ("load[3]", "`.each`"),
            ("load__2", "automatic"),
            ("a/b", "`/` is not allowed"),
            ("a\nb", "`\\n` is not allowed"),
        ] {
            assert!(check(id).expect_err(id).contains(why), "{id}");
        }
        assert_eq!(check(&"ä".repeat(100)), Ok(()));
        assert_eq!(check(&"ä".repeat(101)), Err("it is longer than 200 bytes".to_owned()));
    }
}
