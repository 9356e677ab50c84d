//! [`Vendor`]: whose API a store speaks, and how the three APIs name things.
//!
//! | | Amazon S3 | Google Cloud Storage | Azure Blob Storage |
//! |---|---|---|---|
//! | the URL | `s3://BUCKET` | `gs://BUCKET` | `az://CONTAINER` |
//! | an object's etag here | its `ETag` | its generation, because conditions take no etag | its `ETag` |
//! | a condition | `If-Match`, `If-None-Match` | `x-goog-if-generation-match` | `If-Match`, `If-None-Match` |
//! | metadata | `x-amz-meta-` | `x-goog-meta-` | `x-ms-meta-`, names without hyphens |

use hyper::header::{ETAG, HeaderMap, HeaderName, HeaderValue, IF_MATCH, IF_NONE_MATCH};
use object_store::PutResult;

/// Whose API a store speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum Vendor {
    Amazon,
    Google,
    Azure,
}

const GENERATION: HeaderName = HeaderName::from_static("x-goog-generation");
const IF_GENERATION: HeaderName = HeaderName::from_static("x-goog-if-generation-match");

/// A generation is a time in microseconds, so no object has this one.
const NO_GENERATION: &str = "1";

/// The XML of an entry in a listing.
pub(super) struct Entry {
    pub(super) element: &'static str,
    pub(super) name: &'static str,
    pub(super) size: &'static str,
}

impl Vendor {
    pub(in super::super) fn of(scheme: &str) -> Option<Self> {
        [Self::Amazon, Self::Google, Self::Azure].into_iter().find(|vendor| vendor.scheme() == scheme)
    }

    pub(in super::super) fn scheme(self) -> &'static str {
        match self {
            Self::Amazon => "s3",
            Self::Google => "gs",
            Self::Azure => "az",
        }
    }

    /// The feature that builds its client.
    pub(in super::super) fn feature(self) -> &'static str {
        match self {
            Self::Amazon => "s3",
            Self::Google => "gcp",
            Self::Azure => "azure",
        }
    }

    pub(in super::super) fn is_built(self) -> bool {
        match self {
            Self::Amazon => cfg!(feature = "s3"),
            Self::Google => cfg!(feature = "gcp"),
            Self::Azure => cfg!(feature = "azure"),
        }
    }

    /// The vendor's word for a bucket, as a placeholder.
    pub(super) fn bucket(self) -> &'static str {
        if self == Self::Azure { "CONTAINER" } else { "BUCKET" }
    }

    /// How to set the credentials.
    pub(super) fn credentials(self) -> &'static str {
        match self {
            Self::Amazon => {
                "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE, or `?profile=` in the bucket's URL (this machine is not an EC2 \
                 instance with a role)"
            }
            Self::Google => {
                "set GOOGLE_APPLICATION_CREDENTIALS to the file of a service account's key, or `?credentials=` in the bucket's URL (this machine is \
                 not one of Google's with a service account)"
            }
            Self::Azure => {
                "set AZURE_STORAGE_ACCOUNT_KEY, AZURE_STORAGE_SAS_TOKEN, or AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_CLIENT_SECRET (this \
                 machine is not one of Azure's with an identity)"
            }
        }
    }

    /// The name of the metadata that identifies the write of an object.
    pub(super) fn mark(self) -> &'static str {
        if self == Self::Azure { "pipeline_write" } else { "pipeline-write" }
    }

    /// The header of that metadata.
    pub(super) fn mark_header(self) -> HeaderName {
        HeaderName::from_static(match self {
            Self::Amazon => "x-amz-meta-pipeline-write",
            Self::Google => "x-goog-meta-pipeline-write",
            Self::Azure => "x-ms-meta-pipeline_write",
        })
    }

    /// An etag that no object has.
    pub(super) fn wrong_etag(self) -> &'static str {
        match self {
            Self::Amazon => "\"00000000000000000000000000000000\"",
            Self::Google => "\"1\"",
            Self::Azure => "\"0x000000000000000\"",
        }
    }

    /// The etag of a written object, for use in a condition.
    pub(super) fn etag(self, put: PutResult) -> Option<String> {
        match self {
            Self::Google => put.version.map(|generation| format!("\"{generation}\"")),
            _ => put.e_tag,
        }
    }

    /// The header of a condition on an object, in the vendor's form.
    pub(super) fn condition_header(self, (name, value): (HeaderName, HeaderValue)) -> (HeaderName, HeaderValue) {
        if self != Self::Google {
            return (name, value);
        }
        let generation = if name == IF_NONE_MATCH { Some("0") } else { value.to_str().ok().map(generation) };
        (
            IF_GENERATION,
            generation.and_then(|value| HeaderValue::from_str(value).ok()).unwrap_or(HeaderValue::from_static(NO_GENERATION)),
        )
    }

    /// Translates a request's conditions into the vendor's headers.
    pub(super) fn translate(self, headers: &mut HeaderMap) {
        if self == Self::Google
            && let Some(etag) = headers.remove(IF_MATCH)
        {
            let (name, value) = self.condition_header((IF_MATCH, etag));
            headers.insert(name, value);
        }
    }

    /// Replaces an answer's etag with one that conditions accept.
    pub(super) fn translate_answer(self, headers: &mut HeaderMap) {
        if self == Self::Google
            && let Some(Ok(etag)) = headers.get(GENERATION).map(|value| {
                let quoted = [b"\"", value.as_bytes(), b"\""].concat();
                HeaderValue::from_bytes(&quoted)
            })
        {
            headers.insert(ETAG, etag);
        }
    }

    /// The `version` by which `object_store`'s client makes a write conditional on that etag; `None` if it uses the etag itself.
    pub(super) fn version(self, etag: &str) -> Option<String> {
        (self == Self::Google).then(|| generation(etag).to_owned())
    }

    /// The elements of objects and of folders in a listing.
    pub(super) fn entries(self) -> [Entry; 2] {
        match self {
            Self::Azure => [
                Entry { element: "Blob", name: "Name", size: "Content-Length" },
                Entry { element: "BlobPrefix", name: "Name", size: "" },
            ],
            _ => [
                Entry { element: "Contents", name: "Key", size: "Size" },
                Entry { element: "CommonPrefixes", name: "Prefix", size: "" },
            ],
        }
    }

    /// True if a listing's entry without a plain name element has an invalid name: on Azure the element has an attribute if XML
    /// cannot represent the name.
    pub(super) fn hides_names(self) -> bool {
        self == Self::Azure
    }
}

