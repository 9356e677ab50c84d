//! Output for people, on terminals that printed text cannot manipulate. A closed stream, as with `head`, ends nothing, since
//! nobody is left to read. If a write fails for another reason, a reader has lost output, and the exit code reports it.
//!
//! All output of a command passes through here, except the lines that [`Progress::Auto`](super::Progress::Auto) redraws, which
//! are escaped in the same way.

use crate::observe::{harmless, harmless_json, print_error};
use clap::error::ErrorKind;
use std::ffi::OsString;
use std::io::{IsTerminal, Write};
use std::process::ExitCode;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

/// Prints the text and a line end.
pub(super) fn to_stdout(text: &str) {
    let mut stdout = std::io::stdout().lock();
    record_loss(&writeln!(stdout, "{}", harmless(text)).and_then(|()| stdout.flush()));
}

/// The first error that kept something from stdout.
static LOST: OnceLock<String> = OnceLock::new();

/// Records a failed write. A closed stream is not a loss.
fn record_loss(written: &std::io::Result<()>) {
    if let Err(error) = written
        && error.kind() != std::io::ErrorKind::BrokenPipe
    {
        LOST.get_or_init(|| error.to_string());
    }
}

/// Returns the exit code. It is not success if output was lost, so that a reader does not take a truncated file for the whole, as
/// on a full disk.
pub(super) fn exit_code(code: ExitCode) -> ExitCode {
    let Some(error) = LOST.get() else { return code };
    to_stderr(&format!("error: not all of this could be written to stdout: {error}"));
    if code == ExitCode::SUCCESS { ExitCode::FAILURE } else { code }
}

/// Prints JSON and a line end.
pub(super) fn json(json: &impl std::fmt::Display) {
    to_stdout(&harmless_json(&json.to_string()));
}

/// Prints the text and a line end.
pub(super) fn to_stderr(text: &str) {
    print_error(text);
}

/// True if both streams are terminals.
pub(super) fn is_terminal() -> bool {
    std::io::stdout().is_terminal() && std::io::stderr().is_terminal()
}

/// Prints why the arguments are wrong, or the help if it was requested.
pub(super) fn argument_error(error: &clap::Error) {
    if !error.use_stderr() {
        // Help is the author's text and may be colored. If the stream is closed, nobody wants to read it.
        record_loss(&error.print());
        return;
    }
    let text = error.render().to_string();
    let text = text.trim_end();
    // The help for missing arguments quotes no user input.
    let is_help = error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand;
    to_stderr(&if is_help { text.to_owned() } else { indent_quoted(text) });
}

/// How our own unindented message lines begin; the last two are clap's.
const OWN_LINE_STARTS: [&str; 4] = ["error: ", "pipeline `", "Usage: ", "For more information, "];

/// True if an argument has a line that begins like one of ours. Then every continuation line of a message is indented.
static IS_FORGED: AtomicBool = AtomicBool::new(false);

/// Scans the arguments, which messages may quote.
pub(super) fn detect_forged_lines<'a>(args: impl IntoIterator<Item = &'a OsString>) {
    let forges = |arg: &OsString| arg.to_string_lossy().split('\n').skip(1).any(is_own_line);
    if args.into_iter().any(forges) {
        IS_FORGED.store(true, Ordering::Relaxed);
    }
}

fn is_own_line(line: &str) -> bool {
    OWN_LINE_STARTS.iter().any(|begin| line.starts_with(begin))
}

/// Indents the lines of a message that quotes text of others, so that none looks like the start of another message. The message's
/// own continuation lines are already indented, or begin the next mistake.
pub(super) fn indent_quoted(message: &str) -> String {
    let mut lines = message.split('\n');
    let mut text = lines.next().unwrap_or_default().to_owned();
    let trusts = !IS_FORGED.load(Ordering::Relaxed);
    for line in lines {
        let is_set_off = line.is_empty() || line.starts_with(' ') || trusts && is_own_line(line);
        text.push_str(if is_set_off { "\n" } else { "\n    " });
        text.push_str(line);
    }
    text
}

/// Columns two spaces apart, each as wide as its widest cell, without trailing spaces.
pub(super) fn table<const N: usize>(rows: &[[String; N]]) -> String {
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: [usize; N] = std::array::from_fn(width);
    let line = |row: &[String; N]| {
        // Padded manually: a format width is at most 65,535 and panics beyond it.
        let cells = row.iter().zip(widths).map(|(cell, width)| cell.clone() + &" ".repeat(width - cell.chars().count()));
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    rows.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// Returns the first statement of a multi-line text: its first line, plus the next one if the first ends with a colon.
pub(super) fn first_statement(text: &str) -> String {
    let mut lines = text.lines();
    match (lines.next().unwrap_or_default(), lines.next()) {
        (first, Some(next)) if first.ends_with(':') => format!("{first} {}", next.trim().trim_start_matches("- ")),
        (first, _) => first.to_owned(),
    }
}

/// Cuts a text to that many characters, and says how many more there are.
pub(super) fn truncated(text: String, most: usize) -> String {
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
        assert_eq!(indent_quoted("no run `a\n2024 ERROR b`\n  = help: list"), "no run `a\n    2024 ERROR b`\n  = help: list");
        let mistakes = "error: one\n  --> here\n\nerror: two\n\npipeline `p` has 2 mistakes";
        assert_eq!(indent_quoted(mistakes), mistakes);
    }

    #[test]
    fn a_list_is_told_by_its_first_item() {
        assert_eq!(first_statement("it has changed:\n  - `a` is gone\n  - `b` is gone"), "it has changed: `a` is gone");
        assert_eq!(first_statement("it is so\n  = help: do this"), "it is so");
        assert_eq!(first_statement(""), "");
    }

    #[test]
    fn what_is_cut_says_how_much_is_missing() {
        assert_eq!(truncated("äöü".into(), 3), "äöü");
        assert_eq!(truncated("äöüß!".into(), 3), "äöü… and 2 more characters");
    }
}
