//! Runs an engine for the one task of this process: its threads, its signals, and its end.
//!
//! This is apart from what is run, since a node and the end of a run need the same.

use super::TaskError;
use super::forwarding_journal::ForwardingJournal;
use super::node_end::RecordReceiver;
use crate::engine::{Engine, EngineOptions, Run};
use crate::host::{CALLBACKS_LIMIT, workers};
use crate::plan::DEFAULT_PARALLELISM;
use crate::time::Clock;
use std::time::Duration;
use tokio::runtime::Builder;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc::unbounded_channel;

/// The worker threads: one body runs, with the tasks that it spawns. The second thread keeps timers running if a body blocks the
/// first.
const WORKERS: usize = 2;

/// How long bodies may take to end after they are cut off. Airflow kills a process 5 seconds after asking it to end.
const GRACE: Duration = Duration::from_secs(4);

/// Lets an engine resume the run until `until` has received enough and all notifications are delivered.
pub(super) fn drive<T>(
    run: Run,
    clock: Clock,
    until: impl AsyncFnOnce(&mut RecordReceiver) -> Result<T, TaskError>,
) -> Result<T, TaskError> {
    let io = |error: std::io::Error| TaskError::Failed(format!("threads could not be started: {error}"));
    let workers = workers(WORKERS).map_err(io)?;
    let timers = Builder::new_current_thread().enable_all().build().map_err(io)?;
    let (send, records) = unbounded_channel();
    let options = EngineOptions { clock, parallelism: DEFAULT_PARALLELISM, check_outputs: false, observer: None };
    let engine = Engine::new(Box::new(ForwardingJournal(send)), options, None);
    engine.run_on(workers.handle().clone());
    let done = timers.block_on(async {
        let mut terminated = signal(SignalKind::terminate()).map_err(io)?;
        let ix = engine.resume(run, &[]);
        let mut receiver = RecordReceiver::new(engine.clone(), ix, records);
        let work = async {
            let done = until(&mut receiver).await?;
            if tokio::time::timeout(CALLBACKS_LIMIT, engine.all_delivered(ix)).await.is_err() {
                tracing::warn!("not all notifications could be delivered within {} seconds", CALLBACKS_LIMIT.as_secs());
            }
            Ok(done)
        };
        let beside = async {
            tokio::select! {
                biased;
                done = work => done,
                _ = terminated.recv() => {
                    tracing::warn!("the task was asked to end; the running attempt is cut off");
                    Err(TaskError::Interrupted)
                }
            }
        };
        let done = tokio::select! {
            biased;
            done = beside => done,
            never = engine.drive(WORKERS) => match never {},
        };
        if let Err(TaskError::Interrupted) = done {
            engine.interrupt();
            engine.stop();
            // The processes that a body has started end when the body is dropped, which happens on its own thread.
            let over = async {
                while engine.is_busy() {
                    tokio::time::sleep(Duration::from_millis(10)).await;
                }
            };
            let _ = tokio::time::timeout(GRACE, over).await;
        }
        done
    });
    engine.stop();
    // Large values are dropped before the final message: Airflow's supervisor waits seconds for a process that does not exit at
    // once.
    workers.shutdown_background();
    done
}
