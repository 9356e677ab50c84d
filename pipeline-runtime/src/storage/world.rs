//! [`World`]: where memory buckets live, and how I/O is done.
//!
//! The process has one world, in which I/O is done directly. A simulation creates a world of its own, with its own buckets and on
//! virtual time:
//!
//! - The virtual clock stands still during I/O: I/O runs on a helper runtime inside the simulation runtime's `spawn_blocking`,
//!   and tokio's paused clock does not advance while such a task runs.
//! - Operations run one after another, in the order of their first polls, so that a simulation with several of them at one
//!   virtual instant is repeatable; in memory they end within that first poll.
//! - [`in_flight`](World::in_flight) counts an operation until its future was resolved within its caller's poll or was dropped,
//!   so that at zero every caller has seen its result.
//! - Written objects have virtual modification times.

use std::cell::RefCell;
use std::collections::HashMap;
use std::fmt;
use std::marker::PhantomData;
use std::path::PathBuf;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use bytes::Bytes;
use chrono::{DateTime, Utc};
use tokio::sync::watch;

use super::bucket::Bucket;
#[cfg(feature = "cloud")]
use super::cloud::Cloud;
use super::error::{BucketError, BucketErrorKind, Failure};
use super::fault::{Faults, Latency, UnusedFaults, describe_touched};
use super::local::Local;
use super::memory::Memory;
use super::meta::Meta;
use super::object::Object;
use super::stamp::Stamps;
use super::store::Store;
use super::url::Location;
use crate::time::real_time;

/// A clone is the same world.
#[derive(Clone)]
pub(crate) struct World(Arc<Inner>);

struct Inner {
    memories: Mutex<HashMap<String, Memory>>,
    simulated: Option<Simulated>,
}

struct Simulated {
    now: Clock,
    stamps: Stamps,
    faults: Faults,
    busy: watch::Sender<usize>,
    /// True if webhooks and mails are really sent.
    sends_alerts: bool,
    /// Held by the operation that runs; first come, first served.
    turn: Arc<tokio::sync::Mutex<()>>,
}

type Clock = Arc<dyn Fn() -> DateTime<Utc> + Send + Sync>;

thread_local! {
    static ENTERED: RefCell<Option<World>> = const { RefCell::new(None) };
}

impl World {
    /// The world of every bucket that is opened outside of [`enter`](Self::enter).
    pub(crate) fn process() -> Self {
        static PROCESS: LazyLock<World> = LazyLock::new(|| World::new(None));
        PROCESS.clone()
    }

    /// A simulated world whose clock is `now`; it may be called on any thread that has entered the world. `sends_alerts`: whether
    /// webhooks and mails are really sent.
    pub(crate) fn simulated(now: Clock, sends_alerts: bool) -> Self {
        Self::new(Some(Simulated {
            now,
            sends_alerts,
            stamps: Stamps::default(),
            faults: Faults::default(),
            busy: watch::Sender::new(0),
            turn: Arc::default(),
        }))
    }

    /// True if webhooks and mails are really sent.
    pub(crate) fn sends_alerts(&self) -> bool {
        self.0.simulated.as_ref().is_none_or(|simulated| simulated.sends_alerts)
    }

    fn new(simulated: Option<Simulated>) -> Self {
        Self(Arc::new(Inner { memories: Mutex::default(), simulated }))
    }

    pub(super) fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// Runs `scope`; buckets that it opens on this thread belong to this world. Scopes nest.
    pub(crate) fn enter<R>(&self, scope: impl FnOnce() -> R) -> R {
        let _entered = self.entered();
        scope()
    }

    /// Like [`enter`](Self::enter), for as long as the returned guard lives on this thread.
    pub(crate) fn entered(&self) -> Entered {
        Entered { before: ENTERED.replace(Some(self.clone())), _thread: PhantomData }
    }

    /// The virtual time, if this thread has entered a simulated world.
    pub(crate) fn simulated_time() -> Option<DateTime<Utc>> {
        // While a thread ends, its thread-locals are gone.
        let world = ENTERED.try_with(|entered| entered.borrow().clone()).ok()??;
        world.0.simulated.as_ref().map(|simulated| (simulated.now)())
    }

    /// The world that buckets opened here and now belong to.
    pub(crate) fn current() -> Self {
        ENTERED.with_borrow(Clone::clone).unwrap_or_else(Self::process)
    }

    /// The store of a location; opening a memory bucket creates it.
    pub(super) fn store(&self, location: &Location) -> Store {
        match location {
            #[cfg(feature = "cloud")]
            Location::Cloud(settings) => Store::Cloud(Arc::new(Cloud::new((**settings).clone()))),
            Location::File(path) => Store::Local(Arc::new(Local::new(PathBuf::from(path)))),
            Location::Memory(name) => {
                let mut memories = self.0.memories.lock().unwrap_or_else(PoisonError::into_inner);
                Store::Memory(memories.entry(name.clone()).or_insert_with(|| Memory::new(location.url())).clone())
            }
        }
    }

    /// Writes an object as an outside producer would, without any faults: `memory://BUCKET/KEY`, or `file:///PATH`, whose folders
    /// are created if they are missing.
    pub(crate) async fn put_now(&self, url: &str, body: impl Into<Bytes>) -> Result<Object, BucketError> {
        let (location, key) = Location::parse_object(url)?;
        Bucket::at(&location, self.clone()).arrive(&key, body.into()).await
    }

    /// From now on, each operation on the bucket waits for this latency before it starts.
    pub(crate) fn latency(&self, bucket: &str, latency: Latency) -> Result<(), BucketError> {
        let bucket = Location::parse(bucket)?.url();
        if let Some(simulated) = &self.0.simulated {
            simulated.faults.latency(bucket, latency);
        }
        Ok(())
    }

