//! Log lines of attempts in the journal of whoever runs them.
//!
//! A process may host runs of several journals, as tests do that run at once. Bodies are polled on the threads of their host alone, so
//! each of these knows its journal.

use super::text;
use crate::engine::{self, Attempt};
use crate::journal::{LogLine, SqliteJournal};
use crate::time::Clock;
use std::cell::RefCell;
use std::sync::{Arc, Weak};
use tracing::{Event, Level};

thread_local! {
    static KEEPER: RefCell<Option<Keeper>> = const { RefCell::new(None) };
}

/// Keeps what the attempts of one host log.
#[derive(Debug, Clone)]
pub(crate) struct Keeper {
    /// A body that blocks for ever does not hold the journal.
    journal: Weak<SqliteJournal>,
    clock: Clock,
}

impl Keeper {
    pub(crate) fn new(journal: &Arc<SqliteJournal>, clock: Clock) -> Self {
        Self { journal: Arc::downgrade(journal), clock }
    }

    /// From now on it keeps what attempts log on this thread.
    pub(crate) fn of_this_thread(&self) {
        KEEPER.set(Some(self.clone()));
    }
}

/// Keeps a line of an attempt, where runs are kept.
pub(super) fn keep(attempt: &Attempt, level: Level, text: impl FnOnce() -> String) {
    // Nothing is kept of what is logged while a thread ends.
    let keeper = KEEPER.try_with(|keeper| keeper.borrow().clone()).ok().flatten();
    let Some((journal, clock)) = keeper.and_then(|keeper| Some((keeper.journal.upgrade()?, keeper.clock))) else { return };
    let (run, node, number) = (attempt.spec.key, attempt.id(), attempt.number);
    journal.log(LogLine { run, node, attempt: number, at: clock.now(), level, text: text() });
}

/// Keeps an event, if an attempt logs it and runs are kept.
pub(crate) fn keep_event(event: &Event<'_>) {
    engine::current(|attempt| {
        keep(attempt, *event.metadata().level(), || text::words(event, super::is_engines(event.metadata())).0);
    });
}
