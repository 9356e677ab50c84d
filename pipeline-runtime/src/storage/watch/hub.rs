//! The watcher of a process, and the thread that receives its events.

use super::event::{FileEvent, REPORTS_CLOSE};
use super::table::{Id, Table};
use super::unstable::UnstableFiles;
use crate::engine::Wake;
use crate::time::{Clock, Timestamp};
use notify::{ErrorKind, RecommendedWatcher};
use std::path::Path;
use std::sync::{Mutex, MutexGuard, Once, OnceLock, PoisonError};
use tokio::sync::mpsc;

/// The most events that wait to be received.
const MAX_EVENTS: usize = 65_536;

/// All watches of a process.
#[derive(Debug)]
pub(super) struct Hub {
    table: Mutex<Table>,
    ended: mpsc::UnboundedSender<Id>,
}

impl Hub {
    /// The hub of this process, created by the first read of a poke; `None` if nothing can be watched.
    pub(super) fn of_process() -> Option<&'static Self> {
        static HUB: OnceLock<Option<Hub>> = OnceLock::new();
        let hub = HUB.get_or_init(|| match Self::start(|| HUB.wait().as_ref()) {
            Ok(hub) => Some(hub),
            Err(error) => {
                warn_unwatched(Path::new("/"), &error);
                None
            }
        });
        hub.as_ref()
    }

    fn start(hub: impl FnOnce() -> Option<&'static Self> + Send + 'static) -> notify::Result<Self> {
        let (sender, events) = mpsc::channel(MAX_EVENTS);
        let (ended, ends) = mpsc::unbounded_channel();
        let watcher: RecommendedWatcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
            let event = event.map_or(Some(FileEvent::Overflow), |event| FileEvent::of(event, REPORTS_CLOSE));
            if event.is_some_and(|event| sender.try_send(event).is_err()) {
                warn_overflow();
            }
        })?;
        // A separate runtime: neither a body that blocks a worker nor a paused clock delays a wake-up.
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().map_err(notify::Error::io)?;
        let run = move || {
            if let Some(hub) = hub() {
                runtime.block_on(hub.run(events, ends));
            }
        };
        std::thread::Builder::new().name("file-watch".into()).spawn(run).map_err(notify::Error::io)?;
        Ok(Self { table: Mutex::new(Table::new(Box::new(watcher))), ended })
    }

    pub(super) fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends a watch. Returns at once.
    pub(super) fn end(&self, id: Id) {
        // The receiving thread lives as long as the process.
        let _ = self.ended.send(id);
    }

    async fn run(&self, mut events: mpsc::Receiver<FileEvent>, mut ends: mpsc::UnboundedReceiver<Id>) {
        let clock = Clock::system();
        let mut unstable = UnstableFiles::default();
        loop {
            let next = unstable.next();
            let wakes = tokio::select! {
                Some(id) = ends.recv() => {
                    self.table().end(id);
                    continue;
                }
                Some(event) = events.recv() => self.handle(event, &mut unstable, clock.now()),
                () = clock.sleep_until(next.unwrap_or(Timestamp::NEVER)), if next.is_some() => {
                    let stable = unstable.take_stable(clock.now());
                    let table = self.table();
                    stable.iter().flat_map(|file| table.awaiting(file)).collect()
                }
                else => return,
            };
            // Without the table's lock: waking takes the engine's lock.
            wakes.iter().for_each(Wake::wake);
        }
    }

    /// Returns the sensors to wake.
    fn handle(&self, event: FileEvent, unstable: &mut UnstableFiles, now: Timestamp) -> Vec<Wake> {
        let mut table = self.table();
        let (found, arrived) = match event {
            FileEvent::Appeared(path) | FileEvent::Changed(path) if path.is_dir() => (table.on_appeared(&path), None),
            FileEvent::Closed(file) | FileEvent::Appeared(file) => (Vec::new(), Some(file)),
            FileEvent::Changed(file) if table.awaiting(&file).is_empty() => (Vec::new(), None),
            FileEvent::Changed(file) => (vec![file], None),
            FileEvent::Removed(path) => (table.on_removed(&path), None),
            FileEvent::Overflow => {
                warn_overflow();
                (Vec::new(), None)
            }
        };
        for file in found {
            if !unstable.add(file, now) {
                warn_overflow();
            }
        }
        let Some(file) = arrived else { return Vec::new() };
        unstable.remove(&file);
        table.awaiting(&file)
    }
}

/// Logs, once per process, that something cannot be watched.
pub(super) fn warn_unwatched(folder: &Path, error: &notify::Error) {
    static SAID: Once = Once::new();
    SAID.call_once(|| {
        let folder = error.paths.first().map_or(folder, |path| path).display();
        let why = match &error.kind {
            ErrorKind::MaxFilesWatch => {
                "the system watches no more folders for this user; on Linux `sysctl fs.inotify.max_user_watches` raises that"
                    .to_owned()
            }
            ErrorKind::Generic(why) => why.clone(),
            ErrorKind::Io(error) => error.to_string(),
            kind => format!("{kind:?}"),
        };
        tracing::warn!(
            "changes in `{folder}` wake no sensor: {why}. Unwatched changes are seen at the poke interval; this is logged once"
        );
    });
}

/// Logs, once per process, that changes were missed.
fn warn_overflow() {
    static SAID: Once = Once::new();
    SAID.call_once(|| {
        tracing::warn!(
            "files changed faster than their changes could be read, and some woke no sensor: they are seen at the poke interval; this is \
             logged once"
        );
    });
}
