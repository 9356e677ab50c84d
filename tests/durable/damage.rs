//! Damaged journals: nothing panics, committed data is never dropped silently, and a journal that is refused is left unchanged.

use crate::folder::{Folder, RUN};
use std::fs;

const JOURNAL: &str = ".pipeline/journal.db";
const WAL: &str = ".pipeline/journal.db-wal";
const SHARED: &str = ".pipeline/journal.db-shm";

impl Folder {
    fn read(&self, name: &str) -> Vec<u8> {
        fs::read(self.path().join(name)).unwrap()
    }

    fn write(&self, name: &str, bytes: &[u8]) {
        fs::write(self.path().join(name), bytes).unwrap();
    }

    /// The contents of both files that hold commits.
    fn both(&self) -> [Vec<u8>; 2] {
        [self.read(JOURNAL), self.read(WAL)]
    }
}

/// A folder with a journal whose newest commits are in its `-wal` file, as its process was killed.
fn killed() -> Folder {
    let folder = Folder::new();
    let run = folder.start_run("crowded", &["arrival  running", "export  up_for_reschedule", "delicate  up_for_retry"]);
    folder.shown_once(|shown| shown.matches("next poke").count() == 2 && shown.contains("retry at"));
    run.kill();
    folder
}

/// The offset of each frame in a `-wal` file.
fn frames(wal: &[u8]) -> Vec<usize> {
    let page = u32::from_be_bytes(wal[8..12].try_into().unwrap()) as usize;
    (32..wal.len()).step_by(page + 24).collect()
}

/// True if the frame's page ends a commit.
fn is_commit(wal: &[u8], frame: usize) -> bool {
    wal[frame + 4..frame + 8] != [0; 4]
}

/// Pseudorandom numbers, the same each time.
fn numbers(mut state: u64) -> impl Iterator<Item = u64> {
    std::iter::repeat_with(move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    })
}

#[test]
fn reading_a_damaged_journal_never_panics() {
    let folder = Folder::new();
    assert!(folder.call(&["run", "mapped", "--logical-date", "2024-03-25"]).status.success());
    let whole = folder.read(JOURNAL);
    // Only damages bytes that are used: most of a new journal is empty.
    let used: Vec<usize> = (0..whole.len()).filter(|at| whole[*at] != 0).collect();
    let mut random = numbers(0x5eed_0f0f_b175);
    let mut draw = |below: usize| usize::try_from(random.next().unwrap() % below as u64).unwrap();
    let (mut refused, mut read) = (0, 0);
    for round in 0..300 {
        let mut bytes = whole.clone();
        for _ in 0..=draw(2) {
            bytes[used[draw(used.len())]] ^= 1 << draw(8);
        }
        folder.write(JOURNAL, &bytes);
        let command = if round % 3 == 0 { &["runs"][..] } else { &["show", RUN] };
        let output = folder.call(command);
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(!said.contains("panicked"), "round {round}, {command:?}: {said}");
        match output.status.code() {
            Some(0) => read += 1,
            Some(2) => refused += 1,
            other => panic!("round {round}, {command:?}: exit {other:?}: {said}"),
        }
    }
    assert!(refused > 30 && read > 30, "{refused} refused, {read} read");
}

#[test]
fn commits_that_are_damaged_are_not_dropped_without_a_word() {
    let folder = killed();
    let (whole, shared) = (folder.both(), folder.read(SHARED));
    let frames = frames(&whole[1]);
    assert!(frames.len() > 4, "{}", frames.len());
    // In the first frame and in the last, in a frame's header and in its page, and in the file's own header.
    let places = [frames[0] + 9, frames[0] + 100, frames[1] + 17, frames[frames.len() - 1] + 30, 3, 9, 25];
    for place in places {
        let mut wal = whole[1].clone();
        wal[place] ^= 0x10;
        folder.write(WAL, &wal);
        for args in [&["runs"][..], &["resume"], &["run", "crowded"]] {
            folder.write(SHARED, &shared);
            let said = folder.transcript(args);
            assert!(said.contains("[exit 2]") && said.contains("is damaged: page "), "{place}, {args:?}: {said}");
            assert!(said.contains("of the file `-wal` beside it"), "{place}, {args:?}: {said}");
            assert!(folder.both() == [whole[0].clone(), wal.clone()], "{place}, {args:?}: it was changed");
        }
    }
    // Once restored, it can be read.
    folder.write(WAL, &whole[1]);
    folder.write(SHARED, &shared);
    assert!(folder.transcript(&["runs"]).contains(RUN));
}

#[test]
fn a_damaged_commit_is_told_by_those_after_it_where_the_machine_started_anew() {
    let folder = killed();
    let whole = folder.read(WAL);
    let frames = frames(&whole);
    let damaged = |at: usize| {
        let mut wal = whole.clone();
        wal[at] ^= 1;
        folder.write(WAL, &wal);
        fs::remove_file(folder.path().join(SHARED)).unwrap_or_default();
        folder.transcript(&["runs"])
    };
    for at in [frames[0] + 100, frames[0] + 16, frames[1] + 24] {
        let said = damaged(at);
        assert!(said.contains("[exit 2]") && said.contains("of the file `-wal` beside it"), "{at}: {said}");
    }
    // The last commit could also have been cut off by a power failure. The two cannot be told apart, so this is no reason to
    // refuse.
    let last = frames.iter().rev().copied().find(|frame| is_commit(&whole, *frame)).unwrap();
    let said = damaged(last + 100);
    assert!(said.contains("[exit 0]") && said.contains(RUN), "{said}");
}

#[test]
fn a_file_that_is_damaged_beside_its_newest_commits_is_left_as_it_is() {
    let folder = killed();
    let mut journal = folder.read(JOURNAL);
    // A page that no newer commit has replaced: that of the inbox's index, or any other.
    let page = 4096;
    let wal = folder.read(WAL);
    let replaced: Vec<u32> = frames(&wal).iter().map(|at| u32::from_be_bytes(wal[*at..*at + 4].try_into().unwrap())).collect();
    let count = u32::try_from(journal.len() / page).unwrap();
    let old = (2..=count).find(|page| !replaced.contains(page)).unwrap() as usize;
    journal[(old - 1) * page..(old - 1) * page + 100].fill(0xff);
    folder.write(JOURNAL, &journal);
    let before = folder.both();
    for args in [
        &["runs"][..],
        &["show", RUN],
        &["resume"],
        &["run", "crowded"],
        &["prune", "--older-than", "1s"],
        &["prune", "--older-than", "1s", "--dry-run"],
        &["backup", "copy.db"],
    ] {
        let said = folder.transcript(args);
        assert!(
            said.contains("[exit 2]") && said.contains("is damaged") && said.contains("nothing was changed"),
            "{args:?}: {said}"
        );
        assert!(folder.both() == before, "{args:?}: it was changed");
    }
}

#[test]
fn a_file_that_is_empty_is_damaged_and_not_new() {
    for bytes in [&b""[..], b"x"] {
        let folder = Folder::new();
        fs::create_dir(folder.path().join(".pipeline")).unwrap();
        folder.write(JOURNAL, bytes);
        for args in [&["run", "mapped"][..], &["resume"], &["runs"]] {
            let said = folder.transcript(args);
            let reason =
                format!("is damaged: it has {} bytes, and a new one is never so short; nothing was changed.", bytes.len());
            assert!(said.contains("[exit 2]") && said.contains(&reason), "{args:?}: {said}");
            assert_eq!(folder.read(JOURNAL), bytes);
        }
    }
}
