//! Everything that any crate logs at any level while buckets on S3 are used and fail contains no secret.
//!
//! A process of its own, as it captures the log of the whole process.

#[expect(dead_code, reason = "another test uses the rest")]
mod server;

use std::io::{self, Write};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use hyper::StatusCode;
use pipeline_runtime::prelude::*;
use pipeline_runtime::sensors::key_exists;
use pipeline_runtime::{BucketError, BucketErrorKind as Kind, Simulation};

use tracing_subscriber::Layer;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use server::{Fault, SECRET, Server};

const TOKEN: &str = "a-token-of-a-session";

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().unwrap_or_else(PoisonError::into_inner)).into_owned()
    }
}

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[sensor(timeout = "2m", poke = "45s")]
async fn export(bucket: Bucket) -> Result<Poke<Object>> {
    Ok(bucket.head("export.json").await?.into())
}

/// Not a param of the pipeline, as params are stored and shown.
static BUCKET: OnceLock<String> = OnceLock::new();

#[pipeline]
fn waiting() -> Result<()> {
    let bucket = Bucket::open(BUCKET.get().ok_or("no bucket")?)?;
    export(&bucket);
    key_exists(&bucket, "*.json");
    Ok(())
}

/// Uses all operations of a bucket, on a network that sometimes fails; then all that it refuses.
async fn use_it(server: &Server) -> Result<Vec<BucketError>, Box<dyn std::error::Error>> {
    server.make("bucket")?;
    let url = server.url("bucket") + "&timeout=5s&session_token=" + TOKEN;
    let bucket = Bucket::open(&url)?;
    let first = bucket.put_if_absent("a", "1").await?;
    bucket.put_if_match("a", "2", &first.etag.unwrap_or_default()).await?;
    bucket.copy("a", "b").await?;
    bucket.copy_if_absent("a", "c").await?;
    bucket.rename("c", "d").await?;
    for fault in [Fault::Drop, Fault::Status(StatusCode::SERVICE_UNAVAILABLE, "SlowDown"), Fault::CutBody(1)] {
        server.meet("GET /bucket", [fault]);
        bucket.get("a").await?;
        bucket.find("*").await?;
    }
    server.meet("PUT /bucket/e", [Fault::LoseAnswer]);
    bucket.put_if_absent("e", "1").await?;
    let mut writer = bucket.put_stream("big").await?;
    writer.write(vec![0; 9 << 20]).await?;
    writer.finish().await?;
    bucket.delete("big").await?;

    let mut errors = vec![bucket.put_if_absent("a", "1").await.err(), bucket.get("none").await.err()];
    for (status, code) in [(StatusCode::FORBIDDEN, "AccessDenied"), (StatusCode::BAD_REQUEST, "ExpiredToken")] {
        server.meet("GET /bucket", [Fault::Status(status, code)]);
        errors.push(bucket.list("").await.err());
    }
    let wrong = Bucket::open(&url.replace("AKIATEST", "AKIANONE"))?;
    errors.extend([wrong.head("a").await.err(), wrong.put("a", "1").await.err()]);
    let unreachable = url.replace(&server.endpoint, "http://127.0.0.1:1");
    errors.push(Bucket::open(&(unreachable + "&retries=0"))?.list("").await.err());
    errors.extend([Bucket::open(&(url.clone() + "&unknown=1")).err(), Bucket::open(&url.replace("s3:", "s4:")).err()]);
    Ok(errors.into_iter().map(|error| error.expect("each of these is an error")).collect())
}

#[test]
fn no_log_of_anybody_holds_a_secret() -> std::result::Result<(), Box<dyn std::error::Error>> {
    let log = Log::default();
    let writer = log.clone();
    // All but the server, which runs in this process as well.
    let all = filter_fn(|metadata| !metadata.target().starts_with("s3s"));
    let written = tracing_subscriber::fmt::layer().with_ansi(false).with_writer(move || writer.clone());
    tracing_subscriber::registry().with(written.with_filter(all)).init();

    let threads = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let server = threads.block_on(Server::start())?;
    let errors = threads.block_on(use_it(&server))?;
    let kinds: Vec<Kind> = errors.iter().map(BucketError::kind).collect();
    let expected = [
        Kind::AlreadyExists,
        Kind::NoSuchKey,
        Kind::PermissionDenied,
        Kind::ExpiredCredentials,
        Kind::PermissionDenied,
        Kind::PermissionDenied,
        Kind::Network,
        Kind::InvalidUrl,
        Kind::InvalidUrl,
    ];
    assert_eq!(kinds, expected);

    let wrong = server.url("bucket").replace("AKIATEST", "AKIANONE");
    BUCKET.set(wrong).map_err(|_| "it is set twice")?;
    let report = Simulation::new(waiting()).run();
    let told = format!("{}{report:?}{:?}", report.timeline(), report.node("export").error());
    assert!(told.contains("does not know the access key id"), "{told}");

    let text = log.text();
    // The log really has lines of the client and its network stack, in both ways to log.
    for source in ["object_store", "reqwest", "hyper_util"] {
        assert!(text.contains(source), "nothing of {source} in {} bytes", text.len());
    }
    let encoded = SECRET.replace('/', "%2F");
    for secret in [SECRET, &encoded, TOKEN, "Signature=", "X-Amz-Signature", "AWS4-HMAC-SHA256 Credential"] {
        for text in [&text, &told, &format!("{errors:?}")] {
            let line = text.lines().find(|line| line.contains(secret));
            assert_eq!(line, None, "{secret} is in it");
        }
    }
    Ok(())
}
