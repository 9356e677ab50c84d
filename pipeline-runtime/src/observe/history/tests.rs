use super::*;
use crate::author::context::RunInfo;
use crate::engine::{Record, Run, RunSpec};
use crate::plan::Recipient;
use crate::prelude::*;
use crate::schedule::Interval;
use crate::{Mode, Pipeline};

const SECOND: Duration = Duration::from_secs(1);
const TENTH: Duration = Duration::from_millis(100);

#[sensor(poke = "1s", timeout = "7d")]
async fn export() -> Result<Poke<u64>> {
    Ok(Poke::NotYet)
}

#[pipeline]
fn waits() {
    export();
}

#[pipeline]
fn waits_in_its_slot() {
    export().mode(Mode::Poke);
}

#[pipeline]
fn many_wait() {
    for n in 0..=MANY_NODES {
        export().named(format!("export_{n}"));
    }
}

#[task]
async fn step() -> Result<()> {
    Ok(())
}

#[pipeline]
fn in_order() {
    let first = export();
    step().after(first);
}

#[test]
fn a_node_waits_for_what_it_stands_after() {
    let history = RunHistory::live(plan(&in_order()), Timestamp::default());
    assert_eq!((history.awaited(1), history.awaited(0)), (vec![0], vec![]));
}

fn plan(pipeline: &Pipeline) -> Arc<Plan> {
    Arc::new(pipeline.plan(&serde_json::Value::Null).unwrap())
}

/// Pokes the first node once every `apart`; each poke takes `taking`.
fn poke(history: &mut RunHistory, pokes: u32, apart: Duration, taking: Duration) {
    for poke in 0..pokes {
        let at = history.started + apart * poke;
        history.apply(&Entry { at, record: Record::Started { slot: 0, attempt: 1 } });
        let record = Record::NotYet { slot: 0, next: at + apart, memory: None };
        history.apply(&Entry { at: at + taking, record });
    }
}

#[test]
fn a_week_of_pokes_a_second_takes_no_more_memory_than_an_hour_of_them() {
    let mut history = RunHistory::live(plan(&waits()), Timestamp::default());
    poke(&mut history, 3_600, SECOND, TENTH);
    let after_an_hour = history.node(0).stored_activities();
    let mut history = RunHistory::live(plan(&waits()), Timestamp::default());
    poke(&mut history, 604_800, SECOND, TENTH);
    assert_eq!((history.node(0).stored_activities(), after_an_hour), (MAX_ACTIVITIES, MAX_ACTIVITIES));
    // Counts are complete.
    let metrics = history.metrics();
    let sensor = metrics.sensor("export").unwrap();
    assert_eq!((sensor.pokes, sensor.poke_duration.count, sensor.node.attempts), (604_800, 604_800, 1));
    assert_eq!(sensor.node.run, Duration::from_millis(100) * 604_800);
    assert_eq!(history.node(0).pokes(), 604_800);
    // The report promises the last 32.
    let times = history.node(0).poke_times();
    assert_eq!((times.len(), times.last().copied()), (MAX_ACTIVITIES / 2, Some(Duration::from_secs(604_799))));
}

#[test]
fn a_run_of_many_nodes_keeps_less_of_each() {
    let mut history = RunHistory::live(plan(&many_wait()), Timestamp::default());
    poke(&mut history, 1_000, SECOND, TENTH);
    assert_eq!(
        (history.node(0).stored_activities(), history.node(0).poke_times().len()),
        (MAX_ACTIVITIES_OF_MANY, MAX_ACTIVITIES_OF_MANY / 2)
    );
}

#[test]
fn a_history_that_is_read_or_simulated_keeps_every_poke() {
    let mut history = RunHistory::new(plan(&waits()), Timestamp::default());
    poke(&mut history, 10_000, SECOND, TENTH);
    let times = history.node(0).poke_times();
    assert!(times.iter().copied().eq((0..10_000).map(Duration::from_secs)), "{}", times.len());
}

#[test]
fn the_timeline_of_what_is_not_kept_one_by_one_looks_as_if_it_were() {
    for pokes in [40, 200, 5_000] {
        let mut whole = RunHistory::new(plan(&waits()), Timestamp::default());
        let mut live = RunHistory::live(plan(&waits()), Timestamp::default());
        // Work that crosses a cell boundary is drawn as such, but that is not stored.
        poke(&mut whole, pokes, SECOND, Duration::ZERO);
        poke(&mut live, pokes, SECOND, Duration::ZERO);
        assert_eq!(live.timeline(), whole.timeline());
    }
}

