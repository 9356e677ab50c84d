//! A bucket with more objects than a test could store: its listings are generated, 1,000 keys per page, and requests are counted.

use std::error::Error;
use std::fmt::Write;
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use pipeline_runtime::Bucket;
use tokio::net::TcpListener;

pub(crate) const KEYS: usize = 1_000_000;
/// The size of S3's pages.
const PAGE: usize = 1000;
const FOLDER: &str = "events/";
const DIGITS: usize = 7;

/// `events/0000000.csv` to `events/0999999.csv`. Lives as long as the runtime on which it was started.
pub(crate) struct Generated {
    pub(crate) bucket: Bucket,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Generated {
    pub(crate) async fn start() -> Result<Self, Box<dyn Error>> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("s3://events?endpoint=http://{}&access_key_id=x&secret_access_key=x", listener.local_addr()?);
        let asked = Arc::new(Mutex::default());
        tokio::spawn(serve(listener, Arc::clone(&asked)));
        Ok(Self { bucket: Bucket::open(&url)?, asked })
    }

    /// The numbers of requests since the last call: HEADs and pages.
    pub(crate) fn requests(&self) -> (usize, usize) {
        let asked = std::mem::take(&mut *self.asked.lock().unwrap_or_else(PoisonError::into_inner));
        let heads = asked.iter().filter(|method| *method == "HEAD").count();
        (heads, asked.len() - heads)
    }
}

async fn serve(listener: TcpListener, asked: Arc<Mutex<Vec<String>>>) {
    while let Ok((socket, _)) = listener.accept().await {
        let asked = Arc::clone(&asked);
        tokio::spawn(async move {
            let answer = service_fn(move |request: Request<Incoming>| {
                asked.lock().unwrap_or_else(PoisonError::into_inner).push(request.method().to_string());
                std::future::ready(answer(&request))
            });
            // A client that has its answer closes the connection.
            let _ = auto::Builder::new(TokioExecutor::new()).serve_connection(TokioIo::new(socket), answer).await;
        });
    }
}

fn answer(request: &Request<Incoming>) -> Result<Response<Full<Bytes>>, hyper::http::Error> {
    if request.method() == Method::HEAD {
        let key = request.uri().path().strip_prefix("/events/").unwrap_or_default();
        let is_there = key.strip_suffix(".csv").is_some_and(|key| numbers(key).len() == 1);
        let time = "Mon, 25 Mar 2024 00:00:00 GMT";
        let answer = Response::builder().header("etag", "\"e\"").header("last-modified", time).header("content-length", 1);
        return answer.status(if is_there { StatusCode::OK } else { StatusCode::NOT_FOUND }).body(Full::default());
    }
    let parameter = |name: &str| {
        let mut pairs = request.uri().query().unwrap_or_default().split('&').filter_map(|pair| pair.split_once('='));
        pairs.find_map(|(known, value)| (known == name).then(|| value.replace("%2F", "/"))).unwrap_or_default()
    };
    let all = numbers(&parameter("prefix"));
    let from = parameter("continuation-token").parse().unwrap_or(all.start);
    let to = all.end.min(from + parameter("max-keys").parse().unwrap_or(PAGE));
    let mut page = String::from("<ListBucketResult>");
    for number in from..to {
        let time = "2024-03-25T00:00:00.000Z";
        let _ = write!(
            page,
            "<Contents><Key>{FOLDER}{number:0DIGITS$}.csv</Key><LastModified>{time}</LastModified><ETag>\"e\"</ETag><Size>1</Size></Contents>"
        );
    }
    if to < all.end {
        let _ = write!(page, "<IsTruncated>true</IsTruncated><NextContinuationToken>{to}</NextContinuationToken>");
    }
    Response::builder().body(Full::from(page + "</ListBucketResult>"))
}

/// The numbers of the keys that begin with a prefix.
fn numbers(prefix: &str) -> Range<usize> {
    if FOLDER.starts_with(prefix) {
        return 0..KEYS;
    }
    let Some(digits) = prefix.strip_prefix(FOLDER) else { return 0..0 };
    let Ok(number) = digits.parse::<usize>() else { return 0..0 };
    let each = 10_usize.pow(u32::try_from(DIGITS.saturating_sub(digits.len())).unwrap_or(0));
    (number * each).min(KEYS)..((number + 1) * each).min(KEYS)
}
