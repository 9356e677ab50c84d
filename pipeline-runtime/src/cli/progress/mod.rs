//! Progress of the runs in this process, shown as it happens.
//!
//! Events and log lines pass through one queue to one thread, the only one that writes to the terminal. So lines are never torn,
//! and appear in the order of events. Nothing waits for that thread: if it falls behind by more than the queue holds, it reports
//! how much was not shown, and continues from the current state. The final result of a run comes from its history, which is
//! complete.

mod event_text;
mod json;
mod line_buffer;
mod live;
mod plain;

use super::output;
use crate::engine::{Record, RunIx};
use crate::observe::{Feed, FeedEvent, Loss, Receiver, RunEvent, RunPrefixes, TakeResult, WatchedRun};
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
    /// One line per event, on stdout.
    Plain,
    /// One JSON object per event, on stdout; see [`cli`](crate::cli) for the format.
    Json,
    /// No output, not even log lines: for tests, and for programs that report on runs themselves.
    Silent,
}

/// The time between two redraws.
const REDRAW: Duration = Duration::from_millis(100);

/// A run whose progress is shown.
#[derive(Debug)]
pub(super) struct ShownRun {
    pub(super) run: Arc<WatchedRun>,
    /// The prefix of the run's node names if several runs are shown: `nightly/`.
    prefix: String,
    /// True if the view was told of its end.
    is_end_reported: bool,
}

/// Shows events. All methods are called on one thread.
///
/// A view only observes: if it panics, nothing more is shown, and neither the runs nor the exit code change.
pub(super) trait View: Send {
    fn opened(&mut self, run: &ShownRun);
    /// Called per event. The run's history may be ahead of the event.
    fn event(&mut self, run: &ShownRun, event: &RunEvent);
    fn log(&mut self, line: &str);
    /// The run has ended. Notifications may still be pending, and it may be retried.
    fn ended(&mut self, _run: &ShownRun) {}
    /// The run is over, its notifications are delivered, and the process will not report it again at its end.
    fn finished(&mut self, _run: &ShownRun) {}
    /// The queue is empty at the moment.
    fn flush(&mut self) {}
    /// So many events and lines were dropped, since output was too slow.
    fn lost(&mut self, lost: Loss);
    /// Draws the current state; called every [`REDRAW`] if `is_drawn` returns true.
    fn draw(&mut self, _runs: &BTreeMap<RunIx, ShownRun>) {}
    fn is_drawn(&self) -> bool {
        false
    }
    /// Nothing more will come.
    fn close(&mut self) {}
}

/// The name of the thread that shows progress.
const THREAD: &str = "pipeline-progress";

/// The thread that shows progress.
#[derive(Debug)]
pub(super) struct ProgressThread {
    feed: Arc<Feed>,
    thread: Option<JoinHandle<()>>,
}

/// Creates the observer of a process's runs for that kind of progress, and the receiver of its events if progress is shown.
pub(super) fn feed(progress: Progress) -> (Arc<Feed>, Option<Receiver>) {
    if progress == Progress::Silent {
        return (Feed::without_view(), None);
    }
    let (feed, receiver) = Feed::with_view();
    (feed, Some(receiver))
}

/// Creates the view for that kind of progress. A process that `forgets` runs reports the end of each as it happens, and not at
/// its own end.
pub(super) fn view(progress: Progress, clock: Clock, forgets: bool) -> Box<dyn View> {
    match progress {
        Progress::Auto if output::is_terminal() => Box::new(live::Live::new(clock, forgets)),
        Progress::Auto | Progress::Plain | Progress::Silent => Box::new(plain::Plain::new(forgets)),
        Progress::Json => Box::new(json::Json::new(clock)),
    }
}

/// Shows what arrives through `receiver`, if there is one.
pub(super) fn show(
    view: Box<dyn View>,
    names: RunPrefixes,
    feed: Arc<Feed>,
    receiver: Option<Receiver>,
) -> std::io::Result<ProgressThread> {
    let show = |receiver| {
        std::thread::Builder::new().name(THREAD.into()).spawn(move || {
            // Only the view's own state may be broken, and it is dropped.
            if std::panic::catch_unwind(AssertUnwindSafe(|| watch(view, &names, &receiver))).is_err() {
                output::to_stderr(VIEW_PANICKED);
                show_logs(&receiver);
            }
        })
    };
    Ok(ProgressThread { feed, thread: receiver.map(show).transpose()? })
}

