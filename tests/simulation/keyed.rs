//! `.keyed`, `.in_order`, several results and plain lists: what identifies elements, and their order.

use super::tasks::*;
use pipeline_runtime::NodeState::{Failed, Removed, Skipped, Success, UpstreamFailed};
use pipeline_runtime::prelude::*;
use pipeline_runtime::{NodeState, RunReport, RunState, Simulation};
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Feed {
    name: String,
    rows: u64,
}

fn feed(line: &str) -> Feed {
    let (name, rows) = line.split_once(' ').unwrap_or((line, "1"));
    Feed { name: name.to_owned(), rows: rows.parse().unwrap() }
}

/// The feeds in an object, one per line.
#[task]
async fn feeds(bucket: Bucket) -> Result<Vec<Feed>> {
    let text = bucket.get("feeds").await?;
    Ok(String::from_utf8_lossy(&text).lines().map(feed).collect())
}
#[task]
async fn given(lines: Vec<String>) -> Result<Vec<Feed>> {
    Ok(lines.iter().map(|line| feed(line)).collect())
}
/// Fails for a feed without rows, and skips itself for one with a hundred.
#[task]
async fn load(ctx: Context, feed: Feed) -> Result<String> {
    match feed.rows {
        0 => Err(TaskError::fatal("no rows")),
        100 => Err(TaskError::skip("nothing new")),
        _ => Ok(format!("{} {}", ctx.idempotency_key().rsplit('/').next().unwrap(), feed.rows)),
    }
}
#[task]
async fn rows(feed: Feed) -> Result<u64> {
    Ok(feed.rows)
}
#[task]
async fn total(loaded: Vec<String>) -> Result<String> {
    Ok(loaded.join(", "))
}
/// Takes a minute.
#[task]
async fn slow(name: String) -> Result<String> {
    tokio::time::sleep(secs(60)).await;
    Ok(name)
}

fn states_of(report: &RunReport, name: &str) -> String {
    let nodes = report.nodes().filter(|node| node.id().starts_with(name));
    nodes.map(|node| format!("{} {}", node.id(), node.state())).collect::<Vec<_>>().join(", ")
}

#[test]
fn elements_go_by_their_keys() {
    #[pipeline]
    fn keyed() {
        let feeds = given(vec!["bart 3".to_owned(), "muni 4".to_owned()]).keyed(|feed| feed.name.clone());
        total(feeds.each(|feed| load(feed)));
        feeds.each(|feed| rows(feed));
    }
    let report = Simulation::new(keyed()).stub("rows[muni]", 40u64).run();
    assert_eq!(report.state(), RunState::Success, "{}", report.timeline());
    assert_eq!(report.output::<String>("total").as_deref(), Some("load[bart] 3, load[muni] 4"));
    assert_eq!(report.output::<Vec<u64>>("each(rows)"), Some(vec![3, 40]));
    assert_eq!(states_of(&report, "load"), "load[bart] success, load[muni] success");
}

/// A run whose list was each of these in turn, a minute apart.
fn relisted(pipeline: Pipeline, lists: &[&str], downstream: bool) -> RunReport {
    let mut simulation = Simulation::new(pipeline);
    for (minute, list) in lists.iter().enumerate() {
        let when = format!("{minute}m");
        simulation = simulation.arrive(&when, "memory://data/feeds", list.as_bytes());
        if minute > 0 {
            simulation = simulation.retry(&when, "feeds", downstream);
        }
    }
    simulation.run()
}

/// An index would match the wrong elements: the first element of the new list would count as done.
#[test]
fn after_a_list_has_changed_elements_match_by_key() {
    #[pipeline]
    fn keyed() -> Result<()> {
        let feeds = feeds(Bucket::open("memory://data")?).keyed(|feed| feed.name.clone());
        total(feeds.each(|feed| load(feed)));
        Ok(())
    }
    let report = relisted(keyed(), &["ber 1\nzrh 2\nlon 3", "new 9\nber 8\nlon 7"], false);
    assert_eq!(report.state(), RunState::Success, "{}", report.timeline());
    assert_eq!(states_of(&report, "load"), "load[new] success, load[zrh] removed, load[ber] success, load[lon] success");
    // Elements that were loaded stay as they were, at their new places; the new one has been loaded.
    assert_eq!(
        report.output::<Vec<String>>("each(load)").unwrap(),
        ["load[new] 9", "load[ber] 1", "load[lon] 3"].map(str::to_owned)
    );
    assert_eq!(report.node("load[ber]").started(), Some(secs(0)));
    assert_eq!(report.node("load[new]").started(), Some(secs(60)));
    // With `downstream`, each element runs once more.
    let report = relisted(keyed(), &["ber 1\nzrh 2", "zrh 5\nber 6"], true);
    assert_eq!(report.output::<String>("total").as_deref(), Some("load[zrh] 5, load[ber] 6"));
    // An element that reappears starts over.
    let report = relisted(keyed(), &["ber 1\nzrh 2", "ber 1", "zrh 5\nber 1"], false);
    assert_eq!(states_of(&report, "load"), "load[zrh] success, load[ber] success");
    assert_eq!(report.output::<Vec<String>>("each(load)").unwrap()[0], "load[zrh] 5");
}

