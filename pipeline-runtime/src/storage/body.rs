//! [`Body`]: an object's contents, chunk by chunk, and [`Span`]: the requested part of them.

use std::fmt;
use std::ops::{Bound, RangeBounds};

use bytes::Bytes;

#[cfg(feature = "cloud")]
use super::cloud::CloudBody;
use super::error::Failure;
use super::local::FileBody;

/// The bytes of an object from `start` up to but excluding `end`, which may exceed the object's size.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) start: u64,
    pub(super) end: u64,
}

impl Span {
    pub(super) fn of(range: &impl RangeBounds<u64>) -> Self {
        let start = match range.start_bound() {
            Bound::Included(start) => *start,
            Bound::Excluded(before) => before.saturating_add(1),
            Bound::Unbounded => 0,
        };
        let end = match range.end_bound() {
            Bound::Included(last) => last.saturating_add(1),
            Bound::Excluded(end) => *end,
            Bound::Unbounded => u64::MAX,
        };
        Self { start, end: end.max(start) }
    }

    /// The part of the span inside an object of that size; its ends are equal if it is empty.
    pub(super) fn within(self, size: u64) -> Self {
        Self { start: self.start.min(size), end: self.end.min(size) }
    }
}

/// The bytes that are still to be read.
pub(super) enum Body {
    Memory(Bytes),
    File(FileBody),
    #[cfg(feature = "cloud")]
    Cloud(CloudBody),
}

impl Body {
    /// The next bytes, at least one; `None` at the end.
    pub(super) async fn next(&mut self) -> Result<Option<Bytes>, Failure> {
        match self {
            Self::Memory(bytes) => Ok(Some(std::mem::take(bytes)).filter(|bytes| !bytes.is_empty())),
            Self::File(file) => file.next().await,
            #[cfg(feature = "cloud")]
            Self::Cloud(body) => body.next().await,
        }
    }
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Body")
    }
}

#[cfg(test)]
mod tests {
    use super::Span;

    #[test]
    fn ranges_end_with_the_object() {
        let span = |start, end| Span { start, end };
        assert_eq!(Span::of(&(..)).within(10), span(0, 10));
        assert_eq!(Span::of(&(2..=4)).within(10), span(2, 5));
        assert_eq!(Span::of(&(2..)).within(10), span(2, 10));
        assert_eq!(Span::of(&(12..20)).within(10), span(10, 10));
        #[expect(clippy::reversed_empty_ranges, reason = "it is the case")]
        let reversed = Span::of(&(5..2));
        assert_eq!(reversed, span(5, 5));
    }
}
