//! What is seen on a terminal: these calls have one of their own.

use crate::command::{PIPELINES, call, command, scrub};
use std::fs::File;
use std::io::Read;
use std::process::{Command, Stdio};

/// Calls it on a terminal. Returns the exit code and all that the terminal was sent.
pub(crate) fn on_terminal(mut command: Command) -> (Option<i32>, String) {
    let terminal = rustix::pty::openpt(rustix::pty::OpenptFlags::RDWR | rustix::pty::OpenptFlags::NOCTTY).expect("a terminal");
    rustix::pty::grantpt(&terminal).and_then(|()| rustix::pty::unlockpt(&terminal)).expect("it is ours");
    let name = rustix::pty::ptsname(&terminal, Vec::new()).expect("it has a name").into_string().expect("a plain one");
    let end = || File::options().read(true).write(true).open(&name).expect("its other end");
    command.stdin(Stdio::from(end())).stdout(Stdio::from(end())).stderr(Stdio::from(end()));
    let mut child = command.env("TERM", "xterm").spawn().expect("it was built");
    // Its copies of the other end are closed, so that reading ends with the child.
    drop(command);
    let (mut sent, mut bytes, mut terminal) = (Vec::new(), [0; 4096], File::from(terminal));
    // Linux says with an error that nobody has the other end any more.
    while let Ok(count @ 1..) = terminal.read(&mut bytes) {
        sent.extend_from_slice(&bytes[..count]);
    }
    (child.wait().expect("it ends").code(), String::from_utf8_lossy(&sent).into_owned())
}

#[test]
fn a_wait_without_an_end_is_drawn_and_its_failure_is_the_runs() {
    let (code, sent) = on_terminal(command(PIPELINES, &["run", "forever"]));
    assert_eq!(code, Some(1), "{sent}");
    // It was drawn as it waited, without a limit that nobody will see.
    assert!(sent.contains("never  up_for_reschedule  next in "), "{sent}");
    assert!(!sent.contains(" left"), "{sent}");
    assert!(sent.contains("error: node `never` failed: there will be none") && sent.contains("run: failed after"), "{sent}");
}

#[test]
fn the_same_elsewhere() {
    let said = scrub(&call(&["run", "forever"]));
    assert!(said.contains("never  up_for_reschedule  poke 1, next in _\n"), "{said}");
    assert!(said.contains("[exit 1]") && said.contains("error: node `never` failed: there will be none"), "{said}");
}
