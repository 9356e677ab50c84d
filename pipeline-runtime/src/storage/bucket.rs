//! [`Bucket`]: the operations users call.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::future::BoxFuture;

use super::bucket_cache;
use super::error::{BucketError, Failure};
use super::key::{self, Key};
use super::lookup::Lookup;
use super::meta::Meta;
use super::object::Object;
use super::store::{Condition, Store};
use super::url::Location;
use super::world::{Timestamper, World};

/// A collection of objects, opened by its URL: a folder, a mock in memory, a bucket on S3.
///
/// A clone is one pointer to the same bucket. Operations must run inside a tokio runtime, as every task does.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> std::result::Result<(), pipeline_runtime::BucketError> {
/// use pipeline_runtime::Bucket;
///
/// let bucket = Bucket::open("memory://docs-bucket")?;
/// bucket.put("raw/a.json", "{}").await?;
/// bucket.rename("raw/a.json", "archive/a.json").await?;
/// assert!(bucket.head("raw/a.json").await?.is_none());
/// assert_eq!(bucket.find("archive/*.json").await?.len(), 1);
/// # Ok(())
/// # }
/// ```
///
/// # URLs
///
/// - `memory://name`, also written `memory:///name`: there is one such bucket per process, or per simulation, and it exists as
///   soon as it is opened.
/// - `file:///srv/data/name`: a folder, which has to exist. The path is used as it is, without percent-encoding. A relative path
///   is written `file://./name` or `file://../name` and is resolved when the bucket is opened.
/// - `s3://name`, also written `s3:///name`: a bucket on S3, or on a store with the same API; see below.
/// - `gs://name`: a bucket on Google Cloud Storage. `az://name`: a container on Azure Blob Storage. See
///   [below](#google-cloud-storage-and-azure).
///
/// # Keys
///
/// A key is up to 1024 bytes of UTF-8, without control characters, `//`, a `/` at either end, or a `.` or `..` segment. Every
/// operation refuses an invalid key on every store, before anything is read or written. Writing to a key replaces its object,
/// unless the operation's name says otherwise; readers see either the old object or the new one, whole.
///
/// # S3
///
/// `s3://` needs the feature `s3`. The URL's query sets what the environment does not, or overrides it:
/// `s3://exports?endpoint=http://127.0.0.1:9000&region=eu-west-1`.
///
/// | in the URL | otherwise | otherwise |
/// |---|---|---|
/// | `access_key_id`, `secret_access_key`, `session_token` | `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`, `AWS_SESSION_TOKEN`; the profile | a web identity, a container's role, an EC2 instance's role |
/// | `region` | `AWS_REGION`, `AWS_DEFAULT_REGION`; the profile | `us-east-1` |
/// | `endpoint` | `AWS_ENDPOINT_URL_S3`, `AWS_ENDPOINT_URL`; the profile | AWS |
/// | `profile`, in `~/.aws/config` and `~/.aws/credentials`; it then precedes the environment | `AWS_PROFILE` | `default` |
/// | `path_style`: `true` or `false` | | `true` with an endpoint or a dot in the name |
/// | `timeout`: of a lookup of a key, or of one page of a listing, with all retries; and of a transfer that makes no progress | | `20s` |
/// | `retries` of a request, at growing intervals within the timeout | | `3` |
/// | `part_size`: of the first parts of an upload, `5MiB` to `5GiB`, which are held in memory; a smaller object is one request | | `8MiB` |
/// | `checksum`: `sha256` to send one with each write, for stores that do not check that all of it arrived | | none |
/// | `conditions`: `none` if the store's conditions cannot be relied upon | | they are relied upon |
///
/// Keys are read from a profile; a profile that gets them through a role, SSO or a program is refused. Values are
/// percent-encoded. A secret in a URL never appears in text: not in [`url`](Self::url), nor in an error, a log or a `Debug`.
///
/// - A request is retried after a 5xx, a 429, a timeout or a broken connection. Reading resumes where a connection broke, if the
///   object is still the same. If the answer to a conditional write, or to a write in parts, was lost, the object is looked up by
///   a mark in its metadata (`x-amz-meta-pipeline-write`). The write is therefore neither done twice nor reported as failed after
///   it was done; a write that was not done is sent again. If another writer has replaced the key since, the outcome is unknown:
///   that is an error of kind `Network`, not a conflict.
/// - Before its first conditional write, a store other than AWS is checked for support of conditions: by a write that it has to
///   refuse, to a random key `.pipeline-probe-…` beside the one to be written, once per bucket and process (one request), and
///   once more before the first conditional upload in parts (four). An unsupported condition is refused with
///   [`Unsupported`](super::BucketErrorKind::Unsupported), never weakened. If only uploads in parts lack conditions, a larger
///   `part_size` writes smaller objects in one request. With `conditions=none` a conditional write is a lookup followed by a
///   plain write: a writer in between is not noticed. The store is not checked then. `docs/storage.md` lists which stores support
///   what.
/// - A lookup of a key is one request, or two if the bucket has not been seen yet. A listing requests the longest literal prefix,
///   1,000 keys a request; [`find_first`](Self::find_first) stops at the page with the first match. So of a million keys under
///   `events/`, `find_first("events/*")` is one request, `find_first("events/0999*.csv")` is one, and a match on the last page,
///   or no match, is a thousand. [`list_stream`](Self::list_stream) requests each page as it is read. The sensors'
///   [figures](crate::sensors#what-a-poke-costs-on-s3) follow from that.
/// - Let a lifecycle rule abort incomplete multipart uploads: a process that is killed cannot.
/// - Names in the store that are not valid keys, such as `a//b` and `/a`, are counted, and reported in the log with one of them
///   as an example.
///
/// # Google Cloud Storage and Azure
///
/// `gs://` needs the feature `gcp`, `az://` the feature `azure`. What is described above of timeouts, retries, marks, conditions
/// and listings holds for them as well, as do `timeout`, `retries`, `part_size` and `conditions` in the URL. Their secrets come
/// only from the environment.
///
/// | | in the URL | otherwise | otherwise |
/// |---|---|---|---|
/// | `gs://` | `credentials`: a file with a service account's key, or as `gcloud` writes it | `GOOGLE_SERVICE_ACCOUNT` (a file), `GOOGLE_SERVICE_ACCOUNT_KEY`, `GOOGLE_BEARER_TOKEN`, `GOOGLE_APPLICATION_CREDENTIALS` (a file) | what `gcloud` stores, a machine's service account; none if the endpoint is `http://` |
/// | | `endpoint` | `GOOGLE_BASE_URL` | Google |
/// | `az://` | `account` | `AZURE_STORAGE_ACCOUNT_NAME` | |
/// | | | `AZURE_STORAGE_ACCOUNT_KEY`, `AZURE_STORAGE_SAS_TOKEN`; `AZURE_TENANT_ID`, `AZURE_CLIENT_ID` and `AZURE_CLIENT_SECRET` or `AZURE_FEDERATED_TOKEN_FILE` | `az` with `AZURE_USE_AZURE_CLI=true`, a machine's identity |
/// | | `endpoint` | `AZURE_STORAGE_ENDPOINT` | `https://ACCOUNT.blob.core.windows.net` |
///
/// - On `gs://` an [etag](Object::etag) is the object's generation, because Google accepts conditions only on generations. By
///   Google's documentation an upload in parts supports no conditions, so a conditional one is refused unless the store turns out
///   to support it; a large enough `part_size` makes it one request.
/// - On `az://` a copy goes through this process, because the store's own copy may still be running when it answers. If two
///   streams write one key at once, the second to end fails with
///   [`PreconditionFailed`](super::BucketErrorKind::PreconditionFailed), even without a condition: the end of the first drops its
///   parts.
/// - Neither store copies the bytes that [`append_stream`](Self::append_stream) keeps: they pass through this process.
///
/// # Where stores differ
///
/// One test suite runs over all of them; what is not listed here is alike.
///
/// | | `memory://` | `file://` | `s3://`, and `gs://` and `az://` unless noted |
/// |---|---|---|---|
/// | `a` and `a/b` side by side | yes | no: a name is either a file or a folder | yes |
/// | a segment of a key | 1024 bytes | what the file system allows, usually 255 | 1024 bytes |
/// | names that end in `#` and digits | keys | names of unfinished files: not listed, refused as keys | keys |
/// | names in the store that are not valid keys | none | not listed, and logged | not listed, and logged; empty folders, `a/`, are not logged |
/// | a rename | one step | one step | a copy and a deletion |
/// | a copy | at once | a copy of the bytes | by the store, up to 5 GiB on AWS; to its own key no change. `copy_if_absent`: through this process, in parts |
/// | a conditional write excludes | all writers | writers that use this library, in other processes too, by a hidden lock file in the key's folder | all writers |
/// | etags | of each write | of each write | of the contents: the same bytes have the same etag; on `gs://` and `az://` of each write |
/// | `last_modified` | to the nanosecond | as precise as the file system; a renamed file of another user keeps its time | to the second |
/// | a reader of an object that is replaced | reads on | reads on | reads on; fails if its connection breaks |
/// | durability | none | flushed to the disk | the store's |
///
/// On `file://` the folder may be a symbolic link, which each operation resolves again: once the link changes, the next operation
/// uses the new folder, and an operation that has started ends in the folder where it began. A stream of `put_stream` is one
/// operation.
///
/// A process that is killed while it writes leaves a file named `KEY#1`. A write to the same folder removes such files if they
/// have not been written to for an hour and no process holds a lock on them; a process checks a folder at most once an hour.
/// [`gc`](Self::gc) checks all folders. `put_if_absent` needs no hard links: on a file system without them, it excludes only
/// writers that use this library.
///
/// Within a bucket on `file://` symbolic links are followed for reading, in a listing at most 100 to one folder. Writing,
/// renaming and deleting refuse a folder to which a link leads out of the bucket, and replace or remove a linked file instead of
/// its target. A relative link that is renamed keeps its target.
///
/// A file that replaces another takes over its mode, and its owner and group if the process may set them. Pipes, sockets and
/// devices are left as they are.
#[derive(Clone)]
pub struct Bucket(Arc<Inner>);

