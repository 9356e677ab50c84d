//! The client for S3 and compatible stores, built from the URL, the environment and the profile.

use std::sync::Arc;

use object_store::aws::{AmazonS3, AmazonS3Builder, Checksum, S3ConditionalPut};

use super::super::error::{BucketErrorKind, Failure};
use super::checks;
use super::client::{Client, ClientParts, no_client};
use super::profile::Profile;
use super::settings::{Settings, endpoint};
use super::vendor::Vendor;

/// What is needed for requests that `object_store` does not support.
pub(super) struct Amazon {
    pub(super) store: Arc<AmazonS3>,
    pub(super) region: String,
    /// True if the bucket is in a URL's path, not in front of its host.
    pub(super) path_style: bool,
}

pub(super) fn client(settings: &Settings, var: impl Fn(&str) -> Option<String>) -> Result<Client, Failure> {
    let effective = EffectiveSettings::gather(settings, &var)?;
    let bucket = &settings.bucket;
    // The store's certificate does not cover a bucket's name with dots.
    let path_style = settings.path_style.unwrap_or(effective.endpoint.is_some() || bucket.contains('.'));
    checks::region(&effective.region, effective.endpoint.is_none())?;
    let shown = effective.endpoint.clone().unwrap_or_else(|| format!("S3 in {}", effective.region));
    let is_aws = effective.endpoint.as_deref().is_none_or(is_of_aws);
    let parts = ClientParts::new(settings, &shown, effective.key.as_ref().map_or("", |key| &key.id))?;
    let mut builder = AmazonS3Builder::new();
    for (name, value) in &effective.container {
        checks::variable(name, value)?;
        if let Ok(key) = name.to_ascii_lowercase().parse() {
            builder = builder.with_config(key, value);
        }
    }
    if let Some(key) = effective.key.map(checks::key).transpose()? {
        builder = builder.with_access_key_id(key.id).with_secret_access_key(key.secret);
        if let Some(token) = key.token {
            builder = builder.with_token(token);
        }
    }
    if let Some(endpoint) = effective.endpoint {
        let endpoint = match endpoint.split_once("://") {
            Some((scheme, host)) if !path_style => format!("{scheme}://{bucket}.{host}"),
            _ => endpoint,
        };
        checks::endpoint(&endpoint, path_style)?;
        builder = builder.with_allow_http(endpoint.starts_with("http://")).with_endpoint(endpoint);
    }
    if settings.has_checksums {
        builder = builder.with_checksum_algorithm(Checksum::SHA256);
    }
    let store = builder
        .with_bucket_name(bucket)
        .with_region(&effective.region)
        .with_virtual_hosted_style_request(!path_style)
        .with_conditional_put(S3ConditionalPut::ETagMatch)
        .with_disable_bulk_delete(true)
        .with_client_options(parts.options.clone())
        .with_retry(parts.retry.clone())
        .with_http_connector(parts.guard.clone())
        .build()
        .map_err(no_client(Vendor::Amazon))?;
    let store = Arc::new(store);
    let amazon = Some(Amazon { store: Arc::clone(&store), region: effective.region, path_style });
    Ok(Client { amazon, is_aws, ..parts.client(store) })
}

fn is_of_aws(endpoint: &str) -> bool {
    let host = endpoint.trim_start_matches("https://").split(':').next().unwrap_or_default();
    host.ends_with(".amazonaws.com") || host.ends_with(".amazonaws.com.cn")
}

/// The settings in effect: the URL precedes the environment, which precedes the profile.
struct EffectiveSettings {
    key: Option<super::settings::AccessKey>,
    region: String,
    endpoint: Option<String>,
    /// Variables for credentials of a container or a web identity, which `object_store` evaluates.
    container: Vec<(&'static str, String)>,
}

const CONTAINER: [&str; 8] = [
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_ROLE_ARN",
    "AWS_ROLE_SESSION_NAME",
    "AWS_ENDPOINT_URL_STS",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
    "AWS_METADATA_ENDPOINT",
];

impl EffectiveSettings {
    fn gather(settings: &Settings, var: &impl Fn(&str) -> Option<String>) -> Result<Self, Failure> {
        let named = settings.profile.clone().or_else(|| var("AWS_PROFILE"));
        let name = named.as_deref().unwrap_or("default");
        let wrong = |reason: String| Failure::new(BucketErrorKind::PermissionDenied, format!("the profile `{name}` {reason}"));
        let profile = Profile::read(name, var).map_err(wrong)?;
        if named.is_some() && profile.is_empty() {
            return Err(wrong("is in neither ~/.aws/config nor ~/.aws/credentials".into()));
        }
        let from_env = || {
            let (id, secret) = (var("AWS_ACCESS_KEY_ID")?, var("AWS_SECRET_ACCESS_KEY")?);
            Some(super::settings::AccessKey { id, secret, token: var("AWS_SESSION_TOKEN") })
        };
        let container: Vec<_> = CONTAINER.iter().filter_map(|name| Some((*name, var(name)?))).collect();
        // A profile that the URL names precedes the environment; any other follows it.
        let key = match (&settings.key, &settings.profile) {
            (Some(key), _) => Some(key.clone()),
            (None, Some(_)) => profile.key().map_err(wrong)?,
            (None, None) => match from_env() {
                Some(key) => Some(key),
                None => match profile.key() {
                    Err(_) if !container.is_empty() => None,
                    read => read.map_err(wrong)?,
                },
            },
        };
        let near = |name: &str| settings.profile.as_ref().and_then(|_| profile.get(name).map(str::to_owned));
        let far = |name: &str| profile.get(name).map(str::to_owned);
        let region = (settings.region.clone())
            .or_else(|| near("region"))
            .or_else(|| var("AWS_REGION"))
            .or_else(|| var("AWS_DEFAULT_REGION"))
            .or_else(|| far("region"));
        let url = (settings.endpoint.clone())
            .or_else(|| near("endpoint_url"))
            .or_else(|| var("AWS_ENDPOINT_URL_S3"))
            .or_else(|| var("AWS_ENDPOINT_URL"))
            .or_else(|| far("endpoint_url"));
        let url = url
            .map(|url| endpoint(Vendor::Amazon, &url).map_err(|reason| Failure::new(BucketErrorKind::InvalidUrl, reason)))
            .transpose()?;
        Ok(Self { key, region: region.unwrap_or_else(|| "us-east-1".into()), endpoint: url, container })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gathered(url: &str, variables: &[(&str, &str)]) -> Result<EffectiveSettings, String> {
        let var = |name: &str| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned());
        EffectiveSettings::gather(&Settings::parse(Vendor::Amazon, url)?, &var).map_err(|failure| failure.at("open").to_string())
    }

