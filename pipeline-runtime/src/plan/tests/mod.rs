//! What `check` says, message by message, and what `graph` shows. The tasks and pipelines are written with the macros, as a user
//! writes them. Tasks that several files use are here.

#![allow(clippy::needless_raw_string_hashes, reason = "expect-test writes them")]

mod handles;
mod ids;
mod inputs;
mod options;
mod order;
mod pipeline;
mod pools;
mod render;
mod schedule;
mod templates;

use crate::author::pipeline::Pipeline;
use crate::prelude::*;
use expect_test::{Expect, expect};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::time::Duration;

/// The files of these tests, with their sources.
const SOURCES: [(&str, &str); 14] = [
    ("handles.rs", include_str!("handles.rs")),
    ("ids.rs", include_str!("ids.rs")),
    ("inputs.rs", include_str!("inputs.rs")),
    ("mod.rs", include_str!("mod.rs")),
    ("options.rs", include_str!("options.rs")),
    ("order.rs", include_str!("order.rs")),
    ("pipeline.rs", include_str!("pipeline.rs")),
    ("pools.rs", include_str!("pools.rs")),
    ("render/json.rs", include_str!("render/json.rs")),
    ("render/mermaid.rs", include_str!("render/mermaid.rs")),
    ("render/mod.rs", include_str!("render/mod.rs")),
    ("render/text.rs", include_str!("render/text.rs")),
    ("schedule.rs", include_str!("schedule.rs")),
    ("templates.rs", include_str!("templates.rs")),
];

/// Replaces each place in these tests by the source text that starts there, which does not move when lines are added.
fn placed(text: &str) -> String {
    const FOLDER: &str = "plan/tests/";
    let mut pieces = text.split(FOLDER);
    let mut placed = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        // What stands before is the rest of the file's path.
        placed.truncate(placed.rfind([' ', '"']).map_or(0, |at| at + 1));
        let (file, piece) = piece.split_once(':').unwrap();
        let (_, source) = SOURCES.iter().find(|(name, _)| *name == file).unwrap();
        let end = piece.find(|c: char| !c.is_ascii_digit() && c != ':').unwrap_or(piece.len());
        let (place, rest) = piece.split_at(end);
        let mut place = place.trim_end_matches(':').split(':').map(|number| number.parse::<usize>().unwrap());
        let line = source.lines().nth(place.next().unwrap() - 1).unwrap();
        let code = place.next().map_or(line.trim(), |column| &line[column - 1..]).trim_end_matches(';');
        let colon = if piece[..end].ends_with(':') { ":" } else { "" };
        placed.extend(["`", code, "`", colon, rest]);
    }
    placed
}

fn refused(pipeline: &Pipeline, expected: &Expect) {
    expected.assert_eq(&placed(&pipeline.check().unwrap_err().to_string()));
}

fn plan(pipeline: &Pipeline) -> super::Plan {
    pipeline.plan(&Value::Null).unwrap_or_else(|error| panic!("{error}"))
}

fn ids(pipeline: &Pipeline) -> Vec<String> {
    let json = plan(pipeline).to_json();
    json["nodes"].as_array().unwrap().iter().map(|node| node["id"].as_str().unwrap().to_owned()).collect()
}

const fn seconds(n: u64) -> Duration {
    Duration::from_secs(n)
}

#[task]
async fn rows() -> Result<u64> {
    Ok(1)
}

#[task]
async fn add(rows: u64) -> Result<u64> {
    Ok(rows + 1)
}

#[task]
async fn join(left: u64, right: u64) -> Result<u64> {
    Ok(left + right)
}

#[task]
async fn files() -> Result<Vec<String>> {
    Ok(Vec::new())
}

#[task]
async fn folders() -> Result<Vec<Vec<String>>> {
    Ok(Vec::new())
}

#[task]
async fn size(file: String) -> Result<u64> {
    Ok(file.len() as u64)
}

#[task]
async fn count(folder: Vec<String>) -> Result<usize> {
    Ok(folder.len())
}

#[task]
async fn sizes() -> Result<Vec<u64>> {
    Ok(Vec::new())
}

#[task]
async fn total(sizes: Vec<u64>) -> Result<u64> {
    Ok(sizes.iter().sum())
}

#[sensor(timeout = "10m", poke = "45s")]
async fn export(key: String) -> Result<Poke<u64>> {
    Ok(Poke::Ready(key.len() as u64))
}

#[derive(Debug, Clone, Serialize, Deserialize, Branch)]
enum Route {
    Clean(u64),
    Quarantine(u64),
    Nothing,
}

#[branch]
async fn route(rows: u64) -> Result<Route> {
    Ok(match rows {
        0 => Route::Nothing,
        1 => Route::Quarantine(rows),
        _ => Route::Clean(rows),
    })
}

#[task]
async fn repair(failure: Failure) -> Result<String> {
    Ok(failure.node().to_owned())
}