struct Inner {
    url: String,
    store: Store,
    world: World,
}

impl Bucket {
    /// Opens a bucket. This only parses the URL; a missing bucket is reported by the first operation. Within a pipeline function,
    /// opening the same URL again returns the same bucket, so opening it for each of many sensors costs no more than a clone.
    ///
    /// Fails with [`InvalidUrl`](super::BucketErrorKind::InvalidUrl) if the URL is invalid or its scheme is unknown.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> std::result::Result<(), pipeline_runtime::BucketError> {
    /// use pipeline_runtime::{Bucket, BucketErrorKind};
    ///
    /// let missing = Bucket::open("file:///no/such/folder")?;
    /// let error = missing.head("raw/a.json").await.unwrap_err();
    /// assert_eq!(error.kind(), BucketErrorKind::NoSuchBucket);
    /// # Ok(())
    /// # }
    /// ```
    pub fn open(url: &str) -> Result<Self, BucketError> {
        bucket_cache::open_once(url, |world| Ok(Self::at(&Location::parse(url)?, world)))
    }

    pub(super) fn store(&self) -> &Store {
        &self.0.store
    }

    pub(super) fn world(&self) -> &World {
        &self.0.world
    }

    pub(super) fn at(location: &Location, world: World) -> Self {
        Self(Arc::new(Inner { url: location.url(), store: world.store(location), world }))
    }

