//! The effective options of one node: an override precedes the attribute, which precedes the pipeline's defaults, which precede
//! the documented default.

use crate::author::definition::Kind;
use crate::author::notify::Event;
use crate::author::options::{Backoff, Mode, OnTimeout, TaskOptions};
use crate::time::Timestamp;
use pipeline_syntax::limits::{POKE, POKE_TIMEOUT, RETRY_DELAY, SENSOR_TIMEOUT};
use std::time::Duration;

/// A pool's index in its plan. The first is `default_pool`.
pub(crate) type PoolIx = u32;
/// A notifier's index in its plan.
pub(crate) type NotifierIx = u32;

pub(crate) const DEFAULT_POOL: &str = "default_pool";
/// The slots of the default pool, unless `--parallelism` sets another number.
pub(crate) const DEFAULT_PARALLELISM: u32 = 128;

/// The effective options of a node. Nodes with the same options share one.
#[derive(Debug, Clone)]
pub(crate) struct Policy {
    pub(crate) retries: u32,
    pub(crate) retry_delay: Delay,
    /// The time limit of one attempt; for a sensor, of one poke.
    pub(crate) limit: Option<Duration>,
    pub(crate) pool: PoolIx,
    pub(crate) priority: i32,
    pub(crate) sla: Option<Duration>,
    pub(crate) callbacks: Box<[(Event, NotifierIx)]>,
    pub(crate) sensor: Option<Box<SensorPolicy>>,
}

#[derive(Debug, Clone)]
pub(crate) struct SensorPolicy {
    pub(crate) timeout: Duration,
    pub(crate) poke: Delay,
    pub(crate) on_timeout: OnTimeout,
    pub(crate) mode: Mode,
    /// True if the run's host wakes it, so that it has no ticks.
    pub(crate) is_woken: bool,
}

impl SensorPolicy {
    /// When the wait ends if its budget counts from `budget_from`; [`Timestamp::NEVER`] if that cannot be represented. It is
    /// computed only here.
    pub(crate) fn deadline(&self, budget_from: Timestamp) -> Timestamp {
        budget_from + self.timeout
    }
}

/// Waits, numbered from 0.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Delay {
    /// A constant wait, with a random addition of up to the second value.
    Fixed(Duration, Duration),
    Growing(Backoff),
}

impl Delay {
    /// The k-th wait; `random` is a fraction, which is the same for the same wait of the same run.
    pub(crate) fn wait(&self, k: u32, random: impl FnOnce() -> f64) -> Duration {
        let (wait, jitter) = match self {
            Self::Fixed(wait, jitter) => (*wait, *jitter),
            Self::Growing(backoff) => (backoff.wait(k), backoff.jitter()),
        };
        if jitter.is_zero() {
            return wait;
        }
        let addition = jitter.mul_f64(random().clamp(0.0, 1.0));
        wait.saturating_add(Duration::from_millis(u64::try_from(addition.as_millis()).unwrap_or(u64::MAX)))
    }
}

/// The effective options of a run.
#[derive(Debug, Clone, Default)]
pub(crate) struct RunPolicy {
    pub(crate) timeout: Option<Duration>,
    /// The `sla` as it was given, whether or not it has a callback.
    pub(crate) sla: Option<Duration>,
    /// The times and notifiers of `on_sla_miss` and of the steps of escalation.
    pub(crate) slas: Vec<(Duration, NotifierIx)>,
    pub(crate) callbacks: Vec<(Event, NotifierIx)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PoolSpec {
    pub(crate) name: &'static str,
    pub(crate) slots: u32,
}

/// The levels at which an option may be set, the nearest first.
pub(super) struct Levels<'a> {
    all: &'a [&'a TaskOptions],
    /// The number of levels at the node's wiring: its own, and those of the enclosing groups.
    wired: usize,
}

impl<'a> Levels<'a> {
    pub(super) fn new(all: &'a [&'a TaskOptions], wired: usize) -> Self {
        Self { all, wired }
    }

    pub(super) fn first<T>(&self, option: impl Fn(&TaskOptions) -> Option<T>) -> Option<T> {
        self.all.iter().copied().find_map(option)
    }

    /// The callbacks for an event are those of the nearest level that names any.
    pub(super) fn callbacks(&self, event: Event) -> impl Iterator<Item = &crate::author::notify::Callback> {
        let of = move |options: &&TaskOptions| options.callbacks.iter().any(|callback| callback.event == event);
        let nearest = self.all.iter().copied().find(of);
        nearest
            .into_iter()
            .flat_map(|options| &options.callbacks)
            .filter(move |callback| callback.event == event && !callback.is_nobody())
    }

    /// The delay for one purpose: a constant one and a growing one exclude each other, and the nearest wins.
    fn delay(&self, fixed: impl Fn(&TaskOptions) -> Option<Duration>, grows: bool, default: Duration, jitter: Duration) -> Delay {
        let of = |options: &TaskOptions| match options.backoff.filter(|_| grows) {
            Some(backoff) => Some(Delay::Growing(backoff)),
            None => fixed(options).map(|wait| Delay::Fixed(wait, jitter)),
        };
        self.first(of).unwrap_or(Delay::Fixed(default, jitter))
    }

    /// The policy of a sensor. A sensor that is woken has no ticks, unless some are set where it is wired: otherwise it is poked
    /// again only at its deadline.
    pub(super) fn sensor(&self, kind: Kind, is_woken: impl FnOnce() -> bool) -> Option<Box<SensorPolicy>> {
        if kind != Kind::Sensor {
            return None;
        }
        let jitter = self.first(|options| options.poke_jitter).unwrap_or_default();
        let timeout = self.first(|options| options.timeout).unwrap_or(SENSOR_TIMEOUT);
        let has_ticks = self.all[..self.wired].iter().any(|options| options.poke.is_some() || options.backoff.is_some());
        let is_woken = !has_ticks && is_woken();
        Some(Box::new(SensorPolicy {
            timeout,
            poke: if is_woken {
                Delay::Fixed(timeout, Duration::ZERO)
            } else {
                self.delay(|options| options.poke, true, POKE, jitter)
            },
            on_timeout: self.first(|options| options.on_timeout).unwrap_or_default(),
            mode: self.first(|options| options.mode).unwrap_or_default(),
            is_woken,
        }))
    }

    pub(super) fn retry_delay(&self, kind: Kind) -> Delay {
        self.delay(|options| options.retry_delay, kind != Kind::Sensor, RETRY_DELAY, Duration::ZERO)
    }

    /// The limit of one attempt or poke.
    pub(super) fn limit(&self, sensor: Option<&SensorPolicy>) -> Option<Duration> {
        match sensor {
            None => self.first(|options| options.timeout),
            Some(sensor) => Some(self.first(|options| options.poke_timeout).unwrap_or_else(|| match sensor.poke {
                Delay::Fixed(poke, _) => poke.min(POKE_TIMEOUT),
                Delay::Growing(backoff) => backoff.start().min(POKE_TIMEOUT),
            })),
        }
    }
}
