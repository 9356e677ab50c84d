//! Buckets in a cloud: S3 and compatible stores, Google Cloud Storage, Azure Blob Storage. They use `object_store`'s clients,
//! configured so that a poke ends before the next one is due.
//!
//! | file | subject |
//! |---|---|
//! | `settings` | the settings in the URL |
//! | `vendor` | the differences between the three APIs |
//! | `client` | what all clients are built from |
//! | `amazon` (with `profile`), `google`, `azure` | what the environment adds to the URL, and the client of each |
//! | `checks` | refuses mistyped settings |
//! | `http` | the HTTP layer, which removes secrets from answers |
//! | `listing`, `clock` | names in listings that are not valid keys, and the offset of the store's clock |
//! | `failure` | the classification of errors |
//! | `retries` | when a request that `object_store` sends only once is sent again |
//! | `put` | objects of one request, and copies through this process |
//! | `read`, `upload` | objects as streams |
//! | `copy_part` | parts of an upload that the store copies |
//! | `conditions` | how the store treats a conditional write |
//! | `convert` | conversions between this crate's keys and metadata and `object_store`'s |
//! | `pending_writes` | conditional writes and uploads in parts that are in progress, for the HTTP layer |
//! | `write_outcome` | the outcome of a write whose answer was lost |
//!
//! In addition to the client's own guarantees:
//!
//! - If the answer to a conditional write, or to one in parts, was lost, a lookup of the key settles it. If it was done that is a
//!   success; if it was not, a put is sent again. (`tests/s3/faults.rs`)
//! - A lookup of a key, and each page of a listing, has one time limit for all its requests; a transfer may last as long as it
//!   makes progress.
//!
//! # Invariants
//!
//! - A secret in a bucket's URL never appears in text: in no error, no `Debug`, no log of any crate at any level.
//!   (`tests/s3/secrets.rs`)

#[cfg(feature = "s3")]
mod amazon;
#[cfg(feature = "azure")]
mod azure;
mod checks;
mod client;
mod clock;
mod conditions;
mod convert;
#[cfg(feature = "s3")]
mod copy_part;
mod failure;
#[cfg(feature = "gcp")]
mod google;
mod http;
mod listing;
mod pending_writes;
#[cfg(feature = "s3")]
mod profile;
mod put;
mod read;
mod retries;
mod settings;
mod upload;
mod vendor;
mod write_outcome;

use bytes::{Bytes, BytesMut};
use chrono::{DateTime, Utc};
use object_store::list::{PaginatedListOptions, PaginatedListResult};
use object_store::path::Path;
use object_store::{CopyOptions, GetOptions, GetResult, ObjectMeta, ObjectStoreExt};
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::sync::OnceCell;

use self::client::Client;
pub(super) use self::read::CloudBody;
use self::retries::LostAnswerRetries;
pub(super) use self::settings::Settings;
pub(super) use self::upload::CloudUpload;
pub(super) use self::vendor::Vendor;
use super::body::{Body, Span};
use super::error::{BucketErrorKind, Failure};
use super::invalid_names::{InvalidNames, ReportedCount};
use super::key::Prefix;
use super::store::{Condition, KeyFilter};
use super::upload::Upload;

/// One bucket.
pub(super) struct Cloud {
    settings: Settings,
    /// Created by the first operation.
    client: OnceCell<Client>,
    /// True if the bucket was seen to exist: a missing key looks like a missing bucket.
    is_known_to_exist: AtomicBool,
    reported_count: ReportedCount,
}

/// A listing between two pages.
#[derive(Debug)]
pub(super) struct CloudPages {
    filter: KeyFilter,
    /// The token of the next page.
    token: Option<String>,
    /// The invalid names so far.
    invalid_names: InvalidNames,
}

impl CloudPages {
    pub(super) fn begin(filter: KeyFilter) -> Self {
        Self { filter, token: None, invalid_names: InvalidNames::default() }
    }
}

impl Cloud {
    pub(super) fn new(settings: Settings) -> Self {
        Self {
            settings,
            client: OnceCell::new(),
            is_known_to_exist: AtomicBool::new(false),
            reported_count: ReportedCount::default(),
        }
    }

    pub(super) fn object_id(&self, key: &Path) -> String {
        let endpoint = self.client.get().map_or("", |client| client.endpoint.as_str());
        format!("{endpoint} {}/{key}", self.settings.bucket)
    }

    fn url(&self) -> String {
        format!("{}://{}", self.settings.vendor.scheme(), self.settings.bucket)
    }

    pub(super) async fn head(&self, key: &Path) -> Result<Option<ObjectMeta>, Failure> {
        let look = async {
            match self.client().await?.store.head(key).await {
                Ok(meta) => {
                    self.note_existence();
                    Ok(Some(meta))
                }
                Err(object_store::Error::NotFound { .. }) => {
                    self.exists().await?;
                    Ok(None)
                }
                // The answer to a HEAD has no body that would explain it.
                Err(error) => {
                    let failure = self.failure(&error);
                    let unclear = matches!(failure.kind(), BucketErrorKind::PermissionDenied | BucketErrorKind::Other);
                    if unclear {
                        self.probe().await?;
                    }
                    Err(failure)
                }
            }
        };
        self.limited(look).await
    }

