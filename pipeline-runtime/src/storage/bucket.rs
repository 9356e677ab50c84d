//! [`Bucket`]: the operations users call.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::future::BoxFuture;

use super::error::{BucketError, Failure};
use super::key::{self, Key};
use super::look::Look;
use super::meta::Meta;
use super::object::Object;
use super::opened;
use super::store::{Condition, Store};
use super::url::Location;
use super::world::{Scribe, World};

/// A place with objects in it, by the URL it was opened with: a folder, a mock in memory, a bucket on S3.
///
/// A clone is one pointer to the same bucket. Operations run inside a tokio runtime, as every task does.
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
/// - `memory://name`, also written `memory:///name`: there is one such bucket in a process, or in a simulation, and it exists
///   as soon as it is opened.
/// - `file:///srv/data/name`: a folder, which has to exist. The path stands as it is, without percent-encoding. A relative one
///   is written `file://./name` or `file://../name` and is resolved when the bucket is opened.
/// - `s3://name`, also written `s3:///name`: a bucket on S3, or on what speaks its API; see below.
/// - `gs://name`: a bucket on Google Cloud Storage. `az://name`: a container on Azure Blob Storage. See [below](#google-cloud-storage-and-azure).
///
/// # Keys
///
/// A key is up to 1024 bytes of UTF-8, without control characters, `//`, a `/` at either end, or a `.` or `..` segment. What
/// is no key is refused, by every operation and on every store, before anything is read or written. Writing to a key replaces
/// what is there, unless the operation's name says otherwise; readers see the old object or the new one, whole.
///
/// # S3
///
/// `s3://` needs the feature `s3`. A URL says in its query what the environment does not, or what is to hold instead:
/// `s3://exports?endpoint=http://127.0.0.1:9000&region=eu-west-1`.
///
/// | in the URL | else | else |
/// |---|---|---|
/// | `access_key_id`, `secret_access_key`, `session_token` | `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`, `AWS_SESSION_TOKEN`; the profile | a web identity, a container's role, an EC2 instance's role |
/// | `region` | `AWS_REGION`, `AWS_DEFAULT_REGION`; the profile | `us-east-1` |
/// | `endpoint` | `AWS_ENDPOINT_URL_S3`, `AWS_ENDPOINT_URL`; the profile | AWS |
/// | `profile`, in `~/.aws/config` and `~/.aws/credentials`, and then before the environment | `AWS_PROFILE` | `default` |
/// | `path_style`: `true` or `false` | | `true` with an endpoint or a dot in the name |
/// | `timeout`: of a look at a key, or of one page of a listing, with all retries; and of a transfer that stands still | | `20s` |
/// | `retries` of a request, at growing intervals within the timeout | | `3` |
/// | `part_size`: of the first parts of an upload, `5MiB` to `5GiB`, which are held in memory; what is smaller is one request | | `8MiB` |
/// | `checksum`: `sha256` to send one with what is written, for stores that do not look whether all of it arrived | | none |
/// | `conditions`: `none` where the store's are not to be relied upon | | they are |
///
/// Of a profile the keys are read; one that gets them by a role, SSO or a program is refused. Values are percent-encoded. A
/// secret that was said in a URL is in no text: neither in [`url`](Self::url), nor in an error, a log or a `Debug`.
///
/// - An answer of 5xx or 429, a timeout and a broken connection are tried again. Reading goes on where a connection broke off, if the
///   object is still the same. A write on a condition, or in parts, whose answer was lost is looked up by a mark in its metadata
///   (`x-amz-meta-pipeline-write`), so that it neither is done twice nor fails for having been done; one that was not done is sent again.
///   Where somebody else has written the key since, nobody can tell: that is an error of kind `Network`, not a conflict.
/// - A store other than AWS is asked whether it keeps conditions before the first write on one: by a write that it has to refuse, to a random key
///   `.pipeline-probe-…` beside the one to be written, once for a bucket and a process (one request), and once more before the first upload in parts on a
///   condition (four). What it does not keep is refused with [`Unsupported`](super::BucketErrorKind::Unsupported), and never weakened. Where uploads in parts alone
///   have no conditions, a larger `part_size` writes what is smaller by one request. With `conditions=none` a write on a condition is a look, and then
///   a plain write: whoever writes between the two is not noticed. Nothing is asked then. `docs/storage.md` has which stores keep what.
/// - A look at a key is one request, two where the bucket was not seen yet. A listing asks for the longest literal prefix, 1,000 keys
///   a request; [`find_first`](Self::find_first) stops at the page with the first match. So of a million keys under `events/`,
///   `find_first("events/*")` is one request, `find_first("events/0999*.csv")` is one, and a match on the last page, or none, is a
///   thousand. [`list_stream`](Self::list_stream) asks for a page as it is read. The sensors' [figures](crate::sensors#what-a-poke-costs-on-s3) follow from that.
/// - Let a lifecycle rule abort incomplete multipart uploads: a process that is killed cannot.
/// - Names in the store that are no keys, such as `a//b` and `/a`, are counted, and said in the log with one of them as an example.
///
/// # Google Cloud Storage and Azure
///
/// `gs://` needs the feature `gcp`, `az://` the feature `azure`. What stands above of timeouts, retries, marks, conditions and listings holds for them as well, and so do
/// `timeout`, `retries`, `part_size` and `conditions` in the URL. Their secrets come from the environment alone.
///
/// | | in the URL | else | else |
/// |---|---|---|---|
/// | `gs://` | `credentials`: a file of a service account's key, or as `gcloud` writes it | `GOOGLE_SERVICE_ACCOUNT` (a file), `GOOGLE_SERVICE_ACCOUNT_KEY`, `GOOGLE_BEARER_TOKEN`, `GOOGLE_APPLICATION_CREDENTIALS` (a file) | what `gcloud` keeps, a machine's service account; none where the endpoint is `http://` |
/// | | `endpoint` | `GOOGLE_BASE_URL` | Google |
/// | `az://` | `account` | `AZURE_STORAGE_ACCOUNT_NAME` | |
/// | | | `AZURE_STORAGE_ACCOUNT_KEY`, `AZURE_STORAGE_SAS_TOKEN`; `AZURE_TENANT_ID`, `AZURE_CLIENT_ID` and `AZURE_CLIENT_SECRET` or `AZURE_FEDERATED_TOKEN_FILE` | `az` with `AZURE_USE_AZURE_CLI=true`, a machine's identity |
/// | | `endpoint` | `AZURE_STORAGE_ENDPOINT` | `https://ACCOUNT.blob.core.windows.net` |
///
/// - On `gs://` an [etag](Object::etag) is the object's generation, as Google takes a condition on that alone. An upload in parts has no conditions there by Google's
///   documentation, and is refused one unless the store turns out to keep it: `part_size` makes it one request.
/// - On `az://` a copy goes through this process, as the store's own may not be done when it answers. Of two streams to one key at once the second to end fails
///   with [`PreconditionFailed`](super::BucketErrorKind::PreconditionFailed), also without a condition: the first one's end drops its parts.
/// - Neither has the store copy what [`append_stream`](Self::append_stream) keeps: it passes through this process.
///
/// # Where stores differ
///
/// One suite of cases runs over all of them; what is not here is alike.
///
/// | | `memory://` | `file://` | `s3://`, and `gs://` and `az://` where nothing else is said |
/// |---|---|---|---|
/// | `a` and `a/b` side by side | yes | no: a name is either a file or a folder | yes |
/// | a segment of a key | 1024 bytes | what the file system allows, mostly 255 | 1024 bytes |
/// | names that end in `#` and digits | keys | those of unfinished files: not listed, refused as keys | keys |
/// | names in the store that are no keys | none | not listed, and said in the log | not listed, and said; empty folders, `a/`, are not said |
/// | a rename | one step | one step | a copy and a deletion |
/// | a copy | at once | a copy of the bytes | by the store, up to 5 GiB on AWS; to its own key no change. `copy_if_absent`: through this process, in parts |
/// | a conditional write excludes | everybody | who writes through this library, in other processes too, by a hidden lock file in the key's folder | everybody |
/// | etags | of each write | of each write | of the contents: the same bytes have the same etag; on `gs://` and `az://` of each write |
/// | `last_modified` | to the nanosecond | as precise as the file system; a renamed file of another user keeps its time | to the second |
/// | a reader of an object that is replaced | reads on | reads on | reads on; fails if its connection breaks off |
/// | durability | none | written through to the disk | the store's |
///
/// On `file://` the folder may be a symbolic link, which each operation follows again: once it leads elsewhere, the next operation goes there, and one
/// that is under way ends in the folder that it began in. A stream of `put_stream` is one operation.
///
/// A process that is killed as it writes leaves a file with such a name, `KEY#1`. A write to that folder removes those that nobody has written to for an
/// hour and no process has locked; a process looks for them in a folder once an hour. [`gc`](Self::gc) looks in all folders. `put_if_absent` needs no hard links: where the file system
/// has none, it excludes who writes through this library alone.
///
/// Within a bucket on `file://` symbolic links are followed for reading, in a listing at most 100 to one folder; writing, renaming and deleting refuse a folder that a link leads out of the
/// bucket to, and replace or remove a linked file instead of what it points to. A relative link that is renamed leads where it led.
///
/// What takes the place of a file has its mode, and its owner and group where the process may give it those. A pipe, a socket and a device are left as they are.
#[derive(Clone)]
pub struct Bucket(Arc<Inner>);

