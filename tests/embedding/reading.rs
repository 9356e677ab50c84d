//! A journal is read beside its host, in pages and while it grows, and later without the code that made its runs.

use crate::gate::Gate;
use pipeline_runtime::prelude::*;
use pipeline_runtime::read::{JournalReader, LogFilter, ReadError, RunFilter};
use pipeline_runtime::{AttemptLogs, Host, JournalError, NodeState, RunState};
use std::sync::Once;
use tracing_subscriber::prelude::*;

static HALFWAY: Gate = Gate::new();

#[sensor(poke = "1s", timeout = "1h")]
async fn arrives(ctx: Context) -> Result<Poke<u64>> {
    let pokes = ctx.recall::<u64>()?.unwrap_or_default() + 1;
    ctx.remember(&pokes)?;
    Ok(if pokes < 2 { Poke::NotYet } else { Poke::Ready(pokes) })
}

#[task(retries = 1, retry_delay = "1ms")]
async fn split(ctx: Context, rows: u64) -> Result<Vec<u64>> {
    tracing::info!(rows, "splits");
    if ctx.attempt() == 1 {
        return Err(std::io::Error::other("503").into());
    }
    Ok((0..rows).collect())
}

#[task]
async fn load(row: u64) -> Result<u64> {
    Ok(row * 10)
}

#[task]
async fn total(rows: Vec<u64>) -> Result<u64> {
    HALFWAY.pass().await;
    Ok(rows.iter().sum())
}

#[pipeline]
fn loaded() {
    total(split(arrives()).each(|row| load(row)));
}

fn subscribe() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| tracing_subscriber::registry().with(AttemptLogs).init());
}

#[tokio::test]
async fn a_run_is_read_while_it_runs_and_without_its_code_later() {
    subscribe();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("journal.db");
    let host = Host::builder([loaded()]).journal(&file).start().await.unwrap();
    let run = host.trigger("loaded", (), None).await.unwrap();
    HALFWAY.reached().await;

    let journal = JournalReader::open(&file).unwrap().pipelines([loaded()]);
    let summary = journal.run(&run.run_id).unwrap().unwrap();
    let mut details = journal.details(&summary).unwrap();
    let states: Vec<_> = details.nodes().map(|node| (node.id(), node.state())).collect();
    let success = |id: &str| (id.to_owned(), NodeState::Success);
    let expected =
        [success("arrives"), success("split"), ("total".into(), NodeState::Running), success("load[0]"), success("load[1]")];
    assert_eq!(states, expected);
    assert_eq!(details.node("total").unwrap().attempts()[0].finished(), None);
    assert!(details.node("total").unwrap().output::<u64>().unwrap().is_none());

    let version = journal.version().unwrap();
    assert_eq!(journal.version().unwrap(), version, "nothing happens while it waits");
    HALFWAY.open();
    host.wait(&run).await.unwrap();
    assert_ne!(journal.version().unwrap(), version);
    details.update(&journal).unwrap();
    assert_eq!((details.state(), details.node("total").unwrap().output::<u64>().unwrap()), (RunState::Success, Some(10)));
    host.shutdown().await.unwrap();

    // No pipeline and no host: everything comes from the journal.
    let journal = JournalReader::open(&file).unwrap();
    let details = journal.details(&summary).unwrap();
    assert_eq!(details.summary().state(), RunState::Success);
    let sensor = details.node("arrives").unwrap();
    assert_eq!((sensor.pokes(), sensor.attempts().len(), sensor.output::<u64>().unwrap()), (2, 1, Some(2)));
    let attempts = details.node("split").unwrap().attempts();
    assert_eq!(attempts.iter().map(|of| (of.number(), of.error())).collect::<Vec<_>>(), [(1, Some("503")), (2, None)]);
    assert_eq!(details.node("load[1]").unwrap().output::<serde_json::Value>().unwrap(), Some(10.into()));
    let wrong = details.node("split").unwrap().output::<String>().unwrap_err();
    assert!(matches!(&wrong, ReadError::Output { node, .. } if node == "split"), "{wrong}");
    assert_eq!(details.to_json()["nodes"][1]["attempts"][0]["error"], "503");
    assert!(details.node("nobody").is_none());

    let logged = |filter: LogFilter| -> Vec<_> {
        let lines = journal.logs(&summary, &filter).unwrap();
        lines.iter().map(|line| (line.number(), line.attempt(), line.text().to_owned())).collect()
    };
    let lines = logged(LogFilter::new().node("split"));
    assert_eq!(lines, [(1, 1, "splits rows=2".to_owned()), (2, 2, "splits rows=2".to_owned())]);
    assert_eq!(logged(LogFilter::new().after(1)), lines[1..]);
    assert_eq!(logged(LogFilter::new().node("split").attempt(1)), lines[..1]);
}

#[task]
async fn one() -> Result<u64> {
    Ok(1)
}

#[pipeline]
fn short() {
    one();
}

#[tokio::test]
async fn runs_come_in_pages_the_newest_first() {
    let host = Host::builder([short()]).temporary_journal().start().await.unwrap();
    for day in 1..=5 {
        let run = host.trigger("short", (), Some(&format!("2024-03-0{day}"))).await.unwrap();
        host.wait(&run).await.unwrap();
    }
    let days = host.read(|journal| {
        let mut filter = RunFilter::new().pipeline("short").state(RunState::Success).limit(2);
        let mut days = Vec::new();
        loop {
            let page = journal.runs(&filter)?;
            let Some(last) = page.last() else { return Ok(days) };
            filter = filter.after(last);
            days.push(page.iter().map(|run| run.interval().start.format("%d").to_string()).collect::<Vec<_>>());
        }
    });
    assert_eq!(days.await.unwrap(), [vec!["05", "04"], vec!["03", "02"], vec!["01"]]);
    host.shutdown().await.unwrap();
}

#[test]
fn where_there_is_no_journal_none_is_made() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("journal.db");
    let missing = JournalReader::open(&file).unwrap_err();
    assert!(matches!(missing, ReadError::Journal(JournalError::Missing { .. })), "{missing}");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}
