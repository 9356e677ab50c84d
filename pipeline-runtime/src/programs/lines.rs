//! A program's output, line by line. Of a line without an end, such as a terabyte of zeros, only the beginning is stored.

use crate::author::redaction::redacted;
use std::collections::VecDeque;
use std::fmt::Write;

/// How much of a line is stored. It is more than a log line's limit, so that a secret is whole where the log line is cut.
const LONGEST: usize = 64 << 10;
/// How many of the last lines an error contains, and how much of each.
const TAIL: usize = 10;
const OF_TAIL: usize = 500;

/// The lines of one stream.
#[derive(Debug, Default)]
pub(super) struct Lines {
    /// The current line, which has no end yet.
    begun: Vec<u8>,
    /// How many of its bytes were not stored.
    lost: usize,
    tail: VecDeque<String>,
    last: Option<String>,
}

impl Lines {
    /// Takes more bytes, and passes each complete line to `tell`.
    pub(super) fn read(&mut self, mut bytes: &[u8], tell: &mut dyn FnMut(&str)) {
        while let Some(end) = bytes.iter().position(|byte| *byte == b'\n') {
            self.begin(&bytes[..end]);
            self.end_line(tell);
            bytes = &bytes[end + 1..];
        }
        self.begin(bytes);
    }

    /// Passes on a last line without a line break.
    pub(super) fn end(&mut self, tell: &mut dyn FnMut(&str)) {
        if !self.begun.is_empty() {
            self.end_line(tell);
        }
    }

    fn begin(&mut self, bytes: &[u8]) {
        let room = LONGEST - self.begun.len();
        let kept = bytes.len().min(room);
        self.begun.extend_from_slice(&bytes[..kept]);
        self.lost += bytes.len() - kept;
    }

    fn end_line(&mut self, tell: &mut dyn FnMut(&str)) {
        let text = String::from_utf8_lossy(&self.begun);
        // Of a progress bar, its last state.
        let text = text.trim_end_matches('\r');
        let text = text.rsplit('\r').next().unwrap_or(text);
        let mut line = redacted(text).into_owned();
        if self.lost > 0 {
            // Writing to a `String` cannot fail.
            let _ = write!(line, "… ({} bytes more)", self.lost);
        }
        self.begun.clear();
        self.lost = 0;
        tell(&line);
        if !line.trim().is_empty() {
            if self.tail.len() == TAIL {
                self.tail.pop_front();
            }
            self.tail.push_back(line[..line.floor_char_boundary(OF_TAIL)].to_owned());
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

    fn told(pieces: &[&[u8]]) -> (Vec<String>, Lines) {
        let (mut lines, mut told) = (Lines::default(), Vec::new());
        for piece in pieces {
            lines.read(piece, &mut |line| told.push(line.to_owned()));
        }
        lines.end(&mut |line| told.push(line.to_owned()));
        (told, lines)
    }

    #[test]
    fn lines_are_put_together() {
        let (lines, last) = told(&[b"on", b"e\ntw", b"o\r\n\nthree"]);
        assert_eq!(lines, ["one", "two", "", "three"]);
        assert_eq!(last.tail(), "\none\ntwo\nthree");
        assert_eq!(last.into_last(), "three");
        assert_eq!(told(&[]).1.into_last(), "");
    }

    #[test]
    fn of_a_progress_bar_the_last_is_told() {
        assert_eq!(told(&[b" 5%\r50%\r", b"100%\r\n"]).0, ["100%"]);
    }

    #[test]
    fn no_text_is_one_all_the_same() {
        assert_eq!(told(&[b"a\xffb\n"]).0, ["a\u{fffd}b"]);
    }

    #[test]
    fn of_a_line_without_an_end_no_more_than_the_beginning_is_kept() {
        let piece = vec![b'x'; 1 << 20];
        let (mut lines, mut told) = (Lines::default(), Vec::new());
        for _ in 0..100 {
            lines.read(&piece, &mut |line| told.push(line.to_owned()));
            assert!(lines.begun.capacity() <= 2 * LONGEST);
        }
        lines.read(b"\n", &mut |line| told.push(line.to_owned()));
        assert_eq!(told.len(), 1);
        assert!(told[0].ends_with(&format!("x… ({} bytes more)", 100 * (1 << 20) - LONGEST)));
        assert!(lines.tail().len() <= OF_TAIL + 1);
    }
}
