use crate::command::{PARAMS, call, command, transcript};
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
    .assert_eq(&transcript(&command.output().expect("it was built")));
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
        error: --stub: the stub of `parse` is not a `usize`, which the task returns: invalid type: string "x", expected usize at line 1 column 3
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
        error: invalid value 'parse=three' for '--stub <NODE=JSON>': `three` is not valid JSON: expected ident at line 1 column 2; write a text in quotes

        For more information, try '--help'.
    "#]]
    .assert_eq(&call(&["simulate", "waiting", "--stub", "parse=three"]));
}

const EXPORT: &str =
    r#"{"bucket":"data-bucket","key":"raw/export.json","size":2,"last_modified":"2024-01-01T00:00:00Z","etag":null}"#;

fn of_others(args: &[&str]) -> String {
    transcript(&command(PARAMS, &[&["simulate"], args].concat()).output().expect("it was built"))
}

#[test]
fn runs_of_other_pipelines() {
    expect![[r#"
        node    state    0                                          3m
        run_of  success  ·░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░·  0s → 3m, 2 pokes
        count   success                                              █  3m → 3m
        total   success                                              █  3m → 3m
        run: success after 3m   (█ work  · poke  ░ wait  ▒ retry due  × failure)
        [exit 0]
    "#]]
    .assert_eq(&of_others(&["totals", "--ran", r#"3m=counts={"count": [{"eur": 7}]}"#]));
    expect![[r#"
        node    state            0                                  3m
        run_of  failed           ·░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░×  0s → 3m, 2 pokes
                                 it waits for run simulated__2024-01-01T00:00:00Z of `counts`, which has failed: `count`: no such table
        count   upstream_failed  `run_of` failed
        total   upstream_failed  `run_of` failed
        run: failed after 3m   (█ work  · poke  ░ wait  ▒ retry due  × failure)
        [exit 1]
        [stderr]

        error: node `run_of` failed: it waits for run simulated__2024-01-01T00:00:00Z of `counts`, which has failed: `count`: no such table
          --> tests/cli/params/main.rs:245:11: wired here
          = note: so `count`, `total` did not run
    "#]].assert_eq(&of_others(&["totals", "--ran", "3m=counts=failed: `count`: no such table"]));
    let other_day = of_others(&["totals", "--ran", "3m=counts@2024-01-02", "--ran", "4m=counts={\"count\": []}"]);
    assert!(other_day.contains("run: success after 4m"), "{other_day}");
    assert!(other_day.ends_with(
        "warning: nothing waited for the run of `counts` that starts at 2024-01-02T00:00:00Z, which was given to the simulation\n"
    ));
    let untold = of_others(&["totals"]);
    assert!(untold.contains("`.ran(..)` in a test, `--ran` on the command line, sets when a run ended, and how"), "{untold}");
}

#[test]
fn updates_of_assets() {
    let updates = ["--updated", r#"0s=rates={"eur": 6}"#, "--updated", r#"3m=rates={"eur": 7}"#];
    expect![[r#"
        node     state    0                                             0s
        rates    success  █                                                 0s → 0s
        convert  success  █                                                 0s → 0s
        run: success after 0s   (█ work  · poke  ░ wait  ▒ retry due  × failure)
        [exit 0]
        [stderr]

        warning: the update of `rates` after 3m came after the run had started: it has no effect on it
    "#]]
    .assert_eq(&of_others(&[&["converted"], &updates[..]].concat()));
    let untold = of_others(&["converted"]);
    assert!(untold.contains("on the command line by `--updated 0s=rates=JSON`"), "{untold}");
}

/// The error of a call that is refused.
#[track_caller]
fn refused(args: &[&str]) -> String {
    let said = of_others(args);
    let said = said.strip_prefix("[exit 2]\n[stderr]\nerror: ").unwrap_or_else(|| panic!("it is not refused: {said}"));
    said.lines().next().unwrap_or_default().to_owned() + "\n"
}

#[test]
fn others_that_are_told_of_wrongly() {
    let ran = |text| refused(&["totals", "--ran", text]);
    let said: String = [
        "3m=count",
        "3m=counts@soon",
        "3m=counts={\"cuont\": []}",
        "3m=counts={\"count\": 7}",
        "3m=totals={\"count\": 7}",
        "3m=counts=done",
        "3m=counts={",
        "soon=counts",
        "3m",
    ]
    .map(ran)
    .concat();
    expect![[r#"
        --ran: no pipeline has the id `count`; did you mean `counts`?
        --ran: the run of `counts`: `soon` is not a date; write `2024-01-31`, `2024-01-31T06:00` (in the schedule's time zone) or `2024-01-31T06:00:00Z`
        --ran: the run of `counts`: `totals` takes the output of no task `cuont` of it; did you mean `count`?
        --ran: the run of `counts`: the output of `count` is not a `Vec<Rates>`: invalid type: integer `7`, expected a sequence at line 1 column 1
        --ran: the run of `totals`: `totals` takes the output of no task `count` of it; it takes no output of that pipeline
        invalid value '3m=counts=done' for '--ran <WHEN=PIPELINE[@DATE][=HOW]>': `done` is not an end of a run; write WHEN=PIPELINE, WHEN=PIPELINE='{"task": 7}' or WHEN=PIPELINE=failed, as in `3m=counts`
        invalid value '3m=counts={' for '--ran <WHEN=PIPELINE[@DATE][=HOW]>': `{` is not valid JSON: EOF while parsing an object at line 1 column 1; write WHEN=PIPELINE, WHEN=PIPELINE='{"task": 7}' or WHEN=PIPELINE=failed, as in `3m=counts`
        invalid value 'soon=counts' for '--ran <WHEN=PIPELINE[@DATE][=HOW]>': `soon` is not a duration: unexpected `s`; expected numbers with units, as in `45s` or `1h30m`
        invalid value '3m' for '--ran <WHEN=PIPELINE[@DATE][=HOW]>': write WHEN=PIPELINE, WHEN=PIPELINE='{"task": 7}' or WHEN=PIPELINE=failed, as in `3m=counts`
    "#]].assert_eq(&said);
    let updated = |text| refused(&["converted", "--updated", text]);
    let said: String = ["0s=rate=7", "0s=rates=7", "0s=rates", "0s=rates=many", "soon=rates=7"].map(updated).concat();
    expect![[r#"
        --updated: pipeline `converted` neither waits for an asset `rate` nor reads it; did you mean `rates`?
        --updated: the update of the asset `rates`: the value is not a `Rates`: invalid type: integer `7`, expected struct Rates at line 1 column 1
        invalid value '0s=rates' for '--updated <WHEN=ASSET=JSON>': write WHEN=ASSET=JSON, as in `0s=rates='{"eur": 7}'`
        invalid value '0s=rates=many' for '--updated <WHEN=ASSET=JSON>': `many` is not valid JSON: expected value at line 1 column 1; write a text in quotes
        invalid value 'soon=rates=7' for '--updated <WHEN=ASSET=JSON>': `soon` is not a duration: unexpected `s`; expected numbers with units, as in `45s` or `1h30m`
    "#]].assert_eq(&said);
    expect![[r#"
        --updated: pipeline `totals` neither waits for an asset `rates` nor reads it; it has no use for any
    "#]]
    .assert_eq(&refused(&["totals", "--updated", "0s=rates=7"]));
}

#[test]
fn a_wrong_stub_is_told_by_the_name_that_its_type_has_in_the_code() {
    let said: String = ["count=7", "run_of=7", "total=[]", "cuont=7"].map(|stub| refused(&["totals", "--stub", stub])).concat();
    expect![[r#"
        --stub: the stub of `count` is not a `Vec<Rates>`, which the task returns: invalid type: integer `7`, expected a sequence at line 1 column 1
        --stub: the stub of `run_of` is not a `UpstreamRun`, which the task returns: invalid type: integer `7`, expected struct UpstreamRun at line 1 column 1
        --stub: the stub of `total` is not a `u64`, which the task returns: invalid type: sequence, expected u64 at line 1 column 0
        --stub: no node has the id `cuont`; the nodes are `run_of`, `count`, `total`
    "#]].assert_eq(&said);
    expect![[r#"
        --stub: the stub of `rates` is not a `Rates`, which the task returns: invalid type: integer `7`, expected struct Rates at line 1 column 1
    "#]].assert_eq(&refused(&["converted", "--stub", "rates=7"]));
}

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
        error: --arrive, --latency, --outage: no store for `s4://data-bucket`: known schemes are `file://`, `memory://` and, by features, `s3://` (`s3`), `gs://` (`gcp`) and `az://` (`azure`)
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
