//! Options with a list of their own: `backoff(..)`, `escalate(..)` and `schedule(..)`.

use super::paths;
use super::pieces::{self, Given};
use super::table::{Shape, Spec};
use super::value::{self, Length, integer, read_length};
use crate::error::Errors;
use pipeline_syntax::{duration, limits, suggest};
use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use quote::ToTokens;
use syn::{ExprPath, LitFloat, LitStr, Token};

/// `backoff(start = "30s", max = "5m", factor = 2, jitter = "5s")`
pub(crate) struct Backoff {
    pub(crate) start: Length,
    pub(crate) max: Length,
    pub(crate) factor: Option<f64>,
    pub(crate) jitter: Option<Length>,
}

/// One step of `escalate("60m" => page, "90m" => [page, log_it])`.
pub(crate) struct Rung {
    pub(crate) after: Length,
    pub(crate) callbacks: Vec<ExprPath>,
}

const BACKOFF: Names = Names {
    known: &["start", "max", "factor", "jitter"],
    needed: &["start", "max"],
    example: "backoff(start = \"30s\", max = \"5m\")",
};

pub(crate) fn backoff(name: &Ident, list: &TokenStream, errors: &mut Errors) -> Option<Backoff> {
    let (mut start, mut max, mut factor, mut jitter) = (None, None, None, None);
    let sound = named(name, list, &BACKOFF, errors, |key, value, equals, errors| match key {
        "start" => store(&mut start, read_length("start", "start = \"30s\"", value, equals, errors)),
        "max" => store(&mut max, read_length("max", "max = \"5m\"", value, equals, errors)),
        "jitter" => store(&mut jitter, read_length("jitter", "jitter = \"5s\"", value, equals, errors)),
        _ => store(&mut factor, read_factor(value, errors)),
    });
    let (start, max) = (start?, max?);
    // Constants are compared by rustc, when it evaluates them.
    if let (Some(start), Some(max)) = (start.written(), max.written())
        && start > max
    {
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

/// The names in a list of named values.
struct Names {
    known: &'static [&'static str],
    /// The required names.
    needed: &'static [&'static str],
    example: &'static str,
}

/// Reads each value of a list with `read`, which returns whether the value is valid. Returns whether all values are valid and no
/// required one is missing.
fn named(
    of: &Ident,
    list: &TokenStream,
    names: &Names,
    errors: &mut Errors,
    mut read: impl FnMut(&str, &TokenStream, Span, &mut Errors) -> bool,
) -> bool {
    let mut seen: Vec<String> = Vec::new();
    let mut sound = true;
    for entry in pieces::entries(list.clone(), errors) {
        let key = entry.name.to_string();
        if seen.contains(&key) {
            errors.on(&entry.name, format!("`{key}` is given twice; keep one"));
            sound = false;
            continue;
        }
        let Given::Value(value, equals) = &entry.given else {
            errors.on(&entry.name, format!("write `{key} = ..`"));
            sound = false;
            continue;
        };
        if names.known.contains(&key.as_str()) {
            sound &= read(&key, value, *equals, errors);
        } else {
            errors.on(&entry.name, format!("`{of}` has no `{key}`; {}", suggest::hint(&key, names.known)));
            sound = false;
        }
        seen.push(key);
    }
    for needed in names.needed {
        // In a list with a mistake, the missing name may be the mistyped one.
        if sound && !seen.iter().any(|key| key == needed) {
            errors.on(of, format!("`{of}` needs `{needed}`, as in `{}`", names.example));
            sound = false;
        }
    }
    sound
}

/// Stores a value that was read. Returns whether there was one.
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
        if let Some(last) = rungs.last().and_then(|last| last.after.written())
            && rung.after.written().is_some_and(|after| after <= last)
        {
            errors.on(written, format!("each step comes later than the one before it, here {}", duration::show(last)));
            sound = false;
            continue;
        }
        rungs.push(rung);
    }
    sound.then_some(rungs)
}

fn rung(step: Vec<TokenTree>, errors: &mut Errors) -> Option<(Rung, TokenStream)> {
    let all: TokenStream = step.into_iter().collect();
    let parse = |input: syn::parse::ParseStream<'_>| -> syn::Result<(TokenStream, Span, TokenStream)> {
        let after = if input.peek(LitStr) {
            input.parse::<LitStr>()?.into_token_stream()
        } else {
            input.parse::<ExprPath>()?.into_token_stream()
        };
        let arrow = input.parse::<Token![=>]>()?.spans[0];
        Ok((after, arrow, input.parse()?))
    };
    let Ok((written, arrow, callbacks)) = syn::parse::Parser::parse2(parse, all.clone()) else {
        errors.on(all, "write a step as `\"60m\" => page` or `\"60m\" => [page, log_it]`");
        return None;
    };
    let after = read_length("escalate", "escalate(\"60m\" => page)", &written, arrow, errors);
    if callbacks.is_empty() {
        errors.on(&all, "write a step as `\"60m\" => page` or `\"60m\" => [page, log_it]`");
        return None;
    }
    let spec = Spec::unlisted("escalate", Shape::Callbacks, "escalate(\"60m\" => page)");
    let callbacks = paths::callbacks(&spec, &callbacks, errors);
    Some((Rung { after: after?, callbacks: callbacks? }, written))
}

/// `every = "4w", from = "2023-05-16"`, in `schedule(..)` or `every!`.
pub(crate) struct Recurrence {
    pub(crate) every: String,
    pub(crate) from: String,
    /// The tokens of `from`, to report errors at.
    pub(crate) written_from: TokenStream,
}

const RECURRENCE: Names =
    Names { known: &["every", "from"], needed: &["every", "from"], example: "every = \"4w\", from = \"2024-01-31\"" };

pub(crate) fn recurrence(name: &Ident, list: &TokenStream, errors: &mut Errors) -> Option<Recurrence> {
    let (mut every, mut from) = (None, None);
    let sound = named(name, list, &RECURRENCE, errors, |key, value, _, errors| {
        if key == "every" {
            return store(&mut every, value::read_every(value, errors));
        }
        let read = value::read_date("from", "from = \"2024-01-31\"", value, errors);
        store(&mut from, read.map(|date| (date, value.clone())))
    });
    let (every, (from, written_from)) = (every?, from?);
    sound.then(|| Recurrence { every, from, written_from })
}