    /// Operations on the bucket that start in `from..until` fail as in a network outage.
    pub(crate) fn outage(&self, bucket: &str, from: DateTime<Utc>, until: DateTime<Utc>) -> Result<(), BucketError> {
        let bucket = Location::parse(bucket)?.url();
        if let Some(simulated) = &self.0.simulated {
            simulated.faults.outage(bucket, from, until);
        }
        Ok(())
    }

    /// The latencies and outages of buckets on which there was no operation.
    pub(crate) fn unmet_faults(&self) -> Option<UnusedFaults> {
        self.0.simulated.as_ref()?.faults.unmet()
    }

    /// A warning for each object of `urls`, all [put](Self::put_now) earlier, in a bucket on which there was no operation.
    pub(crate) fn unmet_arrivals(&self, urls: &[String]) -> Vec<String> {
        let Some(simulated) = &self.0.simulated else { return Vec::new() };
        let touched = simulated.faults.touched();
        // The bucket's own form of its URL, not the given one, which may contain credentials.
        let objects = urls.iter().filter_map(|url| {
            let (location, key) = Location::parse_object(url).ok()?;
            Some(format!("{}/{key}", location.url()))
        });
        let is_met = |object: &String| {
            touched.iter().any(|bucket| object.strip_prefix(bucket.as_str()).is_some_and(|key| key.starts_with('/')))
        };
        let unmet = objects.filter(|object| !is_met(object));
        unmet.map(|object| format!("nothing met the arrival of {object}: {}", describe_touched(&touched))).collect()
    }

    /// The number of operations that have started and whose end their callers have not seen yet. It is always 0 in the process's
    /// world.
    pub(crate) fn in_flight(&self) -> usize {
        self.0.simulated.as_ref().map_or(0, |simulated| *simulated.busy.borrow())
    }

    /// Waits until [`in_flight`](Self::in_flight) is zero.
    pub(crate) async fn idle(&self) {
        if let Some(simulated) = &self.0.simulated {
            // The only error is a dropped sender, and `simulated` owns the sender.
            let _ = simulated.busy.subscribe().wait_for(|busy| *busy == 0).await;
        }
    }

    /// Applies the bucket's simulated faults, before an operation starts.
    pub(super) async fn faults(&self, bucket: &str) -> Result<(), Failure> {
        match &self.0.simulated {
            Some(simulated) => simulated.faults.apply(bucket, &*simulated.now).await,
            None => Ok(()),
        }
    }

    /// Runs blocking work on a thread of the blocking pool. In a simulation the clock stands still meanwhile; unlike bucket
    /// operations, several of these run concurrently, in no particular order.
    pub(crate) async fn aside<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, tokio::task::JoinError> {
        let _busy = self.0.simulated.as_ref().map(|simulated| Busy::begin(&simulated.busy));
        tokio::task::spawn_blocking(work).await
    }

    /// Runs one operation the way this world does I/O. `immediate`: it ends within its first poll anyway.
    pub(super) async fn perform<T, Io>(&self, immediate: bool, io: impl FnOnce(Timestamper) -> Io) -> Result<T, Failure>
    where
        T: Send + 'static,
        Io: Future<Output = Result<T, Failure>> + Send + 'static,
    {
        let Some(simulated) = &self.0.simulated else {
            return io(Timestamper(None)).await;
        };
        let _busy = Busy::begin(&simulated.busy);
        let io = io(Timestamper(Some((self.clone(), (simulated.now)()))));
        if immediate {
            return io.await;
        }
        let turn = Arc::clone(&simulated.turn).lock_owned().await;
        let helper = real_time().map_err(|error| {
            let detail = format!("the thread for a simulation's I/O cannot be started ({error})");
            Failure::new(BucketErrorKind::Other, detail)
        })?;
        let aside = tokio::task::spawn_blocking(move || {
            // The lock moves into the closure, not into the future: a dropped operation continues, and the next one still has to
            // wait for it.
            let _turn = turn;
            helper.block_on(io)
        });
        aside.await.unwrap_or_else(|error| {
            Err(Failure::new(BucketErrorKind::Other, "the simulation is shutting down").with_source(error))
        })
    }
}

/// Restores the previous world when it is dropped.
#[derive(Debug)]
pub(crate) struct Entered {
    before: Option<World>,
    /// Not `Send`: it belongs to one thread.
    _thread: PhantomData<*const ()>,
}

impl Drop for Entered {
    fn drop(&mut self) {
        ENTERED.set(self.before.take());
    }
}

impl fmt::Debug for World {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.simulated.is_some() { "World(simulated)" } else { "World(process)" })
    }
}

/// Replaces modification times with the world's own, as of the operation's start.
pub(super) struct Timestamper(Option<(World, DateTime<Utc>)>);

impl Timestamper {
    pub(super) fn written(&self, store: &Store, meta: &mut Meta) {
        if let Some((stamps, now)) = self.stamps() {
            stamps.written(store.object_id(&meta.key), meta, now);
        }
    }

    pub(super) fn read(&self, store: &Store, metas: &mut [Meta]) {
        if let Some((stamps, _)) = self.stamps() {
            for meta in metas {
                stamps.read(&store.object_id(&meta.key), meta);
            }
        }
    }

    fn stamps(&self) -> Option<(&Stamps, DateTime<Utc>)> {
        let (world, now) = self.0.as_ref()?;
        Some((&world.0.simulated.as_ref()?.stamps, *now))
    }
}

/// Counts one operation for as long as it lives.
struct Busy(watch::Sender<usize>);

impl Busy {
    fn begin(count: &watch::Sender<usize>) -> Self {
        count.send_modify(|busy| *busy += 1);
        Self(count.clone())
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.send_modify(|busy| *busy -= 1);
    }
}
