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
fn taken(receiver: &Receiver) -> (Vec<News>, Lost, Runs) {
    let (mut news, mut lost, mut runs) = (Vec::new(), Lost::default(), Runs::new());
    loop {
        match receiver.take(Some(Duration::ZERO)) {
            Taken::Some(more) => news.extend(more),
            Taken::Gap => (lost, runs) = receiver.go_on(),
            Taken::TimedOut | Taken::Closed => return (news, lost, runs),
        }
    }
}

#[test]
fn a_view_that_does_not_come_holds_nobody_up_and_the_history_is_whole() {
    // Nothing takes news: if a sender waited for a receiver, this would not end.
    let (feed, receiver) = Feed::bounded(64 << 10);
    let run = run();
    for poke in 1..=100_000 {
        feed.record(7, &run, &started(poke));
    }
    feed.log_sink().log("a line".into()).unwrap();
    feed.record(7, &run, &Entry { at: run.started(), record: Record::RunEnded { state: RunState::Success } });
    let (news, lost, runs) = taken(&receiver);
    assert!(matches!(&news[0], News::Opened(7, _)));
    // The opening, and each record is an event.
    assert_eq!(news.len() as u64 + lost.events, 1 + 100_001);
    assert_eq!(lost.lines, 1);
    let weight: usize = news.iter().map(queue::Weigh::weight).sum();
    assert!(weight <= 64 << 10, "{weight}");
    // After the gap, the view reads the current state.
    let history = runs[&7].history();
    assert_eq!((history.node(0).pokes(), history.node(0).attempts(), history.state), (100_000, 100_000, RunState::Success));
    drop(history);
    assert_eq!(feed.take_runs()[&7].history().metrics().sensor("export").unwrap().pokes, 100_000);
}

#[test]
fn nothing_is_lost_where_the_view_keeps_up_and_events_tell_how_it_was() {
    let (feed, receiver) = Feed::shown();
    let run = run();
    for poke in 1..=1_000 {
        feed.record(7, &run, &started(poke));
    }
    let (news, lost, _) = taken(&receiver);
    assert_eq!(lost, Lost::default());
    // The history is ahead, and yet each event has its own poke number.
    let pokes = news.iter().filter_map(|news| match news {
        News::Event(7, event) => event.node.map(|after| (after.pokes, after.state)),
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
    let (news, lost, runs) = taken(&receiver);
    assert!(lost.events > 2_900, "{lost:?}");
    drop(news);
    assert_eq!(runs.keys().collect::<Vec<_>>(), [&500]);
    // Events after the gap are shown again.
    feed.record(500, &run, &started(2));
    assert!(matches!(taken(&receiver).0.as_slice(), [News::Event(500, _)]));
}

#[test]
fn who_shows_nothing_still_has_the_histories() {
    let feed = Feed::silent();
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
    let (feed, receiver) = Feed::shown();
    drop(receiver);
    assert_eq!(feed.log_sink().log("a line".into()), Err("a line".into()));
}

#[test]
fn whoever_records_and_whoever_shows_never_wait_for_each_other_both() {
    let (feed, receiver) = Feed::shown();
    let shown = std::thread::spawn(move || {
        let (mut runs, mut events) = (Runs::new(), 0);
        loop {
            match receiver.take(None) {
                Taken::Some(news) => {
                    for news in news {
                        match news {
                            News::Opened(ix, run) => drop(runs.insert(ix, run)),
                            News::Event(ix, _) => events += u32::from(runs[&ix].history().node(0).pokes() > 0),
                            News::Forgotten(ix, _) => drop(runs.remove(&ix)),
                            News::Log(_) => {}
                        }
                    }
                }
                Taken::Gap => drop(receiver.go_on()),
                Taken::TimedOut => {}
                Taken::Closed => return events,
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
    assert_eq!(shown.join().unwrap(), 10_000);
}
