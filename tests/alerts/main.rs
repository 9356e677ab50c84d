//! Webhooks and mails against servers that fail in every way, and the log notifier.
//!
//! The URL of a server comes from the environment, and the environment of a running process cannot be changed safely. So each
//! such test starts this binary again, with the variable set, for the half that runs the pipeline; see [`child`]. The child's
//! whole output, with every log line of every crate, is searched for the URL.

#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

#[path = "../figures.rs"]
mod figures;
mod log;
mod mail;
mod pipelines;
mod proxy;
mod server;
mod smtp;
mod tls;
mod webhook;

use std::process::Command;

/// The secret part of the URL.
const SECRET: &str = "/services/T0SECRET/B0SECRET?token=s3cr3t-t0ken";

/// Runs the ignored test `name` of this binary with `ALERTS_URL` set. Checks that it succeeded and did not print the secret, and
/// returns all that it printed.
#[track_caller]
fn child(name: &str, url: Option<&str>) -> String {
    child_with(name, url, &[])
}

/// Like [`child`], with more environment variables.
#[track_caller]
fn child_with(name: &str, url: Option<&str>, environment: &[(&str, &str)]) -> String {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", &format!("pipelines::{name}"), "--ignored", "--nocapture", "--test-threads=1"]);
    for proxy in ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy", "ALERTS_URL"] {
        command.env_remove(proxy);
    }
    command.envs(url.map(|url| ("ALERTS_URL", url))).env("ALERTS_CHILD", "1").env("RUST_BACKTRACE", "0");
    command.envs(environment.iter().copied());
    let output = command.output().unwrap();
    let text = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{text}");
    assert!(text.contains("1 passed"), "no such test: {text}");
    for secret in ["T0SECRET", "B0SECRET", "s3cr3t"] {
        assert!(!text.contains(secret), "the secret is out: {text}");
    }
    text
}
