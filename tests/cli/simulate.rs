use crate::command::{call, told};
use crate::metrics::metered;
use expect_test::expect;
use std::fs;

#[test]
fn a_late_file_and_a_failure() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let file = folder.path().join("export.json");
    fs::write(&file, "[]").expect("a file can be written");
    let arrival = format!("7m=data-bucket/raw/export.json:{}", file.display());
    expect![[r#"
        node    state    0                           9m 30s
        export  success  ·░·░░·░░·░·░░·░░·░·░░·░░·░·         0s → 7m 30s, 11 pokes
        parse   success                            ×▒▒▒▒▒▒█  7m 30s → 9m 30s, 2 attempts
        run: success after 9m 30s   (█ work  · poke  ░ wait  ▒ retry due  × failure)
        [exit 0]
    "#]]
    .assert_eq(&call(&["simulate", "waiting", "--arrive", &arrival, "--fail", "parse@1=503"]));
}

#[test]
fn a_slow_bucket_and_an_outage() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let file = folder.path().join("export.json");
    fs::write(&file, "[]").expect("a file can be written");
    let arrival = format!("1m=data-bucket/raw/export.json:{}", file.display());
    let faults = ["--latency", "data-bucket=5s", "--outage", "data-bucket=1m36s..3m"];
    expect![[r#"
        node    state    0                           3m 45s
        export  success  ·░░░░░██░░░░░██                     0s → 1m 35s, 3 pokes
        parse   success                █×▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒█  1m 35s → 3m 45s, 2 attempts
        run: success after 3m 45s   (█ work  · poke  ░ wait  ▒ retry due  × failure)
        [exit 0]
    "#]]
    .assert_eq(&call(&[&["simulate", "waiting", "--arrive", &arrival], &faults[..]].concat()));
    let random = |seed| call(&["simulate", "waiting", "--arrive", &arrival, "--latency", "data-bucket=1s..20s", "--seed", seed]);
    assert_eq!(random("1"), random("1"));
    assert_ne!(random("1"), random("2"));
}

#[test]
fn what_it_can_be_measured_by() {
    let (mut command, path) = metered(&["simulate", "waiting", "--metrics"], "waiting.json");
    expect![[r#"
        node    state            0                               10m
        export  failed           ·░·░░·░·░░·░░·░·░░·░░·░·░░·░·░░·░░×  0s → 10m, 15 pokes
                                 timed out: not ready within 10m (15 pokes); it last looked for data-bucket/raw/export.json
        parse   upstream_failed  `export` failed
        run: failed after 10m   (█ work  · poke  ░ wait  ▒ retry due  × failure)

        waiting: failed after 10m
        sensor  state   pokes  wait  found after  poke mean  poke max  timeouts  errors  queued
        export  failed     15   10m            -         0s        0s         1       0      0s

        task   state            attempts  errors  queued  ran
        parse  upstream_failed         0       0      0s   0s
        [exit 1]
        [stderr]

        error: node `export` failed: timed out: not ready within 10m (15 pokes); it last looked for data-bucket/raw/export.json
          --> tests/cli/pipelines/main.rs:77:18: wired here
          = note: so `parse` did not run
    "#]]
    .assert_eq(&told(&command.output().expect("it was built")));
    let metrics: serde_json::Value =
        serde_json::from_str(&fs::read_to_string(path).expect("it was written")).expect("it is JSON");
    assert_eq!((&metrics["sensors"][0]["pokes"], &metrics["sensors"][0]["timeouts"]), (&15.into(), &1.into()));
}

#[test]
fn what_never_comes() {
    expect![[r#"
        node    state            0                               10m
        export  failed           ·░·░░·░·░░·░░·░·░░·░░·░·░░·░·░░·░░×  0s → 10m, 15 pokes
                                 timed out: not ready within 10m (15 pokes); it last looked for data-bucket/raw/export.json
        parse   upstream_failed  `export` failed
        run: failed after 10m   (█ work  · poke  ░ wait  ▒ retry due  × failure)
        [exit 1]
        [stderr]

        error: node `export` failed: timed out: not ready within 10m (15 pokes); it last looked for data-bucket/raw/export.json
          --> tests/cli/pipelines/main.rs:77:18: wired here
          = note: so `parse` did not run
    "#]]
    .assert_eq(&call(&["simulate", "waiting"]));
}

#[test]
fn a_fault_of_a_bucket_that_the_run_never_touched_is_warned_of() {
    let faults = ["--latency", "data-buckt=2s", "--outage", "data-bucket=5m..6m", "--outage", "other=1m..2m"];
    let warning = |args: &[&str]| call(args).split_once("\nwarning: ").expect("it warns").1.to_owned();
    expect![[r#"
        nothing met the latency or outage of memory://data-buckt, memory://other: the run touched memory://data-bucket alone
    "#]]
    .assert_eq(&warning(&[&["simulate", "waiting"], &faults[..]].concat()));
    expect![[r#"
        nothing met the latency or outage of memory://data-bucket: the run touched no bucket
    "#]]
    .assert_eq(&warning(&["simulate", "sales", "--latency", "data-bucket=2s"]));
    assert!(!call(&["simulate", "waiting", "--latency", "data-bucket=2s"]).contains("warning"));
}

#[test]
fn a_value_in_a_bodys_stead() {
    expect![[r#"
        node    state    0                                           0s
        export  success  ·                                               0s → 0s, 1 poke
        parse   success  █                                               0s → 0s
        run: success after 0s   (█ work  · poke  ░ wait  ▒ retry due  × failure)
        [exit 0]
    "#]]
    .assert_eq(&call(&["simulate", "waiting", "--stub", &format!("export={EXPORT}"), "--stub", "parse=3"]));
    expect![[r#"
        [exit 2]
        [stderr]
        error: --stub: the stub of `parse` is no `usize`, which the task returns: invalid type: string "x", expected usize at line 1 column 3
    "#]]
    .assert_eq(&call(&["simulate", "waiting", "--stub", "parse=\"x\""]));
    expect![[r#"
        [exit 2]
        [stderr]
        error: --stub: no node has the id `prase`; the nodes are `export`, `parse`
    "#]]
    .assert_eq(&call(&["simulate", "waiting", "--stub", "prase=3"]));
    expect![[r#"
        [exit 2]
        [stderr]
        error: invalid value 'parse=three' for '--stub <NODE=JSON>': `three` is no JSON: expected ident at line 1 column 2; a text stands in quotes

        For more information, try '--help'.
    "#]]
    .assert_eq(&call(&["simulate", "waiting", "--stub", "parse=three"]));
}

const EXPORT: &str =
    r#"{"bucket":"data-bucket","key":"raw/export.json","size":2,"last_modified":"2024-01-01T00:00:00Z","etag":null}"#;

#[test]
fn arguments_that_are_wrong() {
    expect![[r#"
        [exit 2]
        [stderr]
        error: invalid value 'soon=data-bucket/x:x' for '--arrive <WHEN=URL:FILE>': `soon` is not a duration: unexpected `s`; expected numbers with units, as in `45s` or `1h30m`

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
        error: invalid value 'data-bucket=fast' for '--latency <BUCKET=TIME>': `fast` is not a duration: unexpected `f`; expected numbers with units, as in `45s` or `1h30m`

        For more information, try '--help'.
    "#]].assert_eq(&call(&["simulate", "waiting", "--latency", "data-bucket=fast"]));
    expect![[r#"
        [exit 2]
        [stderr]
        error: invalid value 'data-bucket=20m..5m' for '--outage <BUCKET=FROM..UNTIL>': `20m..5m` ends before it begins

        For more information, try '--help'.
    "#]]
    .assert_eq(&call(&["simulate", "waiting", "--outage", "data-bucket=20m..5m"]));
    expect![[r#"
        [exit 2]
        [stderr]
        error: --arrive, --latency, --outage: no store for `s4://data-bucket`: known are `file://`, `memory://` and, by features, `s3://` (`s3`), `gs://` (`gcp`) and `az://` (`azure`)
    "#]].assert_eq(&call(&["simulate", "waiting", "--outage", "s4://data-bucket=5m..20m"]));
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
