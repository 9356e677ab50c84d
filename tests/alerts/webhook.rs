//! What a webhook receives, and what happens to notifications that do not arrive.

use crate::figures::figure;
use crate::server::{Reply, Server};
use crate::{SECRET, child};
use pipeline_runtime::prelude::*;
use std::time::Duration;

fn url(server: &Server) -> String {
    format!("http://{}{SECRET}", server.address)
}

#[test]
fn a_notification_is_json_with_all_that_is_known() {
    let server = Server::start([]);
    child("sensor_times_out", Some(&url(&server)));
    let [request] = &server.requests()[..] else { panic!("{:?}", server.requests()) };
    assert!(request.head.starts_with(&format!("POST {SECRET} HTTP/1.1\r\n")), "{}", request.head);
    assert!(request.head.to_ascii_lowercase().contains("content-type: application/json"), "{}", request.head);
    let expected = serde_json::json!({
        "event": "on_failure",
        "summary": "export of late failed",
        "key": "late/simulated__2024-03-25T00:00:00Z/export/on_failure/1711412400000000000",
        "pipeline": "late",
        "run_id": "simulated__2024-03-25T00:00:00Z",
        "logical_date": "2024-03-25T00:00:00Z",
        "at": "2024-03-26T00:10:00Z",
        "node": "export",
        "state": "failed",
        "attempt": 1,
        "attempts": 1,
        "pokes": 15,
        "error": "timed out: not ready within 10m (15 pokes); it last looked for data-bucket/raw/2024-03-25.json",
        "elapsed_seconds": 600.0,
        "budget_left_seconds": 0.0,
        "inputs": { "key": "raw/2024-03-25.json" },
    });
    let mut body = request.body.clone();
    body["key"] = expected["key"].clone();
    assert_eq!(body, expected);
    assert!(request.body["key"].as_str().unwrap().starts_with("late/simulated__2024-03-25T00:00:00Z/export/on_failure/"));
}

#[test]
fn slack_is_sent_one_text_in_its_markup() {
    let server = Server::start([]);
    child("chat", Some(&url(&server)));
    let body = server.requests()[0].body.clone();
    let text = body["text"].as_str().unwrap();
    assert_eq!(body.as_object().unwrap().len(), 1);
    assert!(text.starts_with(":x: *load of wrong failed*\nrun: `simulated__"), "{text}");
    assert!(text.contains("\ntext: `&lt;seven&gt; &amp; 'eight'`\n"), "{text}");
    assert!(text.ends_with("\n```invalid digit found in string```"), "{text}");
}

#[test]
fn a_text_is_its_authors_markup_and_nobody_elses() {
    let server = Server::start([]);
    child("worded_chat", Some(&url(&server)));
    let body = server.requests()[0].body.clone();
    assert_eq!(body["text"], "*load* of <https://wiki|chatty>: invalid digit found in string &lt;seven&gt; &amp; `eight`");
    assert_eq!(body.as_object().unwrap().len(), 1);
}

#[test]
fn a_text_that_cannot_be_made_is_told_in_other_words_and_warned_of_once() {
    let server = Server::start([]);
    let text = child("misworded_webhook", Some(&url(&server)));
    let requests = server.requests();
    assert_eq!(requests.len(), 2);
    for request in requests {
        assert!(request.body["summary"].as_str().unwrap().ends_with(" of misworded succeeded"), "{:?}", request.body);
        assert!(request.body.get("text").is_none(), "{:?}", request.body);
    }
    let said = |level: &str| {
        let warned = |line: &&str| line.contains(level) && line.contains("the notifier's own text is sent");
        text.lines().filter(warned).filter(|line| line.contains("`error` has no value in this alert")).count()
    };
    assert_eq!((said(" WARN "), said(" DEBUG ")), (1, 1), "{text}");
}

