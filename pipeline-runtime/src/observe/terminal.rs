//! Text for terminals: it is displayed, and cannot control the terminal, whoever wrote it.
//!
//! Error texts, log lines, names and params come from bodies and from users. Unescaped they could move the cursor, set the window
//! title, reorder letters, or look like a line of the engine.

use std::borrow::Cow;
use std::io::Write;

/// Prints the text and a line end to stderr.
pub(crate) fn print_error(text: &str) {
    // If stderr is closed, there is no place to report that.
    let _ = writeln!(std::io::stderr().lock(), "{}", harmless(text));
}

/// Returns the text with characters that could change a terminal or the order of letters escaped, as `\u{1b}`. Line ends stay.
pub(crate) fn harmless(text: &str) -> Cow<'_, str> {
    escaped(text, |c| c.escape_default().to_string())
}

/// The same for JSON, which parses to the same value: there such characters only occur in strings, where `\u001b` is valid.
pub(crate) fn harmless_json(json: &str) -> Cow<'_, str> {
    escaped(json, |c| format!("\\u{:04x}", u32::from(c)))
}

fn escaped(text: &str, escape: impl Fn(char) -> String) -> Cow<'_, str> {
    let is_odd = |c: char| is_odd(c) && c != '\n';
    if !text.contains(is_odd) {
        return text.into();
    }
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        if is_odd(c) {
            shown.push_str(&escape(c));
        } else {
            shown.push(c);
        }
    }
    shown.into()
}

/// The same for a text that is to be one line: its further lines are indented, so that none looks like another line.
pub(crate) fn one_line(text: &str) -> Cow<'_, str> {
    if !text.contains(is_odd) {
        return text.into();
    }
    harmless(text.trim_end_matches(['\r', '\n'])).replace('\n', "\n    ").into()
}

fn is_odd(c: char) -> bool {
    (c.is_control() && c != '\t') || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_change_a_terminal_is_written_out() {
        assert_eq!(harmless("\u{1b}]0;title\u{7}\ta\nb\r"), "\\u{1b}]0;title\\u{7}\ta\nb\\r");
        assert_eq!(harmless("a\u{202e}b é ✓"), "a\\u{202e}b é ✓");
        assert!(matches!(harmless("plain\ntext"), Cow::Borrowed(_)));
        assert!(matches!(one_line("ä — 漢字\t👩‍👩‍👧"), Cow::Borrowed(_)));
        assert_eq!(
            one_line("failed\n2024-03-25 INFO engine: all is well\r\n"),
            "failed\n    2024-03-25 INFO engine: all is well"
        );
    }
}
