//! Access control. Each request passes here before anything else is done about it.
//!
//! | rule | against |
//! |---|---|
//! | the host name of the request is this server's | a foreign page whose name was bound to this address (DNS rebinding): 421 |
//! | if the browser names the origin, it is this page, except that a link to a page may be anywhere; changes must name their origin | requests by other pages in the user's name (CSRF): 403 |
//! | on loopback, on Linux, the client is this user or root, unless there is a token | other users of the machine: 403 |
//! | if there is a token, it is given, by cookie or as `Authorization: Bearer` | everybody else: 401, and 429 after five wrong ones a second |
//! | with `--read-only` nothing is changed | 405 |
//!
//! Further headers keep other pages from framing the page, reading it, or running foreign code in it (`HEADERS`).

mod peer;
#[cfg(test)]
mod tests;

pub(super) use peer::Peer;

use super::options::Options;
use super::problem::Problem;
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, StatusCode, header};
use std::net::SocketAddr;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::time::{Duration, Instant};

/// The maximum number of wrong tokens per second that are checked.
const MAX_WRONG_TOKENS: u32 = 5;

/// Security headers of each answer.
pub(super) const HEADERS: [(&str, &str); 6] = [
    (
        "content-security-policy",
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; form-action 'self'; \
         base-uri 'self'; frame-ancestors 'none'; require-trusted-types-for 'script'",
    ),
    ("cross-origin-resource-policy", "same-origin"),
    ("cross-origin-opener-policy", "same-origin"),
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "no-referrer"),
    ("x-frame-options", "DENY"),
];

/// The number of wrong tokens within the current second.
#[derive(Debug, Default)]
struct Guesses(Mutex<Option<(Instant, u32)>>);

impl Guesses {
    /// Counts a wrong token. Returns whether it was one too many.
    fn count_wrong(&self) -> bool {
        self.count_wrong_at(Instant::now())
    }

    fn count_wrong_at(&self, now: Instant) -> bool {
        let mut guesses = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (since, count) = guesses.filter(|(since, _)| now - *since < Duration::from_secs(1)).unwrap_or((now, 0));
        *guesses = Some((since, count + 1));
        count >= MAX_WRONG_TOKENS
    }
}

/// The access rules of a server.
#[derive(Debug)]
pub(super) struct Gate {
    pub(super) options: Options,
    /// The address that the server listens on.
    pub(super) address: SocketAddr,
    guesses: Guesses,
}

impl Gate {
    pub(super) fn new(options: Options, address: SocketAddr) -> Self {
        Self { options, address, guesses: Guesses::default() }
    }
}

/// Checks whether the request may be answered.
///
/// # Errors
///
/// The reason why not.
pub(super) fn check(parts: &Parts, peer: Peer, gate: &Gate) -> Result<(), Problem> {
    // A token identifies the user, whichever process sends it: a proxy runs as its own user.
    if !peer.is_admitted && gate.options.token.is_none() {
        return Err(Problem::forbidden("another user", "this dashboard only answers the user who started it, and root"));
    }
    let is_read = matches!(parts.method, Method::GET | Method::HEAD);
    check_host(&parts.headers, &gate.options, gate.address)?;
    let needs_token = needs_token(parts.uri.path(), &gate.options.base);
    check_origin(&parts.headers, is_read, !needs_token)?;
    if needs_token {
        check_token(&parts.headers, gate)?;
    }
    Ok(())
}

/// False for the page's files, which contain nothing of the journal and are needed before the login.
fn needs_token(path: &str, base: &str) -> bool {
    let path = path.strip_prefix(base).unwrap_or(path);
    path.starts_with("/api/") && path != "/api/v1/login" || matches!(path, "/metrics" | "/readyz")
}

/// Checks that the request names this server.
fn check_host(headers: &HeaderMap, options: &Options, address: SocketAddr) -> Result<(), Problem> {
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let port = address.port();
    let is = |name: &str| host.eq_ignore_ascii_case(name);
    // Browsers omit port 80.
    let is_named = |name: &str| is(&format!("{name}:{port}")) || port == 80 && is(name);
    let is_address = address.ip().is_unspecified() && host.parse::<SocketAddr>().is_ok_and(|host| host.port() == port);
    let is_own = is(&address.to_string()) || is_named("localhost") || address.ip().is_loopback() && is_named("[::1]");
    // A name with a port matches that port only; one without matches any port.
    let is_given = options
        .hosts
        .iter()
        .any(|name| is(name) || host.rsplit_once(':').is_some_and(|(host, _)| host.eq_ignore_ascii_case(name)));
    if is_own || is_address || is_given {
        return Ok(());
    }
    Err(Problem::new(StatusCode::MISDIRECTED_REQUEST, "another server's name", format!("this is {address}, and not `{host}`"))
        .hint("if a proxy uses that name, start the dashboard with `--allow-host NAME`"))
}

