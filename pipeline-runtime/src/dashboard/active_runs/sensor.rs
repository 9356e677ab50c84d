//! A waiting sensor, for the list of sensors.

use super::run_name;
use crate::author::body::Arg;
use crate::author::context::RunInfo;
use crate::author::input::Source;
use crate::author::template::Template;
use crate::engine::Slot;
use crate::observe::ms;
use crate::read::{RunDetails, date};
use crate::storage::Bucket;
use serde_json::{Value, json};
use std::time::Duration;

/// Serializes a waiting sensor.
pub(super) fn json_of(details: &RunDetails, slot: Slot) -> Value {
    let history = details.history();
    let node = history.node(slot);
    let date = |offset: Duration| date((history.started + offset).to_utc());
    let deadline = history.deadline(slot);
    let budget = history.plan().policy(history.node_ix(slot)).sensor.as_ref().map(|sensor| sensor.timeout);
    json!({
        "run": run_name(details),
        "pipeline": details.summary().pipeline(),
        "node": history.id(slot),
        "state": node.state(),
        "looks": awaited_text(details, slot),
        "pokes": node.pokes(),
        "last": node.last_start().map(date),
        "next": node.next().map(date),
        "deadline": deadline.map(date),
        "budget_ms": budget.filter(|_| deadline.is_some()).map(ms),
    })
}

/// Returns what the sensor waits for: its buckets, texts and templates, rendered as its next attempt would.
fn awaited_text(details: &RunDetails, slot: Slot) -> Option<String> {
    let (history, run) = (details.history(), details.summary().stored());
    let (plan, id) = (history.plan(), history.id(slot));
    let mut info = RunInfo {
        previous: run.previous.into(),
        began: Some(history.started.to_utc()),
        settings: run.settings.clone(),
        ..RunInfo::new(&run.pipeline, &run.run_id, run.interval, run.params.clone())
    };
    info.of_schedule(run.kind, plan.schedule.as_ref());
    let attempt = history.node(slot).attempts().max(1);
    let rendered = |template: &Template| {
        let text = template.render(&info, &id, attempt, plan.zone.current());
        text.unwrap_or_else(|_| template.source().to_owned())
    };
    let text = |arg: &Arg| match &arg.source {
        Source::Plain(value) => value.value::<Bucket>().map(|bucket| bucket.url().to_owned()),
        Source::Text(text) => Some(text.to_string()),
        Source::Template(template) => Some(rendered(template)),
        Source::Templates(templates) => Some(templates.iter().map(rendered).collect::<Vec<_>>().join(", ")),
        _ => None,
    };
    let texts: Vec<String> = plan.args(history.node_ix(slot)).iter().filter_map(text).collect();
    (!texts.is_empty()).then(|| texts.join(", "))
}