#[test]
fn a_sensor_that_waits_in_its_slot_is_running() {
    for (pipeline, expected) in [(waits(), NodeState::UpForReschedule), (waits_in_its_slot(), NodeState::Running)] {
        let mut history = RunHistory::live(plan(&pipeline), Timestamp::default());
        poke(&mut history, 1, SECOND, TENTH);
        let counts: Vec<_> = history.counts().collect();
        assert_eq!((history.node(0).state(), counts, history.busy(9)), (expected, vec![(expected, 1)], (vec![0], 1)));
        assert_eq!(history.node(0).next(), Some(Duration::from_secs(1)));
    }
}

#[test]
fn states_are_counted_in_their_own_order() {
    assert!(NodeState::ALL.iter().enumerate().all(|(index, state)| *state as usize == index));
}

#[test]
fn a_live_run_keeps_the_last_failures_of_a_node_and_a_simulated_one_all() {
    let stored = |mut history: RunHistory| {
        for attempt in 1..=1_000 {
            let at = history.started + SECOND * attempt;
            history.apply(&Entry { at, record: Record::Started { slot: 0, attempt } });
            let record = Record::Retrying { slot: 0, next: at, error: "503".into(), renew: false, memory: None };
            history.apply(&Entry { at, record });
        }
        (history.node(0).failed_attempts().len(), history.metrics().sensor("export").unwrap().node.errors)
    };
    // The report promises this.
    assert_eq!(MAX_FAILED_ATTEMPTS, 16);
    assert_eq!(stored(RunHistory::live(plan(&waits()), Timestamp::default())), (MAX_FAILED_ATTEMPTS, 1_000));
    assert_eq!(stored(RunHistory::new(plan(&waits()), Timestamp::default())), (1_000, 1_000));
}

#[test]
fn a_live_run_keeps_the_last_thousand_callbacks_and_a_simulated_one_all() {
    let notification = Arc::new(Notification::for_test(crate::Event::OnSuccess).with_run_id("waits", "run"));
    let stored = |mut history: RunHistory| {
        for id in 0..1_500 {
            let recipient = Recipient { label: Some("page".into()), position: 0, is_one_of_several: false };
            let record = Record::CallbackDue { id, recipient, notification: Arc::clone(&notification) };
            history.apply(&Entry { at: history.started, record });
            history.apply(&Entry { at: history.started, record: Record::CallbackTold { id } });
        }
        (history.callbacks.iter().len(), history.callbacks.dropped())
    };
    assert_eq!(stored(RunHistory::live(plan(&waits()), Timestamp::default())), (1_000, 500));
    assert_eq!(stored(RunHistory::new(plan(&waits()), Timestamp::default())), (1_500, 0));
}

#[test]
fn a_cancel_by_its_record_alone_ends_the_same_nodes_as_in_the_runs_state() {
    #[task]
    async fn work() -> Result<u64> {
        Ok(1)
    }
    #[pipeline]
    fn two() {
        work().named("first");
        work().named("second");
    }
    let started = |slot| Record::Started { slot, attempt: 1 };
    let cut_off = |slot| Record::Skipped { slot, why: Skip::RunEnded };
    let cancelled = Record::RunEnded { state: RunState::Cancelled };
    let again = Record::Cleared { slots: [0].into() };
    let (skipped, none) = (NodeState::Skipped, NodeState::None);
    // Records, and the states that they lead to; nothing ends the last run.
    let cases = [
        (vec![started(0), cancelled.clone()], [skipped, skipped]),
        (vec![cancelled.clone()], [skipped, skipped]),
        (vec![started(0), cut_off(0), cut_off(1), cancelled.clone()], [skipped, skipped]),
        // A node that the plan has gained since is open.
        (vec![started(0), cut_off(0), cancelled.clone()], [skipped, none]),
        // Cancelled twice: by the program that had the run, and after a retry of one node by another.
        (vec![started(0), cut_off(0), cut_off(1), cancelled.clone(), again, started(0), cancelled], [skipped, skipped]),
    ];
    for (records, expected) in cases {
        let at = Timestamp::default();
        let entries: Vec<Entry> = records.into_iter().map(|record| Entry { at, record }).collect();
        let history = RunHistory::of(plan(&two()), at, &entries);
        assert_eq!([0, 1].map(|slot| history.node(slot).state()), expected, "{entries:?}");
        let info = RunInfo::new("two", "run", Interval::at(at.to_utc()), serde_json::Value::Null);
        let spec = RunSpec { plan: plan(&two()), info: Arc::new(info), sla_from: at, seed: 0, key: 0 };
        let run = Run::replay(spec, at, &entries).unwrap();
        let states = [0, 1].map(|slot| run.node(slot).state());
        // A node that waits for nothing is scheduled from the start, without a record.
        let expected = expected.map(|state| if state == none { NodeState::Scheduled } else { state });
        assert_eq!(states, expected, "{entries:?}");
    }
}