    /// The last segment of the URL; also the value of [`Object::bucket`].
    ///
    /// ```
    /// # fn main() -> std::result::Result<(), pipeline_runtime::BucketError> {
    /// use pipeline_runtime::Bucket;
    ///
    /// assert_eq!(Bucket::open("file:///srv/mock/data-bucket")?.name(), "data-bucket");
    /// # Ok(())
    /// # }
    /// ```
    pub fn name(&self) -> &str {
        self.url().rsplit('/').next().unwrap_or_default()
    }

    /// The URL, in its normal form.
    ///
    /// ```
    /// # fn main() -> std::result::Result<(), pipeline_runtime::BucketError> {
    /// use pipeline_runtime::Bucket;
    ///
    /// assert_eq!(Bucket::open("memory:///data-bucket/")?.url(), "memory://data-bucket");
    /// # Ok(())
    /// # }
    /// ```
    pub fn url(&self) -> &str {
        &self.0.url
    }

    /// The object's contents.
    ///
    /// Fails with [`NoSuchKey`](super::BucketErrorKind::NoSuchKey) if there is no such object, and if the bucket does not exist
    /// or the key is invalid.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> std::result::Result<(), pipeline_runtime::BucketError> {
    /// use pipeline_runtime::Bucket;
    ///
    /// let bucket = Bucket::open("memory://docs-get")?;
    /// bucket.put("raw/a.csv", "1,2").await?;
    /// assert_eq!(bucket.get("raw/a.csv").await?, "1,2");
    /// # Ok(())
    /// # }
    /// ```
    pub async fn get(&self, key: &str) -> Result<Bytes, BucketError> {
        let key = self.key(key)?;
        let doing = self.doing("read", &key);
        self.run(&doing, |store, _| async move { store.get(&key).await }).await
    }