#[test]
fn what_lies_within_an_element_goes_with_its_key() {
    #[task]
    async fn parts(feed: Feed) -> Result<Vec<Feed>> {
        Ok((1..=feed.rows).map(|n| Feed { name: format!("p{n}"), rows: n }).collect())
    }
    #[pipeline]
    fn nested() -> Result<()> {
        let feeds = feeds(Bucket::open("memory://data")?).keyed(|feed| feed.name.clone());
        feeds.each(|feed| total(parts(feed).keyed(|part| part.name.clone()).each(|part| load(part))));
        Ok(())
    }
    let report = relisted(nested(), &["a 1\nb 2", "b 2\na 1\nc 1"], false);
    assert_eq!(report.state(), RunState::Success, "{}", report.timeline());
    assert_eq!(report.output::<String>("total[b]").as_deref(), Some("load[b][p1] 1, load[b][p2] 2"));
    assert_eq!(states_of(&report, "load"), "load[a][p1] success, load[b][p1] success, load[b][p2] success, load[c][p1] success");
    assert_eq!(report.node("load[b][p2]").started(), Some(secs(0)));
}

#[test]
fn keys_that_cannot_be_used_fail_the_mapping_and_name_the_element() {
    #[pipeline]
    fn twice() {
        let feeds = given(["a", "b", "a"].map(str::to_owned).to_vec()).keyed(|feed| feed.name.clone());
        total(feeds.each(|feed| load(feed)));
    }
    #[pipeline]
    fn bracketed() {
        given(["a", "b]"].map(str::to_owned).to_vec()).keyed(|feed| feed.name.clone()).each(|feed| load(feed));
    }
    #[pipeline]
    fn panicking() {
        given(["a 0".to_owned()].to_vec()).keyed(|feed| 1 / feed.rows).each(|feed| load(feed));
    }
    for (pipeline, error) in [
        (twice(), "elements 0 and 2 of the list have the same key, \"a\": let `.keyed` return a different key for each element"),
        (
            bracketed(),
            "element 1 of the list cannot have the key \"b]\": it has a bracket, which marks where a key begins and ends",
        ),
        (panicking(), "`.keyed` panicked over an element of the list: attempt to divide by zero"),
    ] {
        let report = Simulation::new(pipeline).run();
        assert_eq!(report.node("each(load)").error(), Some(error));
        assert_eq!((report.node("each(load)").state(), report.state()), (Failed, RunState::Failed));
    }
}

/// A mapping that failed because of its keys can be retried with its list.
#[test]
fn a_list_whose_keys_were_wrong_may_be_made_anew() {
    #[pipeline]
    fn keyed() -> Result<()> {
        let feeds = feeds(Bucket::open("memory://data")?).keyed(|feed| feed.name.clone());
        total(feeds.each(|feed| load(feed)));
        Ok(())
    }
    let report = relisted(keyed(), &["a 1\na 2", "a 1\nb 2"], false);
    assert_eq!(report.output::<String>("total").as_deref(), Some("load[a] 1, load[b] 2"), "{}", report.timeline());
    let report = relisted(keyed(), &["a 1\nb 2", "a 1\na 2"], true);
    assert_eq!(states(&report, ["each(load)", "total"]), [Failed, UpstreamFailed]);
}

// ---- order

#[pipeline]
fn ordered() -> Result<()> {
    let feeds = feeds(Bucket::open("memory://data")?).keyed(|feed| feed.name.clone());
    let loaded = feeds.each(|feed| slow(load(feed))).in_order();
    total(loaded);
    Ok(())
}

