//! A pipeline whose code depends on the variable `CODE`.

use pipeline_runtime::prelude::*;
use serde::{Deserialize, Serialize};

fn code() -> String {
    std::env::var("CODE").unwrap_or_default()
}

/// A number that later code may not accept.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "i64", into = "i64")]
struct Number(i64);

impl TryFrom<i64> for Number {
    type Error = String;

    fn try_from(n: i64) -> Result<Self, String> {
        if code() == "positive" && n < 0 { Err(format!("{n} is negative")) } else { Ok(Self(n)) }
    }
}

impl From<Number> for i64 {
    fn from(n: Number) -> Self {
        n.0
    }
}

#[task]
async fn number() -> Result<Number> {
    Ok(Number(-1))
}

#[task]
async fn text() -> Result<String> {
    Ok("one".into())
}

#[sensor(poke = "20ms", poke_timeout = "1m", timeout = "10m")]
async fn approval(bucket: Bucket) -> Result<Poke<Object>> {
    Ok(bucket.head("approved").await?.into())
}

#[task]
async fn report(approval: Object, n: Number) -> Result<String> {
    Ok(format!("{} {}", approval.key, n.0))
}

#[task]
async fn report_text(approval: Object, n: String) -> Result<String> {
    Ok(format!("{} {n}", approval.key))
}

/// Counts, waits to be approved, and reports.
#[pipeline]
pub(crate) fn changing() -> Result<()> {
    let bucket = Bucket::open("file://./data-bucket")?;
    match code().as_str() {
        "type" => {
            let n = text().named("number");
            report_text(approval(&bucket), n).named("report");
        }
        "edge" => {
            let (n, other) = (number(), number().named("other"));
            report(approval(&bucket).after(n), other);
        }
        "gone" => {
            report(approval(&bucket), number().named("count"));
        }
        "twice" => {
            let n = number();
            number();
            report(approval(&bucket), n);
        }
        "more" => {
            let first = text().named("first");
            report(approval(&bucket), number().after(first));
        }
        "added" => {
            text().named("first");
            report(approval(&bucket), number());
        }
        _ => {
            report(approval(&bucket), number());
        }
    }
    Ok(())
}
