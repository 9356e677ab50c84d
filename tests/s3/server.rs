//! S3 within this process: s3s-fs over a temporary folder, on a port of its own, and a script of faults in front of it.
//!
//! [`Mended`] corrects s3s-fs where it differs from S3. Its conditional writes are not atomic, so writes are serialized here. It
//! fails (500) for keys that are folders or are below a file; here these are missing keys. Its listings have no `ETag`s. It ignores
//! the condition on a copied part's source, which is checked here. It fails if a range asks for more of an object's end than
//! there is; here the answer is the whole object.
//!
//! On request it behaves like another store: see [`Manner`].

use std::collections::VecDeque;
use std::error::Error;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::StreamExt;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::{Body, Bytes, Frame, Incoming};
use hyper::header::{AUTHORIZATION, CONTENT_LENGTH, DATE, ETAG, HOST, HeaderValue, RANGE};
use hyper::http::request::Parts;
use hyper::service::service_fn;
use hyper::{HeaderMap, Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use pipeline_runtime::Bucket;
use s3s::auth::SimpleAuth;
use s3s::service::{S3Service, S3ServiceBuilder};
use s3s_fs::FileSystem;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;

type Failed = Box<dyn Error + Send + Sync>;
type Answer = Response<UnsyncBoxBody<Bytes, Failed>>;

/// The treatment of one request.
#[derive(Debug, Clone)]
pub(crate) enum Fault {
    Pass,
    /// Answers this, without doing it.
    Status(StatusCode, &'static str),
    /// Neither answers nor does it.
    Drop,
    /// The same, and resets the connection: a client that ends a request can tell a reset from a close.
    Reset,
    /// Does it, and loses the answer.
    LoseAnswer,
    /// The same, and resets the connection.
    ResetAnswer,
    /// Does it, and answers like a gateway that timed out.
    Gateway,
    /// Waits until the gate has a permit.
    Held(Arc<Semaphore>),
    /// Sends only that many bytes of the answer's body, then breaks the connection off.
    CutBody(usize),
    /// Answers after that time.
    Slow(Duration),
    /// Answers this, as if it were done.
    Told(&'static str),
}

/// Another store's treatment of a request: changes it before it is done, or answers it.
pub(crate) type Manner = fn(&mut Parts) -> Option<(StatusCode, &'static str)>;

/// The behavior of a server.
#[derive(Clone, Copy, Default)]
pub(crate) struct Like {
    pub(crate) manner: Option<Manner>,
    /// True if the answer to a multipart upload's completion has no `ETag`.
    pub(crate) hides_etags: bool,
    /// How far its clock is ahead, in seconds.
    pub(crate) ahead: i64,
}

/// A request line: `GET /bucket/key?query`.
pub(crate) type Line = String;

/// Lives as long as the runtime on which it was started.
pub(crate) struct Server {
    pub(crate) endpoint: String,
    root: tempfile::TempDir,
    script: Arc<Script>,
}

#[derive(Clone)]
struct Mended {
    service: S3Service,
    /// The same, for unsigned requests.
    unsigned: S3Service,
    root: PathBuf,
    like: Like,
    writing: Arc<tokio::sync::Mutex<()>>,
}

#[derive(Default)]
struct Script {
    requests: Mutex<Vec<Line>>,
    probed: Mutex<Vec<Line>>,
    /// Bytes of bodies, of both requests and answers.
    transferred: AtomicU64,
    /// The faults for requests that contain the text, in order; later requests pass.
    faults: Mutex<Vec<(String, VecDeque<Fault>)>>,
}

pub(crate) const ID: &str = "AKIATEST";
pub(crate) const SECRET: &str = "not/so+secret";

impl Server {
    pub(crate) async fn start() -> Result<Self, Box<dyn Error>> {
        Self::like(Like::default()).await
    }

    pub(crate) async fn like(like: Like) -> Result<Self, Box<dyn Error>> {
        let root = tempfile::tempdir()?;
        let mut service = S3ServiceBuilder::new(FileSystem::new(root.path()).map_err(|error| format!("{error:?}"))?);
        // A request that is changed on its way no longer has a valid signature.
        if like.manner.is_none() {
            service.set_auth(SimpleAuth::from_single(ID, SECRET));
        }
        let service = service.build();
        let unsigned = S3ServiceBuilder::new(FileSystem::new(root.path()).map_err(|error| format!("{error:?}"))?).build();
        let listener = TcpListener::bind("127.0.0.1:0").await?.into_std()?;
        // Facts about a store are remembered for the whole process, so its port must not be reused by another server.
        std::mem::forget(listener.try_clone()?);
        let listener = TcpListener::from_std(listener)?;
        let endpoint = format!("http://{}", listener.local_addr()?);
        let script = Arc::new(Script::default());
        let mended = Mended { service, unsigned, root: root.path().to_owned(), like, writing: Arc::default() };
        tokio::spawn(serve(listener, mended, Arc::clone(&script)));
        Ok(Self { endpoint, root, script })
    }

    /// Creates a bucket's folder and returns it.
    pub(crate) fn make(&self, bucket: &str) -> Result<PathBuf, Box<dyn Error>> {
        let folder = self.root.path().join(bucket);
        std::fs::create_dir(&folder)?;
        Ok(folder)
    }

    pub(crate) fn url(&self, bucket: &str) -> String {
        let secret = SECRET.replace('/', "%2F");
        format!("s3://{bucket}?endpoint={}&access_key_id={ID}&secret_access_key={secret}", self.endpoint)
    }

    /// Creates a bucket.
    pub(crate) fn bucket(&self, name: &str) -> Result<Bucket, Box<dyn Error>> {
        self.make(name)?;
        Ok(Bucket::open(&self.url(name))?)
    }

    /// Sets the faults of the next requests whose line contains `part`.
    pub(crate) fn meet(&self, part: &str, faults: impl IntoIterator<Item = Fault>) {
        let faults = faults.into_iter().collect();
        self.script.faults.lock().unwrap_or_else(PoisonError::into_inner).push((part.to_owned(), faults));
    }

    /// The number of faults that have not happened yet.
    pub(crate) fn pending_faults(&self) -> usize {
        self.script.faults.lock().unwrap_or_else(PoisonError::into_inner).iter().map(|(_, faults)| faults.len()).sum()
    }

    /// Waits for this many requests that contain the text, counted from the last call of this or of `requests`.
    pub(crate) async fn until(&self, part: &str, count: usize) -> Result<(), Box<dyn Error>> {
        let mut met = 0;
        let seen = async {
            while met < count {
                met += self.requests().iter().filter(|line| line.contains(part)).count();
                tokio::task::yield_now().await;
            }
        };
        Ok(tokio::time::timeout(Duration::from_mins(1), seen).await?)
    }

    /// Removes all faults.
    pub(crate) fn forget(&self) {
        self.script.faults.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// The requests since the last call, without those of probes.
    pub(crate) fn requests(&self) -> Vec<Line> {
        std::mem::take(&mut self.script.requests.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The number of bytes in bodies, in both directions, since the last call.
    pub(crate) fn transferred(&self) -> u64 {
        self.script.transferred.swap(0, Ordering::Relaxed)
    }

    /// The requests of probes since the last call.
    pub(crate) fn probed(&self) -> Vec<Line> {
        std::mem::take(&mut self.script.probed.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// The text in the keys of a probe's objects.
const PROBE: &str = ".pipeline-probe-";

impl Script {
    fn next(&self, line: &str) -> Fault {
        let is_probe = line.contains(PROBE);
        let lines = if is_probe { &self.probed } else { &self.requests };
        lines.lock().unwrap_or_else(PoisonError::into_inner).push(line.to_owned());
        let mut faults = self.faults.lock().unwrap_or_else(PoisonError::into_inner);
        let mut met = faults.iter_mut().filter(|(part, _)| line.contains(part.as_str()) && part.contains(PROBE) == is_probe);
        met.find_map(|(_, faults)| faults.pop_front()).unwrap_or(Fault::Pass)
    }
}

impl Mended {
    async fn call(&self, request: Request<Incoming>) -> Result<Answer, Failed> {
        let (mut parts, body) = request.into_parts();
        if let Some(manner) = self.like.manner {
            parts.headers.remove(AUTHORIZATION);
            if let Some((status, code)) = manner(&mut parts) {
                body.collect().await?;
                return error_response(status, code);
            }
        }
        let completes = parts.method == Method::POST && parts.uri.query().is_some_and(|query| query.contains("uploadId"));
        let answer = self.forward(Request::from_parts(parts, body)).await?;
        if !completes || !self.like.hides_etags {
            return Ok(answer);
        }
        let (mut parts, body) = answer.into_parts();
        let text = String::from_utf8(body.collect().await?.to_bytes().to_vec())?;
        let text = match (text.split_once("<ETag>"), text.split_once("</ETag>")) {
            (Some((before, _)), Some((_, after))) => format!("{before}<ETag></ETag>{after}"),
            _ => text,
        };
        parts.headers.remove(CONTENT_LENGTH);
        Ok(Response::from_parts(parts, Full::from(text).map_err(|never| match never {}).boxed_unsync()))
    }

    async fn forward(&self, request: Request<Incoming>) -> Result<Answer, Failed> {
        let reads = matches!(*request.method(), Method::GET | Method::HEAD);
        if reads && self.is_no_key(request.uri().path()) {
            return error_response(StatusCode::NOT_FOUND, "NoSuchKey");
        }
        if request.method() == Method::DELETE && self.is_no_key(request.uri().path()) {
            return error_response(StatusCode::NO_CONTENT, "");
        }
        let _alone = if reads { None } else { Some(self.writing.lock().await) };
        if !self.is_source(&request).await? {
            return error_response(StatusCode::PRECONDITION_FAILED, "PreconditionFailed");
        }
        let response = match self.all_of_it(&request).await? {
            Some((0, _)) => return error_response(StatusCode::RANGE_NOT_SATISFIABLE, "InvalidRange"),
            Some((_, whole)) => self.unsigned.call(whole).await,
            None => self.service.call(request.map(s3s::Body::from)).await,
        };
        let response = response.map_err(|error| format!("{error:?}"))?;
        // Boxed at once: the compiler cannot show that a body of an opaque type is `Send` across an await.
        Ok(response.map(|body| body.map_err(|error: s3s::StdError| -> Failed { error }).boxed_unsync()))
    }

    /// True unless the request copies a part on a condition that its source's `ETag` does not meet.
    async fn is_source(&self, request: &Request<Incoming>) -> Result<bool, Failed> {
        let header = |name| request.headers().get(name).and_then(|value: &HeaderValue| value.to_str().ok());
        let (Some(source), Some(etag)) = (header("x-amz-copy-source"), header("x-amz-copy-source-if-match")) else {
            return Ok(true);
        };
        Ok(self.head(source).await?.get(ETAG).and_then(|value| value.to_str().ok()) == Some(etag))
    }

    /// If the request asks for more of an object's end than there is: the object's size, and a request for all of it.
    async fn all_of_it(&self, request: &Request<Incoming>) -> Result<Option<(u64, Request<s3s::Body>)>, Failed> {
        let asked =
            request.headers().get(RANGE).and_then(|range| range.to_str().ok()?.strip_prefix("bytes=-")?.parse::<u64>().ok());
        let Some(asked) = asked.filter(|_| request.method() == Method::GET) else { return Ok(None) };
        let found = self.head(request.uri().path()).await?;
        let size = length(&found);
        if !found.contains_key(ETAG) || size >= asked {
            return Ok(None);
        }
        let whole = Request::get(format!("http://localhost{}", request.uri().path()));
        Ok(Some((size, whole.header(HOST, "localhost").header(RANGE, "bytes=0-").body(s3s::Body::empty())?)))
    }

    /// The headers of an object.
    async fn head(&self, path: &str) -> Result<HeaderMap, Failed> {
        let look = Request::head(format!("http://localhost{path}")).header(HOST, "localhost").body(s3s::Body::empty())?;
        Ok(self.unsigned.call(look).await.map_err(|error| format!("{error:?}"))?.headers().clone())
    }

    fn is_no_key(&self, path: &str) -> bool {
        let mut segments = path.trim_start_matches('/').splitn(2, '/');
        let (Some(bucket), Some(key)) = (segments.next(), segments.next().filter(|key| !key.is_empty())) else { return false };
        let bucket = self.root.join(bucket);
        let file = bucket.join(key);
        file.is_dir() || file.ancestors().skip(1).take_while(|above| *above != bucket).any(std::path::Path::is_file)
    }
}

fn error_response(status: StatusCode, code: &str) -> Result<Answer, Failed> {
    let body = Full::from(format!("<Error><Code>{code}</Code><Message>{SECRET}</Message></Error>"));
    Ok(Response::builder().status(status).body(body.map_err(|never| match never {}).boxed_unsync())?)
}

fn length(headers: &HeaderMap) -> u64 {
    headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok()).unwrap_or_default()
}

async fn serve(listener: TcpListener, service: Mended, script: Arc<Script>) {
    while let Ok((socket, _)) = listener.accept().await {
        let (service, script) = (service.clone(), Arc::clone(&script));
        // A second handle of the connection, to reset or close it.
        let Ok((socket, handle)) = twice(socket) else { continue };
        let handle = Arc::new(handle);
        tokio::spawn(async move {
            let answer = service_fn(move |request| answer(service.clone(), Arc::clone(&script), Arc::clone(&handle), request));
            // A connection that breaks off on purpose is an error here.
            let _ = auto::Builder::new(TokioExecutor::new()).serve_connection(TokioIo::new(socket), answer).await;
        });
    }
}

fn twice(socket: TcpStream) -> std::io::Result<(TcpStream, TcpStream)> {
    let socket = socket.into_std()?;
    let handle = socket.try_clone()?;
    Ok((TcpStream::from_std(socket)?, TcpStream::from_std(handle)?))
}

async fn answer(
    service: Mended,
    script: Arc<Script>,
    connection: Arc<TcpStream>,
    request: Request<Incoming>,
) -> Result<Answer, Failed> {
    let fault = script.next(&format!("{} {}", request.method(), request.uri()));
    if matches!(fault, Fault::Reset | Fault::ResetAnswer) {
        // Closing the connection then resets it.
        connection.set_zero_linger()?;
    }
    match fault {
        Fault::Drop | Fault::Reset => return Err("dropped".into()),
        Fault::Status(status, code) => {
            // Reads the body first: an early answer would close the connection on a client that is still sending.
            let _ = request.into_body().collect().await?;
            return error_response(status, code);
        }
        Fault::Told(text) => {
            return Ok(Response::new(Full::from(text).map_err(|never| match never {}).boxed_unsync()));
        }
        Fault::Slow(delay) => tokio::time::sleep(delay).await,
        Fault::Held(ref gate) => gate.acquire().await?.forget(),
        Fault::Pass | Fault::LoseAnswer | Fault::ResetAnswer | Fault::Gateway | Fault::CutBody(_) => {}
    }
    let ahead = service.like.ahead;
    let is_look = request.method() == Method::HEAD;
    let sent = length(request.headers());
    let (mut parts, body) = service.call(request).await?.into_parts();
    let answered = if is_look { 0 } else { length(&parts.headers).max(body.size_hint().lower()) };
    script.transferred.fetch_add(sent + answered, Ordering::Relaxed);
    if ahead != 0 {
        let date = chrono::Utc::now() + chrono::TimeDelta::seconds(ahead);
        parts.headers.insert(DATE, date.format("%a, %d %b %Y %H:%M:%S GMT").to_string().parse()?);
    }
    match fault {
        Fault::LoseAnswer | Fault::ResetAnswer => Err("the answer is lost".into()),
        Fault::Gateway => error_response(StatusCode::GATEWAY_TIMEOUT, ""),
        Fault::CutBody(at) => {
            let whole = body.collect().await?.to_bytes();
            let cut = whole.slice(..at.min(whole.len()));
            let frames = futures_util::stream::iter([Ok(Frame::data(cut))])
                // The bytes before have been sent by then.
                .chain(futures_util::stream::once(async {
                    tokio::time::sleep(Duration::from_millis(20)).await;
                    Err("cut off".into())
                }));
            Ok(Response::from_parts(parts, StreamBody::new(frames).boxed_unsync()))
        }
        _ => Ok(Response::from_parts(parts, body)),
    }
}
