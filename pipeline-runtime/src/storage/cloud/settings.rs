//! [`Settings`]: the settings in the URL of a bucket in a cloud, before anything is resolved.
//!
//! ```text
//! s3://BUCKET?endpoint=http://127.0.0.1:9000&region=eu-west-1&path_style=true&profile=NAME&timeout=20s&retries=3&part_size=64MiB&conditions=none
//! gs://BUCKET?credentials=/etc/key.json&endpoint=http://127.0.0.1:9000
//! az://CONTAINER?account=NAME&endpoint=http://127.0.0.1:10000/NAME
//! ```

use std::fmt;
use std::time::Duration;

use pipeline_syntax::duration::{self, Zero};

use super::super::key;
use super::vendor::Vendor;

/// The time limit for a lookup of a key or a page of a listing in all, and for a transfer without progress. It is below the
/// sensors' default poke interval (60 s), so that a poke of a dead store ends before the next one is due.
const TIMEOUT: Duration = Duration::from_secs(20);
/// How often a request is sent again after a passing failure.
const RETRIES: usize = 3;
/// The size of the first parts.
const PART: usize = 8 << 20;
/// S3's minimum size of every part but the last, and its maximum for one request.
const SMALLEST_PART: u64 = 5 << 20;
const LARGEST_PUT: u64 = 5 << 30;

/// A bucket, and how to reach it. Missing settings come from the environment and the profile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in super::super) struct Settings {
    pub(in super::super) vendor: Vendor,
    pub(in super::super) bucket: String,
    pub(super) endpoint: Option<String>,
    pub(super) region: Option<String>,
    /// True if the bucket's name is in the path, false if it is in the host's name.
    pub(super) path_style: Option<bool>,
    pub(super) profile: Option<String>,
    /// The file with Google's credentials.
    pub(super) credentials: Option<String>,
    /// The storage account on Azure.
    pub(super) account: Option<String>,
    pub(super) key: Option<AccessKey>,
    pub(super) timeout: Duration,
    pub(super) retries: usize,
    /// The size of the first parts of an upload; a smaller object is one request.
    pub(super) part_size: usize,
    /// True if the store has to enforce conditions. Otherwise this process checks them before it writes.
    pub(super) has_conditions: bool,
    /// True if requests carry a checksum in addition to their signature.
    pub(super) has_checksums: bool,
}

/// Credentials. Only the `id` appears in `Debug` output.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct AccessKey {
    pub(super) id: String,
    pub(super) secret: String,
    pub(super) token: Option<String>,
}

impl Settings {
    /// `rest` is the URL behind the scheme. The error completes the sentence "… is not a bucket URL: …" and contains no
    /// credentials.
    pub(in super::super) fn parse(vendor: Vendor, rest: &str) -> Result<Self, String> {
        let form = format!("{}://{}", vendor.scheme(), vendor.bucket());
        let (name, query) = rest.split_once('?').unwrap_or((rest, ""));
        let name = name.strip_prefix('/').unwrap_or(name);
        let name = name.strip_suffix('/').unwrap_or(name);
        if name.contains('@') {
            return Err(format!("credentials do not belong in front of the bucket; {}", vendor.credentials()));
        }
        if name.contains('/') {
            return Err(format!("write `{form}`; what follows a `/` belongs to the keys"));
        }
        key::parse(name).map_err(|reason| format!("its name {reason}; write `{form}`"))?;
        check_name(vendor, name)?;
        let mut settings = Self {
            vendor,
            bucket: name.to_owned(),
            endpoint: None,
            region: None,
            path_style: None,
            profile: None,
            credentials: None,
            account: None,
            key: None,
            timeout: TIMEOUT,
            retries: RETRIES,
            part_size: PART,
            has_conditions: true,
            has_checksums: false,
        };
        settings.query(query)?;
        Ok(settings)
    }

