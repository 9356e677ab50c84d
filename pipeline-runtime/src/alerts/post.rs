//! One HTTP/1.1 POST, which is never logged.
//!
//! # Why hyper, and why on a separate thread
//!
//! This uses hyper without a client around it, because the URL is secret. hyper and rustls log no path, and a webhook needs
//! neither redirects nor a pool nor cookies. The alternative was ureq, which logs whole URLs at level `trace`. Beside tokio it
//! adds 21 to 33 CPU seconds to a first build, and hyper 30 to 32 (two measurements on a busy machine); all but two or three of
//! either are ring and rustls.
//!
//! A POST blocks its thread and creates its own runtime, so it works under a paused clock and on a runtime without I/O. It uses
//! the system's proxies and certificates.

use super::retry_after;
use crate::author::notification_text;
use chrono::Utc;
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1;
use hyper::header::{
    CONNECTION, CONTENT_TYPE, DATE, HOST, HeaderName, HeaderValue, PROXY_AUTHORIZATION, RETRY_AFTER, USER_AGENT,
};
use hyper::{Method, Request, Response, StatusCode, Uri};
use hyper_util::client::proxy::matcher::Matcher;
use hyper_util::rt::TokioIo;
use percent_encoding::percent_decode_str;
use std::fmt;
use std::io;
use std::net::IpAddr;
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::{InvalidDnsNameError, ServerName};
use tokio_rustls::rustls::{self, ClientConfig, RootCertStore, crypto::ring};

/// From the lookup of the host's name to the head of the answer.
const LIMIT: Duration = Duration::from_secs(10);
/// How long an error waits for the rest of an answer that it quotes.
const QUOTE_LIMIT: Duration = Duration::from_secs(1);
/// How much of an answer's body an error quotes.
const MAX_QUOTE: usize = 200;
/// Shorter parts of a URL are not secret, and hiding them would garble ordinary words.
const SHORTEST_SECRET: usize = 6;

/// Why a POST failed. Its text contains nothing of the URL beyond its host.
#[derive(Debug, thiserror::Error)]
pub(super) enum PostError {
    #[error("its value is not a URL: {0}; write `https://HOST/PATH`")]
    Url(&'static str),
    #[error("{host} could not be reached: {error}")]
    Connect { host: String, error: io::Error },
    #[error("the proxy's URL is not supported: write `http://HOST:PORT`")]
    Proxy,
    #[error("the proxy refused to connect to {host}: {status}")]
    Tunnel { host: String, status: StatusCode },
    #[error("no secure connection to {host}: {error}")]
    Tls { host: String, error: io::Error },
    #[error("{host} is not a name that a certificate can contain")]
    Name { host: String },
    #[error("no certificate authority was found; install the system's (`ca-certificates`) or set SSL_CERT_FILE")]
    NoRoots,
    #[error("the connection to {host} broke: {error}")]
    Http { host: String, error: hyper::Error },
    #[error("{host} answered {status}{hint}{quote}")]
    Status {
        host: String,
        status: StatusCode,
        hint: &'static str,
        quote: Quote,
        /// How long the server asks to wait.
        after: Option<Duration>,
    },
    #[error("{host} did not answer within {LIMIT:?}")]
    TimedOut { host: String },
    #[error("no runtime could be started: {0}")]
    Runtime(#[source] io::Error),
    #[error("the request cannot be written: {0}")]
    Request(hyper::http::Error),
}

impl PostError {
    /// True if the URL itself is wrong, so that a retry cannot help.
    pub(super) fn is_final(&self) -> bool {
        matches!(self, Self::Url(_))
    }

    /// How long the server asks to wait, if it does.
    pub(super) fn after(&self) -> Option<Duration> {
        match self {
            Self::Status { after, .. } => *after,
            _ => None,
        }
    }
}

/// The beginning of an answer's body.
#[derive(Debug)]
pub(super) struct Quote(String);

impl fmt::Display for Quote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() { Ok(()) } else { write!(f, ": {}", self.0) }
    }
}

/// Sends `body`, which is JSON, and returns once the server has accepted it. Blocks.
pub(super) fn post(url: &str, body: Vec<u8>) -> Result<(), PostError> {
    let target = Target::parse(url)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(PostError::Runtime)?;
    let exchange = async {
        let timed_out = PostError::TimedOut { host: target.host.clone() };
        tokio::time::timeout(LIMIT, target.exchange(body)).await.unwrap_or(Err(timed_out))
    };
    let result = runtime.block_on(exchange);
    // A name lookup cannot be aborted, so it is left to run.
    runtime.shutdown_background();
    result
}

/// The host, if the URL and the text can be read on the way to it: if it is reached by `http://` and is not this machine.
pub(super) fn sent_in_clear(url: &str) -> Option<String> {
    let target = Target::parse(url).ok().filter(|target| !target.secure)?;
    let host = bare(&target.host);
    let is_here = host.eq_ignore_ascii_case("localhost") || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback());
    (!is_here).then_some(target.host)
}

