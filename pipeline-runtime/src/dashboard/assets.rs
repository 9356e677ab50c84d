//! The page's files. They are compiled into the binary from this folder, and served without comments and unneeded white space.

use super::problem::Problem;
use super::{Site, minify};
use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use std::borrow::Cow;
use std::sync::{Arc, OnceLock};

const SHELL: &str = include_str!("assets/index.html");

/// A file: its name, its content type and its text.
struct Asset(&'static str, &'static str, &'static str);

impl Asset {
    /// Returns its text as it is served.
    fn minified(&self) -> Cow<'static, str> {
        let Self(name, _, text) = *self;
        match name.rsplit_once('.') {
            Some((_, "js")) => minify::script(text).into(),
            Some((_, "css")) => minify::style(text).into(),
            _ => text.into(),
        }
    }
}

macro_rules! assets {
    ($($name:literal),* $(,)?) => {
        &[$(Asset($name, kind($name), include_str!(concat!("assets/", $name)))),*]
    };
}

const fn kind(name: &str) -> &'static str {
    match name.as_bytes() {
        [.., b'.', b'j', b's'] => "text/javascript; charset=utf-8",
        [.., b'.', b'c', b's', b's'] => "text/css; charset=utf-8",
        [.., b'.', b's', b'v', b'g'] => "image/svg+xml",
        _ => "application/json",
    }
}

const ASSETS: &[Asset] = assets![
    "actions.js",
    "app.css",
    "app.js",
    "backfill.js",
    "base.js",
    "calendar.js",
    "compare.js",
    "details.js",
    "forecast.js",
    "form.js",
    "gantt.js",
    "graph.js",
    "icon.svg",
    "keys.js",
    "live.js",
    "log.js",
    "node.js",
    "openapi.json",
    "overview.js",
    "pipeline.js",
    "records.js",
    "run.js",
    "runs.js",
    "scatter.js",
    "scrub.js",
    "sensor.js",
    "sensors.js",
    "small.js",
    "spans.js",
    "suppose.js",
    "ticks.js",
    "trigger.js",
    "what-if.js",
];

/// The served texts, each created at its first request.
static MINIFIED: [OnceLock<Bytes>; ASSETS.len()] = [const { OnceLock::new() }; ASSETS.len()];

/// The addresses of pages. The shell's modules select the page by the address.
const PAGES: [&str; 11] = [
    "/",
    "/runs",
    "/p/{pipeline}",
    "/p/{pipeline}/{view}",
    "/r/{pipeline}/{run}",
    "/sensors",
    "/s/{pipeline}/{node}",
    "/pools",
    "/acts",
    "/system",
    "/compare",
];

pub(super) fn routes() -> Router<Arc<Site>> {
    let pages = PAGES.into_iter().fold(Router::new(), |router, page| router.route(page, get(shell)));
    pages.route("/assets/{name}", get(asset)).route("/api/v1/openapi.json", get(|| asset(Path("openapi.json".to_owned()))))
}

/// Answers unknown addresses. A request for a page gets the shell, which says that there is none, with its links.
pub(super) async fn not_found(State(site): State<Arc<Site>>, headers: HeaderMap) -> Response {
    let accepts = headers.get(header::ACCEPT).and_then(|accepts| accepts.to_str().ok()).unwrap_or_default();
    if accepts.contains("text/html") {
        return (StatusCode::NOT_FOUND, shell(State(site)).await).into_response();
    }
    Problem::not_found("there is nothing at this address").into_response()
}

pub(super) async fn shell(State(site): State<Arc<Site>>) -> Response {
    // The base contains no characters that need escaping in HTML.
    let page = SHELL.replace("{{base}}", &format!("{}/", site.gate.options.base));
    let page = page.replace("{{read_only}}", if site.read_only.is_some() { "true" } else { "false" });
    ([(header::CONTENT_TYPE, "text/html; charset=utf-8"), (header::CACHE_CONTROL, "no-cache")], page).into_response()
}

async fn asset(Path(name): Path<String>) -> Result<Response, Problem> {
    let index = ASSETS.iter().position(|Asset(of, ..)| *of == name);
    let index = index.ok_or_else(|| Problem::not_found(format!("there is no file `{name}`")))?;
    let Asset(_, kind, _) = &ASSETS[index];
    let text = MINIFIED[index].get_or_init(|| match ASSETS[index].minified() {
        Cow::Borrowed(text) => Bytes::from_static(text.as_bytes()),
        Cow::Owned(text) => Bytes::from(text),
    });
    // Another build has other files under the same names.
    Ok(([(header::CONTENT_TYPE, *kind), (header::CACHE_CONTROL, "no-cache")], text.clone()).into_response())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_file_of_the_folder_is_served_and_all_are_small() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/dashboard/assets");
        let mut bytes = SHELL.len();
        for entry in std::fs::read_dir(folder).unwrap() {
            let name = entry.unwrap().file_name().into_string().unwrap();
            let asset = ASSETS.iter().find(|Asset(of, ..)| **of == *name);
            assert!(asset.is_some() || name == "index.html", "{name} is not served");
            bytes += asset.filter(|Asset(of, ..)| *of != "openapi.json").map_or(0, |asset| asset.minified().len());
        }
        assert!(bytes <= 171_000, "the page takes {bytes} bytes of 171,000");
        // The files that a browser requests before it shows anything.
        let first = ["app.css", "app.js", "base.js", "overview.js"];
        let first: usize = ASSETS.iter().filter(|Asset(of, ..)| first.contains(of)).map(|asset| asset.minified().len()).sum();
        assert!(first <= 55_000, "the first page takes {first} bytes of 55,000");
    }
}
