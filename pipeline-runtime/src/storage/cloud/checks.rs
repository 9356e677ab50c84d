//! Checks before `object_store` gets the settings, because it panics on many mistyped ones.

use super::super::error::{BucketErrorKind, Failure};
use super::settings::AccessKey;
use hyper::Uri;
use reqwest::Url;

fn wrong(detail: String) -> Failure {
    Failure::new(BucketErrorKind::InvalidUrl, detail)
}

/// Checks a region. It is part of each signature, and of the host's name unless an endpoint is given.
pub(super) fn region(region: &str, names_the_host: bool) -> Result<(), Failure> {
    let is_one = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    let is_taken = |byte: u8| is_one(byte) || !names_the_host && (byte.is_ascii_uppercase() || b"._".contains(&byte));
    if !region.is_empty() && region.len() <= 64 && region.bytes().all(is_taken) {
        return Ok(());
    }
    Err(wrong(format!(
        "{region:?} is not a region such as `eu-west-1`; correct AWS_REGION, or `region` in the bucket's URL or the profile"
    )))
}

/// Checks credentials, and removes a line end behind them, which mounted secret files often have.
pub(super) fn key(key: AccessKey) -> Result<AccessKey, Failure> {
    Ok(AccessKey {
        id: word("access key id", key.id)?,
        secret: word("secret access key", key.secret)?,
        token: key.token.map(|token| word("session token", token)).transpose()?,
    })
}

pub(super) fn word(what: &str, text: String) -> Result<String, Failure> {
    let cut = text.trim_end_matches(['\n', '\r']);
    if cut.is_empty() || !cut.bytes().all(|byte| byte.is_ascii_graphic()) {
        // The message never contains the text itself.
        return Err(wrong(format!("the {what} is empty, or contains a space, a line break or a non-ASCII character")));
    }
    if cut.len() == text.len() {
        return Ok(text);
    }
    tracing::warn!("the {what} ended with a line break, which was cut off; set it without one");
    Ok(cut.to_owned())
}

/// Checks the URL that requests begin with: the endpoint's, with or without the bucket in front of its host.
pub(super) fn endpoint(url: &str, path_style: bool) -> Result<(), Failure> {
    let is_one = |text: &str| {
        let (Ok(url), Ok(uri)) = (Url::parse(text), text.parse::<Uri>()) else { return false };
        url.host_str().is_some_and(|host| !host.is_empty()) && uri.host().is_some_and(|host| !host.is_empty())
    };
    // The two parsers disagree on a colon without a port.
    if is_one(url) && !url.ends_with(':') && is_one(&format!("{url}/key")) {
        return Ok(());
    }
    let hint =
        if path_style { "" } else { "; a bucket cannot precede an IP address: leave `path_style` out, or set it to `true`" };
    Err(wrong(format!("the endpoint `{url}` is not a URL{hint}")))
}

/// Checks an environment variable that configures a source of credentials.
pub(super) fn variable(name: &str, value: &str) -> Result<(), Failure> {
    let is_url = name.contains("ENDPOINT") || name.ends_with("FULL_URI");
    let is_one = match name {
        "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI" => value.starts_with('/') && value.parse::<Uri>().is_ok(),
        _ if is_url => Url::parse(value).is_ok() && value.parse::<Uri>().is_ok(),
        _ => !value.chars().any(char::is_control),
    };
    if is_one { Ok(()) } else { Err(wrong(format!("{name} has an invalid value: {value:?}"))) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_mistyped_is_refused() {
        for text in ["", " eu-west-1", "eu-west-1\n", "eu west", "eu/west", "é", "EU", "eu.west", "eu_west"] {
            assert!(region(text, true).is_err(), "{text:?}");
        }
        for text in ["EU", "eu.west", "my_region", "us-east-1"] {
            assert!(region(text, false).is_ok(), "{text:?}");
        }
        for text in ["a b", "a\nb", "é", "\n", "", "a\u{7f}", "\ta"] {
            let key = key(AccessKey { id: "id".into(), secret: text.into(), token: None });
            assert!(key.is_err(), "{text:?}");
        }
        let cut = key(AccessKey { id: "id\n".into(), secret: "secret\r\n".into(), token: Some("token".into()) }).unwrap();
        assert_eq!((cut.id.as_str(), cut.secret.as_str()), ("id", "secret"));
    }

    #[test]
    fn an_endpoint_has_a_host_that_suits_its_style() {
        for url in ["http://localhost:9000", "https://s3.example.com", "http://[::1]:9000", "http://bucket.localhost"] {
            assert!(endpoint(url, true).is_ok(), "{url}");
        }
        for url in [
            "http://localhost:99999",
            "http://local host",
            "http://a\tb",
            "http://é.com",
            "http://[::1",
            "http://",
            "http://:80",
            "http://a:",
            "http://a%",
        ] {
            assert!(endpoint(url, true).is_err(), "{url}");
        }
        let error = endpoint("http://bucket.127.0.0.1:9000", false).unwrap_err().at("open").to_string();
        assert!(error.contains("leave `path_style` out"), "{error}");
    }

    #[test]
    fn variables_of_credentials_are_looked_at() {
        for (name, value, is_right) in [
            ("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/v2/credentials", true),
            ("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "v2 credentials", false),
            ("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://169.254.170.23/v1", true),
            ("AWS_CONTAINER_CREDENTIALS_FULL_URI", "169.254.170.23/v1 x", false),
            ("AWS_METADATA_ENDPOINT", "http://a b", false),
            ("AWS_ROLE_SESSION_NAME", "a\nb", false),
            ("AWS_ROLE_SESSION_NAME", "night", true),
        ] {
            assert_eq!(variable(name, value).is_ok(), is_right, "{name} {value}");
        }
    }
}
