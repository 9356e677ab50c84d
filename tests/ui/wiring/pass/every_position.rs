//! Everything that may stand in a parameter's position.

use pipeline_runtime::prelude::*;
use std::sync::Arc;

#[derive(Clone, serde::Serialize, serde::Deserialize)]
struct Report {
    rows: u64,
}

#[task]
async fn report(key: String) -> Result<Report> {
    Ok(Report { rows: key.len() as u64 })
}

#[task]
async fn plain(report: Report) -> Result<u64> {
    Ok(report.rows)
}

#[task]
async fn shared(report: Arc<Report>) -> Result<u64> {
    Ok(report.rows)
}

#[task]
async fn optional(report: Option<Report>) -> Result<bool> {
    Ok(report.is_some())
}

#[task]
async fn whatever(report: Outcome<Report>) -> Result<bool> {
    Ok(report.success().is_some())
}

#[task]
async fn repair(failure: Failure) -> Result<String> {
    Ok(failure.node().to_owned())
}

#[task]
async fn total(rows: Vec<u64>) -> Result<u64> {
    Ok(rows.iter().sum())
}

#[task]
async fn found(rows: Vec<Option<u64>>) -> Result<usize> {
    Ok(rows.iter().flatten().count())
}

#[task]
async fn ended(rows: Vec<Outcome<u64>>) -> Result<usize> {
    Ok(rows.len())
}

/// A fragment is a function.
fn rows_of(key: impl IntoInput<String>) -> Node<u64> {
    plain(report(key))
}

#[pipeline]
pub(crate) fn every_position() {
    let made = report("raw/export.json");
    let owned = "raw/export.json".to_owned();
    report(owned.clone());
    report(&owned);
    report(template!("raw/{{ ds_nodash }}.json"));
    plain(made);
    plain(Report { rows: 1 });
    plain(&Report { rows: 1 });
    shared(made);
    shared(Arc::new(Report { rows: 1 }));
    optional(made);
    optional(None::<Report>);
    optional(Some(Report { rows: 1 }));
    whatever(made);
    repair(made.failure());
    let (one, other) = (rows_of("a"), rows_of(template!("{{ ds }}")));
    total([one, other]);
    total([one]).after(made).after([one, other]).after((made, one.ended(), other.or_skipped(), made.failure()));
    chain((made, [one, other]));
    total(vec![one, other]);
    total(vec![1, 2]);
    found([one, other]);
    ended(vec![one, other]);
    plain(first_of([made, report("again")]));
    plain(made).after(one).named("last");
}
