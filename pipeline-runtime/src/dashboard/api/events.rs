//! Change notifications as server-sent events.
//!
//! An event says which topic changed and its position; the page then reads the data that it shows. Positions are the journal's
//! own numbers, so a page that slept, or whose server restarted, is notified of exactly what it missed.
//!
//! Thousands of clients may follow the same topics from the same positions. Their events are read and serialized once for all of
//! them.

use super::{Args, Problem, Site, at, found};
use crate::journal::{Holder, RunKey};
use crate::read::{JournalReader, ReadError};
use axum::body::Body;
use axum::extract::State;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderName};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures_util::stream;
use serde_json::json;
use std::collections::HashMap;
use std::convert::Infallible;
use std::fmt::Write;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::Interval;

/// How often a comment is sent, which keeps proxies from closing the connection.
const AWAKE: Duration = Duration::from_secs(15);
/// How many milliseconds a page waits before it reconnects.
const RETRY: u32 = 1_000;
/// The maximum number of topics of one stream.
const TOPICS: usize = 32;

/// A topic to follow.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Topic {
    Overview,
    Acts,
    Run(String, String),
    Log(String, String, String),
}

impl Topic {
    fn parse(text: &str) -> Option<Self> {
        let (kind, rest) = text.split_once('/').unwrap_or((text, ""));
        Some(match kind {
            "overview" => Self::Overview,
            "acts" => Self::Acts,
            "run" => {
                let (pipeline, run) = rest.split_once('/')?;
                Self::Run(pipeline.to_owned(), run.to_owned())
            }
            "log" => {
                let (pipeline, rest) = rest.split_once('/')?;
                let (run, node) = rest.split_once('/')?;
                Self::Log(pipeline.to_owned(), run.to_owned(), node.to_owned())
            }
            _ => return None,
        })
    }

    fn kind(&self) -> &'static str {
        match self {
            Self::Overview => "overview",
            Self::Acts => "acts",
            Self::Run(..) => "run",
            Self::Log(..) => "log",
        }
    }

    fn text(&self) -> String {
        match self {
            Self::Overview | Self::Acts => self.kind().to_owned(),
            Self::Run(pipeline, run) => format!("run/{pipeline}/{run}"),
            Self::Log(pipeline, run, node) => format!("log/{pipeline}/{run}/{node}"),
        }
    }

    /// Returns the topic's position, which changes whenever its data does.
    fn position(&self, reader: &JournalReader, is_held: bool) -> Result<String, Problem> {
        let key = |pipeline: &str, run: &str| -> Result<RunKey, Problem> { Ok(found(reader, pipeline, run)?.stored().key) };
        let read = |number: Result<i64, crate::journal::JournalError>| number.map_err(|error| ReadError::from(error).into());
        Ok(match self {
            // Its position is the commit itself.
            Self::Overview => String::new(),
            Self::Acts => read(reader.journal().last_act())?.to_string(),
            Self::Run(pipeline, run) => {
                let run = found(reader, pipeline, run)?;
                let last: Result<i64, Problem> = read(reader.journal().last_record(run.stored().key));
                format!("{}.{}.{}", last?, run.shown_state(), u8::from(is_held))
            }
            Self::Log(pipeline, run, node) => {
                let key = key(pipeline, run)?;
                let last: Result<i64, Problem> = match node.as_str() {
                    "" => read(reader.journal().last_line_of_run(key)),
                    node => read(reader.journal().last_line(key, node)),
                };
                last?.to_string()
            }
        })
    }
}

/// The last known positions of topics: after a commit they are the same for all followers, so they are read once.
#[derive(Debug, Default)]
pub(in crate::dashboard) struct Positions {
    commits: u64,
    is_held: bool,
    known: HashMap<Topic, String>,
    /// The events for clients that follow some topics and were notified up to given positions.
    told: HashMap<(Arc<[Topic]>, Arc<str>), Told>,
}

/// Serialized events; empty if nothing has changed.
#[derive(Debug, Clone)]
struct Told {
    events: Bytes,
    /// The positions of all topics after these events, in order.
    id: Arc<str>,
}

impl Site {
    /// Returns the events after a commit for a client that follows these topics and was notified up to `heard`.
    async fn told(self: &Arc<Self>, commits: u64, topics: &Arc<[Topic]>, heard: &Arc<str>) -> Result<Told, Problem> {
        let mut positions = self.positions.lock().await;
        if positions.commits != commits {
            let is_held = Holder::of(&self.readers.journal).is_some();
            *positions = Positions { commits, is_held, ..Positions::default() };
        }
        let asked = (Arc::clone(topics), Arc::clone(heard));
        if let Some(told) = positions.told.get(&asked) {
            return Ok(told.clone());
        }
        let is_unknown = |topic: &&Topic| **topic != Topic::Overview && !positions.known.contains_key(*topic);
        let unknown: Vec<Topic> = topics.iter().filter(is_unknown).cloned().collect();
        if !unknown.is_empty() {
            let is_held = positions.is_held;
            let read = self.readers.read(move |reader| {
                // A run that was deleted meanwhile gets the position `gone`.
                let of = |topic: Topic| {
                    let position = topic.position(reader, is_held).unwrap_or_else(|_| "gone".to_owned());
                    (topic, position)
                };
                Ok(unknown.into_iter().map(of).collect::<Vec<_>>())
            });
            positions.known.extend(read.await?);
        }
        // Any commit may change the overview.
        let said = format!("{}.{commits}", self.boot);
        let of = |topic: &Topic| positions.known.get(topic).unwrap_or(&said).clone();
        let now: Vec<String> = topics.iter().map(of).collect();
        let told = Told { events: written(topics, heard, &now, &at(self.clock.now())), id: now.join(" ").into() };
        positions.told.insert(asked, told.clone());
        Ok(told)
    }
}

