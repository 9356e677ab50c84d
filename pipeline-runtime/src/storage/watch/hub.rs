//! The watcher of a process, and the thread that receives its news.

use super::news::{News, TELLS_CLOSE};
use super::settle::Settling;
use super::table::{Id, Table};
use crate::engine::Wake;
use crate::time::{Clock, Timestamp};
use notify::{ErrorKind, RecommendedWatcher};
use std::path::Path;
use std::sync::{Mutex, MutexGuard, Once, OnceLock, PoisonError};
use tokio::sync::mpsc;

/// The most news that wait to be received.
const MAX_NEWS: usize = 65_536;

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
                say_unwatched(Path::new("/"), &error);
                None
            }
        });
        hub.as_ref()
    }

    fn start(hub: impl FnOnce() -> Option<&'static Self> + Send + 'static) -> notify::Result<Self> {
        let (tell, news) = mpsc::channel(MAX_NEWS);
        let (ended, ends) = mpsc::unbounded_channel();
        let watcher: RecommendedWatcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
            let news = event.map_or(Some(News::Lost), |event| News::of(event, TELLS_CLOSE));
            if news.is_some_and(|news| tell.try_send(news).is_err()) {
                say_lost();
            }
        })?;
        // A separate runtime: neither a body that blocks a worker nor a paused clock delays a wake-up.
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().map_err(notify::Error::io)?;
        let hear = move || {
            if let Some(hub) = hub() {
                runtime.block_on(hub.hear(news, ends));
            }
        };
        std::thread::Builder::new().name("file-watch".into()).spawn(hear).map_err(notify::Error::io)?;
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

    async fn hear(&self, mut news: mpsc::Receiver<News>, mut ends: mpsc::UnboundedReceiver<Id>) {
        let clock = Clock::system();
        let mut settling = Settling::default();
        loop {
            let next = settling.next();
            let wakes = tokio::select! {
                Some(id) = ends.recv() => {
                    self.table().end(id);
                    continue;
                }
                Some(news) = news.recv() => self.heard(news, &mut settling, clock.now()),
                () = clock.sleep_until(next.unwrap_or(Timestamp::NEVER)), if next.is_some() => {
                    let still = settling.still(clock.now());
                    let table = self.table();
                    still.iter().flat_map(|file| table.awaiting(file)).collect()
                }
                else => return,
            };
            // Without the table's lock: waking takes the engine's lock.
            wakes.iter().for_each(Wake::wake);
        }
    }

    /// Returns the sensors to wake.
    fn heard(&self, news: News, settling: &mut Settling, now: Timestamp) -> Vec<Wake> {
        let mut table = self.table();
        let (found, arrived) = match news {
            News::Came(path) | News::Writing(path) if path.is_dir() => (table.came(&path), None),
            News::Written(file) | News::Came(file) => (Vec::new(), Some(file)),
            News::Writing(file) if table.awaiting(&file).is_empty() => (Vec::new(), None),
            News::Writing(file) => (vec![file], None),
            News::Gone(path) => (table.gone(&path), None),
            News::Lost => {
                say_lost();
                (Vec::new(), None)
            }
        };
        for file in found {
            if !settling.add(file, now) {
                say_lost();
            }
        }
        let Some(file) = arrived else { return Vec::new() };
        settling.remove(&file);
        table.awaiting(&file)
    }
}

/// Logs, once per process, that something cannot be watched.
pub(super) fn say_unwatched(folder: &Path, error: &notify::Error) {
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
fn say_lost() {
    static SAID: Once = Once::new();
    SAID.call_once(|| {
        tracing::warn!(
            "files changed faster than their changes could be read, and some woke no sensor: they are seen at the poke interval; this is \
             logged once"
        );
    });
}
