//! The client for Google Cloud Storage, built from the URL and the environment.

use std::path::Path;
use std::sync::Arc;

use object_store::gcp::GoogleCloudStorageBuilder;

use super::super::error::{BucketErrorKind, Failure};
use super::checks;
use super::client::{Client, ClientParts, no_client};
use super::settings::{Settings, endpoint};
use super::vendor::Vendor;

const GOOGLE: &str = "https://storage.googleapis.com";

pub(super) fn client(settings: &Settings, var: impl Fn(&str) -> Option<String>) -> Result<Client, Failure> {
    let wrong = |reason: String| Failure::new(BucketErrorKind::InvalidUrl, reason);
    let named = settings.endpoint.clone().or_else(|| var("GOOGLE_BASE_URL"));
    let url = named.map(|url| endpoint(Vendor::Google, &url).map_err(wrong)).transpose()?.unwrap_or_else(|| GOOGLE.into());
    checks::endpoint(&url, true)?;
    let mut builder = GoogleCloudStorageBuilder::new().with_bucket_name(&settings.bucket).with_base_url(&url);
    let who = Credentials::gather(settings, &var)?;
    let id = match &who {
        Credentials::File(_, file) => file.clone(),
        Credentials::Key(_) => "key".into(),
        Credentials::Token(_) => "token".into(),
        Credentials::None => String::new(),
    };
    builder = match who {
        Credentials::File(Form::ServiceAccount, file) => builder.with_service_account_path(file),
        Credentials::File(Form::Any, file) => builder.with_application_credentials(file),
        Credentials::Key(key) => builder.with_service_account_key(key),
        Credentials::Token(token) => builder.with_bearer_token(token),
        // A store that speaks the API without TLS is not Google's, and needs no token from it.
        Credentials::None if url.starts_with("http://") => builder.with_bearer_token("none"),
        Credentials::None => builder,
    };
    let parts = ClientParts::new(settings, &url, &id)?;
    let store = builder
        .with_client_options(parts.options.clone())
        .with_retry(parts.retry.clone())
        .with_http_connector(parts.guard.clone())
        .build()
        .map_err(|error| credentials_are_none(&id).unwrap_or_else(|| no_client(Vendor::Google)(error)))?;
    Ok(parts.client(Arc::new(store)))
}

#[derive(Debug, PartialEq, Eq)]
enum Form {
    ServiceAccount,
    /// A service account's key, or a file as `gcloud` writes it.
    Any,
}

/// The credentials. If none are given, `object_store` looks for them where `gcloud` stores them, and on a machine of Google's.
#[derive(PartialEq, Eq)]
enum Credentials {
    File(Form, String),
    Key(String),
    Token(String),
    None,
}

impl Credentials {
    fn gather(settings: &Settings, var: &impl Fn(&str) -> Option<String>) -> Result<Self, Failure> {
        let account = || var("GOOGLE_SERVICE_ACCOUNT").or_else(|| var("GOOGLE_SERVICE_ACCOUNT_PATH"));
        let file = (settings.credentials.clone().map(|file| (Form::Any, "`credentials` in the bucket's URL", file)))
            .or_else(|| account().map(|file| (Form::ServiceAccount, "GOOGLE_SERVICE_ACCOUNT", file)));
        let (form, by, file) = match file {
            Some(file) => file,
            None => {
                match (var("GOOGLE_SERVICE_ACCOUNT_KEY"), var("GOOGLE_BEARER_TOKEN"), var("GOOGLE_APPLICATION_CREDENTIALS")) {
                    (Some(key), ..) => return Ok(Self::Key(key)),
                    (_, Some(token), _) => return checks::word("bearer token", token).map(Self::Token),
                    (.., Some(file)) => (Form::Any, "GOOGLE_APPLICATION_CREDENTIALS", file),
                    (None, None, None) => return Ok(Self::None),
                }
            }
        };
        match std::fs::metadata(Path::new(&file)) {
            Ok(_) => Ok(Self::File(form, file)),
            Err(error) => {
                let detail = format!("{by} names the file {file}, which cannot be read: {error}");
                Err(Failure::new(BucketErrorKind::PermissionDenied, detail))
            }
        }
    }
}

/// The error for unreadable credentials, without their contents.
fn credentials_are_none(id: &str) -> Option<Failure> {
    let what = match id {
        "" => return None,
        "key" => "GOOGLE_SERVICE_ACCOUNT_KEY".to_owned(),
        "token" => "GOOGLE_BEARER_TOKEN".to_owned(),
        file => format!("the file {file}"),
    };
    let detail = format!("{what} contains no Google credentials: {}", Vendor::Google.credentials());
    Some(Failure::new(BucketErrorKind::PermissionDenied, detail))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(url: &str, variables: &[(&str, &str)]) -> Result<Client, String> {
        let settings = Settings::parse(Vendor::Google, url)?;
        let var = |name: &str| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned());
        client(&settings, var).map_err(|failure| failure.at("open").to_string())
    }

    #[test]
    fn what_is_missing_or_wrong_is_named_and_no_secret() -> Result<(), Box<dyn std::error::Error>> {
        let file = tempfile::NamedTempFile::new()?;
        std::fs::write(file.path(), "{\"type\": \"service_account\", \"private_key\": \"hidden\"}")?;
        let file = file.path().display().to_string();
        for (url, variables, expected) in [
            (
                "bucket?credentials=/no/such/file".to_owned(),
                vec![],
                "`credentials` in the bucket's URL names the file /no/such/file",
            ),
            ("bucket".into(), vec![("GOOGLE_APPLICATION_CREDENTIALS", "/no/such/file")], "GOOGLE_APPLICATION_CREDENTIALS names"),
            (format!("bucket?credentials={file}"), vec![], "contains no Google credentials: set GOOGLE_APPLICATION_CREDENTIALS"),
            (
                "bucket".into(),
                vec![("GOOGLE_SERVICE_ACCOUNT_KEY", "{hidden")],
                "GOOGLE_SERVICE_ACCOUNT_KEY contains no Google credentials",
            ),
            ("bucket".into(), vec![("GOOGLE_BEARER_TOKEN", "hid\nden")], "the bearer token is empty, or contains"),
            ("bucket".into(), vec![("GOOGLE_BASE_URL", "http://a b")], "not `http://HOST:PORT`"),
            ("bucket?endpoint=http://host:99999".into(), vec![], "is not a URL"),
        ] {
            let error = made(&url, &variables).err().unwrap_or_default();
            assert!(error.contains(expected) && !error.contains("hidden"), "{url} {variables:?}: {error}");
        }
        let client = made("bucket", &[("GOOGLE_BEARER_TOKEN", "token")])?;
        assert_eq!((client.endpoint.as_str(), client.is_aws), (GOOGLE, false));
        assert!(made("bucket?endpoint=http://127.0.0.1:9", &[]).is_ok());
        Ok(())
    }
}
