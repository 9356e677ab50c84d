//! Options that hold a list of their own: `backoff(..)` and `escalate(..)`.

use super::paths;
use super::pieces::{self, Given};
use super::table::{Shape, Spec};
use super::value::{integer, read_duration};
use crate::error::Errors;
use pipeline_syntax::{duration, limits, suggest};
use proc_macro2::{Ident, TokenStream, TokenTree};
use quote::ToTokens;
use std::time::Duration;
use syn::{ExprPath, LitFloat, LitStr, Token};

/// `backoff(start = "30s", max = "5m", factor = 2, jitter = "5s")`
pub(crate) struct Backoff {
    pub(crate) start: Duration,
    pub(crate) max: Duration,
    pub(crate) factor: Option<f64>,
    pub(crate) jitter: Option<Duration>,
}

/// One step of `escalate("60m" => page, "90m" => [page, log_it])`.
pub(crate) struct Rung {
    pub(crate) after: Duration,
    pub(crate) callbacks: Vec<ExprPath>,
}

const BACKOFF: &[&str] = &["start", "max", "factor", "jitter"];

pub(crate) fn backoff(name: &Ident, list: &TokenStream, errors: &mut Errors) -> Option<Backoff> {
    let mut seen: Vec<String> = Vec::new();
    let (mut start, mut max, mut factor, mut jitter) = (None, None, None, None);
    let mut sound = true;
    for entry in pieces::entries(list.clone(), errors) {
        let key = entry.name.to_string();
        if seen.contains(&key) {
            errors.on(&entry.name, format!("`{key}` is given twice; keep one"));
            sound = false;
            continue;
        }
        let Given::Value(value) = &entry.given else {
            errors.on(&entry.name, format!("write `{key} = ..`"));
            sound = false;
            continue;
        };
        let read = match key.as_str() {
            "start" => store(&mut start, read_duration("start", "start = \"30s\"", value, errors)),
            "max" => store(&mut max, read_duration("max", "max = \"5m\"", value, errors)),
            "jitter" => store(&mut jitter, read_duration("jitter", "jitter = \"5s\"", value, errors)),
            "factor" => store(&mut factor, read_factor(value, errors)),
            _ => {
                errors.on(&entry.name, format!("`backoff` has no `{key}`; {}", suggest::hint(&key, BACKOFF)));
                false
            }
        };
        sound &= read;
        seen.push(key);
    }
    for needed in ["start", "max"] {
        // A list with a mistake in it may well have meant the missing one.
        if sound && !seen.iter().any(|key| key == needed) {
            errors.on(name, format!("`backoff` needs `{needed}`, as in `backoff(start = \"30s\", max = \"5m\")`"));
            sound = false;
        }
    }
    let (start, max) = (start?, max?);
    if start > max {
        errors.on(
            name,
            format!(
                "`backoff` starts at {}, which is longer than its `max` of {}: raise `max`, or start sooner",
                duration::show(start),
                duration::show(max)
            ),
        );
        return None;
    }
    sound.then_some(Backoff { start, max, factor, jitter })
}

/// Whether there was something to store.
fn store<T>(slot: &mut Option<T>, read: Option<T>) -> bool {
    *slot = read;
    slot.is_some()
}

fn read_factor(tokens: &TokenStream, errors: &mut Errors) -> Option<f64> {
    let factor = match syn::parse2::<LitFloat>(tokens.clone()) {
        Ok(float) => float.base10_parse::<f64>().ok(),
        Err(_) => integer(tokens).and_then(|whole| i32::try_from(whole).ok()).map(f64::from),
    };
    let Some(factor) = factor else {
        errors.on(tokens, "`factor` takes a number, as in `factor = 2` or `factor = 1.5`");
        return None;
    };
    if let Err(why) = limits::check_factor(factor) {
        errors.on(tokens, format!("invalid factor {factor}: {why}"));
        return None;
    }
    Some(factor)
}

pub(crate) fn escalation(name: &Ident, list: &TokenStream, errors: &mut Errors) -> Option<Vec<Rung>> {
    let steps = pieces::split(list.clone(), errors);
    if steps.is_empty() {
        errors.on(name, "`escalate` needs a step, as in `escalate(\"60m\" => page)`");
        return None;
    }
    let mut rungs: Vec<Rung> = Vec::new();
    let mut sound = true;
    for step in steps {
        let Some((rung, written)) = rung(step, errors) else {
            sound = false;
            continue;
        };
        if let Some(last) = rungs.last()
            && rung.after <= last.after
        {
            errors.on(written, format!("each step comes later than the one before it, here {}", duration::show(last.after)));
            sound = false;
            continue;
        }
        rungs.push(rung);
    }
    sound.then_some(rungs)
}

fn rung(step: Vec<TokenTree>, errors: &mut Errors) -> Option<(Rung, LitStr)> {
    let all: TokenStream = step.into_iter().collect();
    let parse = |input: syn::parse::ParseStream<'_>| -> syn::Result<(LitStr, TokenStream)> {
        let after = input.parse()?;
        input.parse::<Token![=>]>()?;
        Ok((after, input.parse()?))
    };
    let Ok((written, callbacks)) = syn::parse::Parser::parse2(parse, all.clone()) else {
        errors.on(all, "write a step as `\"60m\" => page` or `\"60m\" => [page, log_it]`");
        return None;
    };
    let after = read_duration("escalate", "escalate(\"60m\" => page)", &written.to_token_stream(), errors);
    if callbacks.is_empty() {
        errors.on(&all, "write a step as `\"60m\" => page` or `\"60m\" => [page, log_it]`");
        return None;
    }
    let spec = Spec::unlisted("escalate", Shape::Callbacks, "escalate(\"60m\" => page)");
    let callbacks = paths::callbacks(&spec, &callbacks, errors);
    Some((Rung { after: after?, callbacks: callbacks? }, written))
}
