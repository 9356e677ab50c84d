//! Secrets: their values are in nothing that is stored or shown.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed; clippy knows only functions with `#[test]`")]

use crate::command::{PARAMS, command, transcript};
use expect_test::expect;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

/// Neither value is part of any other text.
const KEY: &str = "s3cr3t-of-the-portal";
const TOKEN: &str = "t0ken-of-the-portal";

const DATE: [&str; 2] = ["--logical-date", "2024-03-25"];

fn call(folder: Option<&Path>, args: &[&str]) -> Command {
    let mut command = command(PARAMS, args);
    if let Some(folder) = folder {
        command.current_dir(folder);
    }
    command.env("PORTAL_KEY", KEY).env("PORTAL_TOKEN", TOKEN).env_remove("PORTAL_HOOK");
    command
}

/// Returns the output of the call, and checks that it contains no secret.
fn transcript_without_secrets(mut command: Command) -> String {
    let output = command.output().unwrap();
    let text = transcript(&output);
    for secret in [KEY, TOKEN] {
        assert!(!text.contains(secret), "{command:?} says it: {text}");
    }
    text
}

/// Collects the names of the files that contain a secret.
fn files_with_secrets(folder: &Path, found: &mut Vec<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files_with_secrets(&path, found);
            continue;
        }
        let bytes = fs::read(&path).unwrap();
        let has = |secret: &str| bytes.windows(secret.len()).any(|window| window == secret.as_bytes());
        if has(KEY) || has(TOKEN) {
            found.push(path.display().to_string());
        }
    }
}

