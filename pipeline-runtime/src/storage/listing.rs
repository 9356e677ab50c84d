//! [`ObjectListing`]: a listing as a stream, for listings that are too long for memory.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use chrono::{DateTime, Utc};
use futures_util::future::BoxFuture;
use futures_util::{Stream, StreamExt};

use super::bucket::Bucket;
use super::error::BucketError;
use super::lookup::Lookup;
use super::lookup_report::LookupReport;
use super::object::Object;
use super::pages::Pages;
use super::store::KeyFilter;
use super::trace::{self, Fingerprint, StoredLookup};
use super::watch::Poke;

/// A listing in progress, object by object: returned by [`Bucket::list_stream`] and [`Bucket::find_stream`].
///
/// It is a [`Stream`] of objects; [`try_next`](Self::try_next) does not need that trait. It requests a page of at most 1,000
/// objects when the last one is used up, and no more once it is dropped.
///
/// An object that is written or deleted meanwhile may or may not be included; each key is returned at most once. Keys are sorted
/// by their bytes, as in [`list`](Bucket::list); on `s3://` only if the store lists in that order: AWS does, SeaweedFS sorts by
/// folder.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> std::result::Result<(), pipeline_runtime::BucketError> {
/// use pipeline_runtime::Bucket;
///
/// let bucket = Bucket::open("memory://docs-listing")?;
/// for key in ["raw/a.csv", "raw/b.csv", "raw/c.csv"] {
///     bucket.put(key, "1,2").await?;
/// }
/// let (mut listing, mut bytes) = (bucket.list_stream("raw/")?, 0);
/// while let Some(object) = listing.try_next().await? {
///     bytes += object.size;
/// }
/// assert_eq!(bytes, 9);
/// # Ok(())
/// # }
/// ```
pub struct ObjectListing {
    bucket: Bucket,
    doing: String,
    /// Objects that arrived and were not returned yet.
    ready: std::vec::IntoIter<Object>,
    state: State,
    since: Option<DateTime<Utc>>,
    report: ListingReport,
}

/// The next objects, and the rest of the listing.
type Page = BoxFuture<'static, Result<(Vec<Object>, Option<Pages>), BucketError>>;

enum State {
    Idle(Pages),
    Fetching(Page),
    Ended,
}

/// What is reported at the end of the listing, and to whom.
struct ListingReport {
    traced: Option<(Poke, StoredLookup)>,
    lookup_report: Option<LookupReport>,
    fingerprint: Fingerprint,
    objects: usize,
    bytes: u64,
}

impl Bucket {
    /// The objects whose keys begin with a prefix as a stream, for listings that are too long for memory: the same objects as
    /// [`list`](Self::list), page by page.
    ///
    /// A page is one request on `s3://`. On `file://` the folders are walked only as far as needed; the stream holds the names in
    /// the folders that the walk is inside of.
    ///
    /// Fails if the prefix is invalid; the stream fails like [`list`](Self::list), and then ends.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> std::result::Result<(), pipeline_runtime::BucketError> {
    /// use pipeline_runtime::Bucket;
    ///
    /// let bucket = Bucket::open("memory://docs-list-stream")?;
    /// bucket.put("raw/daily.csv", "x").await?;
    /// let mut listing = bucket.list_stream("raw/dai")?;
    /// assert_eq!(listing.try_next().await?.map(|object| object.key).as_deref(), Some("raw/daily.csv"));
    /// assert!(listing.try_next().await?.is_none());
    /// # Ok(())
    /// # }
    /// ```
    pub fn list_stream(&self, prefix: &str) -> Result<ObjectListing, BucketError> {
        Ok(ObjectListing::new(self, Lookup::Keys(KeyFilter::Prefix(self.prefix(prefix)?))))
    }

    /// The objects whose keys match a glob pattern as a stream: the same objects as [`find`](Self::find), page by page. A pattern
    /// without a wildcard yields the object of that key, if it exists.
    ///
    /// Fails like [`list_stream`](Self::list_stream).
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> std::result::Result<(), pipeline_runtime::BucketError> {
    /// use pipeline_runtime::Bucket;
    ///
    /// let bucket = Bucket::open("memory://docs-find-stream")?;
    /// bucket.put("raw/eu/a.csv", "x").await?;
    /// bucket.put("raw/us/a.csv", "x,y").await?;
    /// let (mut listing, mut large) = (bucket.find_stream("raw/*.csv")?, None);
    /// while let Some(object) = listing.try_next().await? {
    ///     if object.size > 1 {
    ///         large = Some(object.key);
    ///         break;
    ///     }
    /// }
    /// assert_eq!(large.as_deref(), Some("raw/us/a.csv"));
    /// # Ok(())
    /// # }
    /// ```
    pub fn find_stream(&self, glob: &str) -> Result<ObjectListing, BucketError> {
        Ok(ObjectListing::new(self, self.lookup_of(glob)?))
    }
}

impl ObjectListing {
    fn new(bucket: &Bucket, lookup: Lookup) -> Self {
        let poke = Poke::current();
        let doing = lookup.doing(bucket);
        let traced = poke.clone().filter(|_| bucket.store().is_watched()).map(|poke| (poke, lookup.to_stored()));
        let lookup_report = LookupReport::of_last_poke(|| format!("{}/{lookup}", bucket.name()));
        let report = ListingReport { traced, lookup_report, fingerprint: Fingerprint::default(), objects: 0, bytes: 0 };
        let state = State::Idle(bucket.store().pages(lookup, poke));
        Self { bucket: bucket.clone(), doing, ready: Vec::new().into_iter(), state, since: None, report }
    }