    fn query(&mut self, query: &str) -> Result<(), String> {
        let (mut id, mut secret, mut token) = (None, None, None);
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let value = decoded(value).ok_or_else(|| format!("the value of `{name}` is not percent-encoded UTF-8"))?;
            if value.is_empty() {
                return Err(format!("`{name}` has no value"));
            }
            let names = setting_names(self.vendor);
            if !names.contains(&name) {
                return Err(format!(
                    "`{name}` is not a setting of `{}://`; its settings are {}",
                    self.vendor.scheme(),
                    names.join(", ")
                ));
            }
            match name {
                "endpoint" => self.endpoint = Some(endpoint(self.vendor, &value)?),
                "region" => self.region = Some(value),
                "path_style" => {
                    self.path_style = Some(value.parse().map_err(|_| "`path_style` is neither `true` nor `false`")?);
                }
                "profile" => self.profile = Some(value),
                "credentials" => self.credentials = Some(value),
                "account" => self.account = Some(value),
                "timeout" => self.timeout = timeout(&value)?,
                "retries" => self.retries = value.parse().map_err(|_| "`retries` is not a number")?,
                "part_size" => self.part_size = part_size(&value)?,
                "conditions" if value == "none" => self.has_conditions = false,
                "conditions" => return Err("`conditions` can only be `none`, for a store that does not enforce them".into()),
                "checksum" if value == "sha256" => self.has_checksums = true,
                "checksum" => return Err("`checksum` can only be `sha256`".into()),
                "access_key_id" => id = Some(value),
                "secret_access_key" => secret = Some(value),
                // The name was checked above.
                _ => token = Some(value),
            }
        }
        self.key = match (id, secret, token) {
            (Some(id), Some(secret), token) => Some(AccessKey { id, secret, token }),
            (None, None, None) => None,
            _ => return Err("`access_key_id` and `secret_access_key` belong together".into()),
        };
        Ok(())
    }
}

/// The settings that a URL may contain.
fn setting_names(vendor: Vendor) -> Vec<&'static str> {
    let own: &[_] = match vendor {
        Vendor::Amazon => &["region", "path_style", "profile", "checksum", "access_key_id", "secret_access_key", "session_token"],
        Vendor::Google => &["credentials"],
        Vendor::Azure => &["account"],
    };
    ["endpoint", "timeout", "retries", "part_size", "conditions"].iter().chain(own).copied().collect()
}

fn check_name(vendor: Vendor, name: &str) -> Result<(), String> {
    let (what, most, others) = match vendor {
        Vendor::Amazon => ("a bucket's name on S3", 63, &b".-_"[..]),
        Vendor::Google => ("a bucket's name on Google Cloud Storage", 222, &b".-_"[..]),
        Vendor::Azure => ("a container's name on Azure", 63, &b"-$"[..]),
    };
    if !(3..=most).contains(&name.len()) {
        return Err(format!("{what} has 3 to {most} characters"));
    }
    // Only early S3 buckets have uppercase letters.
    let is_one =
        |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || vendor == Vendor::Amazon && byte.is_ascii_uppercase();
    if name.bytes().all(|byte| is_one(byte) || others.contains(&byte)) {
        return Ok(());
    }
    let letters = if vendor == Vendor::Amazon { "letters" } else { "lowercase letters" };
    let others: Vec<_> = others.iter().map(|byte| format!("`{}`", char::from(*byte))).collect();
    Err(format!("{what} has {letters}, digits, {} only", others.join(" and ")))
}

/// Checks an endpoint. An Azure emulator has the account in its path.
pub(super) fn endpoint(vendor: Vendor, url: &str) -> Result<String, String> {
    let url = url.trim_end_matches('/');
    let host = url.strip_prefix("http://").or_else(|| url.strip_prefix("https://"));
    let host = match host.and_then(|host| host.split_once('/')) {
        Some((host, account)) if vendor == Vendor::Azure && !account.contains('/') => Some(host),
        _ => host,
    };
    match host {
        Some(host) if host.contains('@') => Err("the endpoint contains credentials; set them separately".into()),
        Some(host) if !host.is_empty() && !host.contains(['/', '?', '#', ' ']) => Ok(url.to_owned()),
        _ => Err("the endpoint is not `http://HOST:PORT` or `https://HOST`".into()),
    }
}

fn part_size(value: &str) -> Result<usize, String> {
    let units = [("MiB", 20), ("GiB", 30)];
    let bytes =
        units.iter().find_map(|(unit, bits)| value.strip_suffix(unit)?.trim().parse::<u64>().ok()?.checked_mul(1 << bits));
    let bytes = bytes.filter(|bytes| (SMALLEST_PART..=LARGEST_PUT).contains(bytes));
    bytes
        .and_then(|bytes| usize::try_from(bytes).ok())
        .ok_or_else(|| "`part_size` is not between `5MiB` and `5GiB`, the sizes of parts that stores accept".into())
}

fn timeout(value: &str) -> Result<Duration, String> {
    duration::parse(value, Zero::Refused).map_err(|why| format!("`timeout` is not a duration such as `20s`: {why}"))
}

/// Undoes percent-encoding. A `+` stays as it is, because secrets contain it.
fn decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let mut digit = || char::from(rest.next()?).to_digit(16);
            let code = digit()? * 16 + digit()?;
            bytes.push(u8::try_from(code).ok()?);
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).ok()
}