    /// Writes an object, replacing an existing one.
    ///
    /// Fails if the bucket does not exist, the key is invalid, or the store refuses; nothing is half written then.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> std::result::Result<(), pipeline_runtime::BucketError> {
    /// use pipeline_runtime::Bucket;
    ///
    /// let bucket = Bucket::open("memory://docs-put")?;
    /// let object = bucket.put("processed/a.json", vec![0; 16]).await?;
    /// assert_eq!(object.size, 16);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn put(&self, key: &str, body: impl Into<Bytes>) -> Result<Object, BucketError> {
        self.put_on(key, body.into(), Condition::Always).await
    }

    /// Writes an object if the key is free: of any number of writers at once, exactly one succeeds.
    ///
    /// Fails with [`AlreadyExists`](super::BucketErrorKind::AlreadyExists) if it is taken, and like [`put`](Self::put).
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> std::result::Result<(), pipeline_runtime::BucketError> {
    /// use pipeline_runtime::Bucket;
    ///
    /// let bucket = Bucket::open("memory://docs-absent")?;
    /// bucket.put_if_absent("done/2024-03-25", "").await?;
    /// assert!(bucket.put_if_absent("done/2024-03-25", "").await.is_err());
    /// # Ok(())
    /// # }
    /// ```
    pub async fn put_if_absent(&self, key: &str, body: impl Into<Bytes>) -> Result<Object, BucketError> {
        self.put_on(key, body.into(), Condition::Absent).await
    }

    /// Replaces an object if it still has the etag that was read, so that no concurrent change is lost.
    ///
    /// Fails with [`PreconditionFailed`](super::BucketErrorKind::PreconditionFailed) if it changed or is gone, and like
    /// [`put`](Self::put).
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> std::result::Result<(), pipeline_runtime::BucketError> {
    /// use pipeline_runtime::Bucket;
    ///
    /// let bucket = Bucket::open("memory://docs-match")?;
    /// let etag = bucket.put("total", "1").await?.etag.unwrap_or_default();
    /// bucket.put_if_match("total", "2", &etag).await?;
    /// assert!(bucket.put_if_match("total", "3", &etag).await.is_err());
    /// # Ok(())
    /// # }
    /// ```
    pub async fn put_if_match(&self, key: &str, body: impl Into<Bytes>, etag: &str) -> Result<Object, BucketError> {
        self.put_on(key, body.into(), Condition::Match(etag.to_owned())).await
    }

    /// Copies an object to another key, replacing an existing one. The copy has the time of the copying, like any other write.
    ///
    /// Fails with [`NoSuchKey`](super::BucketErrorKind::NoSuchKey) if `from` is not there, and like [`put`](Self::put).
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> std::result::Result<(), pipeline_runtime::BucketError> {
    /// use pipeline_runtime::Bucket;
    ///
    /// let bucket = Bucket::open("memory://docs-copy")?;
    /// bucket.put("raw/a.csv", "x").await?;
    /// assert_eq!(bucket.copy("raw/a.csv", "archive/a.csv").await?.key, "archive/a.csv");
    /// # Ok(())
    /// # }
    /// ```
    pub async fn copy(&self, from: &str, to: &str) -> Result<Object, BucketError> {
        self.copy_on(from, to, Condition::Always).await
    }

    /// Copies an object to another key if that is free: of any number of writers at once, exactly one succeeds.
    ///
    /// Fails with [`AlreadyExists`](super::BucketErrorKind::AlreadyExists) if it is taken, and like [`copy`](Self::copy).
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> std::result::Result<(), pipeline_runtime::BucketError> {
    /// use pipeline_runtime::Bucket;
    ///
    /// let bucket = Bucket::open("memory://docs-copy-absent")?;
    /// bucket.put("raw/a.csv", "x").await?;
    /// bucket.copy_if_absent("raw/a.csv", "archive/a.csv").await?;
    /// assert!(bucket.copy_if_absent("raw/a.csv", "archive/a.csv").await.is_err());
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "copy_if_not_exists")]
    pub async fn copy_if_absent(&self, from: &str, to: &str) -> Result<Object, BucketError> {
        self.copy_on(from, to, Condition::Absent).await
    }

    /// Moves an object to another key, replacing an existing one. Moving it to its own key changes nothing.
    ///
    /// Fails with [`NoSuchKey`](super::BucketErrorKind::NoSuchKey) if `from` is not there, and like [`put`](Self::put).
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> std::result::Result<(), pipeline_runtime::BucketError> {
    /// use pipeline_runtime::Bucket;
    ///
    /// let bucket = Bucket::open("memory://docs-rename")?;
    /// bucket.put("raw/a.csv", "x").await?;
    /// bucket.rename("raw/a.csv", "archive/a.csv").await?;
    /// assert!(bucket.head("raw/a.csv").await?.is_none());
    /// # Ok(())
    /// # }
    /// ```
    pub async fn rename(&self, from: &str, to: &str) -> Result<Object, BucketError> {
        let (from, to) = (self.key(from)?, self.key(to)?);
        let doing = format!("rename `{from}` to `{to}` in `{}`", self.url());
        if from == to {
            let object = self.look_up(Lookup::Key(from)).await?.pop();
            return object.ok_or_else(|| Failure::no_such_key().at(&doing));
        }
        self.write(&doing, |store| async move { store.rename(&from, &to).await }).await
    }

    /// Deletes an object. A missing key is not an error, as on S3.
    ///
    /// Fails if the bucket does not exist, the key is invalid, or the store refuses.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> std::result::Result<(), pipeline_runtime::BucketError> {
    /// use pipeline_runtime::Bucket;
    ///
    /// let bucket = Bucket::open("memory://docs-delete")?;
    /// bucket.delete("raw/a.csv").await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn delete(&self, key: &str) -> Result<(), BucketError> {
        let key = self.key(key)?;
        let doing = self.doing("delete", &key);
        self.run(&doing, |store, _| async move { store.delete(&key).await }).await
    }

    /// Removes the unfinished files of killed processes from all folders of a bucket on `file://`: files `KEY#1` that have not
    /// been written to for an hour and on which no process holds a lock. A write does this in its own folder; `gc` is for folders
    /// that are no longer written to. Returns the number of removed files.
    ///
    /// On the other stores there is nothing to remove: on `s3://` the bucket's lifecycle rule removes incomplete multipart
    /// uploads.
    ///
    /// Fails if the bucket does not exist, or one of its folders may not be read.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> std::result::Result<(), Box<dyn std::error::Error>> {
    /// use pipeline_runtime::Bucket;
    ///
    /// let folder = tempfile::tempdir()?;
    /// let bucket = Bucket::open(&format!("file://{}", folder.path().display()))?;
    /// bucket.put("raw/a.csv", "x").await?;
    /// assert_eq!(bucket.gc().await?, 0);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn gc(&self) -> Result<usize, BucketError> {
        self.run(&format!("remove leftovers from `{}`", self.url()), |store, _| async move { store.collect().await }).await
    }

    /// Writes an object without any simulated faults, and creates the bucket if it does not exist: see [`World::put_now`].
    pub(super) async fn arrive(&self, key: &str, body: Bytes) -> Result<Object, BucketError> {
        let key = self.key(key)?;
        let doing = self.doing("write", &key);
        let io = |store: Store| async move {
            store.create().await?;
            store.put(&key, body, Condition::Always).await
        };
        let meta = self.perform(stamped(io)).await.map_err(|failure| failure.at(&doing))?;
        Ok(Object::of(self.name(), meta))
    }

    async fn put_on(&self, key: &str, body: Bytes, condition: Condition) -> Result<Object, BucketError> {
        let key = self.key(key)?;
        let doing = self.doing("write", &key);
        self.write(&doing, |store| async move { store.put(&key, body, condition).await }).await
    }

    async fn copy_on(&self, from: &str, to: &str, condition: Condition) -> Result<Object, BucketError> {
        let (from, to) = (self.key(from)?, self.key(to)?);
        let doing = format!("copy `{from}` to `{to}` in `{}`", self.url());
        self.write(&doing, |store| async move { store.copy(&from, &to, condition).await }).await
    }

    /// Every operation that creates an object passes through here.
    async fn write<Io>(&self, doing: &str, io: impl FnOnce(Store) -> Io) -> Result<Object, BucketError>
    where
        Io: Future<Output = Result<Meta, Failure>> + Send + 'static,
    {
        Ok(Object::of(self.name(), self.run(doing, stamped(io)).await?))
    }

    pub(super) async fn run<T, Io>(&self, doing: &str, io: impl FnOnce(Store, Timestamper) -> Io) -> Result<T, BucketError>
    where
        T: Send + 'static,
        Io: Future<Output = Result<T, Failure>> + Send + 'static,
    {
        // In memory an operation never waits; a loop of them must still yield to other tasks.
        tokio::task::consume_budget().await;
        let done = async {
            self.0.world.faults(self.url()).await?;
            self.perform(io).await
        };
        done.await.map_err(|failure| failure.at(doing))
    }

    pub(super) async fn perform<T, Io>(&self, io: impl FnOnce(Store, Timestamper) -> Io) -> Result<T, Failure>
    where
        T: Send + 'static,
        Io: Future<Output = Result<T, Failure>> + Send + 'static,
    {
        let store = self.0.store.clone();
        self.0.world.perform(store.is_immediate(), |timestamper| io(store, timestamper)).await
    }

    pub(super) fn key(&self, key: &str) -> Result<Key, BucketError> {
        key::parse(key).map_err(|reason| BucketError::invalid_key(self.url(), "key", key, reason))
    }

    pub(super) fn doing(&self, verb: &str, key: &Key) -> String {
        format!("{verb} `{key}` in `{}`", self.url())
    }
}

/// Lets the world replace the time of the written object with its own.
pub(super) fn stamped<Io>(
    io: impl FnOnce(Store) -> Io,
) -> impl FnOnce(Store, Timestamper) -> BoxFuture<'static, Result<Meta, Failure>>
where
    Io: Future<Output = Result<Meta, Failure>> + Send + 'static,
{
    |store, timestamper| {
        let io = io(store.clone());
        Box::pin(async move {
            let mut meta = io.await?;
            timestamper.written(&store, &mut meta);
            Ok(meta)
        })
    }
}

impl fmt::Display for Bucket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.url())
    }
}

impl fmt::Debug for Bucket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Bucket({:?})", self.url())
    }
}
