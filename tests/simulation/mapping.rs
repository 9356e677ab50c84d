//! `.each`: what is repeated for each element of a list, and how the results are gathered.

use super::tasks::*;
use pipeline_runtime::NodeState::{Failed, Skipped, Success, UpstreamFailed};
use pipeline_runtime::prelude::*;
use pipeline_runtime::{NodeReport, RunReport, RunState, Simulation};
use std::time::Duration;

#[task]
async fn list(items: Vec<u64>) -> Result<Vec<u64>> {
    Ok(items)
}
#[task]
async fn times(n: u64, factor: u64) -> Result<u64> {
    Ok(n * factor)
}
#[task]
async fn some(all: Vec<Option<u64>>) -> Result<Vec<Option<u64>>> {
    Ok(all)
}
#[task]
async fn any(all: Vec<Outcome<u64>>) -> Result<Vec<String>> {
    let tell = |of: Outcome<u64>| match of {
        Outcome::Success(n) => n.to_string(),
        Outcome::Skipped => "skipped".into(),
        Outcome::Failed(failure) => failure.node().to_owned(),
    };
    Ok(all.into_iter().map(tell).collect())
}
#[task]
async fn whole(all: Outcome<Vec<u64>>) -> Result<String> {
    Ok(match all {
        Outcome::Success(all) => format!("{all:?}"),
        Outcome::Skipped => "skipped".into(),
        Outcome::Failed(failure) => failure.node().to_owned(),
    })
}
#[task]
async fn maybe(all: Option<Vec<u64>>) -> Result<Option<Vec<u64>>> {
    Ok(all)
}
#[task]
async fn split(n: u64) -> Result<Vec<u64>> {
    Ok((0..n).map(|part| n * 10 + part).collect())
}
/// Takes as many seconds as its number.
#[task]
async fn lasts(n: u64) -> Result<u64> {
    tokio::time::sleep(Duration::from_secs(n)).await;
    Ok(n)
}
#[task]
async fn longer(n: u64) -> Result<u64> {
    tokio::time::sleep(Duration::from_secs(10)).await;
    Ok(n)
}

/// The start times of a node's elements, in seconds.
fn starts(report: &RunReport, name: &str, count: usize) -> Vec<u64> {
    (0..count).map(|element| report.node(&format!("{name}[{element}]")).started().unwrap().as_secs()).collect()
}

#[test]
fn results_are_gathered_in_the_lists_order_whatever_ended_first() {
    #[pipeline]
    fn ordered() {
        sum(list(vec![30, 10, 20]).each(|n| times(lasts(n), 2u64)));
    }
    let report = Simulation::new(ordered()).run();
    assert_eq!(report.output::<Vec<u64>>("each(times)"), Some(vec![60, 20, 40]));
    assert_eq!(report.output::<u64>("sum"), Some(120));
    assert_eq!(report.node("sum").started(), Some(secs(30)));
    // Elements do not wait for each other: the second has finished its chain while the first is at its start.
    assert_eq!(report.node("times[1]").finished(), Some(secs(10)));
}

#[test]
fn an_empty_list_gathers_to_an_empty_one() {
    #[pipeline]
    fn empty() {
        let none = numbers(0u64).each(|n| times(n, 2u64));
        sum(none);
        some(none);
        any(none);
    }
    let report = Simulation::new(empty()).run();
    assert_eq!(report.output::<Vec<u64>>("each(times)"), Some(vec![]));
    assert_eq!(report.output::<u64>("sum"), Some(0));
    assert_eq!(report.output::<Vec<String>>("any"), Some(vec![]));
    assert_eq!(report.state(), RunState::Success);
}

#[test]
fn a_failed_element_fails_its_own_chain_alone() {
    #[pipeline]
    fn failing() {
        let all = list(vec![1, 3, 4]).each(|n| takes(by_number(n)));
        sum(all);
        some(all);
        any(all);
        whole(all);
        maybe(all);
    }
    let report = Simulation::new(failing()).run();
    assert_eq!(states(&report, ["takes[0]", "by_number[1]", "takes[1]", "takes[2]"]), [Success, Failed, UpstreamFailed, Success]);
    assert_eq!(states(&report, ["each(takes)", "sum", "some", "maybe"]), [UpstreamFailed; 4]);
    assert_eq!(report.output::<Vec<String>>("any"), Some(vec!["10".into(), "by_number[1]".into(), "40".into()]));
    assert_eq!(report.output::<String>("whole").as_deref(), Some("by_number[1]"));
    assert_eq!(report.state(), RunState::Failed);
}

