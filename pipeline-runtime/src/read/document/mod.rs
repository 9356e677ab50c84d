//! A run as one HTML file, for a ticket or a mail: everything that a reader needs without the journal and the program.
//!
//! The page has no script and loads nothing, which its own content security policy enforces. Whatever a run's bodies wrote
//! appears as text (`html.rs`).

mod html;

use super::{JournalReader, ReadError, RunDetails, RunSummary};
use crate::engine::Slot;
use crate::observe::{self, RunHistory, TURN, TURN_OF_NOBODY, TakenSlots, Waits, brief, offset};
use crate::time::Timestamp;
use crate::{NodeState, Pipeline, RunState};
use chrono::{DateTime, SecondsFormat, Utc};
use html::Html;
use std::collections::HashMap;
use std::time::Duration;

/// The maximum number of nodes in the table.
const MAX_NODES: usize = 2_000;
/// The maximum number of spans of a node that are drawn.
const MAX_SPANS: usize = 100;
/// The maximum number of records in the table; the last ones are listed.
const MAX_RECORDS: u32 = 5_000;
/// The maximum number of log lines, of which the last ones are listed, and of bytes.
const MAX_LINES: u32 = 10_000;
const MAX_LOG_BYTES: usize = 4 << 20;
/// A plan with more nodes is not drawn.
const MAX_DRAWN_NODES: usize = 500;
/// The maximum number of reasons why nodes wait.
const MAX_REASONS: usize = 50;

const STYLE: &str = include_str!("style.css");
const KINDS: [&str; 6] = ["worked", "poked", "waited for data", "waited for a retry", "queued", "no process had it"];

/// The source and the time of a document.
pub(crate) struct DocumentBuilder<'a> {
    pub(crate) reader: &'a JournalReader,
    pub(crate) pipelines: &'a [Pipeline],
    pub(crate) now: Timestamp,
    /// True if a process has the run.
    pub(crate) is_run: bool,
}

