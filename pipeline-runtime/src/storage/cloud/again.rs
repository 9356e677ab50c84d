//! [`Again`]: when a request is sent again whose answer was lost, and which `object_store` sends once alone.

use std::time::{Duration, Instant};

use super::client::{FIRST_BACKOFF, LONGEST_BACKOFF};
use super::failure;
use super::settings::Settings;

/// Of one operation, what is left of the limits that its bucket's settings have.
pub(super) struct Again {
    left: usize,
    backoff: Duration,
    begun: Instant,
    timeout: Duration,
}

impl Again {
    pub(super) fn within(settings: &Settings) -> Self {
        Self { left: settings.retries, backoff: FIRST_BACKOFF, begun: Instant::now(), timeout: settings.timeout }
    }

    /// Whether to send once more, after a pause. What failed for another reason was sent as often as it may be.
    pub(super) async fn after(&mut self, error: &object_store::Error) -> bool {
        if !failure::is_lost(error) || self.left == 0 || self.begun.elapsed() >= self.timeout {
            return false;
        }
        tokio::time::sleep(self.backoff).await;
        self.left -= 1;
        self.backoff = (self.backoff * 2).min(LONGEST_BACKOFF);
        true
    }
}
