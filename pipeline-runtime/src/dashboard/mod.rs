//! The web page of a journal, and the API that it uses.
//!
//! The page is a static shell with modules that read `/api/v1`, which programs may read as well (`assets/openapi.json`). All data
//! comes from the journal's file, so the page works beside the process that writes it, on a stopped project and on a copied file.
//!
//! # Invariants
//!
//! - **The engine never waits for the dashboard.** It has its own thread and tokio runtime, and reads the journal like any other
//!   process. Commands go the same way as on the command line: through the journal's inbox. (`tests/dashboard/beside.rs`)
//! - **Only admitted clients are answered.** Each request passes `gate/mod.rs` first, whatever it is for. (`gate/tests.rs`)
//! - **Without a viewer nothing is read.** The journal is polled only while a page is open. (`changes.rs`)
//! - **Cached results equal those computed from the whole journal**: the durations of ended runs (`journal/sqlite/durations.rs`),
//!   and how the nodes of a run spent their time (`observe/history/sums.rs`, `run_cache/tests.rs`).
//! - **A run as of a record equals the fold of the records up to it**, even if it is computed from a snapshot. (`run_cache/tests.rs`,
//!   `tests/dashboard/travel.rs`)
//! - **A dry run writes nothing**, not even an act. (`tests/dashboard/commands.rs`)
//!
//! # Why it reads the file, and not the engine's feed
//!
//! The feed of a run is consumed by its terminal, and is bounded. A browser may be slow or asleep, and there may be a thousand;
//! the journal has every record, and each has a number from which a page that slept continues.

mod active_runs;
mod api;
mod assets;
mod changes;
mod gate;
mod minify;
mod options;
mod problem;
mod readers;
mod run_cache;
mod server;
mod token;

pub(crate) use options::{DEFAULT_ADDRESS, Listen, Options};
pub(crate) use token::Token;

use crate::Pipeline;
use crate::journal::{DurationCache, Tally};
use crate::time::Clock;
use changes::Changes;
use readers::Readers;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::sync::oneshot;

/// Why the dashboard cannot be started.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DashboardError {
    #[error(
        "the dashboard cannot listen on {address}: {error}; name another address with `--dashboard`, or leave it out with `--no-dashboard`"
    )]
    Listen { address: String, error: std::io::Error },
    #[error(
        "the dashboard would listen on {0}, which other machines can reach: give it a token with `--token auto` or `--token FILE`, or an \
         address of this machine alone, such as {DEFAULT_ADDRESS}"
    )]
    NoToken(SocketAddr),
    #[error("the dashboard's token cannot be read from \"{}\": {error}", path.display())]
    Token { path: PathBuf, error: std::io::Error },
    #[error("the token in \"{}\" has {length} characters, but needs at least {}", path.display(), token::SHORTEST)]
    ShortToken { path: PathBuf, length: usize },
    #[error("`{0}` is not a valid path prefix: write it as `/pipelines`")]
    BasePath(String),
    #[error("the dashboard's thread cannot be started: {0}")]
    Thread(std::io::Error),
}

/// The number of viewed runs that are cached.
const CACHED_RUNS: usize = 8;

/// The state shared by all requests.
#[derive(Debug)]
struct Site {
    /// Decides which requests are answered.
    gate: gate::Gate,
    /// The connections to the journal.
    readers: Readers,
    /// Notifies event streams of commits.
    changes: Changes,
    /// The pipelines of this program.
    pipelines: Vec<Pipeline>,
    /// The clock of the runs.
    clock: Clock,
    /// Different for each start, so that a page notices a restart.
    boot: String,
    started: chrono::DateTime<chrono::Utc>,
    /// Why commands are refused here; `None` if they are accepted.
    read_only: Option<String>,
    /// The answers to the last commands.
    answers: api::AnswerCache,
    /// What failed the last runs of pipelines.
    failures: api::FailureCache,
    /// How long runs lay between an end and a manual retry.
    idle_times: api::IdleCache,
    /// The positions of followed topics.
    positions: tokio::sync::Mutex<api::TopicPositions>,
    /// The viewed runs.
    run_cache: run_cache::RunCache,
    /// The durations of ended runs.
    durations: DurationCache,
    /// The SLAs and budgets of the active runs.
    deadlines: api::DeadlineCache,
    /// The slots and sensors of the active runs.
    active_runs: active_runs::ActiveRuns,
    /// Counts what this process writes to the journal, if it does.
    tally: Option<Arc<Tally>>,
    /// Held while a run is simulated.
    simulating: tokio::sync::Mutex<()>,
}

/// A dashboard that is served until this is dropped.
#[derive(Debug)]
pub(crate) struct Dashboard {
    url: String,
    note: Option<String>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Dashboard {
    /// Serves the dashboard of an existing journal. `tally` counts what this process writes there, if it does.
    ///
    /// # Errors
    ///
    /// If the address cannot be listened on, or if other machines can reach it and there is no token.
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
            answers: api::AnswerCache::default(),
            failures: api::FailureCache::default(),
            idle_times: api::IdleCache::default(),
            positions: tokio::sync::Mutex::default(),
            run_cache: run_cache::RunCache::new(CACHED_RUNS),
            durations: DurationCache::default(),
            deadlines: api::DeadlineCache::default(),
            active_runs: active_runs::ActiveRuns::default(),
            tally,
            simulating: tokio::sync::Mutex::default(),
            gate: gate::Gate::new(options, address),
        });
        let (stop, stopped) = oneshot::channel();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .max_blocking_threads(readers::MAX_READS + 2)
            .thread_name("pipeline-dashboard")
            .build()
            .map_err(DashboardError::Thread)?;
        let serve = move || runtime.block_on(server::serve(listener, site, stopped));
        let thread = std::thread::Builder::new().name("pipeline-dashboard".to_owned()).spawn(serve);
        let thread = thread.map_err(DashboardError::Thread)?;
        Ok(Self { url, note, stop: Some(stop), thread: Some(thread) })
    }

    /// Returns the address to open. It contains the token, if there is one.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Returns a note for the address: that another port is used than requested.
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

/// Returns why nothing can be written to the journal's inbox, if so.
fn unwritable(journal: &Path) -> Option<String> {
    crate::journal::unwritable(journal).map(|error| format!("the journal cannot be written here: {error}"))
}