#[test]
fn a_value_is_in_no_file_and_in_nothing_that_is_said() {
    for (how, format, expected) in [
        ("ok", "text", "success"),
        ("retry", "json", "the portal does not know ***"),
        ("fail", "text", "the portal does not know ***"),
        ("panic", "text", "the portal does not know ***"),
        ("skip", "json", "the portal does not know ***"),
    ] {
        let how = format!("how={how}");
        let mut run =
            call(None, &["run", "guarded", "--param", &how, "--param", "token=env:PORTAL_TOKEN", "--log-format", format]);
        run.args(DATE);
        let folder = run.get_current_dir().unwrap().to_owned();
        run.args(["--metrics", "metrics.prom"]);
        let text = transcript_without_secrets(run);
        assert!(text.contains(expected), "{how}: {text}");
        assert!(text.contains("the key is"), "{how}: {text}");
        assert!(text.contains(r#""token":"env:PORTAL_TOKEN""#), "{how}: params are shown as references: {text}");
        let id = "manual__2024-03-25T00:00:00Z";
        for args in [&["runs"][..], &["runs", "--json"], &["show", id], &["logs", id, "blab"], &["logs", id, "blab_blocking"]] {
            let text = transcript_without_secrets(call(Some(&folder), args));
            assert!(text.contains("[exit 0]"), "{args:?}: {text}");
        }
        assert!(transcript_without_secrets(call(Some(&folder), &["show", id])).contains(r#""token":"env:PORTAL_TOKEN""#));
        let mut found = Vec::new();
        files_with_secrets(&folder, &mut found);
        assert_eq!(found, Vec::<String>::new(), "{how}");
    }
}

#[test]
fn a_value_in_place_of_a_reference_is_refused_and_not_repeated() {
    let mut run = call(None, &["run", "guarded", "--param"]);
    run.arg(format!("token={TOKEN}"));
    expect![[r#"
        [exit 2]
        [stderr]
        error: --param token=…: param `token` of pipeline `guarded` is a secret, and params are stored and shown: say where its value is, as in `env:NAME` for an environment variable or `file:PATH` for a file
    "#]].assert_eq(&transcript_without_secrets(run));
    let mut run = call(None, &["run", "guarded", "--params", "params.json"]);
    fs::write(run.get_current_dir().unwrap().join("params.json"), format!(r#"{{"token": "{TOKEN}"}}"#)).unwrap();
    run.args(DATE);
    expect![[r#"
        [exit 2]
        [stderr]
        error: --params params.json: param `token` of pipeline `guarded` is a secret, and params are stored and shown: say where its value is, as in `env:NAME` for an environment variable or `file:PATH` for a file
    "#]].assert_eq(&transcript_without_secrets(run));
}

#[test]
fn a_value_for_a_list_or_a_map_of_secrets_is_refused_and_not_repeated() {
    for (param, named) in [
        (format!("list={TOKEN}"), "list"),
        (format!("list.0={TOKEN}"), "list"),
        (format!("list=[\"{TOKEN}\"]"), "list[0]"),
        (format!("list={{\"a\":\"{TOKEN}\"}}"), "list"),
        (format!("by_name={TOKEN}"), "by_name"),
        (format!("by_name.a={TOKEN}"), "by_name.a"),
    ] {
        let text = transcript_without_secrets(call(None, &["run", "keyed", "--param", &param]));
        let wanted = format!("=…: param `{named}` of pipeline `keyed` is a secret, and params are stored and shown");
        assert!(text.contains("[exit 2]") && text.contains(&wanted), "{param}: {text}");
    }
    let run = call(None, &["run", "keyed", "--params", "params.json"]);
    fs::write(run.get_current_dir().unwrap().join("params.json"), format!(r#"{{"list": "{TOKEN}"}}"#)).unwrap();
    assert!(transcript_without_secrets(run).contains("param `list` of pipeline `keyed` is a secret"));
    // Values that are not secrets are shown, and so are references.
    let text = transcript_without_secrets(call(None, &["run", "keyed", "--param", "list=env:PORTAL_KEY"]));
    assert!(text.contains("--param list=env:PORTAL_KEY: ") && text.contains("is not JSON"), "{text}");
    let text = transcript_without_secrets(call(None, &["run", "told", "--param", "pace=none-of-them"]));
    assert!(text.contains("--param pace=none-of-them: "), "{text}");
}

#[test]
fn panics_of_what_bodies_start_and_of_notifiers_do_not_tell_a_value() {
    let mut run = call(None, &["run", "guarded", "--param", "how=spawn"]);
    run.args(DATE);
    let text = transcript_without_secrets(run);
    for wanted in ["a task knows ***", "a thread knows ***", "the pool knows ***", "and so does the body: ***"] {
        assert!(text.contains(wanted), "{wanted}: {text}");
    }
    assert!(text.contains("' panicked at tests/cli/params/main.rs:"), "{text}");
    let text = transcript_without_secrets(call(None, &["run", "screaming"]));
    assert!(text.contains("a notifier knows ***") && text.contains("[exit 0]"), "{text}");
}

#[test]
fn a_node_without_its_secret_fails_at_once_and_names_it() {
    let mut run = call(None, &["run", "guarded", "--log", "off", "--param", "how=ok", "--json"]);
    run.args(DATE).env_remove("PORTAL_KEY");
    let text = transcript_without_secrets(run);
    let wanted =
        "the input `key` cannot be read: the secret `env:PORTAL_KEY` has no value: set the environment variable PORTAL_KEY";
    assert!(text.contains(wanted), "{text}");
    assert!(!text.contains("retrying"), "{text}");
}

#[test]
fn serve_warns_before_it_starts_anything() {
    let mut serve = call(None, &["serve"]);
    let mut child = serve.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let mut first = String::new();
    BufReader::new(child.stderr.take().unwrap()).read_line(&mut first).unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(first.starts_with("warning: the secret `env:PORTAL_HOOK` has no value: "), "{first}");
}

#[test]
fn what_has_no_value_is_said_before_anything_runs() {
    let mut check = call(None, &["check"]);
    check.env_remove("PORTAL_KEY");
    expect![[r#"
        told: 1 node, no schedule
        guarded: 2 nodes, no schedule
        hooked: 1 node, no schedule
        mailed: 1 node, no schedule
        screaming: 1 node, no schedule
        wandering: 3 nodes, no schedule
        keyed: 1 node, no schedule
        limited: 1 node, no schedule
        counts: 1 node, at 00:00 (UTC)
        totals: 3 nodes, at 00:00 (UTC)
        converted: 2 nodes, when all(rates)
        time zones: _
        [exit 0]
        [stderr]
        warning: the secret `env:PORTAL_KEY` has no value: set the environment variable PORTAL_KEY; it is needed by `blab`, `blab_blocking` of pipeline `guarded`
        warning: the secret `env:PORTAL_HOOK` has no value: set the environment variable PORTAL_HOOK; it is needed by `Webhook(PORTAL_HOOK)` of pipeline `hooked`
        warning: the secret `file:no-such-file` has no value: the file cannot be read: No such file or directory (os error 2); it is needed by `load` of pipeline `hooked`
        warning: the secret `env:PORTAL_MAIL` has no value: set the environment variable PORTAL_MAIL; it is needed by `Mail(PORTAL_MAIL, data@example.org)` of pipeline `mailed`
        warning: the secret `env:PORTAL_KEY` has no value: set the environment variable PORTAL_KEY; it is needed by `blab_blocking` of pipeline `screaming`
        warning: the secret `file:key-of-the-start` has no value: the file cannot be read: No such file or directory (os error 2); it is needed by `unlock` of pipeline `wandering`
    "#]].assert_eq(&transcript_without_secrets(check));
    expect![[r#"
        hooked: 1 node, no schedule
        [exit 2]
        [stderr]
        error: the secret `env:PORTAL_HOOK` has no value: set the environment variable PORTAL_HOOK; it is needed by `Webhook(PORTAL_HOOK)` of pipeline `hooked`
        error: the secret `file:no-such-file` has no value: the file cannot be read: No such file or directory (os error 2); it is needed by `load` of pipeline `hooked`
    "#]].assert_eq(&transcript_without_secrets(call(None, &["check", "hooked", "--env"])));
    expect![[r#"
        guarded: 2 nodes, no schedule
        [exit 0]
    "#]]
    .assert_eq(&transcript_without_secrets(call(None, &["check", "guarded", "--env"])));
    // A value that cannot be used, and which no text contains.
    for (url, why) in [
        ("mail.example.org", "its value is not a mail server's URL: it cannot be read; write `smtps://USER:PASSWORD@HOST`"),
        (
            "https://ann:kept-apart@mail.example.org",
            "its value is not a mail server's URL: its scheme is neither `smtps` nor `smtp`;",
        ),
        ("smtps://ann:kept-apart@mail.example.org", "it has no sender, as the URL's user is not an address"),
        ("smtps://ann%40example.org:kept-apart@mail.example.org", ""),
    ] {
        let mut check = call(None, &["check", "mailed", "--env"]);
        check.env("PORTAL_MAIL", url);
        let said = transcript_without_secrets(check);
        let error = "error: the notifier `Mail(PORTAL_MAIL, data@example.org)` of pipeline `mailed` cannot deliver notifications: the variable PORTAL_MAIL: ";
        assert!(!said.contains("kept-apart"), "{said}");
        if why.is_empty() {
            assert_eq!(said, "mailed: 1 node, no schedule\n[exit 0]\n");
        } else {
            assert!(said.contains(&format!("{error}{why}")) && said.contains("[exit 2]"), "{said}");
        }
    }
}
