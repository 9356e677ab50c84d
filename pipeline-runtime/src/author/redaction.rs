//! Removes the values of secrets from texts.
//!
//! # Why it covers the whole process
//!
//! A value travels beyond the attempt that has read it: into an output, a task that the body has spawned, the error of a client
//! that another attempt uses. So a value that was read once is replaced in all texts of this process.

use std::borrow::Cow;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{PoisonError, RwLock};

/// The replacement for a value.
const HIDDEN: &str = "***";

/// Shorter values are not hidden, because they occur in too many other texts.
const MIN_BYTES: usize = 4;

/// The minimum length at which a line of a multi-line value is also hidden on its own.
const MIN_LINE: usize = 8;

/// The maximum number of hidden texts; the newest are kept. Without it, a secret whose file keeps changing would fill the memory.
const MAX_HIDDEN: usize = 1_000;

/// The maximum number of lines of a value that are hidden on their own. All their forms together take at most half of the table.
const MAX_LINES: usize = MAX_HIDDEN / 2 / FORMS - 1;

/// The maximum number of forms in which a text is hidden.
const FORMS: usize = 7;

/// Oldest first.
static ALL: RwLock<Vec<Box<str>>> = RwLock::new(Vec::new());
static HAS_ANY: AtomicBool = AtomicBool::new(false);

/// Hides a value from now on.
pub(crate) fn hide(value: &str) {
    let lines = value.lines().filter(|line| line.len() >= MIN_LINE && line.len() < value.len());
    // The whole value comes last, because the oldest texts are dropped first. No more forms are made than fit.
    let forms = lines.take(MAX_LINES).chain([value]).flat_map(forms);
    let texts: Vec<String> = forms.filter(|text| text.len() >= MIN_BYTES).collect();
    let is_known = |all: &[Box<str>], text: &str| all.iter().any(|known| **known == *text);
    {
        let all = ALL.read().unwrap_or_else(PoisonError::into_inner);
        // While the table is less than half full, no text in use is about to be dropped.
        if all.len() < MAX_HIDDEN / 2 && texts.iter().all(|text| is_known(&all, text)) {
            return;
        }
    }
    let mut all = ALL.write().unwrap_or_else(PoisonError::into_inner);
    // A value that is read again becomes one of the newest.
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

/// The forms of a text: the text itself, as `{:?}` and JSON show it, and these applied twice, as with `{:?}` of a JSON text. The
/// text itself comes last.
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

/// Removes the quotes that `{:?}` or JSON put around a text.
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
    // If a value is part of a longer one, the longer one is replaced first, so that nothing of it remains.
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