    /// Only the objects that were written at or after `since`, by this machine's clock: the same as [`Bucket::modified_since`],
    /// with the same remarks on clocks.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> std::result::Result<(), pipeline_runtime::BucketError> {
    /// use pipeline_runtime::Bucket;
    ///
    /// let bucket = Bucket::open("memory://docs-listing-since")?;
    /// let first = bucket.put("raw/a.csv", "x").await?;
    /// let mut new = bucket.list_stream("raw/")?.modified_since(first.last_modified);
    /// assert_eq!(new.try_next().await?, Some(first));
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn modified_since(self, since: DateTime<Utc>) -> Self {
        Self { since: Some(since), ..self }
    }

    /// The next object; `None` at the end, and after an error.
    ///
    /// Fails if the bucket does not exist, or if the store fails after the retries of its settings. Dropping the future loses
    /// nothing.
    pub async fn try_next(&mut self) -> Result<Option<Object>, BucketError> {
        self.next().await.transpose()
    }

    /// All remaining objects.
    pub(super) async fn all(mut self) -> Result<Vec<Object>, BucketError> {
        let mut all = Vec::new();
        while let Some(object) = self.try_next().await? {
            all.push(object);
        }
        Ok(all)
    }

    /// Takes a page that arrived, without the objects that are too old.
    fn take(&mut self, mut page: Vec<Object>) {
        for object in &page {
            self.report.add(object);
        }
        if let Some(since) = self.since {
            // Not earlier: on `s3://` the answer shows how far the store's clock is off.
            let since = self.bucket.store().earliest(since);
            page.retain(|object| object.last_modified >= since);
        }
        self.ready = page.into_iter();
    }
}

impl ListingReport {
    fn add(&mut self, object: &Object) {
        self.fingerprint.add(object);
        self.objects += 1;
        self.bytes += object.size;
    }

    fn send(&mut self, bucket: &Bucket) {
        if let Some(report) = self.lookup_report.take() {
            report.found(self.objects, self.bytes);
        }
        if let Some((poke, lookup)) = self.traced.take() {
            trace::record(&poke, bucket, lookup, std::mem::take(&mut self.fingerprint));
        }
    }
}

impl Stream for ObjectListing {
    type Item = Result<Object, BucketError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let listing = &mut *self;
        loop {
            if let Some(object) = listing.ready.next() {
                return Poll::Ready(Some(Ok(object)));
            }
            match std::mem::replace(&mut listing.state, State::Ended) {
                State::Ended => return Poll::Ready(None),
                State::Idle(pages) => {
                    listing.state = State::Fetching(fetch(listing.bucket.clone(), listing.doing.clone(), pages));
                }
                State::Fetching(mut fetching) => match fetching.as_mut().poll(cx) {
                    Poll::Pending => {
                        listing.state = State::Fetching(fetching);
                        return Poll::Pending;
                    }
                    Poll::Ready(Err(error)) => return Poll::Ready(Some(Err(error))),
                    Poll::Ready(Ok((page, pages))) => {
                        listing.take(page);
                        match pages {
                            Some(pages) => listing.state = State::Idle(pages),
                            None => listing.report.send(&listing.bucket),
                        }
                    }
                },
            }
        }
    }
}

fn fetch(bucket: Bucket, doing: String, pages: Pages) -> Page {
    Box::pin(async move {
        let io = |store: super::store::Store, timestamper: super::world::Timestamper| async move {
            let (mut page, pages) = store.page(pages).await?;
            timestamper.read(&store, &mut page);
            Ok((page, pages))
        };
        let (page, pages) = bucket.run(&doing, io).await?;
        Ok((page.into_iter().map(|meta| Object::of(bucket.name(), meta)).collect(), pages))
    })
}

impl fmt::Debug for ObjectListing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ObjectListing").field("doing", &self.doing).finish_non_exhaustive()
    }
}
