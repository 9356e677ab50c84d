use super::*;
use crate::engine::{NodeState, Record, RunSpec, RunState};
use crate::prelude::*;
use crate::schedule::Interval;

#[sensor(poke = "1s", timeout = "7d")]
async fn export() -> Result<Poke<u64>> {
    Ok(Poke::NotYet)
}

#[pipeline]
fn waits() {
    export();
}

fn run() -> Run {
    let plan = Arc::new(waits().plan(&serde_json::Value::Null).unwrap());
    let now = Timestamp::default();
    let info = RunInfo::new("waits", "run", Interval::at(now.to_utc()), serde_json::Value::Null);
    Run::new(RunSpec { plan, info: Arc::new(info), sla_from: now, seed: 0, key: 0 }, now)
}

fn started(attempt: u32) -> Entry {
    Entry { at: Timestamp::default() + Duration::from_secs(attempt.into()), record: Record::Started { slot: 0, attempt } }
}

/// Returns everything that can be taken without waiting, and what was lost.
fn take_all(receiver: &Receiver) -> (Vec<FeedEvent>, Loss, Runs) {
    let (mut events, mut lost, mut runs) = (Vec::new(), Loss::default(), Runs::new());
    loop {
        match receiver.take(Some(Duration::ZERO)) {
            TakeResult::Items(more) => events.extend(more),
            TakeResult::Gap => (lost, runs) = receiver.close_gap(),
            TakeResult::TimedOut | TakeResult::Closed => return (events, lost, runs),
        }
    }
}

#[test]
fn a_view_that_does_not_come_holds_nobody_up_and_the_history_is_whole() {
    // Nothing takes events: if a sender waited for a receiver, this would not end.
    let (feed, receiver) = Feed::bounded(64 << 10);
    let run = run();
    for poke in 1..=100_000 {
        feed.record(7, &run, &started(poke));
    }
    feed.log_sink().log("a line".into()).unwrap();
    feed.record(7, &run, &Entry { at: run.started(), record: Record::RunEnded { state: RunState::Success } });
    let (events, lost, runs) = take_all(&receiver);
    assert!(matches!(&events[0], FeedEvent::RunOpened(7, _)));
    // The opening, and each record is an event.
    assert_eq!(events.len() as u64 + lost.events, 1 + 100_001);
    assert_eq!(lost.lines, 1);
    let weight: usize = events.iter().map(queue::Weigh::weight).sum();
    assert!(weight <= 64 << 10, "{weight}");
    // After the gap, the view reads the current state.
    let history = runs[&7].history();
    assert_eq!((history.node(0).pokes(), history.node(0).attempts(), history.state), (100_000, 100_000, RunState::Success));
    drop(history);
    assert_eq!(feed.take_runs()[&7].history().metrics().sensor("export").unwrap().pokes, 100_000);
}

#[test]
fn nothing_is_lost_where_the_view_keeps_up_and_events_tell_how_it_was() {
    let (feed, receiver) = Feed::with_view();
    let run = run();
    for poke in 1..=1_000 {
        feed.record(7, &run, &started(poke));
    }
    let (events, lost, _) = take_all(&receiver);
    assert_eq!(lost, Loss::default());
    // The history is ahead, and yet each event has its own poke number.
    let pokes = events.iter().filter_map(|event| match event {
        FeedEvent::RunEvent(7, event) => event.node.map(|after| (after.pokes, after.state)),
        _ => None,
    });
    assert!(pokes.eq((1..=1_000).map(|poke| (poke, NodeState::Running))));
}

#[test]
fn runs_that_came_and_went_in_a_gap_are_not_held() {
    let (feed, receiver) = Feed::bounded(4 << 10);
    let run = run();
    for ix in 0..1_000 {
        feed.record(ix, &run, &started(1));
        if ix != 500 {
            feed.forget(ix);
        }
    }
    let (events, lost, runs) = take_all(&receiver);
    assert!(lost.events > 2_900, "{lost:?}");
    drop(events);
    assert_eq!(runs.keys().collect::<Vec<_>>(), [&500]);
    // Events after the gap are shown again.
    feed.record(500, &run, &started(2));
    assert!(matches!(take_all(&receiver).0.as_slice(), [FeedEvent::RunEvent(500, _)]));
}

#[test]
fn who_shows_nothing_still_has_the_histories() {
    let feed = Feed::without_view();
    let run = run();
    feed.record(0, &run, &started(1));
    assert_eq!(feed.log_sink().log("a line".into()), Ok(()));
    assert_eq!(feed.take_runs()[&0].history().node(0).pokes(), 1);
    // Late events are not observed.
    feed.record(0, &run, &started(2));
    assert!(feed.take_runs().is_empty());
}

#[test]
fn a_line_comes_back_where_nobody_takes_it_any_more() {
    let (feed, receiver) = Feed::with_view();
    drop(receiver);
    assert_eq!(feed.log_sink().log("a line".into()), Err("a line".into()));
}

#[test]
fn whoever_records_and_whoever_shows_never_wait_for_each_other_both() {
    let (feed, receiver) = Feed::with_view();
    let view = std::thread::spawn(move || {
        let (mut runs, mut count) = (Runs::new(), 0);
        loop {
            match receiver.take(None) {
                TakeResult::Items(events) => {
                    for event in events {
                        match event {
                            FeedEvent::RunOpened(ix, run) => drop(runs.insert(ix, run)),
                            FeedEvent::RunEvent(ix, _) => count += u32::from(runs[&ix].history().node(0).pokes() > 0),
                            FeedEvent::RunForgotten(ix, _) => drop(runs.remove(&ix)),
                            FeedEvent::Log(_) => {}
                        }
                    }
                }
                TakeResult::Gap => drop(receiver.close_gap()),
                TakeResult::TimedOut => {}
                TakeResult::Closed => return count,
            }
        }
    });
    let run = run();
    for ix in 0..1_000 {
        for attempt in 1..=10 {
            feed.record(ix, &run, &started(attempt));
        }
        feed.forget(ix);
    }
    feed.close();
    assert_eq!(view.join().unwrap(), 10_000);
}