impl fmt::Debug for AccessKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AccessKey({})", self.id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_says_where_and_how() -> Result<(), String> {
        for written in ["data-bucket", "/data-bucket", "data-bucket/"] {
            let settings = Settings::parse(Vendor::Amazon, written)?;
            assert_eq!((settings.bucket.as_str(), settings.timeout, settings.retries), ("data-bucket", TIMEOUT, RETRIES));
        }
        let url = "bucket?endpoint=http%3A//127.0.0.1:9000/&region=eu-west-1&path_style=false&timeout=3s&retries=0\
                   &part_size=1GiB&conditions=none&access_key_id=AKIA&secret_access_key=a+b%2Fc&session_token=t";
        let settings = Settings::parse(Vendor::Amazon, url)?;
        assert_eq!(settings.endpoint.as_deref(), Some("http://127.0.0.1:9000"));
        assert_eq!((settings.region.as_deref(), settings.path_style), (Some("eu-west-1"), Some(false)));
        assert_eq!((settings.timeout, settings.retries), (Duration::from_secs(3), 0));
        assert_eq!((settings.part_size, settings.has_conditions), (1 << 30, false));
        let text = format!("{settings:?}");
        assert!(text.contains("AKIA") && !text.contains("a+b"), "{text}");
        assert_eq!(settings.key.map(|key| key.secret).as_deref(), Some("a+b/c"));
        Ok(())
    }

    #[test]
    fn mistakes_are_told_without_secrets() {
        for (written, expected) in [
            ("", "its name is empty"),
            ("b", "3 to 63"),
            ("b/raw", "belongs to the keys"),
            ("id:hidden@bucket", "AWS_ACCESS_KEY_ID"),
            ("b ucket", "letters, digits"),
            ("bucket?endpoint=localhost:9000", "not `http://HOST:PORT`"),
            ("bucket?endpoint=http://u:hidden@localhost", "contains credentials"),
            ("bucket?regoin=eu", "`regoin` is not a setting of `s3://`; its settings are endpoint, timeout"),
            ("bucket?path_style=yes", "neither `true` nor `false`"),
            ("bucket?timeout=20", "`timeout` is not a duration such as `20s`: the unit is missing: write `20s`"),
            ("bucket?timeout=0s", "longer than zero"),
            ("bucket?retries=-1", "not a number"),
            ("bucket?part_size=8", "between `5MiB` and `5GiB`"),
            ("bucket?part_size=4MiB", "between `5MiB` and `5GiB`"),
            ("bucket?part_size=6GiB", "between `5MiB` and `5GiB`"),
            ("bucket?conditions=all", "can only be `none`"),
            ("bucket?checksum=md5", "can only be `sha256`"),
            ("bucket?region=%ff", "percent-encoded"),
            ("bucket?region=", "has no value"),
            ("bucket?secret_access_key=hidden", "belong together"),
        ] {
            let error = Settings::parse(Vendor::Amazon, written).err().unwrap_or_default();
            assert!(error.contains(expected) && !error.contains("hidden"), "{written}: {error}");
        }
    }

    #[test]
    fn each_vendor_has_its_own_settings() -> Result<(), String> {
        let google = Settings::parse(Vendor::Google, "my.bucket?credentials=/etc/key.json&endpoint=http://127.0.0.1:9000")?;
        assert_eq!((google.credentials.as_deref(), google.bucket.as_str()), (Some("/etc/key.json"), "my.bucket"));
        let azure = Settings::parse(Vendor::Azure, "exports?account=acct&endpoint=http://127.0.0.1:10000/acct")?;
        assert_eq!((azure.account.as_deref(), azure.endpoint.as_deref()), (Some("acct"), Some("http://127.0.0.1:10000/acct")));
        for (vendor, written, expected) in [
            (Vendor::Google, "bucket?region=eu", "`region` is not a setting of `gs://`; its settings are"),
            (Vendor::Azure, "bucket?access_key_id=x", "`access_key_id` is not a setting of `az://`"),
            (Vendor::Amazon, "bucket?account=x", "`account` is not a setting of `s3://`"),
            (Vendor::Google, "Bucket", "has lowercase letters, digits, `.` and `-` and `_` only"),
            (Vendor::Azure, "my.bucket", "a container's name on Azure has lowercase letters, digits, `-` and `$` only"),
            (Vendor::Azure, "b/raw", "write `az://CONTAINER`; what follows a `/` belongs to the keys"),
            (Vendor::Google, "id@bucket", "GOOGLE_APPLICATION_CREDENTIALS"),
            (Vendor::Google, "bucket?endpoint=http://host/path", "not `http://HOST:PORT`"),
            (Vendor::Azure, "exports?endpoint=http://host/a/b", "not `http://HOST:PORT`"),
        ] {
            let error = Settings::parse(vendor, written).err().unwrap_or_default();
            assert!(error.contains(expected), "{written}: {error}");
        }
        Ok(())
    }
}
