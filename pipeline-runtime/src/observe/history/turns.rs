//! A node's activities over time in a few bytes: a million nodes may wait, and each may be poked a million times.

use std::time::Duration;

/// A period of a node's time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) what: Work,
    pub(crate) from: Duration,
    /// `None` while it lasts.
    pub(crate) until: Option<Duration>,
}

/// An activity of a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Work {
    /// A body runs.
    Working,
    /// A sensor waits for its next poke.
    Waiting,
    /// A retry is due.
    Retrying,
    /// This many starts of the body and the gaps between them, whose individual times are not stored.
    Merged(u32),
}

/// The activity that a node begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Begins {
    Working = 0,
    Waiting = 1,
    Retrying = 2,
    Nothing = 3,
}

/// When a node began which activity: the time in nanoseconds, and the activity in the two lowest bits.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Turn(u64);

/// The turns of a node, in order.
///
/// The first and the last are stored inline, so that a node that has run, and a sensor that waits after its first poke, need no
/// other memory. Of those between them only the newest are stored, as many as the caller of [`begin`](Self::begin) allows.
#[derive(Clone)]
pub(super) struct Turns {
    /// The first start.
    first: Turn,
    /// The last turn; `NONE` while the first is the last.
    last: Turn,
    between: Option<Box<Between>>,
}

#[derive(Clone, Default)]
struct Between {
    /// How many starts are no longer stored individually, including the first turn.
    merged: u32,
    turns: Vec<Turn>,
}

impl Turn {
    const NONE: Self = Self(u64::MAX);
    /// Saturates after 146 years.
    const LATEST: u64 = (1 << 62) - 2;

    fn new(begins: Begins, at: Duration) -> Self {
        let nanos = u64::try_from(at.as_nanos()).unwrap_or(u64::MAX).min(Self::LATEST);
        Self(nanos << 2 | begins as u64)
    }

    fn begins(self) -> Begins {
        match self.0 & 3 {
            0 => Begins::Working,
            1 => Begins::Waiting,
            2 => Begins::Retrying,
            _ => Begins::Nothing,
        }
    }

    fn at(self) -> Duration {
        Duration::from_nanos(self.0 >> 2)
    }

    fn get(self) -> Option<Self> {
        (self != Self::NONE).then_some(self)
    }
}

impl Default for Turns {
    fn default() -> Self {
        Self { first: Turn::NONE, last: Turn::NONE, between: None }
    }
}

impl Turns {
    /// Begins another activity. Of the turns since the first start, the last `keep` are stored.
    pub(super) fn begin(&mut self, begins: Begins, at: Duration, keep: usize) {
        let turn = Turn::new(begins, at);
        if self.first == Turn::NONE {
            // A node that begins nothing before its first start has ended or was cleared.
            (self.first, self.last) = if begins == Begins::Nothing { (Turn::NONE, turn) } else { (turn, Turn::NONE) };
        } else if begins != Begins::Nothing || self.now() != Some(Begins::Nothing) {
            let before = std::mem::replace(&mut self.last, turn);
            if let Some(before) = before.get() {
                self.between.get_or_insert_default().push(before, keep);
            }
        }
    }

    /// Returns when it was first started.
    pub(super) fn first(&self) -> Option<Duration> {
        self.first.get().map(Turn::at)
    }

    /// Returns the start of the current activity.
    pub(super) fn since(&self) -> Option<Duration> {
        self.last.get().or(self.first.get()).map(Turn::at)
    }

    /// Returns the current activity.
    pub(super) fn now(&self) -> Option<Begins> {
        self.last.get().or(self.first.get()).map(Turn::begins)
    }

    /// Returns when it was last started.
    pub(super) fn last_start(&self) -> Option<Duration> {
        self.newest_first().find(|turn| turn.begins() == Begins::Working).map(Turn::at)
    }

    fn newest_first(&self) -> impl Iterator<Item = Turn> {
        let between = self.between.iter().flat_map(|between| between.turns.iter().rev().copied());
        self.last.get().into_iter().chain(between).chain(self.first.get())
    }

    fn merged(&self) -> u32 {
        self.between.as_ref().map_or(0, |between| between.merged)
    }

