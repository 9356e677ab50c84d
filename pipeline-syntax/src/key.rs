//! Keys: the names of a list's elements on the command line, in logs and in the journal, as in `load[bart]`.

use crate::limits::LONGEST_KEY;

/// Checks a key. It may contain any characters except brackets, unprintable characters, and spaces at its ends, in at most 200
/// bytes.
///
/// ```
/// use pipeline_syntax::key;
///
/// assert_eq!(key::check("landing/2024-03-25/été 1.csv"), Ok(()));
/// assert_eq!(key::check("a[1]"), Err("it has a bracket, which marks where a key begins and ends".to_owned()));
/// ```
pub fn check(text: &str) -> Result<(), String> {
    if text.is_empty() {
        return Err("it is empty".to_owned());
    }
    if text.len() > LONGEST_KEY {
        return Err(format!("it has {} bytes, and a key has at most {LONGEST_KEY}", text.len()));
    }
    if text.contains(['[', ']']) {
        return Err("it has a bracket, which marks where a key begins and ends".to_owned());
    }
    if text.trim().len() < text.len() {
        return Err("it begins or ends with a space".to_owned());
    }
    match text.chars().find(|c| !is_seen(*c)) {
        Some(c) => Err(format!("it contains `{}`, which is not printable", c.escape_debug())),
        None => Ok(()),
    }
}

/// True if `{:?}` prints the character as it is: it is no control character, line separator or direction mark.
fn is_seen(c: char) -> bool {
    // A combining mark is escaped only if it stands alone.
    c.is_alphanumeric() || c.is_ascii_graphic() || format!("a{c}").escape_debug().count() == 2
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_what_can_be_seen() {
        for key in ["bart", "3", "a b", "eu/2024-01.csv", "it's \"x\" \\ y", "größe", "e\u{301}te\u{301}", "数据", "नमस्ते"]
        {
            assert_eq!(check(key), Ok(()), "{key}");
        }
        for (key, why) in [
            ("", "empty"),
            ("a]", "bracket"),
            ("[", "bracket"),
            ("a\nb", "`\\n`"),
            ("a\u{1b}[2J", "bracket"),
            ("a\u{1b}", "`\\u{1b}`"),
            ("\u{202e}a", "`\\u{202e}`"),
            ("a\u{200b}b", "`\\u{200b}`"),
            ("a\u{2028}b", "`\\u{2028}`"),
            (" a", "a space"),
            ("a\n", "a space"),
        ] {
            assert!(check(key).unwrap_err().contains(why), "{key:?}: {:?}", check(key));
        }
        assert_eq!(check(&"ä".repeat(100)), Ok(()));
        assert!(check(&"ä".repeat(101)).unwrap_err().contains("202 bytes"));
    }
}
