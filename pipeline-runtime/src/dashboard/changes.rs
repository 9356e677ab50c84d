//! Detects commits and changes of the journal's holder, but only polls while someone follows.

use crate::journal::{Holder, Reader};
use std::path::PathBuf;
use std::time::Duration;
use tokio::sync::{Notify, watch};

/// How often to check for commits.
const POLL_EVERY: Duration = Duration::from_millis(100);
/// The least time between two notifications. Commits in between are reported together.
const MIN_DISTANCE: Duration = Duration::from_millis(250);
/// The additional time per follower with many followers: all together get at most 2,000 notifications a second.
const DISTANCE_PER_FOLLOWER: Duration = Duration::from_micros(500);
/// Every this many checks the holder of the journal is checked as well: a process that dies commits nothing.
const HOLDER_EVERY: u32 = 10;

/// Notifies followers of commits.
#[derive(Debug)]
pub(super) struct Changes {
    journal: PathBuf,
    commits: watch::Sender<u64>,
    first_follower: Notify,
}

impl Changes {
    pub(super) fn new(journal: PathBuf) -> Self {
        Self { journal, commits: watch::channel(0).0, first_follower: Notify::new() }
    }

    /// Returns a number that changes when something was committed or the journal has another holder. It counts as changed for a
    /// new follower.
    pub(super) fn follow(&self) -> watch::Receiver<u64> {
        let is_first = self.commits.receiver_count() == 0;
        let mut receiver = self.commits.subscribe();
        receiver.mark_changed();
        if is_first {
            // Nobody has checked since the last follower left, so the known state may be outdated.
            self.commits.send_modify(|commits| *commits += 1);
        }
        self.first_follower.notify_one();
        receiver
    }

    /// Returns the number of followers.
    pub(super) fn followers(&self) -> usize {
        self.commits.receiver_count()
    }

    /// Checks for commits, forever.
    pub(super) async fn watch(&self) {
        loop {
            if self.commits.receiver_count() == 0 {
                self.first_follower.notified().await;
            }
            // With one connection, since the version numbers of two connections cannot be compared. Reading it takes microseconds
            // and no lock.
            match Reader::open(&self.journal) {
                Ok(reader) => self.watch_with(&reader).await,
                Err(error) => {
                    tracing::debug!("the dashboard cannot read the journal: {error}");
                    tokio::time::sleep(POLL_EVERY * 10).await;
                }
            }
        }
    }

    async fn watch_with(&self, reader: &Reader) {
        let (mut last, mut holder, mut polls) = (None, None, 0);
        while self.commits.receiver_count() > 0 {
            let Ok(version) = reader.version() else { return };
            if polls % HOLDER_EVERY == 0 {
                holder = Holder::of(&self.journal).map(|holder| (holder.process, holder.since));
            }
            polls = polls.wrapping_add(1);
            let now = Some((version, holder));
            let is_new = last != now;
            if is_new {
                last = now;
                self.commits.send_modify(|commits| *commits += 1);
            }
            tokio::time::sleep(if is_new { distance(self.followers()) } else { POLL_EVERY }).await;
        }
    }
}

fn distance(followers: usize) -> Duration {
    MIN_DISTANCE.max(DISTANCE_PER_FOLLOWER * u32::try_from(followers).unwrap_or(u32::MAX))
}
