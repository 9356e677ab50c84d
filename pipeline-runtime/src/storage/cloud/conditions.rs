//! [`Conditions`]: how a store treats a conditional write, probed before the first one.
//!
//! Stores with S3's API differ in this, and most of those that differ do so silently: both of two writers succeed, and the work
//! of one is lost. So before the first such write to a bucket the store is probed with a write that it has to refuse: to a key
//! that nothing uses, on an etag that no object has. A store that enforces the condition writes nothing. One that does not has then
//! written a scratch object, which serves for the next probe and is deleted afterwards. Single-request writes and uploads in
//! parts are probed separately, since many stores enforce conditions only for the former. AWS is not probed.
//!
//! | the store's answer | verdict |
//! |---|---|
//! | 404, 412 | enforced |
//! | 501, 400, 405 | refused |
//! | 200 | ignored |
//! | 403 | unknown: a policy restricts the keys that may be written. Conditions are assumed to be enforced, with a warning |
//!
//! A wrong etag does not reveal a store that refuses the right one, too, as Ceph 16 does if it is quoted. That is probed if a
//! write was refused repeatedly although its condition held: a scratch object is written, and replaced on its own etag.
//!
//! Verdicts hold for the process: [`StoreFacts`].

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use hyper::header::{HeaderValue, IF_MATCH, IF_NONE_MATCH};
use object_store::path::Path;
use object_store::{PutMode, PutOptions, UpdateVersion};
use tokio::sync::OnceCell;

use super::super::error::{BucketErrorKind as Kind, Failure};
use super::super::store::Condition;
use super::Cloud;
use super::clock::StoreClock;
use super::failure;
use super::vendor::Vendor;
use super::write_outcome::{ConditionHeader, Mark};

/// What is known of one bucket of one store, for the lifetime of the process.
#[derive(Debug, Default)]
pub(super) struct StoreFacts {
    pub(super) clock: StoreClock,
    conditions: [Conditions; 2],
    /// True if the store has turned out not to copy parts.
    copies_no_parts: AtomicBool,
}

#[derive(Debug, Default)]
struct Conditions {
    verdict: OnceCell<Verdict>,
    spelling: OnceCell<Spelling>,
}

/// How an object is put in place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum WriteMethod {
    /// By one request.
    Put,
    /// By the completion of an upload in parts.
    Complete,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Enforced,
    Refused,
    Ignored { absent: bool, matching: bool },
}

/// How the store expects an etag to be written in a condition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Spelling {
    /// As the store returns it.
    Quoted,
    Bare,
    /// No spelling is accepted.
    None,
}

impl StoreFacts {
    /// `id` is that of the access key, because probes may be permitted to one key and not to another.
    pub(super) fn of(endpoint: &str, bucket: &str, id: &str) -> Arc<Self> {
        static ALL: Mutex<Option<HashMap<String, Arc<StoreFacts>>>> = Mutex::new(None);
        let mut all = ALL.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(all.get_or_insert_default().entry(format!("{endpoint} {bucket} {id}")).or_default())
    }

    pub(super) fn copies_no_parts(&self) -> bool {
        self.copies_no_parts.load(Ordering::Relaxed)
    }

    pub(super) fn note_that_it_copies_no_parts(&self) {
        self.copies_no_parts.store(true, Ordering::Relaxed);
    }

    fn conditions(&self, method: WriteMethod) -> &Conditions {
        &self.conditions[method as usize]
    }

    /// How etags are spelled in conditions, as far as it is known.
    pub(super) fn spelling(&self, method: WriteMethod) -> Spelling {
        self.conditions(method).spelling.get().copied().unwrap_or(Spelling::Quoted)
    }
}

impl Spelling {
    /// The etag as it has to be sent.
    pub(super) fn of(self, etag: &str) -> &str {
        match self {
            Self::Bare => etag.trim_matches('"'),
            Self::Quoted | Self::None => etag,
        }
    }
}

/// The result of a write to a scratch key.
enum ProbeResult {
    Done(Option<String>),
    /// Its condition does not hold; or it did, the answer was lost, and the same request sent again was refused.
    Unmet {
        is_in_doubt: bool,
    },
    /// The store does not support conditions.
    Refused,
    Denied,
}

