//! Changes in what a poke read: when they cause a poke, and what they leave unchanged.

use super::super::effects::Answered;
use super::super::log::Record;
use super::harness::{START, fold};
use super::rules::{Bench, RUN};
use crate::engine::NodeState;
use crate::prelude::*;
use crate::{Backoff, Mode};
use std::time::Duration;

#[sensor(timeout = "10m", poke = "1m")]
async fn look() -> Result<Poke<u64>> {
    Ok(Poke::NotYet)
}

#[pipeline]
fn waits() {
    look();
}

impl Bench {
    /// Something that the sensor's `start` read changes.
    fn change(&mut self, start: u32) {
        let slot = self.slot("look");
        self.core.wake(RUN, slot, start, self.now);
        self.take();
    }

    fn not_yet(&mut self) {
        self.answer("look", Answered::NotYet(None));
        self.core.advance(self.now);
        self.take();
    }

    fn pass_millis(&mut self, millis: u64) {
        self.now = self.now + Duration::from_millis(millis);
        self.core.advance(self.now);
        self.take();
    }

    /// The times of its pokes, in milliseconds.
    fn pokes(&self) -> Vec<u128> {
        let started = self.entries.iter().filter(|entry| matches!(entry.record, Record::Started { .. }));
        started.map(|entry| entry.at.since(START).as_millis()).collect()
    }

    /// Answers `NotYet` to every poke until that many seconds have passed.
    fn wait_out(&mut self, secs: u64) {
        let until = self.now + Duration::from_secs(secs);
        while self.core.next_due() <= until {
            let next = self.core.next_due();
            self.now = next;
            self.core.advance(next);
            self.take();
            if self.is_in_flight("look") {
                self.not_yet();
            }
        }
        self.now = until;
    }
}

#[test]
fn a_change_pokes_at_once_and_the_ticks_stay_where_they_are() {
    let mut bench = Bench::new(&waits());
    bench.not_yet();
    bench.pass(7);
    bench.change(1);
    bench.not_yet();
    bench.wait_out(120);
    assert_eq!(bench.pokes(), [0, 7_000, 60_000, 120_000]);
}

#[test]
fn a_change_while_a_poke_is_under_way_is_not_lost() {
    let mut bench = Bench::new(&waits());
    bench.pass(3);
    // The poke may have read before the change, or after it.
    bench.change(1);
    bench.change(1);
    assert_eq!(bench.pokes(), [0], "a poke never overlaps itself");
    bench.pass(2);
    bench.not_yet();
    assert_eq!(bench.pokes(), [0, 5_000]);
    bench.not_yet();
    bench.wait_out(70);
    assert_eq!(bench.pokes(), [0, 5_000, 60_000]);
}

#[test]
fn what_an_earlier_poke_looked_at_wakes_nobody() {
    let mut bench = Bench::new(&waits());
    bench.not_yet();
    bench.pass(60);
    bench.change(1);
    bench.not_yet();
    bench.change(1);
    assert_eq!(bench.pokes(), [0, 60_000]);
}

#[test]
fn changes_in_quick_succession_are_seen_together() {
    let mut bench = Bench::new(&waits());
    bench.not_yet();
    for millis in 0..1000 {
        bench.pass_millis(1);
        let start = bench.run().node(bench.slot("look")).starts();
        bench.change(start);
        if bench.is_in_flight("look") {
            bench.not_yet();
        }
        assert!(bench.pokes().len() <= 2 + millis, "more pokes than changes and ticks");
    }
    let expected: Vec<u128> = std::iter::once(0).chain((0..10).map(|tenth| 1 + tenth * 100)).collect();
    assert_eq!(bench.pokes(), expected);
    bench.wait_out(60);
    assert_eq!(bench.pokes()[11..], [1_001, 60_000], "the last change is seen, and the tick comes");
}

#[test]
fn growing_waits_do_not_grow_by_changes() {
    #[pipeline]
    fn growing() {
        look().backoff(Backoff::new(Duration::from_secs(30), Duration::from_mins(5)));
    }
    let mut bench = Bench::new(&growing());
    bench.not_yet();
    bench.pass(10);
    bench.change(1);
    bench.not_yet();
    bench.wait_out(90);
    // At 30 and 60 seconds, as without the change.
    assert_eq!(bench.pokes(), [0, 10_000, 30_000, 90_000]);
}

#[test]
fn a_poke_for_a_change_that_outlasts_the_tick_is_followed_by_it() {
    let mut bench = Bench::new(&waits());
    bench.not_yet();
    bench.pass(50);
    bench.change(1);
    bench.pass(20);
    assert_eq!(bench.pokes(), [0, 50_000]);
    bench.not_yet();
    bench.wait_out(50);
    // The tick of 60 s is late, and the next is an interval after its start.
    assert_eq!(bench.pokes(), [0, 50_000, 70_000]);
    bench.wait_out(10);
    assert_eq!(bench.pokes(), [0, 50_000, 70_000, 130_000]);
}

#[test]
fn no_change_pokes_at_the_deadline_or_after_it() {
    let mut bench = Bench::new(&waits());
    bench.not_yet();
    bench.wait_out(9 * 60);
    // The runtime is late: the deadline's own timer has not fired.
    bench.now = bench.now + Duration::from_secs(61);
    bench.change(10);
    assert_eq!(bench.pokes().len(), 10);
    bench.core.advance(bench.now);
    bench.take();
    bench.not_yet();
    assert_eq!((bench.pokes().len(), bench.state("look")), (11, NodeState::Failed));
    bench.change(11);
    assert_eq!(bench.pokes().len(), 11);
}

#[test]
fn a_change_neither_shortens_a_retry_delay_nor_wakes_what_has_ended() {
    #[pipeline]
    fn retried() {
        look().retries(1).retry_delay(Duration::from_mins(2));
    }
    let mut bench = Bench::new(&retried());
    bench.change(1);
    bench.answer("look", Answered::Error("no".into()));
    bench.pass(10);
    bench.change(1);
    assert_eq!(bench.pokes(), [0]);
    bench.pass(110);
    bench.answer("look", Answered::Error("no".into()));
    bench.change(2);
    assert_eq!((bench.pokes(), bench.state("look")), (vec![0, 120_000], NodeState::Failed));
}

#[test]
fn mode_poke_is_poked_for_a_change_in_the_slot_that_it_holds() {
    #[pipeline]
    fn holds() {
        look().mode(Mode::Poke);
    }
    let mut bench = Bench::new(&holds());
    bench.not_yet();
    bench.pass(7);
    bench.change(1);
    bench.not_yet();
    bench.wait_out(60);
    assert_eq!(bench.pokes(), [0, 7_000, 60_000]);
}

#[test]
fn the_tick_outlives_a_crash_after_a_poke_for_a_change() {
    let mut bench = Bench::new(&waits());
    bench.not_yet();
    bench.pass(7);
    bench.change(1);
    bench.not_yet();
    let before = fold(bench.run());
    bench.crash(3);
    assert_eq!(fold(bench.run()), before);
    bench.wait_out(110);
    assert_eq!(bench.pokes(), [0, 7_000, 60_000, 120_000]);
}

#[test]
fn a_core_that_drains_starts_no_poke_for_a_change() {
    let mut bench = Bench::new(&waits());
    bench.change(1);
    bench.core.drain();
    bench.pass(7);
    bench.not_yet();
    bench.change(1);
    bench.pass(1);
    assert_eq!(bench.pokes(), [0]);
}