    pub(super) async fn list(&self, filter: &KeyFilter) -> Result<Vec<ObjectMeta>, Failure> {
        let (mut found, mut pages) = (Vec::new(), Some(CloudPages::begin(filter.clone())));
        while let Some(at) = pages {
            let (page, next) = self.next_page(at).await?;
            found.extend(page);
            pages = next;
        }
        // The store's order may differ from that of bytes.
        found.sort_unstable_by(|a, b| a.location.cmp(&b.location));
        Ok(found)
    }

    /// A page of a listing, sorted, and the rest of the listing.
    pub(super) async fn next_page(&self, pages: CloudPages) -> Result<(Vec<ObjectMeta>, Option<CloudPages>), Failure> {
        let CloudPages { filter, token, mut invalid_names } = pages;
        let of_prefix = if token.is_none() { self.object_named(filter.prefix()).await? } else { None };
        let mut page = self.limited(self.page(filter.prefix().as_str(), next(token))).await?;
        invalid_names.merge(page.invalid_names());
        let mut found = page.result.objects;
        found.extend(of_prefix);
        found.retain(|meta| filter.contains(meta.location.as_ref()));
        found.sort_unstable_by(|a, b| a.location.cmp(&b.location));
        if page.page_token.is_none() {
            invalid_names.report(&self.reported_count, &self.url(), filter.prefix().as_str());
            return Ok((found, None));
        }
        Ok((found, Some(CloudPages { filter, token: page.page_token, invalid_names })))
    }

    /// Azure's client omits the object whose name equals the prefix, so it is looked up separately.
    async fn object_named(&self, prefix: &Prefix) -> Result<Option<ObjectMeta>, Failure> {
        let is_key = !prefix.as_str().is_empty() && !prefix.as_str().ends_with('/');
        if self.settings.vendor != Vendor::Azure || !is_key {
            return Ok(None);
        }
        let Ok(key) = Path::parse(prefix.as_str()) else { return Ok(None) };
        self.head(&key).await
    }

    /// The first by key of the first page with a match; requests no further page.
    pub(super) async fn first(&self, filter: &KeyFilter) -> Result<Option<ObjectMeta>, Failure> {
        let mut pages = Some(CloudPages::begin(filter.clone()));
        while let Some(at) = pages {
            let (page, next) = self.next_page(at).await?;
            if let Some(first) = page.into_iter().next() {
                return Ok(Some(first));
            }
            pages = next;
        }
        Ok(None)
    }

    /// The store groups the keys, so only the folders' names are returned.
    pub(super) async fn folders(&self, prefix: &Prefix) -> Result<Vec<Path>, Failure> {
        let (mut found, mut invalid_names) = (Vec::new(), InvalidNames::default());
        let mut page_token = None;
        loop {
            let options = PaginatedListOptions { page_token, delimiter: Some("/".into()), ..PaginatedListOptions::default() };
            let mut page = self.limited(self.page(prefix.as_str(), options)).await?;
            invalid_names.merge(page.invalid_names());
            found.extend(page.result.common_prefixes);
            page_token = page.page_token;
            if page_token.is_none() {
                break;
            }
        }
        invalid_names.report(&self.reported_count, &self.url(), prefix.as_str());
        found.sort_unstable();
        Ok(found)
    }

    /// The earliest time of an object that was written at `since` or later by this machine's clock.
    pub(super) fn earliest(&self, since: DateTime<Utc>) -> DateTime<Utc> {
        self.client.get().map_or(since, |client| client.facts.clock.earliest(since))
    }

    /// The object as it is now, and its bytes in the span.
    pub(super) async fn open(self: &Arc<Self>, key: &Path, span: Span) -> Result<(ObjectMeta, Body), Failure> {
        let (meta, body) = read::open(self, key, span).await?;
        Ok((meta, Body::Cloud(body)))
    }

    /// The object as it is now, and at most `length` of its last bytes; `None` if it has to be requested differently.
    pub(super) async fn open_tail(self: &Arc<Self>, key: &Path, length: u64) -> Result<Option<(ObjectMeta, Body)>, Failure> {
        Ok(read::open_tail(self, key, length).await?.map(|(meta, body)| (meta, Body::Cloud(body))))
    }

    pub(super) async fn upload(self: &Arc<Self>, key: &Path, condition: Condition) -> Result<Upload, Failure> {
        Ok(Upload::Cloud(CloudUpload::begin(self, key, condition).await?))
    }

    pub(super) async fn get(self: &Arc<Self>, key: &Path) -> Result<Bytes, Failure> {
        let (meta, mut body) = read::open(self, key, Span::of(&..)).await?;
        let mut contents = BytesMut::with_capacity(usize::try_from(meta.size).unwrap_or_default());
        while let Some(chunk) = body.next().await? {
            contents.extend_from_slice(&chunk);
        }
        Ok(contents.freeze())
    }

