use super::Timestamp;

/// An optional point in time, as large as a [`Timestamp`]; an `Option` would be twice as large.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Moment(Timestamp);

impl Moment {
    /// No point in time. Nothing happens at [`Timestamp::NEVER`].
    pub(crate) const NONE: Self = Self(Timestamp::NEVER);

    #[inline]
    pub(crate) fn get(self) -> Option<Timestamp> {
        (self != Self::NONE).then_some(self.0)
    }

    /// Sets `at`, unless a time is already set.
    #[inline]
    pub(crate) fn get_or_insert(&mut self, at: Timestamp) {
        if *self == Self::NONE {
            self.0 = at;
        }
    }

    /// Clears the time and returns it.
    #[inline]
    pub(crate) fn take(&mut self) -> Option<Timestamp> {
        std::mem::replace(self, Self::NONE).get()
    }
}

impl Default for Moment {
    fn default() -> Self {
        Self::NONE
    }
}

impl From<Timestamp> for Moment {
    fn from(at: Timestamp) -> Self {
        Self(at)
    }
}

impl From<Option<Timestamp>> for Moment {
    fn from(at: Option<Timestamp>) -> Self {
        at.map_or(Self::NONE, Self)
    }
}

impl std::fmt::Debug for Moment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.get().fmt(f)
    }
}
