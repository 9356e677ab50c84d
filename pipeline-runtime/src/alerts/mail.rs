use super::address::{self, ADDRESS_FORM};
use super::author_text;
use super::smtp::{SendError, Server};
use super::variable::Variable;
use crate::author::context::Context;
use crate::author::error::{Result, TaskError};
use crate::author::log_once::LogOnce;
use crate::author::notification_text;
use crate::author::notify::{BoxFuture, Notification, Notify};
use crate::author::redaction;
use crate::author::secret::Secret;
use crate::author::template::Escaping;
use crate::author::template::alert::AlertText;
use crate::hash::Fnv1a;
use crate::storage::World;
use lettre::message::header::{ContentType, HeaderName, HeaderValue};
use lettre::message::{Mailbox, Message};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// Notifies people by mail, through an SMTP server. Needs the feature `mail`, which is off by default.
///
/// The server's URL is read from an environment variable for each notification. It is a secret: logs, errors and `Debug` contain
/// at most the variable's name and the URL's host.
///
/// ```
/// use pipeline_runtime::prelude::*;
///
/// const TEAM: Mail = Mail::env("SMTP_URL")
///     .to(&["data@example.org", "Ann <ann@example.org>"])
///     .from("Pipelines <pipelines@example.org>")
///     .subject(alert!("[{{ dag.id }}] {{ summary }}"));
///
/// #[task(retries = 1)]
/// async fn load() -> Result<u64> { Ok(1) }
///
/// #[pipeline(on_failure = TEAM, sla = "45m", on_sla_miss = TEAM)]
/// fn nightly() { load(); }
/// # nightly().check().unwrap();
/// ```
///
/// | URL | default port | |
/// |---|---|---|
/// | `smtps://USER:PASSWORD@HOST` | 465 | TLS from the first byte |
/// | `smtp://USER:PASSWORD@HOST?tls=required` | 587 | TLS by `STARTTLS`; without it nothing is sent |
/// | `smtp://HOST?tls=opportunistic` | 587 | TLS if the server offers it; an attacker on the way can suppress the offer |
/// | `smtp://HOST` | 25 | no TLS, for a server on this machine |
///
/// Characters of the user or the password with a meaning in URLs are percent-encoded, as `%40` for `@`. A path,
/// `smtps://HOST/NAME`, is the name that this machine gives to a server that insists on one.
///
/// # What is sent
///
/// One mail to all recipients, as plain text: what happened as its subject, and the details below: the node, the attempt, the
/// inputs, the error. [`subject`](Self::subject) and [`text`](Self::text) replace them. If the same notification is sent twice,
/// which can happen, both mails have the same `Message-ID`, so that most mail programs show it once.
/// `Auto-Submitted: auto-generated` prevents out-of-office replies.
///
/// # When it fails
///
/// A mail takes at most 30 s, from connecting until the server has it. If the server cannot be reached, or reports a temporary
/// failure (`4xx`), the engine tries again, from 1 s to 5 min apart, for 24 h. A permanent failure (`5xx`), such as a wrong
/// password, is not retried, and neither is a variable that is not set, is empty or is not a URL. The process warns of that once.
///
/// A recipient that the server refuses does not keep the mail from the others; the process warns of each once. Only if it refuses
/// all of them does the notification fail.
///
/// Without TLS, anyone on the way to the server can read the password and the mail. The process warns of that once for a
/// variable, unless the host is this machine. Certificates are checked against the system's store, or that of `SSL_CERT_FILE`.
///
/// # In a simulation
///
/// Nothing is sent, and the variable need not be set: the simulation assumes that the mail was delivered. With
/// [`Simulation::send_alerts`](crate::Simulation::send_alerts) it is really sent; virtual time stands still meanwhile.
#[derive(Debug, Clone, Copy)]
pub struct Mail {
    variable: &'static str,
    to: &'static [&'static str],
    from: Option<&'static str>,
    subject: Option<AlertText>,
    text: Option<AlertText>,
}