/// Whom a request is addressed to.
enum RequestTarget<'a> {
    /// To the server, directly or through a tunnel.
    Server,
    /// To a proxy, which expects the whole URL, and authorization.
    Proxy(Option<&'a HeaderValue>),
}

/// A parsed URL.
struct Target {
    uri: Uri,
    host: String,
    port: u16,
    secure: bool,
}

impl Target {
    fn parse(url: &str) -> Result<Self, PostError> {
        // The parser's own error might contain parts of the URL.
        let uri: Uri = url.parse().map_err(|_| PostError::Url("it cannot be read"))?;
        let secure = match uri.scheme_str() {
            Some("https") => true,
            Some("http") => false,
            Some(_) => return Err(PostError::Url("its scheme is neither `https` nor `http`")),
            None => return Err(PostError::Url("it has no scheme")),
        };
        let authority = uri.authority().ok_or(PostError::Url("it has no host"))?;
        if authority.as_str().contains('@') {
            return Err(PostError::Url("it contains a user and a password, which are not sent"));
        }
        let host = authority.host().to_owned();
        let port = authority.port_u16().unwrap_or(if secure { 443 } else { 80 });
        Ok(Self { uri, host, port, secure })
    }

    async fn exchange(&self, body: Vec<u8>) -> Result<(), PostError> {
        let proxy = Matcher::from_env().intercept(&self.uri);
        let Some(proxy) = proxy else {
            let stream = self.connect(&self.host, self.port).await?;
            return if self.secure {
                self.send(self.encrypt(stream).await?, body, RequestTarget::Server).await
            } else {
                self.send(stream, body, RequestTarget::Server).await
            };
        };
        let (at, authorization) = (proxy.uri(), proxy.basic_auth());
        let (Some("http"), Some(host)) = (at.scheme_str(), at.host()) else { return Err(PostError::Proxy) };
        let stream = self.connect(host, at.port_u16().unwrap_or(80)).await?;
        if self.secure {
            let tunnel = self.tunnel(stream, authorization).await?;
            self.send(self.encrypt(tunnel).await?, body, RequestTarget::Server).await
        } else {
            self.send(stream, body, RequestTarget::Proxy(authorization)).await
        }
    }

    async fn connect(&self, host: &str, port: u16) -> Result<TcpStream, PostError> {
        let connected = TcpStream::connect((bare(host), port)).await;
        connected.map_err(|error| PostError::Connect { host: host.to_owned(), error })
    }

    /// Opens a tunnel through a proxy.
    async fn tunnel(
        &self,
        stream: TcpStream,
        authorization: Option<&HeaderValue>,
    ) -> Result<impl AsyncRead + AsyncWrite + use<>, PostError> {
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(|error| self.broken(error))?;
        tokio::spawn(connection.with_upgrades());
        let authority = format!("{}:{}", self.host, self.port);
        let mut request = Request::builder().method(Method::CONNECT).uri(&authority).header(HOST, &authority);
        if let Some(authorization) = authorization {
            request = request.header(PROXY_AUTHORIZATION, authorization);
        }
        let request = request.body(Full::<Bytes>::default()).map_err(PostError::Request)?;
        let response = sender.send_request(request).await.map_err(|error| self.broken(error))?;
        if !response.status().is_success() {
            return Err(PostError::Tunnel { host: self.host.clone(), status: response.status() });
        }
        let upgraded = hyper::upgrade::on(response).await.map_err(|error| self.broken(error))?;
        Ok(TokioIo::new(upgraded))
    }

    async fn encrypt<S: AsyncRead + AsyncWrite + Unpin>(
        &self,
        stream: S,
    ) -> Result<impl AsyncRead + AsyncWrite + use<S>, PostError> {
        let host = || self.host.clone();
        let no_name = |_: InvalidDnsNameError| PostError::Name { host: host() };
        let name = ServerName::try_from(bare(&self.host).to_owned()).map_err(no_name)?;
        let connector = TlsConnector::from(self.tls()?);
        connector.connect(name, stream).await.map_err(|error| PostError::Tls { host: host(), error })
    }

