//! Deliveries: notifiers are called apart from their runs.

use super::super::effects::NotTold;
use super::super::ids::RunIx;
use super::Engine;
use crate::author::notify::Notification;
use crate::author::pipeline::panic_message;
use crate::author::redaction::redacted;
use crate::plan::Notifier;
use futures_util::FutureExt;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::oneshot;

/// How long one delivery may take.
const LIMIT: Duration = Duration::from_mins(1);

impl Engine {
    /// Calls a notifier, on a task of its own.
    pub(super) fn deliver(&self, run: RunIx, id: u32, notifier: Notifier, notification: Arc<Notification>) {
        let engine = self.clone();
        drop(self.spawn_task(async move {
            let deadline = engine.clock().now() + LIMIT;
            let done =
                AssertUnwindSafe(async { notifier.notify.notify(Notification::clone(&notification)).await }).catch_unwind();
            let mut done = std::pin::pin!(done);
            let result = tokio::select! {
                done = std::future::poll_fn(|context| engine.within(|| done.as_mut().poll(context))) => match done {
                    Ok(Ok(())) => Ok(()),
                    Ok(Err(error)) => Err(NotTold { error: redacted(&error.chain()).into_owned(), after: error.later() }),
                    Err(panic) => Err(format!("it panicked: {}", redacted(&panic_message(&*panic))).into()),
                },
                () = engine.clock().sleep_until(deadline) => Err("it took longer than a minute".to_owned().into()),
            };
            if let Err(NotTold { error, .. }) = &result {
                tracing::warn!(
                    pipeline = notification.pipeline(),
                    run = notification.run_id(),
                    node = notification.node(),
                    callback = notification.name(),
                    notifier = &*notifier.label,
                    error,
                    "a callback failed and will be tried again"
                );
            }
            engine.was_delivered(run, id, result);
        }));
    }

    /// Returns once the run has nothing more to deliver.
    pub(crate) async fn all_delivered(&self, run: RunIx) {
        let end = {
            let mut state = self.lock();
            if state.core.run(run).is_none_or(|run| run.callbacks().is_empty()) {
                return;
            }
            let (tell, end) = oneshot::channel();
            state.undelivered.entry(run).or_default().push(tell);
            end
        };
        // The sender lives in the engine that this borrows.
        let _ = end.await;
    }

    fn was_delivered(&self, run: RunIx, id: u32, result: Result<(), NotTold>) {
        if self.0.interceptor.is_some() {
            return self.put_delivered(run, id, result);
        }
        let now = self.clock().now();
        self.locked(|state| {
            self.answer_queued(state);
            state.delivering -= 1;
            state.core.delivered(run, id, result, now);
            self.flush(state);
            if state.core.run(run).is_none_or(|run| run.callbacks().is_empty()) {
                for waiting in state.undelivered.remove(&run).unwrap_or_default() {
                    // Whoever waited may have gone.
                    let _ = waiting.send(());
                }
            }
        });
    }
}