/// Longer subjects are cut, as mail programs do.
const MAX_SUBJECT: usize = 200;
/// The maximum length of a line in a mail is 998 characters.
const MAX_ID: usize = 500;

impl Mail {
    /// A notifier that uses the server whose URL is in the environment variable at the time of a notification.
    pub const fn env(variable: &'static str) -> Self {
        Self { variable, to: &[], from: None, subject: None, text: None }
    }

    /// Sets the recipients, each `name@example.org` or `Name <name@example.org>`.
    ///
    /// # Panics
    ///
    /// If one is not an address; in a constant that is a compile error.
    #[track_caller]
    pub const fn to(self, to: &'static [&'static str]) -> Self {
        let mut at = 0;
        while at < to.len() {
            assert!(address::is_address(to[at]), "{}", ADDRESS_FORM);
            at += 1;
        }
        Self { to, ..self }
    }

    /// Sets the sender. By default it is the user of the URL, which then has to be an address.
    ///
    /// # Panics
    ///
    /// If it is not an address; in a constant that is a compile error.
    #[track_caller]
    pub const fn from(self, from: &'static str) -> Self {
        assert!(address::is_address(from), "{}", ADDRESS_FORM);
        Self { from: Some(from), ..self }
    }

    /// Sets the subject, on one line of at most 200 characters.
    pub const fn subject(self, subject: AlertText) -> Self {
        Self { subject: Some(subject), ..self }
    }

    /// Sets the text.
    pub const fn text(self, text: AlertText) -> Self {
        Self { text: Some(text), ..self }
    }

    /// Sends a mail from a body, as Airflow's `EmailOperator` does: to the same recipients, through the same server, and with the
    /// same redaction of secrets. All attempts of a node in a run use one `Message-ID`, so that most mail programs show the mail
    /// once. If a body sends two mails, they need different subjects.
    ///
    /// ```
    /// use pipeline_runtime::prelude::*;
    /// use pipeline_runtime::{RunState, Simulation};
    ///
    /// const TEAM: Mail = Mail::env("SMTP_URL").to(&["data@example.org"]).from("pipelines@example.org");
    ///
    /// #[task(retries = 3, retry_delay = "1m")]
    /// async fn report(ctx: Context, rows: u64) -> Result<()> {
    ///     TEAM.send(&ctx, "The load", &format!("{rows} rows were loaded")).await
    /// }
    ///
    /// #[pipeline]
    /// fn nightly() { report(7u64); }
    ///
    /// // As with alerts, a simulation sends nothing.
    /// assert_eq!(Simulation::new(nightly()).run().state(), RunState::Success);
    /// ```
    ///
    /// # Errors
    ///
    /// If the mail cannot be sent. A retry cannot help if the variable is not a URL, or the server refuses the mail permanently.
    pub async fn send(&self, ctx: &Context, subject: &str, text: &str) -> Result<()> {
        // For a notifier, `check` reports it.
        if let Some(mistake) = self.mistakes().first() {
            return Err(TaskError::fatal(format!("the mail of {}: {mistake}", self.variable)));
        }
        let key = format!("{}/{subject}", ctx.idempotency_key());
        let letter = Letter { subject: one_line(subject), text: redaction::redacted(text).into_owned(), id: id(&key) };
        self.deliver(World::current(), letter).await
    }

    /// Sends it, unless the world does not really send alerts.
    async fn deliver(self, world: World, letter: Letter) -> Result<()> {
        if !world.sends_alerts() {
            return Ok(());
        }
        let url = self.url().read()?;
        let to_error = |error: SendError| {
            let text = format!("the mail of {}: {}", self.variable, error.text);
            if error.is_final { TaskError::fatal(text) } else { text.into() }
        };
        let server = Server::parse(&url).map_err(to_error)?;
        server.password().into_iter().for_each(redaction::hide);
        warn_of_clear_text(self.variable, &server);
        // On a separate thread, with its own runtime: the caller's may be paused, or have no I/O.
        world.aside(move || self.post(&server, letter)).await?.map_err(to_error)
    }

    const fn url(self) -> Variable {
        Variable {
            name: self.variable,
            owner: "the mail",
            expected: "the URL of a mail server, such as `smtps://USER:PASSWORD@HOST`",
        }
    }

    /// The contents, without sender and recipients.
    fn letter(self, n: &Notification) -> Letter {
        let subject = author_text::render(self.subject, n, Escaping::None).unwrap_or_else(|| notification_text::headline(n));
        let text = author_text::render(self.text, n, Escaping::None).unwrap_or_else(|| full_text(n));
        Letter { subject: one_line(&subject), text, id: id(&notification_text::key(n)) }
    }

    /// The sender.
    fn sender(&self, server: &Server) -> std::result::Result<Mailbox, SendError> {
        match self.from {
            Some(from) => mailbox(from),
            None => server.user().parse().map_err(|_| {
                SendError::permanent(
                    "it has no sender, as the URL's user is not an address: write `.from(\"pipelines@example.org\")`",
                )
            }),
        }
    }

    /// Sends it, and warns of each recipient that the server refused. Blocks.
    fn post(self, server: &Server, letter: Letter) -> std::result::Result<(), SendError> {
        let from = self.sender(server)?;
        let to = self.to.iter().map(|to| mailbox(to)).collect::<std::result::Result<Vec<_>, _>>()?;
        let message = letter.message(&from, &to)?;
        for refused in server.send(&from, &to, &message)? {
            static WARNED: LogOnce = LogOnce::new();
            if WARNED.is_first(format!("{} {refused}", self.variable)) {
                tracing::warn!("the mail of {}: {refused}", self.variable);
            }
        }
        Ok(())
    }
}

