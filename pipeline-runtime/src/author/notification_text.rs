//! The text of a notification.

use crate::author::notify::{Event, Notification};
use std::time::Duration;

/// What happened, in one sentence without a full stop.
pub(crate) fn headline(n: &Notification) -> String {
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

/// True if the notification is about a cancelled run. A journal of an earlier version may record it as a failure.
pub(crate) fn is_cancelled(n: &Notification) -> bool {
    n.event == Event::OnCancel || n.node.is_none() && n.state.as_deref() == Some("cancelled")
}

fn state(n: &Notification) -> &str {
    n.state.as_deref().unwrap_or("unfinished")
}

/// Further facts, as names and values. The error is left out, as it may have many lines.
pub(crate) fn details(n: &Notification) -> Vec<(&str, String)> {
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

/// The attempt, if there was one: a node that cannot run has none.
pub(crate) fn attempt(n: &Notification) -> Option<u32> {
    n.elapsed.and(n.attempt)
}

/// A duration without parts that are too small to matter.
pub(crate) fn duration(duration: Duration) -> String {
    let coarse = match duration {
        long if long >= Duration::from_mins(1) => Duration::from_secs(long.as_secs()),
        short => Duration::from_millis(u64::try_from(short.as_millis()).unwrap_or(u64::MAX)),
    };
    humantime::format_duration(coarse).to_string()
}

/// The first `limit` characters, with an ellipsis if there were more.
pub(crate) fn cut(text: &str, limit: usize) -> String {
    match text.char_indices().nth(limit) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// A key that is the same each time the same event is reported, and different for any other event. It names the pipeline, because
/// two pipelines on one schedule have runs with the same id at the same time.
pub(crate) fn key(n: &Notification) -> String {
    // Nanoseconds since 1970 do not fit into 64 bits for distant dates.
    let at = i128::from(n.at.timestamp()) * 1_000_000_000 + i128::from(n.at.timestamp_subsec_nanos());
    format!("{}/{}/{}/{}/{at}", n.pipeline, n.run_id, n.node.as_deref().unwrap_or_default(), n.event.name())
}

/// A failure of a run of `sales`, or of its node.
#[cfg(test)]
pub(crate) fn failure_of(node: Option<&str>, state: &str) -> Notification {
    Notification {
        pipeline: "sales".into(),
        run_id: "run".into(),
        at: chrono::DateTime::UNIX_EPOCH,
        node: node.map(str::to_owned),
        state: Some(state.to_owned()),
        ..Notification::for_test(Event::OnFailure)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_tell_pipelines_and_times_apart_whatever_the_year() {
        let (sales, mut stock) = (failure_of(None, "failed"), failure_of(None, "failed"));
        assert_eq!(key(&sales), "sales/run//on_failure/0");
        stock.pipeline = "stock".into();
        assert_ne!(key(&sales), key(&stock));
        let at = |date: &str| key(&Notification { at: date.parse().unwrap(), ..failure_of(Some("load"), "failed") });
        assert_eq!(at("2024-03-26T00:10:00Z"), "sales/run/load/on_failure/1711411800000000000");
        assert_eq!(at("9999-12-31T23:59:59.000000001Z"), "sales/run/load/on_failure/253402300799000000001");
        assert_eq!(at("1600-01-01T00:00:00Z"), "sales/run/load/on_failure/-11676096000000000000");
    }
}
