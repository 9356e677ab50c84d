//! That something was committed, or that another process holds the journal: looked for while somebody wants to know, and not at all otherwise.

use crate::journal::{Holder, Reader};
use std::path::PathBuf;
use std::time::Duration;
use tokio::sync::{Notify, watch};

/// How often commits are looked for.
const LOOK: Duration = Duration::from_millis(100);
/// The least time between two that are told. What is committed in between is told together.
const APART: Duration = Duration::from_millis(250);
/// Where many follow it is so long for each of them: all together hear of 2,000 a second at most.
const APART_FOR_EACH: Duration = Duration::from_micros(500);
/// At each of so many looks it is also asked who holds the journal: a process that dies commits nothing.
const HOLDER: u32 = 10;

/// Tells of commits.
#[derive(Debug)]
pub(super) struct Changes {
    journal: PathBuf,
    commits: watch::Sender<u64>,
    wanted: Notify,
}

impl Changes {
    pub(super) fn new(journal: PathBuf) -> Self {
        Self { journal, commits: watch::channel(0).0, wanted: Notify::new() }
    }

    /// A number that is another one once something was committed, or the journal has another holder. It is new to whoever begins to follow.
    pub(super) fn follow(&self) -> watch::Receiver<u64> {
        let is_first = self.commits.receiver_count() == 0;
        let mut receiver = self.commits.subscribe();
        receiver.mark_changed();
        if is_first {
            // Nobody has looked since the last one left: what was found then is not how it is now.
            self.commits.send_modify(|commits| *commits += 1);
        }
        self.wanted.notify_one();
        receiver
    }

    /// How many follow.
    pub(super) fn followers(&self) -> usize {
        self.commits.receiver_count()
    }

    /// Looks for commits, for ever.
    pub(super) async fn watch(&self) {
        loop {
            if self.commits.receiver_count() == 0 {
                self.wanted.notified().await;
            }
            // Of its own connection, as numbers of two are not to be compared. To ask for it takes microseconds, and no lock.
            match Reader::open(&self.journal) {
                Ok(reader) => self.watch_by(&reader).await,
                Err(error) => {
                    tracing::debug!("the dashboard cannot read the journal: {error}");
                    tokio::time::sleep(LOOK * 10).await;
                }
            }
        }
    }

    async fn watch_by(&self, reader: &Reader) {
        let (mut last, mut holder, mut looks) = (None, None, 0);
        while self.commits.receiver_count() > 0 {
            let Ok(version) = reader.version() else { return };
            if looks % HOLDER == 0 {
                holder = Holder::of(&self.journal).map(|holder| (holder.process, holder.since));
            }
            looks = looks.wrapping_add(1);
            let now = Some((version, holder));
            let is_new = last != now;
            if is_new {
                last = now;
                self.commits.send_modify(|commits| *commits += 1);
            }
            tokio::time::sleep(if is_new { apart(self.followers()) } else { LOOK }).await;
        }
    }
}

fn apart(followers: usize) -> Duration {
    APART.max(APART_FOR_EACH * u32::try_from(followers).unwrap_or(u32::MAX))
}