fn mailbox(text: &str) -> std::result::Result<Mailbox, SendError> {
    text.parse().map_err(|_| SendError::permanent(format!("{text:?}: {ADDRESS_FORM}")))
}

/// The contents of a mail.
struct Letter {
    subject: String,
    text: String,
    id: String,
}

impl Letter {
    fn message(self, from: &Mailbox, to: &[Mailbox]) -> std::result::Result<Message, SendError> {
        let mut message = Message::builder()
            .from(from.clone())
            .subject(self.subject)
            .message_id(Some(format!("<{}@{}>", self.id, from.email.domain())))
            .header(ContentType::TEXT_PLAIN)
            .raw_header(HeaderValue::new(HeaderName::new_from_ascii_str("Auto-Submitted"), "auto-generated".into()));
        for to in to {
            message = message.to(to.clone());
        }
        message.body(self.text).map_err(|error| SendError::permanent(format!("it cannot be written: {error}")))
    }
}

/// All details, on several lines.
fn full_text(n: &Notification) -> String {
    let mut text = format!("{}\n\n", notification_text::headline(n));
    for (name, value) in notification_text::details(n) {
        text.extend([name, ": ", &value, "\n"]);
    }
    if let Some(error) = &n.error {
        text.extend(["\n", error, "\n"]);
    }
    text
}

/// Makes a subject of one line.
fn one_line(subject: &str) -> String {
    let subject = redaction::redacted(subject);
    let words: Vec<&str> = subject.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty()).collect();
    notification_text::cut(&words.join(" "), MAX_SUBJECT)
}

/// The characters that are percent-encoded in the id of a mail, so that different keys have different ids: mail programs show only
/// one of several mails with the same id.
const ESCAPED_IN_ID: &AsciiSet = &NON_ALPHANUMERIC.remove(b'_').remove(b'-').remove(b'+').remove(b'/').remove(b'=');

