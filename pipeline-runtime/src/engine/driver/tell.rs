use super::super::core::RunIx;
use super::Engine;
use crate::author::notify::{Notification, Notify};
use futures_util::FutureExt;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

/// How long one try to tell somebody may take.
const LIMIT: Duration = Duration::from_mins(1);

impl Engine {
    /// Tells somebody, apart from the run.
    pub(super) fn tell(&self, run: RunIx, id: u32, notifier: Arc<dyn Notify>, notification: Arc<Notification>) {
        let engine = self.clone();
        drop(self.spawn_task(async move {
            let deadline = engine.clock().now() + LIMIT;
            let told = AssertUnwindSafe(async { notifier.notify(Notification::clone(&notification)).await }).catch_unwind();
            let mut told = std::pin::pin!(told);
            let result = tokio::select! {
                told = std::future::poll_fn(|context| engine.within(|| told.as_mut().poll(context))) => match told {
                    Ok(Ok(())) => Ok(()),
                    Ok(Err(error)) => Err(error.chain()),
                    Err(panic) => Err(format!("it panicked: {}", crate::author::pipeline::panic_message(&*panic))),
                },
                () = engine.clock().sleep_until(deadline) => Err("it took longer than a minute".to_owned()),
            };
            if let Err(error) = &result {
                tracing::warn!(
                    callback = notification.name(),
                    notifier = notifier.label(),
                    node = notification.node(),
                    error,
                    "a callback failed and will be tried again"
                );
            }
            engine.was_told(run, id, result);
        }));
    }

    /// Returns once nobody is left whom the run has something to tell.
    pub(crate) async fn all_told(&self, run: RunIx) {
        loop {
            let told = self.0.told.notified();
            tokio::pin!(told);
            // From here on no notification is missed.
            told.as_mut().enable();
            if self.look(run, |run| run.alerts.is_empty()).unwrap_or(true) {
                return;
            }
            told.await;
        }
    }

    fn was_told(&self, run: RunIx, id: u32, result: Result<(), String>) {
        if self.0.meddle.is_some() {
            return self.put_told(run, id, result);
        }
        let now = self.clock().now();
        self.lock().telling -= 1;
        self.with(|core| core.told(run, id, result, now));
        self.0.told.notify_waiters();
    }
}
