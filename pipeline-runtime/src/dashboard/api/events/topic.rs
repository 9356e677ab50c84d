//! The topics that a client can follow, and their positions: texts that change whenever a topic's data does.

use super::super::{Problem, find_run};
use crate::journal::RunKey;
use crate::read::{JournalReader, ReadError};

/// The maximum number of topics of one stream.
const MAX_TOPICS: usize = 32;

/// A topic to follow.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Topic {
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

    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Overview => "overview",
            Self::Acts => "acts",
            Self::Run(..) => "run",
            Self::Log(..) => "log",
        }
    }

    /// Returns the topic as a query names it.
    pub(super) fn text(&self) -> String {
        match self {
            Self::Overview | Self::Acts => self.kind().to_owned(),
            Self::Run(pipeline, run) => format!("run/{pipeline}/{run}"),
            Self::Log(pipeline, run, node) => format!("log/{pipeline}/{run}/{node}"),
        }
    }

    /// Returns the topic's position, which changes whenever its data does.
    pub(super) fn position(&self, reader: &JournalReader, is_held: bool) -> Result<String, Problem> {
        let key = |pipeline: &str, run: &str| -> Result<RunKey, Problem> { Ok(find_run(reader, pipeline, run)?.stored().key) };
        let read = |number: Result<i64, crate::journal::JournalError>| number.map_err(|error| ReadError::from(error).into());
        Ok(match self {
            // Its position is the commit itself.
            Self::Overview => String::new(),
            Self::Acts => read(reader.journal().last_act())?.to_string(),
            Self::Run(pipeline, run) => {
                let run = find_run(reader, pipeline, run)?;
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

/// Reads the topics of a query: `?topic=overview&topic=acts`.
pub(super) fn of_query(query: &[(String, String)]) -> Result<Vec<Topic>, Problem> {
    if let Some((name, _)) = query.iter().find(|(name, _)| name != "topic") {
        return Err(Problem::bad_request(format!("unknown parameter `{name}`, expected `topic`")));
    }
    let topics: Result<Vec<Topic>, Problem> = query
        .iter()
        .map(|(_, text)| {
            let what = "`overview`, `acts`, `run/PIPELINE/RUN` or `log/PIPELINE/RUN/NODE`";
            Topic::parse(text).ok_or_else(|| Problem::bad_request(format!("`{text}` is not a topic: write {what}")))
        })
        .collect();
    let topics = topics?;
    if topics.is_empty() || topics.len() > MAX_TOPICS {
        return Err(Problem::bad_request(format!("a stream has between 1 and {MAX_TOPICS} topics: `?topic=overview`")));
    }
    Ok(topics)
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
        let of =
            |given: &[&str]| of_query(&given.iter().map(|text| ("topic".to_owned(), (*text).to_owned())).collect::<Vec<_>>());
        assert!(of(&["nothing"]).is_err() && of(&[]).is_err());
        assert_eq!(of(&["overview", "run/a/b"]).unwrap().len(), 2);
    }
}
