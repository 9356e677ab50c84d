//! What must hold between options: one function per rule.

use super::value::Value;
use super::{Options, Place};
use crate::error::Errors;
use crate::values::duration::show;
use crate::values::zone::Zone;
use std::time::Duration;

/// How long a sensor waits between pokes where nothing is said.
const POKE: Duration = Duration::from_mins(1);
/// How long a sensor waits in all where nothing is said.
const SENSOR_TIMEOUT: Duration = Duration::from_hours(7 * 24);

pub(crate) fn check(options: &Options, errors: &mut Errors) {
    match options.place {
        Place::Task | Place::Branch => one_wait_between_attempts(options, errors),
        Place::Sensor => {
            one_wait_between_pokes(options, errors);
            a_second_poke_fits(options, errors);
            backoff_begins_within_timeout(options, errors);
            parts_fit_the_wait(options, errors);
        }
        Place::Defaults => {
            one_wait_between_attempts(options, errors);
            one_wait_between_pokes(options, errors);
            if options.has("poke") && options.has("timeout") {
                a_second_poke_fits(options, errors);
            }
        }
        Place::Pipeline => end_follows_start(options, errors),
    }
}

/// On a task `backoff` is the wait between attempts.
fn one_wait_between_attempts(options: &Options, errors: &mut Errors) {
    only_one_of(options, "retry_delay", "backoff", "attempts", errors);
}

/// On a sensor `backoff` is the wait between pokes.
fn one_wait_between_pokes(options: &Options, errors: &mut Errors) {
    only_one_of(options, "poke", "backoff", "pokes", errors);
}

fn only_one_of(options: &Options, one: &str, other: &str, between: &str, errors: &mut Errors) {
    let both = |name: &&super::Setting| name.spec.name == one || name.spec.name == other;
    let mut given = options.settings.iter().filter(both);
    if let (Some(_), Some(second)) = (given.next(), given.next()) {
        errors.on(&second.name, format!("`{one}` and `{other}` both say how long to wait between {between}: keep one"));
    }
}

fn a_second_poke_fits(options: &Options, errors: &mut Errors) {
    if options.has("backoff") {
        return;
    }
    let (Some(poke), Some(timeout)) = (options.duration_or("poke", POKE), options.duration_or("timeout", SENSOR_TIMEOUT)) else {
        return;
    };
    if poke < timeout {
        return;
    }
    match (options.get("poke"), options.get("timeout")) {
        (Some(written), given) => {
            let unless = if given.is_some() { "" } else { " where it is not given" };
            errors.on(
                &written.written,
                format!(
                    "`poke` must be shorter than `timeout`, which is {}{unless}: the sensor would be asked only once",
                    show(timeout)
                ),
            );
        }
        (None, Some(written)) => errors.on(
            &written.written,
            format!(
                "`timeout` must be longer than `poke`, which is 1m where it is not given: add a shorter `poke`, as in \
                 `poke = \"{}\"`",
                shorter_poke(timeout)
            ),
        ),
        (None, None) => {}
    }
}

/// A round interval that leaves room for a few pokes.
fn shorter_poke(timeout: Duration) -> &'static str {
    match timeout.as_secs() {
        30.. => "10s",
        5.. => "1s",
        1.. => "200ms",
        0 => "1ms",
    }
}

fn backoff_begins_within_timeout(options: &Options, errors: &mut Errors) {
    let Some(setting) = options.get("backoff") else {
        return;
    };
    let (Some(Value::Backoff(backoff)), Some(timeout)) = (&setting.value, options.duration_or("timeout", SENSOR_TIMEOUT)) else {
        return;
    };
    if backoff.start >= timeout {
        errors.on(
            &setting.name,
            format!(
                "`backoff` must start shorter than `timeout`, which is {}: the sensor would be asked only once",
                show(timeout)
            ),
        );
    }
}

fn parts_fit_the_wait(options: &Options, errors: &mut Errors) {
    let Some(timeout) = options.duration_or("timeout", SENSOR_TIMEOUT) else {
        return;
    };
    for name in ["poke_timeout", "poke_jitter"] {
        if let Some(setting) = options.get(name)
            && let Some(Value::Duration(part)) = setting.value
            && part > timeout
        {
            errors.on(&setting.written, format!("`{name}` is longer than the whole wait: `timeout` is {}", show(timeout)));
        }
    }
}

fn end_follows_start(options: &Options, errors: &mut Errors) {
    let date = |name: &str| {
        let setting = options.get(name)?;
        match &setting.value {
            Some(Value::Date(date, text)) => Some((*date, text, setting)),
            _ => None,
        }
    };
    let zone = match options.get("timezone").map(|setting| &setting.value) {
        None => Zone::utc(),
        Some(Some(Value::Zone(zone))) => zone.clone(),
        // Unknown, and said so.
        Some(_) => return,
    };
    let (Some((start, from, _)), Some((end, _, written))) = (date("start"), date("end")) else {
        return;
    };
    if end.instant(&zone) <= start.instant(&zone) {
        errors.on(&written.written, format!("`end` must come after `start`, which is {from}"));
    }
}