#[test]
fn in_order_each_waits_for_the_one_before() {
    let report = relisted(ordered(), &["a\nb\nc"], false);
    let started = ["a", "b", "c"].map(|key| report.node(&format!("load[{key}]")).started());
    assert_eq!(started, [0, 60, 120].map(|at| Some(secs(at))));
    assert_eq!(report.output::<String>("total").as_deref(), Some("load[a] 1, load[b] 1, load[c] 1"));
}

#[test]
fn in_order_none_goes_on_after_one_that_failed_or_was_skipped() {
    let report = relisted(ordered(), &["a\nb 0\nc\nd"], false);
    assert_eq!(states(&report, ["load[a]", "load[b]", "load[c]", "slow[d]"]), [Success, Failed, UpstreamFailed, UpstreamFailed]);
    assert_eq!(states(&report, ["each(slow)", "total"]), [UpstreamFailed; 2]);
    let report = relisted(ordered(), &["a\nb 100\nc\nd"], false);
    assert_eq!(states(&report, ["load[b]", "load[c]", "slow[d]", "each(slow)"]), [Skipped; 4]);
    assert_eq!(report.state(), RunState::Success);
}

/// Also if the failed node does not contribute to the result.
#[test]
fn in_order_all_of_an_element_counts() {
    #[pipeline]
    fn beside() {
        let given = given(["a 1", "b 0", "c 1"].map(str::to_owned).to_vec());
        given
            .keyed(|feed| feed.name.clone())
            .each(|feed| {
                load(feed);
                rows(feed)
            })
            .in_order();
    }
    let report = Simulation::new(beside()).run();
    assert_eq!(states(&report, ["rows[b]", "load[b]", "rows[c]"]), [Success, Failed, UpstreamFailed]);
    #[pipeline]
    fn allowed() {
        let given = given(["a 1", "b 0", "c 1"].map(str::to_owned).to_vec());
        given
            .keyed(|feed| feed.name.clone())
            .each(|feed| {
                load(feed).allow_failure();
                rows(feed)
            })
            .in_order();
    }
    let report = Simulation::new(allowed()).run();
    assert_eq!(states(&report, ["load[b]", "rows[c]", "each(rows)"]), [Failed, Success, Success]);
}

/// A failure counts as it does for a run: once, in its own place, and not if it is allowed.
#[test]
fn in_order_a_failure_counts_where_it_is() {
    #[pipeline]
    fn nested() {
        let given = given(["a 1", "b 0", "c 1"].map(str::to_owned).to_vec()).keyed(|feed| feed.name.clone());
        given
            .each(|feed| {
                // The failing node is in a mapping within the element, and does not contribute to the mapping's result.
                pipeline_runtime::list(vec![1u64]).each(|n| {
                    load(feed);
                    takes(n)
                });
                rows(feed)
            })
            .in_order();
    }
    let report = Simulation::new(nested()).run();
    assert_eq!(states(&report, ["rows[b]", "load[b][0]", "takes[b][0]", "rows[c]"]), [Success, Failed, Success, UpstreamFailed]);
    #[pipeline]
    fn behind() {
        let given = given(["a 1", "b 0", "c 1"].map(str::to_owned).to_vec()).keyed(|feed| feed.name.clone());
        given
            .each(|feed| {
                slow(load(feed).allow_failure());
                rows(feed)
            })
            .in_order();
    }
    let report = Simulation::new(behind()).run();
    assert_eq!(states(&report, ["load[b]", "slow[b]", "rows[c]"]), [Failed, UpstreamFailed, Success]);
    assert_eq!(report.state(), RunState::Success);
}

#[test]
fn in_order_what_is_retried_goes_in_order_too() {
    // `b` fails at first; the file that arrives before the retry mends it.
    #[task]
    async fn mended(bucket: Bucket, feed: Feed) -> Result<String> {
        let is_there = bucket.head("fixed").await?.is_some();
        tokio::time::sleep(secs(10)).await;
        if feed.rows == 0 && !is_there { Err(TaskError::fatal("no rows")) } else { Ok(feed.name) }
    }
    #[pipeline]
    fn ordered() -> Result<()> {
        let bucket = Bucket::open("memory://data")?;
        let feeds = feeds(&bucket).keyed(|feed| feed.name.clone());
        total(feeds.each(|feed| mended(&bucket, feed)).in_order());
        Ok(())
    }
    let simulation = || {
        let simulation = Simulation::new(ordered()).arrive("0s", "memory://data/feeds", "a 1\nb 0\nc 1\nd 1");
        simulation.arrive("1m", "memory://data/fixed", "")
    };
    let report = simulation().retry("2m", "mended[b]", false).run();
    assert_eq!(report.state(), RunState::Success, "{}", report.timeline());
    let started =
        |report: &RunReport| ["a", "b", "c", "d"].map(|key| report.node(&format!("mended[{key}]")).started().unwrap().as_secs());
    // The elements that were retried start after the retry.
    assert_eq!(started(&report), [0, 120, 130, 140], "{}", report.timeline());
    assert_eq!(report.node("mended[b]").finished(), Some(secs(130)));
    // With everything downstream: `a` runs before `b` also when both are retried.
    let report = simulation().retry("2m", "mended[a]", true).run();
    assert_eq!(report.node("mended[d]").finished(), Some(secs(160)), "{}", report.timeline());
}

