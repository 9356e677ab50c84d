//! The promise of `docs/what-is-kept.md`, sentence by sentence, with processes that die by SIGKILL.

use crate::folder::{Folder, RUN};
use crate::kills::{Kill, STEPS, effects, run};
use expect_test::expect;
use std::collections::BTreeMap;

const DATE: [&str; 2] = ["--logical-date", "2024-03-25"];

/// How often each line was written.
fn count(lines: Vec<String>) -> BTreeMap<String, usize> {
    lines.into_iter().fold(BTreeMap::new(), |mut counts, line| {
        *counts.entry(line).or_default() += 1;
        counts
    })
}

impl Folder {
    /// The effects of the bodies of `promised`: node, key and attempt.
    fn effects(&self) -> Vec<String> {
        effects(self.path())
    }

    /// Starts or resumes the run, and kills the process within the body of `second`.
    fn dies_in_second(&self) {
        self.put("hang");
        self.start_run("promised", &["it hangs"]).kill();
        std::fs::remove_file(self.path().join("data-bucket/hang")).unwrap();
    }
}

/// A run that started, finishes; a body runs at least once, and again only if its end was not committed. In each pair of
/// processes the first dies with a node's end written but not committed, the second right after it is committed: so each body
/// runs exactly twice.
#[test]
fn a_body_runs_again_only_if_its_end_was_not_kept_and_the_run_finishes() {
    let folder = tempfile::tempdir().unwrap();
    for node in 0..STEPS {
        for (kill, times) in [(Kill::Commit("middle", 2), 1), (Kill::Commit("after", 2), 2)] {
            let ended = run(folder.path(), &kill);
            assert!(ended.status.code().is_none(), "it should have been killed: {} {}", ended.status, ended.said);
            let starts = effects(folder.path()).iter().filter(|line| line.starts_with(&format!("start step_{node} "))).count();
            assert_eq!(starts, times, "step_{node}, {kill:?}");
        }
    }
    let ended = run(folder.path(), &Kill::Never);
    assert!(ended.status.success(), "{}", ended.said);
    let counts = count(effects(folder.path()));
    // One start and one end for each step but the first, which writes no end, and the total, which was never cut off.
    assert_eq!(counts.len(), 2 * STEPS, "every start of a node has the same key and is its first attempt: {counts:?}");
    for (line, times) in counts {
        assert_eq!(times, if line.starts_with("total ") { 1 } else { 2 }, "{line}");
    }
}

/// `run` and `resume` both continue the run. Finished nodes do not run again, and the attempt uses up no retry: `second` has
/// none. `show` reports both deaths, as `docs/internals/durability.md` shows.
#[test]
fn run_and_resume_go_on_with_what_was_unfinished_and_with_nothing_else() {
    let folder = Folder::new();
    folder.dies_in_second();
    folder.dies_in_second();
    folder.expect_transcript(
        &["show", RUN],
        &expect![[r#"
        run manual__2024-03-25T00:00:00Z of promised: running, data interval 2024-03-25T00:00:00Z/2024-03-25T00:00:00Z

        node state 0 _
        first success _ → _
        second  running
        third   none
        run: running after _   ( work   poke   wait   retry due   failure)

        _  second#1 after _  cut off by the end of its process

        no process runs it: `resume` continues it

        second: attempt 1 of 1 had been running since _ when its process ended
        third: waits for `second` (running)
        [exit 0]
    "#]],
    );
    assert_eq!(folder.call(&["resume"]).status.code(), Some(0));
    folder.expect_transcript(
        &["show", RUN],
        &expect![[r#"
        run manual__2024-03-25T00:00:00Z of promised: success, data interval 2024-03-25T00:00:00Z/2024-03-25T00:00:00Z

        node state 0 _
        first success _ → _
        second success _ → _
        third success _ → _
        run: success after _   ( work   poke   wait   retry due   failure)

        _  second#1 after _  cut off by the end of its process
        _  second#1 after _  cut off by the end of its process
        [exit 0]
    "#]],
    );
    let mut expected = vec![format!("first promised/{RUN}/first 1")];
    expected.extend(std::iter::repeat_n(format!("second promised/{RUN}/second 1"), 3));
    expected.push(format!("third promised/{RUN}/third 1"));
    assert_eq!(folder.effects(), expected);
    assert!(folder.transcript(&["resume"]).contains("nothing"), "there is nothing left");
    assert_eq!(folder.effects(), expected);
}

#[test]
fn a_finished_node_runs_again_where_it_is_asked_for_and_no_other_does() {
    let folder = Folder::new();
    folder.dies_in_second();
    assert_eq!(folder.call(&[&["run", "promised"], &DATE[..]].concat()).status.code(), Some(0));
    let before = folder.effects().len();
    assert_eq!(folder.call(&["retry", RUN, "second"]).status.code(), Some(0));
    assert_eq!(folder.effects()[before..], [format!("second promised/{RUN}/second 1")]);
    assert_eq!(folder.call(&["retry", RUN, "second", "--downstream"]).status.code(), Some(0));
    assert_eq!(
        folder.effects()[before + 1..],
        [format!("second promised/{RUN}/second 1"), format!("third promised/{RUN}/third 1")]
    );
}

#[test]
fn the_third_death_in_a_row_counts_as_a_failure() {
    let folder = Folder::new();
    for _ in 0..3 {
        folder.dies_in_second();
    }
    let transcript = folder.transcript(&["resume"]);
    assert!(transcript.contains("[exit 1]") && transcript.contains("the process ended 3 times in a row"), "{transcript}");
    let lines = count(folder.effects());
    assert_eq!(lines.get(&format!("second promised/{RUN}/second 1")), Some(&3), "{lines:?}");
    assert!(!lines.keys().any(|line| line.starts_with("third")), "{lines:?}");
}
