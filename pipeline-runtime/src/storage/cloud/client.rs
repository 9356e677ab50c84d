//! [`Client`]: one bucket's client for any vendor, built from the URL and the environment.

use std::sync::Arc;
use std::time::Duration;

use object_store::client::{HttpClient, HttpConnector};
use object_store::list::PaginatedListStore;
use object_store::multipart::MultipartStore;
use object_store::{BackoffConfig, ClientOptions, ObjectStore, RetryConfig};
use tokio_rustls::rustls::crypto::ring;

use super::super::error::{BucketErrorKind, Failure};
use super::conditions::StoreFacts;
use super::http::Guard;
use super::pending_writes::PendingWrites;
use super::settings::Settings;
use super::vendor::Vendor;

/// The traits that each of `object_store`'s clients implements.
pub(super) trait Objects: ObjectStore + MultipartStore + PaginatedListStore {}

impl<T: ObjectStore + MultipartStore + PaginatedListStore> Objects for T {}

pub(super) struct Client {
    pub(super) store: Arc<dyn Objects>,
    /// For requests whose answer may take as long as the store copies, and for those that `object_store` does not support.
    #[cfg_attr(not(any(feature = "s3", feature = "azure")), allow(dead_code, reason = "Google is asked nothing of that kind"))]
    pub(super) plain: HttpClient,
    #[cfg(feature = "s3")]
    pub(super) amazon: Option<super::amazon::Amazon>,
    #[cfg(feature = "azure")]
    pub(super) azure: Option<super::azure::Azure>,
    pub(super) pending_writes: PendingWrites,
    pub(super) facts: Arc<StoreFacts>,
    /// AWS itself, which enforces conditions.
    pub(super) is_aws: bool,
    /// Where requests go, for messages.
    pub(super) endpoint: String,
}

const CONNECT: Duration = Duration::from_secs(5);
/// The pause before a failed request is sent again; twice as long each time.
pub(super) const FIRST_BACKOFF: Duration = Duration::from_millis(100);
pub(super) const LONGEST_BACKOFF: Duration = Duration::from_secs(5);

impl Client {
    /// Reads the environment and the files that it names, so it blocks; it sends no request.
    pub(super) fn new(settings: &Settings) -> Result<Self, Failure> {
        let var = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        match settings.vendor {
            #[cfg(feature = "s3")]
            Vendor::Amazon => super::amazon::client(settings, var),
            #[cfg(feature = "gcp")]
            Vendor::Google => super::google::client(settings, var),
            #[cfg(feature = "azure")]
            Vendor::Azure => super::azure::client(settings, var),
            #[allow(unreachable_patterns, reason = "a build has all of them, or some")]
            vendor => {
                let detail = format!("this build lacks the feature `{}`", vendor.feature());
                Err(Failure::new(BucketErrorKind::InvalidUrl, detail))
            }
        }
    }
}

/// What every vendor's client is built from.
pub(super) struct ClientParts {
    pub(super) guard: Guard,
    pub(super) options: ClientOptions,
    pub(super) retry: RetryConfig,
    endpoint: String,
    facts: Arc<StoreFacts>,
    plain: HttpClient,
}

impl ClientParts {
    /// `endpoint` is for messages; `id` identifies the credentials.
    pub(super) fn new(settings: &Settings, endpoint: &str, id: &str) -> Result<Self, Failure> {
        let facts = StoreFacts::of(endpoint, &settings.bucket, id);
        let guard = Guard::new(settings.vendor, endpoint, facts.clock.clone());
        let plain = ClientOptions::new()
            .with_connect_timeout(CONNECT.min(settings.timeout))
            .with_timeout_disabled()
            .with_allow_http(endpoint.starts_with("http://"));
        let options = plain.clone().with_read_timeout(settings.timeout);
        let retry = RetryConfig {
            max_retries: settings.retries,
            retry_timeout: settings.timeout,
            backoff: BackoffConfig { init_backoff: FIRST_BACKOFF, max_backoff: LONGEST_BACKOFF, base: 2.0 },
        };
        // Another crate may have installed a provider for the process already, and any provider will do.
        let _ = ring::default_provider().install_default();
        let plain = guard.connect(&plain).map_err(no_client(settings.vendor))?;
        Ok(Self { guard, options, retry, endpoint: endpoint.to_owned(), facts, plain })
    }

    pub(super) fn client(self, store: Arc<dyn Objects>) -> Client {
        let Self { guard, endpoint, facts, plain, .. } = self;
        Client {
            store,
            plain,
            #[cfg(feature = "s3")]
            amazon: None,
            #[cfg(feature = "azure")]
            azure: None,
            pending_writes: guard.pending_writes().clone(),
            facts,
            is_aws: false,
            endpoint,
        }
    }
}

pub(super) fn no_client(vendor: Vendor) -> impl Fn(object_store::Error) -> Failure {
    move |error| {
        let detail = format!("no client for `{}://` could be created: {error}", vendor.scheme());
        Failure::new(BucketErrorKind::Other, detail)
    }
}
