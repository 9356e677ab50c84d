//! An HTTP server with scripted answers, on a thread of its own: a simulation's clock and runtime do not affect it.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// The server's answer to one request.
#[derive(Debug, Clone)]
pub(crate) enum Reply {
    Ok,
    /// That status line and body.
    Status(&'static str, String),
    /// That status line, with more lines in the answer's head.
    Head(&'static str, String),
    /// Waits, then answers.
    After(Duration),
    /// Closes the connection after the request.
    Close,
    /// Closes the connection within the answer's head.
    Break,
}

/// A request that the server received.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(crate) head: String,
    pub(crate) body: serde_json::Value,
}

#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    requests: Arc<Mutex<Vec<Request>>>,
}

impl Server {
    /// Answers the requests with these replies in order, and all later ones with `Ok`.
    pub(crate) fn start(replies: impl Into<Vec<Reply>>) -> Self {
        Self::on("127.0.0.1:0".parse().unwrap(), replies)
    }

    pub(crate) fn on(address: SocketAddr, replies: impl Into<Vec<Reply>>) -> Self {
        let listener = TcpListener::bind(address).unwrap();
        let address = listener.local_addr().unwrap();
        let requests: Arc<Mutex<Vec<Request>>> = Arc::default();
        let (recorded, replies) = (Arc::clone(&requests), replies.into());
        std::thread::spawn(move || {
            let mut replies = replies.into_iter();
            for stream in listener.incoming().flatten() {
                // A client that disconnected without a request.
                let Some(request) = read(&stream) else { continue };
                recorded.lock().unwrap().push(request);
                let reply = replies.next().unwrap_or(Reply::Ok);
                std::thread::spawn(move || answer(stream, reply));
            }
        });
        Self { address, requests }
    }

    /// An address where no server listens.
    pub(crate) fn nowhere() -> SocketAddr {
        TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
    }

    pub(crate) fn requests(&self) -> Vec<Request> {
        self.requests.lock().unwrap().clone()
    }
}

pub(crate) fn read(stream: impl Read) -> Option<Request> {
    let mut reader = BufReader::new(stream);
    let (mut head, mut length) = (String::new(), 0);
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).ok()? == 0 {
            return None;
        }
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().ok()?;
        }
        if line.trim().is_empty() {
            break;
        }
        head.push_str(&line);
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some(Request { head, body: serde_json::from_slice(&body).ok()? })
}

fn answer(mut stream: TcpStream, reply: Reply) {
    let mut more = String::new();
    let (status, body) = match reply {
        Reply::Close => return,
        Reply::Break => {
            let _ = stream.write_all(b"HTTP/1.1 200 O");
            return;
        }
        Reply::Ok => ("200 OK", "ok".to_owned()),
        Reply::After(time) => {
            std::thread::sleep(time);
            ("204 No Content", String::new())
        }
        Reply::Status(status, body) => (status, body),
        Reply::Head(status, head) => {
            more = head.replace('\n', "\r\n") + "\r\n";
            (status, String::new())
        }
    };
    let location = if status.starts_with('3') { "location: /elsewhere\r\n" } else { "" };
    let length = if status.starts_with("204") { String::new() } else { format!("content-length: {}\r\n", body.len()) };
    // The client may have disconnected.
    let _ = write!(stream, "HTTP/1.1 {status}\r\n{length}{location}{more}\r\n{body}");
}
