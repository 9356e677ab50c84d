//! The rows of a run: its nodes and mappings with what their time went into, page by page.

use super::run::Moment;
use super::{Args, Problem, Site, at, ms, why};
use crate::engine::{NodeState, Slot};
use crate::observe::{Pools, RunHistory, Waits};
use crate::read::{JournalReader, RunDetails};
use axum::Json;
use axum::extract::{Path, State};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// The longest page.
const PAGE: usize = 2_000;
/// So many stretches of one row are told; of what is between the first and the last of more, every so many-th.
pub(super) const STRETCHES: usize = 500;

#[derive(Debug, Deserialize)]
pub(super) struct Asked {
    record: Option<i64>,
    state: Option<String>,
    q: Option<String>,
    sort: Option<String>,
    from: Option<usize>,
    count: Option<usize>,
    /// The mapping whose elements are listed; `*` stands for all.
    open: Option<String>,
    /// The node whose place among the rows is wanted.
    find: Option<String>,
}

/// A row: a node, or a mapping with what its elements are.
struct Row {
    slot: Slot,
    level: u8,
    /// Of a mapping: how many of its nodes are in which state.
    states: Option<BTreeMap<&'static str, usize>>,
}

pub(super) async fn nodes(
    State(site): State<Arc<Site>>,
    Path(run): Path<(String, String)>,
    Args(asked): Args<Asked>,
) -> Result<Json<Value>, Problem> {
    site.look(run, asked.record, move |site, reader, details| page(site, reader, details, &asked)).await
}

fn page(site: &Site, reader: &JournalReader, details: &RunDetails, asked: &Asked) -> Result<Json<Value>, Problem> {
    let history = details.history();
    let moment = Moment::of(site, details, asked.record);
    let mut rows = rows(history);
    let is_chosen = [&asked.q, &asked.state].into_iter().flatten().any(|text| !text.is_empty());
    if !is_chosen {
        fold(&mut rows, history, asked.open.as_deref().unwrap_or_default());
    }
    choose(&mut rows, history, asked, moment.now.since(history.started));
    let total = rows.len();
    let found = asked.find.as_deref().and_then(|id| history.find(id));
    let index = found.and_then(|slot| rows.iter().position(|row| row.slot == slot));
    let count = asked.count.unwrap_or(200).min(PAGE);
    let waits = moment.waits(history);
    let mut pools = Pools::new(reader.journal(), &site.pipelines);
    let page = rows.iter().skip(asked.from.unwrap_or(0)).take(count);
    let page = page.map(|row| told(&waits, row, &mut pools)).collect::<Result<Vec<Value>, Problem>>()?;
    Ok(Json(json!({ "as_of": at(moment.now), "total": total, "index": index, "rows": page })))
}

/// All rows in wiring order: each mapping before its elements.
fn rows(history: &RunHistory) -> Vec<Row> {
    let mut of_mapping: BTreeMap<Slot, Vec<Slot>> = BTreeMap::new();
    let mut own = Vec::new();
    for slot in history.slots() {
        match outermost(history, slot) {
            Some(each) => of_mapping.entry(each).or_default().push(slot),
            None => own.push(slot),
        }
    }
    let mut rows = Vec::new();
    for slot in own {
        if history.is_body(slot) {
            rows.push(Row { slot, level: 0, states: None });
        } else if history.plan().node(history.node_ix(slot)).is_each() {
            let elements: Vec<Slot> =
                of_mapping.remove(&slot).unwrap_or_default().into_iter().filter(|slot| history.is_body(*slot)).collect();
            let mut states = BTreeMap::new();
            for element in &elements {
                *states.entry(history.node(*element).state().name()).or_default() += 1;
            }
            rows.push(Row { slot, level: 0, states: Some(states) });
            rows.extend(elements.into_iter().map(|slot| Row { slot, level: 1, states: None }));
        }
    }
    rows
}

/// Leaves out the elements of the mappings that are not open.
fn fold(rows: &mut Vec<Row>, history: &RunHistory, open: &str) {
    let open: Vec<&str> = open.split('|').filter(|id| !id.is_empty()).collect();
    if open.contains(&"*") {
        return;
    }
    let mut is_open = false;
    rows.retain(|row| match row.level {
        0 => {
            is_open = row.states.is_some() && open.contains(&&*history.id(row.slot));
            true
        }
        _ => is_open,
    });
}

/// The mapping of the plan itself whose elements the node is in.
pub(super) fn outermost(history: &RunHistory, slot: Slot) -> Option<Slot> {
    let mut each = history.mapping_of(slot)?;
    while let Some(outer) = history.mapping_of(each) {
        each = outer;
    }
    Some(each)
}

fn choose(rows: &mut Vec<Row>, history: &RunHistory, asked: &Asked, now: Duration) {
    let given = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
    if let Some(states) = given(&asked.state) {
        rows.retain(|row| states.split(',').any(|state| history.node(row.slot).state().name() == state));
    }
    if let Some(q) = given(&asked.q) {
        let q = q.to_lowercase();
        rows.retain(|row| history.id(row.slot).to_lowercase().contains(&q));
    }
    let node = |row: &Row| history.node(row.slot);
    let end = |row: &Row| node(row).finished_at().unwrap_or(now);
    match asked.sort.as_deref() {
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

/// What needs somebody comes first.
pub(super) fn rank(state: NodeState) -> u8 {
    match state {
        NodeState::Failed => 0,
        NodeState::UpForRetry => 1,
        NodeState::Running => 2,
        NodeState::UpForReschedule => 3,
        NodeState::Queued | NodeState::Scheduled => 4,
        NodeState::UpstreamFailed => 5,
        NodeState::None => 6,
        NodeState::Skipped => 7,
        NodeState::Success => 8,
        NodeState::Removed => 9,
    }
}

fn told(waits: &Waits<'_>, Row { slot, level, states }: &Row, pools: &mut Pools<'_>) -> Result<Value, Problem> {
    let (history, slot) = (waits.history, *slot);
    let node = history.node(slot);
    let spans = history.spent(slot);
    let thinned = spans.len().div_ceil(STRETCHES).max(1);
    let spans: Vec<Value> = spans
        .iter()
        .enumerate()
        .filter(|(n, _)| n % thinned == 0 || n + 1 == spans.len())
        .map(|(_, span)| json!([span.what as usize, ms(span.from), span.until.map(ms)]))
        .collect();
    let failures: Vec<f64> =
        node.troubles().iter().filter(|trouble| trouble.error.is_some()).map(|trouble| ms(trouble.at)).collect();
    let why = if history.is_body(slot) { why::of_node(waits, slot, pools)? } else { Value::Null };
    let states: Option<Map<String, Value>> =
        states.as_ref().map(|states| states.iter().map(|(state, count)| ((*state).to_owned(), (*count).into())).collect());
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
