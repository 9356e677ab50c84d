//! Progress: what the runs of this process have to tell, shown while it happens.
//!
//! What happens and the log lines come through one queue to one thread, which alone writes to the terminal. So lines are never torn, and
//! stand in the order in which things happened. Nobody waits for that thread: where it comes behind by more than the queue holds, it says
//! how much was not shown, and goes on with what is the case then. What a run came to in the end is told from its history, which is whole.

mod json;
mod lines;
mod live;
mod plain;
mod words;

use super::output;
use crate::engine::{Record, RunIx};
use crate::observe::{Event, Feed, Lost, Names, News, Receiver, Taken, WatchedRun};
use crate::time::{Clock, Timestamp};
use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// How progress is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Progress {
    /// A line for each node that runs or waits, redrawn in place; plain lines unless both stdout and stderr are terminals.
    #[default]
    Auto,
    /// One line an event, on stdout.
    Plain,
    /// One JSON object an event, on stdout; see [`cli`](crate::cli) for their shape.
    Json,
    /// Nothing at all, log lines included: for tests, and for whoever tells of the run in words of their own.
    Silent,
}

/// The time between two drawings.
const REDRAW: Duration = Duration::from_millis(100);

/// A run that is shown.
#[derive(Debug)]
pub(super) struct Watched {
    pub(super) run: Arc<WatchedRun>,
    /// What names the run's nodes where several runs are shown: `nightly/`.
    prefix: String,
    /// It was told how it ended.
    is_told: bool,
}

/// Shows what happens. All is called on one thread.
///
/// A view only looks: where it panics nothing more is shown, and neither the runs nor the exit code change.
pub(super) trait View: Send {
    fn opened(&mut self, run: &Watched);
    /// The run's history may be ahead of the event.
    fn event(&mut self, run: &Watched, event: &Event);
    fn log(&mut self, line: &str);
    /// The run has ended. Somebody may still be told of it, and it may be retried.
    fn ended(&mut self, _run: &Watched) {}
    /// The run is over, nobody is left to be told of it, and it will not be told of at the end.
    fn finished(&mut self, _run: &Watched) {}
    /// Nothing more is there at the moment.
    fn flush(&mut self) {}
    /// So much was not shown, since whoever reads did not keep up.
    fn lost(&mut self, lost: Lost);
    /// Draws what is the case now; called every [`REDRAW`] where `is_drawn` says so.
    fn draw(&mut self, _runs: &BTreeMap<RunIx, Watched>) {}
    fn is_drawn(&self) -> bool {
        false
    }
    /// Nothing more will come.
    fn close(&mut self) {}
}

/// What the thread that shows progress is called.
const THREAD: &str = "pipeline-progress";

/// The thread that shows progress.
#[derive(Debug)]
pub(super) struct Shown {
    feed: Arc<Feed>,
    thread: Option<JoinHandle<()>>,
}

/// What sees a process's runs, where progress is shown like this; and what it is shown from, if it is.
pub(super) fn feed(progress: Progress) -> (Arc<Feed>, Option<Receiver>) {
    if progress == Progress::Silent {
        return (Feed::silent(), None);
    }
    let (feed, receiver) = Feed::shown();
    (feed, Some(receiver))
}

/// The view of that progress. A process that `forgets` runs tells how each ended as it does, and not at its own end.
pub(super) fn view(progress: Progress, clock: Clock, forgets: bool) -> Box<dyn View> {
    match progress {
        Progress::Auto if output::is_terminal() => Box::new(live::Live::new(clock, forgets)),
        Progress::Auto | Progress::Plain | Progress::Silent => Box::new(plain::Plain::new(forgets)),
        Progress::Json => Box::new(json::Json::new(clock)),
    }
}

/// Shows what comes through `receiver`, if there is one.
pub(super) fn show(view: Box<dyn View>, names: Names, feed: Arc<Feed>, receiver: Option<Receiver>) -> std::io::Result<Shown> {
    let show = |receiver| {
        std::thread::Builder::new().name(THREAD.into()).spawn(move || {
            // What the view has been told is given up with it.
            if std::panic::catch_unwind(AssertUnwindSafe(|| watch(view, &names, &receiver))).is_err() {
                output::to_stderr(VIEW_PANICKED);
                show_logs(&receiver);
            }
        })
    };
    Ok(Shown { feed, thread: receiver.map(show).transpose()? })
}

