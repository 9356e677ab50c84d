//! One mail to one SMTP server, which is never logged.
//!
//! # Why lettre, and not its transport
//!
//! lettre composes mails and speaks SMTP, with the TLS that hyper already uses, and without its feature `tracing` it logs
//! nothing. But its transport gives up the whole mail if the server refuses one of its recipients: one person who has left would
//! end the alerts of all others. So the commands are sent here, one by one.
//!
//! A mail blocks its thread and creates its own runtime, as [`post`](super::post) does, so it works under a paused clock.

use lettre::message::{Mailbox, Message};
use lettre::transport::smtp::authentication::{Credentials, DEFAULT_MECHANISMS};
use lettre::transport::smtp::client::{AsyncSmtpConnection, TlsParameters};
use lettre::transport::smtp::commands::{Data, Mail, Rcpt};
use lettre::transport::smtp::extension::ClientId;
use lettre::transport::smtp::{self, SMTP_PORT, SUBMISSION_PORT, SUBMISSIONS_PORT};
use percent_encoding::percent_decode_str;
use std::error::Error as _;
use std::io;
use std::net::IpAddr;
use std::time::Duration;
use url::Url;

/// From the lookup of the host's name until the server has confirmed the mail.
const LIMIT: Duration = Duration::from_secs(30);
/// How much of a server's answer an error quotes.
const MAX_QUOTE: usize = 200;

/// Why a mail was not sent. Its text contains nothing of the URL beyond its host.
#[derive(Debug)]
pub(super) struct SendError {
    pub(super) text: String,
    /// True if a retry cannot help.
    pub(super) is_final: bool,
}

impl SendError {
    pub(super) fn permanent(text: impl Into<String>) -> Self {
        Self { text: text.into(), is_final: true }
    }

    fn temporary(text: String) -> Self {
        Self { text, is_final: false }
    }
}

/// How a connection is encrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Tls {
    None,
    /// If the server offers it.
    Opportunistic,
    /// By `STARTTLS`, or not at all.
    Required,
    /// From its first byte.
    Implicit,
}

/// The parsed URL of a mail server.
pub(super) struct Server {
    host: String,
    port: u16,
    tls: Tls,
    hello: ClientId,
    user: String,
    password: Option<String>,
}

impl Server {
    pub(super) fn parse(text: &str) -> Result<Self, SendError> {
        let refused = |why: &str| {
            SendError::permanent(format!("its value is not a mail server's URL: {why}; write `smtps://USER:PASSWORD@HOST`"))
        };
        // The parser's own error might contain parts of the URL.
        let url = Url::parse(text).map_err(|_| refused("it cannot be read"))?;
        let host = url.host_str().filter(|host| !host.is_empty()).ok_or_else(|| refused("it has no host"))?;
        let mut tls = match url.scheme() {
            "smtps" => Tls::Implicit,
            "smtp" => Tls::None,
            _ => return Err(refused("its scheme is neither `smtps` nor `smtp`")),
        };
        for (name, value) in url.query_pairs() {
            tls = match (&*name, &*value, tls) {
                ("tls", "required", Tls::None) => Tls::Required,
                ("tls", "opportunistic", Tls::None) => Tls::Opportunistic,
                ("tls", _, Tls::Implicit) => {
                    return Err(refused("`smtps://` has TLS from the beginning, so `tls` is not allowed"));
                }
                ("tls", ..) => return Err(refused("`tls` is `required` or `opportunistic`, once")),
                _ => return Err(refused("only `tls=required` or `tls=opportunistic` is allowed behind `?`")),
            };
        }
        let port = url.port().unwrap_or(match tls {
            Tls::None => SMTP_PORT,
            Tls::Opportunistic | Tls::Required => SUBMISSION_PORT,
            Tls::Implicit => SUBMISSIONS_PORT,
        });
        let decoded = |part: &str| percent_decode_str(part).decode_utf8().map(String::from);
        let not_text = |_| refused("its user or password is not UTF-8 text");
        let hello = match url.path().trim_matches('/') {
            "" => ClientId::default(),
            name => ClientId::Domain(name.to_owned()),
        };
        Ok(Self {
            host: host.trim_start_matches('[').trim_end_matches(']').to_owned(),
            port,
            tls,
            hello,
            user: decoded(url.username()).map_err(not_text)?,
            password: url.password().map(decoded).transpose().map_err(not_text)?,
        })
    }

