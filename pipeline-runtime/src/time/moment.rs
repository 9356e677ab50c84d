use super::Timestamp;

/// A point in time, if there is one: as large as a [`Timestamp`], of which an `Option` would take twice as much.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Moment(Timestamp);

impl Moment {
    /// There is none. Nothing happens at [`Timestamp::NEVER`].
    pub(crate) const NONE: Self = Self(Timestamp::NEVER);

    #[inline]
    pub(crate) fn get(self) -> Option<Timestamp> {
        (self != Self::NONE).then_some(self.0)
    }

    /// Takes `at`, unless there is one already.
    #[inline]
    pub(crate) fn get_or_insert(&mut self, at: Timestamp) {
        if *self == Self::NONE {
            self.0 = at;
        }
    }

    /// Leaves none.
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
