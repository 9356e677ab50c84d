//! Notifies systemd about a process that serves, for `Type=notify` and `WatchdogSec=` (`sd_notify(3)`): that it is ready, what it
//! does, that it is alive, and that it is stopping.
//!
//! The dispatch loop sends a [`Heartbeat`] at each turn. The thread of timers and signals receives it, and only then reports that
//! the process is alive. So a hang of either is detected. A body that hangs is not a fault of the process, and has a time limit.
//!
//! # Why not the crate `sd-notify`
//!
//! It opens a socket for each message, so a process whose bodies hold all file descriptors would be killed as hanging. It blocks
//! if the supervisor does not read, and it does not support abstract sockets (0.5).

use crate::time::Timestamp;
use std::io;
use std::time::Duration;

/// A turn of the dispatch loop.
#[derive(Debug, Clone, Default)]
pub(super) struct Heartbeat {
    /// What the process does, for people.
    pub(super) status: String,
}

/// The supervisor that started the process.
#[derive(Debug)]
pub(super) struct Supervisor {
    socket: Socket,
    /// How often to report that the process is alive.
    every: Option<Duration>,
    is_stopping: bool,
    reported: Reported,
}

/// What was reported to the supervisor.
#[derive(Debug, Clone, Default)]
struct Reported {
    ready: bool,
    stopping: bool,
    status: String,
    alive: Option<Timestamp>,
}

impl Supervisor {
    /// Connects to the supervisor that the environment names, if any.
    pub(super) fn of_environment() -> Option<Self> {
        let name = std::env::var("NOTIFY_SOCKET").ok().filter(|name| !name.is_empty())?;
        let variable = |name| std::env::var(name).ok();
        match Socket::connect(&name) {
            Ok(socket) => Some(Self::new(socket, interval(variable("WATCHDOG_USEC"), variable("WATCHDOG_PID")))),
            Err(error) => {
                tracing::warn!("NOTIFY_SOCKET is `{name}`, and it cannot be notified that this process serves: {error}");
                None
            }
        }
    }

    fn new(socket: Socket, every: Option<Duration>) -> Self {
        Self { socket, every, is_stopping: false, reported: Reported::default() }
    }

    /// Handles a turn of the loop.
    pub(super) fn report(&mut self, beat: &Heartbeat, now: Timestamp) {
        let mut words = Vec::new();
        let mut reported =
            Reported { ready: true, stopping: self.is_stopping, status: beat.status.clone(), alive: self.reported.alive };
        if !self.reported.ready {
            words.push("READY=1".to_owned());
        }
        if self.is_stopping && !self.reported.stopping {
            words.push("STOPPING=1".to_owned());
        }
        if beat.status != self.reported.status {
            words.push(format!("STATUS={}", beat.status));
        }
        if let Some(every) = self.every
            && self.reported.alive.is_none_or(|last| now.since(last) >= every)
        {
            words.push("WATCHDOG=1".to_owned());
            reported.alive = Some(now);
        }
        // A message that could not be sent is sent at the next turn.
        if !words.is_empty() && self.socket.send(&words.join("\n")).is_ok() {
            self.reported = reported;
        }
    }

    /// Reports that the process is stopping.
    pub(super) fn report_stopping(&mut self) {
        self.is_stopping = true;
        self.reported.stopping = self.socket.send("STOPPING=1").is_ok();
    }
}

/// Returns half of the watchdog timeout of this process.
fn interval(microseconds: Option<String>, process: Option<String>) -> Option<Duration> {
    if process.is_some_and(|process| process.trim() != std::process::id().to_string()) {
        return None;
    }
    let microseconds = microseconds?.trim().parse().ok().filter(|microseconds| *microseconds > 0)?;
    Some(Duration::from_micros(microseconds) / 2)
}

/// The socket stays open while the process serves, and never blocks.
#[cfg(unix)]
#[derive(Debug)]
struct Socket(std::os::unix::net::UnixDatagram);

#[cfg(unix)]
impl Socket {
    fn connect(name: &str) -> io::Result<Self> {
        let socket = std::os::unix::net::UnixDatagram::unbound()?;
        match name.strip_prefix('@') {
            Some(name) => connect_abstract(&socket, name)?,
            None => socket.connect(name)?,
        }
        socket.set_nonblocking(true)?;
        Ok(Self(socket))
    }

