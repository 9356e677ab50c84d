//! The outside of a simulation: sockets, programs, another runtime's timers. All of it takes real time.
//!
//! # Invariants
//!
//! - While something waits outside, no virtual time passes: a blocking task runs on the simulation's runtime, and tokio's paused
//!   clock does not advance meanwhile.
//! - The work is polled in place, but with another runtime entered: its sockets and timers belong to a reactor and a clock of
//!   real time, so that a request's own time limit ends it.
//! - Work that hangs does not hang its simulation forever: after [`PATIENCE`] it no longer counts, and its node's name is kept
//!   for a warning.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::io;
use std::pin::pin;
use std::sync::{Arc, Condvar, LazyLock, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::runtime::{Handle, Runtime};
use tokio::sync::watch;

/// How long, in real time, a simulation's clock stands still for one piece of outside work.
const PATIENCE: Duration = Duration::from_mins(5);

/// The runtime for work outside of simulations, on real time. It belongs to the process, because a runtime must not be dropped
/// from within asynchronous code.
pub(crate) fn real_time() -> Result<&'static Runtime, &'static io::Error> {
    static REAL: LazyLock<io::Result<Runtime>> = LazyLock::new(|| {
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).thread_name("simulated-io").enable_all().build()
    });
    REAL.as_ref()
}

thread_local! {
    static IS_ACCOUNTED_FOR: Cell<bool> = const { Cell::new(false) };
}

/// Declares that the future being polled waits for something that the clock knows about: virtual time, or counted outside work.
pub(crate) fn account_for() {
    IS_ACCOUNTED_FOR.set(true);
}

/// Polls, and returns whether the future [accounted for](account_for) its wait.
pub(crate) fn accounted<R>(poll: impl FnOnce() -> R) -> (R, bool) {
    let around = IS_ACCOUNTED_FOR.replace(false);
    let polled = poll();
    (polled, IS_ACCOUNTED_FOR.replace(around))
}

/// The outside of one simulation. Clones share it.
#[derive(Debug, Clone)]
pub(crate) struct Outside(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    /// The simulation's runtime.
    simulation: Handle,
    patience: Duration,
    waits: Mutex<Waits>,
    /// Notified when a wait ends, and at the end of the simulation.
    fewer: Condvar,
    count: watch::Sender<usize>,
}

#[derive(Debug, Default)]
struct Waits {
    next: u64,
    /// The start of each wait, and the node that waits.
    open: BTreeMap<u64, (Instant, Arc<str>)>,
    /// True while a blocking task runs, so that no virtual time passes.
    is_held: bool,
    is_over: bool,
    gave_up: Vec<Arc<str>>,
}

impl Outside {
    /// The outside of the simulation on this runtime.
    pub(crate) fn of_this_runtime() -> Self {
        Self::patient(PATIENCE)
    }

    fn patient(patience: Duration) -> Self {
        let (waits, fewer, count) = (Mutex::default(), Condvar::new(), watch::Sender::new(0));
        Self(Arc::new(Shared { simulation: Handle::current(), patience, waits, fewer, count }))
    }

    /// Waits for `work` on behalf of the node `who`. No virtual time passes meanwhile.
    pub(crate) async fn wait<F: Future>(&self, who: &Arc<str>, work: F) -> F::Output {
        let _wait = self.begin(who);
        // Dropped before the wait ends.
        let mut work = pin!(work);
        std::future::poll_fn(|context| {
            account_for();
            // If there is no such runtime, the work is polled on the simulation's own.
            let _entered = real_time().ok().map(Runtime::enter);
            work.as_mut().poll(context)
        })
        .await
    }

    /// The number of waits.
    pub(crate) fn in_flight(&self) -> usize {
        *self.0.count.borrow()
    }

    /// Waits until there are no more waits.
    pub(crate) async fn idle(&self) {
        // The only error is a dropped sender, and this value holds the sender.
        let _ = self.0.count.subscribe().wait_for(|count| *count == 0).await;
    }

    /// Ends the simulation: from now on time does not matter. Returns the nodes whose wait was given up.
    pub(crate) fn end(&self) -> Vec<Arc<str>> {
        let mut waits = self.0.lock();
        waits.is_over = true;
        self.0.fewer.notify_all();
        std::mem::take(&mut waits.gave_up)
    }

