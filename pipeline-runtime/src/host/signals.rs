//! Signals that ask the process to end.
//!
//! Their own thread receives them, whatever the process's other threads are busy with. The first one is passed to the active
//! host; the next one, or one without a waiting host, ends the process at once. The process also ends if a host takes longer than
//! its drain time and [`GRACE`], for instance because its terminal accepts no more output.

use crate::time::Clock;
use std::fmt;
use std::io;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;
use tokio::sync::oneshot;

/// How long a host may take to end, beyond its drain time.
const GRACE: Duration = Duration::from_secs(5);

/// What asked the process to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Signal {
    /// Ctrl-C, or SIGINT.
    Interrupt,
    /// SIGTERM.
    #[cfg_attr(not(unix), expect(dead_code, reason = "there is no such signal elsewhere"))]
    Terminate,
    /// The program that embeds the host shuts it down.
    Shutdown,
    /// That program has dropped its last handle, and does not wait.
    Dropped,
}

impl Signal {
    /// Returns the exit code of a process that was ended before its work was done: 128 and the signal's number, as in shells.
    pub(crate) const fn exit_code(self) -> u8 {
        match self {
            Self::Interrupt => 130,
            // A program that embeds a host has its own exit code.
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

/// What may end a host before its runs have ended.
#[derive(Debug)]
pub(crate) enum StopSource {
    /// The process's signals, after which the host has `drain` to end.
    Signals { drain: Duration },
    /// The program that embeds the host. It handles the process's signals itself.
    Program(oneshot::Receiver<Signal>),
}

/// Receives the first signal during its lifetime.
#[derive(Debug)]
pub(super) struct SignalReceiver {
    receiver: oneshot::Receiver<Signal>,
    /// Until it is dropped, the process's signals are sent here.
    registration: Option<Registration>,
}

#[derive(Debug)]
struct Registration;

/// The receiver of the next signal.
static TARGET: Mutex<Target> = Mutex::new(Target::Nobody);

#[derive(Debug)]
enum Target {
    Nobody,
    Host(oneshot::Sender<Signal>, Duration),
    /// The host was notified, and is ending.
    Ending,
}

impl StopSource {
    /// Listens from now on. If several hosts listen for signals at once, only the last one created receives them.
    pub(super) fn listen(self) -> io::Result<SignalReceiver> {
        static THREAD: OnceLock<Result<(), Arc<io::Error>>> = OnceLock::new();
        let drain = match self {
            Self::Program(receiver) => return Ok(SignalReceiver { receiver, registration: None }),
            Self::Signals { drain } => drain,
        };
        let started = THREAD.get_or_init(|| start().map_err(Arc::new));
        started.as_ref().map_err(|error| io::Error::new(error.kind(), Arc::clone(error)))?;
        let (sender, receiver) = oneshot::channel();
        replace_target(Target::Host(sender, drain.saturating_add(GRACE)));
        Ok(SignalReceiver { receiver, registration: Some(Registration) })
    }
}

impl SignalReceiver {
    /// Returns the first signal.
    pub(super) async fn first(&mut self) -> Signal {
        match (&mut self.receiver).await {
            Ok(signal) => signal,
            // The program has dropped its handle.
            Err(_) if self.registration.is_none() => Signal::Dropped,
            // Another host listens now.
            Err(_) => std::future::pending().await,
        }
    }
}

impl Drop for Registration {
    fn drop(&mut self) {
        replace_target(Target::Nobody);
    }
}

fn replace_target(target: Target) -> Target {
    std::mem::replace(&mut *TARGET.lock().unwrap_or_else(PoisonError::into_inner), target)
}

/// Starts the thread. Returns once it receives signals, or has failed to.
fn start() -> io::Result<()> {
    let (sender, receiver) = std::sync::mpsc::sync_channel(1);
    let listen = move || {
        let listening = tokio::runtime::Builder::new_current_thread().enable_all().build().and_then(|runtime| {
            let signals = runtime.block_on(async { Signals::listen() })?;
            Ok((runtime, signals))
        });
        // The starter waits for this.
        match listening {
            Ok((runtime, signals)) => {
                let _ = sender.send(Ok(()));
                runtime.block_on(forward(signals));
            }
            Err(error) => drop(sender.send(Err(error))),
        }
    };
    std::thread::Builder::new().name("pipeline-signals".into()).spawn(listen)?;
    receiver.recv().unwrap_or_else(|_| Err(io::Error::other("the thread that receives signals panicked")))
}

async fn forward(mut signals: Signals) {
    loop {
        let signal = signals.next().await;
        let notified = match replace_target(Target::Ending) {
            Target::Host(sender, grace) => sender.send(signal).is_ok().then_some(grace),
            Target::Nobody | Target::Ending => None,
        };
        match notified {
            Some(grace) => drop(tokio::spawn(exit_after(grace, signal))),
            None => exit(signal),
        }
    }
}

async fn exit_after(grace: Duration, signal: Signal) {
    let clock = Clock::system();
    clock.sleep_until(clock.now() + grace).await;
    if matches!(*TARGET.lock().unwrap_or_else(PoisonError::into_inner), Target::Ending) {
        exit(signal);
    }
}

fn exit(signal: Signal) {
    std::process::exit(i32::from(signal.exit_code()));
}

/// Turns a write beyond the file size limit (`ulimit -f`) into an error, as on a full disk. Otherwise the signal that comes with
/// it, SIGXFSZ, would silently kill the process.
///
/// The signal is handled and not ignored, since commands started by bodies inherit ignored signals.
pub(crate) fn outlive_file_limit() {
    #[cfg(unix)]
    {
        static ONCE: std::sync::Once = std::sync::Once::new();
        ONCE.call_once(|| {
            // The write itself reports the error, so the flag is unused. If the handler cannot be installed, nothing changes.
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
            // Signals are not available here, so none ever arrives.
            std::future::pending::<()>().await;
        }
        Signal::Interrupt
    }
}
