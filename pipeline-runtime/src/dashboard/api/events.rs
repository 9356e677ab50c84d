//! That something has changed, as it changes: server-sent events.
//!
//! An event says which topic changed and how far it is, and the page reads what it shows of that. Positions are the journal's own numbers, so that a page
//! that slept, or whose server was started again, hears of all that it has missed, and of nothing else.

use super::{Args, Problem, Site, at, found};
use crate::journal::{Holder, RunKey};
use crate::read::{JournalReader, ReadError};
use axum::extract::State;
use axum::http::{HeaderMap, HeaderName};
use axum::response::sse::{Event, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use serde_json::json;
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// The least time between two events of a stream. What comes in between is told together.
const APART: Duration = Duration::from_millis(250);
/// A comment comes so often, which keeps proxies awake.
const AWAKE: Duration = Duration::from_secs(15);
/// How long a page waits before it asks again.
const RETRY: Duration = Duration::from_secs(1);
/// So many topics has one stream.
const TOPICS: usize = 32;

/// What somebody follows.
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

    /// How far it is. It is another text once something has changed.
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

/// How far topics were when somebody looked last: after one commit that is the same for whoever follows them, so one reads it for all.
#[derive(Debug, Default)]
pub(in crate::dashboard) struct Positions {
    commits: u64,
    is_held: bool,
    known: HashMap<Topic, String>,
}

impl Site {
    async fn positions(self: &Arc<Self>, commits: u64, topics: &[Topic]) -> Result<Vec<String>, Problem> {
        let mut positions = self.positions.lock().await;
        if positions.commits != commits {
            let is_held = Holder::of(&self.readers.journal).is_some();
            *positions = Positions { commits, is_held, known: HashMap::new() };
        }
        let said = format!("{}.{commits}", self.boot);
        let is_unknown = |topic: &&Topic| **topic != Topic::Overview && !positions.known.contains_key(*topic);
        let unknown: Vec<Topic> = topics.iter().filter(is_unknown).cloned().collect();
        if !unknown.is_empty() {
            let is_held = positions.is_held;
            let read = self.readers.read(move |reader| {
                // A run that was deleted meanwhile has no position, and that is told as one.
                let of = |topic: Topic| {
                    let position = topic.position(reader, is_held).unwrap_or_else(|_| "gone".to_owned());
                    (topic, position)
                };
                Ok(unknown.into_iter().map(of).collect::<Vec<_>>())
            });
            positions.known.extend(read.await?);
        }
        // Whatever is committed may be seen on the overview.
        Ok(topics.iter().map(|topic| positions.known.get(topic).unwrap_or(&said).clone()).collect())
    }
}

/// What a stream has told.
struct Stream {
    site: Arc<Site>,
    topics: Vec<Topic>,
    told: BTreeMap<Topic, String>,
    commits: watch::Receiver<u64>,
    has_said_hello: bool,
    waiting: VecDeque<Event>,
}

pub(super) async fn events(
    State(site): State<Arc<Site>>,
    Args(query): Args<Vec<(String, String)>>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let topics = topics(&query)?;
    let last = headers.get("last-event-id").and_then(|id| id.to_str().ok()).unwrap_or_default();
    let told = positions(&topics, last);
    let mut commits = site.changes.follow();
    // What it has missed is told at once.
    commits.mark_changed();
    let stream = Stream { site, topics, told, commits, has_said_hello: false, waiting: VecDeque::new() };
    let events = stream::unfold(stream, |mut stream| async move {
        let event = stream.next().await;
        Some((Ok::<_, Infallible>(event), stream))
    });
    // Proxies must not hold back what is meant to be there at once.
    let headers = [(HeaderName::from_static("x-accel-buffering"), "no"), (HeaderName::from_static("cache-control"), "no-store")];
    Ok((headers, Sse::new(events)).into_response())
}

fn topics(query: &[(String, String)]) -> Result<Vec<Topic>, Problem> {
    let named = query.iter().filter(|(name, _)| name == "topic");
    let topics: Result<Vec<Topic>, Problem> = named
        .map(|(_, text)| {
            let what = "`overview`, `acts`, `run/PIPELINE/RUN` or `log/PIPELINE/RUN/NODE`";
            Topic::parse(text).ok_or_else(|| Problem::wrong(format!("`{text}` is no topic: it has to be {what}")))
        })
        .collect();
    let topics = topics?;
    if topics.is_empty() || topics.len() > TOPICS {
        return Err(Problem::wrong(format!("a stream has between 1 and {TOPICS} topics: `?topic=overview`")));
    }
    Ok(topics)
}

/// What a page that was here before has heard of: `TOPIC POSITION`, in the order of its topics.
fn positions(topics: &[Topic], id: &str) -> BTreeMap<Topic, String> {
    let given: Vec<&str> = id.split(' ').collect();
    if given.len() != topics.len() {
        return BTreeMap::new();
    }
    topics.iter().cloned().zip(given.into_iter().map(str::to_owned)).collect()
}

impl Stream {
    async fn next(&mut self) -> Event {
        if !self.has_said_hello {
            self.has_said_hello = true;
            let hello = json!({ "boot": self.site.boot, "now": at(self.site.clock.now()) });
            return Event::default().event("hello").retry(RETRY).data(hello.to_string());
        }
        loop {
            if let Some(event) = self.waiting.pop_front() {
                return event;
            }
            let changed = tokio::time::timeout(AWAKE, self.commits.changed()).await;
            match changed {
                Err(_) => return Event::default().comment("awake"),
                // The server ends.
                Ok(Err(_)) => std::future::pending().await,
                Ok(Ok(())) => {}
            }
            tokio::time::sleep(APART).await;
            self.look().await;
        }
    }

    /// Finds out which topics have changed.
    async fn look(&mut self) {
        let commits = *self.commits.borrow_and_update();
        let Ok(positions) = self.site.positions(commits, &self.topics).await else { return };
        let now = at(self.site.clock.now());
        let id = positions.join(" ");
        let pairs = self.topics.iter().zip(positions);
        let changed: Vec<(&Topic, String)> = pairs.filter(|(topic, position)| self.told.get(topic) != Some(position)).collect();
        let last = changed.len().saturating_sub(1);
        for (index, (topic, position)) in changed.into_iter().enumerate() {
            let data = json!({ "topic": topic.text(), "now": now, "position": position });
            let event = Event::default().event(topic.kind()).data(data.to_string());
            // Whoever has the id has heard of all topics: a connection that breaks before the last of them hears all of them again.
            self.waiting.push_back(if index == last { event.id(&id) } else { event });
            self.told.insert(topic.clone(), position);
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
        assert_eq!(positions(&both, "7.1 3")[&Topic::Acts], "3");
        assert!(positions(&both, "7.1").is_empty());
    }
}
