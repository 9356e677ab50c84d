//! Mails, and what happens to those that do not arrive.

use crate::smtp::{Server, Tls};
use crate::tls::AUTHORITY;
use crate::{child, child_with};
use pipeline_runtime::prelude::*;

/// The URL, with a password that must stay secret.
fn url(scheme: &str, server: &Server, query: &str) -> String {
    format!("{scheme}://ann:s3cr3t-T0SECRET@127.0.0.1:{}{query}", server.address.port())
}

fn plain(server: &Server) -> String {
    url("smtp", server, "")
}

fn reply(to: &'static str, says: &str) -> (&'static str, String) {
    (to, says.to_owned())
}

#[test]
fn a_mail_says_what_is_known() {
    let server = Server::start(Tls::Never, []);
    let text = child("simulated_mail", Some(&plain(&server)));
    assert!(text.contains("tries: 1, told: Some(0ns)"), "{text}");
    let received = server.received();
    assert_eq!(received.commands[0], "EHLO [127.0.0.1]");
    assert!(received.commands[1].starts_with("AUTH PLAIN "), "{:?}", received.commands);
    let commands: Vec<&str> = received.commands[2..].iter().map(String::as_str).collect();
    let expected =
        ["MAIL FROM:<pipelines@example.org>", "RCPT TO:<data@example.org>", "RCPT TO:<ann@example.org>", "DATA", "QUIT"];
    assert_eq!(commands, expected);
    let [mail] = &received.mails[..] else { panic!("{:?}", received.mails) };
    for line in [
        "From: Pipelines <pipelines@example.org>\n",
        "To: data@example.org, Ann <ann@example.org>\n",
        "Subject: four of mailed succeeded\n",
        "Auto-Submitted: auto-generated\n",
        "\nfour of mailed succeeded\n\nrun: simulated__",
        "\nlogical date: ",
        "\nattempt: 1 of 1\n",
    ] {
        assert!(mail.contains(line), "{line:?}: {mail}");
    }
    let id = mail.lines().find_map(|line| line.strip_prefix("Message-ID: ")).unwrap();
    assert!(id.starts_with("<mailed/simulated__") && id.ends_with("@example.org>"), "{id}");
}

#[test]
fn its_subject_and_text_are_its_authors() {
    let server = Server::start(Tls::Never, []);
    child("worded_mail", Some(&plain(&server)));
    let mail = server.received().mails[0].clone();
    assert!(mail.contains("Subject: [worded] load failed, on one line\n"), "{mail}");
    assert!(mail.trim_end().ends_with("\n\nload of worded: invalid digit found in string\ntext = seven"), "{mail}");
}

#[test]
fn a_body_sends_a_mail_of_its_own_and_each_attempt_the_same() {
    let server = Server::start(Tls::Never, []);
    let text = child("mail_of_a_body", Some(&plain(&server)));
    let received = server.received();
    let [first, second] = &received.mails[..] else { panic!("{:?}: {text}", received.mails) };
    assert!(
        first.contains("Subject: The load, on one line\n") && first.trim_end().ends_with("\n\n7 rows were loaded"),
        "{first}"
    );
    let id = |mail: &str| mail.lines().find(|line| line.starts_with("Message-ID: ")).map(str::to_owned);
    assert_eq!(id(first), id(second));
}

/// The engine waits 1 s and 2 s, in virtual time.
#[test]
fn what_is_refused_for_now_is_tried_again() {
    let greylisted = [reply("", "421 try later"), reply("RCPT", "451 not yet"), reply("RCPT", "451 not yet")];
    let server = Server::start(Tls::Never, greylisted);
    let text = child("simulated_mail", Some(&plain(&server)));
    assert!(text.contains("tries: 3, told: Some(3s)"), "{text}");
    assert!(text.contains("the mail of ALERTS_URL: 127.0.0.1 answered 421 try later"), "{text}");
    assert!(
        text.contains("data@example.org is not notified: 127.0.0.1 answered 451 not yet; ann@example.org is not notified: "),
        "{text}"
    );
    let ids = |mail: &String| mail.lines().find(|line| line.starts_with("Message-ID: ")).map(str::to_owned);
    assert_eq!(server.received().mails.len(), 1);
    let server = Server::start(Tls::Never, [reply(".", "451 the disk is full")]);
    child("simulated_mail", Some(&plain(&server)));
    let received = server.received();
    assert_eq!(
        (received.mails.len(), ids(&received.mails[0])),
        (2, ids(&received.mails[1])),
        "both deliveries have one message id"
    );
}

#[test]
fn what_is_refused_for_good_is_not() {
    for (replies, said) in [
        (vec![reply("", "554 no mail here")], "127.0.0.1 answered 554 no mail here"),
        (vec![reply("MAIL", "550 s3cr3t-T0SECRET is no sender")], "127.0.0.1 answered 550 *** is no sender"),
        (
            vec![reply("RCPT", "550 nobody of that name"), reply("RCPT", "550 nobody of that name")],
            "data@example.org is not notified: 127.0.0.1 answered 550 nobody of that name; ann@example.org is not notified",
        ),
        (vec![reply("AUTH", "535 wrong: s3cr3t-T0SECRET")], "127.0.0.1 rejects the URL's user and password: 535"),
    ] {
        let server = Server::start(Tls::Never, replies);
        let text = child("simulated_mail", Some(&plain(&server)));
        assert!(text.contains("tries: 1, told: None"), "{text}");
        assert!(text.contains(&format!("the mail of ALERTS_URL: {said}")), "{said}: {text}");
        assert!(server.received().mails.is_empty());
    }
}

