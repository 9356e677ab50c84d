//! `dashboard`, and the dashboard options of `serve`.

#![allow(clippy::doc_markdown, reason = "these comments are the help, shown as they stand")]

use super::output;
use crate::Pipeline;
use crate::dashboard::{Dashboard, DashboardError, Listen, Options, Token};
use crate::journal::Tally;
use crate::time::Clock;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

/// The environment variable that stands in for `--dashboard` of `serve`.
const VARIABLE: &str = "PIPELINE_DASHBOARD";

/// Who may see the page, and under which host names.
#[derive(Debug, Clone, Default, clap::Args)]
#[command(next_help_heading = "Dashboard")]
pub(super) struct AccessArgs {
    /// Path prefix of all addresses of the page, if a proxy adds one: /pipelines
    #[arg(long, value_name = "PATH", default_value = "/")]
    base_path: String,
    /// Token required for access: auto generates one and prints it with the address; otherwise the file that contains it
    ///
    /// Required if other machines can reach the address. Programs send it as `Authorization: Bearer TOKEN`.
    #[arg(long, value_name = "auto|FILE")]
    token: Option<String>,
    /// Another host name under which a proxy requests the page; may be repeated
    #[arg(long, value_name = "NAME")]
    allow_host: Vec<String>,
}

impl AccessArgs {
    fn options(&self, listen: Listen, read_only: bool) -> Result<Options, DashboardError> {
        let token = match self.token.as_deref() {
            Some("auto") => Some(Token::random()),
            Some(file) => Some(Token::of_file(Path::new(file))?),
            None => None,
        };
        Ok(Options { listen, base: Options::base(&self.base_path)?, read_only, token, hosts: self.allow_host.clone() })
    }
}

/// The dashboard options of `serve`.
#[derive(Debug, Clone, Default, clap::Args)]
#[command(next_help_heading = "Dashboard")]
pub(super) struct ServeDashboardArgs {
    /// Address of the dashboard: an address and a port, or a port; defaults to PIPELINE_DASHBOARD, else 127.0.0.1:7373
    ///
    /// If the port is taken, the next free one is used. PIPELINE_DASHBOARD is an environment variable; its value `off` means
    /// --no-dashboard.
    #[arg(long, value_name = "ADDR", conflicts_with = "no_dashboard")]
    dashboard: Option<Listen>,
    /// Do not serve the dashboard
    #[arg(long)]
    no_dashboard: bool,
    #[command(flatten)]
    access: AccessArgs,
}

/// The dashboard that `serve` is to show.
#[derive(Debug, Clone)]
pub(super) struct DashboardRequest {
    options: Options,
    /// True if the user did not ask for it: then an error does not stop the runs.
    is_by_default: bool,
}

impl ServeDashboardArgs {
    pub(super) fn request(&self) -> Result<Option<DashboardRequest>, String> {
        let named = std::env::var(VARIABLE).ok().filter(|named| !named.is_empty());
        let listen = match (self.dashboard, named.as_deref()) {
            _ if self.no_dashboard => return Ok(None),
            (Some(listen), _) => Some(listen),
            (None, Some("off")) => return Ok(None),
            (None, Some(named)) => Some(named.parse().map_err(|error| format!("{VARIABLE}: {error}"))?),
            (None, None) => None,
        };
        let options = self.access.options(listen.unwrap_or_default(), false).map_err(|error| error.to_string())?;
        Ok(Some(DashboardRequest { options, is_by_default: listen.is_none() }))
    }
}

impl DashboardRequest {
    /// Starts the dashboard and prints its address. If the user did not ask for it and it cannot be started, prints a warning and
    /// returns `None`.
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
                say(&address_line(&dashboard));
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

fn address_line(dashboard: &Dashboard) -> String {
    let note = dashboard.note().map(|note| format!(" ({note})")).unwrap_or_default();
    format!("dashboard {}{note}", dashboard.url())
}

/// Serve the journal as a web page, until Ctrl-C or SIGTERM
#[derive(Debug, clap::Args)]
pub(super) struct DashboardArgs {
    /// Address to listen on: an address and a port, or a port; the next free port if it is taken
    #[arg(long, value_name = "ADDR", default_value = crate::dashboard::DEFAULT_ADDRESS)]
    listen: Listen,
    /// Refuse all actions
    #[arg(long)]
    read_only: bool,
    #[command(flatten)]
    access: AccessArgs,
}

pub(super) fn run(pipelines: &[Pipeline], args: &DashboardArgs, journal: &Path) -> Result<ExitCode, String> {
    let options = args.access.options(args.listen, args.read_only).map_err(|error| error.to_string())?;
    // A journal that is missing or is another file is reported before an address is printed.
    crate::read::JournalReader::open(journal).map_err(|error| error.to_string())?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| format!("the tokio runtime cannot be started: {error}"))?;
    runtime.block_on(async {
        let end = shutdown_signal().map_err(|error| format!("signal handlers cannot be installed: {error}"))?;
        let dashboard = Dashboard::start(options, journal, pipelines, Clock::system(), None);
        let dashboard = dashboard.map_err(|error| error.to_string())?;
        output::to_stdout(&address_line(&dashboard));
        end.await;
        Ok(ExitCode::SUCCESS)
    })
}

/// Waits for Ctrl-C or SIGTERM. The handlers are installed at once, before the future is polled.
fn shutdown_signal() -> std::io::Result<impl Future<Output = ()>> {
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