/// Serializes the events for the topics that have changed.
fn written(topics: &[Topic], heard: &str, positions: &[String], now: &str) -> Bytes {
    let heard: Vec<&str> = heard.split(' ').collect();
    let has_heard = |index: usize| heard.len() == topics.len() && heard[index] == positions[index];
    let changed: Vec<usize> = (0..topics.len()).filter(|index| !has_heard(*index)).collect();
    let mut text = String::new();
    for index in &changed {
        let (topic, position) = (&topics[*index], &positions[*index]);
        let data = json!({ "topic": topic.text(), "now": now, "position": position });
        let _ = write!(text, "event: {}\ndata: {data}\n", topic.kind());
        // The id confirms all topics, so only the last event has it: a connection that breaks before gets all events again.
        if Some(index) == changed.last() {
            let _ = writeln!(text, "id: {}", positions.join(" "));
        }
        text.push('\n');
    }
    text.into()
}

/// A client that follows some topics.
struct Stream {
    site: Arc<Site>,
    topics: Arc<[Topic]>,
    heard: Arc<str>,
    commits: watch::Receiver<u64>,
    has_said_hello: bool,
    awake: Interval,
}

pub(super) async fn events(
    State(site): State<Arc<Site>>,
    Args(query): Args<Vec<(String, String)>>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let topics = topics(&query)?.into();
    let heard = headers.get("last-event-id").and_then(|id| id.to_str().ok()).unwrap_or_default().into();
    // Missed changes are reported at once.
    let commits = site.changes.follow();
    let awake = tokio::time::interval_at(tokio::time::Instant::now() + AWAKE, AWAKE);
    let stream = Stream { site, topics, heard, commits, has_said_hello: false, awake };
    let events = stream::unfold(stream, |mut stream| async move {
        let events = stream.next().await;
        Some((Ok::<_, Infallible>(events), stream))
    });
    let headers = [
        (CONTENT_TYPE, "text/event-stream"),
        (CACHE_CONTROL, "no-store"),
        // Proxies must not buffer the stream.
        (HeaderName::from_static("x-accel-buffering"), "no"),
    ];
    Ok((headers, Body::from_stream(events)).into_response())
}

fn topics(query: &[(String, String)]) -> Result<Vec<Topic>, Problem> {
    if let Some((name, _)) = query.iter().find(|(name, _)| name != "topic") {
        return Err(Problem::wrong(format!("unknown parameter `{name}`, expected `topic`")));
    }
    let topics: Result<Vec<Topic>, Problem> = query
        .iter()
        .map(|(_, text)| {
            let what = "`overview`, `acts`, `run/PIPELINE/RUN` or `log/PIPELINE/RUN/NODE`";
            Topic::parse(text).ok_or_else(|| Problem::wrong(format!("`{text}` is not a topic: write {what}")))
        })
        .collect();
    let topics = topics?;
    if topics.is_empty() || topics.len() > TOPICS {
        return Err(Problem::wrong(format!("a stream has between 1 and {TOPICS} topics: `?topic=overview`")));
    }
    Ok(topics)
}

impl Stream {
    /// Returns the next bytes to send.
    async fn next(&mut self) -> Bytes {
        if !self.has_said_hello {
            self.has_said_hello = true;
            let hello = json!({ "boot": self.site.boot, "now": at(self.site.clock.now()) });
            return format!("event: hello\nretry: {RETRY}\ndata: {hello}\n\n").into();
        }
        loop {
            tokio::select! {
                biased;
                changed = self.commits.changed() => if changed.is_err() {
                    // The server is stopping.
                    return std::future::pending().await;
                },
                _ = self.awake.tick() => return Bytes::from_static(b": awake\n\n"),
            }
            let commits = *self.commits.borrow_and_update();
            let Ok(told) = self.site.told(commits, &self.topics, &self.heard).await else { continue };
            self.heard = told.id;
            if !told.events.is_empty() {
                return told.events;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_topic_is_what_its_text_says() {
        for text in ["overview", "acts", "run/sales/scheduled__2024-03-25T06:00:00Z", "log/sales/run/upload[3]", "log/sales/run/"]
        {
            assert_eq!(Topic::parse(text).map(|topic| topic.text()).as_deref(), Some(text));
        }
        assert_eq!(Topic::parse("run/sales"), None);
        let of = |given: &[&str]| topics(&given.iter().map(|text| ("topic".to_owned(), (*text).to_owned())).collect::<Vec<_>>());
        assert!(of(&["nothing"]).is_err() && of(&[]).is_err());
        assert_eq!(of(&["overview", "run/a/b"]).unwrap().len(), 2);
    }

    #[test]
    fn a_page_goes_on_where_it_was() {
        let both = [Topic::Overview, Topic::Acts];
        let positions = ["7.2".to_owned(), "3".to_owned()];
        let events = |heard: &str| String::from_utf8(written(&both, heard, &positions, "12:00").to_vec()).unwrap();
        let overview = "event: overview\ndata: {\"now\":\"12:00\",\"position\":\"7.2\",\"topic\":\"overview\"}\n";
        let acts = "event: acts\ndata: {\"now\":\"12:00\",\"position\":\"3\",\"topic\":\"acts\"}\n";
        assert_eq!(events("7.2 3"), "");
        assert_eq!(events("7.1 3"), format!("{overview}id: 7.2 3\n\n"));
        // Only the last event confirms them all.
        for heard in ["7.1 2", "7.2", "7.2 3 4", ""] {
            assert_eq!(events(heard), format!("{overview}\n{acts}id: 7.2 3\n\n"), "{heard}");
        }
    }
}
