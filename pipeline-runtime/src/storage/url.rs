//! Bucket URLs, parsed without any I/O.
//!
//! | written | the bucket |
//! |---|---|
//! | `memory://name`, `memory:///name` | the memory bucket `name` |
//! | `file:///srv/data/name` | the folder `/srv/data/name` |
//! | `s3://name`, `gs://name`, `az://name`, with `?endpoint=..` | the bucket `name` in a cloud; see `cloud/settings.rs` |
//! | `file://./mock/name`, `file://../name` | the folder relative to the current directory when the bucket is opened |
//!
//! A file path is used as it is, without percent-encoding, so that `format!("file://{}", path.display())` is a valid URL.

use std::path::PathBuf;

#[cfg(feature = "cloud")]
use super::cloud::{Settings, Vendor};
use super::error::BucketError;
use super::key;

/// Where a bucket is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Location {
    /// An absolute path, as UTF-8.
    File(String),
    Memory(String),
    #[cfg(feature = "cloud")]
    Cloud(Box<Settings>),
}

impl Location {
    /// Parses a bucket's URL.
    pub(super) fn parse(url: &str) -> Result<Self, BucketError> {
        let invalid = |reason: &str| BucketError::invalid_url(format!("`{}` is not a bucket URL: {reason}", shown(url)));
        match Scheme::of(url)? {
            Scheme::Memory(rest) => {
                let name = rest.strip_prefix('/').unwrap_or(rest);
                let name = name.strip_suffix('/').unwrap_or(name);
                match key::parse(name) {
                    Ok(_) if name.contains('/') => Err(invalid("write `memory://NAME`; a name cannot contain `/`")),
                    Ok(_) => Ok(Self::Memory(name.to_owned())),
                    Err(reason) => Err(invalid(&format!("its name {reason}; write `memory://NAME`"))),
                }
            }
            Scheme::File(rest) => Ok(Self::File(absolute(rest).map_err(|reason| invalid(&reason))?)),
            #[cfg(feature = "cloud")]
            Scheme::Cloud(vendor, rest) => {
                Ok(Self::Cloud(Box::new(Settings::parse(vendor, rest).map_err(|reason| invalid(&reason))?)))
            }
        }
    }

    /// Parses the URL of one object. In memory the first segment is the bucket. For a file it is the parent folder, because the
    /// URL does not show which of its folders was opened as a bucket.
    pub(super) fn parse_object(url: &str) -> Result<(Self, String), BucketError> {
        let invalid = |reason: &str| BucketError::invalid_url(format!("`{}` is not an object URL: {reason}", shown(url)));
        match Scheme::of(url)? {
            Scheme::Memory(rest) => {
                let (name, key) = rest
                    .strip_prefix('/')
                    .unwrap_or(rest)
                    .split_once('/')
                    .ok_or_else(|| invalid("write `memory://BUCKET/KEY`"))?;
                Ok((Self::parse(&format!("memory://{name}"))?, key.to_owned()))
            }
            #[cfg(feature = "cloud")]
            Scheme::Cloud(vendor, rest) => {
                let scheme = vendor.scheme();
                let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
                let (name, key) = path
                    .strip_prefix('/')
                    .unwrap_or(path)
                    .split_once('/')
                    .ok_or_else(|| invalid(&format!("write `{scheme}://BUCKET/KEY`")))?;
                Ok((Self::parse(&format!("{scheme}://{name}?{query}"))?, key.to_owned()))
            }
            Scheme::File(rest) if rest.ends_with('/') => Err(invalid("it ends with `/`, as a folder does")),
            Scheme::File(rest) => {
                let path = absolute(rest).map_err(|reason| invalid(&reason))?;
                match path.rsplit_once('/') {
                    Some((folder, name)) if !folder.is_empty() => Ok((Self::File(folder.to_owned()), name.to_owned())),
                    _ => Err(invalid("write `file:///FOLDER/NAME`")),
                }
            }
        }
    }

    /// The URL in its normal form.
    pub(super) fn url(&self) -> String {
        match self {
            Self::File(path) => format!("file://{path}"),
            Self::Memory(name) => format!("memory://{name}"),
            #[cfg(feature = "cloud")]
            Self::Cloud(settings) => format!("{}://{}", settings.vendor.scheme(), settings.bucket),
        }
    }
}

