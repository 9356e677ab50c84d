//! `dashboard`, and what of it `serve` takes.

#![allow(clippy::doc_markdown, reason = "these comments are the help, shown as they stand")]

use super::output;
use crate::Pipeline;
use crate::dashboard::{Dashboard, DashboardError, Listen, Options, Token};
use crate::journal::Tally;
use crate::time::Clock;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

/// Where `serve` looks for what `--dashboard` would say.
const VARIABLE: &str = "PIPELINE_DASHBOARD";

/// Who may see the page, and under which names.
#[derive(Debug, Clone, Default, clap::Args)]
#[command(next_help_heading = "Dashboard")]
pub(super) struct Access {
    /// The path that stands before all addresses of the page, where a proxy puts one: /pipelines
    #[arg(long, value_name = "PATH", default_value = "/")]
    base_path: String,
    /// The token that lets in whoever has it: auto makes one and prints it with the address, else the file that holds it
    ///
    /// Needed where other machines reach the address. Programs send it as `Authorization: Bearer TOKEN`.
    #[arg(long, value_name = "auto|FILE")]
    token: Option<String>,
    /// A further name by which a proxy asks for the page; may be given several times
    #[arg(long, value_name = "NAME")]
    allow_host: Vec<String>,
}

impl Access {
    fn options(&self, listen: Listen, read_only: bool) -> Result<Options, DashboardError> {
        let token = match self.token.as_deref() {
            Some("auto") => Some(Token::random()),
            Some(file) => Some(Token::of_file(Path::new(file))?),
            None => None,
        };
        Ok(Options { listen, base: Options::base(&self.base_path)?, read_only, token, hosts: self.allow_host.clone() })
    }
}

/// What of the page `serve` takes.
#[derive(Debug, Clone, Default, clap::Args)]
#[command(next_help_heading = "Dashboard")]
pub(super) struct Beside {
    /// Where the dashboard is: an address and a port, or a port; without it PIPELINE_DASHBOARD says it, else it is 127.0.0.1:7373
    ///
    /// Where the port is taken, it is the next free one. PIPELINE_DASHBOARD is an environment variable; off there is --no-dashboard.
    #[arg(long, value_name = "ADDR", conflicts_with = "no_dashboard")]
    dashboard: Option<Listen>,
    /// Without the dashboard
    #[arg(long)]
    no_dashboard: bool,
    #[command(flatten)]
    access: Access,
}

/// The page that `serve` shows, if it is to show one.
#[derive(Debug, Clone)]
pub(super) struct Wanted {
    options: Options,
    /// Nobody asked for it: the runs matter more.
    is_by_default: bool,
}

impl Beside {
    pub(super) fn wanted(&self) -> Result<Option<Wanted>, String> {
        let named = std::env::var(VARIABLE).ok().filter(|named| !named.is_empty());
        let listen = match (self.dashboard, named.as_deref()) {
            _ if self.no_dashboard => return Ok(None),
            (Some(listen), _) => Some(listen),
            (None, Some("off")) => return Ok(None),
            (None, Some(named)) => Some(named.parse().map_err(|error| format!("{VARIABLE}: {error}"))?),
            (None, None) => None,
        };
        let options = self.access.options(listen.unwrap_or_default(), false).map_err(|error| error.to_string())?;
        Ok(Some(Wanted { options, is_by_default: listen.is_none() }))
    }
}

impl Wanted {
    /// Shows the page, and says where it is. None where nobody asked for it and it cannot be shown, which is said.
    pub(super) fn start(
        self,
        journal: &Path,
        pipelines: &[Pipeline],
        clock: Clock,
        tally: Option<Arc<Tally>>,
        say: fn(&str),
    ) -> Result<Option<Dashboard>, DashboardError> {
        match Dashboard::start(self.options, journal, pipelines, clock, tally) {
            Ok(dashboard) => {
                say(&said(&dashboard));
                Ok(Some(dashboard))
            }
            Err(error) if self.is_by_default => {
                output::to_stderr(&format!("warning: {error}"));
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }
}

fn said(dashboard: &Dashboard) -> String {
    let note = dashboard.note().map(|note| format!(" ({note})")).unwrap_or_default();
    format!("dashboard {}{note}", dashboard.url())
}

/// Shows the journal as a web page, until Ctrl-C or SIGTERM
#[derive(Debug, clap::Args)]
pub(super) struct Show {
    /// Where it is: an address and a port, or a port; the next free one where that is taken
    #[arg(long, value_name = "ADDR", default_value = crate::dashboard::DEFAULT_ADDRESS)]
    listen: Listen,
    /// Nothing can be asked for
    #[arg(long)]
    read_only: bool,
    #[command(flatten)]
    access: Access,
}

pub(super) fn run(pipelines: &[Pipeline], show: &Show, journal: &Path) -> Result<ExitCode, String> {
    let options = show.access.options(show.listen, show.read_only).map_err(|error| error.to_string())?;
    // That there is none, or that it is another file, is told before an address is.
    crate::read::JournalReader::open(journal).map_err(|error| error.to_string())?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| format!("the process has no means to wait: {error}"))?;
    runtime.block_on(async {
        let end = until_asked_to_end().map_err(|error| format!("the process cannot hear signals: {error}"))?;
        let dashboard = Dashboard::start(options, journal, pipelines, Clock::system(), None);
        let dashboard = dashboard.map_err(|error| error.to_string())?;
        output::to_stdout(&said(&dashboard));
        end.await;
        Ok(ExitCode::SUCCESS)
    })
}

/// Waits for Ctrl-C or SIGTERM, which are heard from now on.
fn until_asked_to_end() -> std::io::Result<impl Future<Output = ()>> {
    #[cfg(unix)]
    let mut terminated = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
    #[cfg(unix)]
    let mut interrupted = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::interrupt())?;
    Ok(async move {
        #[cfg(unix)]
        tokio::select! {
            _ = terminated.recv() => {}
            _ = interrupted.recv() => {}
        }
        #[cfg(not(unix))]
        let _ = tokio::signal::ctrl_c().await;
    })
}
