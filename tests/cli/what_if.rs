//! A run from the journal, simulated again with something changed.

use crate::command::{scrub, transcript};
use crate::recorded_runs::Folder;
use expect_test::{Expect, expect};

const RUN: &str = "sales/manual__2024-03-25T05:00:00Z";

fn call(folder: &Folder, args: &[&str], expected: &Expect) {
    expected.assert_eq(&scrub(&transcript(&folder.command(args).output().expect("it was built"))));
}

#[test]
fn what_would_have_been_is_drawn_and_compared() {
    let folder = Folder::new();
    let run = folder.command(&["run", "sales", "--logical-date", "2024-03-25"]).output().expect("it was built");
    assert_eq!(run.status.code(), Some(0), "{}", transcript(&run));
    call(
        &folder,
        &["what-if", RUN],
        &expect![[r#"
        node state 0 _
        extract success _ → _
        load success _ → _
        publish success _ → _
        notify success _ → _
        run: success after _   ( work   poke   wait   retry due   failure)

        the run: success after _; what if: success after _
          no node differs
        [exit 0]
    "#]],
    );
    call(
        &folder,
        &["what-if", RUN, "--fail", "load@1=503", "--fail", "load@2=504"],
        &expect![[r#"
        node state 0 _
        extract success _ → _
        load failed _ → _, 2 attempts
                                  504
        publish  upstream_failed  `load` failed
        notify success _ → _
        run: failed after _   ( work   poke   wait   retry due   failure)

        the run: success after _; what if: failed after _
          load: success at _; what if: failed at _, 2 attempts
          publish: success at _; what if: upstream_failed at _
        [exit 0]
    "#]],
    );
    call(
        &folder,
        &["what-if", RUN, "--fail", "laod@1"],
        &expect![[r#"
        [exit 2]
        [stderr]
        error: `laod`: the run has no such node; did you mean `load`?
    "#]],
    );
    call(
        &folder,
        &["what-if", RUN, "--arrive", "load=5m"],
        &expect![[r#"
        [exit 2]
        [stderr]
        error: `load`: it is not a sensor: only what sensors wait for arrives
    "#]],
    );
    call(
        &folder,
        &["what-if", "sales/none"],
        &expect![[r#"
        [exit 2]
        [stderr]
        error: the journal .pipeline/journal.db has no run `sales/none`; `runs` lists those it has
    "#]],
    );
}
