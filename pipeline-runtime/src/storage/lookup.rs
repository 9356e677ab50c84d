//! Lookups in a bucket: of one key, of the first match, and listings that are held as a whole. `listing` has those that are
//! streamed.

use std::fmt;

use chrono::{DateTime, Utc};

use super::bucket::Bucket;
use super::error::BucketError;
use super::key::{Key, Prefix};
use super::lookup_report::LookupReport;
use super::object::Object;
use super::pattern::Pattern;
use super::store::KeyFilter;
use super::trace::{self, Fingerprint, StoredLookup};
use super::watch::Poke;

/// What a poke may look for: one key, all wanted keys, or the first of them.
pub(super) enum Lookup {
    Key(Key),
    Keys(KeyFilter),
    First(KeyFilter),
}

impl Lookup {
    /// Completes the sentence "could not …".
    pub(super) fn doing(&self, bucket: &Bucket) -> String {
        match self {
            Self::Key(key) => bucket.doing("look for", key),
            Self::Keys(filter) | Self::First(filter) => {
                format!("list `{}` in `{}`", filter.prefix().as_str(), bucket.url())
            }
        }
    }

    /// The form in which it is recorded in a trace.
    pub(super) fn to_stored(&self) -> StoredLookup {
        match self {
            Self::Key(key) => StoredLookup::Key(key.to_string()),
            Self::Keys(KeyFilter::Prefix(prefix)) => StoredLookup::Prefix(prefix.as_str().to_owned()),
            Self::Keys(KeyFilter::Pattern(pattern)) => StoredLookup::Glob(pattern.as_str().to_owned()),
            Self::First(KeyFilter::Prefix(prefix)) => StoredLookup::FirstWithPrefix(prefix.as_str().to_owned()),
            Self::First(KeyFilter::Pattern(pattern)) => StoredLookup::FirstOfGlob(pattern.as_str().to_owned()),
        }
    }

    /// The lookup that was recorded in a trace.
    pub(super) fn from_stored(bucket: &Bucket, stored: &StoredLookup) -> Result<Self, BucketError> {
        let prefix = |text: &str| Ok(KeyFilter::Prefix(bucket.prefix(text)?));
        let glob = |text: &str| Ok(KeyFilter::Pattern(bucket.pattern(text)?));
        Ok(match stored {
            StoredLookup::Key(key) => Self::Key(bucket.key(key)?),
            StoredLookup::Prefix(text) => Self::Keys(prefix(text)?),
            StoredLookup::Glob(text) => Self::Keys(glob(text)?),
            StoredLookup::FirstWithPrefix(text) => Self::First(prefix(text)?),
            StoredLookup::FirstOfGlob(text) => Self::First(glob(text)?),
        })
    }
}

impl fmt::Display for Lookup {
    /// The key, or a glob.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Key(key) => key.fmt(f),
            Self::Keys(KeyFilter::Prefix(prefix)) | Self::First(KeyFilter::Prefix(prefix)) => write!(f, "{}*", prefix.as_str()),
            Self::Keys(KeyFilter::Pattern(pattern)) | Self::First(KeyFilter::Pattern(pattern)) => f.write_str(pattern.as_str()),
        }
    }
}

impl Bucket {
    /// The object at the key, or `None`. `None` means "no such key" and nothing else, so a sensor can treat it as "not yet".
    ///
    /// Fails if the bucket does not exist or the key is invalid.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> std::result::Result<(), pipeline_runtime::BucketError> {
    /// use pipeline_runtime::Bucket;
    ///
    /// let bucket = Bucket::open("memory://docs-head")?;
    /// assert!(bucket.head("raw/a.json").await?.is_none());
    /// # Ok(())
    /// # }
    /// ```
    pub async fn head(&self, key: &str) -> Result<Option<Object>, BucketError> {
        let key = self.key(key)?;
        Ok(self.look_up(Lookup::Key(key)).await?.pop())
    }

