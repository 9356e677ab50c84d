//! Races: which branch succeeds first, and what happens to the others.

use super::tasks::*;
use pipeline_runtime::NodeState::{Failed, Skipped, Success, UpstreamFailed};
use pipeline_runtime::prelude::*;
use pipeline_runtime::{RunState, Simulation};

#[task]
async fn add(a: u64, b: u64) -> Result<u64> {
    Ok(a + b)
}
#[sensor(timeout = "1h", poke = "10s")]
async fn never() -> Result<Poke<u64>> {
    Ok(Poke::NotYet)
}

#[test]
fn the_first_in_time_wins_whatever_the_order() {
    #[pipeline]
    fn race() {
        takes(first_of([source(Ends::Success, 20u64).named("slow"), source(Ends::Success, 10u64).named("quick")]));
    }
    let report = Simulation::new(race()).run();
    assert_eq!(report.output::<u64>("takes"), Some(10));
    assert_eq!(report.output::<u64>("first_of"), Some(10));
    assert_eq!(report.node("takes").started(), Some(secs(10)));
    // It is cut off at once, in the middle of its body.
    assert_eq!((report.node("slow").state(), report.node("slow").finished()), (Skipped, Some(secs(10))));
    assert_eq!((report.state(), report.finished()), (RunState::Success, Some(secs(10))));
}

#[test]
fn at_one_instant_the_first_in_the_list_wins() {
    #[pipeline]
    fn tie() {
        first_of([source(Ends::Success, 5u64).named("a"), takes(source(Ends::Success, 5u64)).named("b")]);
        first_of([takes(1u64).named("c"), takes(2u64).named("d")]).named("second");
    }
    let report = Simulation::new(tie()).run();
    assert_eq!(report.output::<u64>("second"), Some(1));
}

#[test]
fn what_fed_the_losers_alone_is_cut_off_too_and_what_feeds_others_goes_on() {
    #[pipeline]
    fn transitive() {
        let shared = source(Ends::Success, 60u64).named("shared");
        let own = source(Ends::Success, 70u64).named("own");
        let loser = add(add(own, shared).named("middle"), never()).named("loser");
        takes(first_of([loser, source(Ends::Success, 35u64).named("winner")]));
        takes(shared).named("other");
    }
    let report = Simulation::new(transitive()).run();
    assert_eq!(states(&report, ["loser", "middle", "own", "never"]), [Skipped; 4]);
    assert_eq!(report.node("own").finished(), Some(secs(35)));
    assert_eq!(report.node("never").pokes(), 4);
    assert_eq!(states(&report, ["shared", "other"]), [Success; 2]);
    assert_eq!(report.state(), RunState::Success);
}

#[test]
fn a_loser_that_somebody_else_takes_goes_on() {
    #[pipeline]
    fn taken() {
        let loser = source(Ends::Success, 60u64).named("loser");
        takes(first_of([loser, source(Ends::Success, 30u64)]));
        outcome(loser);
    }
    let report = Simulation::new(taken()).run();
    assert_eq!(report.output::<String>("outcome").as_deref(), Some("success 60"));
}

#[test]
fn a_loser_is_cut_off_between_its_attempts_and_in_its_pools_queue() {
    static ONE: Pool = Pool::new("one_for_races", 1);
    #[pipeline]
    fn waiting() {
        let retried = source(Ends::Failed, 1u64).retries(5).retry_delay(mins(10)).named("retried");
        let holder = source(Ends::Success, 40u64).pool(&ONE).priority(1).named("holder");
        let queued = source(Ends::Success, 1u64).pool(&ONE).named("queued");
        takes(first_of([retried, queued, source(Ends::Success, 30u64)]));
        takes(holder).named("other");
    }
    let report = Simulation::new(waiting()).run();
    assert_eq!(states(&report, ["retried", "queued"]), [Skipped; 2]);
    assert_eq!(report.node("queued").started(), None);
    assert_eq!(report.node("retried").attempts(), 1);
    assert_eq!(report.finished(), Some(secs(40)));
}

#[test]
fn without_a_winner_all_skipped_is_skipped_and_anything_else_is_upstream_failed() {
    #[pipeline]
    fn lost() {
        let skipped = || source(Ends::Skipped, 1u64);
        takes(first_of([skipped(), skipped()])).named("all_skipped");
        let bad = source(Ends::Failed, 2u64).named("bad");
        outcome(first_of([skipped(), takes(bad).named("behind"), skipped()])).named("one_failed");
        takes(first_of([bad, source(Ends::Success, 5u64)])).named("one_won");
    }
    let report = Simulation::new(lost()).run();
    assert_eq!(states(&report, ["all_skipped", "one_won", "bad"]), [Skipped, Success, Failed]);
    assert_eq!(report.output::<String>("one_failed").as_deref(), Some("bad failed 1 times: failed after 2 s"));
    assert_eq!(report.node("first_of__2").state(), UpstreamFailed);
}