    fn send(&self, words: &str) -> io::Result<()> {
        self.0.send(words.as_bytes()).map(drop)
    }
}

#[cfg(target_os = "linux")]
fn connect_abstract(socket: &std::os::unix::net::UnixDatagram, name: &str) -> io::Result<()> {
    use std::os::linux::net::SocketAddrExt;
    socket.connect_addr(&std::os::unix::net::SocketAddr::from_abstract_name(name)?)
}

#[cfg(all(unix, not(target_os = "linux")))]
fn connect_abstract(_: &std::os::unix::net::UnixDatagram, _: &str) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

#[cfg(not(unix))]
#[derive(Debug)]
struct Socket;

#[cfg(not(unix))]
impl Socket {
    fn connect(_: &str) -> io::Result<Self> {
        Err(io::ErrorKind::Unsupported.into())
    }

    fn send(&self, _: &str) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use super::*;
    use std::os::unix::net::UnixDatagram;

    fn received(socket: &UnixDatagram) -> Vec<String> {
        socket.set_nonblocking(true).unwrap();
        let mut bytes = [0; 4096];
        std::iter::from_fn(|| socket.recv(&mut bytes).ok().map(|n| String::from_utf8_lossy(&bytes[..n]).into_owned())).collect()
    }

    fn of(every: Option<Duration>) -> (Supervisor, UnixDatagram, tempfile::TempDir) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("notify");
        let socket = UnixDatagram::bind(&path).unwrap();
        (Supervisor::new(Socket::connect(path.to_str().unwrap()).unwrap(), every), socket, folder)
    }

    fn beat(status: &str) -> Heartbeat {
        Heartbeat { status: status.into() }
    }

    #[test]
    fn each_thing_is_said_once_and_life_at_half_of_what_is_asked() {
        let (mut supervisor, socket, _folder) = of(interval(Some("2000000".into()), None));
        let at = |millis| Timestamp::default() + Duration::from_millis(millis);
        assert_eq!(received(&socket), [""; 0]);
        supervisor.report(&beat("idle"), at(0));
        assert_eq!(received(&socket), ["READY=1\nSTATUS=idle\nWATCHDOG=1"]);
        supervisor.report(&beat("idle"), at(900));
        assert_eq!(received(&socket), [""; 0]);
        supervisor.report(&beat("busy"), at(1000));
        assert_eq!(received(&socket), ["STATUS=busy\nWATCHDOG=1"]);
        supervisor.report_stopping();
        supervisor.report(&beat("busy"), at(1100));
        assert_eq!(received(&socket), ["STOPPING=1"]);
    }

    #[test]
    fn what_finds_no_room_is_said_later_and_nobody_waits() {
        let (mut supervisor, socket, _folder) = of(None);
        let filler = UnixDatagram::unbound().unwrap();
        filler.set_nonblocking(true).unwrap();
        while filler.send_to(b"x", socket.local_addr().unwrap().as_pathname().unwrap()).is_ok() {}
        supervisor.report(&beat("idle"), Timestamp::default());
        supervisor.report_stopping();
        assert!(received(&socket).iter().all(|words| words == "x"));
        supervisor.report(&beat("idle"), Timestamp::default());
        assert_eq!(received(&socket), ["READY=1\nSTOPPING=1\nSTATUS=idle"]);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn an_abstract_socket_is_found() {
        use std::os::linux::net::SocketAddrExt;
        let name = format!("pipeline-test-{}", std::process::id());
        let address = std::os::unix::net::SocketAddr::from_abstract_name(&name).unwrap();
        let socket = UnixDatagram::bind_addr(&address).unwrap();
        Supervisor::new(Socket::connect(&format!("@{name}")).unwrap(), None).report_stopping();
        assert_eq!(received(&socket), ["STOPPING=1"]);
    }

    #[test]
    fn the_watchdog_is_that_of_this_process() {
        let text = |text: &str| Some(text.to_owned());
        let own = std::process::id().to_string();
        assert_eq!(interval(text("3000000"), text(&own)), Some(Duration::from_millis(1500)));
        assert_eq!(interval(text("3000000"), text("1")), None);
        assert_eq!([interval(None, None), interval(text("0"), None), interval(text("soon"), None)], [None; 3]);
    }
}