impl DocumentBuilder<'_> {
    /// The run as an HTML page.
    ///
    /// # Errors
    ///
    /// If the journal cannot be read.
    pub(crate) fn document(&self, details: &RunDetails) -> Result<String, ReadError> {
        let (run, history) = (details.summary(), details.history());
        let mut page = Html::default();
        head(&mut page, run);
        self.summary(&mut page, run, history);
        self.reasons(&mut page, run, history)?;
        let until = match run.state() {
            // No node waits before its run has started.
            RunState::Queued => history.latest(),
            _ => history.finished.unwrap_or_else(|| self.now.since(history.started)).max(history.latest()),
        };
        totals(&mut page, history, until);
        nodes(&mut page, history, until);
        if history.plan().nodes.len() <= MAX_DRAWN_NODES {
            let boxes = history.plan().boxes();
            let states: HashMap<_, _> = boxes.iter().copied().zip(history.states_of(&boxes)).collect();
            let drawn = history.plan().to_svg_with(|ix| Some((*states.get(&ix)?)?.name()));
            page.raw("<h2>Graph</h2>\n<div class=\"scroll\">").raw(&drawn).raw("</div>\n");
        }
        self.log(&mut page, run)?;
        self.records(&mut page, run, details)?;
        page.raw("</main>\n</body>\n</html>\n");
        Ok(page.finish())
    }

    fn summary(&self, page: &mut Html, run: &RunSummary, history: &RunHistory) {
        // The history of a queued run is empty.
        let state = run.shown_state();
        page.raw("<h1>").text(run.pipeline()).raw(" / ").text(run.run_id()).raw("</h1>\n<dl>");
        let took = match (history.finished, history.idle()) {
            (None, _) => "not ended".to_owned(),
            (Some(whole), Duration::ZERO) => brief(whole),
            (Some(whole), idle) => {
                format!("{}, over {} with the time before its retry", brief(whole.saturating_sub(idle)), brief(whole))
            }
        };
        let retried = history.reopened().map(|at| date((history.started + at).to_utc())).unwrap_or_default();
        let facts = [
            ("State", state.to_owned()),
            ("Kind", run.kind().name().to_owned()),
            ("Data interval", run.interval().to_string()),
            ("Started", date(run.started())),
            ("Retried", retried),
            ("Took", took),
            ("As of", date(self.now.to_utc())),
        ];
        for (name, value) in facts.into_iter().filter(|(_, value)| !value.is_empty()) {
            let class = if name == "State" { state } else { "" };
            page.raw("<div><dt>").text(name).raw("</dt><dd class=\"").raw(class).raw("\">").text(&value).raw("</dd></div>");
        }
        page.raw("</dl>\n");
        if let Some(reason) = run.blocked() {
            page.raw("<p class=\"failed\">").text(reason).raw("</p>\n");
        }
        for (name, value) in [("Params", run.params().clone()), ("Settings", run.settings().clone().into())] {
            let is_empty = value.is_null() || value.as_object().is_some_and(serde_json::Map::is_empty);
            if !is_empty {
                page.raw("<h2>").text(name).raw("</h2>\n<pre>").text(&format!("{value:#}")).raw("</pre>\n");
            }
        }
    }

    /// What failed, and why the run does not continue.
    fn reasons(&self, page: &mut Html, run: &RunSummary, history: &RunHistory) -> Result<(), ReadError> {
        if run.blocked().is_some() {
            return Ok(());
        }
        if run.state() == RunState::Queued {
            let hold = observe::of_queued(self.reader.journal(), self.pipelines, run.stored())?;
            let turn = if self.is_run { TURN } else { TURN_OF_NOBODY };
            let why = hold.map(|hold| format!("It {turn}{}.", hold.sentence(None)));
            page.raw("<p>").text(why.as_deref().unwrap_or("It waits for a process that serves.")).raw("</p>\n");
            return Ok(());
        }
        let failed = history.listed().into_iter().filter(|slot| history.node(*slot).state() == NodeState::Failed);
        let failed = failed
            .take(MAX_REASONS)
            .map(|slot| (history.id(slot), history.node(slot).error().map_or_else(|| "failed".to_owned(), ToString::to_string)));
        reason_table(page, "What failed", &failed.collect::<Vec<_>>());
        // A run in which a node has failed may continue.
        if history.state == RunState::Running {
            let mut reasons: Vec<(String, String)> = Vec::new();
            let waits = Waits { history, now: self.now, is_run: self.is_run };
            let mut pools = TakenSlots::new(self.reader.journal(), self.pipelines);
            let open = history.listed().into_iter().filter(|slot| !history.node(*slot).state().is_end());
            for slot in open.take(MAX_REASONS) {
                let cause = waits.cause(slot, &mut pools)?;
                reasons.push((history.id(slot), waits.sentence(&cause)));
            }
            reason_table(page, "What it waits for", &reasons);
        }
        Ok(())
    }

    fn log(&self, page: &mut Html, run: &RunSummary) -> Result<(), ReadError> {
        let lines = self.reader.journal().lines_before(run.stored().key, None, None, i64::MAX, MAX_LINES)?;
        if lines.is_empty() {
            return Ok(());
        }
        page.raw("<h2>Log</h2>\n");
        note_cut(page, lines.len() == MAX_LINES as usize, "The last lines; `logs` prints all of them.");
        page.raw("<pre>");
        let start = page.len();
        for line in &lines {
            let line = super::LogLine::of(line.clone());
            page.text(&format!("{} {} {}#{}: {}\n", date(line.at()), line.level(), line.node(), line.attempt(), line.text()));
            if page.len() - start > MAX_LOG_BYTES {
                page.text("… and more: `logs` prints all of it\n");
                break;
            }
        }
        page.raw("</pre>\n");
        Ok(())
    }

    fn records(&self, page: &mut Html, run: &RunSummary, details: &RunDetails) -> Result<(), ReadError> {
        let (history, last) = (details.history(), details.last_record());
        let all = self.reader.journal().entries_between(run.stored().key, 0, last, u32::MAX)?;
        let skipped = all.entries.len().saturating_sub(MAX_RECORDS as usize);
        page.raw("<h2>Records</h2>\n<details><summary>").number(all.entries.len()).raw(" records</summary>\n");
        note_cut(page, skipped > 0, "The last ones.");
        page.heads(&["#", "NodeProgress", "Record", "Node", ""]);
        for stored in &all.entries[skipped..] {
            let (what, text) = history.describe(&stored.entry.record);
            let slot = stored.entry.record.slot().filter(|slot| (*slot as usize) < history.len());
            let node = slot.map(|slot| history.id(slot)).unwrap_or_default();
            page.raw("<tr><td class=\"n dim\">").number(stored.number).raw("</td>");
            page.cell("n", &offset(stored.entry.at.since(history.started))).cell("w", what).cell("m", &node).cell("e", &text);
            page.raw("</tr>\n");
        }
        page.end_table().raw("</details>\n");
        Ok(())
    }
}