    pub(super) async fn copy(self: &Arc<Self>, from: &Path, to: &Path, condition: Condition) -> Result<ObjectMeta, Failure> {
        if from == to && matches!(condition, Condition::Always) {
            // S3 refuses it, because nothing would change.
            return self.head(from).await?.ok_or_else(Failure::no_such_key);
        }
        // Azure's own copy may still be running when it answers.
        if !matches!(condition, Condition::Always) || self.settings.vendor == Vendor::Azure {
            return self.copy_through_process(from, to, condition).await;
        }
        let copied = self.client().await?.store.copy_opts(from, to, CopyOptions::default()).await;
        copied.map_err(|error| self.failure(&error))?;
        let vanished = "it was done, and somebody deleted the new key right away";
        self.head(to).await?.ok_or_else(|| Failure::new(BucketErrorKind::NoSuchKey, vanished))
    }

    pub(super) async fn rename(self: &Arc<Self>, from: &Path, to: &Path) -> Result<ObjectMeta, Failure> {
        let copied = self.copy(from, to, Condition::Always).await?;
        self.delete(from).await?;
        Ok(copied)
    }

    pub(super) async fn delete(&self, key: &Path) -> Result<(), Failure> {
        let client = self.client().await?;
        let mut retries = LostAnswerRetries::within(&self.settings);
        loop {
            let error = match self.delete_once(client, key).await {
                Ok(()) => return Ok(()),
                Err(error) => error,
            };
            match self.failure(&error) {
                failure if failure.kind() == BucketErrorKind::NoSuchKey => return Ok(()),
                _ if retries.after(&error).await => {}
                failure => return Err(failure),
            }
        }
    }

    async fn delete_once(&self, client: &Client, key: &Path) -> object_store::Result<()> {
        // `object_store` would send a batch of one, which needs another permission and reports failures less precisely.
        #[cfg(feature = "azure")]
        if let Some(azure) = &client.azure {
            return azure.delete(client, key).await;
        }
        client.store.delete(key).await
    }

    async fn client(&self) -> Result<&Client, Failure> {
        let make = || async {
            let settings = self.settings.clone();
            match tokio::task::spawn_blocking(move || Client::new(&settings)).await {
                Ok(client) => client,
                Err(error) => Err(Failure::new(BucketErrorKind::Other, "the process is shutting down").with_source(error)),
            }
        };
        self.client.get_or_try_init(make).await
    }

    fn failure(&self, error: &object_store::Error) -> Failure {
        failure::failure(error, self.settings.vendor, self.client.get().map_or("the store", |client| client.endpoint.as_str()))
    }

    /// Applies one time limit to all requests of one lookup.
    async fn limited<T>(&self, look: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
        if let Ok(found) = tokio::time::timeout(self.settings.timeout, look).await {
            return found;
        }
        let endpoint = self.client.get().map_or("the store", |client| client.endpoint.as_str());
        let limit = humantime::format_duration(self.settings.timeout);
        Err(Failure::new(BucketErrorKind::Network, format!("{endpoint} did not answer within {limit}")))
    }

    fn note_existence(&self) {
        self.is_known_to_exist.store(true, Ordering::Relaxed);
    }

    /// Fails unless the bucket exists, as far as the credentials can show it. It is checked once.
    async fn exists(&self) -> Result<(), Failure> {
        if self.is_known_to_exist.load(Ordering::Relaxed) {
            return Ok(());
        }
        match self.probe().await {
            // A missing bucket would be reported as such.
            Err(failure) if failure.kind() == BucketErrorKind::PermissionDenied => Ok(()),
            probed => probed,
        }
    }

    /// The smallest request to the bucket itself.
    async fn probe(&self) -> Result<(), Failure> {
        let options = PaginatedListOptions { max_keys: Some(1), ..PaginatedListOptions::default() };
        self.page("", options).await.map(drop)
    }

    async fn page(&self, prefix: &str, options: PaginatedListOptions) -> Result<PaginatedListResult, Failure> {
        let prefix = Some(prefix).filter(|prefix| !prefix.is_empty());
        let page = self.client().await?.store.list_paginated(prefix, options).await.map_err(|error| self.failure(&error))?;
        self.note_existence();
        Ok(page)
    }

    /// The object as it is now, with its metadata.
    async fn get_meta(&self, key: &Path) -> Result<Option<GetResult>, Failure> {
        let options = GetOptions { head: true, ..GetOptions::default() };
        match self.client().await?.store.get_opts(key, options).await {
            Ok(found) => Ok(Some(found)),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(self.failure(&error)),
        }
    }
}

/// The invalid names of a page.
trait Page {
    fn invalid_names(&mut self) -> InvalidNames;
}

impl Page for PaginatedListResult {
    fn invalid_names(&mut self) -> InvalidNames {
        self.result.extensions.remove().unwrap_or_default()
    }
}

/// The options for the page of the token.
fn next(page_token: Option<String>) -> PaginatedListOptions {
    PaginatedListOptions { page_token, ..PaginatedListOptions::default() }
}

impl fmt::Debug for Cloud {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Cloud({:?})", self.settings.bucket)
    }
}
