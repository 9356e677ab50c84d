//! Google Cloud Storage within this process: the part of its XML API that `object_store` uses, in memory, by Google's
//! documentation of that API. No emulator has that part: fake-gcs-server refuses its PUT, and gcp-storage-emulator ignores
//! generations.
//!
//! - An object has a generation, which changes with each write; conditions are `x-goog-if-generation-match`.
//! - The completion of a multipart upload replaces the object, whatever its condition: Google documents none for it.
//! - It accepts any token, and percent-encoded names.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::error::Error;
use std::fmt::Write;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper::{HeaderMap, Method, Request, Response, StatusCode, Uri};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use pipeline_runtime::Bucket;
use tokio::net::TcpListener;

type Answer = Response<Full<Bytes>>;

/// The number of keys on a page. Google's pages have 1,000.
const PAGE: usize = 7;

/// Lives as long as the runtime on which it was started.
pub(crate) struct Google {
    endpoint: String,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    objects: BTreeMap<String, Object>,
    uploads: BTreeMap<String, Upload>,
    /// The last generation in use.
    generation: u64,
    requests: Vec<String>,
}

#[derive(Clone)]
struct Object {
    body: Bytes,
    generation: u64,
    modified: chrono::DateTime<chrono::Utc>,
    metadata: Vec<(String, String)>,
}

struct Upload {
    key: String,
    metadata: Vec<(String, String)>,
    parts: BTreeMap<u32, Bytes>,
}

impl Google {
    pub(crate) async fn start() -> Result<Self, Box<dyn Error>> {
        let listener = TcpListener::bind("127.0.0.1:0").await?.into_std()?;
        // Facts about a store are remembered for the whole process, so its port must not be reused by another server.
        std::mem::forget(listener.try_clone()?);
        let listener = TcpListener::from_std(listener)?;
        let endpoint = format!("http://{}", listener.local_addr()?);
        let state = Arc::new(Mutex::new(State { generation: 1_764_486_000_000_000, ..State::default() }));
        tokio::spawn(serve(listener, Arc::clone(&state)));
        Ok(Self { endpoint, state })
    }

    /// The server's only bucket.
    pub(crate) fn bucket(&self, settings: &str) -> Result<Bucket, Box<dyn Error>> {
        Ok(Bucket::open(&format!("gs://data-bucket?endpoint={}{settings}", self.endpoint))?)
    }

    pub(crate) fn elsewhere(&self, name: &str) -> Result<Bucket, Box<dyn Error>> {
        Ok(Bucket::open(&format!("gs://{name}?endpoint={}", self.endpoint))?)
    }

    /// The requests since the last call.
    pub(crate) fn requests(&self) -> Vec<String> {
        std::mem::take(&mut lock(&self.state).requests)
    }