#[test]
fn what_failed_is_tried_again_and_the_run_is_not_changed() {
    let bad = Reply::Status("500 Internal Server Error", format!("no handler\n for {SECRET}"));
    let server = Server::start([bad, Reply::Close, Reply::Break, Reply::Status("302 Found", String::new())]);
    let text = child("simulated_success", Some(&url(&server)));
    // 1 s, 2 s, 4 s and 8 s apart, in virtual time.
    assert!(text.contains("tries: 5, told: Some(15s)"), "{text}");
    assert!(
        text.contains("the webhook of ALERTS_URL: 127.0.0.1 answered 500 Internal Server Error: no handler for /***/***/***?"),
        "{text}"
    );
    assert!(text.contains("the connection to 127.0.0.1 broke"), "{text}");
    assert!(text.contains("answered 302 Found (redirects are not followed)"), "{text}");
    let requests = server.requests();
    assert_eq!(requests.len(), 5, "a redirect was followed, or a try is missing");
    assert!(requests.iter().all(|request| request.body == requests[0].body), "each try sends the same body");
}

#[test]
fn the_clock_of_a_simulation_stands_still_while_a_server_is_slow() {
    for name in ["simulated_success", "simulated_forward"] {
        let server = Server::start([Reply::After(Duration::from_millis(1500))]);
        let text = child(name, Some(&url(&server)));
        assert!(text.contains("tries: 1, told: Some(0ns)"), "{text}");
    }
}

#[test]
fn a_server_that_asks_for_a_pause_gets_it() {
    let date = "date: Mon, 25 Mar 2024 06:00:00 GMT\nretry-after: Mon, 25 Mar 2024 06:02:00 GMT";
    let server = Server::start([
        Reply::Head("429 Too Many Requests", "retry-after: 30".into()),
        Reply::Head("503 Service Unavailable", date.into()),
        // The pause of a 500 is ignored.
        Reply::Head("500 Internal Server Error", "retry-after: 3000".into()),
        // Shorter than the usual delay, and longer than the longest one.
        Reply::Head("429 Too Many Requests", "retry-after: 1".into()),
        Reply::Head("429 Too Many Requests", "retry-after: 86000".into()),
    ]);
    let text = child("simulated_success", Some(&url(&server)));
    // 30 s, 2 min, 4 s, 8 s and an hour, in virtual time.
    assert!(text.contains("tries: 6, told: Some(3762s)"), "{text}");
}

#[test]
fn a_callback_that_passes_the_error_on_passes_the_pause_on() {
    let server = Server::start([Reply::Head("429 Too Many Requests", "retry-after: 30".into())]);
    let text = child("simulated_forward", Some(&url(&server)));
    assert!(text.contains("tries: 2, told: Some(30s)"), "{text}");
}

/// The line of a child's output on when its alert arrived; in all these tests the run itself succeeds at once.
fn arrived(text: &str) -> String {
    let line = text.lines().find_map(|line| line.strip_prefix("tries: ")).unwrap();
    let (tries, told) = line.strip_suffix(')').and_then(|line| line.split_once(", told: Some(")).unwrap();
    format!("the run succeeds at 0 s; told by try {tries} at {told}")
}

#[test]
fn a_server_that_answers_500_is_told_once_it_is_well() {
    let bad = || Reply::Status("500 Internal Server Error", String::new());
    let server = Server::start([bad(), bad(), bad()]);
    figure!(arrived(&child("simulated_success", Some(&url(&server)))));
    assert_eq!(server.requests().len(), 4);
}

#[test]
fn a_server_that_closes_early_is_told_once_it_does_not() {
    let server = Server::start([Reply::Close, Reply::Break]);
    figure!(arrived(&child("simulated_success", Some(&url(&server)))));
    assert_eq!(server.requests().len(), 3);
}

#[test]
fn who_does_not_answer_in_ten_seconds_is_told_again() {
    let server = Server::start([Reply::After(Duration::from_secs(20))]);
    let text = child("simulated_success", Some(&url(&server)));
    assert!(text.contains("127.0.0.1 did not answer within 10s"), "{text}");
    assert!(text.contains("tries: 2, told: Some(1s)"), "{text}");
    figure!(arrived(&text));
}