fn head(page: &mut Html, run: &RunSummary) {
    page.raw(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n<title>",
    );
    page.text(run.pipeline()).raw(" / ").text(run.run_id()).raw("</title>\n<style>\n").raw(STYLE);
    page.raw("</style>\n</head>\n<body>\n<main>\n");
}

/// The total time of all nodes, by what they spent it on.
fn totals(page: &mut Html, history: &RunHistory, until: Duration) {
    page.raw("<h2>Time spent by all nodes</h2>\n<dl>");
    let mut totals = [Duration::ZERO; KINDS.len()];
    for span in history.listed().into_iter().flat_map(|slot| history.periods(slot)) {
        totals[span.kind as usize] += span.until.unwrap_or(until).saturating_sub(span.from);
    }
    for (kind, (name, total)) in KINDS.iter().zip(totals).enumerate() {
        page.raw("<div><dt><i class=\"k").number(kind).raw("\"></i>").text(name).raw("</dt><dd>").text(&brief(total));
        page.raw("</dd></div>");
    }
    page.raw("</dl>\n");
}

fn nodes(page: &mut Html, history: &RunHistory, until: Duration) {
    let listed = history.listed();
    page.raw("<h2>Nodes</h2>\n");
    note_cut(page, listed.len() > MAX_NODES, "The first ones.");
    page.heads(&["Node", "State", "Began after", "Took", "Attempts", "Pokes", "Over time", "Error"]);
    for slot in listed.into_iter().take(MAX_NODES) {
        node(page, history, slot, until);
    }
    page.end_table();
}

fn node(page: &mut Html, history: &RunHistory, slot: Slot, until: Duration) {
    let node = history.node(slot);
    let (state, began) = (node.state().name(), node.began());
    let took = began.map(|began| node.finished_at().unwrap_or(until).saturating_sub(began));
    page.raw("<tr>").cell("m", &history.id(slot)).raw("<td class=\"w ").raw(state).raw("\">").text(state).raw("</td>");
    page.cell("n", &began.map(offset).unwrap_or_default()).cell("n", &took.map(brief).unwrap_or_default());
    page.raw("<td class=\"n\">").number(node.attempts()).raw("</td><td class=\"n\">").number(node.pokes()).raw("</td>");
    page.raw("<td><div class=\"bar\">");
    let whole = until.as_secs_f64().max(f64::MIN_POSITIVE);
    for span in history.periods(slot).into_iter().take(MAX_SPANS) {
        let share = |at: Duration| (at.as_secs_f64() / whole * 100.0).min(100.0);
        let (from, to) = (share(span.from), share(span.until.unwrap_or(until)));
        page.raw("<i class=\"k").number(span.kind as usize).raw("\" style=\"left:").number(format_args!("{from:.2}"));
        page.raw("%;width:").number(format_args!("{:.2}", to - from)).raw("%\"></i>");
    }
    page.raw("</div></td>").cell("e", node.error().map_or("", |error| error)).raw("</tr>\n");
}

/// A table of nodes, with a sentence about each.
fn reason_table(page: &mut Html, title: &str, reasons: &[(String, String)]) {
    if reasons.is_empty() {
        return;
    }
    page.raw("<h2>").text(title).raw("</h2>\n").heads(&["Node", "Why"]);
    for (node, why) in reasons {
        page.raw("<tr>").cell("m", node).cell("e", why).raw("</tr>\n");
    }
    page.end_table();
}

fn date(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Millis, true)
}

fn note_cut(page: &mut Html, is_cut: bool, text: &str) {
    if is_cut {
        page.raw("<p class=\"dim\">").text(text).raw("</p>\n");
    }
}