#[test]
fn a_callback_that_was_given_up_is_not_shown_as_one_to_come() {
    let mut history = RunHistory::new(plan(&waits()), Timestamp::default());
    let at = history.started;
    for id in 0..2 {
        let recipient = Recipient { label: Some("page".into()), position: 0, is_one_of_several: false };
        let notification = Arc::new(Notification::for_test(crate::Event::OnSuccess).with_run_id("waits", "run"));
        history.apply(&Entry { at, record: Record::CallbackDue { id, recipient, notification } });
    }
    history.apply(&Entry { at, record: Record::CallbackFailed { id: 0, next: None, error: "503".into() } });
    let timeline = history.timeline();
    let lines: Vec<&str> = timeline.lines().filter(|line| line.contains("on_success")).collect();
    assert!(lines[0].contains("(given up)") && lines[1].contains("(not delivered yet)"), "{timeline}");
}

#[test]
fn a_node_that_is_retried_by_hand_took_as_long_as_its_last_life() {
    let mut history = RunHistory::live(plan(&waits()), Timestamp::default());
    let error: Arc<str> = "503".into();
    let mut at = |seconds, record| history.apply(&Entry { at: history.started + SECOND * seconds, record });
    at(1, Record::Started { slot: 0, attempt: 1 });
    at(2, Record::Failed { slot: 0, error, timed_out: false });
    at(2, Record::RunEnded { state: RunState::Failed });
    at(100, Record::Cleared { slots: [0].into() });
    at(104, Record::Started { slot: 0, attempt: 1 });
    at(105, Record::Skipped { slot: 0, why: Skip::ByHand });
    let node = history.node(0);
    assert_eq!((node.began(), node.finished_at()), (Some(SECOND * 104), Some(SECOND * 105)));
    assert!(history.timeline().contains("1m 44s → 1m 45s"), "{}", history.timeline());
}

#[test]
fn a_node_that_is_cut_off_names_the_winner_of_its_race() {
    #[task]
    async fn fetch(n: u64) -> Result<u64> {
        Ok(n)
    }
    #[pipeline]
    fn race() {
        // `source` is not in the race itself, but feeds only the loser.
        let slow = fetch(fetch(1).named("source")).named("slow");
        first_of([slow, fetch(2).named("quick")]);
        fetch(3).named("other");
    }
    let plan = plan(&race());
    let of = |history: &RunHistory, id: &str| history.find(id).unwrap();
    let mut history = RunHistory::new(plan, Timestamp::default());
    let [source, slow, quick, race, other] = ["source", "slow", "quick", "first_of", "other"].map(|id| of(&history, id));
    let at = history.started;
    for record in [
        Record::Started { slot: quick, attempt: 1 },
        Record::Succeeded { slot: quick, output: None },
        Record::Succeeded { slot: race, output: None },
        Record::Skipped { slot: slow, why: Skip::CutOff },
        Record::Skipped { slot: source, why: Skip::CutOff },
        Record::Skipped { slot: other, why: Skip::CutOff },
    ] {
        history.apply(&Entry { at, record });
    }
    for loser in [slow, source] {
        let reason = history.reason(loser, &Skip::CutOff);
        assert_eq!(reason, "its output is no longer needed: `quick` won the race");
    }
    assert_eq!(history.reason(other, &Skip::CutOff), "its output is no longer needed");
}
