//! Options with a list of their own: `backoff(..)`, `escalate(..)` and `schedule(..)`.

use super::paths;
use super::pieces::{self, Argument};
use super::table::{Shape, Spec};
use super::value::{self, DurationArg, integer, read_duration_arg};
use crate::error::Errors;
use pipeline_syntax::{duration, limits, suggest};
use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use quote::ToTokens;
use syn::{ExprPath, LitFloat, LitStr, Token};

/// `backoff(start = "30s", max = "5m", factor = 2, jitter = "5s")`
pub(crate) struct Backoff {
    /// The first wait.
    pub(crate) start: DurationArg,
    /// The longest wait.
    pub(crate) max: DurationArg,
    /// The growth from one wait to the next.
    pub(crate) factor: Option<f64>,
    /// The longest random addition to a wait.
    pub(crate) jitter: Option<DurationArg>,
}

/// One step of `escalate("60m" => page, "90m" => [page, log_it])`.
pub(crate) struct EscalationStep {
    /// The time since the run's start.
    pub(crate) after: DurationArg,
    pub(crate) callbacks: Vec<ExprPath>,
}

const BACKOFF: NamedList = NamedList {
    allowed: &["start", "max", "factor", "jitter"],
    required: &["start", "max"],
    example: "backoff(start = \"30s\", max = \"5m\")",
};

pub(crate) fn backoff(name: &Ident, list: &TokenStream, errors: &mut Errors) -> Option<Backoff> {
    let (mut start, mut max, mut factor, mut jitter) = (None, None, None, None);
    let valid = read_named_list(name, list, &BACKOFF, errors, |key, value, equals, errors| match key {
        "start" => store(&mut start, read_duration_arg("start", "start = \"30s\"", value, equals, errors)),
        "max" => store(&mut max, read_duration_arg("max", "max = \"5m\"", value, equals, errors)),
        "jitter" => store(&mut jitter, read_duration_arg("jitter", "jitter = \"5s\"", value, equals, errors)),
        _ => store(&mut factor, read_factor(value, errors)),
    });
    let (start, max) = (start?, max?);
    // Constants are compared by rustc, when it evaluates them.
    if let (Some(start), Some(max)) = (start.literal(), max.literal())
        && start > max
    {
        errors.on(
            name,
            format!(
                "`start` of `backoff` is {}, longer than its `max` of {}: raise `max` or lower `start`",
                duration::show(start),
                duration::show(max)
            ),
        );
        return None;
    }
    valid.then_some(Backoff { start, max, factor, jitter })
}

/// A list of named values, such as `backoff(start = .., max = ..)`.
struct NamedList {
    /// The names that may be there.
    allowed: &'static [&'static str],
    /// The names that must be there.
    required: &'static [&'static str],
    example: &'static str,
}

/// Reads each value of a list with `read`, which returns whether the value is valid. Returns whether all values are valid and no
/// required one is missing.
fn read_named_list(
    of: &Ident,
    tokens: &TokenStream,
    list: &NamedList,
    errors: &mut Errors,
    mut read: impl FnMut(&str, &TokenStream, Span, &mut Errors) -> bool,
) -> bool {
    let mut seen: Vec<String> = Vec::new();
    let mut valid = true;
    for entry in pieces::entries(tokens.clone(), errors) {
        let key = entry.name.to_string();
        if seen.contains(&key) {
            errors.on(&entry.name, format!("`{key}` is given twice; keep one"));
            valid = false;
            continue;
        }
        let Argument::Value(value, equals) = &entry.argument else {
            errors.on(&entry.name, format!("`{key}` needs a value: write `{key} = ..`"));
            valid = false;
            continue;
        };
        if list.allowed.contains(&key.as_str()) {
            valid &= read(&key, value, *equals, errors);
        } else {
            errors.on(&entry.name, format!("`{of}` has no `{key}`; {}", suggest::hint(&key, list.allowed)));
            valid = false;
        }
        seen.push(key);
    }
    for required in list.required {
        // In a list with a mistake, the missing name may be the mistyped one.
        if valid && !seen.iter().any(|key| key == required) {
            errors.on(of, format!("`{of}` needs `{required}`, as in `{}`", list.example));
            valid = false;
        }
    }
    valid
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

pub(crate) fn escalation(name: &Ident, list: &TokenStream, errors: &mut Errors) -> Option<Vec<EscalationStep>> {
    let steps = pieces::split(list.clone(), errors);
    if steps.is_empty() {
        errors.on(name, "`escalate` needs a step, as in `escalate(\"60m\" => page)`");
        return None;
    }
    let mut read: Vec<EscalationStep> = Vec::new();
    let mut valid = true;
    for step in steps {
        let Some((step, after)) = escalation_step(step, errors) else {
            valid = false;
            continue;
        };
        if let Some(last) = read.last().and_then(|last| last.after.literal())
            && step.after.literal().is_some_and(|this| this <= last)
        {
            errors.on(after, format!("each step must come later than the one before it, which is at {}", duration::show(last)));
            valid = false;
            continue;
        }
        read.push(step);
    }
    valid.then_some(read)
}

/// Reads one step. Returns also the tokens of its time, to report errors at.
fn escalation_step(step: Vec<TokenTree>, errors: &mut Errors) -> Option<(EscalationStep, TokenStream)> {
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
        errors.on(all, "expected a step, as in `\"60m\" => page` or `\"60m\" => [page, log_it]`");
        return None;
    };
    let after = read_duration_arg("escalate", "escalate(\"60m\" => page)", &written, arrow, errors);
    if callbacks.is_empty() {
        errors.on(&all, "expected a step, as in `\"60m\" => page` or `\"60m\" => [page, log_it]`");
        return None;
    }
    let spec = Spec::unlisted("escalate", Shape::Callbacks, "escalate(\"60m\" => page)");
    let callbacks = paths::callbacks(&spec, &callbacks, errors);
    Some((EscalationStep { after: after?, callbacks: callbacks? }, written))
}

/// `every = "4w", from = "2023-05-16"`, in `schedule(..)` or `every!`.
pub(crate) struct Recurrence {
    /// The time between two ticks.
    pub(crate) every: String,
    /// The date of a tick, from which the others are counted.
    pub(crate) from: String,
    /// The tokens of `from`, to report errors at.
    pub(crate) written_from: TokenStream,
}

const RECURRENCE: NamedList =
    NamedList { allowed: &["every", "from"], required: &["every", "from"], example: "every = \"4w\", from = \"2024-01-31\"" };

pub(crate) fn recurrence(name: &Ident, list: &TokenStream, errors: &mut Errors) -> Option<Recurrence> {
    let (mut every, mut from) = (None, None);
    let valid = read_named_list(name, list, &RECURRENCE, errors, |key, value, _, errors| {
        if key == "every" {
            return store(&mut every, value::read_every(value, errors));
        }
        let read = value::read_date("from", "from = \"2024-01-31\"", value, errors);
        store(&mut from, read.map(|date| (date, value.clone())))
    });
    let (every, (from, written_from)) = (every?, from?);
    valid.then(|| Recurrence { every, from, written_from })
}