#[test]
fn a_skipped_element_skips_its_own_chain_and_the_list_unless_it_may_be_missing() {
    #[pipeline]
    fn skipping() {
        let all = list(vec![1, 5, 4]).each(|n| takes(by_number(n)));
        sum(all);
        some(all);
        any(all);
        whole(all);
        maybe(all);
    }
    let report = Simulation::new(skipping()).run();
    assert_eq!(states(&report, ["takes[1]", "each(takes)", "sum"]), [Skipped; 3]);
    assert_eq!(report.output::<Vec<Option<u64>>>("some"), Some(vec![Some(10), None, Some(40)]));
    assert_eq!(report.output::<Vec<String>>("any").unwrap()[1], "skipped");
    assert_eq!(report.output::<String>("whole").as_deref(), Some("skipped"));
    assert_eq!(report.output::<Option<Vec<u64>>>("maybe"), Some(None));
    assert_eq!(report.state(), RunState::Success);
}

#[test]
fn of_a_failed_and_a_skipped_element_the_failed_one_counts() {
    #[pipeline]
    fn both() {
        let all = list(vec![5, 3]).each(|n| by_number(n));
        some(all);
        whole(all);
    }
    let report = Simulation::new(both()).run();
    assert_eq!(states(&report, ["each(by_number)", "some"]), [UpstreamFailed; 2]);
    assert_eq!(report.output::<String>("whole").as_deref(), Some("by_number[1]"));
}

#[test]
fn without_its_list_a_mapping_ends_as_the_list_did() {
    #[pipeline]
    fn without() {
        any(split(source(Ends::Failed, 1u64)).each(|n| times(n, 2u64)).named("failed"));
        some(split(source(Ends::Skipped, 1u64)).each(|n| times(n, 2u64)).named("skipped"));
    }
    let report = Simulation::new(without()).run();
    assert_eq!(states(&report, ["failed", "skipped"]), [UpstreamFailed, Skipped]);
    // There are no elements whose outcomes could be gathered.
    assert_eq!(states(&report, ["any", "some"]), [UpstreamFailed, Skipped]);
}

#[test]
fn a_plain_list_from_a_task_needs_no_mapping() {
    #[pipeline]
    fn plain() {
        sum(numbers(4u64));
    }
    assert_eq!(Simulation::new(plain()).run().output::<u64>("sum"), Some(6));
}

#[test]
fn mappings_nest_and_their_elements_are_numbered_from_the_outside_in() {
    #[pipeline]
    fn nested() {
        let lists = list(vec![2, 0, 3]).each(|n| sum(split(n).each(|part| times(part, n))).named("of_one"));
        sum(lists);
    }
    let report = Simulation::new(nested()).run();
    assert_eq!(report.output::<u64>("times[2][1]"), Some(93));
    assert_eq!(report.output::<Vec<u64>>("each(times)[0]"), Some(vec![40, 42]));
    assert_eq!(report.output::<Vec<u64>>("each(times)[1]"), Some(vec![]));
    assert_eq!(report.output::<Vec<u64>>("each(of_one)"), Some(vec![82, 0, 279]));
    assert_eq!(report.output::<u64>("sum"), Some(361));
}

#[test]
fn three_levels_deep_outer_nodes_and_elements_are_seen() {
    #[pipeline]
    fn deep() {
        let outside = source(Ends::Success, 7u64).named("outside");
        list(vec![1, 2]).each(|a| {
            let a2 = times(a, outside).named("a2");
            sum(split(a).each(|b| sum(split(a).each(|c| times(times(c, b).named("cb"), a2).named("cba"))).named("inner")))
                .named("outer")
        });
    }
    let report = Simulation::new(deep()).run();
    // b = 20 + j, c = 20 + k, a2 = 14.
    assert_eq!(report.output::<u64>("cba[1][0][1]"), Some(21 * 20 * 14));
    assert_eq!(report.output::<Vec<u64>>("each(outer)"), Some(vec![10 * 10 * 7, (20 + 21) * (20 + 21) * 14]));
    assert_eq!(report.state(), RunState::Success);
}

#[test]
fn what_is_taken_from_outside_may_end_before_the_list_or_after() {
    #[pipeline]
    fn captured() {
        let before = source(Ends::Success, 2u64).named("before");
        let after = source(Ends::Success, 50u64).named("after");
        let items = numbers(3u64).after(source(Ends::Success, 20u64));
        items.each(|n| times(times(n, before).named("with_before"), after).named("with_after"));
        items.each(|n| times(n, 5u64).named("with_plain"));
    }
    let report = Simulation::new(captured()).run();
    assert_eq!(starts(&report, "with_before", 3), [20, 20, 20]);
    assert_eq!(starts(&report, "with_after", 3), [50, 50, 50]);
    assert_eq!(report.output::<Vec<u64>>("each(with_after)"), Some(vec![0, 100, 200]));
    assert_eq!(report.output::<Vec<u64>>("each(with_plain)"), Some(vec![0, 5, 10]));
}

