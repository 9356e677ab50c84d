//! Valid params, and the errors of others.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed; clippy knows only functions with `#[test]`")]

use crate::command::{PARAMS, command, transcript};
use expect_test::expect;
use std::fs;

const DATE: [&str; 4] = ["--logical-date", "2024-03-25", "--log", "off"];

/// What a run with these params received; a second process that resumes the run receives the same.
fn received(params: &[&str]) -> String {
    let mut run = command(PARAMS, &["run", "told"]);
    run.args(DATE).args(params.iter().flat_map(|param| ["--param", param]));
    let folder = run.get_current_dir().unwrap().to_owned();
    fs::write(folder.join("stop"), "").unwrap();
    let options = |output: &std::process::Output| {
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        text.lines().find(|line| line.starts_with("Options {")).map(str::to_owned)
    };
    let output = run.output().unwrap();
    let Some(begun) = options(&output) else { return transcript(&output) };
    assert!(!folder.join("stop").exists(), "the run was to end in the middle");
    let mut resume = command(PARAMS, &["resume"]);
    let output = resume.current_dir(folder).output().unwrap();
    assert_eq!(options(&output).as_ref(), Some(&begun), "{}", transcript(&output));
    begun
}

#[test]
fn the_type_says_what_a_text_is_also_as_the_run_is_resumed() {
    for (params, expected) in [
        (&["region=007"][..], r#"region: "007""#),
        (&["zone=eu"], r#"region: "eu""#),
        (&["until=20240101"], r#"until: Some("20240101")"#),
        (&["until=true"], r#"until: Some("true")"#),
        (&["until=null"], "until: None"),
        (&["unwritten=9"], "unwritten: 9"),
        (&["batch-size=12"], "batch: 12"),
        (&["share=0.25"], "share: 0.25"),
        (&["strict=true"], "strict: true"),
        (&["pace=slow-motion"], "pace: Slow"),
        (&[r#"pace={"Every": 7}"#], "pace: Every(7)"),
        (&[r#"tables=["a", "7"]"#], r#"tables: ["a", "7"]"#),
        (&["day=2024-03-25"], "day: 2024-03-25"),
        (&["height=1.5"], "height: Metres(1.5)"),
        (&[r#"limits={"kilobytes": 7}"#], "limits: Limits { rows: 0, kilobytes: Some(7) }"),
        (&["limits.rows=7", "limits.kilobytes=8"], "limits: Limits { rows: 7, kilobytes: Some(8) }"),
        (&["by_name.a=7"], r#"by_name: {"a": 7}"#),
        (&["owner=007", "retries=7"], r#"common: Common { owner: "007", retries: 7 }"#),
    ] {
        let given = received(params);
        assert!(given.contains(expected), "{params:?}: {given}");
    }
}

#[test]
fn an_error_names_the_argument_the_param_and_the_type() {
    expect![[r#"
        [exit 2]
        [stderr]
        error: --param batch-size=many: param `batch-size` of pipeline `told` does not fit: invalid type: string "many", expected u64
    "#]].assert_eq(&received(&["region=eu", "batch-size=many"]));
    expect![[r#"
        [exit 2]
        [stderr]
        error: --param limits.row=7: no param `limits.row` in pipeline `told`; `limits` takes `kilobytes`, `rows`
    "#]]
    .assert_eq(&received(&["limits.row=7"]));
    expect![[r#"
        [exit 2]
        [stderr]
        error: --param retries=many: param `retries` of pipeline `told` does not fit: invalid type: string "many", expected u32
    "#]]
    .assert_eq(&received(&["retries=many", "owner=x"]));
    expect![[r#"
        [exit 2]
        [stderr]
        error: --param pace=slow: param `pace` of pipeline `told` does not fit: unknown variant `slow`, expected one of `Fast`, `slow-motion`, `Every`
    "#]].assert_eq(&received(&["pace=slow"]));
    expect![[r#"
        [exit 2]
        [stderr]
        error: --param tables=a,b: param `tables` of pipeline `told` does not fit: "a,b" is not JSON (expected value): write it as in `["a", "b"]`
    "#]].assert_eq(&received(&["tables=a,b"]));
    expect![[r#"
        [exit 2]
        [stderr]
        error: --param regoin=eu: no param `regoin` in pipeline `told`; it takes `batch-size`, `by_name`, `day`, `height`, `limits`, `owner`, `pace`, `region`, `retries`, `share`, `strict`, `tables`
    "#]].assert_eq(&received(&["regoin=eu"]));
}