struct Inner {
    url: String,
    store: Store,
    world: World,
}

impl Bucket {
    /// Opens a bucket. This only reads the URL; whether the bucket exists shows at the first operation. In a pipeline function a URL
    /// that was opened there before is the same bucket: to open it for each of many sensors costs no more than a clone.
    ///
    /// Fails with [`InvalidUrl`](super::BucketErrorKind::InvalidUrl) if the URL is none, or its scheme is unknown.
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
        opened::once(url, |world| Ok(Self::at(&Location::parse(url)?, world)))
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

    /// The last segment of the URL; what [`Object::bucket`] holds.
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
    /// Fails with [`NoSuchKey`](super::BucketErrorKind::NoSuchKey) if it is not there, and if the bucket is not, or the key is none.
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

    /// Writes an object, replacing what is there.
    ///
    /// Fails if the bucket does not exist, the key is none, or the store refuses; nothing is half written then.
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

    /// Replaces an object if it is still the one whose etag was read, so that nobody's change is lost.
    ///
    /// Fails with [`PreconditionFailed`](super::BucketErrorKind::PreconditionFailed) if it changed or is gone, and like [`put`](Self::put).
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

    /// Copies an object to another key, replacing what is there. The copy is as new as any other write.
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

    /// Moves an object to another key, replacing what is there. To its own key is no change.
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
            let object = self.look(Look::Key(from)).await?.pop();
            return object.ok_or_else(|| Failure::no_such_key().at(&doing));
        }
        self.write(&doing, |store| async move { store.rename(&from, &to).await }).await
    }

    /// Deletes an object. A missing key is fine, as on S3: it is gone, which was wanted.
    ///
    /// Fails if the bucket does not exist, the key is none, or the store refuses.
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

    /// Removes what killed processes have left of objects that they were writing, in all folders of a bucket on `file://`: files `KEY#1` that nobody has
    /// written to for an hour and no process has locked. A write does so in its own folder; this is for folders that nothing is written to any more. Gives how
    /// many there were.
    ///
    /// On `s3://` there are none: what is left of uploads in parts is for the bucket's lifecycle rule.
    ///
    /// Fails if the bucket does not exist, or a folder of it may not be read.
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

    /// Writes an object into a bucket that is made if need be, past all faults: see [`World::put_now`].
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

    /// Every operation that makes an object passes here.
    async fn write<Io>(&self, doing: &str, io: impl FnOnce(Store) -> Io) -> Result<Object, BucketError>
    where
        Io: Future<Output = Result<Meta, Failure>> + Send + 'static,
    {
        Ok(Object::of(self.name(), self.run(doing, stamped(io)).await?))
    }

    pub(super) async fn run<T, Io>(&self, doing: &str, io: impl FnOnce(Store, Scribe) -> Io) -> Result<T, BucketError>
    where
        T: Send + 'static,
        Io: Future<Output = Result<T, Failure>> + Send + 'static,
    {
        // In memory an operation never waits; a loop of them must still let others have their turn.
        tokio::task::consume_budget().await;
        let done = async {
            self.0.world.faults(self.url()).await?;
            self.perform(io).await
        };
        done.await.map_err(|failure| failure.at(doing))
    }

    pub(super) async fn perform<T, Io>(&self, io: impl FnOnce(Store, Scribe) -> Io) -> Result<T, Failure>
    where
        T: Send + 'static,
        Io: Future<Output = Result<T, Failure>> + Send + 'static,
    {
        let store = self.0.store.clone();
        self.0.world.perform(store.is_immediate(), |scribe| io(store, scribe)).await
    }

    pub(super) fn key(&self, key: &str) -> Result<Key, BucketError> {
        key::parse(key).map_err(|reason| BucketError::invalid_key(self.url(), "key", key, reason))
    }

    pub(super) fn doing(&self, verb: &str, key: &Key) -> String {
        format!("{verb} `{key}` in `{}`", self.url())
    }
}

/// Lets the world put its own time on what was written.
pub(super) fn stamped<Io>(io: impl FnOnce(Store) -> Io) -> impl FnOnce(Store, Scribe) -> BoxFuture<'static, Result<Meta, Failure>>
where
    Io: Future<Output = Result<Meta, Failure>> + Send + 'static,
{
    |store, scribe| {
        let io = io(store.clone());
        Box::pin(async move {
            let mut meta = io.await?;
            scribe.written(&store, &mut meta);
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