    /// The objects whose keys match a glob pattern, sorted by key. `*` matches anything, `/` included, as in Airflow; `?` matches
    /// one character, `[a-z]` and `[!a-z]` one of a class. The literal part before the first wildcard limits the listing, so make
    /// it long.
    ///
    /// Fails if the bucket does not exist or the pattern is invalid.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> std::result::Result<(), pipeline_runtime::BucketError> {
    /// use pipeline_runtime::Bucket;
    ///
    /// let bucket = Bucket::open("memory://docs-find")?;
    /// bucket.put("raw/eu/2024-03-25.csv", "x").await?;
    /// assert_eq!(bucket.find("raw/*/2024-03-*.csv").await?.len(), 1);
    /// assert_eq!(bucket.find("raw/*.csv").await?.len(), 1);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn find(&self, glob: &str) -> Result<Vec<Object>, BucketError> {
        let lookup = self.lookup_of(glob)?;
        self.look_up(lookup).await
    }

    /// The first by key of the objects whose keys match a glob pattern, for waiting for any of them: on `s3://` it requests no
    /// more of a long listing than it needs. There it is the first of the first page with a match, which is the first of all
    /// unless the store lists in another order than that of bytes, as SeaweedFS does.
    ///
    /// Fails like [`find`](Self::find).
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> std::result::Result<(), pipeline_runtime::BucketError> {
    /// use pipeline_runtime::Bucket;
    ///
    /// let bucket = Bucket::open("memory://docs-find-first")?;
    /// bucket.put("raw/2.csv", "x").await?;
    /// bucket.put("raw/1.csv", "x").await?;
    /// assert_eq!(bucket.find_first("raw/*.csv").await?.map(|object| object.key).as_deref(), Some("raw/1.csv"));
    /// # Ok(())
    /// # }
    /// ```
    pub async fn find_first(&self, glob: &str) -> Result<Option<Object>, BucketError> {
        let lookup = match self.lookup_of(glob)? {
            Lookup::Keys(filter) => Lookup::First(filter),
            lookup => lookup,
        };
        Ok(self.look_up(lookup).await?.into_iter().next())
    }

    /// The objects whose keys begin with a prefix, byte for byte, sorted by key: `raw/dai` finds `raw/daily/a.csv`. The empty
    /// prefix is the whole bucket.
    ///
    /// Fails if the bucket does not exist or the prefix is invalid.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> std::result::Result<(), pipeline_runtime::BucketError> {
    /// use pipeline_runtime::Bucket;
    ///
    /// let bucket = Bucket::open("memory://docs-list")?;
    /// bucket.put("raw/daily.csv", "x").await?;
    /// assert_eq!(bucket.list("raw/dai").await?[0].key, "raw/daily.csv");
    /// # Ok(())
    /// # }
    /// ```
    pub async fn list(&self, prefix: &str) -> Result<Vec<Object>, BucketError> {
        self.look_up(Lookup::Keys(KeyFilter::Prefix(self.prefix(prefix)?))).await
    }

    /// The folders directly under a prefix, each with its `/`, sorted: the keys that `list` would find, up to the next `/`.
    /// Airflow's `list_prefixes`.
    ///
    /// It requests only the names of the folders, not every object. On `file://` an empty folder is included, too.
    /// Fails like [`list`](Self::list).
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> std::result::Result<(), pipeline_runtime::BucketError> {
    /// use pipeline_runtime::Bucket;
    ///
    /// let bucket = Bucket::open("memory://docs-prefixes")?;
    /// for key in ["source/orders/2021-09-01/a.csv", "source/orders/2021-09-02/b.csv", "source/sign_ups/2021-09-01/c.csv", "source/README"] {
    ///     bucket.put(key, "x").await?;
    /// }
    /// assert_eq!(bucket.list_prefixes("source/").await?, ["source/orders/", "source/sign_ups/"]);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn list_prefixes(&self, prefix: &str) -> Result<Vec<String>, BucketError> {
        let prefix = self.prefix(prefix)?;
        let doing = format!("list the folders of `{}` in `{}`", prefix.as_str(), self.url());
        let folders = self.run(&doing, |store, _| async move { store.folders(prefix).await }).await?;
        Ok(folders.into_iter().map(|folder| format!("{folder}/")).collect())
    }

    /// The objects with a prefix that were written at or after `since`, sorted by key. `since` is by this machine's clock.
    ///
    /// On `s3://` objects have times of the store's clock, usually in whole seconds. Objects written at `since` or later are
    /// found all the same: the whole second of `since` is included, and so is the time that the store's clock may be behind,
    /// which its answers show to a second or two (a difference of more than 2 s is logged once). So an object from shortly before
    /// may be included, and repeated calls may return an object twice: tell objects apart by their [etags](Object::etag).
    ///
    /// On AWS the time of an upload in parts is that of its beginning, although it becomes visible at its end. If you continue
    /// from the end of the last call, go back by as much as an upload may take.
    ///
    /// Fails like [`list`](Self::list).
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> std::result::Result<(), pipeline_runtime::BucketError> {
    /// use pipeline_runtime::Bucket;
    ///
    /// let bucket = Bucket::open("memory://docs-modified")?;
    /// let first = bucket.put("raw/a.csv", "x").await?;
    /// assert_eq!(bucket.modified_since("raw/", first.last_modified).await?, [first]);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn modified_since(&self, prefix: &str, since: DateTime<Utc>) -> Result<Vec<Object>, BucketError> {
        // A stream, so that older objects are not held in memory.
        self.list_stream(prefix)?.modified_since(since).all().await
    }

    pub(super) fn lookup_of(&self, glob: &str) -> Result<Lookup, BucketError> {
        if !Pattern::is_one(glob) {
            return Ok(Lookup::Key(self.key(glob)?));
        }
        Ok(Lookup::Keys(KeyFilter::Pattern(self.pattern(glob)?)))
    }

    fn pattern(&self, glob: &str) -> Result<Pattern, BucketError> {
        Pattern::parse(glob).map_err(|reason| BucketError::invalid_key(self.url(), "pattern", glob, &reason))
    }

    /// Every lookup in the bucket passes through here, except the pages of a listing.
    pub(super) async fn look_up(&self, lookup: Lookup) -> Result<Vec<Object>, BucketError> {
        self.look_for(lookup, Poke::current()).await
    }

    /// Like [`look`](Self::look), on behalf of a poke.
    pub(super) async fn look_for(&self, lookup: Lookup, poke: Option<Poke>) -> Result<Vec<Object>, BucketError> {
        let doing = lookup.doing(self);
        let traced = poke.clone().filter(|_| self.store().is_watched()).map(|poke| (poke, lookup.to_stored()));
        let report = LookupReport::of_last_poke(|| format!("{}/{lookup}", self.name()));
        let metas = self
            .run(&doing, |store, timestamper| async move {
                let mut metas = match lookup {
                    Lookup::Key(key) => store.head(&key, poke).await?.into_iter().collect(),
                    Lookup::Keys(filter) => store.list(filter, poke).await?,
                    Lookup::First(filter) => store.first(filter, poke).await?.into_iter().collect(),
                };
                timestamper.read(&store, &mut metas);
                Ok(metas)
            })
            .await?;
        let objects: Vec<_> = metas.into_iter().map(|meta| Object::of(self.name(), meta)).collect();
        if let Some(report) = report {
            report.found(objects.len(), objects.iter().map(|object| object.size).sum());
        }
        if let Some((poke, lookup)) = traced {
            trace::record(&poke, self, lookup, Fingerprint::of(&objects));
        }
        Ok(objects)
    }

    pub(super) fn prefix(&self, prefix: &str) -> Result<Prefix, BucketError> {
        Prefix::parse(prefix).map_err(|reason| BucketError::invalid_key(self.url(), "prefix", prefix, reason))
    }
}