/// Where and why, the panic itself has said.
const VIEW_PANICKED: &str = "warning: progress is no longer shown, since what shows it panicked\n  \
                             = note: the runs go on; their states, the summary and the exit code do not depend on it\n  \
                             = help: `show RUN` tells how a run of a journal gets on; this is a fault of the engine, please report it";

/// Log lines alone: they are not of the view.
fn show_logs(receiver: &Receiver) {
    loop {
        match receiver.take(None) {
            Taken::Some(news) => {
                for news in news {
                    if let News::Log(line) = news {
                        output::to_stderr(&line);
                    }
                }
            }
            Taken::Gap => drop(receiver.go_on()),
            Taken::TimedOut => {}
            Taken::Closed => return,
        }
    }
}

impl Shown {
    /// Shows what is left.
    pub(super) fn close(self) {
        self.feed.close();
        if let Some(thread) = self.thread {
            // It ends without a panic: one of the view was told of.
            let _ = thread.join();
        }
    }
}

fn watch(mut view: Box<dyn View>, names: &Names, receiver: &Receiver) {
    let mut runs = BTreeMap::new();
    let mut drawn: Option<Instant> = None;
    loop {
        // Not the engine's clock: a terminal is redrawn by the real one.
        match receiver.take(view.is_drawn().then_some(REDRAW)) {
            Taken::Some(news) => {
                for news in news {
                    match news {
                        News::Opened(ix, run) => {
                            let run = Watched::new(run, names);
                            view.opened(&run);
                            runs.insert(ix, run);
                        }
                        News::Event(ix, event) => {
                            if let Some(run) = runs.get_mut(&ix) {
                                view.event(run, &event);
                                match event.entry.record {
                                    Record::RunEnded { .. } => {
                                        run.is_told = true;
                                        view.ended(run);
                                    }
                                    // It goes on.
                                    Record::Cleared { .. } => run.is_told = false,
                                    _ => {}
                                }
                            }
                        }
                        News::Forgotten(ix, _) => {
                            if let Some(run) = runs.remove(&ix) {
                                tell_end(view.as_mut(), &run);
                                view.finished(&run);
                            }
                        }
                        News::Log(line) => view.log(&line),
                    }
                }
                view.flush();
            }
            Taken::Gap => {
                let (lost, now) = receiver.go_on();
                view.lost(lost);
                runs.retain(|ix, run| {
                    let is_left = now.contains_key(ix);
                    if !is_left {
                        tell_end(view.as_mut(), run);
                        view.finished(run);
                    }
                    is_left
                });
                for (ix, run) in now {
                    runs.entry(ix).or_insert_with(|| {
                        let run = Watched::new(run, names);
                        view.opened(&run);
                        run
                    });
                }
                view.flush();
            }
            Taken::TimedOut => {}
            Taken::Closed => break,
        }
        if view.is_drawn() && drawn.is_none_or(|drawn| drawn.elapsed() >= REDRAW) {
            drawn = Some(Instant::now());
            view.draw(&runs);
        }
    }
    for run in runs.values().filter(|run| run.run.history().state.is_end()) {
        tell_end(view.as_mut(), run);
    }
    view.flush();
    view.close();
}

/// Tells how a run ended, where that is among what was not shown.
fn tell_end(view: &mut dyn View, run: &Watched) {
    if !run.is_told {
        view.ended(run);
    }
}

impl Watched {
    fn new(run: Arc<WatchedRun>, names: &Names) -> Self {
        let prefix = names.prefix(&run.info.pipeline, &run.info.run_id);
        Self { run, prefix, is_told: false }
    }
}

/// That a run goes on with another process.
pub(super) fn unfinished(run: &WatchedRun) -> String {
    format!("run {} of {} is unfinished: `serve` or `resume` goes on with it", run.info.run_id, run.info.pipeline)
}

/// How a run ended, or that it has not, as the last JSON object about it.
pub(super) fn json_result(run: &WatchedRun, at: Timestamp) -> String {
    json::finished(run, at)
}
