use std::fmt;

/// What created a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum RunKind {
    /// A user.
    Manual,
    /// The pipeline's schedule.
    Scheduled,
    /// `backfill`.
    Backfill,
    /// Updates of assets.
    AssetTriggered,
}

impl RunKind {
    pub(crate) const ALL: [Self; 4] = [Self::Manual, Self::Scheduled, Self::Backfill, Self::AssetTriggered];

    /// The kind's name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Manual => "manual",
            Self::Scheduled => "scheduled",
            Self::Backfill => "backfill",
            Self::AssetTriggered => "asset_triggered",
        }
    }

    pub(crate) fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

impl fmt::Display for RunKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}