/// An etag as a generation. An etag that is not a generation becomes one that no object has.
fn generation(etag: &str) -> &str {
    let bare = etag.trim_matches('"');
    let is_one = !bare.is_empty() && bare.len() <= 19 && bare.bytes().all(|byte| byte.is_ascii_digit()) && bare != "0";
    if is_one { bare } else { NO_GENERATION }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_etag_of_google_is_a_generation() {
        let header = |name, value| Vendor::Google.condition_header((name, HeaderValue::from_static(value)));
        for (name, value, expected) in [
            (IF_MATCH, "\"1764486000000000\"", "1764486000000000"),
            (IF_MATCH, "1764486000000000", "1764486000000000"),
            (IF_NONE_MATCH, "*", "0"),
            // None of these may be sent as 0, which would mean that no object may exist.
            (IF_MATCH, "\"0\"", "1"),
            (IF_MATCH, "\"d41d8cd98f00b204e9800998ecf8427e\"", "1"),
            (IF_MATCH, "", "1"),
        ] {
            assert_eq!(header(name, value), (IF_GENERATION, HeaderValue::from_static(expected)), "{value}");
        }
        let mut answer = HeaderMap::from_iter([(ETAG, HeaderValue::from_static("\"abc\""))]);
        Vendor::Google.translate_answer(&mut answer);
        assert_eq!(answer[ETAG], "\"abc\"", "of a part");
        answer.insert(GENERATION, HeaderValue::from_static("17"));
        Vendor::Google.translate_answer(&mut answer);
        assert_eq!(answer[ETAG], "\"17\"");
    }

    #[test]
    fn the_others_keep_their_etags() {
        for vendor in [Vendor::Amazon, Vendor::Azure] {
            let condition_header = (IF_MATCH, HeaderValue::from_static("\"a\""));
            assert_eq!(vendor.condition_header(condition_header.clone()), condition_header);
            assert_eq!(vendor.version("\"a\""), None);
        }
    }
}