    #[test]
    fn the_nearest_says_what_holds() -> Result<(), Box<dyn std::error::Error>> {
        let home = tempfile::tempdir()?;
        let (config, credentials) = (home.path().join("config"), home.path().join("credentials"));
        std::fs::write(&config, "[default]\nregion=default-1\n[profile eu]\nregion=eu-1\nendpoint_url=http://eu:1\n")?;
        std::fs::write(
            &credentials,
            "[default]\naws_access_key_id=D\naws_secret_access_key=d\n[eu]\naws_access_key_id=E\naws_secret_access_key=e\n",
        )?;
        let files = [
            ("AWS_CONFIG_FILE", config.to_str().unwrap_or_default()),
            ("AWS_SHARED_CREDENTIALS_FILE", credentials.to_str().unwrap_or_default()),
        ];
        let env = [
            ("AWS_ACCESS_KEY_ID", "V"),
            ("AWS_SECRET_ACCESS_KEY", "v"),
            ("AWS_REGION", "env-1"),
            ("AWS_ENDPOINT_URL", "http://env:1"),
        ];
        let both = [&files[..], &env[..]].concat();
        let named = [&files[..], &[("AWS_PROFILE", "eu")]].concat();
        for (url, variables, expected) in [
            ("bucket", &[][..], (None, "us-east-1", None)),
            ("bucket", &files[..], (Some("D"), "default-1", None)),
            ("bucket", &named[..], (Some("E"), "eu-1", Some("http://eu:1"))),
            ("bucket", &both[..], (Some("V"), "env-1", Some("http://env:1"))),
            ("bucket?profile=eu", &both[..], (Some("E"), "eu-1", Some("http://eu:1"))),
            ("bucket?region=url-1&access_key_id=U&secret_access_key=u", &both[..], (Some("U"), "url-1", Some("http://env:1"))),
        ] {
            let effective = gathered(url, variables)?;
            let seen =
                (effective.key.as_ref().map(|key| key.id.as_str()), effective.region.as_str(), effective.endpoint.as_deref());
            assert_eq!(seen, expected, "{url}");
        }
        let error = gathered("bucket?profile=none", &files).err().unwrap_or_default();
        assert!(error.contains("the profile `none` is in neither"), "{error}");
        Ok(())
    }

    /// Every mistyped setting is an error that names it, before anything panics.
    #[test]
    fn a_mistyped_setting_is_an_invalid_url() {
        let right = "access_key_id=id&secret_access_key=secret";
        for (url, variables, expected) in [
            ("bucket?access_key_id=i%20d&secret_access_key=s".into(), &[][..], "the access key id"),
            ("bucket?access_key_id=id&secret_access_key=s%0As".into(), &[], "the secret access key"),
            (format!("bucket?{right}&session_token=t%00"), &[], "the session token"),
            (format!("bucket?{right}&region=eu%20west"), &[], "is not a region"),
            (format!("bucket?{right}&region=eu/west"), &[], "is not a region"),
            (format!("bucket?{right}&endpoint=http://host:99999"), &[], "is not a URL"),
            (format!("bucket?{right}&endpoint=http://ho%09st"), &[], "is not a URL"),
            (format!("bucket?{right}&endpoint=http://127.0.0.1:9000&path_style=false"), &[], "leave `path_style` out"),
            ("bucket".into(), &[("AWS_ACCESS_KEY_ID", "i\nd"), ("AWS_SECRET_ACCESS_KEY", "s")], "the access key id"),
            (
                "bucket".into(),
                &[("AWS_REGION", "eu west"), ("AWS_ACCESS_KEY_ID", "id"), ("AWS_SECRET_ACCESS_KEY", "s")],
                "is not a region",
            ),
            ("bucket".into(), &[("AWS_ENDPOINT_URL", "http://[::1")], "is not a URL"),
            ("bucket".into(), &[("AWS_METADATA_ENDPOINT", "http://a b")], "AWS_METADATA_ENDPOINT"),
        ] {
            let settings = Settings::parse(Vendor::Amazon, &url).unwrap();
            let var = |name: &str| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned());
            let error = client(&settings, var).err().map(|failure| failure.at("open"));
            let error = error.unwrap_or_else(|| panic!("{url} {variables:?} was taken"));
            assert_eq!(error.kind(), BucketErrorKind::InvalidUrl, "{error}");
            assert!(error.to_string().contains(expected), "{url}: {error}");
        }
    }

    #[test]
    fn a_line_break_behind_a_mounted_secret_is_cut_off() {
        let variables = [("AWS_ACCESS_KEY_ID", "id\n"), ("AWS_SECRET_ACCESS_KEY", "secret\r\n")];
        let var = |name: &str| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned());
        assert!(client(&Settings::parse(Vendor::Amazon, "bucket").unwrap(), var).is_ok());
    }
}
