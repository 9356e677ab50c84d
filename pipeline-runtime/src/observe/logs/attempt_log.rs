//! Stores log lines of attempts in the journal of their host.
//!
//! A process may host runs of several journals, as concurrent tests do. Bodies are only polled on the threads of their host, so
//! each of these threads knows its journal.

use super::text;
use crate::engine::{self, Attempt};
use crate::journal::{LogLine, SqliteJournal};
use crate::time::Clock;
use std::cell::RefCell;
use std::sync::{Arc, Weak};
use tracing::{Event, Level};

thread_local! {
    static THREAD_LOG: RefCell<Option<AttemptLog>> = const { RefCell::new(None) };
}

/// Stores what the attempts of one host log.
#[derive(Debug, Clone)]
pub(crate) struct AttemptLog {
    /// Weak: a body that blocks forever must not keep the journal open.
    journal: Weak<SqliteJournal>,
    clock: Clock,
}

impl AttemptLog {
    pub(crate) fn new(journal: &Arc<SqliteJournal>, clock: Clock) -> Self {
        Self { journal: Arc::downgrade(journal), clock }
    }

    /// Stores from now on what attempts log on this thread.
    pub(crate) fn install_on_thread(&self) {
        THREAD_LOG.set(Some(self.clone()));
    }
}

/// Stores a line of an attempt, if runs are recorded.
pub(super) fn store(attempt: &Attempt, level: Level, text: impl FnOnce() -> String) {
    // Lines logged while a thread ends are not stored.
    let log = THREAD_LOG.try_with(|log| log.borrow().clone()).ok().flatten();
    let Some((journal, clock)) = log.and_then(|log| Some((log.journal.upgrade()?, log.clock))) else { return };
    let (run, node, number) = (attempt.spec.key, attempt.id(), attempt.number);
    journal.log(LogLine { run, node, attempt: number, at: clock.now(), level, text: text() });
}

/// Stores an event, if an attempt logs it and runs are recorded.
pub(crate) fn store_event(event: &Event<'_>) {
    engine::current(|attempt| {
        store(attempt, *event.metadata().level(), || text::text_and_subject(event, super::is_engines(event.metadata())).0);
    });
}
