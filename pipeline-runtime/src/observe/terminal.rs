//! Texts that reach a terminal: whoever wrote them, they are read there and do nothing.
//!
//! Error texts, log lines, names and params are of bodies and of whoever asks for runs. As they are they could move the cursor, set the
//! window's title, turn the order of letters around, or look like a line of the engine.

use std::borrow::Cow;
use std::io::Write;

/// Prints the text and an end of line on stderr.
pub(crate) fn print_error(text: &str) {
    // There is nowhere to say that stderr is closed.
    let _ = writeln!(std::io::stderr().lock(), "{}", harmless(text));
}

/// The text with what would change a terminal, or the order of its letters, as `\u{1b}`. Ends of lines stay.
pub(crate) fn harmless(text: &str) -> Cow<'_, str> {
    escaped(text, |c| c.escape_default().to_string())
}

/// The same of JSON, which reads back as what it was: there such characters are in texts alone, and `\u001b` is one.
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

/// The same of what is to be one line: its further lines are set off, so that none looks like another.
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
