//! Classifies an error of a store, by the code that the store returned or by how the network failed.

use std::error::Error;

use object_store::client::{HttpError, HttpErrorKind};

use super::super::error::{BucketErrorKind as Kind, Failure};
use super::http::element;
use super::vendor::Vendor;

/// The store's answer in a few words, for the chain of causes. `object_store`'s own error would contain whole requests.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct StoreAnswer(String);

/// `endpoint` is named if it could not be reached.
pub(super) fn failure(error: &object_store::Error, vendor: Vendor, endpoint: &str) -> Failure {
    let text = chain(error);
    if let Some(code) = element(&text, "Code") {
        return of_code(code, element(&text, "Region"), status(&text));
    }
    if ["169.254.169.254", "metadata.google.internal", "computeMetadata"].iter().any(|place| text.contains(place)) {
        return Failure::new(Kind::PermissionDenied, format!("no credentials were found: {}", vendor.credentials()));
    }
    if let Some(http) = find::<HttpError>(error) {
        let (what, why) = match http.kind() {
            HttpErrorKind::Timeout => ("did not answer in time", chain(http)),
            HttpErrorKind::Connect => ("could not be reached", chain(http)),
            _ => ("closed the connection", chain(http)),
        };
        return Failure::new(Kind::Network, format!("{endpoint} {what}")).with_source(StoreAnswer(why));
    }
    // The answer has no body, as for a HEAD.
    match status(&text) {
        Some(status) => of_status(status).unwrap_or_else(|| Failure::new(Kind::Other, format!("the store answered {status}"))),
        None => Failure::new(Kind::Other, "the store's answer is unreadable").with_source(StoreAnswer(shortened(&text))),
    }
}

/// True if the request was sent and its outcome is unknown; `object_store` does not retry such a write.
pub(super) fn is_lost(error: &object_store::Error) -> bool {
    let never_sent = |http: &HttpError| matches!(http.kind(), HttpErrorKind::Connect | HttpErrorKind::Request);
    find::<HttpError>(error).is_some_and(|http| !never_sent(http))
}

/// Classifies by the status alone.
fn of_status(status: u16) -> Option<Failure> {
    Some(match status {
        404 => Failure::no_such_key(),
        409 => of_code("ConditionalRequestConflict", None, None),
        412 => Failure::precondition(),
        401 | 403 => of_code("AccessDenied", None, None),
        429 => of_code("SlowDown", None, None),
        501 => of_code("NotImplemented", None, None),
        500.. => unavailable(&status.to_string()),
        _ => return None,
    })
}

/// Classifies an unknown code by its status, if possible.
fn of_unknown_code(code: &str, status: Option<u16>) -> Failure {
    let other = || Failure::new(Kind::Other, format!("the store answered `{code}`")).with_source(StoreAnswer(code.to_owned()));
    // A missing bucket, key or upload has a code of its own, and stores use 409 for many things.
    let telling = status.filter(|status| !matches!(status, 404 | 409));
    match telling.and_then(of_status) {
        Some(known) if known.kind() == Kind::PreconditionFailed => known.with_source(StoreAnswer(code.to_owned())),
        Some(known) => {
            Failure::new(known.kind(), format!("the store answered `{code}`")).with_source(StoreAnswer(code.to_owned()))
        }
        None => other(),
    }
}

/// True if the store answered that the request itself is invalid.
pub(super) fn is_bad_request(error: &object_store::Error) -> bool {
    matches!(status(&chain(error)), Some(400 | 405 | 501))
}

/// True if the credentials are valid but lack a permission.
pub(super) fn is_of_policy(error: &object_store::Error) -> bool {
    element(&chain(error), "Code") == Some("AccessDenied")
}

