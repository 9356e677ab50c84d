//! Deliveries: notifiers are called independently of their runs.

use super::super::effects::DeliveryError;
use super::super::ids::RunIx;
use super::{Engine, Waiter};
use crate::author::error::Kind;
use crate::author::log_once::LogOnce;
use crate::author::notify::{Notification, OfRun};
use crate::author::pipeline::panic_message;
use crate::author::redaction::redacted;
use crate::plan::Notifier;
use futures_util::FutureExt;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::oneshot;
use tracing::Level;

/// The final errors that this process has warned of.
static FINAL: LogOnce = LogOnce::new();

/// A notifier that no further try would help, such as one whose variable is not set, fails for each notification. So a process
/// warns once about each such error; the journal records every failure.
fn warn(notification: &Notification, notifier: &str, DeliveryError { error, is_final, .. }: &DeliveryError) {
    macro_rules! event {
        ($level:expr, $said:literal) => {
            tracing::event!(
                $level,
                pipeline = notification.pipeline(),
                run = notification.run_id(),
                node = notification.node(),
                callback = notification.name(),
                notifier,
                error,
                $said
            )
        };
    }
    if !is_final {
        event!(Level::WARN, "a callback failed and will be tried again");
    } else if FINAL.is_first(format!("{notifier}\n{error}")) {
        event!(Level::WARN, "a callback failed and is not tried again, since that would not help");
    } else {
        event!(Level::DEBUG, "a callback failed and is not tried again, as before");
    }
}

/// How long one delivery may take.
const LIMIT: Duration = Duration::from_mins(1);

impl Engine {
    /// Calls a notifier, on a task of its own.
    pub(super) fn deliver(&self, run: RunIx, id: u32, notifier: Notifier, notification: Arc<Notification>, of_run: OfRun) {
        let engine = self.clone();
        drop(self.spawn_task(async move {
            let deadline = engine.clock().now() + LIMIT;
            let copy = Notification { run: Some(of_run), ..Notification::clone(&notification) };
            let done = AssertUnwindSafe(async { notifier.notify.notify(copy).await }).catch_unwind();
            let mut done = std::pin::pin!(done);
            let result = tokio::select! {
                done = std::future::poll_fn(|context| {
                    engine.polling(Waiter::Delivery(run, id), || engine.within(|| done.as_mut().poll(context)))
                }) => match done {
                    Ok(Ok(())) => Ok(()),
                    Ok(Err(error)) => {
                        let text = redacted(&error.chain()).into_owned();
                        Err(DeliveryError { error: text, after: error.later(), is_final: error.kind() == Kind::Fatal })
                    }
                    Err(panic) => Err(format!("it panicked: {}", redacted(&panic_message(&*panic))).into()),
                },
                () = engine.clock().sleep_until(deadline) => Err("it took longer than a minute".to_owned().into()),
            };
            if let Err(error) = &result {
                // Logged at the simulation's time, if there is one.
                engine.within(|| warn(&notification, &notifier.label, error));
            }
            engine.was_delivered(run, id, result);
        }));
    }

    /// Returns once the run has nothing left to deliver.
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

    fn was_delivered(&self, run: RunIx, id: u32, result: Result<(), DeliveryError>) {
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
                    // The waiting task may be gone.
                    let _ = waiting.send(());
                }
            }
        });
    }
}
