//! The web page of a journal, and the API that it reads.
//!
//! The page is a static shell with modules that read `/api/v1`, which programs may read as well (`assets/openapi.json`). All that it shows is
//! read from the journal's file, so it works beside the process that writes it, on a stopped project and on a copied file.
//!
//! # Invariants
//!
//! - **The engine never waits for it.** It has a thread and a tokio runtime of its own, and reads the journal as any other process would. What
//!   is asked for goes the way of the command line: through the journal's inbox. (`tests/dashboard/beside.rs`)
//! - **Nobody is answered who is not let in.** Each request passes `gate/mod.rs` first, whatever it is for. (`gate/tests.rs`)
//! - **Nobody looks, nothing is read.** The journal is polled only while a page is open. (`changes.rs`)
//! - **What is kept of a journal is what all of it tells**: of the durations of runs that have ended (`journal/sqlite/durations.rs`), and of what the time of
//!   a run's nodes went into (`observe/history/sums.rs`, `kept/tests.rs`).
//! - **A run as of a record is what the records up to it tell**, also where it is told from a moment that was kept. (`kept/tests.rs`,
//!   `tests/dashboard/travel.rs`)
//! - **A dry run writes nothing**, not even who asked. (`tests/dashboard/commands.rs`)
//!
//! # Why it reads the file, and not the engine's feed
//!
//! The feed of a run is read by the terminal of that run, and is bounded. A browser may be slow, asleep or a thousand; the journal has
//! every record, and each has a number from which a page that slept goes on.

mod api;
mod assets;
mod changes;
mod gate;
mod going_on;
mod kept;
mod options;
mod problem;
mod readers;
mod server;
mod slim;
mod token;

pub(crate) use options::{DEFAULT_ADDRESS, Listen, Options};
pub(crate) use token::Token;

use crate::Pipeline;
use crate::journal::{Past, Tally};
use crate::time::Clock;
use changes::Changes;
use readers::Readers;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::sync::oneshot;

/// Why the page cannot be shown.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DashboardError {
    #[error(
        "the dashboard cannot listen on {address}: {error}; name another address with `--dashboard`, or leave it out with `--no-dashboard`"
    )]
    Listen { address: String, error: std::io::Error },
    #[error(
        "the dashboard would listen on {0}, which other machines reach: give it a token with `--token auto` or `--token FILE`, or an \
         address of this machine alone, such as {DEFAULT_ADDRESS}"
    )]
    NoToken(SocketAddr),
    #[error("the dashboard's token cannot be read from \"{}\": {error}", path.display())]
    Token { path: PathBuf, error: std::io::Error },
    #[error("the token in \"{}\" has {length} characters, and has to have at least {}", path.display(), token::SHORTEST)]
    ShortToken { path: PathBuf, length: usize },
    #[error("`{0}` is no path to put before all addresses: write it as `/pipelines`")]
    BasePath(String),
    #[error("the system gives no thread for the dashboard: {0}")]
    Thread(std::io::Error),
}

/// So many runs that somebody looks at are kept.
const LOOKED_AT: usize = 8;

/// What all answers are made of.
#[derive(Debug)]
struct Site {
    gate: gate::Gate,
    readers: Readers,
    changes: Changes,
    pipelines: Vec<Pipeline>,
    /// The clock of the runs.
    clock: Clock,
    /// Another one for each start, so that a page knows that another process answers.
    boot: String,
    started: chrono::DateTime<chrono::Utc>,
    /// Why nothing can be asked for here; none where it can.
    read_only: Option<String>,
    answered: api::Answered,
    failures: api::Failures,
    /// How far what somebody follows has come.
    positions: tokio::sync::Mutex<api::Positions>,
    kept: kept::Kept,
    past: Past,
    late: api::Late,
    going_on: going_on::GoingOn,
    /// What this process writes to the journal, where it does.
    tally: Option<Arc<Tally>>,
    /// Whoever has it simulates a run.
    simulating: tokio::sync::Mutex<()>,
}

/// A page that is served until this is dropped.
#[derive(Debug)]
pub(crate) struct Dashboard {
    url: String,
    note: Option<String>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Dashboard {
    /// Serves the page of a journal, which has to be there. `tally` counts what this process writes there, if it does.
    ///
    /// # Errors
    ///
    /// If the address cannot be listened on, or is not this machine's own and there is no token.
    pub(crate) fn start(
        options: Options,
        journal: &Path,
        pipelines: &[Pipeline],
        clock: Clock,
        tally: Option<Arc<Tally>>,
    ) -> Result<Self, DashboardError> {
        let (listener, note) = server::bind(&options.listen)?;
        let fail = |error| DashboardError::Listen { address: options.listen.address.to_string(), error };
        let address = listener.local_addr().map_err(fail)?;
        let journal = crate::journal::absolute(journal);
        if !address.ip().is_loopback() && options.token.is_none() {
            return Err(DashboardError::NoToken(address));
        }
        let url = options.url(address);
        let read_only =
            options.read_only.then(|| "it was started with `--read-only`".to_owned()).or_else(|| unwritable(&journal));
        let site = Arc::new(Site {
            readers: Readers::new(journal.clone(), pipelines.to_vec()),
            changes: Changes::new(journal),
            pipelines: pipelines.to_vec(),
            clock,
            boot: format!("{:032x}", crate::random::new_id()),
            started: clock.now().to_utc(),
            read_only,
            answered: api::Answered::default(),
            failures: api::Failures::default(),
            positions: tokio::sync::Mutex::default(),
            kept: kept::Kept::new(LOOKED_AT),
            past: Past::default(),
            late: api::Late::default(),
            going_on: going_on::GoingOn::default(),
            tally,
            simulating: tokio::sync::Mutex::default(),
            gate: gate::Gate::new(options, address),
        });
        let (stop, stopped) = oneshot::channel();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .max_blocking_threads(readers::AT_ONCE + 2)
            .thread_name("pipeline-dashboard")
            .build()
            .map_err(DashboardError::Thread)?;
        let serve = move || runtime.block_on(server::serve(listener, site, stopped));
        let thread = std::thread::Builder::new().name("pipeline-dashboard".to_owned()).spawn(serve);
        let thread = thread.map_err(DashboardError::Thread)?;
        Ok(Self { url, note, stop: Some(stop), thread: Some(thread) })
    }

    /// The address to open. It holds the token, if there is one.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// What is to be said beside the address: that another port is used than the one that was meant.
    pub(crate) fn note(&self) -> Option<&str> {
        self.note.as_deref()
    }
}

impl Drop for Dashboard {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // A panic there was reported there.
            let _ = thread.join();
        }
    }
}

/// Why nothing can be left in the journal's inbox, if nothing can.
fn unwritable(journal: &Path) -> Option<String> {
    let opened = std::fs::OpenOptions::new().append(true).open(journal);
    opened.err().map(|error| format!("the journal cannot be written here: {error}"))
}