fn of_code(code: &str, region: Option<&str>, status: Option<u16>) -> Failure {
    let (kind, detail) = match code {
        "NoSuchKey" | "NotFound" | "BlobNotFound" | "ResourceNotFound" => return Failure::no_such_key(),
        "PreconditionFailed" | "ConditionNotMet" | "BlobAlreadyExists" => return Failure::precondition(),
        "NoSuchBucket" | "ContainerNotFound" | "ContainerBeingDeleted" => {
            (Kind::NoSuchBucket, "there is no such bucket; create it, or correct the URL or the endpoint".into())
        }
        "AccessDenied" | "AllAccessDisabled" | "AccountProblem" | "Forbidden" => (
            Kind::PermissionDenied,
            "access denied; the credentials lack a permission. Looking for keys needs `s3:ListBucket` on the bucket, as S3 \
             otherwise answers this for a missing key, too"
                .into(),
        ),
        "AuthorizationFailure" | "AuthorizationPermissionMismatch" | "InsufficientAccountPermissions" => {
            (Kind::PermissionDenied, "access denied; the identity lacks a role such as `Storage Blob Data Contributor`".into())
        }
        "AuthenticationFailed" | "InvalidAuthenticationInfo" | "NoAuthenticationInformation" => (
            Kind::PermissionDenied,
            "the account's key, or the token, is wrong or has expired, or this machine's clock is off".into(),
        ),
        "InvalidBucketName" | "InvalidResourceName" => (Kind::InvalidUrl, "the store does not allow such a bucket name".into()),
        "InvalidAccessKeyId" | "NotSignedUp" => (Kind::PermissionDenied, "the store does not know the access key id".into()),
        "SignatureDoesNotMatch" => {
            (Kind::PermissionDenied, "the secret access key is wrong for its id, or the store does not know the id".into())
        }
        "InvalidToken" => (Kind::PermissionDenied, "the session token is invalid, or belongs to other credentials".into()),
        "RequestTimeTooSkewed" => (
            Kind::PermissionDenied,
            "this machine's clock and the store's are too far apart, so signatures are refused; correct the wrong one".into(),
        ),
        "ExpiredToken" | "ExpiredTokenException" | "TokenRefreshRequired" | "RequestExpired" => {
            (Kind::ExpiredCredentials, "the credentials have expired; renew them and resume the run".into())
        }
        "SlowDown"
        | "ServerBusy"
        | "Throttling"
        | "ThrottlingException"
        | "TooManyRequests"
        | "RequestLimitExceeded"
        | "BandwidthLimitExceeded" => {
            (Kind::Throttled, "the store asks for fewer requests; give the nodes a pool, or poke less often".into())
        }
        "PermanentRedirect" | "TemporaryRedirect" | "AuthorizationHeaderMalformed" | "IllegalLocationConstraintException" => {
            let detail = match region {
                Some(region) => format!("the bucket is in the region {region}; set AWS_REGION, or `?region={region}` in its URL"),
                None => "the region is not the bucket's; set AWS_REGION, or `?region=` in its URL".into(),
            };
            (Kind::InvalidUrl, detail)
        }
        "InvalidBlockList" => (
            Kind::PreconditionFailed,
            "somebody else has written the key since the upload began, which drops the parts that were sent; write it again"
                .into(),
        ),
        "ConditionalRequestConflict" | "OperationAborted" => {
            (Kind::PreconditionFailed, "somebody else wrote the key at the same time; read it again, and repeat".into())
        }
        "NotImplemented" => (Kind::Unsupported, "the store cannot do that".into()),
        "KeyTooLongError" => (Kind::InvalidKey, "the key, or a segment of it, is too long for the store".into()),
        "QuotaExceeded" => (Kind::PermissionDenied, "the quota of the bucket or of its owner is used up".into()),
        "NoSuchUpload" => (Kind::NoSuchKey, "the upload is gone: a lifecycle rule or somebody else aborted it".into()),
        "InternalError" | "OperationTimedOut" | "ServiceUnavailable" | "RequestTimeout" | "BadGateway" | "GatewayTimeout" => {
            return unavailable(code);
        }
        _ => return of_unknown_code(code, status),
    };
    Failure::new(kind, detail).with_source(StoreAnswer(code.to_owned()))
}

