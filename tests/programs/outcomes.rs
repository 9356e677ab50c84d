//! Exit codes, outputs and secrets, in simulations: the programs really run.

use crate::sh;
use pipeline_runtime::prelude::*;
use pipeline_runtime::{Command, NodeState, RunReport, Simulation};
use serde::{Deserialize, Serialize};
use std::time::Duration;

#[task(retries = 1, retry_delay = "1m")]
async fn script(ctx: Context, script: String) -> Result<String> {
    Ok(sh(&script).run(&ctx).await?.last_line().to_owned())
}

#[pipeline]
fn one(text: String) {
    script(text);
}

fn run(text: &str) -> RunReport {
    Simulation::new(one()).params(text).run()
}

#[test]
fn it_ends_with_its_last_line_and_takes_no_virtual_time() {
    let report = run("echo first; sleep 0.1; echo last; echo; echo complaint >&2");
    assert_eq!(report.output::<String>("script").as_deref(), Some("last"), "{}", report.timeline());
    assert_eq!(report.finished(), Some(Duration::ZERO));
    assert_eq!(run("true").output::<String>("script").as_deref(), Some(""));
}

#[test]
fn its_exit_code_says_what_becomes_of_the_node() {
    let became = |text: &str| {
        let report = run(text);
        let node = report.node("script");
        (node.state(), node.attempts(), node.error().unwrap_or_default().to_owned())
    };
    let failed = NodeState::Failed;
    assert_eq!(
        became("echo one; echo two >&2; echo three >&2; exit 3"),
        (failed, 2, "`sh` ended with exit status: 3:\ntwo\nthree".into())
    );
    assert_eq!(became("echo all of it; exit 1"), (failed, 2, "`sh` ended with exit status: 1:\nall of it".into()));
    assert_eq!(became("exit 100"), (failed, 1, "`sh` ended with exit status: 100".into()));
    assert_eq!(became("kill -KILL $$"), (failed, 2, "`sh` ended with signal: 9 (SIGKILL)".into()));
    assert_eq!(became("echo nothing to do; exit 99"), (NodeState::Skipped, 1, String::new()));
    let timeline = run("echo nothing to do; exit 99").timeline();
    assert!(timeline.contains("nothing to do"), "{timeline}");
}

#[task]
async fn finds(ctx: Context) -> Result<i32> {
    Ok(Command::new("grep").arg("needle").arg("/dev/null").accept(1).run(&ctx).await?.code())
}

#[task(retries = 5)]
async fn misspelt(ctx: Context) -> Result<()> {
    Command::new("no-such-program").run(&ctx).await.map(drop)
}

#[task(retries = 5)]
async fn nowhere(ctx: Context) -> Result<()> {
    Command::new("true").dir("/no/such/folder").run(&ctx).await.map(drop)
}

#[task]
async fn somewhere(ctx: Context) -> Result<String> {
    let command = sh("echo \"$(pwd) ${HOME-none} $MARK\"").dir("/").env("MARK", "a 'b'").env_remove("HOME");
    Ok(command.run(&ctx).await?.last_line().to_owned())
}

#[pipeline]
fn several() {
    finds();
    misspelt();
    nowhere();
    somewhere();
}

#[test]
fn how_it_is_started() {
    let report = Simulation::new(several()).run();
    assert_eq!(report.output::<i32>("finds"), Some(1));
    assert_eq!(report.output::<String>("somewhere").as_deref(), Some("/ none a 'b'"));
    let fatal = |id| (report.node(id).attempts(), report.node(id).error().unwrap_or_default().to_owned());
    assert_eq!(fatal("misspelt"), (1, "`no-such-program` cannot be started: No such file or directory (os error 2)".into()));
    assert_eq!(fatal("nowhere"), (1, "`true` cannot be started in `/no/such/folder`, which is not a folder".into()));
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Loaded {
    rows: u64,
}

#[task]
async fn load(ctx: Context, text: String) -> Result<Loaded> {
    sh("printf %s \"$TEXT\" >\"$PIPELINE_OUT\"").env("TEXT", text).run(&ctx).await?.output_json()
}

#[pipeline]
fn loads() {
    load(r#"{"rows": 7}"#).named("right");
    load("rows").named("wrong");
    load("").named("empty");
}

#[test]
fn what_it_writes_is_a_typed_value() {
    let report = Simulation::new(loads()).run();
    assert_eq!(report.output::<Loaded>("right"), Some(Loaded { rows: 7 }));
    let error = |id| report.node(id).error().unwrap_or_default().to_owned();
    assert!(
        error("wrong").starts_with("what `sh` wrote to PIPELINE_OUT is not a `programs::outcomes::Loaded`: expected value"),
        "{}",
        error("wrong")
    );
    assert_eq!(error("empty"), "`sh` wrote nothing to the file that the variable PIPELINE_OUT names");
}

static KEY: Secret = Secret::env("NOBODY_SETS_THIS_KEY_OF_PROGRAMS");

/// One secret is a parameter, the other is read for the program.
#[task]
async fn spills(ctx: Context, key: Secret) -> Result<String> {
    let command = sh("echo \"$A $B ${#A}\"; echo \"$A\" >&2; exit 0").env("A", &key).env("B", &KEY);
    Ok(command.run(&ctx).await?.last_line().to_owned())
}

#[task]
async fn fails(ctx: Context) -> Result<()> {
    sh("echo \"refused: $A\" >&2; exit 1").env("A", &KEY).run(&ctx).await.map(drop)
}

#[pipeline]
fn secretive() {
    spills(&KEY);
    fails();
}

#[test]
fn it_has_secrets_and_none_is_repeated() {
    let report = Simulation::new(secretive()).secret(&KEY, "pr0gr4m-s3cr3t").run();
    assert_eq!(report.output::<String>("spills").as_deref(), Some("*** *** 14"));
    assert_eq!(report.node("fails").error(), Some("`sh` ended with exit status: 1:\nrefused: ***"));
    let error = Simulation::new(secretive()).run().node("fails").error().unwrap().to_owned();
    assert!(error.starts_with("the secret `env:NOBODY_SETS_THIS_KEY_OF_PROGRAMS` has no value: set "), "{error}");
}

#[test]
fn a_stub_answers_in_its_stead() {
    let report = Simulation::new(one()).params("exit 1").stub("script", "stubbed".to_owned()).run();
    assert_eq!(report.output::<String>("script").as_deref(), Some("stubbed"));
}

/// The half of a test that runs in a process of its own, to measure its peak memory.
#[cfg(target_os = "linux")]
#[test]
#[ignore = "a half of a test"]
fn prints_a_gigabyte() {
    let report = run("head -c 900000000 /dev/zero; yes 'a line of some length' | head -c 100000000 >&2; echo; echo done");
    assert_eq!(report.output::<String>("script").as_deref(), Some("done"));
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    let kilobytes: u64 = peak.trim().trim_end_matches(" kB").parse().unwrap();
    assert!(kilobytes < 64 << 10, "{kilobytes} kB");
}

#[cfg(target_os = "linux")]
#[test]
fn a_gigabyte_of_output_does_not_fill_the_memory() {
    let mut half = std::process::Command::new(std::env::current_exe().unwrap());
    half.args(["--exact", "outcomes::prints_a_gigabyte", "--ignored", "--test-threads=1"]);
    let output = half.output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && said.contains("1 passed"), "{said}");
}