/// Checks that the request comes from this page, or from a program. `is_page` is true for addresses that contain nothing of the
/// journal.
fn check_origin(headers: &HeaderMap, is_read: bool, is_page: bool) -> Result<(), Problem> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let foreign = |detail: &str| Err(Problem::forbidden("another page", detail));
    match text("sec-fetch-site") {
        None | Some("same-origin") => {}
        Some("none") if is_read => {}
        // A link in a chat or a wiki. The page that it opens reads the journal itself, and no other page can look into it.
        Some(_)
            if is_read && is_page && text("sec-fetch-mode") == Some("navigate") && text("sec-fetch-dest") == Some("document") => {
        }
        Some(_) => return foreign("the request comes from another page"),
    }
    if is_read {
        return Ok(());
    }
    let is_json =
        text("content-type").is_some_and(|kind| kind.split(';').next().unwrap_or_default().trim() == "application/json");
    if !is_json {
        return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "not JSON", "changes must be sent as `application/json`"));
    }
    // A program that has the token is not a browser controlled by another page.
    if headers.contains_key(header::AUTHORIZATION) {
        return Ok(());
    }
    let host = text("host").unwrap_or_default();
    match text("origin").map(|origin| origin.split_once("://").map_or(origin, |(_, host)| host)) {
        Some(origin) if origin.eq_ignore_ascii_case(host) => Ok(()),
        Some(_) => foreign("the request comes from another page"),
        None => foreign("changes must name their page: send `Origin: http://` followed by the host of the request"),
    }
}

/// Checks that the request has the token, if there is one.
fn check_token(headers: &HeaderMap, gate: &Gate) -> Result<(), Problem> {
    let Some(token) = &gate.options.token else { return Ok(()) };
    let text = |name| headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
    let name = cookie(gate.address);
    let cookies = text(header::COOKIE).flat_map(|cookies| cookies.split(';')).filter_map(|cookie| cookie.trim().split_once('='));
    let mut given = text(header::AUTHORIZATION)
        .filter_map(|value| value.strip_prefix("Bearer "))
        .map(str::trim)
        .chain(cookies.filter(|(of, _)| *of == name).map(|(_, value)| value))
        .peekable();
    let is_given = given.peek().is_some();
    if given.any(|given| token.is(given)) {
        return Ok(());
    }
    if is_given && gate.guesses.count_wrong() {
        return Err(too_many_wrong_tokens());
    }
    Err(Problem::new(
        StatusCode::UNAUTHORIZED,
        "no token",
        "this dashboard requires a token, which is part of the address that it prints",
    ))
}

/// Returns the cookie for a given token.
///
/// # Errors
///
/// If the token is wrong, or there were too many wrong ones.
pub(super) fn login(gate: &Gate, given: &str, is_https: bool) -> Result<String, Problem> {
    let name = cookie(gate.address);
    match &gate.options.token {
        Some(token) if token.is(given) => {
            let secure = if is_https { "; Secure" } else { "" };
            Ok(format!("{name}={given}; HttpOnly; SameSite=Strict; Path={}/{secure}", gate.options.base))
        }
        Some(_) if gate.guesses.count_wrong() => Err(too_many_wrong_tokens()),
        Some(_) => Err(Problem::new(StatusCode::UNAUTHORIZED, "wrong token", "the token is wrong")),
        None => Err(Problem::bad_request("this dashboard has no token")),
    }
}

fn too_many_wrong_tokens() -> Problem {
    Problem::new(StatusCode::TOO_MANY_REQUESTS, "too many wrong tokens", "wait a second")
}

/// Returns the name of the cookie. Cookies ignore ports, so two dashboards on one machine need two names.
fn cookie(address: SocketAddr) -> String {
    format!("pipeline-{}", address.port())
}