impl Cloud {
    /// Fails unless the store enforces such a condition on such a write. `key` is the key to be written: scratch objects are put
    /// beside it, because a policy may allow no other folder.
    pub(super) async fn require_enforced(
        self: &Arc<Self>,
        method: WriteMethod,
        key: &Path,
        condition: &Condition,
    ) -> Result<(), Failure> {
        let client = self.client().await?;
        if matches!(condition, Condition::Always) || client.is_aws {
            return Ok(());
        }
        let (cloud, beside) = (Arc::clone(self), key.clone());
        // In a task of its own, so that it ends and cleans up even if the operation is dropped.
        let probe = || async { ended(tokio::spawn(async move { cloud.verdict(method, &beside).await }).await) };
        let verdict = *client.facts.conditions(method).verdict.get_or_try_init(probe).await?;
        let header = header_of(condition);
        let how = match (verdict, condition) {
            (Verdict::Refused, _) => "refuses",
            (Verdict::Ignored { absent: true, .. }, Condition::Absent)
            | (Verdict::Ignored { matching: true, .. }, Condition::Match(_)) => "ignores",
            _ => return Ok(()),
        };
        let single = method == WriteMethod::Complete && self.enforces_in_one_request(key, condition).await;
        Err(unsupported(&client.endpoint, &format!("{how} `{header}`"), method, single))
    }

    /// How the store expects etags to be spelled, after it refused a write whose condition held; fails if no spelling is
    /// accepted.
    pub(super) async fn etag_spelling(self: &Arc<Self>, method: WriteMethod, key: &Path) -> Result<Spelling, Failure> {
        let client = self.client().await?;
        let (cloud, beside) = (Arc::clone(self), key.clone());
        let probe = || async { ended(tokio::spawn(async move { cloud.find_spelling(method, &beside).await }).await) };
        match *client.facts.conditions(method).spelling.get_or_try_init(probe).await? {
            Spelling::None => {
                let single =
                    method == WriteMethod::Complete && self.enforces_in_one_request(key, &Condition::Match(String::new())).await;
                Err(unsupported(&client.endpoint, "refuses even an `If-Match` that holds", method, single))
            }
            spelling => Ok(spelling),
        }
    }

    /// True if a single-request write enforces the condition that an upload in parts does not.
    async fn enforces_in_one_request(self: &Arc<Self>, key: &Path, condition: &Condition) -> bool {
        Box::pin(self.require_enforced(WriteMethod::Put, key, condition)).await.is_ok()
    }

    async fn verdict(self: &Arc<Self>, method: WriteMethod, key: &Path) -> Result<Verdict, Failure> {
        let scratch = scratch(key);
        match self.attempt(method, &scratch, Some((IF_MATCH, HeaderValue::from_static(self.settings.vendor.wrong_etag())))).await
        {
            Ok(ProbeResult::Unmet { is_in_doubt }) => {
                if is_in_doubt {
                    self.discard(&scratch).await;
                }
                Ok(Verdict::Enforced)
            }
            Ok(ProbeResult::Refused) => Ok(Verdict::Refused),
            Ok(ProbeResult::Denied) => {
                let endpoint = self.client.get().map_or("the store", |client| client.endpoint.as_str());
                tracing::warn!(
                    "whether {endpoint} enforces conditions on writes to `{}` is unknown: a policy forbids writing to \
                     `{scratch}`; it is assumed to enforce them",
                    self.url()
                );
                Ok(Verdict::Enforced)
            }
            Ok(ProbeResult::Done(_)) => {
                let again = self.attempt(method, &scratch, Some((IF_NONE_MATCH, HeaderValue::from_static("*")))).await;
                self.discard(&scratch).await;
                Ok(Verdict::Ignored { absent: !matches!(again?, ProbeResult::Unmet { .. }), matching: true })
            }
            Err(failure) => {
                // The write may have taken effect.
                self.discard(&scratch).await;
                Err(failure)
            }
        }
    }

    async fn find_spelling(self: &Arc<Self>, method: WriteMethod, key: &Path) -> Result<Spelling, Failure> {
        let scratch = scratch(key);
        let found = self.spelling_of(method, &scratch).await;
        self.discard(&scratch).await;
        found
    }

    async fn spelling_of(self: &Arc<Self>, method: WriteMethod, scratch: &Path) -> Result<Spelling, Failure> {
        for spelling in [Spelling::Quoted, Spelling::Bare] {
            let condition_header = |etag: &str| HeaderValue::from_str(spelling.of(etag)).ok().map(|etag| (IF_MATCH, etag));
            // The spelling is not known yet, so this has to be a plain write.
            let ProbeResult::Done(Some(etag)) = self.attempt(WriteMethod::Put, scratch, None).await? else {
                return Ok(Spelling::Quoted);
            };
            let passes = matches!(self.attempt(method, scratch, condition_header(&etag)).await?, ProbeResult::Done(_));
            if passes
                && matches!(
                    self.attempt(method, scratch, condition_header(self.settings.vendor.wrong_etag())).await?,
                    ProbeResult::Unmet { .. }
                )
            {
                return Ok(spelling);
            }
        }
        Ok(Spelling::None)
    }

