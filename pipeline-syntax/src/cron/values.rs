//! The numbers that a field lists.

/// A set of numbers below 64, as bits.
///
/// ```
/// use pipeline_syntax::cron;
///
/// let line = cron::parse("*/20 6,18 * * *")?;
/// assert!(line.minutes.iter().eq([0, 20, 40]));
/// assert!(line.hours.contains(18));
/// # Ok::<(), cron::CronError>(())
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Values(u64);

impl Values {
    pub(super) fn insert(&mut self, value: u8) {
        self.0 |= 1 << value;
    }

    /// Returns whether the set contains the number.
    ///
    /// # Panics
    ///
    /// In a debug build, if the number is 64 or more.
    #[inline]
    pub fn contains(self, value: u32) -> bool {
        self.0 & (1 << value) != 0
    }

    /// True if the set is empty.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The numbers in ascending order.
    pub fn iter(self) -> impl Iterator<Item = u32> + Clone {
        (0..u64::BITS).filter(move |value| self.contains(*value))
    }

    /// The set as bits: the lowest bit is set if it contains 0.
    pub fn bits(self) -> u64 {
        self.0
    }
}

impl FromIterator<u8> for Values {
    fn from_iter<I: IntoIterator<Item = u8>>(numbers: I) -> Self {
        let mut values = Self::default();
        numbers.into_iter().for_each(|value| values.insert(value));
        values
    }
}
