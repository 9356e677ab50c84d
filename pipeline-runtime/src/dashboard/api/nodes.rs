//! The rows of a run: its nodes and mappings with how they spent their time, page by page.

use super::run::Moment;
use super::{AsOf, Problem, QueryString, Site, at, ms, why};
use crate::engine::{NodeState, Slot};
use crate::observe::{RunHistory, TakenSlots, Waits, rank};
use crate::read::{JournalReader, RunDetails};
use axum::Json;
use axum::extract::{Path, State};
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

/// The longest page.
const MAX_PAGE: usize = 2_000;
/// The maximum number of periods per row; of more, every n-th is sent, and always the last.
pub(super) const MAX_PERIODS: usize = 500;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NodesQuery {
    record: Option<i64>,
    /// The maximum time in milliseconds to read a run that is not cached.
    within: Option<u64>,
    state: Option<String>,
    q: Option<String>,
    sort: Option<String>,
    from: Option<usize>,
    count: Option<usize>,
    /// The mapping whose elements are listed; `*` means all.
    open: Option<String>,
    /// The node whose index among the rows is requested.
    find: Option<String>,
}

/// A row: a node, or a mapping.
#[derive(Clone, Copy)]
struct Row {
    slot: Slot,
    level: u8,
}

/// The slots of the elements of each mapping of the plan itself, including nested ones.
type Elements = BTreeMap<Slot, Vec<Range<Slot>>>;

pub(super) async fn nodes(
    State(site): State<Arc<Site>>,
    Path(run): Path<(String, String)>,
    QueryString(query): QueryString<NodesQuery>,
) -> Result<Json<Value>, Problem> {
    let as_of = AsOf { record: query.record, within: query.within.map(Duration::from_millis) };
    site.view_run(run, as_of, move |site, reader, details| page(site, reader, details, as_of, &query)).await
}

fn page(
    site: &Site,
    reader: &JournalReader,
    details: &RunDetails,
    as_of: AsOf,
    query: &NodesQuery,
) -> Result<Json<Value>, Problem> {
    let history = details.history();
    let moment = Moment::of(site, details, as_of);
    let mut elements = Elements::new();
    for range in history.ranges() {
        if let Some(each) = history.outermost(range.start) {
            elements.entry(each).or_default().push(range);
        }
    }
    let is_filtered = [&query.q, &query.state].into_iter().flatten().any(|text| !text.is_empty());
    let open: Vec<&str> = query.open.iter().flat_map(|open| open.split('|')).filter(|id| !id.is_empty()).collect();
    // In filtered rows all mappings are open.
    let is_open = |slot| is_filtered || open.contains(&"*") || (!open.is_empty() && open.contains(&&*history.id(slot)));
    let mut rows = rows(history, &elements, is_open);
    filter_and_sort(&mut rows, history, query, moment.now.since(history.started));
    let total = rows.len();
    let found = query.find.as_deref().and_then(|id| history.find(id));
    let index = found.and_then(|slot| rows.iter().position(|row| row.slot == slot));
    let count = query.count.unwrap_or(200).min(MAX_PAGE);
    let waits = moment.waits(history);
    let mut pools = site.taken_slots(reader);
    let page = rows.iter().skip(query.from.unwrap_or(0)).take(count);
    let page = page.map(|row| row_json(&waits, *row, &elements, &mut pools)).collect::<Result<Vec<Value>, Problem>>()?;
    let is_reading = !as_of.is_reached(details);
    Ok(Json(json!({ "as_of": at(moment.now), "total": total, "index": index, "reading": is_reading, "rows": page })))
}

