//! A program's output, line by line. Of a line without an end, such as a terabyte of zeros, only the beginning is stored.

use crate::author::redaction::redacted;
use std::collections::VecDeque;
use std::fmt::Write;

/// How much of a line is stored. It is more than a log line's limit, so that a secret is whole where the log line is cut.
const MAX_LINE: usize = 64 << 10;
/// How many of the last lines an error contains, and how much of each.
const TAIL_LINES: usize = 10;
const MAX_TAIL_LINE: usize = 500;

/// The lines of one stream.
#[derive(Debug, Default)]
pub(super) struct OutputLines {
    /// The current line, which has no end yet.
    partial: Vec<u8>,
    /// How many of its bytes were not stored.
    cut_bytes: usize,
    tail: VecDeque<String>,
    last: Option<String>,
}

impl OutputLines {
    /// Takes more bytes, and passes each complete line to `emit`.
    pub(super) fn read(&mut self, mut bytes: &[u8], emit: &mut dyn FnMut(&str)) {
        while let Some(end) = bytes.iter().position(|byte| *byte == b'\n') {
            self.extend(&bytes[..end]);
            self.end_line(emit);
            bytes = &bytes[end + 1..];
        }
        self.extend(bytes);
    }

    /// Passes on a last line without a line break.
    pub(super) fn end(&mut self, emit: &mut dyn FnMut(&str)) {
        if !self.partial.is_empty() {
            self.end_line(emit);
        }
    }

    fn extend(&mut self, bytes: &[u8]) {
        let room = MAX_LINE - self.partial.len();
        let kept = bytes.len().min(room);
        self.partial.extend_from_slice(&bytes[..kept]);
        self.cut_bytes += bytes.len() - kept;
    }

    fn end_line(&mut self, emit: &mut dyn FnMut(&str)) {
        let text = String::from_utf8_lossy(&self.partial);
        // Of a progress bar, its last state.
        let text = text.trim_end_matches('\r');
        let text = text.rsplit('\r').next().unwrap_or(text);
        let mut line = redacted(text).into_owned();
        if self.cut_bytes > 0 {
            // Writing to a `String` cannot fail.
            let _ = write!(line, "… ({} bytes more)", self.cut_bytes);
        }
        self.partial.clear();
        self.cut_bytes = 0;
        emit(&line);
        if !line.trim().is_empty() {
            if self.tail.len() == TAIL_LINES {
                self.tail.pop_front();
            }
            self.tail.push_back(line[..line.floor_char_boundary(MAX_TAIL_LINE)].to_owned());
            self.last = Some(line);
        }
    }

    /// The last non-empty lines, each after a line break.
    pub(super) fn tail(&self) -> String {
        self.tail.iter().flat_map(|line| ["\n", line]).collect()
    }

    /// The last non-empty line.
    pub(super) fn into_last(self) -> String {
        self.last.unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines_of(pieces: &[&[u8]]) -> (Vec<String>, OutputLines) {
        let (mut lines, mut emitted) = (OutputLines::default(), Vec::new());
        for piece in pieces {
            lines.read(piece, &mut |line| emitted.push(line.to_owned()));
        }
        lines.end(&mut |line| emitted.push(line.to_owned()));
        (emitted, lines)
    }

    #[test]
    fn lines_are_put_together() {
        let (lines, last) = lines_of(&[b"on", b"e\ntw", b"o\r\n\nthree"]);
        assert_eq!(lines, ["one", "two", "", "three"]);
        assert_eq!(last.tail(), "\none\ntwo\nthree");
        assert_eq!(last.into_last(), "three");
        assert_eq!(lines_of(&[]).1.into_last(), "");
    }

    #[test]
    fn of_a_progress_bar_the_last_is_told() {
        assert_eq!(lines_of(&[b" 5%\r50%\r", b"100%\r\n"]).0, ["100%"]);
    }

    #[test]
    fn no_text_is_one_all_the_same() {
        assert_eq!(lines_of(&[b"a\xffb\n"]).0, ["a\u{fffd}b"]);
    }

    #[test]
    fn of_a_line_without_an_end_no_more_than_the_beginning_is_kept() {
        let piece = vec![b'x'; 1 << 20];
        let (mut lines, mut emitted) = (OutputLines::default(), Vec::new());
        for _ in 0..100 {
            lines.read(&piece, &mut |line| emitted.push(line.to_owned()));
            assert!(lines.partial.capacity() <= 2 * MAX_LINE);
        }
        lines.read(b"\n", &mut |line| emitted.push(line.to_owned()));
        assert_eq!(emitted.len(), 1);
        assert!(emitted[0].ends_with(&format!("x… ({} bytes more)", 100 * (1 << 20) - MAX_LINE)));
        assert!(lines.tail().len() <= MAX_TAIL_LINE + 1);
    }
}
