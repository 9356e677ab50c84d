//! The part of HTTP/1.1 that a page needs.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::time::Instant;

/// A persistent connection.
pub(super) struct Client {
    address: String,
    stream: BufReader<TcpStream>,
}

impl Client {
    pub(super) fn to(address: &str) -> Self {
        let stream = TcpStream::connect(address).expect("it listens");
        stream.set_nodelay(true).expect("it is a socket");
        Self { address: address.to_owned(), stream: BufReader::new(stream) }
    }

    /// The time from a request to its answer's last byte.
    pub(super) fn millis(&mut self, path: &str) -> f64 {
        let begun = Instant::now();
        self.get(path);
        begun.elapsed().as_secs_f64() * 1e3
    }

    /// Returns the answer to a request.
    pub(super) fn get(&mut self, path: &str) -> String {
        self.send(path);
        let length = self.head(path).expect("an answer has a length");
        let mut body = vec![0; length];
        self.stream.read_exact(&mut body).expect("all of it comes");
        String::from_utf8(body).expect("answers are texts")
    }

    /// Opens an event stream and returns its connection, unread.
    pub(super) fn listen(address: &str, path: &str) -> TcpStream {
        let mut client = Self::to(address);
        client.send(path);
        client.head(path);
        client.stream.into_inner()
    }

    fn send(&mut self, path: &str) {
        let head = format!("GET {path} HTTP/1.1\r\nHost: {}\r\nAccept: */*\r\n\r\n", self.address);
        self.stream.get_mut().write_all(head.as_bytes()).expect("it takes requests");
    }

    /// Reads the head of an answer, and returns its body's length if it has one.
    fn head(&mut self, path: &str) -> Option<usize> {
        let (mut length, mut line) = (None, String::new());
        self.stream.read_line(&mut line).expect("it answers");
        if !line.contains(" 200 ") {
            let mut rest = vec![0; 2_000];
            let read = self.stream.read(&mut rest).unwrap_or_default();
            panic!("{path}: {line}{}", String::from_utf8_lossy(&rest[..read]));
        }
        loop {
            line.clear();
            self.stream.read_line(&mut line).expect("it answers");
            match line.trim_end().split_once(':') {
                None => return length,
                Some((name, value)) if name.eq_ignore_ascii_case("content-length") => length = value.trim().parse().ok(),
                Some(_) => {}
            }
        }
    }
}