    /// Writes one byte to a scratch key on a condition. It is harmless, and so is retried like anything else.
    async fn attempt(
        &self,
        method: WriteMethod,
        scratch: &Path,
        condition_header: Option<ConditionHeader>,
    ) -> Result<ProbeResult, Failure> {
        let client = self.client().await?;
        let (mark, vendor) = (Mark::new(&Condition::Always), self.settings.vendor);
        let mut is_in_doubt = false;
        let done = match method {
            WriteMethod::Put => {
                // On Azure a signature covers the condition, so it cannot be added later.
                let (mode, condition_header) =
                    if vendor == Vendor::Azure { (mode(condition_header), None) } else { (PutMode::Overwrite, condition_header) };
                let write = client.pending_writes.watch(mark.number(), condition_header);
                let options = PutOptions { mode, attributes: mark.attributes(vendor), ..PutOptions::default() };
                let put = client.store.put_opts(scratch, "0".into(), options).await;
                is_in_doubt = write.is_in_doubt();
                put
            }
            WriteMethod::Complete => {
                let id = match self.begin_parts(client, scratch, &mark).await {
                    Err(error) if failure::is_of_policy(&error) => return Ok(ProbeResult::Denied),
                    begun => begun.map_err(|error| self.failure(&error))?,
                };
                let part = client.store.put_part(scratch, &id, 0, "0".into()).await;
                let completed = match part {
                    Ok(part) => {
                        let write = client.pending_writes.watch(&id, condition_header.clone());
                        let completed = self.end_parts(client, scratch, &id, vec![part], (&mark, condition_header)).await;
                        is_in_doubt = write.is_in_doubt();
                        completed
                    }
                    Err(error) => Err(error),
                };
                if completed.is_err() {
                    // The bucket's rule for incomplete uploads removes what is left of it.
                    let _ = client.store.abort_multipart(scratch, &id).await;
                }
                completed
            }
        };
        let error = match done {
            Ok(put) => {
                let etag = vendor.etag(put);
                return Ok(ProbeResult::Done(etag.filter(|etag| !etag.trim_matches('"').is_empty())));
            }
            Err(error) => error,
        };
        let failure = self.failure(&error);
        match failure.kind() {
            Kind::PreconditionFailed | Kind::NoSuchKey => Ok(ProbeResult::Unmet { is_in_doubt }),
            Kind::PermissionDenied if failure::is_of_policy(&error) => Ok(ProbeResult::Denied),
            Kind::Unsupported => Ok(ProbeResult::Refused),
            Kind::Other if failure::is_bad_request(&error) => Ok(ProbeResult::Refused),
            _ => Err(failure),
        }
    }

    /// Deletes a scratch object. If that fails, one byte stays, under a name that explains it.
    async fn discard(&self, scratch: &Path) {
        let _ = self.delete(scratch).await;
    }
}

/// A demand in the form that the client supports.
fn mode(condition_header: Option<ConditionHeader>) -> PutMode {
    match condition_header {
        None => PutMode::Overwrite,
        Some((name, etag)) if name == IF_MATCH => {
            PutMode::Update(UpdateVersion { e_tag: etag.to_str().ok().map(str::to_owned), version: None })
        }
        Some(_) => PutMode::Create,
    }
}

fn ended<T>(probe: Result<Result<T, Failure>, tokio::task::JoinError>) -> Result<T, Failure> {
    probe.unwrap_or_else(|error| Err(Failure::new(Kind::Other, "the process is shutting down").with_source(error)))
}

/// An unused key beside the given one.
fn scratch(key: &Path) -> Path {
    let folder = key.as_ref().rsplit_once('/').map_or("", |(folder, _)| folder);
    let name = format!(".pipeline-probe-{:032x}", crate::random::new_id());
    let beside = if folder.is_empty() { name.clone() } else { format!("{folder}/{name}") };
    // The key's folder may be too long for another name in it.
    Path::parse(if beside.len() <= 1024 { &beside } else { &name }).unwrap_or_else(|_| Path::from(name))
}

fn header_of(condition: &Condition) -> &'static str {
    if matches!(condition, Condition::Absent) { "If-None-Match" } else { "If-Match" }
}

/// The operation is refused, not weakened: its caller relies on its promise. `single`: one request enforces the condition.
fn unsupported(endpoint: &str, how: &str, method: WriteMethod, single: bool) -> Failure {
    let when = if method == WriteMethod::Complete { " when an upload in parts is completed" } else { "" };
    let larger = if single {
        "`?part_size=64MiB` in the bucket's URL writes smaller objects in one request, which enforces it; "
    } else {
        ""
    };
    let detail = format!(
        "{endpoint} {how}{when}, so that two writers could both succeed; {larger}`?conditions=none` in the bucket's URL \
         accepts that; docs/storage.md lists the stores that enforce conditions"
    );
    Failure::new(Kind::Unsupported, detail)
}
