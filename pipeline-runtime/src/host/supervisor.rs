//! What systemd is told of a process that serves, as `Type=notify` and `WatchdogSec=` want it (`sd_notify(3)`): that it is ready, what it does,
//! that it is alive, that it ends.
//!
//! The loop that begins runs and does what others ask for gives a [`Beat`] at each turn. The thread of timers and signals hears it, and only then says
//! that the process is alive. So either of the two that hangs is found. A body that hangs is no fault of the process, and has a
//! time limit.
//!
//! # Why not the crate `sd-notify`
//!
//! It opens a socket for each message, and a process whose bodies hold all descriptors would be killed as one that hangs. It waits where
//! the supervisor does not read, and it knows no abstract sockets (0.5).

use crate::time::Timestamp;
use std::io;
use std::time::Duration;

/// A turn of the loop that begins runs.
#[derive(Debug, Clone, Default)]
pub(super) struct Beat {
    /// What the process does, for people.
    pub(super) status: String,
}

/// Whoever started the process and wants to know.
#[derive(Debug)]
pub(super) struct Supervisor {
    socket: Socket,
    /// How often it wants to know that the process is alive.
    every: Option<Duration>,
    is_stopping: bool,
    said: Said,
}

/// What it was told.
#[derive(Debug, Clone, Default)]
struct Said {
    ready: bool,
    stopping: bool,
    status: String,
    alive: Option<Timestamp>,
}

impl Supervisor {
    /// The one that the environment names, if it does.
    pub(super) fn of_environment() -> Option<Self> {
        let name = std::env::var("NOTIFY_SOCKET").ok().filter(|name| !name.is_empty())?;
        let variable = |name| std::env::var(name).ok();
        match Socket::connect(&name) {
            Ok(socket) => Some(Self::new(socket, interval(variable("WATCHDOG_USEC"), variable("WATCHDOG_PID")))),
            Err(error) => {
                tracing::warn!("NOTIFY_SOCKET is `{name}`, and nobody can be told there that this process serves: {error}");
                None
            }
        }
    }

    fn new(socket: Socket, every: Option<Duration>) -> Self {
        Self { socket, every, is_stopping: false, said: Said::default() }
    }

    /// The loop has made a turn.
    pub(super) fn hear(&mut self, beat: &Beat, now: Timestamp) {
        let mut words = Vec::new();
        let mut said = Said { ready: true, stopping: self.is_stopping, status: beat.status.clone(), alive: self.said.alive };
        if !self.said.ready {
            words.push("READY=1".to_owned());
        }
        if self.is_stopping && !self.said.stopping {
            words.push("STOPPING=1".to_owned());
        }
        if beat.status != self.said.status {
            words.push(format!("STATUS={}", beat.status));
        }
        if let Some(every) = self.every
            && self.said.alive.is_none_or(|last| now.since(last) >= every)
        {
            words.push("WATCHDOG=1".to_owned());
            said.alive = Some(now);
        }
        // What could not be said is said at the next turn.
        if !words.is_empty() && self.socket.say(&words.join("\n")).is_ok() {
            self.said = said;
        }
    }

    /// The process is to end.
    pub(super) fn stops(&mut self) {
        self.is_stopping = true;
        self.said.stopping = self.socket.say("STOPPING=1").is_ok();
    }
}

/// Half of what the supervisor gives this process until it is taken for dead.
fn interval(microseconds: Option<String>, process: Option<String>) -> Option<Duration> {
    if process.is_some_and(|process| process.trim() != std::process::id().to_string()) {
        return None;
    }
    let microseconds = microseconds?.trim().parse().ok().filter(|microseconds| *microseconds > 0)?;
    Some(Duration::from_micros(microseconds) / 2)
}

/// Held open as long as the process serves, and never waited for.
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

    fn say(&self, words: &str) -> io::Result<()> {
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

    fn say(&self, _: &str) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use super::*;
    use std::os::unix::net::UnixDatagram;

    fn heard(socket: &UnixDatagram) -> Vec<String> {
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

    fn beat(status: &str) -> Beat {
        Beat { status: status.into() }
    }

    #[test]
    fn each_thing_is_said_once_and_life_at_half_of_what_is_asked() {
        let (mut supervisor, socket, _folder) = of(interval(Some("2000000".into()), None));
        let at = |millis| Timestamp::default() + Duration::from_millis(millis);
        assert_eq!(heard(&socket), [""; 0]);
        supervisor.hear(&beat("idle"), at(0));
        assert_eq!(heard(&socket), ["READY=1\nSTATUS=idle\nWATCHDOG=1"]);
        supervisor.hear(&beat("idle"), at(900));
        assert_eq!(heard(&socket), [""; 0]);
        supervisor.hear(&beat("busy"), at(1000));
        assert_eq!(heard(&socket), ["STATUS=busy\nWATCHDOG=1"]);
        supervisor.stops();
        supervisor.hear(&beat("busy"), at(1100));
        assert_eq!(heard(&socket), ["STOPPING=1"]);
    }

    #[test]
    fn what_finds_no_room_is_said_later_and_nobody_waits() {
        let (mut supervisor, socket, _folder) = of(None);
        let filler = UnixDatagram::unbound().unwrap();
        filler.set_nonblocking(true).unwrap();
        while filler.send_to(b"x", socket.local_addr().unwrap().as_pathname().unwrap()).is_ok() {}
        supervisor.hear(&beat("idle"), Timestamp::default());
        supervisor.stops();
        assert!(heard(&socket).iter().all(|words| words == "x"));
        supervisor.hear(&beat("idle"), Timestamp::default());
        assert_eq!(heard(&socket), ["READY=1\nSTOPPING=1\nSTATUS=idle"]);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn an_abstract_socket_is_found() {
        use std::os::linux::net::SocketAddrExt;
        let name = format!("pipeline-test-{}", std::process::id());
        let address = std::os::unix::net::SocketAddr::from_abstract_name(&name).unwrap();
        let socket = UnixDatagram::bind_addr(&address).unwrap();
        Supervisor::new(Socket::connect(&format!("@{name}")).unwrap(), None).stops();
        assert_eq!(heard(&socket), ["STOPPING=1"]);
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
