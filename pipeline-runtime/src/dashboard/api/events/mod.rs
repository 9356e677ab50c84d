//! Change notifications as server-sent events.
//!
//! An event says which topic changed and its position; the page then reads the data that it shows. Positions are the journal's
//! own numbers, so a page that slept, or whose server restarted, is notified of exactly what it missed.
//!
//! Thousands of clients may follow the same topics from the same positions. Their events are read and serialized once for all of
//! them.

mod topic;

use super::{Problem, QueryString, Site, at};
use crate::journal::Holder;
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
use topic::Topic;

/// How often a comment is sent, which keeps proxies from closing the connection.
const KEEP_ALIVE: Duration = Duration::from_secs(15);
/// How many milliseconds a page waits before it reconnects.
const RETRY: u32 = 1_000;

/// The last known positions of topics: after a commit they are the same for all followers, so they are read once.
#[derive(Debug, Default)]
pub(in crate::dashboard) struct TopicPositions {
    commits: u64,
    is_held: bool,
    positions: HashMap<Topic, String>,
    /// The events for clients that follow some topics and were notified up to given positions.
    events: HashMap<(Arc<[Topic]>, Arc<str>), TopicEvents>,
}

/// Serialized events; empty if nothing has changed.
#[derive(Debug, Clone)]
struct TopicEvents {
    bytes: Bytes,
    /// The positions of all topics after these events, in order.
    id: Arc<str>,
}

impl Site {
    /// Returns the events after a commit for a client that follows these topics and was notified up to `client_positions`.
    async fn events_for(
        self: &Arc<Self>,
        commits: u64,
        topics: &Arc<[Topic]>,
        client_positions: &Arc<str>,
    ) -> Result<TopicEvents, Problem> {
        let mut positions = self.positions.lock().await;
        if positions.commits != commits {
            let is_held = Holder::of(&self.readers.journal).is_some();
            *positions = TopicPositions { commits, is_held, ..TopicPositions::default() };
        }
        let request = (Arc::clone(topics), Arc::clone(client_positions));
        if let Some(events) = positions.events.get(&request) {
            return Ok(events.clone());
        }
        let is_unread = |topic: &&Topic| **topic != Topic::Overview && !positions.positions.contains_key(*topic);
        let unread: Vec<Topic> = topics.iter().filter(is_unread).cloned().collect();
        if !unread.is_empty() {
            let is_held = positions.is_held;
            let read = self.readers.read(move |reader| {
                // A run that was deleted meanwhile gets the position `gone`.
                let of = |topic: Topic| {
                    let position = topic.position(reader, is_held).unwrap_or_else(|_| "gone".to_owned());
                    (topic, position)
                };
                Ok(unread.into_iter().map(of).collect::<Vec<_>>())
            });
            positions.positions.extend(read.await?);
        }
        // Any commit may change the overview.
        let commit_position = format!("{}.{commits}", self.boot);
        let of = |topic: &Topic| positions.positions.get(topic).unwrap_or(&commit_position).clone();
        let now: Vec<String> = topics.iter().map(of).collect();
        let events = TopicEvents {
            bytes: serialize_events(topics, client_positions, &now, &at(self.clock.now())),
            id: now.join(" ").into(),
        };
        positions.events.insert(request, events.clone());
        Ok(events)
    }
}

/// Serializes the events for the topics that have changed.
fn serialize_events(topics: &[Topic], client_positions: &str, positions: &[String], now: &str) -> Bytes {
    let client_positions: Vec<&str> = client_positions.split(' ').collect();
    let is_known_to_client = |index: usize| client_positions.len() == topics.len() && client_positions[index] == positions[index];
    let changed: Vec<usize> = (0..topics.len()).filter(|index| !is_known_to_client(*index)).collect();
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
    client_positions: Arc<str>,
    commits: watch::Receiver<u64>,
    is_greeted: bool,
    keep_alive: Interval,
}

pub(super) async fn events(
    State(site): State<Arc<Site>>,
    QueryString(query): QueryString<Vec<(String, String)>>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let topics = topic::of_query(&query)?.into();
    let client_positions = headers.get("last-event-id").and_then(|id| id.to_str().ok()).unwrap_or_default().into();
    // Missed changes are reported at once.
    let commits = site.changes.follow();
    let keep_alive = tokio::time::interval_at(tokio::time::Instant::now() + KEEP_ALIVE, KEEP_ALIVE);
    let stream = Stream { site, topics, client_positions, commits, is_greeted: false, keep_alive };
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

impl Stream {
    /// Returns the next bytes to send.
    async fn next(&mut self) -> Bytes {
        if !self.is_greeted {
            self.is_greeted = true;
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
                _ = self.keep_alive.tick() => return Bytes::from_static(b": awake\n\n"),
            }
            let commits = *self.commits.borrow_and_update();
            let Ok(events) = self.site.events_for(commits, &self.topics, &self.client_positions).await else { continue };
            self.client_positions = events.id;
            if !events.bytes.is_empty() {
                return events.bytes;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_goes_on_where_it_was() {
        let both = [Topic::Overview, Topic::Acts];
        let positions = ["7.2".to_owned(), "3".to_owned()];
        let events = |client_positions: &str| {
            String::from_utf8(serialize_events(&both, client_positions, &positions, "12:00").to_vec()).unwrap()
        };
        let overview = "event: overview\ndata: {\"now\":\"12:00\",\"position\":\"7.2\",\"topic\":\"overview\"}\n";
        let acts = "event: acts\ndata: {\"now\":\"12:00\",\"position\":\"3\",\"topic\":\"acts\"}\n";
        assert_eq!(events("7.2 3"), "");
        assert_eq!(events("7.1 3"), format!("{overview}id: 7.2 3\n\n"));
        // Only the last event confirms them all.
        for client_positions in ["7.1 2", "7.2", "7.2 3 4", ""] {
            assert_eq!(events(client_positions), format!("{overview}\n{acts}id: 7.2 3\n\n"), "{client_positions}");
        }
    }
}
