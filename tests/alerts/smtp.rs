//! An SMTP server with scripted answers, on a thread of its own.

use crate::tls;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, Mutex};
use tokio_rustls::rustls::{ServerConfig, ServerConnection, Stream};

/// Whether and when a server's connections use TLS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tls {
    Never,
    Offered,
    Always,
}

/// An answer to the next command that begins with these letters; `""` is the greeting.
pub(crate) type Reply = (&'static str, String);

#[derive(Debug, Default, Clone)]
pub(crate) struct Received {
    /// All commands, in order.
    pub(crate) commands: Vec<String>,
    /// The accepted mails.
    pub(crate) mails: Vec<String>,
}

#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    received: Arc<Mutex<Received>>,
}

impl Server {
    /// Gives each reply once, and otherwise accepts all mails.
    pub(crate) fn start(tls: Tls, replies: impl Into<Vec<Reply>>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let received: Arc<Mutex<Received>> = Arc::default();
        let mut talk = Talk { tls, replies: replies.into(), received: Arc::clone(&received) };
        let config = tls::config();
        std::thread::spawn(move || {
            for mut socket in listener.incoming().flatten() {
                if tls == Tls::Always {
                    talk.secretly(&config, &mut socket, true);
                } else if talk.over(&mut socket, true) == End::StartTls {
                    talk.secretly(&config, &mut socket, false);
                }
            }
        });
        Self { address, received }
    }

    pub(crate) fn received(&self) -> Received {
        self.received.lock().unwrap().clone()
    }
}

#[derive(Debug, PartialEq, Eq)]
enum End {
    Gone,
    StartTls,
}

struct Talk {
    tls: Tls,
    replies: Vec<Reply>,
    received: Arc<Mutex<Received>>,
}

impl Talk {
    fn secretly(&mut self, config: &Arc<ServerConfig>, socket: &mut std::net::TcpStream, greets: bool) {
        let mut connection = ServerConnection::new(Arc::clone(config)).unwrap();
        self.over(&mut Stream::new(&mut connection, socket), greets);
    }

    /// One conversation, up to a STARTTLS at most.
    fn over(&mut self, stream: &mut (impl Read + Write), greets: bool) -> End {
        // The client may have disconnected.
        if greets && !self.answer(stream, "", "220 test ESMTP") {
            return End::Gone;
        }
        loop {
            let Some(command) = line(stream) else { return End::Gone };
            self.received.lock().unwrap().commands.push(command.clone());
            let offers = if self.tls == Tls::Offered && greets { "250-STARTTLS\r\n" } else { "" };
            let usual = match command.split([' ', ':']).next().unwrap_or_default() {
                "EHLO" => format!("250-test\r\n{offers}250 AUTH PLAIN LOGIN"),
                "STARTTLS" => "220 go ahead".to_owned(),
                "AUTH" => "235 welcome".to_owned(),
                "DATA" => "354 go ahead".to_owned(),
                "QUIT" => "221 bye".to_owned(),
                _ => "250 ok".to_owned(),
            };
            if !self.answer(stream, &command, &usual) {
                return End::Gone;
            }
            match &*command {
                "STARTTLS" => return End::StartTls,
                "QUIT" => return End::Gone,
                "DATA" => {
                    let mut mail = String::new();
                    while let Some(line) = line(stream).filter(|line| line != ".") {
                        mail.push_str(&line);
                        mail.push('\n');
                    }
                    if !self.answer(stream, ".", "250 taken") {
                        return End::Gone;
                    }
                    self.received.lock().unwrap().mails.push(mail);
                }
                _ => {}
            }
        }
    }

    /// Answers, and returns whether the conversation continues: not after a 421 or 554, nor if the client has gone.
    fn answer(&mut self, stream: &mut impl Write, command: &str, usual: &str) -> bool {
        let at = self.replies.iter().position(|(to, _)| if to.is_empty() { command.is_empty() } else { command.starts_with(to) });
        let reply = at.map_or_else(|| usual.to_owned(), |at| self.replies.remove(at).1);
        let is_sent = stream.write_all(format!("{reply}\r\n").as_bytes()).and_then(|()| stream.flush()).is_ok();
        is_sent && !reply.starts_with("421") && !reply.starts_with("554")
    }
}

/// Reads one line, byte by byte: the bytes after it may be TLS.
fn line(stream: &mut impl Read) -> Option<String> {
    let (mut line, mut byte) = (Vec::new(), [0]);
    while !line.ends_with(b"\r\n") {
        if stream.read(&mut byte).ok()? == 0 {
            return None;
        }
        line.push(byte[0]);
    }
    Some(String::from_utf8_lossy(&line[..line.len() - 2]).into_owned())
}