#[test]
fn who_has_left_keeps_the_mail_from_nobody_else() {
    let server = Server::start(Tls::Never, [reply("RCPT TO:<data@", "550 nobody of that name")]);
    let text = child("simulated_mail", Some(&plain(&server)));
    assert!(text.contains("tries: 1, told: Some(0ns)"), "{text}");
    let said = "the mail of ALERTS_URL: data@example.org is not notified: 127.0.0.1 answered 550 nobody of that name";
    assert_eq!(text.matches(said).count(), 1, "{text}");
    assert_eq!(server.received().mails.len(), 1);
}

#[test]
fn tls_is_as_the_url_says() {
    for (tls, scheme, query) in
        [(Tls::Always, "smtps", ""), (Tls::Offered, "smtp", "?tls=required"), (Tls::Offered, "smtp", "?tls=opportunistic")]
    {
        let server = Server::start(tls, []);
        let text = child_with("simulated_mail", Some(&url(scheme, &server, query)), &[("SSL_CERT_FILE", AUTHORITY)]);
        assert!(text.contains("tries: 1, told: Some(0ns)"), "{text}");
        let received = server.received();
        assert_eq!(received.mails.len(), 1);
        let at = |command: &str| received.commands.iter().position(|line| line.starts_with(command));
        assert!(tls == Tls::Always || at("STARTTLS") < at("AUTH"), "{:?}", received.commands);
    }
}

#[test]
fn where_tls_is_wanted_nothing_is_said_without_it() {
    let server = Server::start(Tls::Never, []);
    let text = child("simulated_mail", Some(&url("smtp", &server, "?tls=required")));
    assert!(text.contains("127.0.0.1 does not offer `STARTTLS`, which the URL's `tls=required` requires"), "{text}");
    assert!(text.contains("told: None"), "{text}");
    assert!(
        server.received().commands.iter().all(|command| command.starts_with("EHLO") || command == "QUIT"),
        "{:?}",
        server.received()
    );
    // A certificate that signs nothing is not an authority.
    let another = concat!(env!("CARGO_MANIFEST_DIR"), "/alerts/tls/server.pem");
    let server = Server::start(Tls::Always, []);
    let text = child_with("simulated_mail", Some(&url("smtps", &server, "")), &[("SSL_CERT_FILE", another)]);
    assert!(text.contains("no secure connection to 127.0.0.1: ") && text.contains("told: None"), "{text}");
    assert!(server.received().commands.is_empty());
}

#[test]
fn what_is_no_url_is_told_without_showing_it() {
    for (value, message) in [
        (None, "the mail's variable ALERTS_URL is not set; set it to the URL of a mail server"),
        (
            Some("https://s3cr3t.example.org"),
            "the mail of ALERTS_URL: its value is not a mail server's URL: its scheme is neither",
        ),
    ] {
        let text = child("simulated_mail", value);
        assert!(text.contains(message), "{message:?}: {text}");
        assert!(text.contains("tries: 1, told: None"), "{text}");
    }
    let server = Server::start(Tls::Never, []);
    let text = child("mail_from_nobody", Some(&plain(&server)));
    assert!(text.contains("it has no sender, as the URL's user is not an address: write `.from("), "{text}");
    assert!(server.received().commands.is_empty());
}

#[test]
fn a_simulation_sends_none_unless_it_is_asked_to() {
    let server = Server::start(Tls::Never, []);
    for url in [Some(plain(&server)), None] {
        let text = child("simulated_mail_only", url.as_deref());
        assert!(text.contains("tries: 1, told: Some(0ns)") && !text.contains(" WARN "), "{text}");
    }
    assert!(server.received().commands.is_empty());
}

#[test]
fn a_live_run_tells_by_mail_too() {
    let server = Server::start(Tls::Never, []);
    child("live_mail", Some(&plain(&server)));
    assert_eq!(server.received().mails.len(), 1);
}

#[test]
fn who_is_told_by_mail_is_checked() {
    const NOBODY: Mail = Mail::env("SMTP_URL");
    // A constant accepts this address, but mail does not.
    const STRANGE: Mail = Mail::env("SMTP_URL").to(&["a..b@example.org"]);
    #[pipeline(on_failure = [NOBODY, STRANGE])]
    fn told() {
        crate::pipelines::one();
    }
    let text = told().check().unwrap_err().to_string();
    assert!(text.contains("the notifier `Mail(SMTP_URL, )` cannot deliver notifications"), "{text}");
    assert!(text.contains("it has no recipient: write `.to(&[\"data@example.org\"])`"), "{text}");
    assert!(text.contains("\"a..b@example.org\" is not an address: a mail address is written `name@example.org`"), "{text}");
}

#[test]
fn labels_tell_mails_apart_and_show_no_value() {
    let mail = Mail::env("A").to(&["data@example.org"]);
    assert_eq!(mail.label(), "Mail(A, data@example.org)");
    assert_ne!(mail.label(), Mail::env("A").to(&["ops@example.org"]).label());
    assert!(mail.secrets() == [Secret::env("A")]);
}
