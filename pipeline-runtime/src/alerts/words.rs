//! A notification in words.

use crate::author::notify::{Event, Notification};
use std::time::Duration;

/// What happened, in one sentence without a full stop.
pub(super) fn headline(n: &Notification) -> String {
    let pipeline = &n.pipeline;
    let Some(node) = &n.node else {
        return match n.event {
            Event::OnCancel => format!("{pipeline} was cancelled"),
            Event::OnFailure if is_cancelled(n) => format!("{pipeline} was cancelled"),
            Event::OnFailure | Event::OnUpstreamFailed => format!("{pipeline} failed"),
            Event::OnSuccess => format!("{pipeline} succeeded"),
            Event::OnRetry => format!("an attempt of {pipeline} failed and will be retried"),
            Event::OnSkipped => format!("{pipeline} was skipped"),
            Event::OnSlaMiss => format!("{pipeline} has missed its SLA and is still {}", state(n)),
        };
    };
    match n.event {
        // A journal of an earlier version may still have the event of a failure for it.
        Event::OnFailure if n.state.as_deref() == Some("upstream_failed") => cannot_run(node, pipeline),
        Event::OnUpstreamFailed => cannot_run(node, pipeline),
        Event::OnCancel => format!("{node} of {pipeline} was cancelled"),
        Event::OnFailure => format!("{node} of {pipeline} failed"),
        Event::OnSuccess => format!("{node} of {pipeline} succeeded"),
        Event::OnRetry => format!("an attempt of {node} of {pipeline} failed and will be retried"),
        Event::OnSkipped => format!("{node} of {pipeline} was skipped"),
        Event::OnSlaMiss => format!("{node} of {pipeline} has missed its SLA and is still {}", state(n)),
    }
}

fn cannot_run(node: &str, pipeline: &str) -> String {
    format!("{node} of {pipeline} cannot run: something before it failed")
}

/// Whether it is about a run that was cancelled: a journal of an earlier version may still have the event of a failure for it.
pub(super) fn is_cancelled(n: &Notification) -> bool {
    n.event == Event::OnCancel || n.node.is_none() && n.state.as_deref() == Some("cancelled")
}

fn state(n: &Notification) -> &str {
    n.state.as_deref().unwrap_or("unfinished")
}

/// What is known besides, as names and values. The error is left out, as it may have many lines.
pub(super) fn details(n: &Notification) -> Vec<(&str, String)> {
    let mut details = vec![("run", n.run_id.clone()), ("logical date", n.logical_date.format("%FT%TZ").to_string())];
    if let Some(state) = &n.state {
        details.push(("state", state.clone()));
    }
    if let (Some(attempt), Some(attempts)) = (attempt(n), n.attempts) {
        details.push(("attempt", format!("{attempt} of {attempts}")));
    }
    if let Some(pokes) = n.pokes {
        details.push(("pokes", pokes.to_string()));
    }
    if let Some(elapsed) = n.elapsed {
        details.push(("elapsed", duration(elapsed)));
    }
    if let Some(left) = n.budget_left {
        details.push(("budget left", duration(left)));
    }
    details.extend(n.inputs.iter().map(|(name, value)| (name.as_str(), value.clone())));
    details
}

/// The attempt, where one was made: a node that cannot run has none.
pub(super) fn attempt(n: &Notification) -> Option<u32> {
    n.elapsed.and(n.attempt)
}

/// Without what is too small to matter.
pub(super) fn duration(duration: Duration) -> String {
    let coarse = match duration {
        long if long >= Duration::from_mins(1) => Duration::from_secs(long.as_secs()),
        short => Duration::from_millis(u64::try_from(short.as_millis()).unwrap_or(u64::MAX)),
    };
    humantime::format_duration(coarse).to_string()
}

/// The first `limit` characters, with a sign that there were more.
pub(super) fn cut(text: &str, limit: usize) -> String {
    match text.char_indices().nth(limit) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
