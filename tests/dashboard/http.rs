//! The part of HTTP that a test needs: one request per connection.

use serde_json::Value;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

/// An answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(of, _)| of == name).map(|(_, value)| &**value)
    }
}

/// A page at an address such as `127.0.0.1:7373`.
#[derive(Debug, Clone)]
pub(crate) struct Site(pub(crate) String);

impl Site {
    fn send(&self, line: &str, headers: &[(&str, &str)], body: &str) -> BufReader<TcpStream> {
        let mut stream = TcpStream::connect(&self.0).expect("the dashboard listens");
        stream.set_read_timeout(Some(Duration::from_mins(1))).expect("a socket has a timeout");
        let has_host = headers.iter().any(|(name, _)| *name == "host");
        let host = if has_host { String::new() } else { format!("host: {}\r\n", self.0) };
        let given: Vec<String> = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        let (given, length) = (given.concat(), body.len());
        let request = format!("{line} HTTP/1.1\r\n{host}{given}content-length: {length}\r\nconnection: close\r\n\r\n{body}");
        stream.write_all(request.as_bytes()).expect("the dashboard reads");
        BufReader::new(stream)
    }

    /// Sends a request, and reads the whole answer.
    pub(crate) fn ask(&self, line: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        let mut stream = self.send(line, headers, body);
        let (status, headers) = head(&mut stream);
        let mut body = Vec::new();
        stream.read_to_end(&mut body).expect("an answer has an end");
        let body = String::from_utf8(body).expect("answers are texts");
        Answer { status, headers, body }
    }

    pub(crate) fn get(&self, path: &str) -> Answer {
        self.ask(&format!("GET {path}"), &[], "")
    }

    /// The JSON at a path of the API, which must exist.
    pub(crate) fn api(&self, path: &str) -> Value {
        let answer = self.get(&format!("/api/v1{path}"));
        assert_eq!(answer.status, 200, "{path}: {}", answer.body);
        answer.json()
    }

    /// Posts JSON as the page does.
    pub(crate) fn post(&self, path: &str, headers: &[(&str, &str)], body: &Value) -> Answer {
        let origin = format!("http://{}", self.0);
        self.ask(&format!("POST /api/v1{path}"), &[&own(&origin), headers].concat(), &body.to_string())
    }

    /// Posts JSON, and hangs up once the returned value is dropped.
    pub(crate) fn post_and_wait(&self, path: &str, headers: &[(&str, &str)], body: &Value) -> impl Sized {
        let origin = format!("http://{}", self.0);
        self.send(&format!("POST /api/v1{path}"), &[&own(&origin), headers].concat(), &body.to_string())
    }

    /// The events of a stream, one at a time.
    pub(crate) fn events(&self, query: &str, last: Option<&str>) -> Events {
        let headers: Vec<(&str, &str)> = last.map(|last| ("last-event-id", last)).into_iter().collect();
        let mut stream = self.send(&format!("GET /api/v1/events?{query}"), &headers, "");
        let (status, _) = head(&mut stream);
        assert_eq!(status, 200);
        Events { stream }
    }
}

/// The headers of the page's own requests.
fn own(origin: &str) -> [(&str, &str); 3] {
    [("content-type", "application/json"), ("origin", origin), ("sec-fetch-site", "same-origin")]
}

fn head(stream: &mut impl BufRead) -> (u16, Vec<(String, String)>) {
    let mut line = String::new();
    stream.read_line(&mut line).expect("an answer has a status");
    let status = line.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or_else(|| panic!("no status: {line:?}"));
    let mut headers = Vec::new();
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).expect("an answer has headers");
        match line.trim_end().split_once(": ") {
            Some((name, value)) => headers.push((name.to_lowercase(), value.to_owned())),
            None => return (status, headers),
        }
    }
}

/// A stream of events.
pub(crate) struct Events {
    stream: BufReader<TcpStream>,
}

/// An event of a stream.
#[derive(Debug, PartialEq)]
pub(crate) struct Event {
    pub(crate) name: String,
    pub(crate) id: String,
    pub(crate) data: Value,
}

impl Events {
    /// The next event; comments are skipped.
    pub(crate) fn next(&mut self) -> Event {
        let mut event = Event { name: String::new(), id: String::new(), data: Value::Null };
        loop {
            let mut line = String::new();
            let read = self.stream.read_line(&mut line).expect("the stream continues");
            assert!(read > 0, "the stream has ended");
            match line.trim_end().split_once(": ") {
                Some(("event", name)) => name.clone_into(&mut event.name),
                Some(("id", id)) => id.clone_into(&mut event.id),
                Some(("data", data)) => event.data = serde_json::from_str(data).expect("data is JSON"),
                // An empty line ends an event; the lengths of chunks come between.
                None if line.trim_end().is_empty() && !event.data.is_null() => return event,
                _ => {}
            }
        }
    }

    /// The next event of that name.
    pub(crate) fn of(&mut self, name: &str) -> Event {
        loop {
            let event = self.next();
            if event.name == name {
                return event;
            }
        }
    }
}
