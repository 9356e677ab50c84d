//! The thread of an embedded host, from its start to its end.

use super::{Host, HostBuilder, HostError, Inner, Shutdown};
use crate::host;
use crate::host::dispatch::{Call, Dispatch, ServiceOptions};
use crate::host::signals::Signal;
use crate::host::{BlockedRun, EngineHost, HostOptions, Opened, StartError, StopSource};
use crate::journal::{JournalError, absolute};
use crate::observe::{Feed, logs};
use crate::plan::Accepts;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use tokio::runtime::Handle;
use tokio::sync::{mpsc, oneshot, watch};

/// Where a host records its runs.
#[derive(Debug, Clone)]
pub(super) enum JournalLocation {
    File(PathBuf),
    Temporary,
}

/// How a host has ended; `Err(None)` if it panicked.
pub(super) type EndResult = Result<Shutdown, Option<Arc<JournalError>>>;

/// The thread's ends of the channels to the program.
struct ThreadChannels {
    calls: mpsc::UnboundedReceiver<Call>,
    end: oneshot::Receiver<Signal>,
    ready: oneshot::Sender<Result<Handle, HostError>>,
}

pub(super) async fn start(builder: HostBuilder) -> Result<Host, HostError> {
    logs::redact_panics();
    let (calls, take_calls) = mpsc::unbounded_channel();
    let (end, is_to_end) = oneshot::channel();
    let (ready, started) = oneshot::channel();
    let (tell_ended, ended) = watch::channel(None);
    let pipelines = builder.pipelines.clone();
    let (folder, journal) = match &builder.location {
        None => return Err(HostError::NoJournal),
        // Absolute, since a body may change the process's working folder.
        Some(JournalLocation::File(file)) => (None, absolute(file)),
        Some(JournalLocation::Temporary) => {
            let folder = tempfile::Builder::new().prefix("pipeline-").tempdir().map_err(HostError::Process)?;
            let file = folder.path().join("journal.db");
            (Some(folder), file)
        }
    };
    let file = journal.clone();
    let channels = ThreadChannels { calls: take_calls, end: is_to_end, ready };
    let thread = std::thread::Builder::new().name("pipeline-host".into());
    let run = move || {
        let ended = run(&builder, &file, channels);
        // The journal is reported as free only after its temporary files are gone.
        drop(folder);
        if let Some(ended) = ended {
            tell_ended.send_replace(Some(ended));
        }
    };
    thread.spawn(run).map_err(HostError::Process)?;
    let dispatch = started.await.unwrap_or(Err(HostError::Panicked))?;
    let inner = Inner { calls, end: Mutex::new(Some(end)), ended, journal, pipelines, reads: dispatch };
    Ok(Host { inner: Arc::new(inner) })
}

/// Hosts runs until the program, or a failure of the journal, ends that. Returns `None` if the host never started.
fn run(builder: &HostBuilder, journal: &std::path::Path, channels: ThreadChannels) -> Option<EndResult> {
    let ThreadChannels { calls, end, ready } = channels;
    let host = match builder.check().and_then(|()| open(builder, journal, end)) {
        Ok(host) => host,
        Err(error) => {
            let _ = ready.send(Err(error));
            return None;
        }
    };
    let begun = begin(builder, &host, calls);
    let dispatch = match begun {
        Ok(dispatch) => dispatch,
        Err(error) => {
            drop(host);
            let _ = ready.send(Err(error.into()));
            return None;
        }
    };
    // If nobody waits for the start any more, the channels are closed and the host ends at once.
    let _ = ready.send(Ok(host.dispatch.handle().clone()));
    let done = dispatch.run();
    let failure = host.failure();
    drop(host);
    Some(match (done, failure) {
        (_, Some(failure)) => Err(Some(failure)),
        (Ok((host::ProcessEnd::Interrupted(_), _)), None) => Ok(Shutdown::CutOff),
        (Ok(_), None) => Ok(Shutdown::Drained),
        (Err(_), None) => Err(None),
    })
}

fn open(builder: &HostBuilder, journal: &std::path::Path, end: oneshot::Receiver<Signal>) -> Result<EngineHost, HostError> {
    let Opened { journal, clock, calendar } = EngineHost::open(Some(journal), builder.speed)?;
    let options = HostOptions {
        journal,
        parallelism: builder.parallelism,
        clock,
        calendar,
        observer: Feed::without_histories(),
        stop_source: StopSource::Program(end),
    };
    EngineHost::new(options).map_err(HostError::Process)
}

fn begin<'a>(
    builder: &'a HostBuilder,
    host: &'a EngineHost,
    calls: mpsc::UnboundedReceiver<Call>,
) -> Result<Dispatch<'a>, StartError> {
    let HostBuilder { pipelines, drain, keep, follow_schedules, .. } = builder;
    let unfinished = host.unfinished(pipelines, Accepts::Additions, |_| true)?;
    unfinished.blocked.iter().for_each(BlockedRun::log);
    let service = ServiceOptions { follows_schedules: *follow_schedules, forgets: true, drain: *drain, keep: *keep };
    let mut dispatch = Dispatch::new(host, pipelines, service, Feed::without_histories())?;
    dispatch.take_calls(calls);
    dispatch.resume(unfinished)?;
    Ok(dispatch)
}
