//! The meaning of the system's events for the waiting sensors.

use notify::event::{AccessKind, AccessMode, CreateKind, ModifyKind, RemoveKind, RenameMode};
use notify::{Event, EventKind};
use std::path::PathBuf;

/// True if the system reports when a file that was written is closed.
pub(super) const REPORTS_CLOSE: bool = cfg!(any(target_os = "linux", target_os = "android"));

/// An event that may matter to a sensor.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum FileEvent {
    /// A file was closed after it was written.
    Closed(PathBuf),
    /// A complete file or a folder now exists under this name, or a folder was created.
    Appeared(PathBuf),
    /// A file has changed, and its completion will not be reported.
    Changed(PathBuf),
    /// Nothing exists under this name any more.
    Removed(PathBuf),
    /// Events were lost, because there were too many.
    Overflow,
}

impl FileEvent {
    /// `reports_close` is [`REPORTS_CLOSE`].
    pub(super) fn of(event: Event, reports_close: bool) -> Option<Self> {
        if event.need_rescan() {
            return Some(Self::Overflow);
        }
        let path = event.paths.into_iter().next()?;
        match event.kind {
            EventKind::Access(AccessKind::Close(AccessMode::Write)) => Some(Self::Closed(path)),
            EventKind::Modify(ModifyKind::Name(RenameMode::To)) | EventKind::Create(CreateKind::Folder) => {
                Some(Self::Appeared(path))
            }
            EventKind::Modify(ModifyKind::Name(RenameMode::From))
            | EventKind::Remove(RemoveKind::Folder | RemoveKind::Any | RemoveKind::Other) => Some(Self::Removed(path)),
            EventKind::Create(_)
            | EventKind::Modify(ModifyKind::Any | ModifyKind::Data(_) | ModifyKind::Name(RenameMode::Any))
                if !reports_close =>
            {
                Some(Self::Changed(path))
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use notify::event::{DataChange, Flag};

    fn event(kind: EventKind, reports_close: bool) -> Option<FileEvent> {
        FileEvent::of(Event::new(kind).add_path("/b/a".into()), reports_close)
    }

    #[test]
    fn a_file_has_arrived_as_it_is_closed_or_renamed_and_not_as_it_is_created() {
        let path = || PathBuf::from("/b/a");
        let written = EventKind::Access(AccessKind::Close(AccessMode::Write));
        let renamed = EventKind::Modify(ModifyKind::Name(RenameMode::To));
        assert_eq!(event(written, true), Some(FileEvent::Closed(path())));
        assert_eq!(event(renamed, true), Some(FileEvent::Appeared(path())));
        let (created, changed) = (EventKind::Create(CreateKind::File), EventKind::Modify(ModifyKind::Data(DataChange::Any)));
        for kind in [created, changed] {
            assert_eq!(event(kind, true), None, "{kind:?}");
            assert_eq!(event(kind, false), Some(FileEvent::Changed(path())), "{kind:?}");
        }
    }

    #[test]
    fn lost_events_are_reported() {
        let overflow = Event::new(EventKind::Other).set_flag(Flag::Rescan);
        assert_eq!(FileEvent::of(overflow, true), Some(FileEvent::Overflow));
    }
}
