//! What `serve` reports to systemd: `Type=notify` and its watchdog, on a socket like systemd's.

use crate::process::{Folder, Process};
use std::os::unix::net::UnixDatagram;
use std::time::{Duration, Instant};

/// Longer than anything that a test waits for.
const DEADLINE: Duration = Duration::from_mins(1);
/// The watchdog's limit; `serve` reports that it is alive twice within it.
const WATCHDOG: Duration = Duration::from_millis(400);

/// Listens in systemd's place.
struct Manager(UnixDatagram);

impl Manager {
    /// Starts `serve` and listens to it.
    fn serve(folder: &Folder, args: &[&str]) -> (Self, Process) {
        let socket = UnixDatagram::bind(folder.path("notify")).expect("the folder is ours");
        let watchdog = WATCHDOG.as_micros().to_string();
        let environment = [("NOTIFY_SOCKET", folder.path("notify").into_os_string()), ("WATCHDOG_USEC", watchdog.into())];
        let process = folder.start_with(&[&["serve"], args].concat(), &environment);
        (Self(socket), process)
    }

    /// The next message, if one comes within that time.
    fn next(&self, within: Duration) -> Option<String> {
        self.0.set_read_timeout(Some(within)).expect("a time that is not zero");
        let mut bytes = [0; 4096];
        self.0.recv(&mut bytes).ok().map(|n| String::from_utf8_lossy(&bytes[..n]).into_owned())
    }

    /// Waits for a message with a line that begins with this word.
    fn wait_for_message(&self, word: &str) -> String {
        let until = Instant::now() + DEADLINE;
        let mut messages = Vec::new();
        while Instant::now() < until {
            let Some(message) = self.next(DEADLINE) else { break };
            if message.lines().any(|line| line.starts_with(word)) {
                return message;
            }
            messages.push(message);
        }
        panic!("waited for {word:?}; got {messages:?}")
    }
}

#[test]
fn systemd_hears_that_it_serves_what_it_does_that_it_is_alive_and_that_it_ends() {
    let folder = Folder::new();
    let (manager, mut serve) = Manager::serve(&folder, &[]);
    let first = manager.next(DEADLINE).expect("it says that it is ready");
    assert!(first.starts_with("READY=1\nSTATUS=") && first.ends_with("\nWATCHDOG=1"), "{first}");
    assert!(first.contains(" queued; next run at 20"), "{first}");
    // It had printed that as well.
    serve.wait_for_line("serving ordered");
    manager.wait_for_message("WATCHDOG=1");
    manager.wait_for_message("WATCHDOG=1");
    folder.ok(&["trigger", "busy", "--logical-date", "2024-03-01"]);
    manager.wait_for_message("STATUS=1 active, 0 queued");
    serve.signal("-TERM");
    manager.wait_for_message("STOPPING=1");
    manager.wait_for_message("STATUS=stopping: running attempts have 20s to finish");
    // It reports that it is alive for as long as an attempt is running.
    manager.wait_for_message("WATCHDOG=1");
    folder.touch("go");
    assert_eq!(serve.wait_for_exit().code(), Some(0));
}

#[test]
fn a_process_that_drains_nothing_says_that_it_ends() {
    let folder = Folder::new();
    let (manager, mut serve) = Manager::serve(&folder, &["--drain", "0s"]);
    manager.wait_for_message("READY=1");
    serve.ended_by("-TERM");
    manager.wait_for_message("STOPPING=1");
}

/// The thread that starts runs hangs in a pipeline's function, which reads a pipe.
#[test]
fn nobody_is_told_that_it_is_alive_while_what_begins_runs_hangs() {
    let folder = Folder::new();
    let (manager, mut serve) = Manager::serve(&folder, &[]);
    manager.wait_for_message("READY=1");
    let hold = folder.path("hold");
    assert!(std::process::Command::new("mkfifo").arg(&hold).status().expect("there is `mkfifo`").success());
    // Returns once it is opened for reading.
    let writer = std::fs::OpenOptions::new().write(true).open(&hold).expect("it is ours");
    std::fs::remove_file(&hold).expect("it is ours");
    let until = Instant::now() + 3 * WATCHDOG;
    let mut messages = Vec::new();
    while let Some(left) = until.checked_duration_since(Instant::now()).filter(|left| !left.is_zero()) {
        messages.extend(manager.next(left));
    }
    let alive = messages.iter().filter(|message| message.contains("WATCHDOG=1")).count();
    // Only messages that were on their way. Otherwise there would be six in that time.
    assert!(alive <= 2, "{messages:?}");
    assert_eq!(manager.next(WATCHDOG), None, "no message is on its way");
    drop(writer);
    manager.wait_for_message("WATCHDOG=1");
    assert_eq!(serve.ended_by("-TERM"), Some(0));
}

#[test]
fn a_socket_that_is_none_is_warned_of_and_all_is_served() {
    let folder = Folder::new();
    let mut serve = folder.start_with(&["serve"], &[("NOTIFY_SOCKET", "nowhere")]);
    serve.wait_for_line(" WARN engine: NOTIFY_SOCKET is `nowhere`, and it cannot be notified that this process serves: ");
    serve.wait_for_line("of minutely: success");
    assert_eq!(serve.ended_by("-TERM"), Some(0));
}
