//! Sensors: when they are poked, how long they wait, and what they hold meanwhile.

use super::tasks::*;
use pipeline_runtime::NodeState::{Failed, Skipped, Success};
use pipeline_runtime::prelude::*;
use pipeline_runtime::{Backoff, Mode, OnTimeout, Pipeline, RunReport, Simulation, TaskError};
use std::time::Duration;

/// A sensor with scripted answers, one letter per poke; the last one repeats. `n` is not yet, `r` ready, `e` an error, `f` a
/// fatal error, `s` a skip, and a digit is not yet after that many times ten seconds.
#[sensor(timeout = "10m", poke = "45s")]
async fn look(ctx: Context, answers: String) -> Result<Poke<u64>> {
    let poke = ctx.recall::<usize>()?.unwrap_or(0);
    ctx.remember(&(poke + 1))?;
    match answers.chars().nth(poke).or(answers.chars().last()).unwrap_or('n') {
        'r' => Ok(Poke::Ready(poke as u64)),
        'e' => Err(format!("error {poke}").into()),
        'f' => Err(TaskError::fatal("forbidden")),
        's' => Err(TaskError::skip("not today")),
        digit => {
            let tens = digit.to_digit(10).unwrap_or(0);
            tokio::time::sleep(Duration::from_secs(u64::from(tens) * 10)).await;
            Ok(Poke::NotYet)
        }
    }
}

#[track_caller]
fn run(pipeline: Pipeline) -> RunReport {
    Simulation::new(pipeline).run()
}

fn pokes(report: &RunReport) -> Vec<u64> {
    in_secs(report.node("look").poke_times())
}

fn end(report: &RunReport) -> (pipeline_runtime::NodeState, u64) {
    let node = report.node("look");
    (node.state(), node.finished().unwrap().as_secs())
}

// ---- when it is poked

#[test]
fn it_is_poked_at_once_and_then_at_its_interval_until_it_is_ready() {
    #[pipeline]
    fn ready() {
        takes(look("nnnr"));
    }
    let report = run(ready());
    assert_eq!(pokes(&report), [0, 45, 90, 135]);
    assert_eq!(end(&report), (Success, 135));
    assert_eq!(report.output::<u64>("takes"), Some(3));
    assert_eq!(report.node("look").attempts(), 1);
}

/// Answers `NotBefore` with these times in seconds from the run's start, one per poke; after the last it is ready.
#[sensor(poke = "45s", timeout = "10m", on_timeout = "skip")]
async fn not_before(ctx: Context, seconds: Vec<u64>) -> Result<Poke<u64>> {
    let poke: usize = ctx.recall()?.unwrap_or(0);
    ctx.remember(&(poke + 1))?;
    Ok(match seconds.get(poke) {
        Some(second) => Poke::NotBefore(ctx.run_started() + Duration::from_secs(*second)),
        None => Poke::Ready(7),
    })
}

#[test]
fn it_is_not_poked_before_the_time_that_it_says() {
    #[pipeline]
    fn saying() {
        // The second time is in the past: that poke waits for its interval.
        not_before(vec![200, 100, 300]).named("look");
        not_before(vec![3600]).named("late");
    }
    let report = run(saying());
    assert_eq!(pokes(&report), [0, 200, 245, 300]);
    // Its timeout comes first, with the last poke.
    assert_eq!(in_secs(report.node("late").poke_times()), [0, 600]);
    assert_eq!(report.node("late").state(), Success);
}

#[test]
fn a_growing_interval_is_exact() {
    #[pipeline]
    fn growing() {
        look("n").timeout(mins(20)).backoff(Backoff::new(secs(30), mins(5)));
    }
    // 30, 60, 120, 240, 300, and then the deadline.
    assert_eq!(pokes(&run(growing())), [0, 30, 90, 210, 450, 750, 1050, 1200]);
}

#[test]
fn a_poke_never_overlaps_the_one_before_and_the_interval_counts_from_its_start() {
    #[pipeline]
    fn slow() {
        // Not yet after 20 s, 70 s, 0 s.
        look("270r").poke_timeout(secs(100));
    }
    assert_eq!(pokes(&run(slow())), [0, 45, 115, 160]);
}