    /// The user name for the server.
    pub(super) fn user(&self) -> &str {
        &self.user
    }

    /// The password, which is secret.
    pub(super) fn password(&self) -> Option<&str> {
        self.password.as_deref()
    }

    /// The host, if the password and the mail can be read on the way to it: if it is reached without guaranteed TLS and is not
    /// this machine.
    pub(super) fn sent_in_clear(&self) -> Option<&str> {
        let host = &*self.host;
        let is_here = host.eq_ignore_ascii_case("localhost") || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback());
        (matches!(self.tls, Tls::None | Tls::Opportunistic) && !is_here).then_some(host)
    }

    /// Sends the mail, and returns the recipients that the server refused, each with the reason. Blocks.
    pub(super) fn send(&self, from: &Mailbox, to: &[Mailbox], message: &Message) -> Result<Vec<String>, SendError> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| SendError::temporary(format!("no runtime could be started: {error}")))?;
        let sent = runtime.block_on(async {
            let late = || SendError::temporary(format!("{} did not take the mail within {LIMIT:?}", self.host));
            tokio::time::timeout(LIMIT, self.exchange(from, to, message)).await.unwrap_or_else(|_| Err(late()))
        });
        // A name lookup cannot be aborted, so it is left to run.
        runtime.shutdown_background();
        sent
    }

    async fn exchange(&self, from: &Mailbox, to: &[Mailbox], message: &Message) -> Result<Vec<String>, SendError> {
        let mut connection = self.connect().await?;
        if let Some(password) = &self.password {
            let credentials = Credentials::new(self.user.clone(), password.clone());
            connection.auth(DEFAULT_MECHANISMS, &credentials).await.map_err(|error| self.login_error(&error))?;
        }
        let failed = |error| self.send_error(&error);
        connection.command(Mail::new(Some(from.email.clone()), Vec::new())).await.map_err(failed)?;
        let mut refused = Vec::new();
        for mailbox in to {
            match connection.command(Rcpt::new(mailbox.email.clone(), Vec::new())).await {
                Ok(_) => {}
                Err(error) if error.status().is_some() => refused.push((mailbox, self.send_error(&error))),
                Err(error) => return Err(self.send_error(&error)),
            }
        }
        let describe = |(mailbox, why): &(&Mailbox, SendError)| format!("{} is not notified: {}", mailbox.email, why.text);
        let texts: Vec<String> = refused.iter().map(describe).collect();
        if refused.len() == to.len() {
            // As long as the server may still accept one of them, it is tried again.
            return Err(SendError { text: texts.join("; "), is_final: refused.iter().all(|(_, why)| why.is_final) });
        }
        connection.command(Data).await.map_err(failed)?;
        connection.message(&message.formatted()).await.map_err(failed)?;
        // The server has the mail; errors after that do not matter.
        let _ = connection.quit().await;
        Ok(texts)
    }

    async fn connect(&self) -> Result<AsyncSmtpConnection, SendError> {
        let failed = |error| self.send_error(&error);
        let parameters = || TlsParameters::new(self.host.clone()).map_err(failed);
        let implicit = if self.tls == Tls::Implicit { Some(parameters()?) } else { None };
        let at = (self.host.as_str(), self.port);
        let connected = AsyncSmtpConnection::connect_tokio1(at, Some(LIMIT), &self.hello, implicit, None).await;
        let mut connection = connected.map_err(failed)?;
        let can = connection.can_starttls();
        if self.tls == Tls::Required && !can {
            // It is tried again: an attacker on the way may have suppressed the offer, but only for a while.
            return Err(SendError::temporary(format!(
                "{} does not offer `STARTTLS`, which the URL's `tls=required` requires",
                self.host
            )));
        }
        if can && matches!(self.tls, Tls::Required | Tls::Opportunistic) {
            connection.starttls(parameters()?, &self.hello).await.map_err(failed)?;
        }
        Ok(connection)
    }

    /// A server's answer to a login is not quoted: it may well repeat the credentials.
    fn login_error(&self, error: &smtp::Error) -> SendError {
        match error.status() {
            Some(code) => {
                let text = format!("{} rejects the URL's user and password: {code}", self.host);
                SendError { text, is_final: error.is_permanent() }
            }
            None => self.send_error(error),
        }
    }

    fn send_error(&self, error: &smtp::Error) -> SendError {
        let host = &self.host;
        // A broken connection is nested in an error with the same text.
        let mut error = error;
        while let Some(inner) = error.source().and_then(|source| source.downcast_ref()) {
            error = inner;
        }
        let broken = error.source().and_then(|source| source.downcast_ref::<io::Error>());
        // Only TLS reports invalid data.
        let is_tls = error.is_tls() || broken.is_some_and(|error| error.kind() == io::ErrorKind::InvalidData);
        let why = error.source().map(ToString::to_string).unwrap_or_default();
        let why = self.password.iter().fold(why, |why, password| why.replace(password.as_str(), "***"));
        let words: Vec<&str> = why.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty()).collect();
        let why = crate::author::notification_text::cut(&words.join(" "), MAX_QUOTE);
        let text = match error.status() {
            Some(code) => format!("{host} answered {code} {why}"),
            None if is_tls => format!("no secure connection to {host}: {why}"),
            None if error.is_client() => format!("the mail cannot be sent to {host}: {why}"),
            None if error.is_response() => format!("the answer of {host} is invalid: {why}"),
            None => format!("{host} could not be reached, or the connection broke: {why}"),
        };
        SendError { text, is_final: error.is_permanent() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(url: &str) -> Server {
        Server::parse(url).unwrap_or_else(|error| panic!("{url}: {}", error.text))
    }

    #[test]
    fn a_url_says_where_and_how() {
        for (url, host, port, tls) in [
            ("smtps://ann:s3cr3t@mail.example.org", "mail.example.org", 465, Tls::Implicit),
            ("smtp://ann:s3cr3t@mail.example.org?tls=required", "mail.example.org", 587, Tls::Required),
            ("smtp://mail.example.org:2525?tls=opportunistic", "mail.example.org", 2525, Tls::Opportunistic),
            ("smtp://localhost", "localhost", 25, Tls::None),
            ("smtp://[::1]:25/me.example.org", "::1", 25, Tls::None),
        ] {
            let server = parse(url);
            assert_eq!((&*server.host, server.port, server.tls), (host, port, tls), "{url}");
        }
        let server = parse("smtps://data%40example.org:p%40ss%2Fword@mail.example.org/me.example.org");
        assert_eq!((server.user(), server.password()), ("data@example.org", Some("p@ss/word")));
        assert_eq!(server.hello, ClientId::Domain("me.example.org".into()));
    }

    #[test]
    fn what_is_no_url_is_told_without_showing_it() {
        for (url, why) in [
            ("s3cr3t", "it cannot be read"),
            ("smtp:s3cr3t", "it has no host"),
            ("https://s3cr3t.example.org", "its scheme is neither `smtps` nor `smtp`"),
            ("smtp://mail.example.org?tls=s3cr3t", "`tls` is `required` or `opportunistic`, once"),
            ("smtp://mail.example.org?s3cr3t=1", "only `tls=required` or `tls=opportunistic` is allowed"),
            ("smtps://mail.example.org?tls=required", "so `tls` is not allowed"),
            ("smtps://a:%ff@mail.example.org", "not UTF-8 text"),
        ] {
            let error = Server::parse(url).err().unwrap();
            assert!(error.text.contains(why) && error.is_final && !error.text.contains("s3cr3t"), "{url}: {}", error.text);
        }
    }

    #[test]
    fn what_goes_in_clear_over_a_network_is_known() {
        for (url, host) in [
            ("smtp://mail.example.org", Some("mail.example.org")),
            ("smtp://mail.example.org?tls=opportunistic", Some("mail.example.org")),
            ("smtp://mail.example.org?tls=required", None),
            ("smtps://mail.example.org", None),
            ("smtp://localhost:25", None),
            ("smtp://[::1]", None),
        ] {
            assert_eq!(parse(url).sent_in_clear(), host, "{url}");
        }
    }
}
