//! The client for Azure Blob Storage, built from the URL and the environment, and the requests that `object_store` does not
//! support: combining parts on a condition and with a mark, and deleting one blob.
//!
//! A request's signature covers its conditions and its metadata, so neither can be added after signing, as is done for the other
//! vendors.

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use hyper::header::{CONTENT_LENGTH, ETAG, HeaderName, HeaderValue};
use hyper::{HeaderMap, Method, Request};
use object_store::azure::{AzureAuthorizer, AzureConfigKey, MicrosoftAzure, MicrosoftAzureBuilder};
use object_store::client::{HttpRequest, HttpRequestBody};
use object_store::multipart::PartId;
use object_store::path::Path;
use object_store::{Error, PutResult};
use reqwest::Url;

use super::super::error::{BucketErrorKind, Failure};
use super::checks;
use super::client::{Client, ClientParts, no_client};
use super::retries::Retries;
use super::settings::{Settings, endpoint};
use super::vendor::Vendor;
use super::write_outcome::Mark;

/// One container.
pub(super) struct Azure {
    store: Arc<MicrosoftAzure>,
    account: String,
    /// The container's URL.
    url: Url,
    retries: usize,
    timeout: Duration,
}

/// The variables for credentials; `object_store` chooses among them.
const VARIABLES: [&str; 12] = [
    "AZURE_STORAGE_ACCOUNT_KEY",
    "AZURE_STORAGE_SAS_TOKEN",
    "AZURE_STORAGE_SAS_KEY",
    "AZURE_STORAGE_TOKEN",
    "AZURE_TENANT_ID",
    "AZURE_CLIENT_ID",
    "AZURE_CLIENT_SECRET",
    "AZURE_FEDERATED_TOKEN_FILE",
    "AZURE_AUTHORITY_HOST",
    "AZURE_IDENTITY_ENDPOINT",
    "AZURE_MSI_ENDPOINT",
    "AZURE_USE_AZURE_CLI",
];

pub(super) fn client(settings: &Settings, var: impl Fn(&str) -> Option<String>) -> Result<Client, Failure> {
    let wrong = |reason: String| Failure::new(BucketErrorKind::InvalidUrl, reason);
    let account = settings.account.clone().or_else(|| var("AZURE_STORAGE_ACCOUNT_NAME")).ok_or_else(|| {
        wrong("no storage account is named; set AZURE_STORAGE_ACCOUNT_NAME, or `?account=` in the bucket's URL".into())
    })?;
    if !(3..=24).contains(&account.len()) || !account.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit()) {
        return Err(wrong(format!("{account:?} is not a storage account: its name has 3 to 24 lowercase letters and digits")));
    }
    let named = settings.endpoint.clone().or_else(|| var("AZURE_STORAGE_ENDPOINT"));
    let named = named.map(|url| endpoint(Vendor::Azure, &url).map_err(wrong)).transpose()?;
    let service = named.unwrap_or_else(|| format!("https://{account}.blob.core.windows.net"));
    checks::endpoint(&service, true)?;
    let mut url: Url = service.parse().map_err(|_| wrong(format!("the endpoint `{service}` is not a URL")))?;
    if let Ok(mut segments) = url.path_segments_mut() {
        segments.pop_if_empty().push(&settings.bucket);
    }
    let mut builder = MicrosoftAzureBuilder::new()
        .with_account(&account)
        .with_container_name(&settings.bucket)
        .with_endpoint(service.clone())
        .with_allow_http(service.starts_with("http://"));
    for name in VARIABLES {
        let (Some(value), Ok(key)) = (var(name), name.to_ascii_lowercase().parse::<AzureConfigKey>()) else { continue };
        if name == "AZURE_STORAGE_ACCOUNT_KEY" && BASE64_STANDARD.decode(value.trim()).is_err() {
            return Err(wrong("AZURE_STORAGE_ACCOUNT_KEY is not an account key, which is base64".into()));
        }
        builder = builder.with_config(key, checks::word(name, value)?);
    }
    let parts = ClientParts::new(settings, &service, &account)?;
    let store = builder
        .with_client_options(parts.options.clone())
        .with_retry(parts.retry.clone())
        .with_http_connector(parts.guard.clone())
        .build()
        .map_err(no_client(Vendor::Azure))?;
    let store = Arc::new(store);
    let azure = Azure { store: Arc::clone(&store), account, url, retries: settings.retries, timeout: settings.timeout };
    Ok(Client { azure: Some(azure), ..parts.client(store) })
}

impl Azure {
    /// Combines the parts into the blob, on the condition of the demand.
    pub(super) async fn put_block_list(
        &self,
        client: &Client,
        key: &Path,
        parts: &[PartId],
        mark: &Mark,
        condition_header: Option<(HeaderName, HeaderValue)>,
    ) -> object_store::Result<PutResult> {
        let mut list = String::from("<?xml version=\"1.0\" encoding=\"utf-8\"?><BlockList>");
        for part in parts {
            // Writing to a `String` cannot fail.
            let _ = write!(list, "<Uncommitted>{}</Uncommitted>", BASE64_STANDARD.encode(&part.content_id));
        }
        list += "</BlockList>";
        let says = HeaderValue::from_str(&mark.value()).unwrap_or(HeaderValue::from_static(""));
        let headers = condition_header.into_iter().chain([(Vendor::Azure.mark_header(), says)]).collect();
        let answered = self.ask(client, Method::PUT, key, "comp=blocklist", &headers, list.into()).await?;
        let e_tag = answered.get(ETAG).and_then(|etag| etag.to_str().ok()).map(str::to_owned);
        Ok(PutResult { e_tag, version: None, extensions: hyper::http::Extensions::default() })
    }