    pub(crate) fn put(&self, key: &str) {
        lock(&self.state).store(key, Bytes::new(), Vec::new());
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn serve(listener: TcpListener, state: Arc<Mutex<State>>) {
    while let Ok((socket, _)) = listener.accept().await {
        let state = Arc::clone(&state);
        tokio::spawn(async move {
            let answer = service_fn(move |request: Request<Incoming>| {
                let state = Arc::clone(&state);
                async move {
                    let (parts, body) = request.into_parts();
                    let Ok(body) = body.collect().await else {
                        return Ok(error_response(StatusCode::BAD_REQUEST, "IncompleteBody"));
                    };
                    let request =
                        ReceivedRequest { method: parts.method, uri: parts.uri, headers: parts.headers, body: body.to_bytes() };
                    Ok::<_, Infallible>(lock(&state).answer(&request))
                }
            });
            // A client that has its answer closes the connection.
            let _ = auto::Builder::new(TokioExecutor::new()).serve_connection(TokioIo::new(socket), answer).await;
        });
    }
}

struct ReceivedRequest {
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
}

impl ReceivedRequest {
    fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    fn parameter(&self, name: &str) -> Option<String> {
        let pairs = self.uri.query()?.split('&').map(|pair| pair.split_once('=').unwrap_or((pair, "")));
        pairs.into_iter().find_map(|(known, value)| (known == name).then(|| decoded(&value.replace('+', " "))))
    }

    fn metadata(&self) -> Vec<(String, String)> {
        let own = self.headers.iter().filter(|(name, _)| name.as_str().starts_with("x-goog-meta-"));
        own.map(|(name, value)| (name.to_string(), value.to_str().unwrap_or_default().to_owned())).collect()
    }
}

impl State {
    fn answer(&mut self, request: &ReceivedRequest) -> Answer {
        self.requests.push(format!("{} {}", request.method, decoded(&request.uri.to_string())));
        if request.header("authorization").is_none_or(|token| !token.starts_with("Bearer ")) {
            return error_response(StatusCode::UNAUTHORIZED, "AuthenticationRequired");
        }
        let path = decoded(request.uri.path().trim_start_matches('/'));
        let (bucket, key) = path.split_once('/').unwrap_or((&path, ""));
        if bucket != "data-bucket" {
            return error_response(StatusCode::NOT_FOUND, "NoSuchBucket");
        }
        match (request.method.as_str(), request.parameter("uploadId")) {
            ("GET", None) if key.is_empty() => self.list(request),
            ("GET" | "HEAD", None) => self.get(key, request),
            ("PUT", None) => self.put(key, request),
            ("DELETE", None) if self.objects.remove(key).is_none() => error_response(StatusCode::NOT_FOUND, "NoSuchKey"),
            ("DELETE", Some(id)) if self.uploads.remove(&id).is_none() => error_response(StatusCode::NOT_FOUND, "NoSuchUpload"),
            ("DELETE", _) => empty(StatusCode::NO_CONTENT),
            ("POST", None) if request.parameter("uploads").is_some() => self.begin(key, request),
            ("PUT", Some(id)) => self.part(&id, request),
            ("POST", Some(id)) => self.complete(&id),
            _ => error_response(StatusCode::BAD_REQUEST, "InvalidArgument"),
        }
    }

    /// True if the condition of a request on an object does not hold.
    fn refuses(&self, key: &str, request: &ReceivedRequest) -> bool {
        let wanted = request.header("x-goog-if-generation-match").map(str::parse::<u64>);
        let now = self.objects.get(key).map_or(0, |object| object.generation);
        wanted.is_some_and(|wanted| wanted != Ok(now))
    }

    fn store(&mut self, key: &str, body: Bytes, metadata: Vec<(String, String)>) -> u64 {
        self.generation += 1;
        let (generation, modified) = (self.generation, chrono::Utc::now());
        self.objects.insert(key.to_owned(), Object { body, generation, modified, metadata });
        generation
    }

    fn put(&mut self, key: &str, request: &ReceivedRequest) -> Answer {
        if self.refuses(key, request) {
            return error_response(StatusCode::PRECONDITION_FAILED, "PreconditionFailed");
        }
        let Some(source) = request.header("x-goog-copy-source").map(decoded) else {
            let generation = self.store(key, request.body.clone(), request.metadata());
            return written(generation, Full::default());
        };
        let source = source.split_once('/').map(|(_, source)| source).and_then(|source| self.objects.get(source)).cloned();
        let Some(source) = source else { return error_response(StatusCode::NOT_FOUND, "NoSuchKey") };
        let generation = self.store(key, source.body, source.metadata);
        written(generation, Full::from("<CopyObjectResult></CopyObjectResult>"))
    }

    fn get(&self, key: &str, request: &ReceivedRequest) -> Answer {
        let Some(object) = self.objects.get(key) else { return error_response(StatusCode::NOT_FOUND, "NoSuchKey") };
        if self.refuses(key, request) {
            return error_response(StatusCode::PRECONDITION_FAILED, "PreconditionFailed");
        }
        let size = object.body.len();
        let range = request.header("range").and_then(|range| span(range.strip_prefix("bytes=")?, size));
        if request.header("range").is_some() && range.is_none() {
            return error_response(StatusCode::RANGE_NOT_SATISFIABLE, "InvalidRange");
        }
        let mut answer = Response::builder()
            .header("etag", etag(object.generation))
            .header("x-goog-generation", object.generation)
            .header("last-modified", object.modified.format("%a, %d %b %Y %H:%M:%S GMT").to_string());
        for (name, value) in &object.metadata {
            answer = answer.header(name, value);
        }
        let (start, end) = range.unwrap_or((0, size));
        if range.is_some() {
            answer = answer.status(StatusCode::PARTIAL_CONTENT);
            answer = answer.header("content-range", format!("bytes {start}-{}/{size}", end - 1));
        }
        let answer = answer.header("content-length", end - start);
        let body = if request.method == Method::HEAD { Bytes::new() } else { object.body.slice(start..end) };
        answer.body(Full::from(body)).expect("headers of ours")
    }

    fn list(&self, request: &ReceivedRequest) -> Answer {
        let (prefix, delimiter) = (request.parameter("prefix").unwrap_or_default(), request.parameter("delimiter"));
        let after = request.parameter("continuation-token").unwrap_or_default();
        let most = request.parameter("max-keys").and_then(|most| most.parse().ok()).unwrap_or(PAGE);
        let (mut page, mut count, mut last) = (String::from("<ListBucketResult>"), 0, String::new());
        for (key, object) in self.objects.iter().filter(|(key, _)| key.starts_with(&prefix)) {
            let folder = delimiter.as_deref().and_then(|delimiter| {
                let end = prefix.len() + key[prefix.len()..].find(delimiter)? + delimiter.len();
                Some(&key[..end])
            });
            let name = folder.unwrap_or(key);
            if name <= after.as_str() || name == last {
                continue;
            }
            if count == most {
                let _ = write!(page, "<NextContinuationToken>{}</NextContinuationToken>", escaped(&last));
                break;
            }
            (count, last) = (count + 1, name.to_owned());
            let _ = match folder {
                Some(folder) => write!(page, "<CommonPrefixes><Prefix>{}</Prefix></CommonPrefixes>", escaped(folder)),
                None => write!(
                    page,
                    "<Contents><Key>{}</Key><Generation>{}</Generation><LastModified>{}</LastModified><ETag>{}</ETag><Size>{}</Size></Contents>",
                    escaped(key),
                    object.generation,
                    object.modified.format("%FT%T.000Z"),
                    etag(object.generation),
                    object.body.len()
                ),
            };
        }
        Response::new(Full::from(page + "</ListBucketResult>"))
    }

    fn begin(&mut self, key: &str, request: &ReceivedRequest) -> Answer {
        self.generation += 1;
        let id = format!("upload-{}", self.generation);
        let upload = Upload { key: key.to_owned(), metadata: request.metadata(), parts: BTreeMap::new() };
        self.uploads.insert(id.clone(), upload);
        let said = format!("<InitiateMultipartUploadResult><UploadId>{id}</UploadId></InitiateMultipartUploadResult>");
        Response::new(Full::from(said))
    }

    fn part(&mut self, id: &str, request: &ReceivedRequest) -> Answer {
        let number = request.parameter("partNumber").and_then(|number| number.parse().ok()).unwrap_or_default();
        let Some(upload) = self.uploads.get_mut(id) else { return error_response(StatusCode::NOT_FOUND, "NoSuchUpload") };
        upload.parts.insert(number, request.body.clone());
        Response::builder().header("etag", etag(u64::from(number))).body(Full::default()).expect("a header of ours")
    }

    /// Completes the upload, whatever its condition.
    fn complete(&mut self, id: &str) -> Answer {
        let Some(Upload { key, metadata, parts }) = self.uploads.remove(id) else {
            return error_response(StatusCode::NOT_FOUND, "NoSuchUpload");
        };
        let body: Vec<u8> = parts.into_values().flatten().collect();
        let generation = self.store(&key, body.into(), metadata);
        let said = format!("<CompleteMultipartUploadResult><ETag>{}</ETag></CompleteMultipartUploadResult>", etag(generation));
        written(generation, Full::from(said))
    }
}

fn error_response(status: StatusCode, code: &str) -> Answer {
    let body = Full::from(format!("<Error><Code>{code}</Code><Message>not for the log</Message></Error>"));
    Response::builder().status(status).body(body).expect("a status of ours")
}

fn empty(status: StatusCode) -> Answer {
    Response::builder().status(status).body(Full::default()).expect("a status of ours")
}

fn written(generation: u64, body: Full<Bytes>) -> Answer {
    let answer = Response::builder().header("etag", etag(generation)).header("x-goog-generation", generation);
    answer.body(body).expect("headers of ours")
}

/// Differs from the generation, like Google's.
fn etag(generation: u64) -> String {
    format!("\"e{generation:x}\"")
}

/// The range of an object's bytes that a range header asks for.
fn span(range: &str, size: usize) -> Option<(usize, usize)> {
    let (start, end) = match range.split_once('-')? {
        ("", last) => (size.saturating_sub(last.parse().ok()?), size),
        (start, "") => (start.parse().ok()?, size),
        (start, last) => (start.parse().ok()?, last.parse::<usize>().ok()?.saturating_add(1).min(size)),
    };
    (start < end).then_some((start, end))
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

fn decoded(text: &str) -> String {
    let (mut bytes, mut rest) = (Vec::new(), text.bytes());
    while let Some(byte) = rest.next() {
        let mut digit = || char::from(rest.next()?).to_digit(16);
        bytes.push(match byte {
            b'%' => match (digit(), digit()) {
                (Some(high), Some(low)) => u8::try_from(high * 16 + low).unwrap_or(b'?'),
                _ => b'?',
            },
            byte => byte,
        });
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