#[test]
fn jitter_is_opt_in_bounded_and_drawn_from_the_seed() {
    #[pipeline]
    fn jittered() {
        look("n").poke(secs(60)).poke_jitter(secs(20));
    }
    let times = |seed| Simulation::new(jittered()).seed(seed).run().node("look").poke_times().to_vec();
    assert_eq!(times(7), times(7));
    assert_ne!(times(7), times(8));
    for seed in 0..20 {
        let times = times(seed);
        for pair in times[..times.len() - 1].windows(2) {
            let wait = pair[1].checked_sub(pair[0]).unwrap();
            assert!((secs(60)..=secs(80)).contains(&wait), "{times:?}");
        }
        assert_eq!(times.last(), Some(&mins(10)), "the last poke is at the deadline");
    }
}

// ---- the budget

#[test]
fn the_last_poke_is_at_the_deadline_though_no_interval_ends_there() {
    #[pipeline]
    fn late() {
        look("n");
    }
    let report = run(late());
    let mut expected: Vec<u64> = (0..14).map(|poke| poke * 45).collect();
    expected.push(600);
    assert_eq!(pokes(&report), expected);
    assert_eq!(end(&report), (Failed, 600));
    assert_eq!(report.node("look").error(), Some("timed out: not ready within 10m (15 pokes)"));
}

#[test]
fn a_deadline_at_the_end_of_an_interval_has_one_poke_and_not_two() {
    #[pipeline]
    fn exact() {
        look("n").poke(mins(5));
    }
    assert_eq!(pokes(&run(exact())), [0, 300, 600]);
}

#[test]
fn the_poke_at_the_deadline_may_still_succeed() {
    #[pipeline]
    fn just_in_time() {
        look("nnr").poke(mins(7));
    }
    assert_eq!(end(&run(just_in_time())), (Success, 600));
}

#[test]
fn a_poke_under_way_at_the_deadline_may_finish() {
    #[pipeline]
    fn finishing() {
        // The second poke starts at 9m30s, takes 50 s and is not ready.
        look("n5").poke(secs(570)).poke_timeout(mins(1));
    }
    let report = run(finishing());
    assert_eq!(pokes(&report), [0, 570]);
    assert_eq!(end(&report), (Failed, 620));
}

#[test]
fn retries_and_their_delays_are_within_the_one_budget() {
    #[pipeline]
    fn errors() {
        look("enenn").retries(2).retry_delay(mins(2));
    }
    let report = run(errors());
    // Errors at 0 s and 165 s, retries two minutes later, and the deadline is still ten minutes after the first poke.
    assert_eq!(pokes(&report)[..5], [0, 120, 165, 285, 330]);
    assert_eq!(pokes(&report).last(), Some(&600));
    assert_eq!((report.node("look").attempts(), end(&report)), (3, (Failed, 600)));
}

#[test]
fn errors_beyond_the_retries_fail_it_before_its_deadline() {
    #[pipeline]
    fn errors() {
        look("nee").retries(1).retry_delay(secs(10));
    }
    let report = run(errors());
    assert_eq!(pokes(&report), [0, 45, 55]);
    assert_eq!((end(&report), report.node("look").error()), ((Failed, 55), Some("error 2")));
}

#[test]
fn a_retry_delay_that_would_overshoot_the_deadline_ends_at_it() {
    #[pipeline]
    fn overshooting() {
        look("ne").poke(secs(570)).retries(5).retry_delay(mins(2));
    }
    let report = run(overshooting());
    assert_eq!(pokes(&report), [0, 570, 600]);
    assert_eq!(end(&report), (Failed, 600));
}

#[test]
fn an_error_in_the_last_poke_is_a_timeout_and_not_retried() {
    #[pipeline]
    fn error() {
        look("nne").poke(mins(5)).retries(3);
    }
    let report = run(error());
    assert_eq!((report.node("look").attempts(), end(&report)), (1, (Failed, 600)));
    assert_eq!(report.node("look").error(), Some("timed out: not ready within 10m (3 pokes); the last poke failed: error 2"));
}

#[test]
fn a_timeout_is_not_retried_unless_it_is_asked_for() {
    #[pipeline]
    fn fails() {
        look("n").poke(mins(5)).retries(3);
    }
    let report = run(fails());
    assert_eq!((report.node("look").attempts(), end(&report)), (1, (Failed, 600)));
}

