use crate::command::call;
use expect_test::expect;
use std::fs;

#[test]
fn a_late_file_and_a_failure() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let file = folder.path().join("export.json");
    fs::write(&file, "[]").expect("a file can be written");
    let arrival = format!("7m=data-bucket/raw/export.json:{}", file.display());
    expect![[r#"
        node    state    0                                         9m 30s
        export  success  █░░█░░░█░░░█░░░█░░█░░░█░░░█░░░█░░░█░░█            0s → 7m 30s, 11 pokes
        parse   success                                       █▒▒▒▒▒▒▒▒▒█  7m 30s → 9m 30s, 2 attempts
        run: success after 9m 30s   (█ working  ░ waiting  ▒ retry due)
        [exit 0]
    "#]]
    .assert_eq(&call(&["simulate", "waiting", "--arrive", &arrival, "--fail", "parse@1=503"]));
}

#[test]
fn what_never_comes() {
    expect![[r#"
        node    state            0                                            10m
        export  failed           █░░█░░░█░░█░░░█░░░█░░█░░░█░░█░░░█░░░█░░█░░░█░░██  0s → 10m, 15 pokes, timed out: not ready within 10m (15 pokes)
        parse   upstream_failed
        run: failed after 10m   (█ working  ░ waiting  ▒ retry due)
        [exit 1]
        [stderr]

        error: node `export` failed: timed out: not ready within 10m (15 pokes)
          --> tests/cli/pipelines/main.rs:76:18: wired here
          = note: so `parse` did not run
    "#]].assert_eq(&call(&["simulate", "waiting"]));
}

#[test]
fn arguments_that_are_wrong() {
    expect![[r#"
        [exit 2]
        [stderr]
        error: invalid value 'soon=data-bucket/x:x' for '--arrive <WHEN=URL:FILE>': `soon` is no duration: expected number at 0; write `45s`, `7m` or `1h30m`

        For more information, try '--help'.
    "#]].assert_eq(&call(&["simulate", "waiting", "--arrive", "soon=data-bucket/x:x"]));
    expect![[r#"
        [exit 2]
        [stderr]
        error: invalid value '7m=data-bucket/x' for '--arrive <WHEN=URL:FILE>': write WHEN=URL:FILE, as in `7m=data-bucket/raw/x.json:x.json`

        For more information, try '--help'.
    "#]].assert_eq(&call(&["simulate", "waiting", "--arrive", "7m=data-bucket/x"]));
    expect![[r#"
        [exit 2]
        [stderr]
        error: --arrive: cannot read `no/such/file`, what is to arrive: No such file or directory (os error 2)
    "#]]
    .assert_eq(&call(&["simulate", "waiting", "--arrive", "7m=data-bucket/x:no/such/file"]));
    expect![[r#"
        [exit 2]
        [stderr]
        error: --fail: no node has the id `prase`; the nodes are `export`, `parse`
    "#]]
    .assert_eq(&call(&["simulate", "waiting", "--fail", "prase@1=503"]));
    expect![[r#"
        [exit 2]
        [stderr]
        error: invalid value 'parse=503' for '--fail <NODE@ATTEMPT=ERROR>': write NODE@ATTEMPT=ERROR, as in `load@1=503`

        For more information, try '--help'.
    "#]]
    .assert_eq(&call(&["simulate", "waiting", "--fail", "parse=503"]));
    expect![[r#"
        [exit 2]
        [stderr]
        error: --logical-date: `nonsense` is not a date; write `2024-01-31`, `2024-01-31T06:00` (in the schedule's time zone) or `2024-01-31T06:00:00Z`
    "#]].assert_eq(&call(&["simulate", "waiting", "--logical-date", "nonsense"]));
}
