//! The requested changes, as they are written on the command line and in a URL.

use super::recorded::Recording;
use super::{ArrivalTime, WhatIfError};
use crate::author::keys::{names, without_key};
use crate::plan::{Delay, NodeIx, Plan};
use pipeline_syntax::duration::{self, Zero};
use pipeline_syntax::suggest;
use std::collections::BTreeMap;
use std::time::Duration;

/// The changes to make to a run.
#[derive(Debug, Clone, Default)]
pub(crate) struct Assumptions {
    arrivals: Vec<(String, Arrival)>,
    failures: Vec<Failure>,
    options: Vec<(String, Change)>,
    slots: Vec<(String, u32)>,
}

/// When what a sensor looks for is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Arrival {
    /// After the run's start.
    At(Duration),
    Later(Duration),
    Earlier(Duration),
    Never,
}

/// An attempt that fails.
#[derive(Debug, Clone)]
struct Failure {
    node: String,
    attempt: u32,
    error: String,
}

/// Another value of an option.
#[derive(Debug, Clone, Copy)]
enum Change {
    Poke(Duration),
    Timeout(Duration),
    Retries(u32),
    RetryDelay(Duration),
}

/// The error of a failure that is given without a text.
const FAILED: &str = "it fails in this simulation";

impl Assumptions {
    /// Parses changes. Each is a pair as on the command line or in the arguments of a URL: `arrive`, `fail`, `set` or `slots`,
    /// and its text.
    pub(crate) fn of<'a>(given: impl IntoIterator<Item = (&'a str, &'a str)>) -> Result<Self, WhatIfError> {
        given.into_iter().try_fold(Self::default(), |assumptions, (what, text)| match what {
            "arrive" => assumptions.arrive(text),
            "fail" => assumptions.fail(text),
            "set" => assumptions.set(text),
            "slots" => assumptions.slots(text),
            _ => Err(wrong(what, "unknown parameter, expected `arrive`, `fail`, `set` or `slots`")),
        })
    }

    /// Changes when what a sensor looks for is there: `NODE=+20m` later than in the run, `-5m` earlier, `20m` after the run's
    /// start, `never`.
    pub(crate) fn arrive(mut self, text: &str) -> Result<Self, WhatIfError> {
        let form = "write NODE=TIME: `export=+20m` later than in the run, `-5m` earlier, `20m` after the run's start, or `never`";
        let (node, time) = text.rsplit_once('=').filter(|(node, _)| !node.is_empty()).ok_or_else(|| wrong(text, form))?;
        let parse = |time: &str| duration::parse(time, Zero::Allowed).map_err(|why| wrong(text, &format!("{why}; {form}")));
        let arrival = match (time.strip_prefix('+'), time.strip_prefix('-')) {
            _ if time == "never" => Arrival::Never,
            (Some(later), _) => Arrival::Later(parse(later)?),
            (_, Some(earlier)) => Arrival::Earlier(parse(earlier)?),
            _ => Arrival::At(parse(time)?),
        };
        self.arrivals.push((node.to_owned(), arrival));
        Ok(self)
    }

    /// Makes an attempt fail: `NODE@ATTEMPT`, or with its error, `NODE@ATTEMPT=ERROR`.
    pub(crate) fn fail(mut self, text: &str) -> Result<Self, WhatIfError> {
        let form = "write NODE@ATTEMPT or NODE@ATTEMPT=ERROR, as in `load@1=503`; attempts count from 1";
        // The key of an element may contain both characters.
        let parsed = text.match_indices('@').find_map(|(at, _)| {
            let (node, rest) = (&text[..at], &text[at + 1..]);
            let (number, error) = rest.split_once('=').unwrap_or((rest, FAILED));
            let attempt: u32 = number.parse().ok().filter(|attempt| *attempt > 0)?;
            (!node.is_empty()).then(|| Failure { node: node.to_owned(), attempt, error: error.to_owned() })
        });
        self.failures.push(parsed.ok_or_else(|| wrong(text, form))?);
        Ok(self)
    }

    /// Changes the value of an option: `NODE.OPTION=VALUE`, of `poke`, `timeout`, `retries` and `retry_delay`.
    pub(crate) fn set(mut self, text: &str) -> Result<Self, WhatIfError> {
        let form =
            "write NODE.OPTION=VALUE, as in `export.poke=20s`; the options are `poke`, `timeout`, `retries` and `retry_delay`";
        let split = text.rsplit_once('=').and_then(|(at, value)| Some((at.rsplit_once('.')?, value)));
        let ((node, option), value) = split.filter(|((node, _), _)| !node.is_empty()).ok_or_else(|| wrong(text, form))?;
        let time = |zero| duration::parse(value, zero).map_err(|why| wrong(text, &why));
        let change = match option {
            "poke" => Change::Poke(time(Zero::Refused)?),
            "timeout" => Change::Timeout(time(Zero::Refused)?),
            "retry_delay" => Change::RetryDelay(time(Zero::Allowed)?),
            "retries" => {
                Change::Retries(value.parse().map_err(|_| wrong(text, &format!("`{value}` is not a number of retries")))?)
            }
            _ => return Err(wrong(text, &format!("there is no option `{option}` here; {form}"))),
        };
        self.options.push((node.to_owned(), change));
        Ok(self)
    }

    /// Changes the number of slots of a pool: `POOL=SLOTS`.
    pub(crate) fn slots(mut self, text: &str) -> Result<Self, WhatIfError> {
        let form = "write POOL=SLOTS, as in `database=4`; a pool has at least one slot";
        let split = text.rsplit_once('=').filter(|(pool, _)| !pool.is_empty());
        let parsed = split.and_then(|(pool, slots)| Some((pool, slots.parse::<u32>().ok().filter(|slots| *slots > 0)?)));
        let (pool, slots) = parsed.ok_or_else(|| wrong(text, form))?;
        self.slots.push((pool.to_owned(), slots));
        Ok(self)
    }

    /// Checks that the run has everything that the changes name.
    pub(super) fn check(&self, recording: &Recording, plan: &Plan) -> Result<(), WhatIfError> {
        for (id, _) in &self.arrivals {
            if plan.policy(body(recording, plan, id)?).sensor.is_none() {
                return Err(wrong(id, "it is not a sensor: only what sensors wait for arrives"));
            }
        }
        for failure in &self.failures {
            body(recording, plan, &failure.node)?;
        }
        for (id, change) in &self.options {
            if id.contains('[') {
                return Err(wrong(id, "an option holds for all elements of a mapping: leave out the brackets"));
            }
            let is_sensor = plan.policy(body(recording, plan, id)?).sensor.is_some();
            if matches!(change, Change::Poke(_)) && !is_sensor {
                return Err(wrong(id, "it is not a sensor, and has no `poke`"));
            }
        }
        for (pool, _) in &self.slots {
            let known: Vec<&str> = plan.pools.iter().map(|pool| pool.name).collect();
            if !known.contains(&pool.as_str()) {
                return Err(wrong(pool, &format!("the pipeline has no such pool{}", hint(pool, &known))));
            }
        }
        Ok(())
    }

    /// Applies the changed options to the plan.
    pub(super) fn change(&self, plan: &mut Plan) {
        for (id, change) in &self.options {
            let Some(node) = plan.find(id) else { continue };
            plan.alter(node, |policy| match (change, &mut policy.sensor) {
                (Change::Poke(poke), Some(sensor)) => sensor.poke = Delay::always(*poke),
                (Change::Timeout(timeout), Some(sensor)) => sensor.timeout = *timeout,
                (Change::Timeout(timeout), None) => policy.limit = Some(*timeout),
                (Change::Retries(retries), _) => policy.retries = *retries,
                (Change::RetryDelay(delay), _) => policy.retry_delay = Delay::always(*delay),
                // `check` refuses a `poke` on a node that is not a sensor.
                (Change::Poke(_), None) => {}
            });
        }
        for (pool, slots) in &self.slots {
            plan.set_slots(pool, *slots);
        }
    }

    /// For each sensor of the run, when what it looks for is there.
    pub(super) fn arrivals(&self, recording: &Recording) -> BTreeMap<String, ArrivalTime> {
        let sensors = recording.nodes.iter().filter_map(|(id, recorded)| Some((id, recorded.finding.as_ref()?)));
        let mut arrivals: BTreeMap<String, ArrivalTime> = sensors
            .map(|(id, finding)| {
                (
                    id.clone(),
                    ArrivalTime {
                        recorded: finding.arrived,
                        assumed: finding.arrived.map(|window| finding.assumed_arrival(&window)),
                    },
                )
            })
            .collect();
        for (id, arrival) in &self.arrivals {
            let of_id = arrivals.entry(id.clone()).or_insert(ArrivalTime { recorded: None, assumed: None });
            of_id.assumed = match arrival {
                Arrival::At(at) => Some(*at),
                Arrival::Later(later) => of_id.assumed.map(|assumed| assumed + *later),
                Arrival::Earlier(earlier) => of_id.assumed.map(|assumed| assumed.saturating_sub(*earlier)),
                Arrival::Never => None,
            };
        }
        arrivals
    }

    /// True if the changes say when what the sensor looks for is there.
    pub(super) fn arrives(&self, id: &str) -> bool {
        self.arrivals.iter().any(|(of, _)| of == id)
    }

    /// The error of an attempt that is to fail.
    pub(super) fn failure(&self, id: &str, attempt: u32) -> Option<&str> {
        let is_of = |failure: &&Failure| failure.attempt == attempt && names(&failure.node, id);
        self.failures.iter().rev().find(is_of).map(|failure| failure.error.as_str())
    }
}

/// The node with that id, which must have a body.
fn body(recording: &Recording, plan: &Plan, id: &str) -> Result<NodeIx, WhatIfError> {
    let name = without_key(id);
    let found = plan.find(name).filter(|node| plan.node(*node).is_body());
    let is_there = name == id || recording.nodes.contains_key(id);
    found.filter(|_| is_there).ok_or_else(|| {
        let known: Vec<String> = plan.bodies().map(|(node, _)| plan.id(node)).collect();
        let known: Vec<&str> = known.iter().map(String::as_str).collect();
        wrong(id, &format!("the run has no such node{}", hint(name, &known)))
    })
}

fn hint(typed: &str, known: &[&str]) -> String {
    match suggest::nearest(typed, known) {
        Some(near) => format!("; did you mean `{near}`?"),
        None => format!("; it has {}", suggest::list(known)),
    }
}

fn wrong(what: &str, why: &str) -> WhatIfError {
    WhatIfError::Wrong { what: format!("`{what}`"), why: why.to_owned() }
}
