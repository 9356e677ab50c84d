//! When a request is sent again: [`Retries`] for each request that this module sends itself, and [`LostAnswerRetries`] for one
//! whose answer was lost and which `object_store` sends only once.

use std::time::{Duration, Instant};

use super::client::{FIRST_BACKOFF, LONGEST_BACKOFF};
use super::failure;
use super::settings::Settings;

/// How often a request may still be sent again; each pause is twice as long as the one before.
pub(super) struct Retries {
    left: usize,
    pause: Duration,
}

impl Retries {
    pub(super) fn new(count: usize) -> Self {
        Self { left: count, pause: FIRST_BACKOFF }
    }

    /// Returns whether to send once more, after the pause.
    pub(super) async fn once_more(&mut self) -> bool {
        if self.left == 0 {
            return false;
        }
        tokio::time::sleep(self.pause).await;
        self.left -= 1;
        self.pause = (self.pause * 2).min(LONGEST_BACKOFF);
        true
    }
}

/// The remaining limits of one operation, by its bucket's settings.
pub(super) struct LostAnswerRetries {
    retries: Retries,
    begun: Instant,
    timeout: Duration,
}

impl LostAnswerRetries {
    pub(super) fn within(settings: &Settings) -> Self {
        Self { retries: Retries::new(settings.retries), begun: Instant::now(), timeout: settings.timeout }
    }

    /// Returns whether to send once more, after a pause. Other failures have been retried as often as allowed.
    pub(super) async fn after(&mut self, error: &object_store::Error) -> bool {
        failure::is_lost(error) && self.begun.elapsed() < self.timeout && self.retries.once_more().await
    }
}
