//! Settings of a host: a run keeps those that it started with, whatever is set meanwhile and however often it is resumed.

use crate::gate::Gate;
use pipeline_runtime::prelude::*;
use pipeline_runtime::{Host, Shutdown};
use std::path::Path;
use std::time::Duration;

static LIMIT: Setting<u64> = Setting::new("limit", 500);
static FOLDERS: Setting<Vec<String>> = Setting::from_fn("folders", || vec!["raw".to_owned()]);
static THERE: Gate = Gate::new();

#[task]
async fn wait_here() -> Result<()> {
    THERE.pass().await;
    Ok(())
}

#[task]
async fn read(limit: u64, folders: Vec<String>) -> Result<(u64, Vec<String>)> {
    Ok((limit, folders))
}

#[pipeline(max_active_runs = 1)]
fn gated() {
    read(&LIMIT, &FOLDERS).after(wait_here());
}

type ReadSettings = (u64, Vec<String>);

async fn host(journal: &Path, pipeline: Pipeline) -> Host {
    Host::builder([pipeline]).journal(journal).drain(Duration::ZERO).start().await.unwrap()
}

fn read_settings(limit: u64, folders: &[&str]) -> ReadSettings {
    (limit, folders.iter().map(|folder| (*folder).to_owned()).collect())
}

#[tokio::test]
async fn a_run_has_what_was_set_as_it_began_and_not_as_it_was_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let journal = folder.path().join("journal.db");
    let first_host = host(&journal, gated()).await;
    let first = first_host.trigger("gated", (), Some("2024-03-25")).await.unwrap();
    THERE.reached().await;
    // The second run waits for its turn.
    let second = first_host.trigger("gated", (), Some("2024-03-26")).await.unwrap();
    first_host.set(&LIMIT, &200).await.unwrap();
    first_host.set(&FOLDERS, &vec!["a".to_owned(), "b".to_owned()]).await.unwrap();
    // The process ends in between.
    assert_eq!(first_host.shutdown().await.unwrap(), Shutdown::CutOff);
    let next_host = host(&journal, gated()).await;
    THERE.reached().await;
    next_host.set(&LIMIT, &100).await.unwrap();
    THERE.open();
    let first = next_host.wait(&first).await.unwrap();
    assert_eq!(first.node("read").unwrap().output::<ReadSettings>().unwrap(), Some(read_settings(500, &["raw"])));
    assert_eq!(first.summary().settings().get("limit"), Some(&500.into()));
    THERE.reached().await;
    next_host.unset(&LIMIT).await.unwrap();
    THERE.open();
    let second = next_host.wait(&second).await.unwrap();
    assert_eq!(second.node("read").unwrap().output::<ReadSettings>().unwrap(), Some(read_settings(100, &["a", "b"])));
    next_host.shutdown().await.unwrap();
}

static OTHERS: Gate = Gate::new();

#[task]
async fn wait_too() -> Result<()> {
    OTHERS.pass().await;
    Ok(())
}

/// The pipeline of an earlier version of the program.
#[pipeline(id = "grown")]
fn before() {
    read(7, Vec::<String>::new()).after(wait_too());
}

#[pipeline(id = "grown")]
fn after() {
    read(&LIMIT, &FOLDERS).after(wait_too());
}

#[tokio::test]
async fn a_setting_that_the_code_has_come_to_take_is_as_it_is_when_the_run_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let journal = folder.path().join("journal.db");
    let first_host = host(&journal, before()).await;
    let run = first_host.trigger("grown", (), None).await.unwrap();
    OTHERS.reached().await;
    let refused = first_host.set(&LIMIT, &200).await.unwrap_err().to_string();
    assert!(refused.contains("the pipelines have no setting `limit`; they have none"), "{refused}");
    first_host.shutdown().await.unwrap();
    let next_host = host(&journal, after()).await;
    OTHERS.reached().await;
    OTHERS.open();
    let run = next_host.wait(&run).await.unwrap();
    assert_eq!(run.node("read").unwrap().output::<ReadSettings>().unwrap(), Some(read_settings(500, &["raw"])));
    next_host.shutdown().await.unwrap();
}

static RESTARTED: Gate = Gate::new();

#[task]
async fn wait_long() -> Result<()> {
    RESTARTED.pass().await;
    Ok(())
}

#[pipeline(id = "restarted")]
fn without() {
    read(7, Vec::<String>::new()).after(wait_long());
}

#[pipeline(id = "restarted")]
fn with() {
    read(&LIMIT, &FOLDERS).after(wait_long());
}

#[tokio::test]
async fn a_setting_that_the_code_has_come_to_take_stays_as_it_was_when_the_run_first_went_on() {
    let folder = tempfile::tempdir().unwrap();
    let journal = folder.path().join("journal.db");
    let first_host = host(&journal, without()).await;
    let run = first_host.trigger("restarted", (), None).await.unwrap();
    RESTARTED.reached().await;
    first_host.shutdown().await.unwrap();
    let second_host = host(&journal, with()).await;
    RESTARTED.reached().await;
    second_host.set(&LIMIT, &200).await.unwrap();
    second_host.shutdown().await.unwrap();
    let third_host = host(&journal, with()).await;
    RESTARTED.reached().await;
    RESTARTED.open();
    let ended = third_host.wait(&run).await.unwrap();
    assert_eq!(ended.node("read").unwrap().output::<ReadSettings>().unwrap(), Some(read_settings(500, &["raw"])));
    assert_eq!(ended.summary().settings().get("limit"), Some(&500.into()));
    third_host.shutdown().await.unwrap();
}
