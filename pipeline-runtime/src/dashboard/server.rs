//! Connections and their limits.

use super::gate::{self, Peer};
use super::options::Listen;
use super::problem::Problem;
use super::{DashboardError, Site, api, assets};
use axum::Router;
use axum::body::Body;
use axum::extract::DefaultBodyLimit;
use axum::http::{HeaderName, HeaderValue, Request};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Semaphore, oneshot, watch};

/// The maximum number of connections; further ones wait. It is at most a quarter of the process's limit on open files, since the
/// runs need files, too.
const MAX_CONNECTIONS: usize = 1_280;
/// Used if there is no limit on open files.
const FEW_CONNECTIONS: usize = 256;
/// The limits of a request's head, in bytes and time.
const MAX_HEAD: usize = 16 << 10;
const MAX_HEAD_TIME: Duration = Duration::from_secs(10);
/// The limit of a body.
const MAX_BODY: usize = 1 << 20;
/// How many ports after a taken one are tried.
const MAX_PORTS: u16 = 20;

/// Listens, on the next free port if the requested one is taken; then returns a note.
pub(super) fn bind(listen: &Listen) -> Result<(TcpListener, Option<String>), DashboardError> {
    let requested = listen.address;
    let last = if requested.port() == 0 { 0 } else { requested.port().saturating_add(MAX_PORTS) };
    let mut first_error = None;
    for port in requested.port()..=last {
        match TcpListener::bind(SocketAddr::new(requested.ip(), port)) {
            Ok(listener) => {
                let note = (port != requested.port()).then(|| format!("port {} is taken", requested.port()));
                return Ok((listener, note));
            }
            Err(error) if error.kind() == std::io::ErrorKind::AddrInUse => drop(first_error.get_or_insert(error)),
            Err(error) => return Err(DashboardError::Listen { address: requested.to_string(), error }),
        }
    }
    let error = first_error.unwrap_or_else(|| std::io::ErrorKind::AddrInUse.into());
    Err(DashboardError::Listen { address: requested.to_string(), error })
}

/// Serves requests until it is stopped.
pub(super) async fn serve(listener: TcpListener, site: Arc<Site>, stopped: oneshot::Receiver<()>) {
    let listener = listener.set_nonblocking(true).and_then(|()| tokio::net::TcpListener::from_std(listener));
    let listener = match listener {
        Ok(listener) => listener,
        Err(error) => return tracing::error!("the dashboard cannot be served: {error}"),
    };
    let app = router(&site);
    let (closing, closed) = watch::channel(false);
    let permits = Arc::new(Semaphore::new(max_connections()));
    let accept = async {
        loop {
            // It is never closed.
            let permit = Arc::clone(&permits).acquire_owned().await;
            let (stream, peer) = match listener.accept().await {
                Ok(accepted) => accepted,
                Err(error) => {
                    // Usually too many open files: others may close theirs.
                    tracing::debug!("the dashboard could not accept a connection: {error}");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                    continue;
                }
            };
            let here = stream.local_addr().unwrap_or(site.gate.address);
            let peer = Peer::of(peer, here);
            // Events are small, and should arrive at once.
            let _ = stream.set_nodelay(true);
            let app = app.clone().layer(axum::Extension(peer));
            let mut closed = closed.clone();
            tokio::spawn(async move {
                let connection = http1::Builder::new()
                    .timer(TokioTimer::new())
                    .header_read_timeout(MAX_HEAD_TIME)
                    .max_buf_size(MAX_HEAD)
                    .serve_connection(TokioIo::new(stream), TowerToHyperService::new(app));
                tokio::select! {
                    // The client is gone and needs no answer.
                    _ = connection => {}
                    _ = closed.changed() => {}
                }
                drop(permit);
            });
        }
    };
    tokio::select! {
        () = accept => {}
        () = site.changes.watch() => {}
        _ = stopped => {}
    }
    let _ = closing.send(true);
}

fn max_connections() -> usize {
    #[cfg(unix)]
    let files = rustix::process::getrlimit(rustix::process::Resource::Nofile).current;
    #[cfg(not(unix))]
    let files = None::<u64>;
    files.and_then(|files| usize::try_from(files / 4).ok()).unwrap_or(FEW_CONNECTIONS).clamp(1, MAX_CONNECTIONS)
}

/// All routes, behind the gate.
fn router(site: &Arc<Site>) -> Router {
    let routes = api::routes().merge(assets::routes()).layer(DefaultBodyLimit::max(MAX_BODY));
    let base = &site.gate.options.base;
    let routes = match base.as_str() {
        "" => routes,
        // With the prefix that a proxy adds, and without. The router distinguishes `/jobs` and `/jobs/`.
        base => routes.clone().nest(base, routes).route(&format!("{base}/"), axum::routing::get(assets::shell)),
    };
    routes
        .fallback(assets::not_found)
        .method_not_allowed_fallback(|| async {
            Problem::method_not_allowed("method not allowed", "this address does not support that method")
        })
        .layer(middleware::from_fn_with_state(Arc::clone(site), admit))
        .with_state(Arc::clone(site))
}

async fn admit(
    axum::extract::State(site): axum::extract::State<Arc<Site>>,
    axum::Extension(peer): axum::Extension<Peer>,
    request: Request<Body>,
    next: Next,
) -> Response {
    let (parts, body) = request.into_parts();
    let mut response = match gate::check(&parts, peer, &site.gate) {
        Ok(()) => next.run(Request::from_parts(parts, body)).await,
        Err(problem) => problem.into_response(),
    };
    let headers = response.headers_mut();
    for (name, value) in gate::HEADERS {
        headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    response
}
