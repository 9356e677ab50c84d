//! Options as they hold for one node: override before attribute before the pipeline's defaults before the documented default.

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
/// The slots of the pool of nodes that name none, unless `--parallelism` says otherwise.
pub(crate) const DEFAULT_PARALLELISM: u32 = 128;

/// What holds for a node. Nodes with the same options share one.
#[derive(Debug, Clone)]
pub(crate) struct Policy {
    pub(crate) retries: u32,
    pub(crate) retry_delay: Delay,
    /// The limit of one attempt; of a sensor, of one poke.
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
    /// Whoever hosts a run wakes it, and it has no ticks.
    pub(crate) is_woken: bool,
}

impl SensorPolicy {
    /// When the wait is over, of one whose budget counts from then; [`Timestamp::NEVER`] where no time holds that. Nobody else computes it.
    pub(crate) fn deadline(&self, budget_from: Timestamp) -> Timestamp {
        budget_from + self.timeout
    }
}

/// Waits, numbered from 0.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Delay {
    /// All the same, each with a random addition of up to the second.
    Fixed(Duration, Duration),
    Growing(Backoff),
}

impl Delay {
    /// The k-th wait; `random` is a fraction, the same for the same wait of the same run.
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

/// What holds for a run.
#[derive(Debug, Clone, Default)]
pub(crate) struct RunPolicy {
    pub(crate) timeout: Option<Duration>,
    /// The `sla` as it was given, whether or not anybody is told of it.
    pub(crate) sla: Option<Duration>,
    /// When `on_sla_miss` or a rung of the ladder is called, and who.
    pub(crate) slas: Vec<(Duration, NotifierIx)>,
    pub(crate) callbacks: Vec<(Event, NotifierIx)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PoolSpec {
    pub(crate) name: &'static str,
    pub(crate) slots: u32,
}

/// The levels at which an option may be given, the nearest first.
pub(super) struct Levels<'a> {
    all: &'a [&'a TaskOptions],
    /// How many of them stand where the node is wired: its own, and those of the groups around it.
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

    /// The delays of one purpose: a fixed one and a growing one exclude each other, the nearest wins.
    fn delay(&self, fixed: impl Fn(&TaskOptions) -> Option<Duration>, grows: bool, default: Duration, jitter: Duration) -> Delay {
        let of = |options: &TaskOptions| match options.backoff.filter(|_| grows) {
            Some(backoff) => Some(Delay::Growing(backoff)),
            None => fixed(options).map(|wait| Delay::Fixed(wait, jitter)),
        };
        self.first(of).unwrap_or(Delay::Fixed(default, jitter))
    }

    /// Of a sensor. One that is woken has no ticks, unless it is given some where it is wired: it is poked at its deadline again.
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
