//! Output to a terminal: each of these calls has a terminal of its own.

use crate::command::{PIPELINES, call, command, scrub};
use crate::recorded_runs::Folder;
use std::fs::File;
use std::io::Read;
use std::process::{Command, Stdio};

/// Makes the call on a terminal. Returns the exit code and everything that was sent to the terminal.
pub(crate) fn on_terminal(mut command: Command) -> (Option<i32>, String) {
    let terminal = rustix::pty::openpt(rustix::pty::OpenptFlags::RDWR | rustix::pty::OpenptFlags::NOCTTY).expect("a terminal");
    rustix::pty::grantpt(&terminal).and_then(|()| rustix::pty::unlockpt(&terminal)).expect("it is ours");
    let name = rustix::pty::ptsname(&terminal, Vec::new()).expect("it has a name").into_string().expect("a plain one");
    let end = || File::options().read(true).write(true).open(&name).expect("its other end");
    command.stdin(Stdio::from(end())).stdout(Stdio::from(end())).stderr(Stdio::from(end()));
    let mut child = command.env("TERM", "xterm").spawn().expect("it was built");
    // Closes this process's copies of the other end, so that reading ends with the child.
    drop(command);
    let (mut sent, mut bytes, mut terminal) = (Vec::new(), [0; 4096], File::from(terminal));
    // Linux reports an error once no process has the other end open.
    while let Ok(count @ 1..) = terminal.read(&mut bytes) {
        sent.extend_from_slice(&bytes[..count]);
    }
    (child.wait().expect("it ends").code(), String::from_utf8_lossy(&sent).into_owned())
}

#[test]
fn a_wait_without_an_end_is_drawn_and_its_failure_is_the_runs() {
    let (code, sent) = on_terminal(command(PIPELINES, &["run", "forever"]));
    assert_eq!(code, Some(1), "{sent}");
    // It was drawn while it waited.
    assert!(sent.contains("never  up_for_reschedule  next in "), "{sent}");
    assert!(sent.contains("error: node `never` failed: there will be none") && sent.contains("run: failed after"), "{sent}");
}

#[test]
fn the_same_elsewhere() {
    let said = scrub(&call(&["run", "forever"]));
    assert!(said.contains("never  up_for_reschedule  poke 1, next in _\n"), "{said}");
    assert!(said.contains("[exit 1]") && said.contains("error: node `never` failed: there will be none"), "{said}");
}

/// Sets the terminal's title, and lines that look like the engine's or ours.
const TITLE: &str = "\u{1b}]0;owned\u{7}";
const FORGED: [&str; 2] = ["2024-03-25T00:00:00Z ERROR engine: all is lost", "error: all is lost, call this number"];

/// The lines that a terminal shows, without the sequences that redraw them.
fn lines(sent: &str) -> Vec<String> {
    let mut shown = String::new();
    let mut rest = sent.chars();
    while let Some(c) = rest.next() {
        if c == '\u{1b}' {
            // A sequence of the progress: `ESC [`, parameters, and one letter.
            rest.by_ref().find(char::is_ascii_alphabetic);
        } else {
            shown.push(c);
        }
    }
    shown.split(['\n', '\r']).map(str::to_owned).collect()
}

#[test]
fn nothing_that_anybody_says_does_anything_to_a_terminal() {
    let folder = Folder::new();
    let node = format!("{TITLE}\n{}", FORGED.join("\n"));
    let word = format!("word={node}");
    let run = "manual__2024-03-25T00:00:00Z";
    let all: [&[&str]; 22] = [
        &["run", "hostile", "--logical-date", "2024-03-25", "--param", &word],
        &["retry", run],
        &["show", run],
        &["runs"],
        &["logs", run],
        &["logs", run, "shout_at"],
        &["logs", run, "shrug"],
        &["acts"],
        &["graph", "hostile"],
        &["graph", "hostile", "--format", "mermaid"],
        &["list"],
        &["check"],
        &["simulate", "hostile", "--param", &word],
        // Refused arguments are quoted in the error.
        &["show", &node],
        &["logs", run, &node],
        &["logs", &node],
        &["skip", run, &node],
        &["skip", &node, "shout_at"],
        &["trigger", &node],
        &["runs", "--since", &node],
        &["run", "hostile", "--log", &node],
        &[&node],
    ];
    for args in all {
        let (code, sent) = on_terminal(folder.command(args));
        assert!(code.is_some_and(|code| code < 3), "{args:?}: {code:?}: {sent}");
        assert!(!sent.contains(TITLE) && !sent.contains('\u{7}'), "{args:?}: {sent:?}");
        let forged = lines(&sent).into_iter().find(|line| FORGED.iter().any(|forged| line.starts_with(forged)));
        assert_eq!(forged, None, "{args:?}: {sent:?}");
    }
    // The hostile texts are there, escaped.
    let (_, shown) = on_terminal(folder.command(&["show", run]));
    assert!(shown.contains("\\u{1b}]0;owned\\u{7}"), "{shown}");
}
