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

/// Oldest first.
static ALL: RwLock<Vec<Box<str>>> = RwLock::new(Vec::new());
static HAS_ANY: AtomicBool = AtomicBool::new(false);

/// Hides a value from now on.
pub(crate) fn hide(value: &str) {
    let (debug, json) = (format!("{value:?}"), serde_json::to_string(value).unwrap_or_default());
    let lines = value.lines().filter(|line| line.len() >= MIN_LINE && line.len() < value.len()).take(MAX_HIDDEN / 2);
    // The whole value last, as the oldest are dropped first.
    let texts = lines.chain([&debug, &json].map(|quoted| unquoted(quoted))).chain([value]);
    let texts: Vec<&str> = texts.filter(|text| text.len() >= MIN_BYTES).collect();
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
    all.retain(|known| !texts.contains(&&**known));
    for text in texts {
        if !is_known(&all, text) {
            all.push(text.into());
        }
    }
    let excess = all.len().saturating_sub(MAX_HIDDEN);
    all.drain(..excess);
    HAS_ANY.store(true, Ordering::Release);
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
    fn what_is_too_short_to_be_found_is_not_hidden() {
        hide("zq7");
        assert_eq!(redacted("zq7"), "zq7");
        hide("zq78");
        assert_eq!(redacted("zq78"), "***");
    }
}