#[test]
fn on_timeout_skip_skips_it_unless_the_last_poke_was_an_error() {
    #[pipeline]
    fn skips() {
        takes(look("n").on_timeout(OnTimeout::Skip));
    }
    #[pipeline]
    fn skips_an_error() {
        look("nne").poke(mins(5)).on_timeout(OnTimeout::Skip);
    }
    let report = run(skips());
    assert_eq!((end(&report), report.node("takes").state()), ((Skipped, 600), Skipped));
    assert_eq!(report.state(), pipeline_runtime::RunState::Success);
    // After an error it is unknown whether the file was missing.
    let outage = run(skips_an_error());
    assert_eq!((end(&outage), outage.state()), ((Failed, 600), pipeline_runtime::RunState::Failed));
    assert!(
        outage.node("look").error().unwrap().ends_with("; the last poke failed: error 2"),
        "{:?}",
        outage.node("look").error()
    );
}

#[test]
fn on_timeout_skip_is_about_timeouts_alone() {
    #[pipeline]
    fn forbidden() {
        look("nf").on_timeout(OnTimeout::Skip).retries(2);
    }
    #[pipeline]
    fn broken() {
        look("ne").on_timeout(OnTimeout::Skip);
    }
    assert_eq!(end(&run(forbidden())), (Failed, 45));
    assert_eq!(end(&run(broken())), (Failed, 45));
}

#[test]
fn on_timeout_retry_renews_the_budget_and_the_backoff_and_uses_up_a_retry() {
    #[pipeline]
    fn renewed() {
        let look = look("n").timeout(mins(2)).backoff(Backoff::new(secs(30), mins(5)));
        look.on_timeout(OnTimeout::Retry).retries(1).retry_delay(mins(1));
    }
    let report = run(renewed());
    assert_eq!(pokes(&report), [0, 30, 90, 120, 180, 210, 270, 300]);
    assert_eq!((report.node("look").attempts(), end(&report)), (2, (Failed, 300)));
    assert_eq!(report.node("look").error(), Some("timed out: not ready within 2m (8 pokes)"));
}

#[test]
fn what_a_sensor_remembers_outlives_a_renewed_budget() {
    #[pipeline]
    fn remembered() {
        // Ready at its fourth poke, which is the first after the retry.
        look("nnnr").poke(mins(5)).on_timeout(OnTimeout::Retry).retries(1).retry_delay(mins(1));
    }
    let report = run(remembered());
    assert_eq!(pokes(&report), [0, 300, 600, 660]);
    assert_eq!(end(&report), (Success, 660));
}

#[test]
fn a_fatal_error_and_a_skip_end_it_at_once() {
    #[pipeline]
    fn fatal() {
        look("nf").retries(5);
    }
    #[pipeline]
    fn skip() {
        look("ns").retries(5);
    }
    assert_eq!(end(&run(fatal())), (Failed, 45));
    assert_eq!(end(&run(skip())), (Skipped, 45));
}

// ---- one poke's limit

#[test]
fn a_poke_that_hangs_is_cut_off_after_a_minute_or_its_interval_and_retried() {
    #[pipeline]
    fn hangs() {
        look("9r").poke(mins(2)).retries(1).retry_delay(secs(10)).named("minute");
        look("9r").poke(secs(20)).retries(1).retry_delay(secs(10)).named("interval");
        look("9r").poke(mins(2)).poke_timeout(secs(5)).named("own");
    }
    let report = run(hangs());
    let of = |id| in_secs(report.node(id).poke_times());
    assert_eq!([of("minute"), of("interval")], [[0, 70], [0, 30]]);
    // The memory of a poke that was cut off is lost, so it hangs again.
    assert_eq!(report.node("minute").state(), Failed);
    assert_eq!(report.node("own").error(), Some("the poke took longer than its limit of 5s"));
    assert_eq!(report.node("own").finished(), Some(secs(5)));
}

// ---- pools

static ONE: Pool = Pool::new("one_for_sensors", 1);
static ANOTHER: Pool = Pool::new("another_for_sensors", 1);

