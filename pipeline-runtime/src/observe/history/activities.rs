//! A node's activities over time in a few bytes: a million nodes may wait, and each may be poked a million times.

use std::time::Duration;

/// A period of a node's time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) activity: Activity,
    pub(crate) from: Duration,
    /// `None` while it lasts.
    pub(crate) until: Option<Duration>,
}

/// An activity of a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Activity {
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
pub(super) enum ActivityCode {
    Working = 0,
    Waiting = 1,
    Retrying = 2,
    Nothing = 3,
}

/// When a node began which activity: the time in nanoseconds, and the activity in the two lowest bits.
#[derive(Clone, Copy, PartialEq, Eq)]
struct ActivityStart(u64);

/// The activities of a node, in order.
///
/// The first and the last are stored inline, so that a node that has run, and a sensor that waits after its first poke, need no
/// other memory. Of those between them only the newest are stored, as many as the caller of [`begin`](Self::begin) allows.
#[derive(Clone)]
pub(super) struct Activities {
    /// The first start.
    first: ActivityStart,
    /// The last one; `NONE` while the first is the last.
    last: ActivityStart,
    between: Option<Box<Between>>,
}

#[derive(Clone, Default)]
struct Between {
    /// How many starts are no longer stored individually, including the first one.
    merged: u32,
    activities: Vec<ActivityStart>,
}

impl ActivityStart {
    const NONE: Self = Self(u64::MAX);
    /// Saturates after 146 years.
    const LATEST: u64 = (1 << 62) - 2;

    fn new(code: ActivityCode, at: Duration) -> Self {
        let nanos = u64::try_from(at.as_nanos()).unwrap_or(u64::MAX).min(Self::LATEST);
        Self(nanos << 2 | code as u64)
    }

    fn code(self) -> ActivityCode {
        match self.0 & 3 {
            0 => ActivityCode::Working,
            1 => ActivityCode::Waiting,
            2 => ActivityCode::Retrying,
            _ => ActivityCode::Nothing,
        }
    }

    fn at(self) -> Duration {
        Duration::from_nanos(self.0 >> 2)
    }

    fn get(self) -> Option<Self> {
        (self != Self::NONE).then_some(self)
    }
}

impl Default for Activities {
    fn default() -> Self {
        Self { first: ActivityStart::NONE, last: ActivityStart::NONE, between: None }
    }
}

impl Activities {
    /// Begins another activity. Of the starts after the first, the last `most` are stored.
    pub(super) fn begin(&mut self, code: ActivityCode, at: Duration, most: usize) {
        let start = ActivityStart::new(code, at);
        if self.first == ActivityStart::NONE {
            // A node that begins nothing before its first start has ended or was cleared.
            (self.first, self.last) =
                if code == ActivityCode::Nothing { (ActivityStart::NONE, start) } else { (start, ActivityStart::NONE) };
        } else if code != ActivityCode::Nothing || self.now() != Some(ActivityCode::Nothing) {
            let before = std::mem::replace(&mut self.last, start);
            if let Some(before) = before.get() {
                self.between.get_or_insert_default().push(before, most);
            }
        }
    }

    /// Returns when it was first started.
    pub(super) fn first(&self) -> Option<Duration> {
        self.first.get().map(ActivityStart::at)
    }

    /// Returns the start of the current activity.
    pub(super) fn since(&self) -> Option<Duration> {
        self.last.get().or(self.first.get()).map(ActivityStart::at)
    }

    /// Returns the current activity.
    pub(super) fn now(&self) -> Option<ActivityCode> {
        self.last.get().or(self.first.get()).map(ActivityStart::code)
    }

    /// Returns when it was last started.
    pub(super) fn last_start(&self) -> Option<Duration> {
        self.newest_first().find(|start| start.code() == ActivityCode::Working).map(ActivityStart::at)
    }

