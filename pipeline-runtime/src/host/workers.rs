//! The runtime that bodies run on, or an error if the system has too few resources for it.
//!
//! # Why not just build it with tokio
//!
//! If the system refuses a worker thread, tokio panics; and if another worker already runs, that panic waits for it forever. If
//! there are no file descriptors for its signals, it panics as well. A process started with too low a limit must report that
//! instead, since a script may have started it.

use crate::observe::logs::AttemptLog;
use std::cell::Cell;
use std::io;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::sync::{Mutex, Once, PoisonError};
use tokio::runtime::{Builder, Runtime};

/// The file descriptors of the four runtimes of a process.
#[cfg(unix)]
const DESCRIPTORS: usize = 5 + 3 * 3;

/// Starts a runtime with that many workers, and stores the log lines of their attempts.
pub(super) fn start(threads: usize, keeper: Option<AttemptLog>) -> io::Result<Runtime> {
    let mut builder = Builder::new_multi_thread();
    if let Some(keeper) = keeper {
        builder.on_thread_start(move || keeper.install_on_thread());
    }
    builder.worker_threads(threads).thread_name("pipeline-worker").enable_all();
    build(builder)
}

/// The same for a process that has only this runtime and one for its timers.
#[cfg(feature = "airflow")]
pub(crate) fn workers(threads: usize) -> io::Result<Runtime> {
    have_descriptors()?;
    start(threads, None)
}

/// Returns an error if the file descriptors for the runtimes of a process are not available: five for the first, including those
/// of the signals, without which tokio panics, and three for each other one.
pub(super) fn have_descriptors() -> io::Result<()> {
    #[cfg(unix)]
    {
        let pairs: io::Result<Vec<_>> = (0..DESCRIPTORS.div_ceil(2)).map(|_| std::os::unix::net::UnixStream::pair()).collect();
        drop(pairs?);
    }
    Ok(())
}

thread_local! {
    /// The receiver of a panic of this thread, instead of stderr.
    static PANIC_SENDER: Cell<Option<SyncSender<io::Result<Runtime>>>> = const { Cell::new(None) };
}

/// Builds the runtime, and returns tokio's panic as an error. Done on a thread that is abandoned if it never returns from its
/// panic.
fn build(mut builder: Builder) -> io::Result<Runtime> {
    // One runtime is built at a time.
    static BUILDING: Mutex<()> = Mutex::new(());
    let _building = BUILDING.lock().unwrap_or_else(PoisonError::into_inner);
    let (sender, receiver) = sync_channel(2);
    let build = move || {
        PANIC_SENDER.set(Some(sender.clone()));
        let build = builder.build();
        PANIC_SENDER.set(None);
        // The caller waits for it.
        let _ = sender.send(build);
    };
    install_panic_hook();
    let thread = std::thread::Builder::new().name("pipeline-start".into()).spawn(build);
    thread.and_then(|_| receiver.recv().unwrap_or_else(|_| Err(io::Error::other("it was not built"))))
}

/// Reports a panic of a thread that builds a runtime to its caller. Installed once per process; the hook passes all other panics
/// to the one before it.
fn install_panic_hook() {
    static INSTALLED: Once = Once::new();
    INSTALLED.call_once(|| {
        let other = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| match PANIC_SENDER.take() {
            Some(sender) => {
                let message = panic.payload_as_str().unwrap_or("tokio panicked").to_owned();
                let _ = sender.send(Err(io::Error::other(message)));
            }
            None => other(panic),
        }));
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_built_without_a_panic_works() {
        let runtime = start(3, None).unwrap();
        assert_eq!(runtime.block_on(async { tokio::spawn(async { 3 }).await }).unwrap(), 3);
        assert_eq!(runtime.metrics().num_workers(), 3);
    }

    #[test]
    fn a_panic_is_an_error_also_where_it_never_ends() {
        let mut builder = Builder::new_multi_thread();
        // Its first worker waits forever, as an idle one does, and the second gets no thread: a thread name cannot contain a zero
        // byte.
        let names = std::sync::atomic::AtomicUsize::new(0);
        builder.worker_threads(2).thread_name_fn(move || match names.fetch_add(1, std::sync::atomic::Ordering::Relaxed) {
            0 => "worker".into(),
            _ => "no\0name".into(),
        });
        let error = build(builder).map(drop).unwrap_err().to_string();
        assert!(error.contains("thread name may not contain interior null bytes"), "{error}");
    }
}