    fn begin(&self, who: &Arc<str>) -> Wait {
        let mut waits = self.0.lock();
        let id = waits.next;
        waits.next += 1;
        waits.open.insert(id, (Instant::now(), Arc::clone(who)));
        self.0.count.send_replace(waits.open.len());
        if !std::mem::replace(&mut waits.is_held, true) {
            let shared = Arc::clone(&self.0);
            drop(self.0.simulation.spawn_blocking(move || shared.hold()));
        }
        Wait { outside: self.clone(), id }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Waits> {
        self.waits.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns once nothing waits, or only what has waited for too long.
    fn hold(&self) {
        let mut waits = self.lock();
        loop {
            let now = Instant::now();
            let is_late = |since: Instant| now.saturating_duration_since(since) >= self.patience;
            let late: Vec<Arc<str>> =
                waits.open.extract_if(.., |_, (since, _)| is_late(*since)).map(|(_, (_, who))| who).collect();
            if !late.is_empty() {
                waits.gave_up.extend(late);
                self.count.send_replace(waits.open.len());
            }
            // The oldest comes first.
            let Some((since, _)) = waits.open.values().next().filter(|_| !waits.is_over) else {
                waits.is_held = false;
                return;
            };
            let left = self.patience.saturating_sub(now.saturating_duration_since(*since));
            waits = self.fewer.wait_timeout(waits, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

/// One wait, for as long as this value lives.
#[derive(Debug)]
struct Wait {
    outside: Outside,
    id: u64,
}

impl Drop for Wait {
    fn drop(&mut self) {
        let shared = &self.outside.0;
        let mut waits = shared.lock();
        if waits.open.remove(&self.id).is_some() {
            shared.count.send_replace(waits.open.len());
            shared.fewer.notify_all();
        }
    }
}

/// True if both belong to the same simulation.
impl PartialEq for Outside {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for Outside {}

#[cfg(test)]
mod tests {
    use super::*;

    /// Longer than any successful test takes.
    const LONG: Duration = Duration::from_mins(5);

    fn simulated<T>(test: impl Future<Output = T>) -> T {
        tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap().block_on(test)
    }

    #[test]
    fn virtual_time_stands_still_and_real_time_passes() {
        simulated(async {
            let outside = Outside::patient(LONG);
            let (virtually, really) = (tokio::time::Instant::now(), Instant::now());
            let timer = tokio::spawn(tokio::time::sleep(Duration::from_secs(1)));
            // A timer that is created within runs on real time.
            outside.wait(&"a".into(), async { tokio::time::sleep(Duration::from_millis(30)).await }).await;
            assert_eq!((virtually.elapsed(), outside.in_flight()), (Duration::ZERO, 0));
            assert!(really.elapsed() >= Duration::from_millis(30));
            timer.await.unwrap();
            assert_eq!(virtually.elapsed(), Duration::from_secs(1));
            assert!(outside.end().is_empty());
        });
    }

    #[test]
    fn one_that_hangs_holds_nothing_up_for_ever() {
        simulated(async {
            let outside = Outside::patient(Duration::from_millis(20));
            let waits = outside.clone();
            let hangs = tokio::spawn(async move { waits.wait(&"hangs".into(), std::future::pending::<()>()).await });
            tokio::task::yield_now().await;
            assert_eq!(outside.in_flight(), 1);
            outside.idle().await;
            // Virtual time passes again.
            tokio::time::sleep(Duration::from_hours(1)).await;
            hangs.abort();
            assert_eq!(outside.end(), ["hangs".into()]);
        });
    }

    #[test]
    fn one_that_is_cut_off_holds_nothing_up() {
        simulated(async {
            let outside = Outside::patient(LONG);
            let who = "a".into();
            let cut_off = tokio::time::timeout(Duration::ZERO, outside.wait(&who, std::future::pending::<()>())).await;
            assert!(cut_off.is_err() && outside.in_flight() == 0);
            tokio::time::sleep(Duration::from_hours(1)).await;
        });
    }

    #[test]
    fn a_poll_says_whether_it_accounts_for_its_wait() {
        assert_eq!(accounted(|| ()), ((), false));
        assert_eq!(accounted(|| (accounted(account_for), ())), ((((), true), ()), false));
    }
}