/// Returns all rows in wiring order: each mapping before its elements, if it is open.
fn rows(history: &RunHistory, elements: &Elements, is_open: impl Fn(Slot) -> bool) -> Vec<Row> {
    let mut rows = Vec::new();
    for range in history.ranges().into_iter().filter(|range| history.outermost(range.start).is_none()) {
        for slot in range {
            let is_each = history.plan().node(history.node_ix(slot)).is_each();
            if is_each || history.is_body(slot) {
                rows.push(Row { slot, level: 0 });
            }
            if is_each && is_open(slot) {
                for range in elements.get(&slot).into_iter().flatten() {
                    history.each_body_of(range.clone(), |slot, _| rows.push(Row { slot, level: 1 }));
                }
            }
        }
    }
    rows
}

/// Returns the number of nodes of a mapping per state.
fn states(history: &RunHistory, elements: &[Range<Slot>]) -> Value {
    let mut states = [0_u64; NodeState::ALL.len()];
    for range in elements {
        history.each_body_of(range.clone(), |slot, _| states[history.node(slot).state() as usize] += 1);
    }
    let named = NodeState::ALL.into_iter().zip(states).filter(|(_, count)| *count > 0);
    Value::Object(named.map(|(state, count)| (state.name().to_owned(), count.into())).collect())
}

fn filter_and_sort(rows: &mut Vec<Row>, history: &RunHistory, query: &NodesQuery, now: Duration) {
    let non_empty = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
    if let Some(states) = non_empty(&query.state) {
        let states: Vec<&str> = states.split(',').collect();
        let states: Vec<NodeState> = NodeState::ALL.into_iter().filter(|state| states.contains(&state.name())).collect();
        rows.retain(|row| states.contains(&history.node(row.slot).state()));
    }
    if let Some(q) = non_empty(&query.q) {
        let q = q.to_lowercase();
        rows.retain(|row| history.id(row.slot).to_lowercase().contains(&q));
    }
    let node = |row: &Row| history.node(row.slot);
    let end = |row: &Row| node(row).finished_at().unwrap_or(now);
    match query.sort.as_deref() {
        Some("start") => rows.sort_by_key(|row| node(row).began().unwrap_or(Duration::MAX)),
        Some("duration") => {
            rows.sort_by_key(|row| {
                std::cmp::Reverse(node(row).began().map(|began| end(row).saturating_sub(began)).unwrap_or_default())
            });
        }
        Some("wait") => rows.sort_by_key(|row| std::cmp::Reverse(node(row).began().unwrap_or(now))),
        Some("state") => rows.sort_by_key(|row| rank(node(row).state())),
        _ => {}
    }
}

fn row_json(waits: &Waits<'_>, row: Row, elements: &Elements, pools: &mut TakenSlots<'_>) -> Result<Value, Problem> {
    let (Row { slot, level }, history) = (row, waits.history);
    let node = history.node(slot);
    let spans = history.periods(slot);
    let step = spans.len().div_ceil(MAX_PERIODS).max(1);
    let spans: Vec<Value> = spans
        .iter()
        .enumerate()
        .filter(|(n, _)| n % step == 0 || n + 1 == spans.len())
        .map(|(_, span)| json!([span.kind as usize, ms(span.from), span.until.map(ms)]))
        .collect();
    let failures: Vec<f64> = node
        .failed_attempts()
        .iter()
        .filter(|failed_attempt| failed_attempt.error.is_some())
        .map(|failed_attempt| ms(failed_attempt.at))
        .collect();
    let why = if history.is_body(slot) { why::of_node(waits, slot, pools)? } else { Value::Null };
    let states = (!history.is_body(slot)).then(|| states(history, elements.get(&slot).map_or(&[], Vec::as_slice)));
    Ok(json!({
        "node": history.id(slot),
        "state": node.state(),
        "level": level,
        "attempts": node.attempts(),
        "allowed": history.knows_options(slot).then(|| history.attempts_allowed(slot)),
        "pokes": node.pokes(),
        "sensor": history.is_sensor(slot),
        "error": node.error(),
        "why": why,
        "start_ms": node.began().map(ms),
        "end_ms": node.finished_at().map(ms),
        "elements": history.width(slot),
        "states": states,
        "spans": spans,
        "failures": failures,
    }))
}