enum Scheme<'a> {
    File(&'a str),
    Memory(&'a str),
    #[cfg(feature = "cloud")]
    Cloud(Vendor, &'a str),
}

impl<'a> Scheme<'a> {
    fn of(url: &'a str) -> Result<Self, BucketError> {
        let schemes =
            "known schemes are `file://`, `memory://` and, by features, `s3://` (`s3`), `gs://` (`gcp`) and `az://` (`azure`)";
        let Some((scheme, rest)) = url.split_once("://") else {
            return Err(BucketError::invalid_url(format!("`{}` is not a URL: {schemes}", shown(url))));
        };
        match scheme.to_ascii_lowercase().as_str() {
            "file" => Ok(Self::File(rest)),
            "memory" => Ok(Self::Memory(rest)),
            "s3" => Self::cloud(url, rest, "s3", "s3"),
            "gs" => Self::cloud(url, rest, "gs", "gcp"),
            "az" => Self::cloud(url, rest, "az", "azure"),
            _ => Err(BucketError::invalid_url(format!("no store for `{}`: {schemes}", shown(url)))),
        }
    }

    /// A build without the feature refuses the bucket.
    #[cfg_attr(not(feature = "cloud"), allow(unused_variables, reason = "no store takes the rest"))]
    fn cloud(url: &str, rest: &'a str, scheme: &str, feature: &str) -> Result<Self, BucketError> {
        #[cfg(feature = "cloud")]
        if let Some(vendor) = Vendor::of(scheme).filter(|vendor| vendor.is_built()) {
            return Ok(Self::Cloud(vendor, rest));
        }
        let url = shown(url);
        let missing = format!(
            "an `{scheme}://` bucket needs the feature `{feature}`: `pipeline-runtime = {{ .., features = [\"{feature}\"] }}`"
        );
        Err(BucketError::invalid_url(format!("no store for `{url}`: {missing}")))
    }
}

/// Makes the path of a `file://` URL absolute. The error completes the sentence "… is not a bucket URL: …".
fn absolute(path: &str) -> Result<String, String> {
    if path.chars().any(char::is_control) {
        return Err("its path contains a control character".into());
    }
    let relative = path.starts_with("./") || path.starts_with("../");
    if !relative && !path.starts_with('/') {
        return Err("write `file:///PATH` for an absolute folder or `file://./PATH` for a relative one".into());
    }
    let absolute: PathBuf = std::path::absolute(path)
        .map_err(|error| format!("the current folder, which it is relative to, is unknown ({error})"))?
        .components()
        .collect();
    if absolute.file_name().is_none() {
        return Err("its path does not end in a name".into());
    }
    absolute.into_os_string().into_string().map_err(|_| "the current folder's name is not UTF-8".into())
}

/// A URL for a message, without credentials: these are in front of an `@` or behind a `?`.
///
/// A password may contain a `?`, and a query an `@`. If an `@` follows a `?`, it is unclear which of the two it is, so nothing
/// behind the scheme is shown.
fn shown(url: &str) -> String {
    let (url, query) = url.split_once('?').unwrap_or((url, ""));
    if query.contains('@') {
        return url.split_once("://").map_or_else(|| "…".to_owned(), |(scheme, _)| format!("{scheme}://…"));
    }
    match (url.split_once("://"), url.rsplit_once('@')) {
        (Some((scheme, _)), Some((_, host))) => format!("{scheme}://…@{host}"),
        (None, Some((_, host))) => format!("…@{host}"),
        _ => url.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(written: &str) -> Result<String, String> {
        Location::parse(written).map(|location| location.url()).map_err(|error| error.to_string())
    }

    #[test]
    fn one_bucket_has_one_url() {
        for (written, normal) in [
            ("memory://b", "memory://b"),
            ("memory:///b", "memory://b"),
            ("memory:///b/", "memory://b"),
            ("Memory://Bücher", "memory://Bücher"),
            ("file:///tmp/b", "file:///tmp/b"),
            ("file:///tmp//b/", "file:///tmp/b"),
            ("file:///tmp/a b/100%20", "file:///tmp/a b/100%20"),
        ] {
            assert_eq!(url(written).as_deref(), Ok(normal));
        }
    }

    #[test]
    fn a_relative_folder_becomes_absolute() -> std::io::Result<()> {
        let here = std::env::current_dir()?;
        assert_eq!(url("file://./mock/b"), Ok(format!("file://{}/mock/b", here.display())));
        Ok(())
    }

    #[test]
    fn what_is_no_bucket_is_refused() {
        for written in [
            "",
            "b",
            "/tmp/b",
            "memory://",
            "memory:///",
            "memory://a/b",
            "memory://..",
            "memory:////b",
            "file://",
            "file:///",
            "file://host/b",
            "file:///tmp/..",
            "file:///tmp/\0",
            "s3://",
            "s3://b/raw",
            "gs://b",
        ] {
            assert!(url(written).is_err(), "{written:?}");
        }
    }

    #[test]
    fn an_unknown_scheme_names_the_known_ones_and_no_secret() {
        let error = url("ftp://key:secret@bucket?token=secret").err().unwrap_or_default();
        for part in ["ftp://…@bucket", "`file://`", "`memory://`", "`s3://`"] {
            assert!(error.contains(part), "{error}");
        }
        assert!(!error.contains("secret"), "{error}");
        for url in ["gs://user:sec?ret@host", "gs://bucket?token=sec@ret", "user:sec?ret@host"] {
            let shown = shown(url);
            assert!(!shown.contains("sec") && !shown.contains("ret") && !shown.contains("user"), "{url}: {shown}");
        }
    }

    #[test]
    fn an_object_has_a_bucket_and_a_key() {
        let split = |url: &str| Location::parse_object(url).map(|(location, key)| (location.url(), key)).ok();
        let pair = |bucket: &str, key: &str| Some((bucket.to_owned(), key.to_owned()));
        assert_eq!(split("memory://b/raw/x.json"), pair("memory://b", "raw/x.json"));
        assert_eq!(split("memory:///b/raw/x.json"), pair("memory://b", "raw/x.json"));
        assert_eq!(split("file:///tmp/b/raw/x.json"), pair("file:///tmp/b/raw", "x.json"));
        for none in ["memory://b", "memory://b", "file:///x", "file:///tmp/b/", "x"] {
            assert_eq!(split(none), None);
        }
    }
}