/// The id of a mail, from its key.
fn id(key: &str) -> String {
    let id = utf8_percent_encode(key, ESCAPED_IN_ID).to_string();
    if id.len() <= MAX_ID {
        return id;
    }
    // The part that distinguishes two mails of one run is at the end. The cut part is represented by its hash, which is the
    // same in each process.
    let sum = format!("{:016x}-", Fnv1a::of(id.as_bytes()));
    let kept = id.len() - (MAX_ID - sum.len());
    sum + &id[kept..]
}

impl Notify for Mail {
    fn notify(&self, notification: Notification) -> BoxFuture<Result<()>> {
        let mail = *self;
        let world = World::current();
        Box::pin(async move {
            // Rendered even if it is not sent, so that a simulation reports mistakes in its text.
            let letter = mail.letter(&notification);
            mail.deliver(world, letter).await
        })
    }

    fn secrets(&self) -> Vec<Secret> {
        vec![Secret::env(self.variable)]
    }

    fn mistakes(&self) -> Vec<String> {
        let mut mistakes: Vec<String> = (self.to.iter().chain(&self.from))
            .filter(|address| address.parse::<Mailbox>().is_err())
            .map(|address| format!("{address:?} is not an address: {ADDRESS_FORM}"))
            .collect();
        if self.to.is_empty() {
            mistakes.push("it has no recipient: write `.to(&[\"data@example.org\"])`".to_owned());
        }
        mistakes
    }

    fn mistakes_of_values(&self) -> Vec<String> {
        let Ok(url) = self.url().read() else { return Vec::new() };
        let of_url = |error: SendError| vec![format!("the variable {}: {}", self.variable, error.text)];
        match Server::parse(&url) {
            Err(error) => of_url(error),
            Ok(server) => self.sender(&server).err().map_or_else(Vec::new, of_url),
        }
    }

    fn label(&self) -> String {
        format!("Mail({}, {})", self.variable, self.to.join(", "))
    }
}

fn warn_of_clear_text(variable: &str, server: &Server) {
    static WARNED: LogOnce = LogOnce::new();
    let Some(host) = server.sent_in_clear() else { return };
    if WARNED.is_first(variable.to_owned()) {
        tracing::warn!(
            "the mail of {variable} is sent to {host} without guaranteed TLS: anyone on the way can read the password and the mail; write \
             `smtps://`, or `?tls=required`"
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::author::notify::Event;

    #[test]
    fn in_full_it_has_all_that_is_known() {
        let failure = Notification::for_test(Event::OnFailure)
            .with_node("load", "failed")
            .with_error("disk full")
            .with_input("key", "raw/1.json");
        assert_eq!(
            full_text(&failure),
            "load of test failed\n\nrun: test\nlogical date: 2024-01-01T00:00:00Z\nstate: failed\nkey: raw/1.json\n\ndisk full\n"
        );
    }

    #[test]
    fn an_id_has_the_letters_of_one_and_is_short_enough() {
        let of = |run: &str| {
            id(&notification_text::key(
                &Notification::for_test(Event::OnFailure).with_run_id("sales", run).with_node("load[größe]", "failed"),
            ))
        };
        assert_eq!(
            of("manual__2024-01-01T00:00:00+00:00"),
            "sales/manual__2024-01-01T00%3A00%3A00+00%3A00/load%5Bgr%C3%B6%C3%9Fe%5D/on_failure/1704067200000000000"
        );
        assert_eq!(of(&"x".repeat(2000)).len(), MAX_ID);
    }

    #[test]
    fn two_keys_are_two_ids() {
        assert_ne!(id("sales/run/report/销售报告"), id("sales/run/report/库存报告"));
        assert_ne!(id("sales/run/report/50 %"), id("sales/run/report/50 $"));
        // One subject in two runs.
        let long = "x".repeat(MAX_ID);
        assert_ne!(id(&format!("sales/monday/report/{long}")), id(&format!("sales/tuesday/report/{long}")));
    }
}