#[test]
fn mode_poke_holds_its_slot_for_the_whole_wait_and_reschedule_gives_it_back() {
    #[pipeline]
    fn modes() {
        look("nnr").mode(Mode::Poke).pool(&ONE).priority(1).named("poke");
        source(Ends::Success, 1u64).pool(&ONE).named("behind_poke");
        look("nnr").mode(Mode::Reschedule).pool(&ANOTHER).priority(1).named("reschedule");
        source(Ends::Success, 1u64).pool(&ANOTHER).named("behind_reschedule");
    }
    let report = run(modes());
    assert_eq!(report.node("behind_poke").started(), Some(secs(90)));
    assert_eq!(report.node("behind_reschedule").started(), Some(secs(0)));
    assert_eq!(report.node("poke").poke_times(), report.node("reschedule").poke_times());
}

#[test]
fn mode_poke_gives_its_slot_back_while_a_retry_is_due() {
    #[pipeline]
    fn retried() {
        look("er").mode(Mode::Poke).pool(&ONE).priority(1).retries(1).retry_delay(secs(30));
        source(Ends::Success, 10u64).pool(&ONE);
    }
    let report = run(retried());
    assert_eq!(report.node("source").started(), Some(secs(0)));
    assert_eq!(pokes(&report), [0, 30]);
}

#[test]
fn a_poke_waits_for_a_slot_and_the_wait_counts_from_the_first_poke() {
    #[pipeline]
    fn busy() {
        source(Ends::Success, 100u64).pool(&ONE).priority(1);
        look("n").pool(&ONE);
    }
    let report = run(busy());
    assert_eq!((pokes(&report)[0], end(&report)), (100, (Failed, 700)));
}

/// A poke that its pool delays past the deadline is not made: the sensor ends at the deadline.
#[test]
fn a_poke_that_its_pool_holds_up_past_the_deadline_is_not_made() {
    #[pipeline]
    fn held_up(after: Answers) {
        look(after.0).pool(&ONE);
        // Takes the only slot from just before the deadline until five minutes after it.
        source(Ends::Success, 360u64).pool(&ONE).after(source(Ends::Success, 590u64));
    }
    let pokes_with = |answers: &str| {
        let report = Simulation::new(held_up()).params(Answers(answers.into())).run();
        (pokes(&report).into_iter().filter(|at| *at > 585).collect::<Vec<_>>(), end(&report))
    };
    // Even if the sensor would have been ready by then.
    assert_eq!(pokes_with("n"), (vec![], (Failed, 600)));
    assert_eq!(pokes_with("nnnnnnnnnnnnnnr"), (vec![], (Failed, 600)));
}

#[derive(Default, serde::Serialize, serde::Deserialize)]
struct Answers(String);

// ---- the world

#[sensor(timeout = "1h", poke = "1m")]
async fn arrives(bucket: Bucket, key: String) -> Result<Poke<Object>> {
    Ok(bucket.head(&key).await?.into())
}

#[test]
fn an_object_is_seen_at_the_next_poke_and_flows_on() {
    #[task]
    async fn size(object: Object) -> Result<u64> {
        Ok(object.size)
    }
    #[pipeline]
    fn waiting() -> Result<()> {
        size(arrives(Bucket::open("memory://in")?, "a.csv"));
        Ok(())
    }
    let report = Simulation::new(waiting()).arrive("2m30s", "memory://in/a.csv", "12345").run();
    assert_eq!(in_secs(report.node("arrives").poke_times()), [0, 60, 120, 180]);
    assert_eq!(report.output::<u64>("size"), Some(5));
}

#[test]
fn an_outage_is_an_error_of_the_poke_and_no_not_yet() {
    #[pipeline]
    fn outage() -> Result<()> {
        arrives(Bucket::open("memory://in")?, "a.csv").retries(1).retry_delay(mins(5));
        Ok(())
    }
    let report = Simulation::new(outage()).arrive("4m", "memory://in/a.csv", "").outage("memory://in", "90s", "3m").run();
    assert_eq!(in_secs(report.node("arrives").poke_times()), [0, 60, 120, 420]);
    assert_eq!((report.node("arrives").state(), report.node("arrives").attempts()), (Success, 2));
}