    fn newest_first(&self) -> impl Iterator<Item = ActivityStart> {
        let between = self.between.iter().flat_map(|between| between.activities.iter().rev().copied());
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
        let mut see = |start: ActivityStart, until: Option<ActivityStart>| {
            let activity = match start.code() {
                ActivityCode::Working => Activity::Working,
                ActivityCode::Waiting => Activity::Waiting,
                ActivityCode::Retrying => Activity::Retrying,
                ActivityCode::Nothing => return,
            };
            let activity = if merged > 0 { Activity::Merged(std::mem::take(&mut merged)) } else { activity };
            see(Span { activity, from: start.at(), until: until.map(ActivityStart::at) });
        };
        let mut before = self.first.get();
        // Most nodes have two activities.
        for start in self.between.iter().flat_map(|between| between.activities.iter().copied()) {
            if let Some(before) = before.replace(start) {
                see(before, Some(start));
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

    /// Returns the number of activities in separate memory.
    #[cfg(test)]
    pub(super) fn capacity(&self) -> usize {
        self.between.as_ref().map_or(0, |between| between.activities.capacity())
    }
}

impl Between {
    fn push(&mut self, start: ActivityStart, most: usize) {
        if self.activities.len() >= most {
            // Up to the next start, so that the merged span both begins and ends at a start.
            let starts = self.activities.iter().enumerate().skip(1).filter(|(_, start)| start.code() == ActivityCode::Working);
            let over = starts.map(|(at, _)| at).next().unwrap_or(self.activities.len());
            let merged = self.activities.drain(..over).filter(|start| start.code() == ActivityCode::Working).count();
            // The first start is one of them.
            self.merged = self.merged.max(1).saturating_add(u32::try_from(merged).unwrap_or(u32::MAX));
        }
        self.activities.push(start);
    }
}

impl std::fmt::Debug for Activities {
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

    /// The activities of a sensor that is poked every ten seconds, each poke taking one.
    fn poked(pokes: u64, most: usize) -> Activities {
        let mut activities = Activities::default();
        for poke in 0..pokes {
            activities.begin(ActivityCode::Working, secs(poke * 10), most);
            activities.begin(ActivityCode::Waiting, secs(poke * 10 + 1), most);
        }
        activities
    }

    #[test]
    fn a_sensor_that_waits_after_its_first_poke_takes_no_memory_elsewhere() {
        let activities = poked(1, 4);
        assert!(activities.between.is_none());
        let spans = [
            Span { activity: Activity::Working, from: secs(0), until: Some(secs(1)) },
            Span { activity: Activity::Waiting, from: secs(1), until: None },
        ];
        assert_eq!(activities.spans(), spans);
    }

    #[test]
    fn what_is_kept_does_not_grow_and_what_is_not_is_one_span() {
        let activities = poked(10_000, 4);
        assert_eq!(activities.capacity(), 4);
        let spans = activities.spans();
        // The last two pokes, with the waits between and after them; the rest is merged.
        assert_eq!(spans.len(), 5);
        assert_eq!(spans[0], Span { activity: Activity::Merged(9_998), from: secs(0), until: Some(secs(99_980)) });
        assert_eq!((spans[4].activity, spans[4].until), (Activity::Waiting, None));
        assert_eq!(activities.last_start(), Some(secs(99_990)));
    }

    #[test]
    fn an_end_before_any_start_is_forgotten_as_soon_as_it_starts() {
        let mut activities = Activities::default();
        activities.begin(ActivityCode::Nothing, secs(3), 4);
        assert_eq!((activities.first(), activities.since()), (None, Some(secs(3))));
        activities.begin(ActivityCode::Working, secs(5), 4);
        assert_eq!((activities.first(), activities.since()), (Some(secs(5)), Some(secs(5))));
        activities.begin(ActivityCode::Nothing, secs(6), 4);
        activities.begin(ActivityCode::Nothing, secs(7), 4);
        assert_eq!((activities.since(), activities.now()), (Some(secs(6)), Some(ActivityCode::Nothing)));
    }
}
