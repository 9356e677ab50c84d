//! Keeps the values of secrets out of texts.
//!
//! # Why it is of the whole process
//!
//! A value gets further than the attempt that has read it: into an output, a task that the body has spawned, the error of a client that
//! another attempt uses. So a value that was read once is replaced in all texts of this process.

use std::borrow::Cow;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{PoisonError, RwLock};

/// What stands in a value's place.
const HIDDEN: &str = "***";

/// A shorter text is in too many others to be told from them.
const MIN_BYTES: usize = 4;

/// A line of a value of several is hidden by itself if it has so many bytes.
const MIN_LINE: usize = 8;

/// So many texts are hidden, the newest. A secret of which a file has ever another value would fill the memory.
const MAX_HIDDEN: usize = 1_000;

/// So many lines of a value are hidden by themselves: with all of their forms they leave room for as many again.
const MAX_LINES: usize = MAX_HIDDEN / 2 / FORMS - 1;

/// In how many forms a text is hidden, at most.
const FORMS: usize = 7;

/// Oldest first.
static ALL: RwLock<Vec<Box<str>>> = RwLock::new(Vec::new());
static HAS_ANY: AtomicBool = AtomicBool::new(false);

/// Hides a value from now on.
pub(crate) fn hide(value: &str) {
    let lines = value.lines().filter(|line| line.len() >= MIN_LINE && line.len() < value.len());
    // The whole value last, as the oldest are dropped first; and more forms of it than are kept are not made.
    let forms = lines.take(MAX_LINES).chain([value]).flat_map(forms);
    let texts: Vec<String> = forms.filter(|text| text.len() >= MIN_BYTES).collect();
    let is_known = |all: &[Box<str>], text: &str| all.iter().any(|known| **known == *text);
    {
        let all = ALL.read().unwrap_or_else(PoisonError::into_inner);
        // While there is room for as many again, none that is in use is about to be dropped.
        if all.len() < MAX_HIDDEN / 2 && texts.iter().all(|text| is_known(&all, text)) {
            return;
        }
    }
    let mut all = ALL.write().unwrap_or_else(PoisonError::into_inner);
    // One that is read again is among the newest again.
    all.retain(|known| !texts.iter().any(|text| **text == **known));
    for text in texts {
        if !is_known(&all, &text) {
            all.push(text.into());
        }
    }
    let excess = all.len().saturating_sub(MAX_HIDDEN);
    all.drain(..excess);
    HAS_ANY.store(true, Ordering::Release);
}

/// A text as it is, and as `{:?}` and JSON show it, also of a text that has it in such a form already, as with `{:?}` of a JSON text.
/// The text itself last.
fn forms(text: &str) -> Vec<String> {
    let mut all = vec![text.to_owned()];
    let mut last = all.clone();
    for _ in 0..2 {
        let escaped = last.iter().flat_map(|text| [format!("{text:?}"), serde_json::to_string(text).unwrap_or_default()]);
        last = escaped.map(|quoted| unquoted(&quoted).to_owned()).filter(|text| !all.contains(text)).collect();
        last.dedup();
        all.extend_from_slice(&last);
    }
    all.reverse();
    all
}

/// What stands between the quotes of a text as `{:?}` shows it, or JSON.
fn unquoted(text: &str) -> &str {
    text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or(text)
}

/// The text with each value replaced.
pub(crate) fn redacted(text: &str) -> Cow<'_, str> {
    if !HAS_ANY.load(Ordering::Acquire) {
        return Cow::Borrowed(text);
    }
    let all = ALL.read().unwrap_or_else(PoisonError::into_inner);
    let mut found: Vec<&str> = all.iter().map(AsRef::as_ref).filter(|value| text.contains(value)).collect();
    if found.is_empty() {
        return Cow::Borrowed(text);
    }
    // Of a value that is part of another, nothing of the longer one is to stay.
    found.sort_by_key(|value| std::cmp::Reverse(value.len()));
    Cow::Owned(found.into_iter().fold(text.to_owned(), |text, value| text.replace(value, HIDDEN)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_replaced_wherever_it_stands() {
        hide("hunter2-of-the-test");
        assert_eq!(redacted("?key=hunter2-of-the-test&a=hunter2-of-the-test"), "?key=***&a=***");
        assert_eq!(redacted("nothing of it"), "nothing of it");
    }

    #[test]
    fn nothing_stays_of_a_longer_value() {
        hide("redaction-abcd");
        hide("redaction-abcd-efgh");
        assert_eq!(redacted("redaction-abcd-efgh redaction-abcd"), "*** ***");
    }

    #[test]
    fn lines_and_escapes_of_a_value_are_replaced() {
        hide("-----BEGIN\n\"bGluZS1vbmUtb2Y\"\nEND");
        assert_eq!(redacted("it has \"bGluZS1vbmUtb2Y\" in it"), "it has *** in it");
        assert_eq!(redacted("END"), "END");
        assert_eq!(redacted(&format!("{:?}", "-----BEGIN\n\"bGluZS1vbmUtb2Y\"\nEND")), "\"***\"");
    }

    #[test]
    fn a_value_is_found_as_debug_and_json_show_it() {
        for value in
            ["it's a \"pass\\word\" of debug", "bell\u{7}, escape\u{1b} and 'quotes' of json", "zero\u{200b}width \"of\" both"]
        {
            hide(value);
            assert_eq!(redacted(&format!("{value:?}")), "\"***\"");
            assert_eq!(redacted(&serde_json::to_string(value).unwrap()), "\"***\"");
        }
    }

    #[test]
    fn a_value_is_found_that_is_escaped_twice() {
        for value in ["a \"quoted\" word of two levels", "a back\\slash and \u{7} of two levels"] {
            hide(value);
            let json = serde_json::to_string(&serde_json::json!({ "key": value })).unwrap();
            assert_eq!(redacted(&format!("{json:?}")), r#""{\"key\":\"***\"}""#);
            let debug = format!("{:?}", Some(value));
            assert_eq!(redacted(&serde_json::to_string(&debug).unwrap()), r#""Some(\"***\")""#);
        }
    }

    #[test]
    fn a_quoted_line_is_found_as_debug_shows_it() {
        hide("{\n  \"client_secret\": \"bGluZXMtb2YtYS1rZXk\"\n}");
        assert_eq!(redacted(r#"at "  \"client_secret\": \"bGluZXMtb2YtYS1rZXk\"""#), "at \"***\"");
    }

    #[test]
    fn what_is_too_short_to_be_found_is_not_hidden() {
        hide("zq7");
        assert_eq!(redacted("zq7"), "zq7");
        hide("zq78");
        assert_eq!(redacted("zq78"), "***");
    }
}