/// The panic hook has already printed where and why.
const VIEW_PANICKED: &str = "warning: progress is no longer shown, because its view panicked\n  \
                             = note: the runs continue; their states, the summary and the exit code do not depend on it\n  \
                             = help: `show RUN` prints the state of a run in the journal; this is a bug in the engine, please report it";

/// Prints log lines alone: they do not need the view.
fn show_logs(receiver: &Receiver) {
    loop {
        match receiver.take(None) {
            TakeResult::Items(news) => {
                for news in news {
                    if let FeedEvent::Log(line) = news {
                        output::to_stderr(&line);
                    }
                }
            }
            TakeResult::Gap => drop(receiver.close_gap()),
            TakeResult::TimedOut => {}
            TakeResult::Closed => return,
        }
    }
}

impl ProgressThread {
    /// Shows what is left in the queue.
    pub(super) fn close(self) {
        self.feed.close();
        if let Some(thread) = self.thread {
            // The thread catches panics of the view.
            let _ = thread.join();
        }
    }
}

fn watch(mut view: Box<dyn View>, names: &RunPrefixes, receiver: &Receiver) {
    let mut runs = BTreeMap::new();
    let mut drawn: Option<Instant> = None;
    loop {
        // The real clock, and not the engine's, paces the redraws of a terminal.
        match receiver.take(view.is_drawn().then_some(REDRAW)) {
            TakeResult::Items(news) => {
                for news in news {
                    match news {
                        FeedEvent::RunOpened(ix, run) => {
                            let run = ShownRun::new(run, names);
                            view.opened(&run);
                            runs.insert(ix, run);
                        }
                        FeedEvent::RunEvent(ix, event) => {
                            if let Some(run) = runs.get_mut(&ix) {
                                view.event(run, &event);
                                match event.entry.record {
                                    Record::RunEnded { .. } => {
                                        run.is_end_reported = true;
                                        view.ended(run);
                                    }
                                    // The run is active again.
                                    Record::Cleared { .. } => run.is_end_reported = false,
                                    _ => {}
                                }
                            }
                        }
                        FeedEvent::RunForgotten(ix, _) => {
                            if let Some(run) = runs.remove(&ix) {
                                report_end(view.as_mut(), &run);
                                view.finished(&run);
                            }
                        }
                        FeedEvent::Log(line) => view.log(&line),
                    }
                }
                view.flush();
            }
            TakeResult::Gap => {
                let (lost, now) = receiver.close_gap();
                view.lost(lost);
                runs.retain(|ix, run| {
                    let is_left = now.contains_key(ix);
                    if !is_left {
                        report_end(view.as_mut(), run);
                        view.finished(run);
                    }
                    is_left
                });
                for (ix, run) in now {
                    runs.entry(ix).or_insert_with(|| {
                        let run = ShownRun::new(run, names);
                        view.opened(&run);
                        run
                    });
                }
                view.flush();
            }
            TakeResult::TimedOut => {}
            TakeResult::Closed => break,
        }
        if view.is_drawn() && drawn.is_none_or(|drawn| drawn.elapsed() >= REDRAW) {
            drawn = Some(Instant::now());
            view.draw(&runs);
        }
    }
    for run in runs.values().filter(|run| run.run.history().state.is_end()) {
        report_end(view.as_mut(), run);
    }
    view.flush();
    view.close();
}

/// Reports the end of a run if that event was dropped.
fn report_end(view: &mut dyn View, run: &ShownRun) {
    if !run.is_end_reported {
        view.ended(run);
    }
}

impl ShownRun {
    fn new(run: Arc<WatchedRun>, names: &RunPrefixes) -> Self {
        let prefix = names.prefix(&run.info.pipeline, &run.info.run_id);
        Self { run, prefix, is_end_reported: false }
    }
}

/// The message that a run continues in another process.
pub(super) fn unfinished(run: &WatchedRun) -> String {
    format!("run {} of {} is unfinished: `serve` or `resume` continues it", run.info.run_id, run.info.pipeline)
}

/// The last JSON object about a run: how it ended, or that it has not.
pub(super) fn json_result(run: &WatchedRun, at: Timestamp) -> String {
    json::finished(run, at)
}
