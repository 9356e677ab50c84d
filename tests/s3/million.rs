//! The number of requests of one poke if a million keys share a prefix. The docs of `Bucket` and of the sensors have the same
//! numbers.

use pipeline_runtime::sensors::{any_with_prefix, at_least_bytes, key_exists, keys_exist};
use pipeline_runtime::{Object, Poke};

use crate::cases::Tested;
use crate::generated::{Generated, KEYS};

fn key(poke: Poke<Object>) -> Option<String> {
    match poke {
        Poke::Ready(object) => Some(object.key),
        Poke::NotYet | Poke::NotBefore(_) => None,
    }
}

#[tokio::test]
async fn a_key_is_one_request() -> Tested {
    let server = Generated::start().await?;
    let poke = async |key: &str| key_exists::call(server.bucket.clone(), key.into()).await;
    assert_eq!(key(poke("events/none.csv").await?), None);
    assert_eq!(server.requests(), (1, 1), "the first time that a key is missed, the bucket is looked for");
    for _ in 0..3 {
        assert_eq!(key(poke("events/none.csv").await?), None);
        assert_eq!(server.requests(), (1, 0));
    }
    assert_eq!(key(poke("events/0999999.csv").await?).as_deref(), Some("events/0999999.csv"));
    assert_eq!(server.requests(), (1, 0));

    let both = vec!["events/0999999.csv".to_owned(), "events/none.csv".to_owned()];
    assert!(matches!(keys_exist::call(server.bucket.clone(), both).await?, Poke::NotYet));
    assert_eq!(server.requests(), (2, 0), "one for each key up to the first that is missing");
    Ok(())
}

#[tokio::test]
async fn a_glob_is_one_request_for_each_page_up_to_its_first_match() -> Tested {
    let server = Generated::start().await?;
    for (glob, found, pages) in [
        ("events/099999*.csv", Some("events/0999990.csv"), 1),
        ("events/*", Some("events/0000000.csv"), 1),
        ("events/1*", None, 1),
        // All keys with the glob's literal prefix are listed.
        ("events/099*.json", None, 10),
        ("events/099*9999.csv", Some("events/0999999.csv"), 10),
    ] {
        let seen = key(key_exists::call(server.bucket.clone(), glob.into()).await?);
        assert_eq!((seen.as_deref(), server.requests()), (found, (0, pages)), "{glob}");
    }
    let large = at_least_bytes::call(server.bucket.clone(), "events/099*.csv".into(), 1).await?;
    assert_eq!((key(large).as_deref(), server.requests()), (Some("events/0990000.csv"), (0, 1)));
    let large = at_least_bytes::call(server.bucket.clone(), "events/099*.csv".into(), 2).await?;
    assert_eq!((key(large), server.requests()), (None, (0, 10)), "none is large enough, and each is looked at");
    Ok(())
}

/// An empty listing is one request. Once there are keys, all their pages are read, but only once: then the wait is over.
#[tokio::test]
async fn a_prefix_is_one_request_until_something_is_there() -> Tested {
    let server = Generated::start().await?;
    let poke = async |prefix: &str| any_with_prefix::call(server.bucket.clone(), prefix.into()).await;
    for _ in 0..3 {
        assert!(matches!(poke("events/1").await?, Poke::NotYet));
        assert_eq!(server.requests(), (0, 1));
    }
    let Poke::Ready(found) = poke("events/099").await? else { return Err("ten thousand keys begin so".into()) };
    assert_eq!((found.len(), server.requests()), (10_000, (0, 10)));
    Ok(())
}

/// A stream requests pages as they are read: none ahead, and none once it is dropped.
#[tokio::test]
async fn a_stream_is_a_request_for_each_thousand_keys_that_are_read() -> Tested {
    let server = Generated::start().await?;
    let mut listing = server.bucket.list_stream("events/0")?;
    assert_eq!(server.requests(), (0, 0), "nothing before it is read");
    for (number, pages) in [(0, 1), (999, 0), (1000, 1), (1999, 0), (2000, 1)] {
        while let Some(object) = listing.try_next().await? {
            if object.key == format!("events/{number:07}.csv") {
                break;
            }
        }
        assert_eq!(server.requests(), (0, pages), "{number}");
    }
    drop(listing);
    let mut found = server.bucket.find_stream("events/099*9999.csv")?;
    assert_eq!(found.try_next().await?.map(|object| object.key).as_deref(), Some("events/0999999.csv"));
    assert_eq!((found.try_next().await?, server.requests()), (None, (0, 10)));
    assert_eq!(server.bucket.find_stream("events/0000007.csv")?.try_next().await?.map(|object| object.size), Some(1));
    assert_eq!(server.requests(), (1, 0), "a key is a look");
    Ok(())
}

/// The two sensors that read every page.
#[tokio::test]
#[ignore = "minutes in a debug build: see scripts/million_keys"]
async fn all_of_a_million_keys_are_a_thousand_requests() -> Tested {
    let server = Generated::start().await?;
    let last = key_exists::call(server.bucket.clone(), "events/*999999.csv".into()).await?;
    assert_eq!((key(last).as_deref(), server.requests()), (Some("events/0999999.csv"), (0, 1000)));
    let Poke::Ready(found) = any_with_prefix::call(server.bucket.clone(), "events/0".into()).await? else {
        return Err("a million keys begin so".into());
    };
    assert_eq!((found.len(), server.requests()), (KEYS, (0, 1000)));
    assert!(found.is_sorted_by(|a, b| a.key < b.key));
    Ok(())
}