#[test]
fn the_alert_arrives_once_the_server_is_back() {
    let text = child("server_comes_up_later", Some(&format!("http://{}{SECRET}", Server::nowhere())));
    assert!(text.contains("127.0.0.1 could not be reached: Connection refused"), "{text}");
    figure!(arrived(&text));
}

#[test]
fn a_live_run_tries_again_too() {
    let server = Server::start([Reply::Status("503 Service Unavailable", "busy".into()), Reply::Close]);
    child("live", Some(&url(&server)));
    assert_eq!(server.requests().len(), 3);
}

#[test]
fn what_is_no_url_is_told_without_showing_it() {
    for (value, message) in [
        (None, "the webhook's variable ALERTS_URL is not set; set it to the URL to notify"),
        (Some("  "), "the webhook's variable ALERTS_URL is empty"),
        (
            Some("s3cr3t-T0SECRET"),
            "the webhook of ALERTS_URL: its value is not a URL: it has no scheme; write `https://HOST/PATH`",
        ),
        (Some("ftp://127.0.0.1/s3cr3t"), "its scheme is neither `https` nor `http`"),
        (Some("http://ann:s3cr3t@127.0.0.1/"), "it contains a user and a password"),
        (Some("http:// s3cr3t"), "it cannot be read"),
    ] {
        let text = child("simulated_success", value);
        assert!(text.contains(message), "{message:?}: {text}");
        assert!(text.contains("told: None"), "{text}");
        // Another try would not help.
        assert!(text.contains("tries: 1,"), "{text}");
    }
}

#[test]
fn a_variable_that_is_not_set_is_warned_of_once_by_a_process() {
    let text = child("simulated_twice", None);
    assert_eq!(text.matches("tries: 1, told: None").count(), 2, "{text}");
    let warnings = text.lines().filter(|line| line.contains(" WARN ") && line.contains("ALERTS_URL is not set")).count();
    assert_eq!(warnings, 1, "{text}");
    assert!(text.contains("a callback failed and is not tried again"), "{text}");
}

#[test]
fn a_simulation_sends_nothing_unless_it_is_asked_to() {
    let server = Server::start([]);
    for url in [Some(url(&server)), None] {
        let text = child("simulated_only", url.as_deref());
        assert!(text.contains("tries: 1, told: Some(0ns)") && !text.contains(" WARN "), "{text}");
    }
    assert_eq!(server.requests().len(), 0);
}

#[test]
fn a_url_that_is_sent_in_clear_is_warned_of_once_unless_it_stays_on_the_machine() {
    let clear = |host: &str| {
        let server = Server::start([Reply::Close, Reply::Close]);
        let text = child("simulated_success", Some(&format!("http://{host}:{}{SECRET}", server.address.port())));
        assert!(text.contains("tries: 3, told: Some("), "{text}");
        text.matches("the webhook of ALERTS_URL is sent to").count()
    };
    // Both lead to this machine, but the first address does not show that.
    assert_eq!(clear("0.0.0.0"), 1);
    assert_eq!(clear("127.0.0.1"), 0);
}

#[test]
fn a_secret_that_a_server_repeats_decoded_is_not_quoted() {
    let server =
        Server::start([Reply::Status("500 Internal Server Error", "no handler for T0SECRET/B0SECRET, s3cr3t t0ken".into())]);
    let url = format!("http://{}/services/T0%53ECRET%2FB0SE%43RET?token=s3%63r3t%20t0ken", server.address);
    let text = child("simulated_success", Some(&url));
    assert!(text.contains("no handler for ***, ***"), "{text}");
}

#[test]
fn labels_tell_webhooks_apart_and_show_no_value() {
    let (json, slack) = (Webhook::env("A"), Webhook::env("A").slack());
    assert_eq!((json.label(), slack.label()), ("Webhook(A)".into(), "Webhook(A, slack)".into()));
    assert_ne!(json.label(), Webhook::env("B").label());
    assert_eq!(format!("{json:?}"), r#"Webhook { variable: "A", format: Json, text: None }"#);
}
