//! Writing for people, on terminals that no text can change. A stream that was closed, as by `head`, ends nothing: there is just nobody left to read.
//! What cannot be written for another reason is lost to somebody, and the exit code says so.
//!
//! All that a command prints passes here, but for the lines that [`Progress::Auto`](super::Progress::Auto) redraws, which are escaped the same.

use crate::observe::{harmless, harmless_json, print_error};
use clap::error::ErrorKind;
use std::ffi::OsString;
use std::io::{IsTerminal, Write};
use std::process::ExitCode;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

/// Prints the text and an end of line.
pub(super) fn to_stdout(text: &str) {
    let mut stdout = std::io::stdout().lock();
    heed_loss(&writeln!(stdout, "{}", harmless(text)).and_then(|()| stdout.flush()));
}

/// Why something that was to be on stdout is not there, first of all.
static LOST: OnceLock<String> = OnceLock::new();

/// Takes note of what could not be written. A stream that was closed loses nothing that anybody wanted.
fn heed_loss(written: &std::io::Result<()>) {
    if let Err(error) = written
        && error.kind() != std::io::ErrorKind::BrokenPipe
    {
        LOST.get_or_init(|| error.to_string());
    }
}

/// The code to exit with: whoever reads a file of what was printed must not take it for whole where it is not, as on a disk that is full.
pub(super) fn settled(code: ExitCode) -> ExitCode {
    let Some(error) = LOST.get() else { return code };
    to_stderr(&format!("error: not all of this could be written to stdout: {error}"));
    if code == ExitCode::SUCCESS { ExitCode::FAILURE } else { code }
}

/// Prints JSON and an end of line.
pub(super) fn json(json: &impl std::fmt::Display) {
    to_stdout(&harmless_json(&json.to_string()));
}

/// Prints the text and an end of line.
pub(super) fn to_stderr(text: &str) {
    print_error(text);
}

/// Whether people see on a terminal what is printed on either stream.
pub(super) fn is_terminal() -> bool {
    std::io::stdout().is_terminal() && std::io::stderr().is_terminal()
}

/// Prints why the arguments are wrong; or the help, where that is what was asked for.
pub(super) fn arguments(error: &clap::Error) {
    if !error.use_stderr() {
        // Help is the author's, and may be in colours. Whoever closed the stream does not want to read it.
        heed_loss(&error.print());
        return;
    }
    let text = error.render().to_string();
    let text = text.trim_end();
    // The help that comes where nothing was given quotes nobody.
    let is_help = error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand;
    to_stderr(&if is_help { text.to_owned() } else { set_off(text) });
}

/// How lines of messages begin that are not indented: the last two are clap's.
const OURS: [&str; 4] = ["error: ", "pipeline `", "Usage: ", "For more information, "];

/// Whether an argument has a line that begins as ours do: then no further line of a message is taken for one of ours.
static IS_FORGED: AtomicBool = AtomicBool::new(false);

/// Takes note of the arguments, which messages may quote.
pub(super) fn heed<'a>(args: impl IntoIterator<Item = &'a OsString>) {
    let forges = |arg: &OsString| arg.to_string_lossy().split('\n').skip(1).any(is_ours);
    if args.into_iter().any(forges) {
        IS_FORGED.store(true, Ordering::Relaxed);
    }
}

fn is_ours(line: &str) -> bool {
    OURS.iter().any(|begin| line.starts_with(begin))
}

/// A message of several lines that quotes what somebody else wrote: none of its lines looks like one of another message. Those of the message
/// itself are indented, or begin the next mistake.
pub(super) fn set_off(message: &str) -> String {
    let mut lines = message.split('\n');
    let mut text = lines.next().unwrap_or_default().to_owned();
    let trusts = !IS_FORGED.load(Ordering::Relaxed);
    for line in lines {
        let is_set_off = line.is_empty() || line.starts_with(' ') || trusts && is_ours(line);
        text.push_str(if is_set_off { "\n" } else { "\n    " });
        text.push_str(line);
    }
    text
}

/// Columns two spaces apart, each as wide as its widest cell; the last one ends without spaces.
pub(super) fn table<const N: usize>(rows: &[[String; N]]) -> String {
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: [usize; N] = std::array::from_fn(width);
    let line = |row: &[String; N]| {
        // Not by a format's width, which is at most 65,535 and panics beyond it.
        let cells = row.iter().zip(widths).map(|(cell, width)| cell.clone() + &" ".repeat(width - cell.chars().count()));
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    rows.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// What a text of several lines says first: its first line, with the one after it where that is what it leads to.
pub(super) fn first_fact(text: &str) -> String {
    let mut lines = text.lines();
    match (lines.next().unwrap_or_default(), lines.next()) {
        (first, Some(next)) if first.ends_with(':') => format!("{first} {}", next.trim().trim_start_matches("- ")),
        (first, _) => first.to_owned(),
    }
}

/// So many characters of a text, and how many more there are.
pub(super) fn cut(text: String, most: usize) -> String {
    let Some((end, _)) = text.char_indices().nth(most) else { return text };
    let more = text[end..].chars().count();
    format!("{}… and {more} more characters", &text[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_of_any_length_is_a_cell() {
        let (long, text) = ("x".repeat(70_000), |text: &str| text.to_owned());
        let shown = table(&[[long.clone(), text("a")], [text("é"), text("b")]]);
        let lines: Vec<&str> = shown.lines().collect();
        assert_eq!(lines[0], format!("{long}  a"));
        assert_eq!(lines[1], format!("é{}  b", " ".repeat(69_999)));
    }

    #[test]
    fn a_quoted_line_is_set_off_and_the_messages_own_are_not() {
        assert_eq!(set_off("no run `a\n2024 ERROR b`\n  = help: list"), "no run `a\n    2024 ERROR b`\n  = help: list");
        let mistakes = "error: one\n  --> here\n\nerror: two\n\npipeline `p` has 2 mistakes";
        assert_eq!(set_off(mistakes), mistakes);
    }

    #[test]
    fn a_list_is_told_by_its_first_item() {
        assert_eq!(first_fact("it has changed:\n  - `a` is gone\n  - `b` is gone"), "it has changed: `a` is gone");
        assert_eq!(first_fact("it is so\n  = help: do this"), "it is so");
        assert_eq!(first_fact(""), "");
    }

    #[test]
    fn what_is_cut_says_how_much_is_missing() {
        assert_eq!(cut("äöü".into(), 3), "äöü");
        assert_eq!(cut("äöüß!".into(), 3), "äöü… and 2 more characters");
    }
}