#[test]
fn the_result_of_an_element_is_not_cut_off() {
    #[pipeline]
    fn element() {
        sum(numbers(2u64).each(|n| {
            let slow = add(n, source(Ends::Success, 60u64)).named("slow");
            takes(first_of([slow, takes(n).named("quick")])).named("used");
            slow
        }));
    }
    let report = Simulation::new(element()).run();
    assert_eq!(states(&report, ["quick[1]", "slow[0]", "slow[1]"]), [Success; 3]);
    assert_eq!(report.output::<u64>("sum"), Some(121));
}

#[test]
fn a_mapping_that_lost_is_cut_off_with_its_elements_its_list_and_what_only_they_take() {
    #[pipeline]
    fn mapped() {
        let factor = source(Ends::Success, 90u64).named("factor");
        let list = numbers(3u64);
        let total = sum(list.each(|n| add(add(n, never()).named("inner"), factor).named("outer"))).named("total");
        takes(first_of([total, source(Ends::Success, 30u64)]));
    }
    let report = Simulation::new(mapped()).run();
    assert_eq!(states(&report, ["total", "each(outer)", "factor", "never[2]", "inner[0]", "outer[1]"]), [Skipped; 6]);
    assert_eq!((report.state(), report.finished()), (RunState::Success, Some(secs(30))));
}

#[test]
fn a_race_within_an_element_that_waits_for_its_turn_leaves_the_element_its_turn() {
    #[pipeline]
    fn bounded() {
        let outside = source(Ends::Success, 1u64).named("outside");
        sum(numbers(3u64).each(|n| first_of([outside, add(n, source(Ends::Success, 60u64)).named("inside")])).max_active(1));
    }
    let report = Simulation::new(bounded()).run();
    assert_eq!(report.output::<u64>("sum"), Some(3));
    assert_eq!((report.state(), report.finished()), (RunState::Success, Some(secs(1))));
}

#[derive(Clone, serde::Serialize, serde::Deserialize, Branch)]
enum Size {
    Small(u64),
    Large(u64),
}
#[branch]
async fn size(n: u64) -> Result<Size> {
    Ok(if n < 10 { Size::Small(n) } else { Size::Large(n) })
}

#[test]
fn a_branch_whose_arms_only_fed_a_loser_is_cut_off() {
    #[pipeline]
    fn branch() {
        // No node takes `large`.
        let SizeArms { small, large: _ } = size(source(Ends::Success, 60u64).named("slow"));
        takes(first_of([small, source(Ends::Success, 30u64)]));
    }
    let report = Simulation::new(branch()).run();
    assert_eq!(states(&report, ["slow", "size", "size.small", "size.large"]), [Skipped; 4]);
    assert_eq!(report.finished(), Some(secs(30)));
}

/// Whether others still need a loser is decided after the whole event.
#[test]
fn a_loser_whose_other_taker_ended_at_the_same_event_is_cut_off() {
    #[pipeline]
    fn one_event() {
        let winner = source(Ends::Success, 30u64).named("winner");
        let loser = source(Ends::Success, 60u64).named("loser");
        takes(first_of([loser, winner]));
        either(winner.failure(), loser);
    }
    let report = Simulation::new(one_event()).run();
    assert_eq!(states(&report, ["either", "loser"]), [Skipped; 2]);
    assert_eq!(report.finished(), Some(secs(30)));
}

#[task]
async fn either(failure: Failure, n: u64) -> Result<u64> {
    Ok(n + u64::from(failure.attempts()))
}

#[test]
fn who_is_cut_off_may_have_been_the_last_to_await_another_loser() {
    #[pipeline]
    fn two_races() {
        let winner = source(Ends::Success, 30u64).named("winner");
        let first = source(Ends::Success, 60u64).named("first");
        let behind = takes(1u64).after(first).named("behind");
        takes(first_of([first, winner]));
        takes(first_of([behind, winner]));
    }
    let report = Simulation::new(two_races()).run();
    assert_eq!(states(&report, ["first", "behind"]), [Skipped; 2]);
    assert_eq!(report.finished(), Some(secs(30)));
}
