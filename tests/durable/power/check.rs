//! What must exist after a power failure: everything that had been reported before.

use super::disk::{Disk, Files};
use super::log::Op;
use super::recorder::{Recording, call, command, put};
use crate::body_notes::BodyNotes;
use crate::kills::Random;
use rusqlite::Connection;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

const EFFECTS: &str = "effects";
const JOURNAL: &str = ".pipeline/journal.db";
/// Notes in a recording.
pub(super) const OVER: &str = "over";
pub(super) const PRUNING: &str = "pruning";
pub(super) const PRUNED: &str = "pruned";
pub(super) const PAUSED: &str = "paused ";
pub(super) const STARTED: &str = "started ";
pub(super) const STAYS: &str = "stays ";

/// The findings of a cut.
#[derive(Debug, Default)]
pub(super) struct Findings {
    /// The number of outputs that had been passed on.
    pub(super) received: usize,
    pub(super) has_journal: bool,
}

/// Cuts the power before operation `at`, and resumes from what is left.
pub(super) fn cut(
    recording: &Recording,
    at: usize,
    random: &mut Random,
    forgets: Option<&'static str>,
) -> Result<Findings, String> {
    let ops = recording.ops();
    let mut disk = Disk::new(&recording.root, &recording.before, forgets);
    disk.apply(&ops[..at]);
    let (files, how) = files_after_cut(&disk, random);
    let folder = tempfile::tempdir().unwrap();
    put(&files, folder.path());
    let notes = |ops: &[Op<'_>]| -> BTreeSet<String> {
        ops.iter().filter_map(|op| if let Op::Note { text } = op { Some((*text).to_owned()) } else { None }).collect()
    };
    let found = check(folder.path(), recording.speed, &notes(&ops[..at]), &notes(&ops));
    found.map_err(|wrong| {
        let place = folder.keep();
        format!("{}, cut before operation {at} of {}: {wrong}\nleft was{how}\nin {}", recording.what, ops.len(), place.display())
    })
}

/// The files that are left. The file of side effects represents the outside world, which has no power failure.
pub(super) fn files_after_cut(disk: &Disk<'_>, random: &mut Random) -> (Files, String) {
    let (mut files, how) = disk.cut(random);
    match disk.now().remove(Path::new(EFFECTS)) {
        Some(effects) => drop(files.insert(EFFECTS.into(), effects)),
        None => drop(files.remove(Path::new(EFFECTS))),
    }
    (files, how)
}

fn check(folder: &Path, speed: u32, notes: &BTreeSet<String>, later: &BTreeSet<String>) -> Result<Findings, String> {
    let before = std::fs::read_to_string(folder.join(EFFECTS)).unwrap_or_default();
    let mut body_notes = BodyNotes::default();
    before.lines().for_each(|line| body_notes.read(line));
    if !folder.join(JOURNAL).exists() {
        if body_notes.started.is_empty() && notes.is_empty() {
            return Ok(Findings::default());
        }
        return Err(format!("there is no journal, and {} bodies had begun; {notes:?}", body_notes.started.len()));
    }
    let (code, said) = call(&mut command(folder, speed, &["resume"]));
    if code != Some(0) {
        return Err(format!("`resume` ended with {code:?}: {said}"));
    }
    let journal = JournalContents::read(&folder.join(JOURNAL)).map_err(|error| error.to_string())?;
    if journal.integrity != "ok" {
        return Err(journal.integrity);
    }
    // While runs are being deleted they may exist or not, except those that are to stay.
    let stays = |run: &str| later.contains(&format!("{STAYS}{run}"));
    let may_be_gone = |run: &str| notes.contains(PRUNING) && !stays(run);
    let is_lost = |run: &str| !journal.runs.contains_key(run) && !may_be_gone(run);
    let started = notes.iter().filter_map(|note| note.strip_prefix(STARTED));
    if let Some(run) = body_notes.started.iter().map(|(run, _)| *run).chain(started).find(|run| is_lost(run)) {
        return Err(format!("run {run} is gone"));
    }
    if let Some(run) = journal.runs.keys().find(|run| notes.contains(PRUNED) && !stays(run)) {
        return Err(format!("run {run} had been deleted, and is there again"));
    }
    if let Some((run, state)) = journal.runs.iter().find(|(_, state)| *state != "success") {
        return Err(format!("run {run} is {state}: {said}"));
    }
    if let Some(pipeline) = notes.iter().filter_map(|note| note.strip_prefix(PAUSED)).find(|of| !journal.paused.contains(*of)) {
        return Err(format!("{pipeline} is no longer paused"));
    }
    let is_there = |run: &str, word: &str| journal.words.contains(&(run.to_owned(), word.to_owned()));
    let in_journal = body_notes.received.iter().filter(|((run, _), _)| journal.runs.contains_key(*run));
    if let Some(((run, node), word)) = in_journal.into_iter().find(|((run, _), word)| !is_there(run, word)) {
        return Err(format!("the output {word} of {run} {node} is lost: {said}"));
    }
    let after = std::fs::read_to_string(folder.join(EFFECTS)).unwrap_or_default();
    let received = body_notes.received.len();
    let mut lines = after.get(before.len()..).unwrap_or_default().lines();
    if notes.contains(OVER)
        && let Some(line) = lines.next()
    {
        return Err(format!("all had ended, and yet: {line}"));
    }
    lines.for_each(|line| body_notes.read(line));
    match (&body_notes.repeated[..], &body_notes.changed[..]) {
        ([], []) => Ok(Findings { received, has_journal: true }),
        (again, changed) => {
            Err(format!("nodes that had finished ran again: {again:?}, or somebody was given another output: {changed:?}"))
        }
    }
}

/// The contents of a journal.
struct JournalContents {
    integrity: String,
    /// The states of its runs.
    runs: BTreeMap<String, String>,
    /// The words of all outputs, by run.
    words: BTreeSet<(String, String)>,
    paused: BTreeSet<String>,
}

impl JournalContents {
    fn read(journal: &Path) -> rusqlite::Result<Self> {
        let connection = Connection::open(journal)?;
        let pairs = |query: &str| -> rusqlite::Result<Vec<(String, String)>> {
            connection.prepare(query)?.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect()
        };
        let outputs = "SELECT pipeline || '/' || run_id, CAST(body AS TEXT) FROM records JOIN runs ON runs.key = run WHERE \
                       records.kind = 6 AND body IS NOT NULL";
        Ok(Self {
            integrity: connection.query_row("PRAGMA integrity_check", [], |row| row.get(0))?,
            runs: pairs("SELECT pipeline || '/' || run_id, state FROM runs")?.into_iter().collect(),
            words: pairs(outputs)?
                .into_iter()
                .flat_map(|(run, output)| words(&output).map(|word| (run.clone(), word)).collect::<Vec<_>>())
                .collect(),
            paused: pairs("SELECT pipeline, '' FROM paused")?.into_iter().map(|(pipeline, _)| pipeline).collect(),
        })
    }
}

/// The word of an output; a list repeats it in all of its elements.
fn words(output: &str) -> impl Iterator<Item = String> {
    let output: serde_json::Value = serde_json::from_str(output).unwrap();
    let first = output.get(0).unwrap_or(&output);
    first["word"].as_str().map(str::to_owned).into_iter()
}