#[test]
fn a_failure_outside_fails_each_element_that_takes_it_before_or_after_the_list_is_there() {
    #[pipeline]
    fn failing() {
        let early = source(Ends::Failed, 1u64).named("early");
        let late = source(Ends::Failed, 60u64).named("late");
        let items = numbers(2u64).after(source(Ends::Success, 20u64));
        items.each(|n| times(n, early).named("with_early"));
        items.each(|n| times(lasts(n), late).named("with_late"));
    }
    let report = Simulation::new(failing()).run();
    assert_eq!(
        states(&report, ["with_early[0]", "with_early[1]", "with_late[1]", "lasts[1]"]),
        [UpstreamFailed, UpstreamFailed, UpstreamFailed, Success]
    );
    assert_eq!(report.node("with_early[1]").finished(), Some(secs(20)));
    assert_eq!(report.node("with_late[0]").finished(), Some(secs(60)));
}

#[test]
fn max_active_bounds_the_elements_under_way_and_not_their_nodes() {
    #[pipeline]
    fn bounded() {
        // Each element is two nodes in a chain and one beside them.
        numbers(5u64)
            .each(|n| {
                longer(n).named("beside");
                longer(longer(n).named("first")).named("second")
            })
            .max_active(2);
    }
    let report = Simulation::new(bounded()).run();
    assert_eq!(starts(&report, "first", 5), [0, 0, 20, 20, 40]);
    assert_eq!(starts(&report, "beside", 5), [0, 0, 20, 20, 40]);
    assert_eq!(starts(&report, "second", 5), [10, 10, 30, 30, 50]);
}

#[test]
fn an_element_that_failed_or_was_skipped_makes_room_for_the_next() {
    #[pipeline]
    fn bounded() {
        any(list(vec![3, 5, 1]).each(|n| longer(by_number(n))).max_active(1));
    }
    let report = Simulation::new(bounded()).run();
    assert_eq!(report.node("longer[2]").state(), Success);
    assert_eq!(report.finished(), Some(secs(10)));
}

#[test]
fn bounds_of_nested_mappings_hold_for_each_of_them() {
    #[pipeline]
    fn nested() {
        list(vec![3, 3]).each(|n| sum(split(n).each(|part| longer(part)).max_active(1))).max_active(2);
    }
    let report = Simulation::new(nested()).run();
    let start = |id: &str| report.node(id).started().unwrap().as_secs();
    for outer in 0..2 {
        let of = [0, 1, 2].map(|inner| start(&format!("longer[{outer}][{inner}]")));
        assert_eq!(of, [0, 10, 20]);
    }
}

/// With few slots an element is finished before the next starts.
#[test]
fn elements_are_worked_off_depth_first() {
    static ONE: Pool = Pool::new("one_for_elements", 1);
    #[pipeline]
    fn deep() {
        numbers(3u64).each(|n| longer(longer(longer(n).pool(&ONE).named("a")).pool(&ONE).named("b")).pool(&ONE).named("c"));
    }
    let report = Simulation::new(deep()).run();
    assert_eq!(starts(&report, "a", 3), [0, 30, 60]);
    assert_eq!(starts(&report, "c", 3), [20, 50, 80]);
}

#[test]
fn after_orders_the_whole_mapping_on_either_side() {
    #[pipeline]
    fn ordered() {
        let first = source(Ends::Success, 30u64).named("first");
        let mapped = numbers(2u64).each(|n| longer(n)).after(first);
        source(Ends::Success, 1u64).after(mapped).named("last");
    }
    let report = Simulation::new(ordered()).run();
    assert_eq!(starts(&report, "longer", 2), [30, 30]);
    assert_eq!(report.node("last").started(), Some(secs(40)));
}

#[test]
fn a_mapping_may_return_the_element_itself_or_map_what_was_mapped() {
    #[pipeline]
    fn chained() {
        let doubled = numbers(3u64).each(|n| times(n, 2u64));
        let again = doubled.each(|n| {
            takes(n).named("beside");
            n
        });
        sum(again.named("again").each(|n| times(n, 10u64).named("tenfold")));
    }
    let report = Simulation::new(chained()).run();
    assert_eq!(report.output::<Vec<u64>>("again"), Some(vec![0, 2, 4]));
    assert_eq!(report.output::<u64>("sum"), Some(60));
}

#[test]
fn the_list_may_come_from_a_race_or_an_arm() {
    #[pipeline]
    fn raced() {
        sum(first_of([list(vec![1, 2]), list(vec![3])]).each(|n| times(n, 2u64)));
    }
    assert_eq!(Simulation::new(raced()).run().output::<u64>("sum"), Some(6));
}

