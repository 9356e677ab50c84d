//! Objects modified since a time, with clocks that report whole seconds and that are off.

use std::fs::File;
use std::path::Path;
use std::time::SystemTime;

use chrono::{DateTime, SubsecRound, TimeDelta, Utc};
use pipeline_runtime::Bucket;

use crate::cases::{Tested, keys};
use crate::log::Log;
use crate::server::{Like, Server};

/// Puts an object with that time by the store's clock, cut to whole seconds as such a store does.
async fn put(bucket: &Bucket, folder: &Path, key: &str, at: DateTime<Utc>) -> Tested {
    bucket.put(key, "x").await?;
    File::options().write(true).open(folder.join(key))?.set_modified(SystemTime::from(at.trunc_subsecs(0)))?;
    Ok(())
}

/// A poll that asks for changes since the time of the last one sees each object.
#[tokio::test]
async fn a_poll_loses_nothing_at_the_boundary_of_a_second() -> Tested {
    let server = Server::start().await?;
    let folder = server.make("seconds")?;
    let bucket = Bucket::open(&server.url("seconds"))?;
    let start = Utc::now().trunc_subsecs(0);
    let mut lost = Vec::new();
    // Puts at each tenth of a second, with polls in between.
    for tenth in 0..30 {
        let (asked, written) = (start + TimeDelta::milliseconds(tenth * 100), start + TimeDelta::milliseconds(tenth * 100 + 50));
        let key = format!("{tenth:02}");
        put(&bucket, &folder, &key, written).await?;
        if !keys(&bucket.modified_since("", asked).await?).contains(&key.as_str()) {
            lost.push(key);
        }
    }
    assert_eq!(lost, Vec::<String>::new());
    Ok(())
}

/// A server's clock that is a minute slow gives a new object a time in the past.
#[tokio::test]
async fn a_store_whose_clock_is_off_hides_nothing() -> Tested {
    for (name, ahead) in [("behind", -60), ("ahead", 60), ("right", 0)] {
        let server = Server::like(Like { ahead, ..Like::default() }).await?;
        let folder = server.make(name)?;
        let bucket = Bucket::open(&server.url(name))?;
        let (log, _listening) = Log::listen();
        let boundary = Utc::now();
        put(&bucket, &folder, "new", boundary + TimeDelta::seconds(ahead)).await?;
        put(&bucket, &folder, "old", boundary + TimeDelta::seconds(ahead) - TimeDelta::minutes(5)).await?;
        assert_eq!(keys(&bucket.modified_since("", boundary).await?), ["new"], "{name}");
        let said = log.lines();
        match name {
            "right" => assert_eq!(said, Vec::<String>::new()),
            _ => assert!(
                said.len() == 1
                    && [58, 59, 60].iter().any(|seconds| said[0].contains(&format!("is at least {seconds} s {name}"))),
                "{said:#?}"
            ),
        }
    }
    Ok(())
}
