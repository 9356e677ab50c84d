//! Signals that ask the process to end.

use std::fmt;
use std::io;

/// What asked the process to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Signal {
    /// Ctrl-C, or SIGINT.
    Interrupt,
    /// SIGTERM.
    #[cfg_attr(not(unix), expect(dead_code, reason = "there is no such signal elsewhere"))]
    Terminate,
}

impl fmt::Display for Signal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Interrupt => "Ctrl-C",
            Self::Terminate => "SIGTERM",
        })
    }
}

/// Hears signals from when it is made.
#[cfg(unix)]
#[derive(Debug)]
pub(crate) struct Interrupts {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Interrupts {
    /// Within a runtime.
    pub(crate) fn listen() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())? })
    }

    /// The next signal since the last.
    pub(crate) async fn next(&mut self) -> Signal {
        tokio::select! {
            _ = self.interrupt.recv() => Signal::Interrupt,
            _ = self.terminate.recv() => Signal::Terminate,
        }
    }
}

/// Hears signals from when it is made.
#[cfg(not(unix))]
#[derive(Debug)]
pub(crate) struct Interrupts(());

#[cfg(not(unix))]
impl Interrupts {
    /// Within a runtime.
    pub(crate) fn listen() -> io::Result<Self> {
        Ok(Self(()))
    }

    /// The next signal since the last.
    pub(crate) async fn next(&mut self) -> Signal {
        if tokio::signal::ctrl_c().await.is_err() {
            // Nothing can be heard here: nothing ever comes.
            std::future::pending::<()>().await;
        }
        Signal::Interrupt
    }
}

/// The exit code of a process that a signal ended.
pub(crate) const INTERRUPTED: u8 = 130;

/// Ends the process at the next signal, whatever its other threads are busy with.
pub(super) fn end_at_the_next() {
    let wait = || -> io::Result<()> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(async {
            Interrupts::listen()?.next().await;
            std::process::exit(i32::from(INTERRUPTED))
        })
    };
    // Without the thread a second signal does nothing, and the process ends by itself soon anyway.
    drop(std::thread::Builder::new().name("pipeline-signals".into()).spawn(wait));
}
