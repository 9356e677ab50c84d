//! When a request is sent again: by [`Retries`] each that this module sends itself, and by [`Again`] one whose answer was lost, and which
//! `object_store` sends once alone.

use std::time::{Duration, Instant};

use super::client::{FIRST_BACKOFF, LONGEST_BACKOFF};
use super::failure;
use super::settings::Settings;

/// How often a request may be sent again, each time after twice the pause.
pub(super) struct Retries {
    left: usize,
    pause: Duration,
}

impl Retries {
    pub(super) fn new(count: usize) -> Self {
        Self { left: count, pause: FIRST_BACKOFF }
    }

    /// Whether to send once more, after the pause.
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

/// Of one operation, what is left of the limits that its bucket's settings have.
pub(super) struct Again {
    retries: Retries,
    begun: Instant,
    timeout: Duration,
}

impl Again {
    pub(super) fn within(settings: &Settings) -> Self {
        Self { retries: Retries::new(settings.retries), begun: Instant::now(), timeout: settings.timeout }
    }

    /// Whether to send once more, after a pause. What failed for another reason was sent as often as it may be.
    pub(super) async fn after(&mut self, error: &object_store::Error) -> bool {
        failure::is_lost(error) && self.begun.elapsed() < self.timeout && self.retries.once_more().await
    }
}
