//! Foreign names among the keys.

use crate::cases::{Tested, keys};
use crate::log::Log;
use crate::server::{Fault, Server};

const LISTING: &str = "<ListBucketResult><Contents><Key>a/</Key><LastModified>2026-11-28T22:00:00Z</LastModified><Size>0</Size></Contents>\
<Contents><Key>a&#x0d;b</Key><LastModified>2026-11-28T22:00:00Z</LastModified><Size>1</Size></Contents>\
<Contents><Key>a//b</Key><LastModified>2026-11-28T22:00:00Z</LastModified><Size>1</Size></Contents>\
<Contents><Key>/a</Key><LastModified>2026-11-28T22:00:00Z</LastModified><Size>1</Size></Contents>\
<Contents><Key>good</Key><LastModified>2026-11-28T22:00:00Z</LastModified><Size>1</Size></Contents></ListBucketResult>";

const FOLDERS: &str = "<ListBucketResult><CommonPrefixes><Prefix>a//</Prefix></CommonPrefixes>\
<CommonPrefixes><Prefix>/</Prefix></CommonPrefixes><CommonPrefixes><Prefix>a/x&#13;y/</Prefix></CommonPrefixes>\
<CommonPrefixes><Prefix>a/./</Prefix></CommonPrefixes><CommonPrefixes><Prefix>a/good/</Prefix></CommonPrefixes></ListBucketResult>";

/// A single mistake of one producer must not hide all other objects.
#[tokio::test]
async fn a_name_that_is_no_key_spoils_no_listing() -> Tested {
    let server = Server::start().await?;
    let bucket = server.bucket("foreign")?;
    server.meet("GET /foreign?", [Fault::Told(LISTING), Fault::Told(LISTING), Fault::Told(LISTING), Fault::Told(FOLDERS)]);
    assert_eq!(keys(&bucket.list("").await?), ["good"]);
    assert_eq!(keys(&bucket.find("*").await?), ["good"]);
    assert_eq!(bucket.find_first("*").await?.map(|object| object.key).as_deref(), Some("good"));
    assert_eq!(bucket.list_prefixes("a/").await?, ["a/good/"]);
    Ok(())
}

/// Their number and an example are logged, once and not at each poll.
#[tokio::test]
async fn names_that_are_no_keys_are_counted_and_said() -> Tested {
    let server = Server::start().await?;
    let bucket = server.bucket("counted")?;
    let (log, _listening) = Log::listen();
    server.meet("GET /counted?", [Fault::Told(LISTING), Fault::Told(LISTING), Fault::Told(FOLDERS)]);
    bucket.list("").await?;
    let said = log.lines();
    assert!(
        said.len() == 1
            && said[0].contains("in `s3://counted` 3 name(s) that begin with \"\" are not valid keys, such as \"a\\rb\""),
        "{said:#?}"
    );
    bucket.list("").await?;
    assert_eq!(log.lines(), Vec::<String>::new(), "no more of them");
    bucket.list_prefixes("a/").await?;
    let said = log.lines();
    assert!(said.len() == 1 && said[0].contains("4 name(s) that begin with \"a/\" are not valid keys"), "{said:#?}");
    Ok(())
}

/// The same on `file://`.
#[tokio::test]
async fn file_names_that_are_no_keys_are_counted_and_said() -> Tested {
    let folder = tempfile::tempdir()?;
    for name in ["raw/a", "raw/b\nc", "raw/d\re", "other\n"] {
        std::fs::create_dir_all(folder.path().join("raw"))?;
        std::fs::write(folder.path().join(name), "")?;
    }
    let bucket = pipeline_runtime::Bucket::open(&format!("file://{}", folder.path().display()))?;
    let (log, _listening) = Log::listen();
    assert_eq!(keys(&bucket.list("raw/").await?), ["raw/a"]);
    let said = log.lines();
    assert!(said.len() == 1 && said[0].contains("2 name(s) that begin with \"raw/\" are not valid keys"), "{said:#?}");
    bucket.list("raw/").await?;
    assert_eq!(log.lines(), Vec::<String>::new());
    Ok(())
}