    /// Returns the activities over time. Those no longer stored individually are one span, the first.
    pub(super) fn spans(&self) -> Vec<Span> {
        let mut spans = Vec::new();
        self.each_span(|span| spans.push(span));
        spans
    }

    /// Visits the same spans one by one.
    pub(super) fn each_span(&self, mut see: impl FnMut(Span)) {
        let mut merged = self.merged();
        let mut see = |turn: Turn, until: Option<Turn>| {
            let what = match turn.begins() {
                Begins::Working => Work::Working,
                Begins::Waiting => Work::Waiting,
                Begins::Retrying => Work::Retrying,
                Begins::Nothing => return,
            };
            let what = if merged > 0 { Work::Merged(std::mem::take(&mut merged)) } else { what };
            see(Span { what, from: turn.at(), until: until.map(Turn::at) });
        };
        let mut before = self.first.get();
        // Most nodes have two turns.
        for turn in self.between.iter().flat_map(|between| between.turns.iter().copied()) {
            if let Some(before) = before.replace(turn) {
                see(before, Some(turn));
            }
        }
        let last = self.last.get();
        if let Some(before) = before {
            see(before, last);
        }
        if let Some(last) = last {
            see(last, None);
        }
    }

    /// Returns the number of turns in separate memory.
    #[cfg(test)]
    pub(super) fn kept(&self) -> usize {
        self.between.as_ref().map_or(0, |between| between.turns.capacity())
    }
}

impl Between {
    fn push(&mut self, turn: Turn, keep: usize) {
        if self.turns.len() >= keep {
            // Up to the next start, so that the merged span both begins and ends at a start.
            let starts = self.turns.iter().enumerate().skip(1).filter(|(_, turn)| turn.begins() == Begins::Working);
            let over = starts.map(|(at, _)| at).next().unwrap_or(self.turns.len());
            let merged = self.turns.drain(..over).filter(|turn| turn.begins() == Begins::Working).count();
            // The first turn is one of them.
            self.merged = self.merged.max(1).saturating_add(u32::try_from(merged).unwrap_or(u32::MAX));
        }
        self.turns.push(turn);
    }
}

impl std::fmt::Debug for Turns {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.spans().fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secs(secs: u64) -> Duration {
        Duration::from_secs(secs)
    }

    /// The turns of a sensor that is poked every ten seconds, each poke taking one.
    fn poked(pokes: u64, keep: usize) -> Turns {
        let mut turns = Turns::default();
        for poke in 0..pokes {
            turns.begin(Begins::Working, secs(poke * 10), keep);
            turns.begin(Begins::Waiting, secs(poke * 10 + 1), keep);
        }
        turns
    }

    #[test]
    fn a_sensor_that_waits_after_its_first_poke_takes_no_memory_elsewhere() {
        let turns = poked(1, 4);
        assert!(turns.between.is_none());
        let spans = [
            Span { what: Work::Working, from: secs(0), until: Some(secs(1)) },
            Span { what: Work::Waiting, from: secs(1), until: None },
        ];
        assert_eq!(turns.spans(), spans);
    }

    #[test]
    fn what_is_kept_does_not_grow_and_what_is_not_is_one_span() {
        let turns = poked(10_000, 4);
        assert_eq!(turns.kept(), 4);
        let spans = turns.spans();
        // The last two pokes, with the waits between and after them; the rest is merged.
        assert_eq!(spans.len(), 5);
        assert_eq!(spans[0], Span { what: Work::Merged(9_998), from: secs(0), until: Some(secs(99_980)) });
        assert_eq!((spans[4].what, spans[4].until), (Work::Waiting, None));
        assert_eq!(turns.last_start(), Some(secs(99_990)));
    }

    #[test]
    fn an_end_before_any_start_is_forgotten_as_soon_as_it_starts() {
        let mut turns = Turns::default();
        turns.begin(Begins::Nothing, secs(3), 4);
        assert_eq!((turns.first(), turns.since()), (None, Some(secs(3))));
        turns.begin(Begins::Working, secs(5), 4);
        assert_eq!((turns.first(), turns.since()), (Some(secs(5)), Some(secs(5))));
        turns.begin(Begins::Nothing, secs(6), 4);
        turns.begin(Begins::Nothing, secs(7), 4);
        assert_eq!((turns.since(), turns.now()), (Some(secs(6)), Some(Begins::Nothing)));
    }
}
