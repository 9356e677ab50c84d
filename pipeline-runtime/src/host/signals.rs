//! Signals that ask the process to end.
//!
//! A thread of their own hears them, whatever the process's other threads are busy with. The first one is handed to the host
//! that runs; the next, and one that no host waits for, ends the process at once. So does a host that takes longer than
//! [`GRACE`] to end, beside what it asked for, as when its terminal takes no more output.

use crate::time::Clock;
use std::fmt;
use std::io;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;
use tokio::sync::oneshot;

/// How long a host may take to end.
const GRACE: Duration = Duration::from_secs(5);

/// What asked the process to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Signal {
    /// Ctrl-C, or SIGINT.
    Interrupt,
    /// SIGTERM.
    #[cfg_attr(not(unix), expect(dead_code, reason = "there is no such signal elsewhere"))]
    Terminate,
    /// The program that the host is embedded in shuts it down.
    Shutdown,
    /// That program has dropped its last handle, and waits for nothing.
    Dropped,
}

impl Signal {
    /// The exit code of a process that it ended before its work was done: 128 and the signal's number, as shells have it.
    pub(crate) const fn exit_code(self) -> u8 {
        match self {
            Self::Interrupt => 130,
            // A program that embeds a host has an exit code of its own.
            Self::Terminate | Self::Shutdown | Self::Dropped => 143,
        }
    }
}

impl fmt::Display for Signal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Interrupt => "Ctrl-C",
            Self::Terminate => "SIGTERM",
            Self::Shutdown => "the host is shut down",
            Self::Dropped => "the host was dropped",
        })
    }
}

/// Who may want a host's runs to end before they have ended by themselves.
#[derive(Debug)]
pub(crate) enum EndedBy {
    /// The process's signals, after which the host takes up to `drain` to end.
    Signals { drain: Duration },
    /// The program that the host is embedded in. The process's signals are that program's own.
    Program(oneshot::Receiver<Signal>),
}

/// Hears the first signal that comes while it lives.
#[derive(Debug)]
pub(super) struct Interrupts {
    told: oneshot::Receiver<Signal>,
    /// Until it is dropped, the process's signals are told here.
    listening: Option<Listening>,
}

#[derive(Debug)]
struct Listening;

/// Who is told of the next signal.
static WAITING: Mutex<Waiting> = Mutex::new(Waiting::Nobody);

#[derive(Debug)]
enum Waiting {
    Nobody,
    Host(oneshot::Sender<Signal>, Duration),
    /// The host was told, and is ending.
    Ending,
}

impl EndedBy {
    /// Hears from now on. Of several hosts that listen for signals at once, the last to be made does.
    pub(super) fn listen(self) -> io::Result<Interrupts> {
        static THREAD: OnceLock<Result<(), Arc<io::Error>>> = OnceLock::new();
        let drain = match self {
            Self::Program(told) => return Ok(Interrupts { told, listening: None }),
            Self::Signals { drain } => drain,
        };
        let heard = THREAD.get_or_init(|| start().map_err(Arc::new));
        heard.as_ref().map_err(|error| io::Error::new(error.kind(), Arc::clone(error)))?;
        let (tell, told) = oneshot::channel();
        become_waiting(Waiting::Host(tell, drain.saturating_add(GRACE)));
        Ok(Interrupts { told, listening: Some(Listening) })
    }
}

impl Interrupts {
    /// The signal.
    pub(super) async fn first(&mut self) -> Signal {
        match (&mut self.told).await {
            Ok(signal) => signal,
            // Nobody can ask any more, and nobody would.
            Err(_) if self.listening.is_none() => Signal::Dropped,
            // Another one listens now.
            Err(_) => std::future::pending().await,
        }
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        become_waiting(Waiting::Nobody);
    }
}

fn become_waiting(waiting: Waiting) -> Waiting {
    std::mem::replace(&mut *WAITING.lock().unwrap_or_else(PoisonError::into_inner), waiting)
}

/// Starts the thread. Returns once it hears signals, or cannot.
fn start() -> io::Result<()> {
    let (tell, told) = std::sync::mpsc::sync_channel(1);
    let hears = move || {
        let listening = tokio::runtime::Builder::new_current_thread().enable_all().build().and_then(|runtime| {
            let signals = runtime.block_on(async { Signals::listen() })?;
            Ok((runtime, signals))
        });
        // Whoever started the thread waits for this.
        match listening {
            Ok((runtime, signals)) => {
                let _ = tell.send(Ok(()));
                runtime.block_on(hear(signals));
            }
            Err(error) => drop(tell.send(Err(error))),
        }
    };
    std::thread::Builder::new().name("pipeline-signals".into()).spawn(hears)?;
    told.recv().unwrap_or_else(|_| Err(io::Error::other("the thread that hears signals panicked")))
}

async fn hear(mut signals: Signals) {
    loop {
        let signal = signals.next().await;
        let told = match become_waiting(Waiting::Ending) {
            Waiting::Host(tell, grace) => tell.send(signal).is_ok().then_some(grace),
            Waiting::Nobody | Waiting::Ending => None,
        };
        match told {
            Some(grace) => drop(tokio::spawn(end_after(grace, signal))),
            None => end(signal),
        }
    }
}

async fn end_after(grace: Duration, signal: Signal) {
    let clock = Clock::system();
    clock.sleep_until(clock.now() + grace).await;
    if matches!(*WAITING.lock().unwrap_or_else(PoisonError::into_inner), Waiting::Ending) {
        end(signal);
    }
}

fn end(signal: Signal) {
    std::process::exit(i32::from(signal.exit_code()));
}

/// Has a write beyond the limit on the size of files (`ulimit -f`) be an error, as on a full disk. Otherwise the signal that comes with
/// it, SIGXFSZ, ends the process without a word.
///
/// It is handled and not ignored, since what a process ignores, the commands that its bodies start ignore as well.
pub(crate) fn outlive_file_limit() {
    #[cfg(unix)]
    {
        static ONCE: std::sync::Once = std::sync::Once::new();
        ONCE.call_once(|| {
            // The write says so itself, and nobody asks for the flag. Where there is no handler, it is as it was.
            let _ = signal_hook::flag::register(signal_hook::consts::SIGXFSZ, std::sync::Arc::default());
        });
    }
}

/// The operating system's signals.
#[cfg(unix)]
struct Signals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    fn listen() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())? })
    }

    async fn next(&mut self) -> Signal {
        tokio::select! {
            _ = self.interrupt.recv() => Signal::Interrupt,
            _ = self.terminate.recv() => Signal::Terminate,
        }
    }
}

/// The operating system's signals.
#[cfg(not(unix))]
struct Signals(());

#[cfg(not(unix))]
impl Signals {
    fn listen() -> io::Result<Self> {
        Ok(Self(()))
    }

    async fn next(&mut self) -> Signal {
        if tokio::signal::ctrl_c().await.is_err() {
            // Nothing can be heard here: nothing ever comes.
            std::future::pending::<()>().await;
        }
        Signal::Interrupt
    }
}
