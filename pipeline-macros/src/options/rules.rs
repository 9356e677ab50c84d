//! Rules about several options: one function per rule.

use super::value::Value;
use super::{Options, Owner};
use crate::error::Errors;
use pipeline_syntax::date::{self, DateError};
use pipeline_syntax::duration::show;
use pipeline_syntax::limits::{self, POKE, SENSOR_TIMEOUT};
use pipeline_syntax::zone::Zone;
use std::time::Duration;

pub(crate) fn check(options: &Options, errors: &mut Errors) {
    match options.owner {
        Owner::Task | Owner::Branch => one_wait_between_attempts(options, errors),
        Owner::Sensor => {
            one_wait_between_pokes(options, errors);
            a_second_poke_fits(options, errors);
            backoff_begins_within_timeout(options, errors);
            parts_fit_the_wait(options, errors);
        }
        Owner::Defaults | Owner::SharedDefaults => {
            one_wait_between_attempts(options, errors);
            one_wait_between_pokes(options, errors);
            if options.has("poke") && options.has("timeout") {
                a_second_poke_fits(options, errors);
            }
        }
        Owner::Pipeline => {
            start_and_end_are_a_window(options, errors);
            only_one_of(options, "schedule", "when", "when a run begins", errors);
        }
        Owner::Arms => {}
    }
}

/// On a task `backoff` is the wait between attempts.
fn one_wait_between_attempts(options: &Options, errors: &mut Errors) {
    only_one_of(options, "retry_delay", "backoff", "the wait between attempts", errors);
}

/// On a sensor `backoff` is the wait between pokes.
fn one_wait_between_pokes(options: &Options, errors: &mut Errors) {
    only_one_of(options, "poke", "backoff", "the wait between pokes", errors);
}

fn only_one_of(options: &Options, one: &str, other: &str, what: &str, errors: &mut Errors) {
    let is_either = |option: &&super::ParsedOption| option.spec.name == one || option.spec.name == other;
    let mut written = options.parsed.iter().filter(is_either);
    if let (Some(_), Some(second)) = (written.next(), written.next()) {
        errors.on(&second.name, format!("`{one}` and `{other}` both set {what}: keep one"));
    }
}

fn a_second_poke_fits(options: &Options, errors: &mut Errors) {
    if options.has("backoff") {
        return;
    }
    let (Some(poke), Some(timeout)) = (options.duration_or("poke", POKE), options.duration_or("timeout", SENSOR_TIMEOUT)) else {
        return;
    };
    if limits::is_poked_again(poke, timeout) {
        return;
    }
    match (options.get("poke"), options.get("timeout")) {
        (Some(poke), timeout_option) => {
            let unless = if timeout_option.is_some() { "" } else { " by default" };
            errors.on(
                &poke.tokens,
                format!(
                    "`poke` must be shorter than `timeout`, which is {}{unless}: the sensor would be poked only once",
                    show(timeout)
                ),
            );
        }
        (None, Some(option)) => errors.on(
            &option.tokens,
            format!(
                "`timeout` must be longer than `poke`, which is 1m by default: add a shorter `poke`, as in \
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
    let Some(option) = options.get("backoff") else {
        return;
    };
    let (Some(Value::Backoff(backoff)), Some(timeout)) = (&option.value, options.duration_or("timeout", SENSOR_TIMEOUT)) else {
        return;
    };
    if backoff.start.literal().is_some_and(|start| !limits::is_poked_again(start, timeout)) {
        errors.on(
            &option.name,
            format!(
                "`start` of `backoff` must be shorter than `timeout`, which is {}: the sensor would be poked only once",
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
        if let Some(option) = options.get(name)
            && let Some(Value::Duration(part)) = option.value
            && !limits::fits_the_wait(part, timeout)
        {
            errors.on(&option.tokens, format!("`{name}` must not be longer than `timeout`, which is {}", show(timeout)));
        }
    }
}

/// Checks the dates in the zone of the schedule, whose clock may show a time twice or never.
fn start_and_end_are_a_window(options: &Options, errors: &mut Errors) {
    let text = |name: &str| match options.get(name).map(|option| &option.value) {
        Some(Some(Value::Date(text))) => Some(text.as_str()),
        _ => None,
    };
    let utc = Zone::utc();
    let zone = match options.get("timezone").map(|option| &option.value) {
        None => &utc,
        Some(Some(Value::Zone(zone))) => zone,
        // Reported already, or a constant, which the plan checks.
        Some(_) => return,
    };
    if let Some(Some(Value::Every(recurrence))) = options.get("schedule").map(|option| &option.value)
        && let Err(refused) = date::window(Some(&recurrence.from), None, zone)
    {
        errors.on(&recurrence.written_from, format!("invalid date: {}", refused.error));
    }
    let Err(refused) = date::window(text("start"), text("end"), zone) else { return };
    if let Some(option) = options.get(refused.option) {
        let why = match *refused.error {
            DateError::EndBeforeStart { start, .. } => format!("`end` must not come before `start`, which is {start}"),
            other => format!("invalid date: {other}"),
        };
        errors.on(&option.tokens, why);
    }
}