fn unavailable(code: &str) -> Failure {
    Failure::new(Kind::Network, "the store is not available, even after retries").with_source(StoreAnswer(code.to_owned()))
}

/// An error's text with all its causes.
fn chain(error: &dyn Error) -> String {
    let mut all = error.to_string();
    let mut link = error.source();
    while let Some(cause) = link {
        let text = cause.to_string();
        if !all.contains(&text) {
            all += ": ";
            all += &text;
        }
        link = cause.source();
    }
    all
}

fn find<'a, E: Error + 'static>(error: &'a (dyn Error + 'static)) -> Option<&'a E> {
    let mut link = Some(error);
    while let Some(error) = link {
        if let Some(found) = error.downcast_ref() {
            return Some(found);
        }
        link = error.source();
    }
    None
}

/// Extracts the status from "Server returned non-2xx status code: 404 Not Found".
fn status(text: &str) -> Option<u16> {
    text.split_once("status code: ")?.1.get(..3)?.parse().ok()
}

fn shortened(text: &str) -> String {
    text.chars().take(300).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn generic(text: &str) -> Failure {
        failure(&object_store::Error::Generic { store: "S3", source: text.into() }, Vendor::Amazon, "http://s3")
    }

    #[test]
    fn codes_are_told_apart() {
        for (code, expected) in [
            ("NoSuchBucket", Kind::NoSuchBucket),
            ("NoSuchKey", Kind::NoSuchKey),
            ("AccessDenied", Kind::PermissionDenied),
            ("SignatureDoesNotMatch", Kind::PermissionDenied),
            ("ExpiredToken", Kind::ExpiredCredentials),
            ("SlowDown", Kind::Throttled),
            ("InternalError", Kind::Network),
            ("PreconditionFailed", Kind::PreconditionFailed),
            ("EntityTooLarge", Kind::Other),
            ("NotImplemented", Kind::Unsupported),
            ("KeyTooLongError", Kind::InvalidKey),
        ] {
            let error = generic(&format!("status code: 400 Bad Request: <Error><Code>{code}</Code></Error>")).at("read");
            assert_eq!(error.kind(), expected, "{code}");
        }
        let error = generic("<Error><Code>PermanentRedirect</Code><Region>eu-west-1</Region></Error>").at("read");
        assert!(error.to_string().contains("?region=eu-west-1"), "{error}");
    }

    #[test]
    fn without_a_body_the_status_tells() {
        for (status, expected) in [
            ("404 Not Found", Kind::NoSuchKey),
            ("403 Forbidden", Kind::PermissionDenied),
            ("412 Precondition Failed", Kind::PreconditionFailed),
            ("503 Service Unavailable", Kind::Network),
            ("501 Not Implemented", Kind::Unsupported),
            ("418 I'm a teapot", Kind::Other),
        ] {
            assert_eq!(generic(&format!("Server returned non-2xx status code: {status}: ")).at("read").kind(), expected);
        }
    }

    #[test]
    fn of_an_unknown_code_the_status_tells() {
        for (status, code, expected) in [
            ("412 Precondition Failed", "InvalidRequest", Kind::PreconditionFailed),
            ("403 Forbidden", "UserSuspended", Kind::PermissionDenied),
            ("403 Forbidden", "QuotaExceeded", Kind::PermissionDenied),
            ("429 Too Many Requests", "Busy", Kind::Throttled),
            ("503 Service Unavailable", "ReducedToo", Kind::Network),
            ("404 Not Found", "NoSuchLifecycle", Kind::Other),
            ("400 Bad Request", "InvalidRequest", Kind::Other),
        ] {
            let error = generic(&format!("status code: {status}: <Error><Code>{code}</Code></Error>")).at("read");
            assert_eq!(error.kind(), expected, "{code}");
        }
    }
}