    pub(super) async fn delete(&self, client: &Client, key: &Path) -> object_store::Result<()> {
        self.ask(client, Method::DELETE, key, "", &HeaderMap::new(), Bytes::new()).await.map(drop)
    }

    /// Sends a request, and retries after passing failures, as `object_store` does for its own.
    async fn ask(
        &self,
        client: &Client,
        method: Method,
        key: &Path,
        query: &str,
        headers: &HeaderMap,
        body: Bytes,
    ) -> object_store::Result<HeaderMap> {
        let mut retries = Retries::new(self.retries);
        loop {
            let request = self.signed(method.clone(), key, query, headers, body.clone()).await?;
            let (error, passes) = match tokio::time::timeout(self.timeout, client.plain.execute(request)).await {
                Ok(Ok(answer)) => {
                    let (parts, body) = answer.into_parts();
                    if parts.status.is_success() {
                        return Ok(parts.headers);
                    }
                    let answer = body.bytes().await.unwrap_or_default();
                    let (status, answer) = (parts.status, String::from_utf8_lossy(&answer));
                    let passes = status.is_server_error() || matches!(status.as_u16(), 408 | 429);
                    (generic(format!("Server returned non-2xx status code: {status}: {answer}").into()), passes)
                }
                Ok(Err(error)) => (generic(error.into()), true),
                Err(_) => (generic("Server returned non-2xx status code: 504 Gateway Timeout".into()), true),
            };
            if !(passes && retries.once_more().await) {
                return Err(error);
            }
        }
    }

    async fn signed(
        &self,
        method: Method,
        key: &Path,
        query: &str,
        headers: &HeaderMap,
        body: Bytes,
    ) -> object_store::Result<HttpRequest> {
        let mut url = self.url.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.extend(key.parts());
        }
        url.set_query(Some(query).filter(|query| !query.is_empty()));
        let length = body.len();
        let mut request = Request::new(HttpRequestBody::from(body));
        *request.method_mut() = method;
        *request.uri_mut() = url.as_str().parse().map_err(|error: hyper::http::uri::InvalidUri| generic(error.into()))?;
        *request.headers_mut() = headers.clone();
        request.headers_mut().insert(CONTENT_LENGTH, length.into());
        let credential = self.store.credentials().get_credential().await?;
        AzureAuthorizer::new(&credential, &self.account).try_authorize(&mut request)?;
        Ok(request)
    }
}

fn generic(source: Box<dyn std::error::Error + Send + Sync>) -> Error {
    Error::Generic { store: "MicrosoftAzure", source }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(url: &str, variables: &[(&str, &str)]) -> Result<Client, String> {
        let settings = Settings::parse(Vendor::Azure, url)?;
        let var = |name: &str| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned());
        client(&settings, var).map_err(|failure| failure.at("open").to_string())
    }

    #[test]
    fn what_is_missing_or_wrong_is_named_and_no_secret() -> Result<(), String> {
        let account = ("AZURE_STORAGE_ACCOUNT_NAME", "acct");
        for (url, variables, expected) in [
            ("exports", vec![], "set AZURE_STORAGE_ACCOUNT_NAME, or `?account=`"),
            ("exports?account=Acct", vec![], "is not a storage account: its name has"),
            (
                "exports",
                vec![account, ("AZURE_STORAGE_ACCOUNT_KEY", "hid den!")],
                "AZURE_STORAGE_ACCOUNT_KEY is not an account key",
            ),
            (
                "exports",
                vec![account, ("AZURE_STORAGE_SAS_TOKEN", "hid\nden")],
                "the AZURE_STORAGE_SAS_TOKEN is empty, or contains",
            ),
            ("exports", vec![account, ("AZURE_STORAGE_ENDPOINT", "http://a b")], "not `http://HOST:PORT`"),
            ("exports?account=acct&endpoint=http://host:99999", vec![], "is not a URL"),
        ] {
            let error = made(url, &variables).err().unwrap_or_default();
            assert!(error.contains(expected) && !error.contains("den"), "{url} {variables:?}: {error}");
        }
        let client = made("exports", &[account, ("AZURE_STORAGE_ACCOUNT_KEY", "aGlkZGVu")])?;
        assert_eq!(client.endpoint, "https://acct.blob.core.windows.net");
        let url = |client: &Client| client.azure.as_ref().map(|azure| azure.url.to_string());
        assert_eq!(url(&client).as_deref(), Some("https://acct.blob.core.windows.net/exports"));
        let client = made("exports?account=acct&endpoint=http://127.0.0.1:10000/acct", &[])?;
        assert_eq!(url(&client).as_deref(), Some("http://127.0.0.1:10000/acct/exports"));
        Ok(())
    }
}