    /// Loaded once: the system's trusted certificates rarely change while a process lives.
    fn tls(&self) -> Result<Arc<ClientConfig>, PostError> {
        static CONFIG: OnceLock<Arc<ClientConfig>> = OnceLock::new();
        if let Some(config) = CONFIG.get() {
            return Ok(Arc::clone(config));
        }
        let mut roots = RootCertStore::empty();
        // A system has about a hundred certificates; unreadable ones are left out.
        let (trusted, _) = roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        if trusted == 0 {
            return Err(PostError::NoRoots);
        }
        let refused = |error: rustls::Error| PostError::Tls { host: self.host.clone(), error: io::Error::other(error) };
        let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()));
        let builder = builder.with_safe_default_protocol_versions().map_err(refused)?;
        let config = Arc::new(builder.with_root_certificates(roots).with_no_client_auth());
        Ok(Arc::clone(CONFIG.get_or_init(|| config)))
    }

    /// Sends the request and checks the answer.
    async fn send<S>(&self, stream: S, body: Vec<u8>, target: RequestTarget<'_>) -> Result<(), PostError>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(|error| self.broken(error))?;
        // Its error is reported by the request as well.
        tokio::spawn(connection);
        let authority = self.uri.authority().map_or("", |authority| authority.as_str());
        let path = self.uri.path_and_query().map_or("/", |path| path.as_str());
        let request = Request::post(path).header(HOST, authority);
        let request = match target {
            RequestTarget::Server => request,
            RequestTarget::Proxy(None) => request.uri(&self.uri),
            RequestTarget::Proxy(Some(authorization)) => request.uri(&self.uri).header(PROXY_AUTHORIZATION, authorization),
        };
        let request = request
            .header(CONTENT_TYPE, "application/json")
            .header(USER_AGENT, concat!("pipeline-runtime/", env!("CARGO_PKG_VERSION")))
            .header(CONNECTION, "close")
            .body(Full::new(Bytes::from(body)))
            .map_err(PostError::Request)?;
        let response = sender.send_request(request).await.map_err(|error| self.broken(error))?;
        self.check_response(response).await
    }

    async fn check_response(&self, response: Response<Incoming>) -> Result<(), PostError> {
        let status = response.status();
        if status.is_success() {
            return Ok(());
        }
        let header = |name: HeaderName| response.headers().get(name).and_then(|value| value.to_str().ok());
        let after = retry_after::requested_wait(status.as_u16(), header(RETRY_AFTER), header(DATE), Utc::now());
        let hint = if status.is_redirection() { " (redirects are not followed)" } else { "" };
        let quote = Quote(self.quote(response.into_body()).await);
        Err(PostError::Status { host: self.host.clone(), status, hint, quote, after })
    }

    /// The beginning of a body, on one line, without the secret parts of the URL, which a server may well repeat.
    async fn quote(&self, mut body: Incoming) -> String {
        let mut bytes = Vec::new();
        let read = async {
            // More is read than is quoted, so that a secret at the cut is recognized.
            while bytes.len() < 20 * MAX_QUOTE {
                let Some(Ok(frame)) = body.frame().await else { break };
                bytes.extend(frame.into_data().unwrap_or_default());
            }
        };
        // Bytes that have arrived are worth quoting even if the rest does not arrive.
        let _ = tokio::time::timeout(QUOTE_LIMIT, read).await;
        let mut text = String::from_utf8_lossy(&bytes).into_owned();
        for secret in self.secrets() {
            text = text.replace(&secret, "***");
        }
        let words: Vec<&str> =
            text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty()).collect();
        notification_text::cut(&words.join(" "), MAX_QUOTE)
    }

    /// The parts of the path and the query, both raw and percent-decoded, the longest first.
    fn secrets(&self) -> Vec<String> {
        let path = self.uri.path_and_query().map_or("", |path| path.as_str());
        let parts = |text: &str| text.split(['/', '?', '&', '=', ';']).map(str::to_owned).collect::<Vec<_>>();
        let decoded = |part: &String| percent_decode_str(part).decode_utf8_lossy().into_owned();
        let mut secrets = parts(path);
        secrets.extend(secrets.iter().map(decoded).collect::<Vec<_>>());
        // A `/` may be encoded as well, and a server may repeat the part between two of them.
        secrets.extend(secrets.iter().flat_map(|secret| parts(secret)).collect::<Vec<_>>());
        secrets.retain(|secret| secret.len() >= SHORTEST_SECRET);
        secrets.sort_unstable_by_key(|secret| std::cmp::Reverse(secret.len()));
        secrets
    }

    fn broken(&self, error: hyper::Error) -> PostError {
        PostError::Http { host: self.host.clone(), error }
    }
}

/// A host in the form for sockets and certificates: an IPv6 address without its brackets.
fn bare(host: &str) -> &str {
    host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_goes_in_clear_over_a_network_is_known() {
        for (url, host) in [
            ("http://hooks.example.com/x", Some("hooks.example.com")),
            ("http://10.0.0.7:8080/x", Some("10.0.0.7")),
            ("https://hooks.example.com/x", None),
            ("http://localhost:8080/x", None),
            ("http://127.0.0.1/x", None),
            ("http://[::1]:80/x", None),
            ("no url", None),
        ] {
            assert_eq!(sent_in_clear(url).as_deref(), host, "{url}");
        }
    }

    #[test]
    fn a_secret_is_known_by_all_that_a_server_may_make_of_it() {
        let secrets = Target::parse("https://h/hook/T0%53ECRET%2Fsecond?token=s3cr3t-t0ken").unwrap().secrets();
        for secret in ["T0%53ECRET%2Fsecond", "T0SECRET/second", "T0SECRET", "second", "s3cr3t-t0ken"] {
            assert!(secrets.iter().any(|known| known == secret), "{secret}: {secrets:?}");
        }
        assert!(!secrets.iter().any(|known| known == "hook"), "too short");
    }
}
