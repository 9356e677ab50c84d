//! The meaning of the system's events for the waiting sensors.

use notify::event::{AccessKind, AccessMode, CreateKind, ModifyKind, RemoveKind, RenameMode};
use notify::{Event, EventKind};
use std::path::PathBuf;

/// True if the system reports when a file that was written is closed.
pub(super) const TELLS_CLOSE: bool = cfg!(any(target_os = "linux", target_os = "android"));

/// An event that may matter to a sensor.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum News {
    /// A file was closed after it was written.
    Written(PathBuf),
    /// A complete file or a folder now exists under this name, or a folder was created.
    Came(PathBuf),
    /// A file has changed, and its completion will not be reported.
    Writing(PathBuf),
    /// Nothing exists under this name any more.
    Gone(PathBuf),
    /// Other news were lost.
    Lost,
}

impl News {
    /// `tells_close` is [`TELLS_CLOSE`].
    pub(super) fn of(event: Event, tells_close: bool) -> Option<Self> {
        if event.need_rescan() {
            return Some(Self::Lost);
        }
        let path = event.paths.into_iter().next()?;
        match event.kind {
            EventKind::Access(AccessKind::Close(AccessMode::Write)) => Some(Self::Written(path)),
            EventKind::Modify(ModifyKind::Name(RenameMode::To)) | EventKind::Create(CreateKind::Folder) => Some(Self::Came(path)),
            EventKind::Modify(ModifyKind::Name(RenameMode::From))
            | EventKind::Remove(RemoveKind::Folder | RemoveKind::Any | RemoveKind::Other) => Some(Self::Gone(path)),
            EventKind::Create(_)
            | EventKind::Modify(ModifyKind::Any | ModifyKind::Data(_) | ModifyKind::Name(RenameMode::Any))
                if !tells_close =>
            {
                Some(Self::Writing(path))
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use notify::event::{DataChange, Flag};

    fn news(kind: EventKind, tells_close: bool) -> Option<News> {
        News::of(Event::new(kind).add_path("/b/a".into()), tells_close)
    }

    #[test]
    fn a_file_has_arrived_as_it_is_closed_or_renamed_and_not_as_it_is_created() {
        let path = || PathBuf::from("/b/a");
        let written = EventKind::Access(AccessKind::Close(AccessMode::Write));
        let renamed = EventKind::Modify(ModifyKind::Name(RenameMode::To));
        assert_eq!(news(written, true), Some(News::Written(path())));
        assert_eq!(news(renamed, true), Some(News::Came(path())));
        let (created, changed) = (EventKind::Create(CreateKind::File), EventKind::Modify(ModifyKind::Data(DataChange::Any)));
        for kind in [created, changed] {
            assert_eq!(news(kind, true), None, "{kind:?}");
            assert_eq!(news(kind, false), Some(News::Writing(path())), "{kind:?}");
        }
    }

    #[test]
    fn news_that_were_lost_are_told_of() {
        let overflow = Event::new(EventKind::Other).set_flag(Flag::Rescan);
        assert_eq!(News::of(overflow, true), Some(News::Lost));
    }
}