// ---- several results

#[test]
fn a_tuple_of_nodes_makes_a_list_of_each_judged_by_itself() {
    #[pipeline]
    fn two() {
        let given = given(["a 1", "b 0", "c 5"].map(str::to_owned).to_vec());
        let (loaded, counted) = given.keyed(|feed| feed.name.clone()).each(|feed| (load(feed), rows(feed)));
        total(loaded);
        sum(counted);
    }
    let report = Simulation::new(two()).run();
    assert_eq!(states(&report, ["each(load)", "total", "each(rows)", "sum"]), [UpstreamFailed, UpstreamFailed, Success, Success]);
    assert_eq!(report.output::<u64>("sum"), Some(6));
    assert_eq!(report.state(), RunState::Failed);
    // An option for one list of a mapping applies to the whole mapping.
    #[pipeline]
    fn bounded() {
        let names = given(["a", "b"].map(str::to_owned).to_vec());
        let before = slow("x").named("before");
        let (loaded, slow, counted) = names.each(|feed| {
            let loaded = load(feed);
            (loaded, slow(loaded), rows(feed))
        });
        let counted = counted.max_active(1).after(before).allow_failure();
        total(loaded);
        total(slow).named("slowly");
        sum(counted);
    }
    let report = Simulation::new(bounded()).fail("rows[1]", 1, "down").run();
    assert_eq!(report.node("load[0]").started(), Some(secs(60)));
    assert_eq!(report.node("load[1]").started(), Some(secs(120)));
    assert_eq!(report.output::<String>("slowly").as_deref(), Some("load[0] 1, load[1] 1"));
    assert_eq!((report.node("sum").state(), report.state()), (UpstreamFailed, RunState::Success));
}

#[test]
fn the_elements_of_a_further_list_are_judged_alone() {
    #[task]
    async fn any(all: Vec<Outcome<u64>>) -> Result<usize> {
        Ok(all.iter().filter(|one| matches!(one, Outcome::Failed(_))).count())
    }
    #[pipeline]
    fn two() {
        let (_, counted) = given(["a 1".to_owned()].to_vec()).each(|feed| (load(feed), rows(feed)));
        any(counted);
    }
    let report = Simulation::new(two()).fail("rows", 1, "down").run();
    assert_eq!((report.node("each(load)").state(), report.node("each(rows)").state()), (Success, UpstreamFailed));
    assert_eq!(report.output::<usize>("any"), Some(1));
    // Without the list there are no elements.
    let report = Simulation::new(two()).fail("given", 1, "down").run();
    assert_eq!(states(&report, ["each(load)", "each(rows)", "any"]), [UpstreamFailed; 3]);
    let skipped: [NodeState; 3] = states(&Simulation::new(two()).skip("0s", "given").run(), ["each(load)", "each(rows)", "any"]);
    assert_eq!(skipped, [Skipped; 3]);
}

// ---- plain lists

#[test]
fn a_plain_list_may_be_mapped() {
    #[pipeline]
    fn plain() {
        let regions = ["eu", "us"].map(str::to_owned).to_vec();
        total(regions.keyed(std::clone::Clone::clone).each(|region| slow(region)));
        let numbers: Vec<u64> = vec![1, 2];
        sum(numbers.each(|n| takes(n))).named("of_numbers");
    }
    let report = Simulation::new(plain()).run();
    assert_eq!(report.state(), RunState::Success, "{}", report.timeline());
    assert_eq!(report.output::<String>("total").as_deref(), Some("eu, us"));
    assert_eq!(report.output::<u64>("of_numbers"), Some(3));
    assert_eq!(report.node("slow[us]").state(), Success);
    assert_ne!(report.node("list").state(), Removed);
}