#[test]
fn a_list_longer_than_a_mapping_may_be_is_an_error_that_says_so() {
    #[task]
    async fn endless() -> Result<Vec<u8>> {
        Ok(vec![0; 100_001])
    }
    #[task]
    async fn nothing(_zero: u8) -> Result<()> {
        Ok(())
    }
    #[pipeline]
    fn too_long() {
        endless().each(|zero| nothing(zero));
    }
    let report = Simulation::new(too_long()).run();
    let error = report.node("each(nothing)").error().unwrap();
    assert_eq!(error, "the list has 100001 elements; `.each` takes at most 100000: divide the list");
    assert_eq!(report.state(), RunState::Failed);
}

#[test]
fn elements_retry_each_for_itself() {
    #[pipeline]
    fn retried() {
        sum(numbers(3u64).each(|n| times(n, 2u64).retries(1).retry_delay(secs(10))));
    }
    let report = Simulation::new(retried()).fail("times[1]", 1, "503").run();
    assert_eq!([0, 1, 2].map(|n| report.node(&format!("times[{n}]")).attempts()), [1, 2, 1]);
    assert_eq!(report.node("sum").started(), Some(secs(10)));
    let all = Simulation::new(retried()).fail("times", 1, "503").run();
    assert_eq!([0, 1, 2].map(|n| all.node(&format!("times[{n}]")).attempts()), [2, 2, 2]);
}

#[test]
fn one_element_can_be_stubbed_or_all_of_them() {
    #[pipeline]
    fn stubbed() {
        sum(numbers(3u64).each(|n| times(n, 2u64)));
    }
    assert_eq!(Simulation::new(stubbed()).stub("times[1]", 100u64).run().output::<u64>("sum"), Some(104));
    assert_eq!(Simulation::new(stubbed()).stub("times", 100u64).run().output::<u64>("sum"), Some(300));
}

/// As many numbers as the object in the bucket says.
#[task]
async fn listed(bucket: Bucket) -> Result<Vec<u64>> {
    let count: u64 = String::from_utf8_lossy(&bucket.get("count").await?).parse()?;
    Ok((0..count).collect())
}

/// The elements in the report, after the list had each of these lengths in turn, a minute apart.
fn elements_of(counts: &[&str]) -> (RunReport, String) {
    #[pipeline]
    fn relisted() -> Result<()> {
        let worked = listed(Bucket::open("memory://data")?).each(|n| times(n, 2u64).named("work"));
        sum(worked);
        Ok(())
    }

    let mut simulation = Simulation::new(relisted());
    for (minute, count) in counts.iter().enumerate() {
        let when = format!("{minute}m");
        simulation = simulation.arrive(&when, "memory://data/count", count.as_bytes());
        if minute > 0 {
            simulation = simulation.retry(&when, "listed", true);
        }
    }
    let report = simulation.run();
    assert_eq!(report.state(), RunState::Success, "{}", report.timeline());
    let work = report.nodes().filter(|node| node.id().starts_with("work"));
    let told = work.map(|node| format!("{} {}", node.id(), node.state())).collect::<Vec<_>>().join(", ");
    (report, told)
}

#[test]
fn after_a_list_has_changed_each_element_is_listed_once() {
    for (counts, expected) in [
        (vec!["3", "4"], "work[0] success, work[1] success, work[2] success, work[3] success"),
        (vec!["3", "1"], "work[0] success, work[1] removed, work[2] removed"),
        // An element that was removed and reappears counts as present.
        (vec!["3", "1", "2"], "work[0] success, work[1] success, work[2] removed"),
        (vec!["2", "0", "1", "1"], "work[0] success, work[1] removed"),
    ] {
        let (report, told) = elements_of(&counts);
        assert_eq!(told, expected, "{counts:?}");
        // The timeline and the metrics have the same elements.
        let lines = report.timeline().lines().filter(|line| line.starts_with("work[")).count();
        assert_eq!(lines, report.nodes().filter(|node| node.id().starts_with("work")).count());
        let metrics = report.metrics();
        let states = &metrics.task("work").unwrap().states;
        assert_eq!(states.values().sum::<u64>(), lines as u64, "{states:?}");
    }
}

#[test]
fn after_lists_within_lists_have_changed_each_element_is_listed_once() {
    #[pipeline]
    fn nested() -> Result<()> {
        let rows = listed(Bucket::open("memory://data")?).each(|n| split(n).each(|m| times(m, 1u64).named("cell")));
        let _ = rows;
        Ok(())
    }

    let simulation = Simulation::new(nested())
        .arrive("0s", "memory://data/count", "4")
        .arrive("1m", "memory://data/count", "3")
        .retry("1m", "listed", true)
        .arrive("2m", "memory://data/count", "5")
        .retry("2m", "listed", true);
    let report = simulation.run();
    let mut ids: Vec<&str> = report.nodes().map(NodeReport::id).collect();
    let listed = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), listed, "{}", report.timeline());
    assert!(report.nodes().all(|node| node.state() == Success), "{}", report.timeline());
}
