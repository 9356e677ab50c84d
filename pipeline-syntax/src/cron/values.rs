//! The numbers that a field names.

/// Numbers below 64, as bits.
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

    /// Whether the number is one of them.
    ///
    /// # Panics
    ///
    /// In a debug build, from 64 on.
    #[inline]
    pub fn contains(self, value: u32) -> bool {
        self.0 & (1 << value) != 0
    }

    /// Whether there are none.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// In ascending order.
    pub fn iter(self) -> impl Iterator<Item = u32> + Clone {
        (0..u64::BITS).filter(move |value| self.contains(*value))
    }

    /// As bits: the lowest is set where 0 is one of them.
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
